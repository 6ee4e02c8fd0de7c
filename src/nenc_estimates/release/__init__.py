"""The run of a release: read, estimate, check, and hand the tables over to whoever writes them."""

from nenc_estimates.release.reproduction import failures, reproduce
from nenc_estimates.release.rows import AREA_TYPES, COLUMNS, KEY
from nenc_estimates.release.run import Run, run_release
from nenc_estimates.specification import EXPERIMENTAL

__all__ = ["AREA_TYPES", "COLUMNS", "EXPERIMENTAL", "KEY", "Run", "failures", "reproduce", "run_release"]

"""Readers: the files that analysts have, to tidy tables, each with a report of what was read and how."""

from __future__ import annotations

from nenc_estimates.readers.fingertips import read_fingertips
from nenc_estimates.readers.limits import LIMITS, Limits
from nenc_estimates.readers.packaged_indicators import read_indicator
from nenc_estimates.readers.report import Read, ReadReport, Remark

__all__ = ["LIMITS", "Limits", "Read", "ReadReport", "Remark", "read_fingertips", "read_indicator"]

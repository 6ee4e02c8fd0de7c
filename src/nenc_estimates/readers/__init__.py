"""Readers: the files that analysts have, to tidy tables, each with a report of what was read and how."""

from __future__ import annotations

from nenc_estimates.readers.deaths import read_deaths
from nenc_estimates.readers.description import FileDescription, describe_file
from nenc_estimates.readers.fingertips import read_fingertips
from nenc_estimates.readers.imd import read_imd
from nenc_estimates.readers.limits import LIMITS, Limits
from nenc_estimates.readers.lookups import read_lookup
from nenc_estimates.readers.mid_year import read_mid_year_estimates
from nenc_estimates.readers.nomis import read_nomis
from nenc_estimates.readers.packaged_indicators import read_indicator, read_table
from nenc_estimates.readers.report import Read, ReadReport, Remark

__all__ = [
    "LIMITS",
    "FileDescription",
    "Limits",
    "Read",
    "ReadReport",
    "Remark",
    "describe_file",
    "read_deaths",
    "read_fingertips",
    "read_imd",
    "read_indicator",
    "read_lookup",
    "read_mid_year_estimates",
    "read_nomis",
    "read_table",
]

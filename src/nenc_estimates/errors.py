"""The errors that this library raises about data: one base class and three children."""

from __future__ import annotations


class EstimatesError(ValueError):
    """Something in the data or the specification stops an estimate from being right.

    Catch this to catch everything the library says about data. Wrong options of a formula
    (a confidence of 95 instead of 0.95, say) are plain ``ValueError``.
    """


class SchemaError(EstimatesError):
    """A table does not have the shape that was expected: columns, types or keys."""


class InvalidDataError(EstimatesError):
    """Values are impossible or contradict each other: the message names the rows."""


class UnknownAreaError(EstimatesError):
    """A code is not an area of the geography it was used in."""

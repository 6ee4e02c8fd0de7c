"""What a reader did to a file, for people and for the record of a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import narwhals.stable.v2 as nw

from nenc_estimates.summaries import Summary, listed

SHOWN = 80
"""Characters of a cell that a message shows."""


def shown(cell: object) -> str:
    """Quote a cell for a message, at most :data:`SHOWN` characters of it."""
    text = str(cell)
    return repr(text if len(text) <= SHOWN else text[: SHOWN - 1] + "…")


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One thing that was done to some rows: what, to how many, and where for example."""

    what: str
    rows: int
    where: str = ""

    def __str__(self) -> str:
        where = f" ({self.where})" if self.where else ""
        return f"{self.rows:,} × {self.what}{where}"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ReadReport(Summary):
    """What was read, kept, set aside, repaired and assumed.

    ``rows_read`` are rows of the file below its header (one for each value, where there is a column for each year or
    age); ``rows_kept`` those that were not set aside; ``rows_out`` the rows of the table. ``source``, ``format``,
    ``sheet`` and ``sha256`` say which file; ``set_aside`` and ``repaired`` what was done to how many rows;
    ``assumptions`` and ``warnings`` are sentences.

    Examples
    --------
    >>> print(ReadReport(source="le.csv", rows_read=3, rows_out=2, set_aside=(Remark(what="equal copy", rows=1),)))
    le.csv: 3 rows read, 2 kept, 1 set aside; 2 rows out
      set aside: 1 × equal copy
    """

    source: str
    format: str = ""
    sheet: str = ""
    sha256: str = ""
    rows_read: int = 0
    rows_out: int = 0
    set_aside: tuple[Remark, ...] = ()
    repaired: tuple[Remark, ...] = ()
    assumptions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def rows_kept(self) -> int:
        """Rows read that were not set aside."""
        return self.rows_read - sum(remark.rows for remark in self.set_aside)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values, for ``run.json``."""
        remarks = {
            name: [{"what": r.what, "rows": r.rows, "where": r.where} for r in getattr(self, name)]
            for name in ("set_aside", "repaired")
        }
        return {
            "source": self.source,
            "format": self.format,
            "sheet": self.sheet,
            "sha256": self.sha256,
            "rows_read": self.rows_read,
            "rows_kept": self.rows_kept,
            "rows_out": self.rows_out,
            **remarks,
            "assumptions": list(self.assumptions),
            "warnings": list(self.warnings),
        }

    def _head(self) -> str:
        aside = self.rows_read - self.rows_kept
        sheet = f", sheet {self.sheet!r}" if self.sheet else ""
        return (
            f"{self.source}{sheet}: {self.rows_read:,} rows read, {self.rows_kept:,} kept, {aside:,} set aside; "
            f"{self.rows_out:,} rows out"
        )

    def _lines(self) -> list[tuple[str, str]]:
        return [
            *(("set aside", str(remark)) for remark in self.set_aside),
            *(("repaired", str(remark)) for remark in self.repaired),
            *(("assumed", text) for text in self.assumptions),
            *(("warning", text) for text in self.warnings),
        ]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Read(Summary):
    """A tidy table, and the report of how it was read.

    ``table`` is a frame of the caller's own kind; pandas for a file. ``report`` says what was done to it.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"area_code": ["E06000001"], "value": [57.0]})
    >>> Read(table=table, report=ReadReport(source="hle.csv", rows_read=1, rows_out=1))
    .table has 1 rows: area_code, value
      .report: hle.csv: 1 rows read, 1 kept, 0 set aside; 1 rows out
    """

    table: Any
    report: ReadReport

    def _head(self) -> str:
        return f".table has {self.report.rows_out:,} rows: {listed(nw.from_native(self.table).columns, most=12)}"

    def _lines(self) -> list[tuple[str, str]]:
        return [(".report", line.strip()) for line in str(self.report).splitlines()]


@dataclass(slots=True, kw_only=True)
class Log:
    """A report while it is being written."""

    source: str
    format: str = ""
    sheet: str = ""
    sha256: str = ""
    rows_read: int = 0
    _set_aside: dict[str, tuple[int, str]] = field(default_factory=dict)
    _repaired: dict[str, tuple[int, str]] = field(default_factory=dict)
    _assumptions: dict[str, None] = field(default_factory=dict)
    _warnings: dict[str, None] = field(default_factory=dict)

    def set_aside(self, what: str, rows: int, where: str = "") -> None:
        """Note rows that are not in the table."""
        _add(self._set_aside, what, rows, where)

    def repaired(self, what: str, rows: int, where: str = "") -> None:
        """Note cells that were read as something else than they say."""
        _add(self._repaired, what, rows, where)

    def assumed(self, text: str) -> None:
        """Note what the file does not say."""
        self._assumptions[text] = None

    def warned(self, text: str) -> None:
        """Note what a reader should look at."""
        self._warnings[text] = None

    def report(self, *, rows_out: int) -> ReadReport:
        """Close the report."""
        return ReadReport(
            source=self.source,
            format=self.format,
            sheet=self.sheet,
            sha256=self.sha256,
            rows_read=self.rows_read,
            rows_out=rows_out,
            set_aside=_remarks(self._set_aside),
            repaired=_remarks(self._repaired),
            assumptions=tuple(self._assumptions),
            warnings=tuple(self._warnings),
        )


def _add(remarks: dict[str, tuple[int, str]], what: str, rows: int, where: str) -> None:
    if rows:
        before, first = remarks.get(what, (0, ""))
        remarks[what] = (before + rows, first or where)


def _remarks(remarks: dict[str, tuple[int, str]]) -> tuple[Remark, ...]:
    return tuple(Remark(what=what, rows=rows, where=where) for what, (rows, where) in remarks.items())

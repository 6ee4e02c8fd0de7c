"""The files of a release: written beside their place, then moved into it."""

from __future__ import annotations

import hashlib
import json
import platform
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from nenc_estimates.errors import SchemaError
from nenc_estimates.packaged import data_folder, indicator_files, manifest
from nenc_estimates.publishing.charts import chart_files, draw_charts
from nenc_estimates.publishing.dashboard import render_page
from nenc_estimates.publishing.disclosure import DisclosurePolicy, fit_to_publish
from nenc_estimates.publishing.revisions import mark_revised, read_release
from nenc_estimates.publishing.staging import recover, replace_folder
from nenc_estimates.publishing.workbook import write_workbook
from nenc_estimates.specification import Decomposition, OwnDecomposition
from nenc_estimates.text import is_formula, quoted

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from nenc_estimates.release import Run
    from nenc_estimates.specification import Specification

NUMBERS = ("value", "lower", "upper", "se", "coverage", "effective_areas")
"""Columns of the table of estimates that are float64; ``n_areas`` is int64 and every other column is text."""

MARK = "run.json"
"""The file that says a folder is a release, written last."""


def write_release(run: Run, specification: Specification, out: Path, *, force: bool = False) -> Path:
    """Write a release: nothing of it is seen before all of it is on the disk.

    Parameters
    ----------
    run
        The tables. ``publishing.disclosure`` withholds and rounds in them before anything is written.
    specification
        What they were made from.
    out
        Folder of the release. It must be absent, empty or an earlier release.
    force
        Replace an earlier release that differs from this one.

    Returns
    -------
    pathlib.Path
        The folder, with a CSV for each of ``run.tables``, ``estimates.parquet``, ``estimates.xlsx``,
        ``charts/``, ``index.html`` and ``run.json``.
        Where the same release stands already, it is left as it is.

    Raises
    ------
    SchemaError
        ``out`` holds another release and ``force`` is not set, or something else than a release. It is left as it is.
    """
    run = _ready(run, specification)
    out = out.resolve()
    recover(out)
    if out.exists():
        _refuse_other_than_release(out)

    def write(folder: Path) -> None:
        _write_all(run, specification, folder)
        if not force and out.exists() and any(out.iterdir()):
            if not _same(folder, out):
                raise SchemaError(
                    f"{out.name} holds another release than this one: replace it with --force, or name another "
                    "folder with --out. `nenc-estimates compare` says what differs."
                )
            raise _SameError

    with suppress(_SameError):
        replace_folder(out, write)
    return out


def _ready(run: Run, specification: Specification) -> Run:
    """Withhold and round what must be, and mark what was revised."""
    shown = fit_to_publish(run, DisclosurePolicy(as_published=specification.as_published))
    if not specification.revisions:
        return shown
    released = read_release(data_folder() / "released").estimates
    return replace(shown, estimates=mark_revised(shown.estimates, released, specification.revisions))


class _SameError(Exception):
    """The release stands already where it would be written."""


def _same(new: Path, old: Path) -> bool:
    """Say whether two folders hold the same files."""
    return _files(new) == _files(old) and all(
        (new / name).read_bytes() == (old / name).read_bytes() for name in _files(new)
    )


def _files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def _refuse_other_than_release(out: Path) -> None:
    """Refuse a folder that holds anything but what the last run wrote into it: the whole folder is replaced."""
    held = set(_files(out)) if out.is_dir() else {out.name}
    try:
        ours = {*json.loads((out / MARK).read_text(encoding="utf-8"))["outputs"], MARK} if held else set()
    except (OSError, ValueError, LookupError, TypeError):
        raise SchemaError(
            f"{out.name} exists and is not a release (it has no {MARK} of one): name another folder with --out."
        ) from None
    if held - ours:
        raise SchemaError(
            f"{out.name} holds more than a release: {', '.join(sorted(held - ours)[:5])}. It is replaced as a whole: "
            "move these files or name another folder with --out."
        )


def _write_all(run: Run, specification: Specification, folder: Path) -> None:
    for name, table in run.tables.items():
        _write_csv(table, folder / f"{name}.csv")
    _write_parquet(run.estimates, folder / "estimates.parquet")
    charts = draw_charts(run)
    (folder / "charts").mkdir()
    for name, content in chart_files(charts).items():
        (folder / "charts" / name).write_bytes(content)
    page = render_page(run, charts, title=specification.title)
    (folder / "index.html").write_text(page, encoding="utf-8", newline="\n")
    write_workbook(run, specification, folder / "estimates.xlsx")
    record = json.dumps(_record(run, specification, folder), indent=1, ensure_ascii=False, sort_keys=True)
    (folder / MARK).write_text(record + "\n", encoding="utf-8", newline="\n")


def _write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table at full precision; text that a spreadsheet would take for a formula gets an apostrophe."""
    text = table.select_dtypes(exclude="number")
    safe = table.assign(**{str(name): text[name].map(quoted) for name in text if text[name].map(is_formula).any()})
    safe.to_csv(path, index=False, lineterminator="\n", encoding="utf-8")


def _write_parquet(estimates: pd.DataFrame, path: Path) -> None:
    import pyarrow as pa  # noqa: PLC0415 - importing the library must stay cheap
    from pyarrow import parquet  # noqa: PLC0415

    types = {name: pa.float64() for name in NUMBERS} | {"n_areas": pa.int64()}
    schema = pa.schema([(name, types.get(name, pa.string())) for name in estimates.columns])
    table = pa.Table.from_pandas(estimates, schema=schema, preserve_index=False).replace_schema_metadata(None)
    parquet.write_table(table, path, compression="zstd", store_schema=False)


def _record(run: Run, specification: Specification, folder: Path) -> dict[str, Any]:
    """Record what was run, on what and with what: no clock and no path, so that equal runs write equal bytes."""
    packages = ("nenc-estimates", "numpy", "pandas", "pyarrow", "scipy", "gptables", "xlsxwriter", "vl-convert-python")
    used = {indicator_files()[entry.indicator, entry.edition] for entry in specification.weighted}
    used |= {f"deaths_by_age_{tables.deaths}.csv" for tables in specification.life_tables}
    own = [split for split in specification.decomposition if isinstance(split, OwnDecomposition)]
    used |= {
        f"deaths_by_age_{split.deaths}.csv" for split in specification.decomposition if isinstance(split, Decomposition)
    }
    used |= {f"le_hle_by_imd_decile_{slopes.edition}.csv" for slopes in specification.national_slopes}
    checksums = {f"indicators/{name}": manifest("indicators")[name].sha256 for name in used}
    checksums |= {entry.file: hashlib.sha256(entry.path.read_bytes()).hexdigest() for entry in own}
    checksums |= {f"lookups/{name}": entry.sha256 for name, entry in manifest("lookups").items()}
    return {
        "versions": {"python": platform.python_version()} | {name: version(name) for name in packages},
        "specification": specification.model_dump(mode="json"),
        "inputs": checksums,
        "outputs": {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in _files(folder)},
        **run.log,
    }

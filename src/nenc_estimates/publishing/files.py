"""The files of a release: written beside their place, then moved into it."""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nenc_estimates.errors import SchemaError
from nenc_estimates.packaged import indicator_files, manifest
from nenc_estimates.publishing.charts import chart_files, draw_charts
from nenc_estimates.publishing.dashboard import render_page

if TYPE_CHECKING:
    import pandas as pd

    from nenc_estimates.release import Run
    from nenc_estimates.specification import Specification

NUMBERS = ("value", "lower", "upper", "se", "coverage", "effective_areas")
"""Columns of the table of estimates that are float64; ``n_areas`` is int64 and every other column is text."""

MARK = "run.json"
"""The file that says a folder is a release, written last."""


def write_release(run: Run, specification: Specification, out: Path) -> Path:
    """Write a release, replacing an earlier one.

    Parameters
    ----------
    run
        The tables.
    specification
        What they were made from.
    out
        Folder of the release. It must be absent, empty or an earlier release.

    Returns
    -------
    pathlib.Path
        The folder, with ``estimates.csv``, ``estimates.parquet``, ``notes.csv``, ``reproduction.csv``, ``goals.csv``,
        ``trajectories.csv``, ``decomposition.csv``, ``local.csv``, ``charts/``, ``index.html`` and ``run.json``.

    Raises
    ------
    SchemaError
        ``out`` holds something else, which is left as it is.
    """
    out = out.resolve()
    if out.exists():
        _refuse_other_than_release(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        _write_all(run, specification, staging)
        staging.chmod(0o755)
        _move(staging, out)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return out


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
    for name in ("estimates", "notes", "reproduction", "goals", "trajectories", "decomposition", "local"):
        table = getattr(run, name)
        table.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n", encoding="utf-8")
    _write_parquet(run.estimates, folder / "estimates.parquet")
    charts = draw_charts(run)
    (folder / "charts").mkdir()
    for name, content in chart_files(charts).items():
        (folder / "charts" / name).write_bytes(content)
    page = render_page(run, charts, title=specification.title)
    (folder / "index.html").write_text(page, encoding="utf-8", newline="\n")
    record = json.dumps(_record(run, specification, folder), indent=1, ensure_ascii=False, sort_keys=True)
    (folder / MARK).write_text(record + "\n", encoding="utf-8", newline="\n")


def _write_parquet(estimates: pd.DataFrame, path: Path) -> None:
    import pyarrow as pa  # noqa: PLC0415 - importing the library must stay cheap
    from pyarrow import parquet  # noqa: PLC0415

    types = {name: pa.float64() for name in NUMBERS} | {"n_areas": pa.int64()}
    schema = pa.schema([(name, types.get(name, pa.string())) for name in estimates.columns])
    table = pa.Table.from_pandas(estimates, schema=schema, preserve_index=False).replace_schema_metadata(None)
    parquet.write_table(table, path, compression="zstd", store_schema=False)


def _record(run: Run, specification: Specification, folder: Path) -> dict[str, Any]:
    """Record what was run, on what and with what: no clock and no path, so that equal runs write equal bytes."""
    packages = ("nenc-estimates", "numpy", "pandas", "pyarrow", "scipy", "vl-convert-python")
    used = {indicator_files()[entry.indicator, entry.edition] for entry in specification.weighted}
    used |= {f"deaths_by_age_{tables.deaths}.csv" for tables in specification.life_tables}
    used |= {f"deaths_by_age_{split.deaths}.csv" for split in specification.decomposition}
    used |= {f"le_hle_by_imd_decile_{slopes.edition}.csv" for slopes in specification.national_slopes}
    checksums = {f"indicators/{name}": manifest("indicators")[name].sha256 for name in used}
    checksums |= {f"lookups/{name}": entry.sha256 for name, entry in manifest("lookups").items()}
    return {
        "versions": {"python": platform.python_version()} | {name: version(name) for name in packages},
        "specification": specification.model_dump(mode="json"),
        "inputs": checksums,
        "outputs": {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in _files(folder)},
        **run.log,
    }


def _move(staging: Path, out: Path) -> None:
    if not out.exists():
        staging.replace(out)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{out.name}-old-", dir=out.parent)) / "release"
    out.replace(old)
    staging.replace(out)
    shutil.rmtree(old.parent)

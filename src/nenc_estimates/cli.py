"""The command ``nenc-estimates``."""

from __future__ import annotations

import argparse
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from nenc_estimates.errors import EstimatesError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from nenc_estimates.release import Run

BAD_INPUT = 2
"""Exit status when the specification or the data stop the run; 1 means that a check failed."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status.

    Parameters
    ----------
    arguments
        Words behind the command; those of the process when None.
    """
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except ValidationError as problem:
        for fault in problem.errors():
            where = ".".join(map(str, fault["loc"])) or "specification"
            print(f"{where}: {fault['msg'].removeprefix('Value error, ')}", file=sys.stderr)
        return BAD_INPUT
    except (EstimatesError, OSError) as problem:
        print(problem, file=sys.stderr)
        return BAD_INPUT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="nenc-estimates",
        description="Health estimates for areas that nobody publishes, from local-authority figures.",
    )
    parser.add_argument("--version", action="version", version=f"nenc-estimates {version('nenc-estimates')}")
    commands = parser.add_subparsers(required=True, metavar="command")
    publish = commands.add_parser("publish", help="make a release: estimates, reproduction of published figures, page")
    publish.add_argument("--out", type=Path, default=Path("release"), help="folder of the release (default: release)")
    publish.add_argument("--force", action="store_true", help="replace an earlier release that differs from this one")
    publish.set_defaults(run=_publish)
    check = commands.add_parser("check", help="set every published figure beside its estimate")
    check.set_defaults(run=_check)
    compare = commands.add_parser("compare", help="say which released numbers changed, by how much, and why")
    compare.add_argument("old", type=Path, help="folder of a release, or of the digest of one (data/released)")
    compare.add_argument("new", type=Path, help="folder of the release to compare with it")
    compare.add_argument("--update", action="store_true", help="then make OLD the digest of NEW: when NEW is released")
    compare.set_defaults(run=_compare)
    for command in (publish, check):
        command.add_argument("--spec", type=Path, help="specification (default: the one that comes with the package)")
    return parser


def _publish(options: argparse.Namespace) -> int:
    from nenc_estimates.publishing.files import write_release  # noqa: PLC0415 - --help must not wait for pandas
    from nenc_estimates.specification import read_specification  # noqa: PLC0415

    specification = read_specification(options.spec)
    run = _run(options)
    _progress("writing")
    out = write_release(run, specification, options.out, force=options.force)
    _progress("")
    print(_beside(run.reproduction))
    print(f"\n{len(run.estimates)} estimates in {out / 'estimates.csv'}; open {out / 'index.html'}")
    return _verdict(run)


def _check(options: argparse.Namespace) -> int:
    run = _run(options)
    _progress("")
    print(_beside(run.reproduction))
    return _verdict(run)


def _compare(options: argparse.Namespace) -> int:
    from nenc_estimates.publishing.revisions import (  # noqa: PLC0415
        compare,
        read_release,
        summary,
        unexplained,
        write_digest,
    )

    old, new = read_release(options.old), read_release(options.new)
    changes = compare(old, new)
    print(summary(changes, numbers=len(old.estimates)))
    if options.update:
        write_digest(new, options.old)
        return 0
    open_ = unexplained(changes)
    if len(open_):
        print(
            f"{len(open_)} released numbers changed without a note. Say why under [[revisions]] in the specification.",
            file=sys.stderr,
        )
    return 1 if len(open_) else 0


def _run(options: argparse.Namespace) -> Run:
    from nenc_estimates.release import run_release  # noqa: PLC0415
    from nenc_estimates.specification import read_specification  # noqa: PLC0415

    return run_release(read_specification(options.spec), progress=_progress)


def _progress(step: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{step}", end="", file=sys.stderr, flush=True)


def _verdict(run: Run) -> int:
    from nenc_estimates.release import failures  # noqa: PLC0415

    failed = failures(run.reproduction)
    for line in failed:
        print(f"not as expected: {line}", file=sys.stderr)
    return 1 if failed else 0


def _beside(reproduction: pd.DataFrame) -> str:
    """Lay published figures and estimates out in columns, notes below what they explain."""
    from nenc_estimates.publishing.rounding import with_limits  # noqa: PLC0415

    lines = []
    for row in reproduction.to_dict("records"):
        made = row["estimate"] == row["estimate"]
        decimals = 0 if row["unit"] in ("areas", "people") else 2
        estimate = with_limits(row["estimate"], row["lower"], row["upper"], decimals) if made else "[x]"
        lines.append((row["id"], row["period"], str(row["published"]), estimate, row["outcome"], row["note"]))
    head = ("figure", "period", "published", "estimate (95 % limits)", "outcome", "")
    widths = [max(len(line[i]) for line in (head, *lines)) for i in range(5)]
    text = []
    for line in (head, *lines):
        text.append("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=False)).rstrip())
        text += [f"    {line[5]}"] if line[5] else []
    return "\n".join(text)

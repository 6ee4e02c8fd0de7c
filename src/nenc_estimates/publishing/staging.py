"""A folder replaced as a whole: whenever the process is killed, the old folder or the new one is there.

Two folders cannot be exchanged in one step everywhere. So the new folder is written and forced to disk beside its
place, the old one is renamed to a fixed name, and the new one renamed into its place. If the process dies between these
two renames, :func:`recover` puts the old folder back; whoever reads or writes a release calls it first.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from nenc_estimates.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Callable

STALE = 3600.0
"""Age from which an unfinished folder is what a killed process left behind [seconds]."""


def recover(place: Path) -> None:
    """Put an old folder back that a killed process had moved aside, and clear what else it left.

    Parameters
    ----------
    place
        Where the folder belongs.
    """
    aside = _aside(place)
    if aside.exists():
        if place.exists():
            _discard(aside, place)
        else:
            aside.replace(place)
            _force(place.parent)
    for unfinished in place.parent.glob(f".{place.name}.new-*"):
        if time.time() - unfinished.stat().st_mtime > STALE:
            shutil.rmtree(unfinished, ignore_errors=True)


def replace_folder(place: Path, write: Callable[[Path], None]) -> None:
    """Write a folder beside its place, force it to disk, and move it there.

    Parameters
    ----------
    place
        Where the folder belongs; a folder that is there is replaced.
    write
        Given an empty folder, fills it.

    Raises
    ------
    SchemaError
        Another process wrote to the same place meanwhile; what it wrote stays.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    recover(place)
    new = _beside(place)
    try:
        new.chmod(0o755)
        write(new)
        _force_all(new)
        _swap(new, place)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _swap(new: Path, place: Path) -> None:
    aside = _aside(place)
    try:
        if place.exists():
            place.replace(aside)
        new.replace(place)
    except OSError as problem:
        recover(place)
        raise SchemaError(f"{place.name} could not be replaced; another process may be writing to it.") from problem
    _force(place.parent)
    if aside.exists():
        _discard(aside, place)


def _discard(aside: Path, place: Path) -> None:
    """Delete an old folder under another name: half of one must never be taken for the whole."""
    unwanted = _beside(place)
    aside.replace(unwanted / "old")
    shutil.rmtree(unwanted, ignore_errors=True)


def _beside(place: Path) -> Path:
    return Path(tempfile.mkdtemp(prefix=f".{place.name}.new-", dir=place.parent))


def _aside(place: Path) -> Path:
    return place.with_name(f".{place.name}.old")


def _force_all(folder: Path) -> None:
    for parent, _, names in os.walk(folder, topdown=False):
        for name in names:
            _force(folder / parent / name)
        _force(folder / parent)


def _force(path: Path) -> None:
    """Wait until a file or folder is on the disk; folders cannot be opened for that on Windows."""
    if os.name != "posix" and path.is_dir():
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

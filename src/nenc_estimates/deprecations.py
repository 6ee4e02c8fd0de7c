"""What still works under an old name, and when it goes.

A public name or argument is first deprecated, for at least two minor releases, then removed. An entry in
:data:`DEPRECATED` is all that the first step takes; a test fails once the release of the second has come.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Deprecation:
    """An old name: what to write instead, since which release it warns, and in which it is gone."""

    instead: str
    since: str
    removal: str


DEPRECATED: Mapping[str, Deprecation] = MappingProxyType({})
"""Old public name, or ``"function(argument)"``, to its deprecation."""


def warn_deprecated(name: str, deprecation: Deprecation, *, stacklevel: int = 3) -> None:
    """Warn the caller's caller that a name is deprecated.

    Examples
    --------
    >>> import warnings
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     warn_deprecated("old", Deprecation(instead="new", since="0.2", removal="0.4"))
    >>> print(caught[0].message)
    old is deprecated since release 0.2 and goes in 0.4: write new instead.
    """
    text = f"{name} is deprecated since release {deprecation.since} and goes in {deprecation.removal}"
    warnings.warn(f"{text}: write {deprecation.instead} instead.", DeprecationWarning, stacklevel=stacklevel)


def overdue(deprecated: Mapping[str, Deprecation], version: str) -> list[str]:
    """Name what should be gone by a release.

    Examples
    --------
    >>> entries = {"old": Deprecation(instead="new", since="0.2", removal="0.4")}
    >>> overdue(entries, "0.3.9"), overdue(entries, "0.4.0"), overdue(entries, "0.10")
    ([], ['old'], ['old'])
    """
    return [name for name, entry in deprecated.items() if _release(version) >= _release(entry.removal)]


def _release(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])

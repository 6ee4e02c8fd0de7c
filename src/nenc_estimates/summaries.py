"""How an object says what it holds: a line and a few entries, as text and in a notebook."""

from __future__ import annotations

from abc import ABC, abstractmethod
from html import escape


class Summary(ABC):
    """An object that says what it holds; a subclass gives a head and named lines.

    Examples
    --------
    >>> class Basket(Summary):
    ...     def _head(self):
    ...         return "a basket of 3"
    ...
    ...     def _lines(self):
    ...         return [("pears", "2"), ("figs", "1")]
    >>> Basket()
    a basket of 3
      pears: 2
      figs: 1
    """

    __slots__ = ()

    @abstractmethod
    def _head(self) -> str:
        """Say in one line what this is."""

    @abstractmethod
    def _lines(self) -> list[tuple[str, str]]:
        """Name what it holds, and say what that is."""

    def __repr__(self) -> str:
        return "\n".join([self._head(), *(f"  {name}: {text}" for name, text in self._lines())])

    __str__ = __repr__

    def _repr_html_(self) -> str:
        left = "style='text-align:left'"
        rows = "".join(
            f"<tr><th {left}>{escape(name)}</th><td {left}>{escape(text)}</td></tr>" for name, text in self._lines()
        )
        return f"<p>{escape(self._head())}</p><table>{rows}</table>"


def listed(texts: list[str], *, most: int = 4) -> str:
    """Name the first few of several things, and how many more there are.

    Examples
    --------
    >>> listed(["2011", "2012", "2013"], most=2)
    '2011, 2012 and 1 more'
    """
    more = f" and {len(texts) - most:,} more" if len(texts) > most else ""
    return ", ".join(texts[:most]) + more

"""Membership: which share of each source area lies inside each target area.

Three things are kept apart here and in :mod:`nenc_estimates.denominators`. A :class:`Crosswalk` holds *membership*,
the share of a source that lies inside a target: what a count is multiplied by. A ``Denominator`` holds *people*.
Both together give ``Weights``, the share of a target that each source makes: what a rate is multiplied by.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from nenc_estimates import crosswalk_rules as rules
from nenc_estimates.age_bands import parse_age
from nenc_estimates.areas import describe
from nenc_estimates.errors import InvalidDataError, UnknownAreaError
from nenc_estimates.packaged import manifest, read_packaged
from nenc_estimates.summaries import Summary, listed
from nenc_estimates.tables import tidy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from narwhals.stable.v2.typing import IntoDataFrame
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Crosswalk(Summary):
    """Share of each source area that lies inside each target area (membership, not weights).

    Build one with :meth:`from_shares` or :func:`load_crosswalk`. The constructor checks and orders the rows.

    Attributes
    ----------
    source, target
        Names of the two geographies, with their vintage (``"utla21"``, ``"nenc"``).
    basis
        What the share counts, in words.
    source_code, target_code, age, share
        One element for each row, sorted by target, source and age. ``age`` is the age group whose people the share
        counts (``"all"``, ``"0-4"``).
    names
        Code to name, of both sides.
    notices
        What was changed on the way in: superseded codes that were recoded.

    Examples
    --------
    >>> cumbria = Crosswalk.from_shares([("E10000006", "E54000050", 0.6396)])
    >>> round(cumbria.outside["E10000006"], 4)
    0.3604
    """

    source: str
    target: str
    basis: str
    source_code: NDArray[np.object_]
    target_code: NDArray[np.object_]
    age: NDArray[np.object_]
    share: Floats
    names: Mapping[str, str]
    notices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        rules.check_shares(self.source_code, self.target_code, self.age, self.share)
        rules.check_sources(self.sources, self.targets)
        order = np.lexsort((self.age.astype(str), self.source_code.astype(str), self.target_code.astype(str)))
        for name in ("source_code", "target_code", "age", "share"):
            object.__setattr__(self, name, getattr(self, name)[order])

    @classmethod
    def from_shares(
        cls,
        rows: Sequence[tuple[str, str, float]] | IntoDataFrame,
        *,
        source: str = "",
        target: str = "",
        basis: str = "",
        strict: bool = False,
    ) -> Crosswalk:
        """Build a crosswalk from shares, checking them.

        Parameters
        ----------
        rows
            Triples (source code, target code, share), or a data frame with columns ``source_code, target_code, share``
            and, where it has them, ``age`` (default ``all``), ``source_name``, ``target_name``.
        source, target, basis
            Names of the geographies and what the share counts.
        strict
            Refuse a superseded code of an unchanged area instead of recoding it with a notice.

        Raises
        ------
        InvalidDataError
            A share outside 0 to 1, a pair that stands twice, shares of one source that add up to more than 1, a parent
            with its child or a predecessor with its successor among the sources.
        UnknownAreaError
            A source that is a region, a country or an NHS area of another extent; with ``strict`` a superseded code.
        """
        columns = rules.share_columns(rows)
        codes, notices = rules.with_present_codes(columns["source_code"], strict=strict)
        return cls(
            source=source,
            target=target,
            basis=basis,
            source_code=codes,
            target_code=columns["target_code"],
            age=columns["age"],
            share=columns["share"],
            names=columns["names"],
            notices=notices,
        )

    @classmethod
    def from_lookup(
        cls,
        lookup: IntoDataFrame,
        *,
        source: str,
        target: str,
        people: str | None = None,
        basis: str = "",
        names: tuple[str, str] = ("", ""),
    ) -> Crosswalk:
        """Build a crosswalk from a lookup of small areas.

        Parameters
        ----------
        lookup
            One row for each small area (LSOA, output area, district).
        source, target
            Columns with the code of the source and of the target that the small area belongs to.
        people
            Column with its people: the share of a source inside a target is the people of its small areas there over
            those of all. Without it every source must lie wholly inside one target.
        basis
            What ``people`` counts, in words.
        names
            Names of the two geographies.

        Raises
        ------
        InvalidDataError
            People are negative or missing; a source lies in two targets and there are no people to share it by.

        Examples
        --------
        >>> import pandas as pd
        >>> lsoas = pd.DataFrame({"la": ["A", "A", "B"], "icb": ["X", "Y", "X"], "people": [3000, 1000, 1500]})
        >>> made = Crosswalk.from_lookup(lsoas, source="la", target="icb", people="people")
        >>> made.to_frame()[["source_code", "target_code", "share"]].values.tolist()
        [['A', 'X', 0.75], ['B', 'X', 1.0], ['A', 'Y', 0.25]]
        """
        columns = rules.lookup_columns(lookup, source=source, target=target, people=people)
        return cls(source=names[0], target=names[1], basis=basis or (people or "nested"), names={}, **columns)

    @cached_property
    def sources(self) -> tuple[str, ...]:
        """Codes of the source areas, ascending."""
        return tuple(sorted(set(self.source_code)))

    @cached_property
    def targets(self) -> tuple[str, ...]:
        """Codes of the target areas, ascending."""
        return tuple(sorted(set(self.target_code)))

    @cached_property
    def members(self) -> frozenset[str]:
        """Codes of the sources of which some part lies inside a target."""
        return frozenset(self.source_code[self.share > 0])

    @cached_property
    def _pairs(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return the code of each row's (target, source) pair, and every pair once in ascending order."""
        places = [np.unique(column, return_inverse=True)[1] for column in (self.target_code, self.source_code)]
        code = places[0] * len(self.sources) + places[1]
        return code, np.unique(code)

    @property
    def outside(self) -> dict[str, float]:
        """Share of each source that lies outside every target, on the all-ages basis (or the only one)."""
        return {code: 1.0 - total for code, total in self._totals().items()}

    @property
    def drift(self) -> dict[str, float]:
        """Sources whose shares miss 1 by rounding only, with the sum less 1. The shares are kept as they are."""
        return {
            code: total - 1 for code, total in self._totals().items() if rules.EXACT < abs(total - 1) <= rules.ROUNDED
        }

    def entries(self, age: str) -> rules.Entries:
        """Return the pairs for one age group.

        A group that the crosswalk does not hold is answered from ``all`` where every share is 0 or 1, for whole areas
        are whole at every age.

        Raises
        ------
        InvalidDataError
            Some area lies partly inside and its share is not known for this age group.
        """
        code, pairs = self._pairs
        at_age = self.age == self.basis_for(age)
        share = np.zeros(pairs.size)
        share[np.searchsorted(pairs, code[at_age])] = self.share[at_age]
        target, source = np.divmod(pairs, len(self.sources))
        return rules.Entries(
            targets=self.targets,
            sources=self.sources,
            starts=np.searchsorted(target, np.arange(len(self.targets))).astype(np.intp),
            source=source,
            share=share,
        )

    def basis_for(self, age: str) -> str:
        """Return the age group of this crosswalk whose shares serve ``age``."""
        held = {str(label): parse_age(str(label)) for label in dict.fromkeys(self.age)}
        wanted = parse_age(age)
        for label, ages in held.items():
            if ages == wanted:
                return label
        nested = np.isin(self.share, (0.0, 1.0))
        if "all" in held and nested[self.age == "all"].all():
            return "all"
        raise InvalidDataError(
            f"crosswalk {self.source or '?'} to {self.target or '?'} has no share for age {age!r}, and some areas lie "
            f"partly inside. It has: {', '.join(held)}. A share of another age group would misplace people."
        )

    def whole(self) -> Crosswalk:
        """Take every member as wholly inside: for a table whose rows are already the parts inside.

        Examples
        --------
        >>> Crosswalk.from_shares([("E10000006", "E54000050", 0.6396)]).whole().outside
        {'E10000006': 0.0}
        """
        pairs = list(zip(self.source_code, self.target_code, strict=True))
        inside = {pair for pair, share in zip(pairs, self.share, strict=True) if share > 0}
        member = np.array([pair in inside for pair in pairs])
        return replace(
            self,
            source_code=self.source_code[member],
            target_code=self.target_code[member],
            age=self.age[member],
            share=np.ones(int(member.sum())),
            basis="parts inside",
        )

    def with_outside(self, code: str = "outside") -> Crosswalk:
        """Add a target for what lies outside every other, so that counts are conserved exactly.

        Examples
        --------
        >>> Crosswalk.from_shares([("E10000006", "E54000050", 0.75)]).with_outside().to_frame()["share"].tolist()
        [0.75, 0.25]
        """
        total: dict[tuple[str, str], float] = {}
        for source, age, share in zip(self.source_code, self.age, self.share, strict=True):
            total[source, age] = total.get((source, age), 0.0) + share
        partial = {source for (source, _), share in total.items() if share < 1.0}
        rest = [(source, age, max(1.0 - share, 0.0)) for (source, age), share in total.items() if source in partial]
        return replace(
            self,
            source_code=np.array([*self.source_code, *(row[0] for row in rest)], dtype=object),
            target_code=np.array([*self.target_code, *(code for _ in rest)], dtype=object),
            age=np.array([*self.age, *(row[1] for row in rest)], dtype=object),
            share=np.array([*self.share, *(row[2] for row in rest)]),
            names={**self.names, code: "outside every target"},
        )

    def compose(self, other: Crosswalk) -> Crosswalk:
        """Chain two crosswalks: this one's targets are the other's sources.

        The share of a source in a final target is the sum over the areas between of the product of the shares. Both
        are checked again. Age groups that both hold are kept.

        Raises
        ------
        UnknownAreaError
            A target of this crosswalk is not a source of the other.

        Examples
        --------
        >>> local, whole = load_crosswalk("utla21", "local_icp"), Crosswalk.from_shares([("NENC-NC", "E54000050", 1.0)])
        >>> north = Crosswalk.from_shares([("E10000006", "NENC-NC", 0.64)])
        >>> north.compose(whole).share
        array([0.64])
        """
        unknown = sorted(set(self.target_code) - set(other.source_code))
        if unknown:
            raise UnknownAreaError(
                f"{', '.join(map(describe, unknown))}: targets of the first crosswalk, not sources of the second."
            )
        rows = []
        for age in dict.fromkeys(self.age):
            onward: dict[str, list[tuple[str, float]]] = {}
            at_age = other.age == other.basis_for(str(age))
            for code, target, share in zip(
                other.source_code[at_age], other.target_code[at_age], other.share[at_age], strict=True
            ):
                onward.setdefault(code, []).append((target, share))
            totals: dict[tuple[str, str], float] = {}
            mine = self.age == age
            for code, between, share in zip(
                self.source_code[mine], self.target_code[mine], self.share[mine], strict=True
            ):
                for target, further in onward[between]:
                    totals[code, target] = totals.get((code, target), 0.0) + share * further
            rows += [(code, target, str(age), share) for (code, target), share in totals.items()]
        columns = [np.array([row[i] for row in rows], dtype=object) for i in range(3)]
        return replace(
            self,
            target=other.target,
            basis=f"{self.basis}; {other.basis}",
            source_code=columns[0],
            target_code=columns[1],
            age=columns[2],
            share=np.array([row[3] for row in rows], dtype=np.float64),
            names={**other.names, **self.names},
            notices=(*self.notices, *other.notices),
        )

    def to_frame(self) -> Any:
        """Return the rows as a pandas frame: ``source_code, target_code, age, share``."""
        columns = {name: getattr(self, name) for name in ("source_code", "target_code", "age", "share")}
        return tidy(columns, "pandas")

    def _head(self) -> str:
        basis = f", by {self.basis}" if self.basis else ""
        return f"membership of {self.source or 'sources'} in {self.target or 'targets'}{basis}"

    def _lines(self) -> list[tuple[str, str]]:
        parts = [f"{describe(code)}, {1 - out:.1%} inside" for code, out in self.outside.items() if 0 < out < 1]
        return [("targets", listed([*map(describe, self.targets)])), ("partly inside", listed(parts) or "none")]

    def _totals(self) -> dict[str, float]:
        ages = set(self.age)
        entries = self.entries("all" if "all" in ages else min(ages))
        total = np.bincount(entries.source, weights=entries.share, minlength=len(entries.sources))
        return dict(zip(entries.sources, total.tolist(), strict=True))


@cache
def load_crosswalk(source: str, target: str) -> Crosswalk:
    """Load a packaged crosswalk.

    Parameters
    ----------
    source
        ``"utla21"``, ``"ltla21"``, ``"utla23"`` or ``"sicbl22"``.
    target
        ``"nenc"`` (the whole partnership) or ``"local_icp"`` (its four local ICPs).

    Returns
    -------
    Crosswalk

    Raises
    ------
    UnknownAreaError
        There is no such crosswalk; the message lists those there are.

    Examples
    --------
    >>> round(1 - load_crosswalk("utla21", "nenc").outside["E10000006"], 6)
    0.639618
    """
    held = manifest("lookups").items()
    known = {(entry.source, entry.target): (name, entry.basis or "") for name, entry in held if entry.source}
    if (source, target) not in known:
        pairs = "; ".join(f"{a} to {b}" for a, b in known)
        raise UnknownAreaError(f"there is no crosswalk from {source!r} to {target!r}. There are: {pairs}.")
    name, basis = known[source, target]
    return Crosswalk.from_shares(read_packaged("lookups", name), source=source, target=target, basis=basis)


@cache
def load_crosswalks(target: str) -> tuple[Crosswalk, ...]:
    """Load every packaged crosswalk to a target, the finest first.

    Examples
    --------
    >>> [crosswalk.source for crosswalk in load_crosswalks("nenc")]
    ['ltla21', 'utla23', 'utla21', 'sicbl22']
    """
    sources = [entry.source for entry in manifest("lookups").values() if entry.source and entry.target == target]
    if not sources:
        known = sorted({entry.target for entry in manifest("lookups").values() if entry.target})
        raise UnknownAreaError(f"there is no crosswalk to {target!r}. There are targets: {', '.join(known)}.")
    return tuple(sorted((load_crosswalk(source, target) for source in sources), key=lambda c: -len(c.members)))

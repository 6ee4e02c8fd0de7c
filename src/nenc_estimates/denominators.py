"""People: the denominator of an indicator."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from nenc_estimates.age_bands import parse_age
from nenc_estimates.areas import areas, describe
from nenc_estimates.errors import InvalidDataError, SchemaError
from nenc_estimates.packaged import manifest, read_packaged
from nenc_estimates.summaries import Summary, listed
from nenc_estimates.tables import number_column, open_frame, text_column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from narwhals.stable.v2.typing import IntoDataFrame
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MID_YEAR = ("population_mid2015_mid2020.csv", "population_mid2022.csv")
"""The packaged mid-year populations by sex and five-year age band, one file a series."""

PACKAGED = ("residents", "residents by broad age")
"""Names of the packaged denominators."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Denominator(Summary):
    """People by area, sex, age group and year.

    Build one with :meth:`from_table` or :func:`load_denominator`.

    Attributes
    ----------
    name
        What is counted, with its source.
    areas, sexes, ages, years
        Labels along the axes of ``cube``; years ascending.
    cube : (area, sex, age, year)
        People; ``nan`` where there is no figure.
    series
        For each year, the series it belongs to ("before Census 2021").

    Examples
    --------
    >>> people = load_denominator("residents")
    >>> people.people(["E06000001"], sex="Persons", age="all", year=2020)
    array([93836.])
    """

    name: str
    areas: tuple[str, ...]
    sexes: tuple[str, ...]
    ages: tuple[str, ...]
    years: tuple[int, ...]
    cube: Floats
    series: tuple[str, ...]

    @classmethod
    def from_table(cls, frame: IntoDataFrame, *, name: str = "people", series: str = "") -> Denominator:
        """Build a denominator from a table.

        Parameters
        ----------
        frame
            Columns ``area_code``, ``people`` and, where it has them, ``sex`` (default Persons), ``age`` (default all)
            and ``year`` (default 0, which stands for any year); a column ``series`` overrides the argument.
        name, series
            What is counted, and the series that it belongs to.

        Raises
        ------
        SchemaError
            A column is missing or has no numbers.
        InvalidDataError
            A figure is negative, not finite or missing, or a key stands twice; the message names the rows.
        """
        opened = open_frame(frame, ["area_code", "people"], what="the table of people")
        people = number_column(opened, "people")
        keys = [
            text_column(opened, column) if column in opened.columns else np.full(len(people), default, dtype=object)
            for column, default in (("area_code", ""), ("sex", "Persons"), ("age", "all"))
        ]
        years = number_column(opened, "year") if "year" in opened.columns else np.zeros(len(people))
        wrong = np.flatnonzero(~(np.isfinite(people) & (people >= 0) & np.isfinite(years) & (years == np.floor(years))))
        if wrong.size:
            rows = "; ".join(
                f"row {i} ({keys[0][i]}, {keys[1][i]}, age {keys[2][i]}): {people[i]:g}" for i in wrong[:5]
            )
            raise InvalidDataError(f"people must be 0 or more and known, in a whole year, but {rows}.")
        named = (
            text_column(opened, "series") if "series" in opened.columns else np.full(len(people), series, dtype=object)
        )
        return cls._filled(name, keys, years.astype(int), people, named)

    @classmethod
    def _filled(
        cls,
        name: str,
        keys: list[NDArray[np.object_]],
        years: NDArray[np.int_],
        people: Floats,
        series: NDArray[np.object_],
    ) -> Denominator:
        labels, places = zip(*(np.unique(key, return_inverse=True) for key in (*keys, years)), strict=True)
        cube = np.full([len(label) for label in labels], np.nan)
        flat = np.ravel_multi_index(places, cube.shape)
        found, times = np.unique(flat, return_counts=True)
        if (times > 1).any():
            row = int(np.flatnonzero(flat == found[times > 1][0])[1])
            raise InvalidDataError(
                f"a key may stand once, but {int((times > 1).sum())} repeat, the first in row {row} "
                f"({', '.join(str(key[row]) for key in keys)}, {years[row]})."
            )
        cube.ravel()[flat] = people
        of_year = dict(zip(years.tolist(), series, strict=True))
        mixed = [year for year, other in zip(years.tolist(), series, strict=True) if other != of_year[year]]
        if mixed:
            raise InvalidDataError(f"people of {mixed[0]} belong to more than one series: keep one a year.")
        ages = tuple(map(str, labels[2]))
        spelt = Counter(parse_age(age) for age in ages)
        if max(spelt.values()) > 1:
            twice = ", ".join(age for age in ages if spelt[parse_age(age)] > 1)
            raise InvalidDataError(f"one age group is spelt in several ways: {twice}. Choose one spelling.")
        return cls(
            name=name,
            areas=tuple(labels[0]),
            sexes=tuple(labels[1]),
            ages=ages,
            years=tuple(labels[3].tolist()),
            cube=cube,
            series=tuple(str(of_year[year]) for year in labels[3].tolist()),
        )

    def people(self, codes: Sequence[str], *, sex: str, age: str, year: int) -> Floats:
        """People of each area: ``(area,)``, ``nan`` where there is no figure.

        ``Persons`` is the row of that name where the table has one, else the sum of Male and Female. An age group is
        the row of that name, else the sum of the bands that tile it exactly.

        Raises
        ------
        SchemaError
            The table has no such year or sex, or no bands that make up the age group.
        """
        if year not in self.years:
            raise SchemaError(f"{self.name} has no year {year}. It has: {', '.join(map(str, self.years))}.")
        at_year = self.cube[:, :, self._tiles(age), self.years.index(year)].sum(axis=2)
        by_area = at_year[:, self._sexes(sex)].sum(axis=1)
        place = {code: i for i, code in enumerate(self.areas)}
        return np.array([by_area[place[code]] if code in place else np.nan for code in codes], dtype=np.float64)

    def nearest_year(self, codes: Sequence[str], *, sex: str, age: str, year: int | None) -> int:
        """Year nearest to ``year`` in which every area has people; of two equally near, the later.

        ``year=None`` asks for the only year of the table.

        Raises
        ------
        InvalidDataError
            No year has them all; the message names the areas that lack figures in the best one.
        """
        if year is None:
            if len(self.years) > 1:
                raise SchemaError(
                    f"{self.name} has the years {self.years[0]} to {self.years[-1]}: "
                    "say which, or give the table a period."
                )
            year = self.years[0]
        nearest = sorted(self.years, key=lambda known: (abs(known - year), -known))
        lacking = {known: ~(self.people(codes, sex=sex, age=age, year=known) > 0) for known in nearest}
        for known in nearest:
            if not lacking[known].any():
                return known
        best = min(nearest, key=lambda known: int(lacking[known].sum()))
        absent = [describe(code) for code, is_lacking in zip(codes, lacking[best], strict=True) if is_lacking]
        raise InvalidDataError(
            f"{self.name} ({sex}, age {age}) has no figure above 0 for {', '.join(absent[:8])} in "
            f"{best or 'its only year'}, the year with most figures. "
            "An area without people cannot be weighted: add its people."
        )

    def series_of(self, year: int) -> str:
        """Series that a year belongs to."""
        return self.series[self.years.index(year)]

    def with_sums(self) -> Denominator:
        """Fill an area that has no figure from the areas that it was made of, where all of those have one.

        A county is the sum of its districts; a unitary, of the districts that became it (SI 2022/331).
        """
        parts: dict[str, list[str]] = {}
        for code, area in areas().items():
            for whole in (area.parent, *area.successors):
                if area.kind == "non-metropolitan district" and areas()[whole].kind in ("county", "unitary"):
                    parts.setdefault(whole, []).append(code)
        known = {whole: codes for whole, codes in parts.items() if set(codes) <= set(self.areas)}
        names = tuple(sorted({*self.areas, *known}))
        place = {code: i for i, code in enumerate(self.areas)}
        cube = np.full((len(names), *self.cube.shape[1:]), np.nan)
        for i, code in enumerate(names):
            own = self.cube[place[code]] if code in place else np.full(self.cube.shape[1:], np.nan)
            made = sum((self.cube[place[part]] for part in known.get(code, ())), np.zeros(own.shape))
            cube[i] = np.where(np.isnan(own) & (code in known), made, own)
        return replace(self, areas=names, cube=cube)

    def _head(self) -> str:
        return f"{self.name}, {self.years[0]} to {self.years[-1]}"

    def _lines(self) -> list[tuple[str, str]]:
        axes = (("areas", self.areas), ("sexes", self.sexes), ("ages", self.ages))
        return [(name, f"{len(labels):,}: {listed([*labels])}") for name, labels in axes]

    def _sexes(self, sex: str) -> list[int]:
        if sex in self.sexes:
            return [self.sexes.index(sex)]
        if sex == "Persons" and {"Male", "Female"} <= set(self.sexes):
            return [self.sexes.index("Female"), self.sexes.index("Male")]
        raise SchemaError(f"{self.name} has no people of sex {sex!r}. It has: {', '.join(self.sexes)}.")

    def _tiles(self, age: str) -> list[int]:
        found = _tiles_of(self.ages, age)
        if found is None:
            cures = [
                f" The packaged {name!r} can, for {' and '.join(other.sexes)}."
                for name, other in ((name, load_denominator(name)) for name in PACKAGED)
                if _tiles_of(other.ages, age) is not None
            ]
            raise SchemaError(
                f"{self.name} cannot make up age {age!r} from its groups: {', '.join(self.ages)}.{''.join(cures)}"
            )
        return list(found)


@cache
def _tiles_of(ages: tuple[str, ...], age: str) -> tuple[int, ...] | None:
    found = _tile(parse_age(age), {parse_age(label): i for i, label in enumerate(ages)})
    return None if found is None else tuple(found)


def _tile(wanted: tuple[int, int | None], bands: dict[tuple[int, int | None], int]) -> list[int] | None:
    """Bands that cover the wanted ages exactly, the widest first; None where no set of them does."""
    if wanted in bands:
        return [bands[wanted]]
    start, end = wanted
    inside = [band for band in bands if band[0] == start and band[1] is not None and (end is None or band[1] < end)]
    for band in sorted(inside, key=lambda band: -(band[1] or 0)):
        rest = _tile(((band[1] or 0) + 1, end), bands)
        if rest is not None:
            return [bands[band], *rest]
    return None


@cache
def load_denominator(name: str) -> Denominator:
    """Load a packaged denominator.

    Parameters
    ----------
    name
        ``"residents"``: residents at 30 June by sex and five-year age band, mid-2015 to mid-2020 (before Census 2021)
        and mid-2022 (rebased); local authorities, districts, regions, England.
        ``"residents by broad age"``: persons aged 0, 0-4, 0-17, 16-64, 18+, 65+ and all, mid-2019 and mid-2020, the
        local authorities and districts of North East and North Cumbria.

        In both, a county or a unitary made of districts is the sum of them in years for which it has no row of its own.

    Returns
    -------
    Denominator

    Raises
    ------
    SchemaError
        There is no such denominator.

    Examples
    --------
    >>> load_denominator("residents by broad age").people(["E07000029"], sex="Persons", age="18+", year=2020)
    array([55208.])
    """
    if name not in PACKAGED:
        raise SchemaError(f"there is no denominator {name!r}. There are: {', '.join(PACKAGED)}.")
    made = _residents() if name == "residents" else _broad_ages()
    return made.with_sums()


def _residents() -> Denominator:
    import pyarrow as pa  # noqa: PLC0415 - importing the library must stay cheap

    tables = []
    for name in MID_YEAR:
        table = read_packaged("lookups", name)
        series = pa.array([manifest("lookups")[name].series] * table.num_rows, pa.string())
        tables.append(table.append_column("series", series))
    return Denominator.from_table(pa.concat_tables(tables), name="residents at 30 June")


def _broad_ages() -> Denominator:
    name = "population_by_imd2019_quintile.csv"
    table = read_packaged("lookups", name).group_by(["area_code", "age", "year"]).aggregate([("people", "sum")])
    table = table.rename_columns(["people" if column == "people_sum" else column for column in table.column_names])
    series = manifest("lookups")[name].series or ""
    return Denominator.from_table(table, name="residents by broad age at 30 June", series=series)

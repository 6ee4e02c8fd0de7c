"""Two populations of a table side by side: death rates by age and cause, found by key."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import narwhals.stable.v2 as nw
import numpy as np

from nenc_estimates.age_tables import check_shares, stack_ages
from nenc_estimates.errors import InvalidDataError, SchemaError
from nenc_estimates.kernels.expectancy import life_expectancy
from nenc_estimates.kernels.life_table import Fault, life_table, life_table_faults
from nenc_estimates.kernels.prevalence import Prevalence, include_institutions, survey_prevalence
from nenc_estimates.kernels.sullivan import sullivan
from nenc_estimates.tables import open_frame, rows_where, text_column
from nenc_estimates.withholding import CODES, OHID, check_counts, withhold

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from narwhals.stable.v2.typing import IntoDataFrame
    from numpy.typing import NDArray

    from nenc_estimates.age_bands import AgeBands
    from nenc_estimates.kernels.prevalence import HealthState
    from nenc_estimates.tables import Stack
    from nenc_estimates.withholding import Rules

    Floats = NDArray[np.float64]

REMAINDER: Final = "all other causes"
"""Name of the cause that holds what the named causes leave of all deaths."""

TOLERANCE: Final = 1e-9
"""Deaths by cause may differ from all deaths by this share of them: rounding of counts that are not whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Two populations of each group.

    Attributes
    ----------
    keys
        The groups, and the kind of frame.
    causes
        Names of the causes.
    rates, variances
        By cause, ``(2, pair, cause, age)``; the first population, then the second.
    healthy, healthy_variance
        Share in good health ``(2, pair, age)``; 1 and 0 where health is not asked for.
    reasons
        Codes of why a pair cannot be decomposed ``(pair,)``, empty where it can.
    """

    keys: Stack
    causes: tuple[str, ...]
    rates: Floats
    variances: Floats
    healthy: Floats
    healthy_variance: Floats
    reasons: NDArray[np.object_]

    def part(self, pairs: slice) -> Pairs:
        """Take some of the pairs; their keys stay as they are."""
        return replace(
            self,
            rates=self.rates[:, pairs],
            variances=self.variances[:, pairs],
            healthy=self.healthy[:, pairs],
            healthy_variance=self.healthy_variance[:, pairs],
        )


def stack_pairs(
    table: IntoDataFrame,
    *,
    between: tuple[str, str],
    populations: str,
    keys: Sequence[str],
    bands: AgeBands,
    all_causes: str | None = "all",
    by_cause: bool = False,
    cause_groups: Mapping[str, str] | None = None,
    health: HealthState | None = None,
    design_effect: float = 1.0,
    institutional: str | None = None,
    fixed: Sequence[str] = (),
    rules: Rules = OHID,
) -> Pairs:
    """Bring the two populations of each group together.

    Parameters
    ----------
    table
        One row for each group, population, age and cause: ``age, deaths, population``; ``cause`` where there are
        causes; ``prevalence, respondents`` for health.
    between, populations
        The two populations, and the column that names them.
    keys
        Key columns that make a group.
    bands
        The age bands.
    all_causes
        The cause whose rows hold all deaths; ``None`` if the causes make up all deaths.
    by_cause
        Whether causes are told apart.
    cause_groups
        Cause to the group that it is counted in; a cause that is not named stays by itself.
    health
        Whose share the prevalence is, where health is asked for.
    design_effect, institutional
        Of the survey, and the column with the share of people in institutions.
    fixed
        Which of the two are taken as known without error.
    rules
        Which pairs are withheld: those of which one population's own figure at birth would be.

    Raises
    ------
    SchemaError
        A column is missing, a population or the cause of all deaths has no rows, an age is none of the bands.
    InvalidDataError
        A key stands twice, people differ between causes, or causes have more deaths than all causes.
    """
    first, second = map(str, between)
    if first == second:
        raise ValueError(f"between names one population twice: {first!r}")
    wrong = [name for name in fixed if str(name) not in (first, second)]
    if wrong:
        raise ValueError(f"fixed names {wrong[0]!r}, which is none of {first!r} and {second!r}")
    with_causes = by_cause or "cause" in open_frame(table, [*keys, populations]).columns
    kept = _rows_of(table, populations, (first, second))
    extra = ["cause"] if with_causes else []
    shares = ["prevalence", *([institutional] if institutional else [])] if health else []
    columns = ["deaths", "population", *shares, *(["respondents"] if health else [])]
    stacked = stack_ages(kept, columns, by=[*keys, populations, *extra], bands=bands)
    check_shares(stacked, shares)
    cube = _Cube.of(stacked, keys, populations, (first, second), "cause" if with_causes else None)
    causes, deaths, total = cube.by_cause(all_causes if with_causes else None, cause_groups or {}, separate=by_cause)
    people = cube.same_for_causes("population")
    rate, variance = _rates(deaths, people[:, :, None, :])
    known = np.array([name in set(map(str, fixed)) for name in (first, second)])
    variance[known] = np.where(np.isnan(variance[known]), np.nan, 0.0)
    share, share_variance = np.ones_like(people), np.zeros_like(people)
    if health:
        share, share_variance = _in_good_health(cube, institutional, of=health, design_effect=design_effect)
    reasons = _reasons(cube.absent, (deaths, total), people, share, bands)
    state = Prevalence(value=share, variance=share_variance, of="good") if health else None
    for pair, codes in enumerate(_withheld((total, people), state, bands, rules)):
        if codes and reasons[pair] != "no_counterpart":
            reasons[pair] = f"{reasons[pair]};{codes}".lstrip(";")
    rate[:, reasons != ""] = np.nan
    share_variance = np.where(known[:, None, None], 0.0, share_variance)
    return Pairs(
        keys=replace(stacked, keys=cube.groups, labels=(), values={}, rows=np.zeros((cube.size, 0), dtype=np.intp)),
        causes=causes,
        rates=rate,
        variances=variance,
        healthy=share,
        healthy_variance=share_variance,
        reasons=reasons,
    )


def _in_good_health(
    cube: _Cube, institutional: str | None, *, of: HealthState, design_effect: float
) -> tuple[Floats, Floats]:
    """Share in good health and its variance ``(2, pair, age)``."""
    asked = cube.same_for_causes("respondents")
    found = survey_prevalence(cube.same_for_causes("prevalence"), asked, of=of, design_effect=design_effect)
    if institutional:
        found = include_institutions(found, cube.same_for_causes(institutional))
    return found.value if of == "good" else 1 - found.value, found.variance


def _withheld(counts: tuple[Floats, Floats], state: Prevalence | None, bands: AgeBands, rules: Rules) -> list[str]:
    """Codes for each pair of which a population's own (healthy) life expectancy at birth is withheld by the rules."""
    ages = len(bands)
    deaths, people = (column.reshape(-1, ages) for column in counts)
    checked = check_counts(deaths, people, nax=bands.nax)
    lives = life_expectancy(checked.deaths, checked.population, width=bands.width, nax=bands.nax)
    value, variance = lives.ex, lives.variance
    if state is not None:
        health = replace(state, value=state.value.reshape(-1, ages), variance=state.variance.reshape(-1, ages))
        with np.errstate(divide="ignore", invalid="ignore"):
            table = life_table(checked.deaths / checked.population, width=bands.width, nax=bands.nax)
        made = sullivan(table, health, checked.deaths)
        value, variance = made.healthy, made.healthy_variance
    texts, place = withhold(checked, value, np.sqrt(variance), rules=rules).quality
    codes = np.array(texts, dtype=object)[place[:, 0]].reshape(2, -1).T
    split = [dict.fromkeys(code for text in pair for code in text.split(";")) for pair in codes.tolist()]
    return [";".join(code for code in pair if code.startswith("withheld_")) for pair in split]


def _rows_of(table: IntoDataFrame, populations: str, pair: tuple[str, str]) -> IntoDataFrame:
    opened = open_frame(table, [populations])
    named = text_column(opened, populations)
    for name in pair:
        if not (named == name).any():
            others = ", ".join(dict.fromkeys(named.tolist()))
            where = [column.name for column in opened.iter_columns() if name in column.cast(nw.String).to_list()]
            cure = f" The column {where[0]!r} has it: pass populations={where[0]!r}." if where else ""
            raise SchemaError(f"no row has {populations} {name!r}. It has: {others[:200]}.{cure}")
    kept: IntoDataFrame = rows_where(table, np.isin(named, pair))
    return kept


def _rates(deaths: Floats, people: Floats) -> tuple[Floats, Floats]:
    exposed = np.where((people > 0) & np.isfinite(people), people, np.nan)
    rate = np.where(deaths >= 0, deaths / exposed, np.nan)
    return rate, rate / exposed


def _added(deaths: Floats) -> Floats:
    """Add causes up ``(2, pair, cause, age)``; a count below 0 does not vanish in the sum."""
    total: Floats = np.where((deaths < 0).any(axis=2), deaths.min(axis=2), deaths.sum(axis=2))
    return total


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cube:
    """Rows of a stack by population, pair and cause."""

    stacked: Stack
    groups: Mapping[str, NDArray[np.object_]]
    size: int
    causes: tuple[str, ...]
    named_causes: bool
    place: tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]

    @classmethod
    def of(
        cls, stacked: Stack, keys: Sequence[str], populations: str, pair: tuple[str, str], cause: str | None
    ) -> _Cube:
        names = list(zip(*(stacked.keys[key] for key in keys), strict=True)) if keys else [()] * len(stacked.rows)
        known = {name: i for i, name in enumerate(dict.fromkeys(names))}
        written = stacked.keys[cause] if cause else np.full(len(stacked.rows), "all", dtype=object)
        causes = {name: i for i, name in enumerate(dict.fromkeys(sorted(written.tolist())))}
        return cls(
            stacked=stacked,
            groups={key: np.array([name[i] for name in known], dtype=object) for i, key in enumerate(keys)},
            size=len(known),
            causes=tuple(causes),
            named_causes=cause is not None,
            place=(
                (stacked.keys[populations] == pair[1]).astype(np.intp),
                np.array([known[name] for name in names], dtype=np.intp),
                np.array([causes[name] for name in written], dtype=np.intp),
            ),
        )

    def filled(self, name: str) -> Floats:
        """Return a column ``(2, pair, cause, age)``, ``nan`` where there is no row."""
        cells = np.full((2, self.size, len(self.causes), self.stacked.rows.shape[1]), np.nan)
        cells[self.place] = self.stacked.values[name]
        return cells

    @property
    def absent(self) -> NDArray[np.bool_]:
        """Cells without a row ``(2, pair, cause, age)``."""
        cells = np.ones((2, self.size, len(self.causes), self.stacked.rows.shape[1]), dtype=bool)
        cells[self.place] = self.stacked.rows < 0
        return cells

    def same_for_causes(self, name: str) -> Floats:
        """Return a column that every cause of a cell repeats ``(2, pair, age)``."""
        cells = self.filled(name)
        first = np.argmax(~np.isnan(cells), axis=2)
        value: Floats = np.take_along_axis(cells, first[:, :, None], axis=2)
        self.refuse(
            (cells != value) & ~np.isnan(cells),
            f"{name} is that of the population and age, and differs between causes",
        )
        return value[:, :, 0]

    def refuse(self, cells: NDArray[np.bool_], fault: str) -> None:
        """Name the rows of cells ``(2, pair, cause, age)`` that have a fault."""
        if cells.any():
            raise InvalidDataError(f"{fault} in {self.stacked.named(cells[self.place])}.")

    def by_cause(
        self, all_causes: str | None, groups: Mapping[str, str], *, separate: bool
    ) -> tuple[tuple[str, ...], Floats, Floats]:
        """Return names of causes, deaths by cause ``(2, pair, cause, age)``, and deaths of all causes."""
        deaths = self.filled("deaths")
        if all_causes is not None and all_causes not in self.causes:
            raise SchemaError(
                f"no row has cause {all_causes!r}. Give rows of all deaths, or say all_causes=None if the causes make "
                f"up all deaths. Causes: {', '.join(self.causes)}."
            )
        named = [i for i, name in enumerate(self.causes) if name != all_causes]
        total = _added(deaths) if all_causes is None else deaths[:, :, self.causes.index(all_causes)]
        self._check_names(all_causes, groups, separate=separate)
        if not separate:
            return ("all",), total[:, :, None], total
        unknown = [name for name in groups if name not in self.causes]
        if unknown:
            raise SchemaError(f"no row has cause {unknown[0]!r}. Causes: {', '.join(self.causes)}.")
        kept = [groups.get(self.causes[i], self.causes[i]) for i in named]
        names = list(dict.fromkeys(kept))
        sums = np.stack(
            [_added(deaths[:, :, [i for i, k in zip(named, kept, strict=True) if k == n]]) for n in names], 2
        )
        possible = (total >= 0) & np.isfinite(total)
        fault = np.where(total < 0, total, np.nan)[:, :, None]
        sums = np.where(possible[:, :, None], sums, fault)  # causes do not stand in for all deaths
        left = np.where(possible, total - sums.sum(axis=2), 0.0)
        left = np.where(np.abs(left) <= TOLERANCE * total, 0.0, left)
        self.refuse(
            (left < 0)[:, :, None] & (np.arange(len(self.causes)) == (named[0]))[:, None],
            "the causes together have more deaths than all causes: some are counted twice",
        )
        if (left > 0).any():
            return (*names, REMAINDER), np.concatenate([sums, left[:, :, None]], axis=2), total
        return tuple(names), sums, total

    def _check_names(self, all_causes: str | None, groups: Mapping[str, str], *, separate: bool) -> None:
        """Refuse names that stand for all deaths, or for what causes leave of them, and are not meant to."""
        if all_causes is None and self.named_causes and "all" in self.causes:
            raise SchemaError(
                "some rows have cause 'all', and all_causes=None says that the causes make up all deaths, which would "
                "count them twice. Say all_causes='all', or leave those rows out."
            )
        reserved = {"all", all_causes, *([REMAINDER] if all_causes else [])}
        named = [name for name in self.causes if name != all_causes] if separate and self.named_causes else []
        taken = [name for name in (*groups, *groups.values(), *named) if name in reserved]
        if taken:
            raise SchemaError(
                f"{taken[0]!r} is the name of another row of the result: name the cause or group otherwise."
            )


def _reasons(
    absent: NDArray[np.bool_], counts: tuple[Floats, Floats], people: Floats, share: Floats, bands: AgeBands
) -> NDArray[np.object_]:
    """Codes for each pair: why its rates do not close a life table, with no cap and in both populations."""
    causes, deaths = counts
    lacking = np.asarray(absent.all(axis=(2, 3)).any(axis=0))
    holes = np.asarray(absent.any(axis=(0, 2, 3))) & ~lacking
    with np.errstate(invalid="ignore", divide="ignore"):
        high = np.asarray(
            ((deaths > 0) & (deaths / people * np.append(bands.nax[:-1], 0) > 1) & (people > 0)).any(axis=(0, 2))
        )
    by_cause = life_table_faults(causes, people[:, :, None, :]) & np.uint8(Fault.MISSING | Fault.NEGATIVE_DEATHS)
    faults = np.bitwise_or.reduce(life_table_faults(deaths, people) | np.bitwise_or.reduce(by_cause, axis=2), axis=0)
    faults[lacking | holes] = 0
    wrong_share = np.asarray(np.isnan(share).any(axis=(0, 2))) & ~lacking & ~holes
    texts = []
    for i, mask in enumerate(faults.tolist()):
        flags = {"no_counterpart": lacking[i], "missing_band": holes[i]}
        flags |= {code: bool(mask & bit) for bit, code in CODES.items() if bit < 32}
        flags |= {"missing_prevalence": wrong_share[i], "rate_too_high": high[i]}
        texts.append(";".join(code for code, present in flags.items() if present))
    return np.array(texts, dtype=object)

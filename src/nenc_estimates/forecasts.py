"""Fits of tables: what is assumed, the gap to a reference posed as a problem of its own, and its batches."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, TypedDict

import numpy as np

from nenc_estimates.errors import InvalidDataError, UnknownAreaError
from nenc_estimates.kernels.gaps import gap, gap_variance
from nenc_estimates.kernels.trajectories import trajectory
from nenc_estimates.kernels.transforms import TRANSFORMS, Transform
from nenc_estimates.kernels.trend_models import MODELS
from nenc_estimates.series import match_reference, stack_windows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from narwhals.stable.v2.typing import IntoDataFrame
    from numpy.typing import NDArray

    from nenc_estimates.kernels.trajectories import Trajectory
    from nenc_estimates.periods import Kind
    from nenc_estimates.series import StandardError, Windows

    Floats = NDArray[np.float64]

Better = Literal["higher", "lower"]


class Choices(TypedDict, total=False):
    """Keywords that every function over trajectories takes: the fields of :class:`Assumptions`."""

    by: Sequence[str] | None
    kind: Kind | None
    standard_error: StandardError
    decimals: int | None
    trend: str
    transform: str
    multiplier: float
    shock: Mapping[str, Sequence[int]]
    breaks: Mapping[str, int]
    exclude: Sequence[str]
    parameters: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """What is assumed of a table and of its future; all of it is printed with every result.

    Attributes
    ----------
    by, kind, standard_error, decimals
        How the table is read: see :func:`~nenc_estimates.series.stack_windows`.
    trend
        A key of ``MODELS``: ``"drift"``, ``"flat"``, ``"linear"``, ``"converge"`` (gaps only), ``"scenario"``.
    transform, multiplier
        Scale of the trend: ``"identity"``, ``"log"`` (rates), ``"logit"`` (proportions; ``multiplier`` is then what
        the proportion was multiplied by, 100 for a percentage). A gap is modelled as it is.
    shock
        Name to years of temporary shocks: ``{"covid": (2020, 2021)}``.
    breaks
        Name to first year of the first window under a new method.
    exclude
        Periods to leave out of the fit.
    parameters
        Those of the trend: ``rho``; ``change`` [unit a year] or ``rate`` [share a year].

    Examples
    --------
    >>> Assumptions(trend="flat", shock={"covid": (2020, 2021)}).trend
    'flat'
    """

    by: Sequence[str] | None = None
    kind: Kind | None = None
    standard_error: StandardError = "published"
    decimals: int | None = None
    trend: str = "drift"
    transform: str = "identity"
    multiplier: float = 1.0
    shock: Mapping[str, Sequence[int]] = field(default_factory=dict)
    breaks: Mapping[str, int] = field(default_factory=dict)
    exclude: Sequence[str] = ()
    parameters: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, value, known in (("trend", self.trend, MODELS), ("transform", self.transform, TRANSFORMS)):
            if value not in known:
                raise ValueError(f"{name} {value!r} is unknown. Known: {', '.join(map(repr, known))}.")

    @property
    def scale(self) -> Transform:
        """The scale itself."""
        return TRANSFORMS[self.transform]

    @property
    def minimum(self) -> int:
        """Fewest windows that the trend needs."""
        model = MODELS[self.trend](np.arange(3.0), **self.parameters)
        return model.minimum + (0 if model.estimate == "last" else len(self.shock) + len(self.breaks))

    def forward(self, value: Floats) -> Floats:
        """From the unit of the table to the scale of the trend."""
        return self.scale.forward(value / self.multiplier)

    def inverse(self, value: Floats) -> Floats:
        """From the scale of the trend to the unit of the table."""
        return self.scale.inverse(value) * self.multiplier


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is fitted: the gap to a reference where there is one, else the value itself.

    ``value, sampling, rounding`` are in the unit of the table, shape ``(series, window)``; ``used`` says which windows
    are fitted.
    """

    area: Windows
    reference: Windows | None
    better: Better
    value: Floats
    sampling: Floats
    rounding: Floats
    used: NDArray[np.bool_]
    share: Floats
    assumptions: Assumptions

    @property
    def se(self) -> Floats:
        """Standard errors of the values as they are published, ``(series, window)``."""
        return np.hypot(self.sampling, self.rounding)

    def on_scale(self, place: tuple[NDArray[np.intp], ...]) -> tuple[Floats, Floats, Floats]:
        """Values of some windows on the scale of the trend, with the errors of sampling and of rounding."""
        chosen, value = self.assumptions, self.value[place]
        slope = chosen.scale.slope(value / chosen.multiplier) / chosen.multiplier
        return chosen.forward(value), self.sampling[place] * slope, self.rounding[place] * slope

    @property
    def enough(self) -> NDArray[np.bool_]:
        """Which series have the windows that the trend needs."""
        return np.asarray(self.used.sum(axis=-1) >= self.assumptions.minimum)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Series that share their windows: their numbers, the windows used, and the fits."""

    series: NDArray[np.intp]
    windows: NDArray[np.intp]
    own: Trajectory
    reference: Trajectory | None


def check_levels(levels: Sequence[float]) -> None:
    """Refuse levels of limits that are none."""
    if not levels or not all(0 < level < 1 for level in levels):
        raise ValueError(f"levels lie between 0 and 1 (0.95, say), one at least, not {tuple(levels)}")


def pose(
    table: IntoDataFrame,
    assumptions: Assumptions,
    *,
    reference: IntoDataFrame | None = None,
    share: float | Mapping[str, float] = 0.0,
    better: Better = "higher",
) -> Problem:
    """Read the tables and pose the problem.

    Parameters
    ----------
    table, reference
        See :func:`~nenc_estimates.series.stack_windows` and :func:`~nenc_estimates.series.match_reference`.
    share
        Share of the reference's people who live in the area, one for all or by area code.
    better
        ``"higher"``: gap = reference - area. ``"lower"``: gap = area - reference. Positive is worse.

    Raises
    ------
    UnknownAreaError
        ``share`` names an area that is not in the table.
    InvalidDataError
        A value lies outside the transform, the reference is more certain than its own part allows, or a series never
        changes and has no sampling error.
    ValueError
        An option is unknown or does not go with another.
    """
    if better not in ("higher", "lower"):
        raise ValueError(f"better is 'higher' or 'lower', not {better!r}")
    reading = {"by": assumptions.by, "kind": assumptions.kind, "decimals": assumptions.decimals}
    area = stack_windows(table, standard_error=assumptions.standard_error, **reading)  # type: ignore[arg-type]
    used = np.isfinite(area.value) & ~_excluded(area, assumptions)
    if reference is None:
        problem = Problem(
            area=area,
            reference=None,
            better=better,
            value=area.value,
            sampling=area.sampling,
            rounding=area.rounding,
            used=used,
            share=np.zeros(len(used)),
            assumptions=assumptions,
        )
    else:
        problem = _pose_gap(area, used, assumptions, reference, share=share, better=better)
    _refuse_impossible(problem)
    return problem


def batches(problem: Problem, *, until: int, with_reference: bool = True) -> Iterator[Batch]:
    """Fit the series of a problem, those with the same windows together; series with too few windows are left out.

    The reference is fitted where the level of the area is asked for; the gap stands for itself.

    Raises
    ------
    InvalidDataError
        A shock or break cannot be told from the trend, or a window is made out of others.
    """
    area, assumptions = problem.area, problem.assumptions
    candidates = np.flatnonzero(problem.enough)
    if not candidates.size:
        return
    patterns, member = np.unique(problem.used[candidates], axis=0, return_inverse=True)
    for number, pattern in enumerate(patterns):
        rows, windows = candidates[member.ravel() == number], np.flatnonzero(pattern)
        design = {
            "first_year": area.first_year[windows],
            "n_years": area.n_years[windows],
            "until": until,
            "trend": assumptions.trend,
            "shocks": list(assumptions.shock.values()),
            "breaks": list(assumptions.breaks.values()),
        }
        place = np.ix_(rows, windows)
        value, *errors = problem.on_scale(place)
        se, rounding = map(_shared, errors)
        try:
            own = trajectory(value, se, rounding=rounding, **design, **assumptions.parameters)  # type: ignore[arg-type]
            national = _fit_reference(problem, place, design) if with_reference else None
        except ValueError as problem_found:
            raise InvalidDataError(f"{area.named(int(rows[0]))}: {problem_found}.") from problem_found
        yield Batch(series=rows, windows=windows, own=own, reference=national)


def _excluded(area: Windows, assumptions: Assumptions) -> NDArray[np.bool_]:
    labels = {str(period) for period in area.periods} | {period.canonical for period in area.periods}
    unknown = [label for label in assumptions.exclude if label not in labels]
    if unknown:
        raise ValueError(f"exclude names {', '.join(unknown)}, which is no period of the table.")
    out = set(assumptions.exclude)
    return np.array([str(period) in out or period.canonical in out for period in area.periods])


def _pose_gap(
    area: Windows,
    used: NDArray[np.bool_],
    assumptions: Assumptions,
    reference: IntoDataFrame,
    *,
    share: float | Mapping[str, float],
    better: Better,
) -> Problem:
    if assumptions.transform != "identity":
        raise ValueError("a gap is modelled as it is: leave transform='identity', or pass no reference.")
    read = stack_windows(
        reference,
        by=None if assumptions.by is None else [name for name in assumptions.by if name != "area_code"],
        kind=assumptions.kind,
        standard_error=assumptions.standard_error,
        decimals=assumptions.decimals,
        what="the reference",
    )
    other = match_reference(area, read)
    codes = area.keys.get("area_code", np.full(len(used), "", dtype=object))
    strange = sorted(set(share) - set(codes)) if not isinstance(share, float | int) else []
    if strange:
        raise UnknownAreaError(f"share names {', '.join(map(str, strange))}, which is no area_code of the table.")
    part = np.array([share if isinstance(share, float | int) else share.get(code, 0.0) for code in codes], dtype=float)
    variance = gap_variance(area.sampling**2, other.sampling**2, share=part[:, None])
    wrong = used & np.isnan(variance)
    if wrong.any():
        series, window = np.argwhere(wrong)[0]
        raise InvalidDataError(
            f"the reference of {area.named(int(series))} in {area.periods[window]} is more certain than its own part "
            f"allows: standard error {other.sampling[series, window]:.3g} below {part[series]:.3g} of "
            f"{area.sampling[series, window]:.3g}. Are share= and both standard errors right?"
        )
    return Problem(
        area=area,
        reference=other,
        better=better,
        value=gap(area.value, other.value, better=better),
        sampling=np.sqrt(variance),
        rounding=np.hypot(area.rounding, other.rounding),
        used=used,
        share=part,
        assumptions=assumptions,
    )


def _refuse_impossible(problem: Problem) -> None:
    chosen, area = problem.assumptions, problem.area
    outside = problem.used & ~np.isfinite(chosen.forward(np.where(problem.used, problem.value, np.nan)))
    if outside.any():
        series, window = np.argwhere(outside)[0]
        raise InvalidDataError(
            f"{problem.value[series, window]:g} in {area.periods[window]} of {area.named(int(series))} has no "
            f"{chosen.transform}: choose another transform, or multiplier=100 for percentages."
        )
    value = np.where(problem.used, problem.value, np.nan)
    several = problem.used.sum(axis=-1) > 1
    lowest, highest = np.fmin.reduce(value, axis=-1), np.fmax.reduce(value, axis=-1)
    silent = ~(np.where(problem.used, problem.se, 0.0) > 0).any(axis=-1)
    still = several & silent & (lowest == highest) & (chosen.trend != "scenario")
    if still.any():
        raise InvalidDataError(
            f"the series of {area.named(int(np.flatnonzero(still)[0]))} never changes and has no standard errors: "
            "nothing says how uncertain it is. Give standard errors, or decimals= for the error of rounding."
        )


def _shared(se: Floats) -> Floats:
    """One row where all series have the same errors, which is quicker."""
    return se[0] if (se == se[0]).all() else se


def reference_trend(problem: Problem, windows: int) -> str:
    """Choose the trend of the reference: that of the gap, unless it speaks of gaps only or the windows are too few."""
    trend = problem.assumptions.trend
    if trend in ("converge", "scenario"):
        trend = "drift"
    return trend if windows >= replace(problem.assumptions, trend=trend, parameters={}).minimum else "flat"


def _fit_reference(
    problem: Problem, place: tuple[NDArray[np.intp], ...], design: Mapping[str, object]
) -> Trajectory | None:
    if problem.reference is None:
        return None
    nation = problem.reference
    found = [part[place] for part in (nation.value, nation.sampling, nation.rounding)]
    if all((part == part[0]).all() for part in found):  # one nation behind all areas is fitted once
        found = [part[:1] for part in found]
    value, se, rounding = found
    trend = reference_trend(problem, value.shape[-1])
    return trajectory(value, _shared(se), rounding=_shared(rounding), **{**design, "trend": trend})  # type: ignore[arg-type]

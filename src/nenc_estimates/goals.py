"""Goals: words of a strategy as numbers, and what the words leave out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from nenc_estimates.errors import InvalidDataError
from nenc_estimates.kernels.goal_values import GOALS
from nenc_estimates.packaged import read_packaged

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from nenc_estimates.kernels.goal_lines import Bound

WITHOUT_NUMBER = ("category", "to_be_set")
"""Kinds that a strategy names and that no number can be judged against."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A goal, as far as its words go.

    Attributes
    ----------
    kind
        ``reduce_gap`` (by a share ``by`` of the baseline gap), ``reach`` (``level``), ``change_by`` (a share ``by`` of
        the baseline, -0.2 for a fall by a fifth, or ``points`` of its unit), ``improve`` (on the baseline),
        ``return_to`` (the value of the baseline period); ``category`` and ``to_be_set`` are carried, not judged.
    baseline, baseline_value
        Period of the baseline, and its value where it was printed with the goal: the commitment is then to that figure.
    target
        Window that decides; "2030" is the window centred on it.
    better
        Which way the measure is better; a gap is better when lower, whatever the measure.
    id, reading, measure, sex, reference, unit, section, note, baseline_note
        Words; ``baseline_note`` is about the baseline as stated: drop it with another baseline or edition. One goal
        may have several readings, each a ``Goal`` of its own.
    missing
        What the words leave out, if that is more than the fields show.

    Examples
    --------
    >>> halve = Goal(kind="reduce_gap", by=0.5, baseline="2019-21", target="2029-31", better="lower")
    >>> float(halve.value(2.6)), halve.bound
    (1.3, 'at_most')
    """

    kind: str
    by: float = 0.0
    points: float = 0.0
    level: float | None = None
    better: Literal["higher", "lower"] = "higher"
    baseline: str = ""
    baseline_value: float | None = None
    target: str = ""
    id: str = ""
    reading: str = ""
    measure: str = ""
    sex: str = ""
    reference: str = ""
    unit: str = ""
    section: str = ""
    missing: str = ""
    note: str = ""
    baseline_note: str = ""

    def __post_init__(self) -> None:
        if self.kind not in (*GOALS, *WITHOUT_NUMBER):
            raise ValueError(f"kind {self.kind!r} is unknown. Known: {', '.join((*GOALS, *WITHOUT_NUMBER))}.")
        if self.better not in ("higher", "lower"):
            raise ValueError(f"better is 'higher' or 'lower', not {self.better!r}.")
        if self.kind == "reduce_gap" and not 0 < self.by <= 1:
            raise ValueError(f"a gap is reduced by a share above 0 and up to 1 (0.1 for a tenth), not {self.by}.")
        if self.kind == "reach" and self.level is None:
            raise ValueError("a goal to reach needs its level.")
        if self.kind == "change_by" and not (self.by or self.points):
            raise ValueError("a goal to change needs by= (-0.2 for a fall by a fifth) or points=.")

    @property
    def bound(self) -> Bound:
        """Whether the goal is met at its value or below, or at its value or above."""
        return "at_most" if self.kind == "reduce_gap" or self.better == "lower" else "at_least"

    @property
    def lacking(self) -> tuple[str, ...]:
        """What is missing before the goal can be judged; empty when nothing is."""
        items = [self.missing] if self.missing else []
        if not items and self.kind in WITHOUT_NUMBER:
            items.append("a number")
        if not items and self.kind != "reach" and not self.baseline:
            items.append("a baseline period")
        if not items and not self.target:
            items.append("a target period")
        return tuple(items)

    def value(self, baseline: ArrayLike) -> NDArray[Any]:
        """Goal value from the baseline; where there was no gap to reduce it is ``nan``."""
        numbers: dict[str, dict[str, Any]] = {
            "reduce_gap": {"by": self.by},
            "reach": {"level": self.level},
            "change_by": {"by": self.by, "points": self.points},
        }
        return GOALS[self.kind](baseline, **numbers.get(self.kind, {}))

    def named(self) -> str:
        """Name the goal, for a message."""
        words = [f"goal {self.id}" if self.id else f"the goal to {self.kind.replace('_', ' ')}"]
        words += [f"({self.measure})"] if self.measure else []
        words += [f"[{self.reading}]"] if self.reading else []
        return " ".join(words)


def check_judged(goal: Goal) -> None:
    """Refuse a goal whose words leave out what it takes to judge it.

    Raises
    ------
    InvalidDataError
        The message names what is missing and where.
    """
    if goal.lacking:
        where = f" (section {goal.section} of the strategy)" if goal.section else ""
        raise InvalidDataError(
            f"{goal.named()} cannot be judged: its words{where} do not give {'; '.join(goal.lacking)}. "
            "Supply it with dataclasses.replace(goal, baseline=..., missing=''), and say that it is yours."
        )


def read_goals() -> tuple[Goal, ...]:
    """Read the goals of the Integrated Care Strategy of December 2022, one for each reading and sex.

    Returns
    -------
    tuple of Goal

    Examples
    --------
    >>> [goal.reading for goal in read_goals() if goal.id == "S5"]
    ['by 2028 (section 4.6)', 'by 2030 (section 6.2)']
    >>> [goal.lacking for goal in read_goals() if goal.id == "W1"]
    [('a baseline year and value',)]
    """
    goals: list[Goal] = []
    for row in read_packaged("lookups", "goals.csv").to_pylist():
        goals += [_goal(row, sex) for sex in row["sex"].split(";")]
    return tuple(goals)


def _goal(row: dict[str, Any], sex: str) -> Goal:
    texts = ("kind", "better", "baseline", "target", "id", "reading", "measure", "reference", "unit", "section")
    return Goal(
        by=_number(row["by"]) or 0.0,
        level=_number(row["level"]),
        baseline_value=_number(row["baseline_value"]),
        sex=sex,
        missing=row["missing"],
        note=row["note"],
        baseline_note=row["baseline_note"],
        **{name: row[name] for name in texts},
    )


def _number(text: str) -> float | None:
    return float(text) if text else None

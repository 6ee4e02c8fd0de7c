"""Weights: the share of a target that each of its source areas makes, of membership and people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nenc_estimates.areas import describe
from nenc_estimates.kernels import weighting as formulas
from nenc_estimates.summaries import Summary
from nenc_estimates.tables import tidy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nenc_estimates.crosswalk_rules import Entries
    from nenc_estimates.crosswalks import Crosswalk
    from nenc_estimates.denominators import Denominator

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Weights(Summary):
    """Share of each target that each of its source areas makes; the shares of a target add up to 1.

    ``weight[i]`` belongs to the pair (``target_code[i]``, ``source_code[i]``); ``entries`` are the pairs with their
    membership, ``basis`` says whose people the weights are.

    Examples
    --------
    >>> from nenc_estimates import load_crosswalk, load_denominator
    >>> made = weigh(load_crosswalk("utla21", "nenc"), load_denominator("residents"), year=2020)
    >>> made.effective_number["E54000050"].round(2), made.largest["E54000050"].round(4)
    (np.float64(10.37), np.float64(0.1777))
    """

    target_code: NDArray[np.object_]
    source_code: NDArray[np.object_]
    weight: Floats
    entries: Entries
    basis: str

    @property
    def effective_number(self) -> dict[str, np.float64]:
        """Effective number of areas of each target, 1 / sum of W²."""
        return dict(zip(self.entries.targets, formulas.effective_number(self.weight, self.entries.starts), strict=True))

    @property
    def largest(self) -> dict[str, np.float64]:
        """Largest weight of each target."""
        return dict(zip(self.entries.targets, formulas.largest_weight(self.weight, self.entries.starts), strict=True))

    def to_frame(self) -> Any:
        """Return the weights as a pandas frame: ``target_code, source_code, weight``."""
        return tidy({name: getattr(self, name) for name in ("target_code", "source_code", "weight")}, "pandas")

    def _head(self) -> str:
        return f"weights by {self.basis}"

    def _lines(self) -> list[tuple[str, str]]:
        shares = {code: f"the largest {share:.1%}" for code, share in self.largest.items()}
        return [
            (describe(code), f"{n:.1f} effective areas, {shares[code]}") for code, n in self.effective_number.items()
        ]

    def of(self, target: str) -> dict[str, float]:
        """Source code to weight, for one target."""
        mine = self.target_code == target
        return dict(zip(self.source_code[mine], self.weight[mine].tolist(), strict=True))


def weigh(
    crosswalk: Crosswalk, denominator: Denominator, *, sex: str = "Persons", age: str = "all", year: int | None = None
) -> Weights:
    """Weights of each target: membership times people, divided by their sum over the target.

    Parameters
    ----------
    crosswalk
        Membership; taken on the age basis of ``age``.
    denominator
        People of the indicator's own sex and age group.
    sex, age, year
        Which people; the year nearest to ``year`` in which every member has a figure is taken.

    Returns
    -------
    Weights

    Raises
    ------
    InvalidDataError
        A member has no figure, or its membership at this age is not known.

    Examples
    --------
    >>> from nenc_estimates import load_crosswalk, load_denominator
    >>> weigh(load_crosswalk("utla21", "nenc"), load_denominator("residents"), year=2020).weight.max().round(4)
    np.float64(0.1777)
    """
    entries = crosswalk.entries(age)
    used, _, weight = people_and_weights(entries, denominator, sex=sex, age=age, year=year)
    lengths = np.diff(np.append(entries.starts, entries.source.size))
    return Weights(
        target_code=np.repeat(np.array(entries.targets, dtype=object), lengths),
        source_code=np.array(entries.sources, dtype=object)[entries.source],
        weight=weight,
        entries=entries,
        basis=f"{denominator.name}, {sex}, age {age}, {used}",
    )


def people_and_weights(
    entries: Entries, denominator: Denominator, *, sex: str, age: str, year: int | None
) -> tuple[int, Floats, Floats]:
    """Find the year that is taken, and the people and the weight of each entry.

    Raises
    ------
    InvalidDataError
        A member has no figure.
    """
    members = [entries.sources[i] for i in np.unique(entries.source[entries.share > 0])]
    used = denominator.nearest_year(members, sex=sex, age=age, year=year)
    people = denominator.people(entries.sources, sex=sex, age=age, year=used)[entries.source]
    weight = formulas.weights(np.where(entries.share == 0, 0.0, people), entries.share, entries.starts)
    return used, people, weight

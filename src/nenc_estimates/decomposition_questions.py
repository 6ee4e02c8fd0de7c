"""Questions beside a decomposition: years gained if some rates alone changed, and what changed a gap over time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from nenc_estimates.age_bands import ABRIDGED_90
from nenc_estimates.age_tables import chosen_ages
from nenc_estimates.errors import InvalidDataError, SchemaError
from nenc_estimates.kernels.decomposition import years_gained
from nenc_estimates.kernels.decomposition_variance import years_gained_variance
from nenc_estimates.kernels.intervals import normal_interval
from nenc_estimates.kernels.levels import one_level
from nenc_estimates.periods import Period
from nenc_estimates.population_pairs import stack_pairs
from nenc_estimates.tables import open_frame, stack, text_column, tidy
from nenc_estimates.withholding import OHID

if TYPE_CHECKING:
    from collections.abc import Sequence

    from narwhals.stable.v2.typing import IntoDataFrame, IntoDataFrameT
    from numpy.typing import NDArray

    from nenc_estimates.age_bands import AgeBands
    from nenc_estimates.age_tables import Ages
    from nenc_estimates.tables import Stack
    from nenc_estimates.withholding import Rules

QUESTION = "years gained if these rates alone changed: not a contribution to the gap"
SAME = ("first", "second", "of", "method")


def estimate_years_gained(
    table: IntoDataFrameT,
    *,
    between: tuple[str, str],
    causes: Sequence[str] | None = None,
    ages: Ages = "all",
    populations: str = "area_code",
    keys: Sequence[str] = ("sex", "period"),
    bands: AgeBands = ABRIDGED_90,
    all_causes: str | None = "all",
    fixed: Sequence[str] = (),
    rules: Rules = OHID,
    confidence: float = 0.95,
) -> IntoDataFrameT:
    """Years of life expectancy gained if some causes, at some ages, alone had the other population's rates.

    Another question than `decompose_gap` answers: contributions share out the whole gap, while here nothing else
    changes, and the answers for several causes do not sum to the gap.

    Parameters
    ----------
    table, populations, keys, bands, all_causes, fixed, rules, confidence
        As in `decompose_gap`.
    between
        The population that would change, and the one whose rates it would have.
    causes
        The causes that would change; all of them when None. ``"all other causes"`` is what the named ones leave.
    ages
        The ages that would change: ``"all"``, or labels, or first ages of bands.

    Returns
    -------
    frame of the caller's kind
        Key columns, ``first, second, causes, ages, question, value, lower, upper, se`` [years], ``quality``: one row
        for each group.

    Raises
    ------
    SchemaError, InvalidDataError
        As in `decompose_gap`; also where a cause has no rows.

    Examples
    --------
    >>> import pandas as pd
    >>> from nenc_estimates.age_bands import AgeBands
    >>> ages = pd.DataFrame({"age": ["0-49", "50+"], "population": [50_000, 25_000]})
    >>> here, there = ages.assign(area="here", deaths=[200, 1250]), ages.assign(area="there", deaths=[100, 1000])
    >>> options = {"populations": "area", "keys": [], "bands": AgeBands((0, 50))}
    >>> estimate_years_gained(pd.concat([here, there]), between=("here", "there"), ages="50+", **options)[
    ...     "value"
    ... ].round(2).tolist()
    [4.15]

    See Also
    --------
    nenc_estimates.kernels.decomposition.years_gained : the formula.
    """
    pairs = stack_pairs(
        table,
        between=between,
        populations=populations,
        keys=keys,
        bands=bands,
        all_causes=all_causes,
        by_cause=causes is not None,
        fixed=fixed,
        rules=rules,
    )
    unknown = [name for name in causes or () if name not in pairs.causes]
    if unknown:
        raise SchemaError(f"no row has cause {unknown[0]!r}. Causes: {', '.join(pairs.causes)}.")
    chosen = chosen_ages(ages, bands)
    changing = np.array([causes is None or name in causes for name in pairs.causes])
    cells = changing[:, None] & np.isin(np.arange(len(bands)), chosen)
    rule = {"cells": cells, "width": bands.width, "nax": bands.nax}
    value = years_gained(*pairs.rates, **rule)
    variance = years_gained_variance(*pairs.rates, *pairs.variances, **rule)
    limits = normal_interval(value, variance, confidence=one_level(confidence))
    words = {
        "first": between[0],
        "second": between[1],
        "causes": "all" if causes is None else "; ".join(causes),
        "ages": "all" if chosen.size == len(bands) else "; ".join(bands.labels[i] for i in chosen),
        "question": QUESTION,
    }
    return tidy(
        {
            **pairs.keys.keys,
            **{name: [str(word)] * value.size for name, word in words.items()},
            "value": value,
            "lower": limits.lower,
            "upper": limits.upper,
            "se": np.sqrt(variance),
            "quality": np.where(np.isnan(value), pairs.reasons, ""),
        },
        pairs.keys.backend,
    )


def compare_decompositions(
    earlier: IntoDataFrameT, later: IntoDataFrame, *, keys: Sequence[str] = ("sex",), confidence: float = 0.95
) -> IntoDataFrameT:
    """Change of a gap over time, as the change of each contribution: later minus earlier.

    Parameters
    ----------
    earlier, later
        Results of `decompose_gap` for the same two populations, in the same way, in periods that do not overlap.
    keys
        Key columns by which rows meet, without the period.
    confidence
        Of the limits.

    Returns
    -------
    frame of the caller's kind
        Key columns, ``first, second, of, method, effect, age, cause``, ``value, lower, upper, se`` [years],
        ``quality``: one row for each row of ``earlier``, in key order. The values of the parts sum to the change of
        the gap.

    Raises
    ------
    InvalidDataError
        The populations or the method differ, a row has no counterpart, or the periods overlap, whose errors are not
        independent.

    Examples
    --------
    >>> import pandas as pd
    >>> words = {"first": "A", "second": "B", "of": "life expectancy", "method": "arriaga", "effect": "mortality"}
    >>> then = pd.DataFrame([words | {"age": "all", "cause": "all", "value": -2.0, "se": 0.3}])
    >>> compare_decompositions(then, then.assign(value=-1.5, se=0.4), keys=[])[["value", "se"]].values.tolist()
    [[0.5, 0.5]]
    """
    by = [*keys, *SAME, "effect", "cause"]
    opened = [open_frame(frame, [*by, "age", "value", "se"]) for frame in (earlier, later)]
    for name in SAME:
        said = [sorted(set(text_column(frame, name))) for frame in opened]
        if said[0] != said[1]:
            raise InvalidDataError(f"decompositions of different {name} are not compared: {said[0]} and {said[1]}.")
    if all("period" in frame.columns for frame in opened):
        _refuse_overlap(*(sorted(set(text_column(frame, "period"))) for frame in opened))
    one, other = (stack(frame, ["value", "se"], by=by, axis="age", words=["quality"]) for frame in (earlier, later))
    _refuse_unmet(one, other, where="later")
    _refuse_unmet(other, one, where="earlier")
    held = one.rows >= 0
    value = one.found_in(other, "value") - one.values["value"]
    variance = one.values["se"] ** 2 + one.found_in(other, "se") ** 2
    limits = normal_interval(value, variance, confidence=one_level(confidence))
    order = np.argsort(one.rows[held], kind="stable")  # as the earlier table has them: ages in their order
    groups, places = (index[order] for index in np.nonzero(held))
    numbers = {"value": value, "lower": limits.lower, "upper": limits.upper, "se": np.sqrt(variance)}
    return tidy(
        {
            **{name: one.keys[name][groups] for name in (*keys, *SAME, "effect")},
            "age": [one.labels[i] for i in places],
            "cause": one.keys["cause"][groups],
            **{name: column[groups, places] for name, column in numbers.items()},
            "quality": _joined_quality(one, other, value)[groups, places],
        },
        one.backend,
    )


def _refuse_unmet(one: Stack, other: Stack, *, where: str) -> None:
    present = replace(other, values={"present": (other.rows >= 0).astype(np.float64)})
    lacking = (one.rows >= 0) & (one.found_in(present, "present") != 1)
    if lacking.any():
        raise InvalidDataError(f"the {where} decomposition has no counterpart of {one.named(lacking)}.")


def _joined_quality(one: Stack, other: Stack, value: NDArray[np.float64]) -> NDArray[np.object_]:
    """Codes of both, at the cells of the first; those of percentages, which are not here, are left out."""
    cells = np.arange(other.rows.size, dtype=np.float64).reshape(other.rows.shape)
    met = one.found_in(replace(other, values={"cell": cells}), "cell")
    texts = [each.texts.get("quality", np.full(each.rows.shape, "", dtype=object)) for each in (one, other)]
    joined = np.full(value.shape, "", dtype=object)
    for at in zip(*np.nonzero(one.rows >= 0), strict=True):
        said = f"{texts[0][at]};{texts[1].flat[int(met[at])]}".split(";")
        codes = [code for code in dict.fromkeys(said) if code not in ("", "withheld_share")]
        joined[at] = ";".join(codes) or ("no_value" if np.isnan(value[at]) else "")
    return joined


def _refuse_overlap(earlier: Sequence[str], later: Sequence[str]) -> None:
    for first in earlier:
        for second in later:
            if Period.parse(first).overlaps(Period.parse(second)):
                raise InvalidDataError(
                    f"periods {first} and {second} overlap: the same deaths are in both, so their errors are not "
                    "independent. Compare periods that share no year."
                )

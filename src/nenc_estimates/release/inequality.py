"""Parts of a release about inequality: slope indices, and the ages that gaps come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nenc_estimates.areas import ENGLAND, areas
from nenc_estimates.crosswalks import load_crosswalk
from nenc_estimates.decomposition import decompose_gap
from nenc_estimates.deprivation import assign_quantiles
from nenc_estimates.indicators import INDICATORS, Indicator
from nenc_estimates.inequality import estimate_slope_index
from nenc_estimates.packaged import manifest, read_packaged
from nenc_estimates.release.own_files import own_contributions
from nenc_estimates.release.people import NEIGHBOURHOODS
from nenc_estimates.release.rows import labelled
from nenc_estimates.specification import OwnDecomposition

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from nenc_estimates.specification import AnyDecomposition, Decomposition, NationalSlopes

MOST, LEAST = "most deprived fifth of districts", "least deprived fifth of districts"
INSIDE = "North East and North Cumbria"
SAMPLING = ", sampling errors"
DECOMPOSITION = (
    *("comparison", "edition", "sex", "period", "first", "second", "of", "method", "effect", "age", "cause"),
    *("value", "lower", "upper", "se", "share", "quality", "basis", "source"),
)
"""Columns of the table of contributions. The gap is the second population's life expectancy minus the first's."""


def national_slopes_part(entry: NationalSlopes) -> list[pd.DataFrame]:
    """Make England's slope indices from its deciles."""
    name = f"le_hle_by_imd_decile_{entry.edition}.csv"
    source, table = manifest("indicators")[name], read_packaged("indicators", name).to_pandas()
    people = read_packaged("lookups", "population_by_imd2019_decile_england.csv").to_pandas()
    year = people["year"].max()
    people = people[(people["age"] == "all") & (people["year"] == year)]
    people = people.rename(columns={"imd2019_decile": "quantile", "people": "population"})[["quantile", "population"]]
    deciles = table.merge(people, on="quantile", how="left", validate="m:1")
    made = estimate_slope_index(
        deciles,
        definition="national quantiles",
        by=["indicator", "sex", "age", "period"],
        quantiles=10,
        most_deprived=1,
    )
    note = f"People of both sexes in mid-{year} by decile of IMD 2019; deciles printed to 0.1; no limits are published."
    slopes = made[made["measure"] == "slope index"].assign(
        area_code=ENGLAND,
        area_name=areas()[ENGLAND].name,
        coverage=1.0,
        n_areas=1,
        effective_areas=1.0,
        notes=note,
    )
    slopes["method"] = slopes["method"].str.removesuffix(SAMPLING)  # there are none without limits
    slopes["quality"] = [";".join(filter(None, (text, "no_limits"))) for text in slopes["quality"]]
    parts = []
    for of, rows in slopes.groupby("indicator"):
        about = INDICATORS[str(of)]
        indicator = Indicator(
            id=f"sii_{about.id}_deciles",
            name=f"Slope index of inequality in {about.name[0].lower()}{about.name[1:]}, from published deciles",
            unit="years",
            kind="slope index",
        )
        parts.append(labelled(rows, indicator, entry.edition, source))
    return parts


def decomposition_table(entries: Sequence[AnyDecomposition]) -> pd.DataFrame:
    """Split gaps by age: the whole partnership against the rest, and the most against the least deprived districts.

    Entries that name a file of their own are split by cause of death, or by age, as they say.

    Raises
    ------
    EstimatesError
        A file does not hold what its entry says, or a part of a gap has few deaths.
    """
    import pandas as pd  # noqa: PLC0415 - importing the library must stay cheap

    parts = []
    for entry in entries:
        parts += [own_contributions(entry)] if isinstance(entry, OwnDecomposition) else _decomposed(entry)
    if not parts:
        return pd.DataFrame(columns=list(DECOMPOSITION))
    return pd.concat(parts, ignore_index=True)[list(DECOMPOSITION)]


def _decomposed(entry: Decomposition) -> list[pd.DataFrame]:
    name = f"deaths_by_age_{entry.deaths}.csv"
    table, about = read_packaged("indicators", name).to_pandas(), manifest("indicators")[name]
    source = f"{about.publisher}, {about.edition}"
    inside = set(load_crosswalk("ltla21", "nenc").whole().sources)
    outside = [code for code in table["area_code"].unique() if code not in inside]
    partnership, rest = (
        f"{INSIDE} ({len(inside)} whole districts)",
        " and ".join(areas()[code].name for code in outside),
    )
    here = dict.fromkeys(inside, partnership) | dict.fromkeys(outside, rest)
    fifths = _fifths(sorted(inside), entry.year)
    named = {end: [areas()[code].name for code in fifths if fifths[code] == end] for end in (MOST, LEAST)}
    ends = {end: f"{end} ({len(names)} districts)" for end, names in named.items()}
    most, least = map(", ".join, named.values())
    ranked = "ranked by the share of people in the most deprived fifth of neighbourhoods in England (IMD 2019), mid-"
    whole = f"{len(inside)} whole districts and unitaries against {rest}: deaths and people added up"
    extremes = f"{most} against {least}, {ranked}{entry.year}: deaths and people added up"
    parts = []
    for comparison, groups, pair, basis in (
        ("partnership and rest", here, (partnership, rest), whole),
        ("most and least deprived", {c: ends[end] for c, end in fifths.items()}, (ends[MOST], ends[LEAST]), extremes),
    ):
        pooled = table.assign(group=table["area_code"].map(groups)).dropna(subset=["group"])
        pooled = pooled.groupby(["group", "sex", "period", "age"], as_index=False)[["deaths", "population"]].sum()
        made = decompose_gap(pooled, between=pair, populations="group", method=entry.method)
        parts.append(made.assign(comparison=comparison, edition=entry.deaths, basis=basis, source=source))
    return parts


def _fifths(codes: Sequence[str], year: int) -> dict[str, str]:
    """Area code to the most or the least deprived fifth of these areas, by people in deprived neighbourhoods."""
    people = read_packaged("lookups", NEIGHBOURHOODS).to_pandas()
    people = people[(people["age"] == "all") & (people["year"] == year) & people["area_code"].isin(codes)]
    most = people["people"].where(people["imd2019_quintile"] == "1", 0)
    sums = people.assign(most=most).groupby("area_code", as_index=False)[["most", "people"]].sum()
    ranked = assign_quantiles(sums.assign(score=sums["most"] / sums["people"]), most_deprived="highest", quantiles=5)
    names = {1: MOST, 5: LEAST}
    return {row.area_code: names[row.quantile] for row in ranked.itertuples() if row.quantile in names}

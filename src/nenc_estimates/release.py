"""The run of a release: read, estimate, check, and hand the tables over to whoever writes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nenc_estimates.areas import ENGLAND, NENC, areas
from nenc_estimates.comparisons import count_areas_below, estimate_gap, estimate_share_in_ill_health
from nenc_estimates.crosswalks import load_crosswalk
from nenc_estimates.denominators import load_denominator
from nenc_estimates.errors import InvalidDataError
from nenc_estimates.indicators import INDICATORS, Indicator
from nenc_estimates.kernels.interval_inversion import standard_error_from_limits
from nenc_estimates.packaged import Entry, indicator_files, manifest, read_packaged
from nenc_estimates.readers import read_indicator
from nenc_estimates.vintages import select_geography
from nenc_estimates.weighting import estimate_indicator

if TYPE_CHECKING:
    import pandas as pd

    from nenc_estimates.specification import AreasBelow, IllHealth, Specification, Weighted

COLUMNS = (
    *("indicator", "edition", "area_code", "area_name", "area_type", "sex", "age", "period", "value", "lower", "upper"),
    *("se", "unit", "method", "coverage", "n_areas", "effective_areas", "quality", "status"),
)
"""Columns of the table of estimates, in order. The first three, sex, age and period make the key."""

KEY = ("indicator", "edition", "area_code", "sex", "age", "period")

SERIES = ("area_code", "sex", "age", "period")
CARRIED = ("area_name", "coverage", "n_areas", "effective_areas", "notes")
"""What a comparison takes over from the estimate behind it."""

NEIGHBOURHOODS = "population_by_imd2019_quintile.csv"
"""Lookup of residents by deprivation, inside and outside the partnership."""

EXPERIMENTAL = "experimental, not official statistics"
"""Status of everything estimated here; an input that is itself in development is named behind it."""

AREA_TYPES = {"icb": "whole partnership", "local icp": "local partnership", "country": "country"}
"""Kind of area to the words used in a release; every other kind is a local authority or district."""

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a run hands over.

    ``estimates`` has :data:`COLUMNS`; ``contents`` names its indicators and editions in words, in the order of the
    specification; ``notes`` holds the distinct remarks behind its ``quality`` codes; ``reproduction`` one row for each
    published figure; ``log`` what was read, used and left out, with the reason.
    """

    estimates: pd.DataFrame
    contents: pd.DataFrame
    notes: pd.DataFrame
    reproduction: pd.DataFrame
    log: dict[str, Any]


def run_release(specification: Specification, *, progress: Progress = lambda _: None) -> Run:
    """Make every table of a release.

    Parameters
    ----------
    specification
        What to make.
    progress
        Called with a line before each step.

    Raises
    ------
    EstimatesError
        Data do not allow an estimate that the specification asks for.
    """
    import pandas as pd  # noqa: PLC0415 - importing the library must stay cheap

    parts, log = [], []
    for entry in specification.weighted:
        progress(f"{entry.indicator} {entry.edition}")
        part, read = _weighted(entry)
        parts += part
        log.append(read)
    made = pd.concat(parts, ignore_index=True)
    progress("comparisons")
    parts += [_ill_health(entry, made) for entry in specification.ill_health]
    parts += [_areas_below(entry) for entry in specification.areas_below]
    if specification.deprivation:
        parts += [
            _most_deprived(age, year)
            for age in specification.deprivation.ages
            for year in specification.deprivation.years
        ]
    if specification.population:
        parts += [_population(year) for year in specification.population.years]
    together = pd.concat(parts, ignore_index=True)
    estimates = _in_order(together)
    progress("published figures")
    notes = estimates.loc[
        estimates["notes"] != "", ["indicator", "edition", "area_code", "quality", "notes"]
    ].drop_duplicates()
    return Run(
        estimates=estimates[list(COLUMNS)],
        contents=together[["indicator", "edition", "indicator_name", "edition_name"]].drop_duplicates(
            ignore_index=True
        ),
        notes=notes.reset_index(drop=True),
        reproduction=reproduce(estimates),
        log={"read": log, "estimates": len(estimates)},
    )


def _weighted(entry: Weighted) -> tuple[list[pd.DataFrame], dict[str, Any]]:
    indicator = INDICATORS[entry.indicator]
    name = indicator_files()[entry.indicator, entry.edition]
    source = manifest("indicators")[name]
    read = read_indicator(entry.indicator, edition=entry.edition)
    table = read[~read["period"].isin(entry.skip_periods)]
    parts, used, reasons = [], set(), []
    for target in entry.to:
        selection = select_geography(table, target)
        estimates = estimate_indicator(
            selection.table,
            to=target,
            denominator=indicator.denominator or None,
            kind=indicator.kind,
            multiplier=indicator.multiplier,
            missing=entry.missing,
            min_coverage=entry.min_coverage,
            standard_error=entry.standard_error,
            proxy=indicator.proxy,
        )
        parts.append(_labelled(estimates, indicator, entry.edition, source))
        used |= set(selection.table.index)
        reasons.append(selection.set_aside["reason"].value_counts().sort_index().to_dict())
    if entry.reference:
        reference = _published(table[table["area_code"] == entry.reference], indicator, entry.edition, source)
        parts.append(reference)
        if entry.gap:
            parts.append(_gap(parts[:-1], reference, indicator, entry.edition, source))
    record = {
        "file": name,
        "rows": len(read),
        "skipped_periods": int(len(read) - len(table)),
        "rows_weighted": len(used),
        "set_aside": dict(zip(entry.to, reasons, strict=True)),
    }
    return parts, record


def _labelled(estimates: pd.DataFrame, indicator: Indicator, edition: str, *sources: Entry) -> pd.DataFrame:
    weakest = [source.status for source in sources if source.status and "development" in source.status]
    return estimates.assign(
        indicator=indicator.id,
        indicator_name=indicator.name,
        edition=edition,
        edition_name="; over: ".join(f"{source.publisher}, {source.edition}" for source in sources),
        unit=indicator.unit,
        status=f"{EXPERIMENTAL}; from {weakest[0]}" if weakest else EXPERIMENTAL,
    )


def _published(rows: pd.DataFrame, indicator: Indicator, edition: str, source: Entry) -> pd.DataFrame:
    if rows.empty:
        raise InvalidDataError(
            f'{indicator.id} {edition} has no row for the reference. Set reference = "" in the specification.'
        )
    normal = indicator.kind in ("life expectancy", "healthy life expectancy", "mean")
    se = standard_error_from_limits(rows["lower"], rows["upper"]) if normal else np.full(len(rows), np.nan)
    return _labelled(rows, indicator, edition, source).assign(
        se=se,
        method=f"published: {source.publisher}",
        coverage=1.0,
        n_areas=1,
        effective_areas=1.0,
        quality="",
        notes="",
        status=source.status,
    )


def _gap(
    estimates: list[pd.DataFrame], reference: pd.DataFrame, indicator: Indicator, edition: str, source: Entry
) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415

    area = pd.concat(estimates, ignore_index=True)
    share = _share_of_england(tuple(area["area_code"].unique()))
    gaps = estimate_gap(area, reference, share=share)
    gaps = gaps.merge(area[[*SERIES, *CARRIED, "quality"]], on=list(SERIES), validate="1:1")
    named = Indicator(
        id=f"{indicator.id}_gap", name=f"{indicator.name}: years behind England", unit=indicator.unit, kind="gap"
    )
    return _labelled(gaps, named, edition, source).assign(method="England less area; the area is part of England")


def _share_of_england(codes: tuple[str, ...]) -> dict[str, float]:
    """Return the share of England's residents who live in each target, mid-2020."""
    people = load_denominator("residents")
    england = float(people.people([ENGLAND], sex="Persons", age="all", year=2020)[0])
    shares = {}
    for code in codes:
        crosswalk = load_crosswalk("ltla21", "nenc" if code == NENC else "local_icp")
        mine = (crosswalk.target_code == code) & (crosswalk.age == "all")
        inside = (
            people.people(list(crosswalk.source_code[mine]), sex="Persons", age="all", year=2020)
            @ crosswalk.share[mine]
        )
        shares[code] = float(inside) / england
    return shares


def _ill_health(entry: IllHealth, made: pd.DataFrame) -> pd.DataFrame:
    keys = (("hle_birth", entry.healthy), ("le_birth", entry.life))
    healthy, life = (made[(made["indicator"] == name) & (made["edition"] == edition)] for name, edition in keys)
    inherited = healthy[[*SERIES, *CARRIED, "quality"]].rename(columns={"quality": "inherited"})
    shares = estimate_share_in_ill_health(healthy, life, mixed=entry.mixed)
    shares = shares.merge(inherited, on=list(SERIES), validate="1:1")
    shares["quality"] = (shares["inherited"] + ";" + shares["quality"]).str.strip(";")
    indicator = Indicator(id="ill_health_share", name="Share of life in ill health", unit="%", kind="gap")
    sources = [manifest("indicators")[indicator_files()[key]] for key in keys]
    labelled = _labelled(shares, indicator, f"{entry.healthy} with {entry.life}", *sources)
    return labelled.assign(method="(LE - HLE) / LE of the estimates")


def _areas_below(entry: AreasBelow) -> pd.DataFrame:
    table = read_indicator(entry.indicator, edition=entry.edition)
    kept = select_geography(table, "nenc").table
    members = tuple(kept["area_code"].unique())
    counted = count_areas_below(kept, entry.level, areas=members)
    source = manifest("indicators")[indicator_files()[entry.indicator, entry.edition]]
    indicator = Indicator(
        id=f"areas_below_{entry.level:g}",
        name=f"{INDICATORS[entry.indicator].name}: local authorities below {entry.level:g}",
        unit="areas",
        kind="rank",
    )
    return _labelled(counted, indicator, entry.edition, source).assign(
        area_code=NENC,
        area_name=areas()[NENC].name,
        method=f"count of {len(members)} local authorities, whole or part",
        coverage=1.0,
        effective_areas=np.nan,
        quality="",
        notes="",
    )


def _most_deprived(age: str, year: int) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415

    read = read_packaged("lookups", NEIGHBOURHOODS).to_pandas()
    table = read[(read["age"] == age) & (read["year"] == year)]
    inside = _fifth(table[table["part"] == "inside"], "imd2019_quintile", 1)
    indicator = Indicator(
        id="most_deprived_fifth",
        name="People in the most deprived fifth of neighbourhoods in England",
        unit="%",
        kind="proportion",
        multiplier=100.0,
    )
    pooled = [
        estimate_indicator(
            inside, to=load_crosswalk("ltla21", target).whole(), kind="proportion", multiplier=100.0, confidence=None
        )
        for target in ("nenc", "local_icp")
    ]
    read = read_packaged("lookups", "population_by_imd2019_decile_england.csv").to_pandas()
    england = _fifth(read[(read["age"] == age) & (read["year"] == year)], "imd2019_decile", 2)
    whole = pd.concat([_fifth(table, "imd2019_quintile", 1), england], ignore_index=True)
    counted = whole.assign(
        value=100.0 * whole["count"] / whole["denominator"],
        area_name=[areas()[code].name for code in whole["area_code"]],
        coverage=1.0,
        n_areas=1,
        effective_areas=1.0,
        quality="",
        notes="",
    )
    made = pd.concat([*pooled, counted.drop(columns=["count", "denominator"])], ignore_index=True)
    return _labelled(made, indicator, "imd2019", manifest("lookups")[NEIGHBOURHOODS]).assign(
        sex="Persons",
        age=age,
        period=f"mid-{year}",
        method="pooled residents of neighbourhoods: every resident is counted",
    )


def _fifth(table: pd.DataFrame, column: str, last: int) -> pd.DataFrame:
    """Count people in the most deprived groups up to ``last``, and all people, by area."""
    most = table["people"].where(table[column].astype(int) <= last, 0)
    sums = table.assign(count=most).groupby("area_code", as_index=False)[["count", "people"]].sum()
    return sums.rename(columns={"people": "denominator"})


def _population(year: int) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415

    table = read_packaged("lookups", NEIGHBOURHOODS).to_pandas()
    table = table[(table["age"] == "all") & (table["year"] == year) & (table["part"] == "inside")]
    people = table.groupby("area_code", as_index=False)["people"].sum().rename(columns={"people": "value"})
    made = [
        estimate_indicator(people, to=load_crosswalk("ltla21", target).whole(), kind="count", confidence=None)
        for target in ("nenc", "local_icp")
    ]
    indicator = Indicator(id="population", name="Residents", unit="people", kind="count")
    return _labelled(pd.concat(made, ignore_index=True), indicator, "lsoa", manifest("lookups")[NEIGHBOURHOODS]).assign(
        sex="Persons", age="all", period=f"mid-{year}", method="sum of neighbourhoods: every resident is counted"
    )


def _in_order(estimates: pd.DataFrame) -> pd.DataFrame:
    kinds = [areas()[code].kind for code in estimates["area_code"]]
    estimates = estimates.assign(area_type=[AREA_TYPES.get(kind, "local authority") for kind in kinds])
    estimates = estimates.reindex(columns=[*COLUMNS, "notes"]).sort_values(list(KEY), ignore_index=True)
    repeated = estimates.duplicated(list(KEY))
    if repeated.any():
        raise InvalidDataError(f"the release holds {estimates.loc[repeated, list(KEY)].iloc[0].tolist()} twice.")
    numbers = ["value", "lower", "upper", "se", "coverage", "effective_areas"]
    estimates[numbers] = estimates[numbers].astype("float64")
    return estimates.assign(n_areas=estimates["n_areas"].astype("int64"))


def reproduce(estimates: pd.DataFrame) -> pd.DataFrame:
    """Set each published figure beside its estimate.

    Parameters
    ----------
    estimates
        A table with :data:`COLUMNS`.

    Returns
    -------
    pandas.DataFrame
        ``id, quantity, area, sex, period, published, estimate, lower, upper, unit, outcome, expected, note, source``.
        ``outcome`` is ``reproduced`` when the estimate lies in the range of values that would be printed as the
        published figure (half-open, 60.15 up to 60.25 for 60.2), ``differs`` when it does not, ``cannot be recomputed``
        when there is no estimate.
    """
    published = read_packaged("lookups", "published.csv").to_pandas()
    found = published.merge(
        estimates[[*KEY, "value", "lower", "upper"]], on=list(KEY), how="left", validate="m:1"
    ).rename(columns={"value": "estimate"})
    made = set(zip(estimates["indicator"], estimates["edition"], strict=True))
    elsewhere = [bool(key[0]) and key not in made for key in zip(found["indicator"], found["edition"], strict=True)]
    within = (found["estimate"] >= found["low"]) & (found["estimate"] < found["high"])
    outcome = np.select(
        [elsewhere, found["estimate"].isna(), within],
        ["not in this release", "cannot be recomputed", "reproduced"],
        "differs",
    )
    kept = ["id", "quantity", "area", "sex", "period", "published", "estimate", "lower", "upper", "unit"]
    beside: pd.DataFrame = found.assign(outcome=outcome)[[*kept, "outcome", "expected", "note", "source"]]
    return beside


def failures(reproduction: pd.DataFrame) -> list[str]:
    """Name the published figures that should be reproduced and are not."""
    fine = reproduction["outcome"].isin(["reproduced", "not in this release"])
    failed = reproduction[(reproduction["expected"] == "reproduced") & ~fine]
    return [
        f"{row.id}: published {row.published}, estimated {row.estimate:.2f} ({row.outcome})"
        for row in failed.itertuples()
    ]

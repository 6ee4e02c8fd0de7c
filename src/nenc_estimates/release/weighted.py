"""Parts of a release that are weighted from local authorities, and what is made of those."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nenc_estimates.areas import ENGLAND, NENC, areas
from nenc_estimates.comparisons import count_areas_below, estimate_gap, estimate_share_in_ill_health
from nenc_estimates.crosswalks import load_crosswalk
from nenc_estimates.denominators import load_denominator
from nenc_estimates.errors import InvalidDataError
from nenc_estimates.indicators import INDICATORS, Indicator
from nenc_estimates.kernels.interval_inversion import standard_error_from_limits
from nenc_estimates.packaged import Entry, indicator_files, manifest
from nenc_estimates.quality import QUALITY
from nenc_estimates.readers import read_indicator
from nenc_estimates.release.rows import CARRIED, SERIES, labelled
from nenc_estimates.vintages import select_geography
from nenc_estimates.weighting import estimate_indicator

if TYPE_CHECKING:
    import pandas as pd

    from nenc_estimates.specification import AreasBelow, IllHealth, Weighted


def weighted_part(entry: Weighted) -> tuple[list[pd.DataFrame], dict[str, Any]]:
    """Weight one indicator in one edition; also what was read, used and set aside."""
    indicator = INDICATORS[entry.indicator]
    name = indicator_files()[entry.indicator, entry.edition]
    source = manifest("indicators")[name]
    read = read_indicator(entry.indicator, edition=entry.edition)
    strange = sorted(set(entry.skip_periods) - set(read["period"]))
    if strange:
        raise InvalidDataError(f"{entry.indicator} {entry.edition} has no period {', '.join(strange)} to skip.")
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
            survey=indicator.survey,
            modelled=source.modelled,
            proxy=indicator.proxy,
        )
        parts.append(labelled(estimates, indicator, entry.edition, source))
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


def _published(rows: pd.DataFrame, indicator: Indicator, edition: str, source: Entry) -> pd.DataFrame:
    if rows.empty:
        raise InvalidDataError(
            f'{indicator.id} {edition} has no row for the reference. Set reference = "" in the specification.'
        )
    normal = indicator.kind in ("life expectancy", "healthy life expectancy", "mean")
    se = standard_error_from_limits(rows["lower"], rows["upper"]) if normal else np.full(len(rows), np.nan)
    return labelled(rows, indicator, edition, source).assign(
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
    share = share_of_england(tuple(area["area_code"].unique()))
    gaps = estimate_gap(area, reference, share=share)
    gaps = gaps.merge(area[[*SERIES, *CARRIED, "quality"]], on=list(SERIES), validate="1:1")
    named = Indicator(
        id=f"{indicator.id}_gap", name=f"{indicator.name}: years behind England", unit=indicator.unit, kind="gap"
    )
    return labelled(gaps, named, edition, source).assign(method="England less area; the area is part of England")


def share_of_england(codes: tuple[str, ...]) -> dict[str, float]:
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


def ill_health_part(entry: IllHealth, made: pd.DataFrame) -> pd.DataFrame:
    """Make the share of life in ill health from what has been weighted."""
    keys = (("hle_birth", entry.healthy), ("le_birth", entry.life))
    healthy, life = (made[(made["indicator"] == name) & (made["edition"] == edition)] for name, edition in keys)
    inherited = healthy[[*SERIES, *CARRIED, "quality"]].rename(columns={"quality": "inherited"})
    shares = estimate_share_in_ill_health(healthy, life, mixed=entry.mixed)
    shares = shares.merge(inherited, on=list(SERIES), validate="1:1")
    shares["quality"] = (shares["inherited"] + ";" + shares["quality"]).str.strip(";")
    if entry.mixed:
        shares["notes"] = (shares["notes"] + " " + QUALITY["mixed_editions"]).str.strip()
    indicator = Indicator(id="ill_health_share", name="Share of life in ill health", unit="%", kind="gap")
    sources = [manifest("indicators")[indicator_files()[key]] for key in keys]
    rows = labelled(shares, indicator, f"{entry.healthy} with {entry.life}", *sources)
    return rows.assign(method="(LE - HLE) / LE of the estimates")


def areas_below_part(entry: AreasBelow) -> pd.DataFrame:
    """Count the local authorities below a level."""
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
    return labelled(counted, indicator, entry.edition, source).assign(
        area_code=NENC,
        area_name=areas()[NENC].name,
        method=f"count of {len(members)} local authorities, whole or part",
        coverage=1.0,
        effective_areas=np.nan,
        quality="",
        notes="",
    )

"""Published figures of the local authorities in the release, and how they compare with England."""

from __future__ import annotations

from nenc_estimates import read_indicator
from nenc_estimates.release.local import LOCAL, local_part


def test_values_are_those_published_and_compared_by_their_limits(run):
    published = read_indicator("hle_birth", edition="ons_2026_02")
    local = run.local[(run.local["indicator"] == "hle_birth") & (run.local["edition"] == "ons_2026_02")]
    assert list(run.local.columns) == list(LOCAL)
    assert local["period"].unique().tolist() == [published["period"].max()]
    beside = local.merge(published, on=["area_code", "sex", "age", "period"], suffixes=("", "_published"))
    assert len(beside) == len(local) == 2 * 14
    assert (beside["value"] == beside["value_published"]).all()
    for row in local.itertuples():
        inside = row.lower <= row.reference_value <= row.upper
        assert row.compared == ("similar" if inside else "lower" if row.upper < row.reference_value else "higher")


def test_without_limits_nothing_is_compared(run):
    life = run.local[run.local["indicator"] == "le_birth"]
    assert set(life["compared"]) == {""}
    assert life["reference_value"].notna().all()


def test_counts_are_left_out_for_they_grow_with_the_area(run):
    assert "drug_poisoning_deaths" not in set(run.local["indicator"])


def test_without_entries_the_table_is_empty():
    assert list(local_part([]).columns) == list(LOCAL)

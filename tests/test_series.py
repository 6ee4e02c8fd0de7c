"""Reading windows: periods, standard errors, references, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from nenc_estimates.errors import InvalidDataError, SchemaError
from nenc_estimates.periods import Period
from nenc_estimates.series import match_reference, stack_windows, target_window

ROLLING = ["2015-17", "2016-18", "2017-19", "2018-20"]


def table(periods=ROLLING, **columns):
    return pd.DataFrame({"period": periods, "value": np.linspace(4.0, 4.3, len(periods)), "se": 0.1} | columns)


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame, pa.table])
def test_rows_in_any_order_and_kind_give_the_same_windows(kind):
    shuffled = table().sample(frac=1, random_state=3)
    windows = stack_windows(kind({name: shuffled[name].tolist() for name in shuffled}))
    assert [str(period) for period in windows.periods] == ROLLING
    np.testing.assert_array_equal(windows.value, [np.linspace(4.0, 4.3, 4)])
    assert windows.first_year.tolist() == [2015, 2016, 2017, 2018]
    assert windows.n_years.tolist() == [3] * 4


def test_limits_stand_for_a_standard_error():
    """Half the width over 1.959964, the 97.5 % point of the normal distribution."""
    limits = table().drop(columns="se").assign(lower=lambda t: t["value"] - 0.2, upper=lambda t: t["value"] + 0.2)
    assert stack_windows(limits).se == pytest.approx(np.full((1, 4), 0.2 / 1.959964), rel=1e-6)


def test_the_person_years_rule_and_rounding_add_up():
    """136 / sqrt(4.63 million) and a uniform error of 0.1 over the effective number of areas."""
    rows = table(["2018-20"], sex="Male", person_years=4.63e6, effective_areas=4.0).drop(columns="se")
    windows = stack_windows(rows, standard_error="person-years", decimals=1)
    assert windows.se[0, 0] ** 2 == pytest.approx(136**2 / 4.63e6 + 0.01 / 12 / 4, rel=1e-12)
    assert windows.sampling[0, 0] == pytest.approx(136 / 4.63e6**0.5, rel=1e-12)
    assert windows.rounding[0, 0] == pytest.approx((0.01 / 12 / 4) ** 0.5, rel=1e-12)


def test_two_spellings_of_a_period_are_one_period():
    areas = table(["2015-17", "2015 - 17"], area_code=["A", "B"])
    assert stack_windows(areas).value.shape == (2, 1)
    with pytest.raises(InvalidDataError, match=r"rows 0 and 1 .*repeat it"):
        stack_windows(table(["2015-17", "2015 to 2017"]))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (table(["2015-17", "2015-17"]), "each key may stand once"),
        (table(["2015-17", "lately"]), "cannot read period 'lately'"),
        (table(["2015-17", "2018-19"]), "may be a financial year, an academic year or two calendar years"),
        (table(["2015-17", "mid-2018"]), "mid-2018 is not a window of whole years"),
        (table(["2015", "2016/17"]), r"2015 \(calendar years\) and 2016/17 \(financial years\)"),
        (table(se=[0.1, 0.1, np.nan, 0.1]), r"no standard error in row 2 \(period 2017-19\)"),
        (table().drop(columns="se"), "say standard_error='person-years'"),
        (table(se=[0.1, -0.1, 0.1, 0.1]), r"no standard error in row 1|negative"),
    ],
)
def test_bad_windows_are_named(rows, message):
    with pytest.raises((SchemaError, InvalidDataError), match=message):
        stack_windows(rows)


def test_an_ambiguous_label_is_read_when_its_kind_is_given():
    windows = stack_windows(table(["2018-19", "2019-20"]), kind="financial")
    assert [period.canonical for period in windows.periods] == ["2018/19", "2019/20"]
    assert stack_windows(table(["2018-19"]), kind="calendar").n_years.tolist() == [2]


def test_editions_are_series_of_their_own_unless_they_are_thrown_together():
    mixed = table(edition=["a", "a", "b", "b"])
    assert len(stack_windows(mixed).value) == 2
    with pytest.raises(InvalidDataError, match="holds 2 values of 'edition': a, b"):
        stack_windows(mixed, by=[])


def test_the_person_years_rule_says_what_it_needs():
    with pytest.raises(SchemaError, match="'sex' and 'person_years'"):
        stack_windows(table(), standard_error="person-years")
    with pytest.raises(InvalidDataError, match="not for persons"):
        stack_windows(table(sex="Persons", person_years=1e6), standard_error="person-years")
    with pytest.raises(ValueError, match=r"standard_error 'guessed' is unknown\. Known: 'published'"):
        stack_windows(table(), standard_error="guessed")


def test_a_reference_is_met_by_keys_and_period():
    areas = stack_windows(pd.concat([table(area_code=code, sex=sex) for code in "AB" for sex in "FM"]))
    nation = pd.concat([table(area_code="E", sex=sex, value=80.0 if sex == "M" else 83.0) for sex in "MF"])
    matched = match_reference(areas, stack_windows(nation))
    assert matched.value[:, 0].tolist() == [83.0, 80.0, 83.0, 80.0]
    assert matched.value.shape == areas.value.shape


def test_a_reference_that_does_not_fit_is_refused():
    areas = stack_windows(table(area_code="A", edition="2022"))
    with pytest.raises(InvalidDataError, match="an edition with the same edition only"):
        match_reference(areas, stack_windows(table(area_code="E", edition="2026")))
    with pytest.raises(InvalidDataError, match="like is compared with like"):
        match_reference(stack_windows(table(indicator="hle")), stack_windows(table(indicator="le")))
    with pytest.raises(InvalidDataError, match="no value for 2018-20"):
        match_reference(areas, stack_windows(table(ROLLING[:3], area_code="E", edition="2022")))
    with pytest.raises(InvalidDataError, match="two match edition 2022, area_code F"):
        match_reference(areas, stack_windows(pd.concat([table(area_code=c, edition="2022") for c in "EF"])))


def test_by_a_year_is_the_window_centred_on_it_unless_told_otherwise():
    rolling, single, two = (stack_windows(table(p), kind="calendar") for p in (ROLLING, ["2018"], ["2018-19"]))
    assert target_window("2030", rolling).canonical == "2029-31"
    assert target_window("2030", rolling, by_year="end").canonical == "2028-30"
    assert target_window("2029-31", rolling) == Period.parse("2029-31")
    assert target_window(Period.parse("2030"), single).canonical == "2030"
    assert target_window("2030", two).canonical == "2030"
    financial = stack_windows(table(["2017/18"]))
    with pytest.raises(SchemaError, match="not made of the financial years of the series"):
        target_window("2030", financial)
    with pytest.raises(ValueError, match="by_year is 'centre' or 'end'"):
        target_window("2030", rolling, by_year="start")

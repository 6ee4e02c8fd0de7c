from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nenc_estimates.errors import SchemaError
from nenc_estimates.periods import Period

SPELLINGS = {
    "2018": (date(2018, 1, 1), 12, "calendar"),
    "2018 - 20": (date(2018, 1, 1), 36, "calendar"),
    "2018-20": (date(2018, 1, 1), 36, "calendar"),
    "2018 -20 ": (date(2018, 1, 1), 36, "calendar"),
    "2018–2020": (date(2018, 1, 1), 36, "calendar"),
    "2018 — 20": (date(2018, 1, 1), 36, "calendar"),
    "2018\u00a0\u2212\u00a020\u200b\n": (date(2018, 1, 1), 36, "calendar"),
    "２０１８ to 2020": (date(2018, 1, 1), 36, "calendar"),
    "2018-01-01/P3Y": (date(2018, 1, 1), 36, "calendar"),
    "2018-01-01T00:00:00/P36M": (date(2018, 1, 1), 36, "calendar"),
    "1999-01": (date(1999, 1, 1), 36, "calendar"),
    "2010-12": (date(2010, 1, 1), 36, "calendar"),
    "1993 to 2024": (date(1993, 1, 1), 384, "calendar"),
    "Jan 2018 - Dec 2019": (date(2018, 1, 1), 24, "calendar"),
    "2018/19": (date(2018, 4, 1), 12, "financial"),
    "2018/2019": (date(2018, 4, 1), 12, "financial"),
    "2018⁄19": (date(2018, 4, 1), 12, "financial"),
    "1999/00": (date(1999, 4, 1), 12, "financial"),
    "2018/19 - 20/21": (date(2018, 4, 1), 36, "financial"),
    "2018/19 to 2020/21": (date(2018, 4, 1), 36, "financial"),
    "1998/99–00/01": (date(1998, 4, 1), 36, "financial"),
    "2018 Q1": (date(2018, 1, 1), 3, "quarter"),
    "2018Q4": (date(2018, 10, 1), 3, "quarter"),
    "2018/19 Q1": (date(2018, 4, 1), 3, "quarter"),
    "2018/19 Q4": (date(2019, 1, 1), 3, "quarter"),
    "2018 Q1 - 2018 Q4": (date(2018, 1, 1), 12, "calendar"),
    "2018 Q2 - 2019 Q1": (date(2018, 4, 1), 12, "financial"),
    "2018 Q3 - 2019 Q2": (date(2018, 7, 1), 12, "rolling"),
    "Jan 2018": (date(2018, 1, 1), 1, "month"),
    "sept 2018": (date(2018, 9, 1), 1, "month"),
    "Jul 2018 - Jun 2019": (date(2018, 7, 1), 12, "rolling"),
    "Aug 2018 - Jul 2019": (date(2018, 8, 1), 12, "rolling"),
    "March 2018 to February 2019": (date(2018, 3, 1), 12, "rolling"),
    "Sep 2018 - Aug 2019": (date(2018, 9, 1), 12, "academic"),
    "mid-2020": (date(2020, 6, 30), 0, "point"),
    "Mid 2020": (date(2020, 6, 30), 0, "point"),
}


@st.composite
def periods(draw):
    """Any period that `Period` can hold."""
    year = draw(st.integers(1800, 2170))
    months = draw(st.one_of(st.integers(0, 40), st.sampled_from([12, 24, 36, 60, 240, 252, 264])))
    start = date(year, draw(st.integers(1, 12)), 1) if months else date(year, 6, 30)
    return Period(start=start, months=months)


@pytest.mark.parametrize(("text", "expected"), SPELLINGS.items(), ids=map(repr, SPELLINGS))
def test_every_published_spelling_is_read(text, expected):
    period = Period.parse(text)
    assert (period.start, period.months, period.kind) == expected
    assert str(period) == text


@pytest.mark.parametrize("text", ["2018-19", "2018 - 19", "2018–2019", "2018 to 2019", "1999-00"])
def test_two_years_in_a_row_are_refused_until_the_kind_is_said(text):
    with pytest.raises(SchemaError, match="may be a financial year, an academic year or two calendar years"):
        Period.parse(text)
    year = int(text[:4])
    financial, academic, calendar = (Period.parse(text, kind=k) for k in ("financial", "academic", "calendar"))
    assert (financial.start, financial.months) == (date(year, 4, 1), 12)
    assert (academic.start, academic.months) == (date(year, 9, 1), 12)
    assert (calendar.start, calendar.months) == (date(year, 1, 1), 24)


def test_a_split_year_is_academic_when_told_so():
    assert Period.parse("2018/19", kind="academic") == Period.parse("Sep 2018 - Aug 2019")
    assert Period.parse("2018/19 - 20/21", kind="academic").end == date(2021, 8, 31)


@pytest.mark.parametrize(
    "text",
    ["43101", "43101.0", "2018-01-01", "2018-01-01 00:00:00", "01/01/2018", "Oct-14", "1-Apr", "01-apr"],
)
def test_what_a_spreadsheet_made_of_a_label_is_refused_with_the_cure(text):
    with pytest.raises(SchemaError, match="format the column as text"):
        Period.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "-", "18", "18-20", "2018-18", "2020-18", "2020-2018", "2018-05", "2018/20", "2018/2020",
        "2018/19 - 20", "2018/19-18/19", "2018/19 - 20/22", "2018-20-22-24", "2018 Q5", "2018 Q0",
        "2018 Q4 - 2018 Q1", "Jan 2018 - 2019", "Jan 2018/19", "Jan 2018 Q1", "Janu 2018", "Jan-2018",
        "2018-00-01/P1Y", "2018-13-01/P1Y", "2018-01-02/P1Y", "2018-01-01/P0Y", "mid-20", "٢٠١٨", "1700",
        "201", "all years", "-2018",
    ],
)  # fmt: skip
def test_anything_else_is_refused(text):
    with pytest.raises(SchemaError, match=r"cannot read period .* expected a form such as"):
        Period.parse(text)


def test_a_message_never_repeats_a_whole_cell():
    with pytest.raises(SchemaError) as caught:
        Period.parse("x" * 5_000)
    assert "x" * 80 in str(caught.value)
    assert "x" * 81 not in str(caught.value)


@pytest.mark.parametrize("value", [2018, 43101.0, datetime(2018, 1, 1), None])
def test_numbers_and_dates_are_not_labels(value):
    with pytest.raises(SchemaError, match="a period is text"):
        Period.parse(value)


def test_a_kind_that_contradicts_the_label_is_refused():
    with pytest.raises(SchemaError, match="'2018/19' is of kind 'financial', not 'calendar'"):
        Period.parse("2018/19", kind="calendar")
    with pytest.raises(ValueError, match="kind must be one of calendar, financial"):
        Period.parse("2018", kind="fiscal")


@pytest.mark.parametrize(
    ("start", "months"),
    [(date(2018, 1, 2), 12), (date(2018, 1, 1), 0), (date(2018, 6, 30), 1), (date(2018, 1, 1), -1)],
)
def test_a_period_is_whole_months_or_a_mid_year(start, months):
    with pytest.raises(ValueError, match="starts on the first of a month"):
        Period(start=start, months=months)


@pytest.mark.parametrize(
    ("text", "midpoint", "year"),
    [
        ("2018", 2018.5, 2018),
        ("2018-20", 2019.5, 2019),
        ("2018/19", 2018.75, 2018),
        ("mid-2020", 2020.5, 2020),
    ],
)
def test_the_middle_of_a_period(text, midpoint, year):
    period = Period.parse(text)
    assert (period.midpoint, period.midpoint_year) == (midpoint, year)


def test_rolling_windows_know_what_they_share():
    window = Period.parse("2018 - 20")
    assert window.years == (2018, 2019, 2020)
    shared = {"2018-20": 36, "2019-21": 24, "2020-22": 12, "2021-23": 0}
    assert {t: window.overlap_months(Period.parse(t)) for t in shared} == shared
    assert [window.overlaps(Period.parse(t)) for t in ("2020-22", "2020/21", "mid-2019")] == [True] * 3
    assert [window.overlaps(Period.parse(t)) for t in ("2021-23", "2021", "mid-2021")] == [False] * 3
    assert Period.parse("2018/19").years == (2018, 2019)


def test_periods_sort_by_start_then_length():
    in_order = ["2017-19", "2018 Q1", "2018", "2018-20", "2018/19", "mid-2018"]
    assert [str(p) for p in sorted(map(Period.parse, reversed(in_order)))] == in_order


def test_spellings_of_one_stretch_are_one_key():
    same = {Period.parse(t) for t in ("2018-20", "2018 - 20", "2018 to 2020", "2018-01-01/P3Y", "Jan 2018-Dec 2020")}
    assert len(same) == 1
    assert Period.parse("2018/19 Q1") == Period.parse("2018 Q2")


@given(periods())
def test_a_period_survives_its_own_spelling(period):
    again = Period.parse(str(period))
    assert again == period
    assert again.kind == period.kind
    assert Period.parse(period.canonical, kind=period.kind).canonical == period.canonical


@given(
    st.sampled_from(sorted(SPELLINGS)),
    st.sampled_from(["-", "–", "—", "\u2011", "\u2212"]),
    st.text(" \u00a0\u200b"),
)
def test_dashes_and_blanks_do_not_change_a_label(text, dash, blank):
    period = Period.parse(text)
    dirty = Period.parse(blank + text.replace("-", dash) + blank)
    assert dirty == period
    assert Period.parse(str(dirty)) == Period.parse(period.canonical) == period


@given(periods(), periods())
def test_overlap_counts_shared_months_and_does_not_depend_on_order(one, other):
    assert one.overlap_months(other) == other.overlap_months(one) <= min(one.months, other.months)
    assert one.overlaps(other) == other.overlaps(one)
    assert one.overlaps(other) or not one.overlap_months(other)
    assert (one == other) == (one.canonical == other.canonical)


@given(periods())
def test_start_length_and_end_agree(period):
    assert (period.end + timedelta(days=1)).day == 1 or not period.months
    assert period.overlap_months(period) == period.months
    assert period.start <= period.end
    assert period.midpoint_year <= period.midpoint < period.midpoint_year + 1


@given(st.text(max_size=25))
def test_no_text_gives_anything_but_a_period_or_the_one_error(text):
    try:
        period = Period.parse(text)
    except SchemaError:
        return
    assert str(period) == (text or period.canonical)

"""Clean tables dirtied in random combinations of everything that people and programs do to files."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from nenc_estimates import EstimatesError
from nenc_estimates.readers import read_fingertips, read_mid_year_estimates
from nenc_estimates.readers.headings import plain_heading

if TYPE_CHECKING:
    from collections.abc import Callable

    Draw = st.DrawFn

HEAD = [
    *("Indicator ID", "Indicator Name", "Parent Code", "Parent Name", "Area Code", "Area Name", "Area Type", "Sex"),
    *("Age", "Category Type", "Category", "Time period", "Value", "Lower CI 95.0 limit", "Upper CI 95.0 limit"),
    *("Lower CI 99.8 limit", "Upper CI 99.8 limit", "Count", "Denominator", "Value note", "Recent Trend"),
    *("Compared to England value or percentiles", "Compared to Regions (statistical) value or percentiles"),
    *("Time period Sortable", "New data", "Compared to goal", "Time period range"),
]
AREAS = ["E92000001", "E06000047", "E06000057", "E08000021", "E06000004", "E08000037", "E06000063"]
NAMES = [
    "England",
    "County Durham",
    "Northumberland",
    "Newcastle upon Tyne",
    "Stockton-on-Tees",
    "Gateshead",
    "Cumberland",
]
CODE, NAME, SEX, CATEGORY, PERIOD, VALUE = "Area Code", "Area Name", "Sex", "Category Type", "Time period", "Value"


@dataclass
class Dirt:
    """A table on its way to bytes: cells, then text, then bytes."""

    rows: list[list[str]]
    head: list[str] = field(default_factory=lambda: list(HEAD))
    above: list[str] = field(default_factory=list)
    below: list[str] = field(default_factory=list)
    end: str = "\n"
    separator: str = ","
    quote_all: bool = False
    encoding: str = "utf-8"
    text: list[Callable[[str], str]] = field(default_factory=list)

    def to_bytes(self) -> bytes:
        out = io.StringIO()
        quoting = csv.QUOTE_ALL if self.quote_all else csv.QUOTE_MINIMAL
        writer = csv.writer(out, delimiter=self.separator, lineterminator=self.end, quoting=quoting)
        writer.writerows([*([line] for line in self.above), self.head, *self.rows, *([line] for line in self.below)])
        text = out.getvalue()
        for change in self.text:
            text = change(text)
        return text.encode(self.encoding, errors="replace")


def at(draw: Draw, dirt: Dirt) -> list[str]:
    return dirt.rows[draw(st.integers(0, len(dirt.rows) - 1))]


def place(dirt: Dirt, heading: str) -> int:
    """Where a column stands by now; beyond every row if it is gone."""
    plain = [plain_heading(known).replace(".", "") for known in dirt.head]
    wanted = plain_heading(heading).replace(".", "")
    return plain.index(wanted) if wanted in plain else 1_000


def some_cells(draw: Draw, dirt: Dirt, heading: str, change: Callable[[str], str]) -> None:
    column = place(dirt, heading)
    chosen = draw(st.lists(st.booleans(), min_size=len(dirt.rows), max_size=len(dirt.rows)))
    for row, take in zip(dirt.rows, chosen, strict=True):
        if take and column < len(row):
            row[column] = change(row[column])


def copied_rows(draw: Draw, dirt: Dirt) -> None:
    dirt.rows += [list(row) for row in dirt.rows[: draw(st.integers(1, len(dirt.rows)))]]


def joined_files(draw: Draw, dirt: Dirt) -> None:
    between = draw(st.integers(0, len(dirt.rows)))
    dirt.rows = [*dirt.rows[:between], list(dirt.head), *dirt.rows[between:]]


def shuffled_rows(draw: Draw, dirt: Dirt) -> None:
    dirt.rows = draw(st.permutations(dirt.rows))


def shuffled_columns(draw: Draw, dirt: Dirt) -> None:
    order = draw(st.permutations(range(len(dirt.head))))
    if all(len(row) == len(dirt.head) for row in dirt.rows):
        dirt.rows = [[row[i] for i in order] for row in dirt.rows]
        dirt.head = [dirt.head[i] for i in order]


def dropped_column(draw: Draw, dirt: Dirt) -> None:
    column = draw(st.integers(0, len(dirt.head) - 1))
    for row in [dirt.head, *dirt.rows]:
        del row[column : column + 1]


def doubled_column(draw: Draw, dirt: Dirt) -> None:
    column = draw(st.integers(0, len(dirt.head) - 1))
    for row in [dirt.head, *dirt.rows]:
        row.append(row[column] if column < len(row) else "")
    dirt.head[-1] += draw(st.sampled_from(["", ".1", "_2"]))


def other_headings(draw: Draw, dirt: Dirt) -> None:
    change = draw(
        st.sampled_from(
            [str.upper, str.lower, lambda h: h.replace(" ", ""), lambda h: h.replace(" ", "."), lambda h: f" {h}\u00a0"]
        )
    )
    dirt.head = [change(heading) for heading in dirt.head]


def row_names(draw: Draw, dirt: Dirt) -> None:
    if len({len(row) for row in [dirt.head, *dirt.rows]}) == 1:
        dirt.head.insert(0, "")
        for i, row in enumerate(dirt.rows, 1):
            row.insert(0, str(i))


def other_rows(draw: Draw, dirt: Dirt) -> None:
    """Rows of another category, of one year, or of another area type beside the headline."""
    if dirt.head != HEAD or len(dirt.rows[0]) != len(HEAD):
        return
    row = list(dirt.rows[0])
    if draw(st.booleans()):
        row[9:11] = ["Ethnic groups  [152]", "White"]
    else:
        row[11], row[-4], row[-1] = "2018", "20180000", "1y"
    row[12:17] = ["60.5", "60", "61", "59", "62"]
    dirt.rows.append(row)


def changed_value(draw: Draw, dirt: Dirt) -> None:
    """What makes a number something else than a number, or than one of years of life."""
    row = at(draw, dirt)
    column = place(dirt, VALUE)
    if column < len(row):
        odd = [
            "tbc",
            "1e400",
            "inf",
            "1_000",
            "٧٧",
            "77,5",
            "7 7.5",
            "0x4D",
            "77.5%",
            "£77",
            "0.775",
            "775",
            "-77",
            "-1",
        ]
        row[column] = draw(st.sampled_from(odd))


def spelled_value(draw: Draw, dirt: Dirt) -> None:
    """Another spelling of the same number."""
    change = draw(
        st.sampled_from(
            [
                lambda v: f" {v}",
                lambda v: f"{v}\u00a0",
                lambda v: f"+{v}",
                lambda v: f"{v} [p]",
                lambda v: f"{v}e0",
                lambda v: f"{v}\u200b",
            ]
        )
    )
    some_cells(draw, dirt, VALUE, lambda v: change(v) if v[:1].isdigit() and v[-1].isdigit() else v)


def spelled_code(draw: Draw, dirt: Dirt) -> None:
    wide = lambda c: "".join(chr(ord(x) + 0xFEE0) if "0" <= x <= "Z" else x for x in c)  # noqa: E731
    change = draw(
        st.sampled_from(
            [
                str.lower,
                wide,
                lambda c: f"\ufeff{c}",
                lambda c: f"{c} ",
                lambda c: c.replace("0", "O"),
                lambda c: c[:-1],
            ]
        )
    )
    some_cells(draw, dirt, CODE, change)


def named_area(draw: Draw, dirt: Dirt) -> None:
    for row in dirt.rows:
        code, name = place(dirt, CODE), place(dirt, NAME)
        if max(code, name) < len(row):
            row[code] = row[name]


def spelled_sex(draw: Draw, dirt: Dirt) -> None:
    words = {"Male": ["Males", "M", "male", "1", " Male "], "Female": ["Females", "F", "2", "FEMALE\u200b"]}
    some_cells(draw, dirt, SEX, lambda s: draw(st.sampled_from(words.get(s, [s]))))


def spelled_period(draw: Draw, dirt: Dirt) -> None:
    spell = [
        lambda p: p.replace("-", "–"),
        lambda p: p.replace(" ", "\u00a0"),
        lambda p: p.replace(" - ", "-20"),
        lambda p: p.replace(" - ", " to 20"),
    ]
    spoil = [
        lambda p: "43101",
        lambda p: "Jan-18",
        lambda p: p[:4],
        lambda p: p[:4] + "-" + str(int(p[2:4]) + 1) if p[:4].isdigit() else p,
    ]
    some_cells(draw, dirt, PERIOD, draw(st.sampled_from([*spell, *spoil])))


def emptied_cell(draw: Draw, dirt: Dirt) -> None:
    some_cells(draw, dirt, draw(st.sampled_from(["Indicator ID", CODE, SEX, "Age", PERIOD])), lambda _: "")


def ragged_row(draw: Draw, dirt: Dirt) -> None:
    row = at(draw, dirt)
    if draw(st.booleans()):
        row.insert(draw(st.integers(0, len(row))), draw(st.sampled_from(["", "x", "77"])))
    else:
        del row[draw(st.integers(0, len(row) - 1))]


def lines_around(draw: Draw, dirt: Dirt) -> None:
    pad = draw(st.booleans())
    dirt.above += ["Life expectancy: a download"] * draw(st.integers(0, 3))
    dirt.below += ["Source: ONS.", "Note: see there."][: draw(st.integers(0, 2))]
    if pad:
        dirt.rows.append([""] * len(dirt.head))


def other_file(draw: Draw, dirt: Dirt) -> None:
    dirt.end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    dirt.separator = draw(st.sampled_from([",", ",", "\t", ";", "|"]))
    dirt.quote_all = draw(st.booleans())
    dirt.encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252", "utf-16-le"]))


def stray_signs(draw: Draw, dirt: Dirt) -> None:
    places = draw(st.lists(st.floats(0, 1), min_size=1, max_size=3))
    sign = draw(st.sampled_from(['"', '"', '"', "\n", ",", "\r", "\0", "â€“"]))
    find = draw(st.sampled_from([lambda t, f: int(f * len(t)), lambda t, f: t.find(",", int(f * len(t))) + 1]))

    def change(text: str) -> str:
        for share in places:
            where = find(text, share)
            if sign == '"' or not text[max(0, where - 1) : where + 1].replace(".", "").isdigit():
                text = text[:where] + sign + text[where:]
        return text

    dirt.text.append(change)


def cut_short(draw: Draw, dirt: Dirt) -> None:
    """The last line breaks off in its middle."""
    share = draw(st.floats(0.1, 0.9))

    def change(text: str) -> str:
        start = text.rstrip("\r\n").rfind(dirt.end) + len(dirt.end)
        return text[: start + max(1, int(share * (len(text.rstrip("\r\n")) - start)))]

    dirt.text.append(change)


DIRTS = [
    *(copied_rows, joined_files, shuffled_rows, shuffled_columns, dropped_column, doubled_column, other_headings),
    *(row_names, other_rows, changed_value, spelled_value, spelled_code, named_area, spelled_sex, spelled_period),
    *(emptied_cell, ragged_row, lines_around, other_file, stray_signs, cut_short),
]


@st.composite
def clean_rows(draw: Draw) -> list[list[str]]:
    """Rows of life expectancy: two sexes, three periods, up to seven areas."""
    areas = draw(st.lists(st.integers(0, 6), min_size=1, max_size=4, unique=True))
    rows = []
    for i in areas:
        for sex in ("Male", "Female"):
            for start in draw(st.lists(st.sampled_from([2012, 2015, 2018]), min_size=1, max_size=2, unique=True)):
                value = draw(st.floats(60, 90))
                limits = [repr(value + by) for by in (-0.5, 0.5, -0.8, 0.8)]
                rows.append(
                    [
                        *("90366", "Life expectancy, at birth", "E12000001", "North East region (statistical)"),
                        *(AREAS[i], NAMES[i], "Counties & UAs (from Apr 2023)", sex, "All ages", "", ""),
                        *(f"{start} - {start - 1998:02d}", repr(value), *limits, "", "", "", "", "Similar", "Similar"),
                        *(f"{start}0000", "", "Not compared", "3y"),
                    ]
                )
    return rows


def numbers(table: Any) -> dict[tuple[str, ...], tuple[float, ...]]:
    keys = zip(table["area_code"], table["sex"], table["period"], strict=True)
    columns = zip(*(table[name] for name in ("value", "lower", "upper")), strict=True)
    return dict(zip(keys, columns, strict=True))


@given(rows=clean_rows(), dirts=st.lists(st.sampled_from(DIRTS), min_size=1, max_size=4), data=st.data())
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_outcome_is_always_the_clean_answer_or_an_error_never_a_different_number(
    rows: list[list[str]], dirts: list[Callable[[Draw, Dirt], None]], data: st.DataObject
) -> None:
    clean = numbers(read_fingertips(Dirt(rows=rows).to_bytes()).table)
    dirt = Dirt(rows=[list(row) for row in rows])
    for add in dirts:
        add(data.draw, dirt)
    try:
        given_numbers = numbers(read_fingertips(dirt.to_bytes()).table)
    except EstimatesError as error:
        event("refused")
        assert len(str(error)) < 5_000  # noqa: PT017 - an error is one of two right outcomes
        return
    event("clean" if given_numbers == clean else "reduced")
    without_limits = {key: value[:1] for key, value in given_numbers.items()}
    if dropped_column in dirts:  # a file without limits is a clean file without limits
        assert without_limits == {key: value[:1] for key, value in clean.items()}
    else:
        assert given_numbers == clean


PEOPLE = "ladcode23,laname23,country,sex,age,population_2021,population_2022"


@given(
    people=st.lists(st.integers(0, 2_000_000), min_size=8, max_size=8),
    sexes=st.sampled_from([("M", "F"), ("1", "2"), ("Males", "Females"), ("Male", "Female")]),
    commas=st.booleans(),
    persons=st.booleans(),
    off=st.sampled_from([0, 0, 0, 7]),
    copies=st.integers(1, 2),
    title=st.booleans(),
    odd=st.sampled_from(["", "", "", "-5", "1.5", "[c]", "12,34", "1e3x", "", "99999999999999999999"]),
)
@settings(max_examples=150, deadline=None)
def test_people_are_always_the_clean_ones_or_an_error_never_different_ones(
    people: list[int],
    sexes: tuple[str, str],
    commas: bool,
    persons: bool,
    off: int,
    copies: int,
    title: bool,
    odd: str,
) -> None:
    spell = (lambda n: f'"{n:,}"') if commas else str
    lines, clean = [], {}
    for i, (sex, word) in enumerate(zip(sexes, ("Male", "Female"), strict=True)):
        for age in (0, 1):
            pair = people[4 * i + 2 * age :][:2]
            lines.append(f"E06000047,County Durham,E,{sex},{age},{spell(pair[0])},{spell(pair[1])}")
            clean |= {(word, str(age), 2021): pair[0], (word, str(age), 2022): pair[1]}
    if persons:
        for age in (0, 1):
            both = [clean["Male", str(age), year] + clean["Female", str(age), year] + off for year in (2021, 2022)]
            lines.append(f"E06000047,County Durham,E,Persons,{age},{spell(both[0])},{spell(both[1])}")
    if odd:
        lines[0] = f'E06000047,County Durham,E,{sexes[0]},0,"{odd}",{spell(people[1])}'
    text = "\n".join([*(["MYEB1,,,,,,"] if title else []), PEOPLE, *(lines * copies)]) + "\n"
    try:
        table = read_mid_year_estimates(text.encode()).table
    except EstimatesError:
        assert odd or (persons and off)
        return
    keys = zip(table["sex"], table["age"], table["year"], strict=True)
    assert dict(zip(keys, table["people"].tolist(), strict=True)) == clean


def test_the_unspoiled_table_is_read_whole() -> None:
    """The comparison above cannot pass by comparing nothing."""
    row = ["90366", "LE", "", "", "E06000047", "County Durham", "UA", "Male", "All ages", "", "", "2018 - 20", "77.25"]
    dirt = Dirt(rows=[[*row, "77", "78", "76", "79", *[""] * 6, "20180000", "", "", "3y"]])
    assert numbers(read_fingertips(dirt.to_bytes()).table) == {("E06000047", "Male", "2018-20"): (77.25, 77.0, 78.0)}
    assert replace(dirt, end="\r\n").to_bytes() != dirt.to_bytes()


def test_a_last_row_of_which_only_commas_are_left_is_refused() -> None:
    text = b"Count,Indicator ID,Indicator Name,Area Code,Area Name,Sex,Age,Time period,Value\n"
    text += b",90366,LE,E06000047,County Durham,Male,All ages,2022,77.25\n"
    assert len(read_fingertips(text).table) == 1
    with pytest.raises(EstimatesError, match="row 3 has 3 cells, the header 9"):
        read_fingertips(text + b",,")

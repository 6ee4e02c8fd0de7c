import pandas as pd
import pytest

from nenc_estimates import (
    Crosswalk,
    load_crosswalk,
    load_denominator,
    read_fingertips,
    read_indicator,
    read_specification,
    run_release,
    select_geography,
    weigh,
)
from nenc_estimates.readers.report import ReadReport, Remark
from nenc_estimates.summaries import Summary, listed

CUMBRIA = "E10000006 (Cumbria, county), 64.0% inside"


def shown():
    crosswalk, people = load_crosswalk("utla21", "nenc"), load_denominator("residents")
    yield crosswalk, CUMBRIA
    yield Crosswalk.from_shares([("E06000001", "mine", 1.0)]), "membership of sources in targets\n"
    yield people, "sexes: 2: Female, Male"
    yield people, "ages: 20: 0, 1-4, 10-14, 15-19 and 16 more"
    yield weigh(crosswalk, people, year=2019), "10.4 effective areas, the largest 17.7%"
    yield (
        select_geography(read_indicator("hle_birth", edition="ons_2022_03"), "nenc"),
        "keeps 208 rows; .set_aside has 48",
    )


@pytest.mark.parametrize(("held", "text"), list(shown()), ids=lambda part: type(part).__name__)
def test_what_is_shown_says_what_is_held_in_text_and_in_a_notebook(held, text):
    assert text in repr(held)
    assert str(held) == repr(held)
    assert text in held._repr_html_() or all(part in held._repr_html_() for part in text.strip().split(": ", 1))


def test_a_run_names_its_tables_and_their_rows():
    run = run_release(read_specification())
    assert f".goals: {len(run.goals)} rows" in repr(run)


def test_a_file_that_was_read_shows_its_columns_and_its_report(tmp_path):
    path = tmp_path / "empty.csv"
    columns = [
        "Indicator ID",
        "Indicator Name",
        "Area Code",
        "Area Name",
        "Area Type",
        "Sex",
        "Age",
        "Time period",
        "Value",
    ]
    row = [90362, "HLE", "E06000001", "Hartlepool", "UTLA", "Male", "All ages", "2018 - 20", 57.0]
    pd.DataFrame([row], columns=columns).to_csv(path, index=False)
    text = repr(read_fingertips(path))
    assert text.startswith(".table has 1 rows: ")
    assert "1 rows read, 1 kept, 0 set aside" in text


def test_names_from_a_file_cannot_write_into_a_notebook():
    report = ReadReport(source="<script>x</script>", set_aside=(Remark(what="<b>", rows=1),))
    assert "<script>" not in report._repr_html_()
    assert "<b>" not in report._repr_html_()


def test_a_list_says_how_many_it_does_not_name():
    assert listed([]) == ""
    assert listed(["a", "b"], most=2) == "a, b"
    assert listed(["a", "b", "c"], most=2) == "a, b and 1 more"


def test_an_object_that_does_not_say_what_it_holds_cannot_be_made():
    class Silent(Summary):
        def _head(self):
            return "nothing follows"

    with pytest.raises(TypeError, match="_lines"):
        Silent()

"""Labels of quantiles of every era, and tables in the wrong order."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nenc_estimates.errors import InvalidDataError, SchemaError
from nenc_estimates.quantile_tables import parse_quantiles, stack_quantiles

# the categories of Fingertips' files, with the suffixes of two editions
DECILES = [
    *("Most deprived decile", "Second most deprived decile", "Third more deprived decile"),
    *("Fourth more deprived decile", "Fifth more deprived decile", "Fifth less deprived decile"),
    *("Fourth less deprived decile", "Third less deprived decile", "Second least deprived decile"),
    "Least deprived decile",
]
QUINTILES = [
    *("Most deprived quintile", "Second most deprived quintile", "Average deprived quintile"),
    *("Second least deprived quintile", "Least deprived quintile"),
]


@pytest.mark.parametrize("suffix", ["", " (IMD2015)", " (IMD2019)", "  "])
@pytest.mark.parametrize("labels", [DECILES, QUINTILES])
def test_published_labels_of_every_era_count_from_the_most_deprived(labels, suffix):
    numbers, count = parse_quantiles([label + suffix for label in labels])
    assert numbers == list(range(1, count + 1))
    assert count == len(labels)


@given(st.permutations(DECILES))
def test_the_order_of_labels_does_not_matter(labels):
    numbers, _ = parse_quantiles(labels)
    assert numbers == [DECILES.index(label) + 1 for label in labels]


def test_words_on_one_label_give_the_direction_of_all_numbers():
    assert parse_quantiles(["1 - most deprived", "2", "5 - least deprived"], quantiles=5) == ([1, 2, 5], 5)
    assert parse_quantiles(["5 (most deprived)", "1", "Q2"], quantiles=5) == ([1, 5, 4], 5)
    assert parse_quantiles(["Decile 1 – Most deprived 10%", "Decile 10"]) == ([1, 10], 10)


def test_numbers_alone_never_have_a_direction():
    with pytest.raises(SchemaError, match=r"which number is the most deprived.*never guessed"):
        parse_quantiles(["1", "2", "3", "4", "5"], quantiles=5)


def test_what_numbers_alone_do_not_say_is_asked_for_at_once():
    with pytest.raises(SchemaError, match=r"such as quantiles=5, most_deprived=1$"):
        parse_quantiles(["1", "2", "3", "4", "5"])
    with pytest.raises(SchemaError, match=r"such as quantiles=5$"):
        parse_quantiles(["1 - most deprived", "2", "5 - least deprived"])


def test_the_number_of_quantiles_is_not_taken_from_the_largest():
    with pytest.raises(SchemaError, match=r"the number of quantiles.*never guessed"):
        parse_quantiles(["1", "2", "3", "4"], most_deprived=1)


@pytest.mark.parametrize(
    ("labels", "options", "message"),
    [
        (["Group A"], {}, "'Group A' is no quantile"),
        (["Average deprived decile"], {}, "none of 10 quantiles"),
        (["11"], {"quantiles": 10, "most_deprived": 1}, "'11' is none of 10"),
        (["0"], {"quantiles": 10, "most_deprived": 10}, "'0' is none of 10"),
        (["Most deprived decile"], {"quantiles": 5}, "is 10 by 'Most deprived decile', but 5"),
        (["1 - most deprived", "5 - most deprived"], {"quantiles": 5}, "is 1 by .* but 5 by"),
        (["3 - most deprived"], {"quantiles": 5}, "has the number 1 or 5, not 3"),
        (["1", "2"], {"quantiles": 2, "most_deprived": 1}, "3 or more quantiles, not 2"),
    ],
)
def test_labels_that_cannot_be_read_are_named(labels, options, message):
    with pytest.raises(SchemaError, match=message):
        parse_quantiles(labels, **options)


def test_text_labels_that_sort_wrongly_are_put_in_their_order():
    # as text "10" comes before "2": phe_sii then gave 2.07 where 6.93 is right
    table = pd.DataFrame({"quantile": [str(i) for i in range(1, 11)], "value": range(1, 11)})
    stacked = stack_quantiles(table.sample(frac=1, random_state=1), ["value"], by=[], quantiles=10, most_deprived=1)
    assert stacked.values["value"].tolist() == [list(range(1, 11))]


def test_one_quantile_under_two_spellings_is_refused():
    table = pd.DataFrame({"quantile": ["Most deprived quintile", "most deprived fifth"], "value": [1.0, 2.0]})
    with pytest.raises(InvalidDataError, match=r"same quantile, .*written in two ways"):
        stack_quantiles(table, ["value"], by=[])

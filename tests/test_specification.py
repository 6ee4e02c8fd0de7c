from __future__ import annotations

import pytest
from pydantic import ValidationError

from nenc_estimates.errors import SchemaError
from nenc_estimates.packaged import indicator_files
from nenc_estimates.specification import default_specification, read_specification

ENTRY = '[[weighted]]\nindicator = "hle_birth"\nedition = "ons_2022_03"\n'
LIFE = '[[weighted]]\nindicator = "le_birth"\nedition = "ohid_2026_05"\n'
ILL = '[[ill_health]]\nhealthy = "ons_2022_03"\nlife = "ohid_2026_05"\n'
COUNT = '[[weighted]]\nindicator = "drug_poisoning_deaths"\nedition = "ons_2021"\n'


@pytest.fixture
def write(tmp_path):
    def written(text):
        path = tmp_path / "estimates.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return written


def test_the_packaged_specification_lists_every_packaged_edition(specification):
    assert default_specification().is_file()
    assert {(entry.indicator, entry.edition) for entry in specification.weighted} == set(indicator_files())


def test_a_specification_cannot_be_changed(specification):
    with pytest.raises(ValidationError, match="frozen"):
        specification.title = "other"


def test_a_complete_specification_is_read(write):
    read = read_specification(write(f'title = "t"\n{ENTRY}{LIFE}{ILL}'))
    assert [entry.edition for entry in read.weighted] == ["ons_2022_03", "ohid_2026_05"]
    assert read.weighted[0].to == ("nenc", "local_icp")
    assert read.deprivation is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f'titel = "t"\n{ENTRY}', "unknown key 'titel'. Did you mean 'title'?"),
        (f'title = "t"\n{ENTRY}gaps = true', "unknown key 'gaps'. Did you mean 'gap'?"),
        (f'title = "t"\n{ENTRY}zzzzzz = true', "unknown key 'zzzzzz'. Known: indicator, edition, to"),
        (ENTRY, "title"),
        ('title = "t"', "weighted"),
        ('title = "t"\nweighted = []', "at least 1 item"),
        ('title = "t"\nweighted = ["hle"]', "weighted"),
        (f'title = "t"\n{ENTRY.replace("hle_birth", "hle")}', "unknown indicator 'hle'. Known: hle_birth, le_birth"),
        (f'title = "t"\n{ENTRY.replace("2022", "2021")}', "no edition 'ons_2021_03'. It has: ons_2022_03, ons_2026_02"),
        (f'title = "t"\n{ENTRY}{ENTRY}', "listed twice under weighted: hle_birth ons_2022_03"),
        (f'title = "t"\n{ENTRY}{ILL}', "ill_health needs le_birth ohid_2026_05 under weighted"),
        (f'title = "t"\n{COUNT}{ILL}', "needs hle_birth ons_2022_03 and le_birth ohid_2026_05 under weighted"),
        (f'title = "t"\n{ENTRY}to = ["wales"]', "'nenc' or 'local_icp'"),
        (f'title = "t"\n{ENTRY}to = []', "at least 1 item"),
        (f'title = "t"\n{ENTRY}to = ["nenc", "nenc"]', "to names a target twice"),
        (f'title = "t"\n{ENTRY}missing = "zero"', "'error' or 'renormalise'"),
        (f'title = "t"\n{ENTRY}min_coverage = 0.5', "greater than or equal to 0.66"),
        (f'title = "t"\n{COUNT}gap = true', "gap = true is years behind England: it is for life expectancy"),
        (
            f'title = "t"\n{ENTRY}[[life_tables]]\ndeaths = "ons_2015"',
            "no deaths by age 'ons_2015'. There are: ons_2014",
        ),
        (
            f'title = "t"\n{ENTRY}[[decomposition]]\ndeaths = "ons_2015"\nyear = 2015',
            "no file deaths_by_age_ons_2015. There",
        ),
        (f'title = "t"\n{ENTRY}gap = true\nreference = "E12000001"', "gap = true is the gap to England"),
        (f'title = "t"\n{ENTRY}gap = true\nreference = ""', "gap = true is the gap to England"),
        (f'title = "t"\n{ENTRY}standard_error = "person-years"', "not for kind 'healthy life"),
        (f'title = "t"\n{COUNT}missing = "renormalise"', "a count is not averaged"),
        (f'title = "t"\n{ENTRY}[deprivation]\nages = ["all"]', "years"),
    ],
)
def test_what_a_person_wrote_wrong_is_said_with_what_was_expected(write, text, words):
    with pytest.raises(ValidationError) as caught:
        read_specification(write(text))
    assert words in str(caught.value)


def test_the_reason_to_show_counts_as_published_is_found_by_indicator_and_edition(write):
    reason = 'as_published = "their publisher shows them for every authority"'
    read = read_specification(write(f'title = "t"\n{ENTRY}{COUNT}{reason}'))
    assert read.as_published == {
        ("drug_poisoning_deaths", "ons_2021"): "their publisher shows them for every authority"
    }


def test_a_file_that_is_absent_or_no_toml_is_refused_by_name(write, tmp_path):
    with pytest.raises(SchemaError, match=r"the specification .*none.toml cannot be read: No such file"):
        read_specification(tmp_path / "none.toml")
    with pytest.raises(SchemaError, match=r"cannot be read: "):
        read_specification(tmp_path)
    with pytest.raises(SchemaError, match=r"estimates.toml is not TOML: Invalid value"):
        read_specification(write("title ="))
    path = write("")
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(SchemaError, match=r"estimates.toml is not TOML"):
        read_specification(path)

from __future__ import annotations

import sys
from importlib.metadata import version

import pytest

from nenc_estimates.cli import main
from nenc_estimates.release import run as running

SMALL = 'title = "t"\n[[weighted]]\nindicator = "hle_birth"\nedition = "ons_2022_03"\n'


@pytest.fixture
def spec(tmp_path):
    """A specification of one indicator, which runs fast."""
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    return str(path)


def test_check_shows_every_published_figure_and_succeeds(capsys):
    assert main(["check"]) == 0
    out, err = capsys.readouterr()
    lines = {line.split("  ")[0]: line for line in out.splitlines()}
    for name, published, estimate, outcome in (
        ("hle_birth_nenc_female", "60.2", "60.23 (59.58 to 60.89)", "reproduced"),
        ("hle_birth_nenc_male", "59.4", "59.41 (58.79 to 60.02)", "reproduced"),
        ("hle_birth_england_female", "63.5", "63.87 (63.66 to 64.07)", "differs"),
        ("hle_birth_england_male", "63.1", "63.14 (62.94 to 63.34)", "reproduced"),
        ("areas_hle_below_60", "9", "9", "reproduced"),
        ("most_deprived_fifth_nenc", "32", "31.90", "reproduced"),
        ("most_deprived_fifth_nenc_0_4", "40", "39.64", "reproduced"),
        ("most_deprived_fifth_england_0_4", "25", "24.81", "reproduced"),
        ("smoking_2020_edition_2024", "13", "15.61", "differs"),
        ("le_quintile_gap_male", "10.4", "[x]", "cannot be recomputed"),
        ("le_quintile_gap_female", "8.1", "[x]", "cannot be recomputed"),
        ("population_2020", "3,000,432", "3,000,432", "reproduced"),
    ):
        assert [part.strip() for part in lines[name].split("  ") if part.strip()][2:] == [published, estimate, outcome]
    assert "2017-19" in out
    assert err == ""


def test_check_fails_when_a_figure_that_should_be_reproduced_is_not(spec, capsys, monkeypatch):
    def shifted(estimates, *, reproduce=running.reproduce):
        return reproduce(estimates.assign(value=estimates["value"] + 1))

    monkeypatch.setattr(running, "reproduce", shifted)
    assert main(["check", "--spec", spec]) == 1
    out, err = capsys.readouterr()
    assert (
        "not as expected: hle_birth_nenc_female: published 60.2, estimated 61.23: differs, expected reproduced" in err
    )
    assert err.count("\n") == 3  # women, men, and the men of England
    assert "reproduced" not in [line.split("  ")[-1] for line in out.splitlines()]


def test_a_figure_outside_the_specification_is_said_to_be_so(spec, capsys):
    assert main(["check", "--spec", spec]) == 0
    assert "not in this release" in capsys.readouterr().out


def test_publish_writes_a_release_and_says_where_quietly_when_piped(spec, capsys, tmp_path):
    assert main(["publish", "--spec", spec, "--out", str(tmp_path / "out")]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "96 estimates in" in out  # 8 windows, 2 sexes, the whole, its four parts and England
    assert (tmp_path / "out" / "index.html").is_file()


def test_publish_writes_into_release_where_it_stands_when_not_told_otherwise(spec, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["publish", "--spec", spec]) == 0
    assert (tmp_path / "release" / "run.json").is_file()
    assert capsys.readouterr().err == ""


def test_a_terminal_sees_the_progress(spec, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert main(["check", "--spec", spec]) == 0
    err = capsys.readouterr().err
    assert "hle_birth ons_2022_03" in err
    assert "published figures" in err
    assert "\n" not in err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (SMALL.replace("edition", "editoin"), "weighted.0: unknown key 'editoin'. Did you mean 'edition'?"),
        (SMALL.replace('"ons_2022_03"', '"none"'), "hle_birth has no edition 'none'"),
        (SMALL + SMALL.split("\n", 1)[1], "specification: listed twice under weighted: hle_birth ons_2022_03"),
        ("title", "small.toml is not TOML"),
        (SMALL.replace("hle", "le").replace("ons_2022_03", "ons_original"), "has no row for the reference"),
        (SMALL + "[deprivation]\nyears = [1999]\n", "no rows"),
    ],
)
@pytest.mark.parametrize("command", ["publish", "check"])
def test_a_wrong_specification_ends_with_two_and_the_reason(command, text, words, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "small.toml"
    path.write_text(text)
    assert main([command, "--spec", str(path)]) == 2
    out, err = capsys.readouterr()
    assert words in err
    assert "Traceback" not in err
    assert out == ""
    assert [each.name for each in tmp_path.iterdir()] == ["small.toml"]


def test_an_absent_specification_and_a_foreign_folder_end_with_two(spec, capsys, tmp_path):
    assert main(["check", "--spec", str(tmp_path / "none.toml")]) == 2
    assert "none.toml cannot be read" in capsys.readouterr().err
    assert main(["publish", "--spec", spec, "--out", str(tmp_path)]) == 2
    assert "is not a release" in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    assert main(["publish", "--spec", spec, "--out", str(tmp_path / "file" / "out")]) == 2
    assert "file" in capsys.readouterr().err


def test_help_names_the_commands_and_version_the_version(capsys):
    for arguments, words in (
        (["--help"], "publish"),
        (["publish", "--help"], "--out"),
        (["--version"], version("nenc-estimates")),
    ):
        with pytest.raises(SystemExit) as left:
            main(arguments)
        assert left.value.code == 0
        assert words in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["print"], ["check", "--out", "x"]])
def test_an_unknown_command_ends_with_two(arguments, capsys):
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2
    assert "usage: nenc-estimates" in capsys.readouterr().err

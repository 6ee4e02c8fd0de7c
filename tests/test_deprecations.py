from importlib.metadata import version

import pytest

import nenc_estimates
from nenc_estimates.deprecations import DEPRECATED, Deprecation, overdue, warn_deprecated


def test_nothing_outlives_the_release_in_which_it_was_to_go():
    assert overdue(DEPRECATED, version("nenc_estimates")) == []
    assert {entry.instead.split("(")[0] for entry in DEPRECATED.values()} <= set(nenc_estimates.__all__)


def test_a_deprecated_name_is_overdue_from_its_removal_release_on():
    entry = {"estimate_old": Deprecation(instead="estimate_gap", since="0.2", removal="0.4")}
    assert overdue(entry, "0.3.12") == []
    assert overdue(entry, "0.4.0") == overdue(entry, "1.0.0") == ["estimate_old"]


def test_a_deprecated_public_name_warns_and_gives_what_replaces_it(monkeypatch):
    entry = Deprecation(instead="estimate_gap", since="0.2", removal="0.4")
    monkeypatch.setattr("nenc_estimates.deprecations.DEPRECATED", {"estimate_old": entry})
    with pytest.warns(DeprecationWarning, match="estimate_old is deprecated since release 0.2 .* write estimate_gap"):
        found = nenc_estimates.estimate_old
    assert found is nenc_estimates.estimate_gap


def test_the_warning_points_at_the_line_that_used_the_old_name():
    def used_by_a_person():
        warn_deprecated("f(old)", Deprecation(instead="f(new)", since="0.2", removal="0.4"), stacklevel=2)

    with pytest.warns(DeprecationWarning, match=r"f\(old\)") as caught:
        used_by_a_person()
    assert caught[0].filename == __file__


def test_a_name_that_never_was_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'estimate_nothing'"):
        _ = nenc_estimates.estimate_nothing

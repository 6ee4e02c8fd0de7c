"""Confidence levels: one where one is taken, and quantiles that are not rounded."""

from __future__ import annotations

from typing import Any

import pytest

from nenc_estimates.kernels.levels import one_level, tails, z_value


def test_the_quantile_of_95_percent_is_not_1_96() -> None:
    # Wichura 1988, AS 241, to 16 digits
    assert float(z_value(0.95)) == pytest.approx(1.959963984540054, rel=1e-15)


def test_tails_of_several_levels_keep_their_order() -> None:
    assert tails((0.998, 0.95)).tolist() == pytest.approx([0.001, 0.025])


@pytest.mark.parametrize("level", [(0.9, 0.95), [0.95], 95, 0.0, "high", None, [], float("nan")])
def test_what_is_not_one_level_is_refused(level: Any) -> None:
    with pytest.raises(ValueError, match="confidence is"):
        one_level(level)
    assert one_level(0.5) == 0.5

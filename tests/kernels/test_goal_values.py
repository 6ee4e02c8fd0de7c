"""What each kind of goal asks for."""

import numpy as np
import pytest

from nenc_estimates.kernels.goal_values import GOALS

NUMBERS = {"reduce_gap": {"by": 0.1}, "reach": {"level": 5.0}, "change_by": {"by": -0.2}}


@pytest.mark.parametrize("kind", GOALS)
def test_every_kind_gives_one_goal_for_each_baseline_and_leaves_it_alone(kind):
    baseline = np.array([[1.8, 3.7, 10.4]])
    baseline.flags.writeable = False
    goal = GOALS[kind](baseline, **NUMBERS.get(kind, {}))
    assert goal.shape == baseline.shape
    assert np.isfinite(goal).all()


def test_goal_values_are_those_of_the_strategy():
    """Arithmetic of the words: 10 % off 3.7 and 10.4; 5 % smoking; 20 % off an index of 100; a level kept."""
    assert GOALS["reduce_gap"]([3.7, 10.4], by=0.1).round(12).tolist() == [3.33, 9.36]
    assert GOALS["reach"](13.0, level=5.0) == 5.0
    assert GOALS["change_by"](100.0, by=-0.2) == 80.0
    assert GOALS["change_by"](52.0, points=3.0) == 55.0
    assert GOALS["improve"](60.2) == GOALS["return_to"](60.2) == 60.2


def test_a_gap_that_is_not_there_cannot_be_reduced():
    assert np.isnan(GOALS["reduce_gap"]([0.0, -0.4, 1.0], by=0.1)).tolist() == [True, True, False]


def test_closing_a_gap_is_reaching_nought():
    assert GOALS["reduce_gap"](1.8, by=1.0) == GOALS["reach"](1.8, level=0.0)

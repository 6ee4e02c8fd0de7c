from __future__ import annotations

import numpy as np
import pytest

from nenc_estimates.draw_store import draw_store


@pytest.mark.parametrize("max_bytes", [0, 10**9])
def test_runs_that_come_in_any_order_are_read_as_one_in_memory_and_on_disk(max_bytes):
    drawn = np.random.default_rng(1).normal(size=(7, 20))
    with draw_store(7, 20, max_bytes=max_bytes) as store:
        for first, stop in ((13, 20), (0, 6), (6, 13)):
            store.write(first, drawn[:, first:stop])
        assert np.array_equal(store.read(0, 7), drawn)
        assert np.array_equal(store.read(2, 5), drawn[2:5])
        assert np.array_equal(store.read(6, 99), drawn[6:])

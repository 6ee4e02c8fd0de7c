"""Aligned rows, views with age first, and the sharing of tables among threads."""

from __future__ import annotations

import numpy as np
import pytest

from nenc_estimates.kernels.blocks import (
    age_last,
    age_rows,
    copy_rows,
    empty_rows,
    is_streamable,
    share_tables,
)


@pytest.mark.parametrize("tables", [0, 1, 7, 512, 16_384, 100_001])
def test_each_row_starts_on_a_cache_line_and_no_two_a_page_apart(tables: int) -> None:
    rows = empty_rows(4, tables)
    assert rows.shape == (4, tables)
    if tables:
        assert all(row.ctypes.data % 64 == 0 for row in rows)
    assert rows.strides[0] % 4096 != 0 or tables == 0


@pytest.mark.parametrize("shape", [(5,), (3, 5), (2, 3, 5), (0, 5)])
def test_views_with_age_first_and_last_are_inverse_and_share_memory(shape: tuple[int, ...]) -> None:
    values = np.arange(np.prod(shape), dtype=float).reshape(shape)
    rows = age_rows(values, shape)
    assert rows.shape == (5, np.prod(shape[:-1], dtype=int))
    np.testing.assert_array_equal(age_last(rows, shape), values)
    assert values.size == 0 or np.shares_memory(rows, values)
    back = age_last(empty_rows(*rows.shape), shape)
    assert values.size == 0 or np.shares_memory(age_rows(back, shape), back)


def test_rows_are_used_where_they_lie_only_as_native_float64_in_one_stream_each() -> None:
    rows = np.ones((3, 40))
    repeated = np.broadcast_to(np.ones((3, 1)), (3, 40))
    assert all(is_streamable(each) for each in (rows, rows[:, 5:9], repeated, empty_rows(3, 40)))
    for each in (rows.T, rows[:, ::2], rows.astype(np.int64), rows.astype(np.float32), rows.astype(">f8")):
        assert not is_streamable(each)


def test_rows_of_another_layout_and_type_are_copied_exactly() -> None:
    source = np.random.default_rng(1).integers(-9, 9, (1500, 7)).astype(np.int16)
    out = empty_rows(7, 1500)
    copy_rows(source.T, out)
    np.testing.assert_array_equal(out, source.T)


@pytest.mark.parametrize(("tables", "workers"), [(0, 1), (1, 4), (100, 1), (100, 2), (1001, 3)])
def test_every_table_is_given_to_exactly_one_worker(tables: int, workers: int) -> None:
    seen = np.zeros(tables, dtype=int)

    def work(first: int, end: int) -> None:
        seen[first:end] += 1

    share_tables(work, tables, workers=workers)
    assert (seen == 1).all()


def test_an_error_in_a_worker_is_raised() -> None:
    def work(first: int, end: int) -> None:
        raise RuntimeError(f"tables {first} to {end}")

    with pytest.raises(RuntimeError, match="tables 0 to"):
        share_tables(work, 100, workers=2)


@pytest.mark.parametrize("workers", [0, -1, 1.5])
def test_workers_must_be_a_whole_number(workers: float) -> None:
    with pytest.raises(ValueError, match="whole number of 1 or more"):
        share_tables(lambda first, end: None, 10, workers=workers)

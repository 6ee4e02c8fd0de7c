from __future__ import annotations

import io
import time

import pytest

from nenc_estimates import running
from nenc_estimates.running import progress_bar, run_pieces

PIECES = [(0, 2), (2, 2), (4, 1)]


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("workers", [1, 3])
def test_every_piece_is_done_once(workers):
    done = []
    run_pieces(lambda first, count: done.append((first, count)), PIECES, workers=workers, what="draws")
    assert sorted(done) == PIECES


@pytest.mark.parametrize("workers", [1, 2])
def test_an_interruption_ends_the_run_and_passes_through(workers):
    done = []

    def work(first, count):
        done.append(first)
        if first == 0:
            raise KeyboardInterrupt
        time.sleep(0.01)

    with pytest.raises(KeyboardInterrupt):
        run_pieces(work, [(i, 1) for i in range(200)], workers=workers, what="draws")
    assert len(done) < 100


@pytest.mark.parametrize("workers", [0, 1.5])
def test_impossible_numbers_of_workers_are_refused(workers):
    with pytest.raises(ValueError, match="workers must be a whole number of 1 or more"):
        run_pieces(lambda first, count: None, PIECES, workers=workers, what="draws")


def test_progress_shows_on_a_terminal_after_two_seconds_and_is_wiped_away(monkeypatch):
    moments = iter([0.0, 1.9, 2.5, 3.0])
    monkeypatch.setattr(running.time, "monotonic", lambda: next(moments))
    terminal = Terminal()
    monkeypatch.setattr(running.sys, "stderr", terminal)
    with progress_bar(1000, what="draws") as advance:
        advance(250)
        assert terminal.getvalue() == ""
        advance(250)
        assert "500 of 1,000 draws, about 2 s left" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[K")


@pytest.mark.parametrize(("stream", "shown"), [(io.StringIO(), None), (Terminal(), False)])
def test_nothing_shows_elsewhere_or_where_it_is_not_wanted(monkeypatch, stream, shown):
    moments = iter([0.0, 9.0])
    monkeypatch.setattr(running.time, "monotonic", lambda: next(moments))
    monkeypatch.setattr(running.sys, "stderr", stream)
    with progress_bar(10, what="draws", shown=shown) as advance:
        advance(5)
    assert stream.getvalue() == ""

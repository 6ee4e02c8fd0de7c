"""Weighting: formulas, crosswalk products, the public function. Run as a script it prints the ratios."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from nenc_estimates import Crosswalk, Denominator, estimate_indicator
from nenc_estimates.kernels import weighting as formulas
from nenc_estimates.kernels.apportioning import apportion, plan

if TYPE_CHECKING:
    from collections.abc import Callable

RNG = np.random.default_rng(20221216)


@pytest.mark.parametrize("n", [1, 300, 7_000, 35_000])
def test_weighted_mean_with_variance(benchmark: Any, n: int) -> None:
    starts = np.arange(0, n, max(n // 42, 1))
    people, share, value = RNG.random(n) + 1, RNG.random(n) + 0.1, RNG.normal(60, 2, n)

    def run() -> Any:
        weight = formulas.weights(people, share, starts)
        return formulas.weighted_mean(value, weight, starts), formulas.weighted_mean_variance(value**0, weight, starts)

    assert np.isfinite(benchmark(run)[0]).all()


def national(n: int, targets: int, columns: int) -> tuple[Any, Any, Any]:
    """Pairs in no order, the same as a CSR matrix, and values."""
    target, weight = RNG.integers(0, targets, n), RNG.random(n) + 0.1
    values = RNG.random((n, columns))
    matrix = sparse.csr_matrix((weight, (target, np.arange(n))), shape=(targets, n))
    return plan(target, np.arange(n), weight, n_targets=targets, n_sources=n), matrix, values


def test_lsoas_to_icbs(benchmark: Any) -> None:
    pairs, matrix, values = national(33_755, 42, 40)
    np.testing.assert_allclose(benchmark(lambda: apportion(values, pairs)), matrix @ values)


def fingertips_like() -> tuple[pd.DataFrame, Crosswalk, Denominator]:
    """Fifty thousand rows: 300 indicators of 167 areas."""
    codes = [f"X{i:04d}" for i in range(167)]
    crosswalk = Crosswalk.from_shares([(code, f"T{i % 5}", 1.0) for i, code in enumerate(codes)])
    people = Denominator.from_table(pd.DataFrame({"area_code": codes, "people": RNG.integers(50_000, 900_000, 167)}))
    table = pd.DataFrame(
        {
            "indicator": np.repeat([f"indicator {i}" for i in range(300)], 167),
            "area_code": codes * 300,
            "value": RNG.normal(50, 5, 50_100),
        }
    )
    return table.sample(frac=1.0, random_state=1).reset_index(drop=True), crosswalk, people


def test_a_whole_table_of_indicators(benchmark: Any) -> None:
    table, crosswalk, people = fingertips_like()
    assert len(benchmark(lambda: estimate_indicator(table, to=crosswalk, denominator=people))) == 1_500


def ratio(name: str, first: Callable[[], Any], second: Callable[[], Any], rounds: int = 11) -> str:
    """Process-CPU time of two functions in turn, as median and range of their ratio."""
    ratios, times = [], []
    for _ in range(rounds + 1):
        spent = []
        for run in (first, second):
            begun = time.process_time()
            run()
            spent.append(time.process_time() - begun)
        ratios.append(spent[0] / spent[1])
        times.append(spent)
    ratios, times = ratios[1:], times[1:]
    ours, theirs = (statistics.median(column) * 1e3 for column in zip(*times, strict=True))
    spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
    return f"{name}: {spread}; {ours:.2f} against {theirs:.2f} ms"


def main() -> None:
    """Print the ratios that the project promises."""
    pairs, matrix, values = national(33_755, 42, 800)
    arranged, rows = pairs.arrange(values)
    print(
        ratio(
            "33,755 LSOAs to 42 ICBs x 800 columns / CSR product",
            lambda: apportion(values, pairs),
            lambda: matrix @ values,
        )
    )
    print(ratio("  the same, arranged once / reading the values once", lambda: apportion(rows, arranged), rows.sum))
    pairs, matrix, values = national(317, 42, 10_000)
    arranged, rows = pairs.arrange(values)
    print(
        ratio(
            "317 LAs to 42 ICBs x 10,000 draws / CSR product", lambda: apportion(values, pairs), lambda: matrix @ values
        )
    )
    print(ratio("  the same, arranged once", lambda: apportion(rows, arranged), lambda: matrix @ values))
    table, crosswalk, people = fingertips_like()

    def grouped() -> pd.Series:
        return table.groupby(["indicator", "area_code"])["value"].sum()

    print(
        ratio(
            "50,100 rows of 300 indicators, table to table / groupby().sum()",
            lambda: estimate_indicator(table, to=crosswalk, denominator=people),
            grouped,
        )
    )


if __name__ == "__main__":
    main()

"""Deaths and people of any populations by age, and by cause where there are causes: what a decomposition reads."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from nenc_estimates.readers.cells import number_column, relabelled, require_filled, text_column, whole_column
from nenc_estimates.readers.files import finished, open_grid
from nenc_estimates.readers.grids import Expected
from nenc_estimates.readers.headings import Field
from nenc_estimates.readers.labels import ages, period_of, sexes
from nenc_estimates.readers.limits import LIMITS

if TYPE_CHECKING:
    from nenc_estimates.readers.limits import Limits
    from nenc_estimates.readers.report import Read

EXPECTED = Expected(
    what="a table of deaths and people of populations",
    layout=MappingProxyType(
        {
            "area": Field(heading="area"),
            "sex": Field(heading="sex|gender"),
            "period": Field(heading="period|timeperiod|year|registrationyear"),
            "age": Field(heading="ages?|agegroup|ageband"),
            "cause": Field(heading="cause(?:ofdeath)?", required=False),
            "deaths": Field(heading="deaths|numberofdeaths|registereddeaths", number=True),
            "population": Field(heading="population|personyears", number=True),
        }
    ),
)


def read_populations(source: Any, *, limits: Limits = LIMITS) -> Read:
    r"""Read deaths and person-years of populations by age, and by cause where there are causes.

    Parameters
    ----------
    source
        Path, bytes, or a pandas, polars or pyarrow table: one row for each population (``area``, any name), sex,
        period, age and cause, as in the packaged ``invented_deaths_by_cause.csv``.
    limits
        How much to take in.

    Returns
    -------
    Read
        ``table`` has ``area, sex, period, age, cause, deaths, population``, without ``cause`` where the file has none:
        what :func:`~nenc_estimates.decompose_gap` takes with ``populations="area"``.

    Raises
    ------
    SchemaError
        It is no such table.
    InvalidDataError
        A label is empty, an age or period is none, deaths are negative or not whole.

    Examples
    --------
    >>> text = b"area,sex,period,age,cause,deaths,population\nhere,F,2022,Under 1,all,4,1000.5\n"
    >>> read_populations(text).table.values.tolist()
    [['here', 'Female', '2022', '0', 'all', 4.0, 1000.5]]
    """
    grid, log = open_grid(source, EXPECTED, sheet=None, limits=limits)
    names = ["area", "sex", "period", "age", *(["cause"] if "cause" in grid.columns else [])]
    texts = {name: require_filled(text_column(grid, name, log), grid, name) for name in names}
    texts["sex"] = sexes(texts["sex"], grid, "sex", log, publisher="ons")
    texts["age"] = ages(texts["age"], grid, "age", log)
    texts["period"] = relabelled(texts["period"], lambda label: period_of(label).canonical, grid, "period", log)
    deaths, _ = whole_column(grid, "deaths", log)
    population, _ = number_column(grid, "population", log)
    return finished({**texts, "deaths": deaths, "population": population}, grid, log)

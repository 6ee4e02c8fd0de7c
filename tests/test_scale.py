"""The same answers on every engine, in one process and on a cluster: to the last unit and the last bit."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import narwhals.stable.v2 as nw
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from invented_england import invent, table_of_records, write_age_rows
from nenc_estimates.age_bands import ABRIDGED_90
from nenc_estimates.counting import assign_age_bands, count_by, join_lookup, sum_counts
from nenc_estimates.errors import InvalidDataError, SchemaError
from nenc_estimates.life_expectancy import estimate_life_expectancy
from nenc_estimates.streaming import life_expectancy_batches
from worked_case import BY, LEVELS, YEARS, count_lsoas, count_quintiles, estimate_all, of_group, of_partition

pytestmark = [
    pytest.mark.scale,
    # engines warn of what they use of each other, and leave sockets to the collector
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::ResourceWarning"),
]
NUMBER = 200_000


@pytest.fixture(scope="module")
def england():
    return invent()


@pytest.fixture(scope="module")
def records(england):
    return table_of_records(england, NUMBER)


@pytest.fixture(scope="module")
def stored(records, england, tmp_path_factory):
    """Folder of Parquet files: records in four files, people, lookup."""
    folder = tmp_path_factory.mktemp("stored")
    (folder / "records").mkdir()
    for part in range(4):
        piece = records.slice(part * NUMBER // 4, NUMBER // 4)
        pq.write_table(piece, folder / "records" / f"part-{part}.parquet")
    for name, table in (("population", england.population(NUMBER)), ("lookup", england.areas)):
        (folder / name).mkdir()
        pq.write_table(pa.Table.from_pandas(table, preserve_index=False), folder / name / "part-0.parquet")
    return folder


@pytest.fixture(scope="module")
def local(england, records):
    """What the clusters have to find: the same case on pandas."""
    counts = count_lsoas(records.to_pandas())
    return counts, {
        level: count_quintiles(counts, england.population(NUMBER), england.areas, level) for level in LEVELS
    }


@pytest.fixture(scope="module")
def spark():
    """Two executors of their own beside this process, addressed as those of a real cluster are."""
    if shutil.which("java") is None:
        pytest.skip("Spark needs java")
    from pyspark.sql import SparkSession

    root = Path(__file__).parents[1]
    os.environ["PYSPARK_PYTHON"] = sys.executable
    session = (
        SparkSession.builder.master("local-cluster[2,1,1024]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.executorEnv.PYTHONPATH", f"{root / 'src'}:{root / 'benchmarks'}")
        .config("spark.task.maxFailures", "1")
        .config("spark.sql.shuffle.partitions", "4")
        .config("spark.sql.execution.arrow.pyspark.enabled", "true")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


@pytest.fixture(scope="module")
def workers():
    """Two processes of one thread each."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1") as cluster,
        Client(cluster) as client,
    ):
        yield client


def polars(folder):
    import polars as pl

    return lambda name: pl.scan_parquet(folder / name / "*.parquet")


def duckdb(folder):
    import duckdb as db

    connection = db.connect()
    return lambda name: connection.sql(f"SELECT * FROM read_parquet('{folder / name}/*.parquet')")


def dask(folder):
    import dask.dataframe as dd

    return lambda name: dd.read_parquet(str(folder / name))


def in_order(frame):
    """Collect a lazy frame as pandas, rows in key order."""
    opened = nw.from_native(frame)
    assert isinstance(opened, nw.LazyFrame)
    made = opened.collect().to_arrow().to_pandas()
    return made.sort_values([name for name in made.columns if name not in {"deaths", "population"}], ignore_index=True)


def same(made, expected):
    """Compare values and the types of counts; an engine may have its own type of text."""
    assert (made.dtypes[["deaths"]] == "int64").all()
    columns = expected.columns.tolist()
    ordered = expected.sort_values([name for name in columns if name not in {"deaths", "population"}])
    assert made[columns].values.tolist() == ordered.to_numpy().tolist()


def worked_case(read, local, *, levels=("icb22",), keep=lambda counts: counts):
    """Run the case on an engine and compare it with the local answer."""
    counts, tables = local
    mine = keep(count_lsoas(read("records")))
    assert type(mine).__module__.split(".")[0] == type(read("records")).__module__.split(".")[0]
    same(in_order(mine), counts)
    for level in levels:
        made = in_order(count_quintiles(mine, read("population"), read("lookup"), level))
        same(made, tables[level])
    estimates = estimate_all(made[tables[level].columns], level)
    for name, expected in estimate_all(tables[level], level).items():
        pd.testing.assert_frame_equal(estimates[name], expected, check_exact=True)


@pytest.mark.parametrize("engine", [polars, duckdb])
def test_the_worked_case_is_the_same_on_every_lazy_engine_of_one_process(engine, stored, local):
    worked_case(engine(stored), local, levels=LEVELS)


def test_the_worked_case_is_the_same_on_dask_in_one_process(stored, local):
    worked_case(dask(stored), local, keep=lambda counts: counts.persist())


@pytest.mark.parametrize("engine", [polars, duckdb, dask])
def test_lazy_engines_refuse_and_keep_as_eager_ones_do(engine, tmp_path):
    for name, columns in {
        "records": {"lsoa21": ["b", None, "b", "a"], "age": pa.array([1, 2, 1, 999], pa.int16())},
        "lookup": {"lsoa21": ["a", "c"], "quantile": [1, 2]},
        "repeated": {"lsoa21": ["a", "a"], "icb22": ["x", "y"]},
    }.items():
        (tmp_path / name).mkdir()
        pq.write_table(pa.table(columns), tmp_path / name / "part-0.parquet")
    read = engine(tmp_path)
    with pytest.raises(InvalidDataError, match="a key is missing: 'lsoa21' in 1 rows"):
        count_by(read("records"), by="lsoa21")
    with pytest.raises(InvalidDataError, match="'age' in 1 rows"):
        count_by(assign_age_bands(read("records")), by="age")
    kept = nw.from_native(count_by(read("records"), by="lsoa21", missing="keep")).collect()
    assert sorted(kept["deaths"].to_list()) == [1, 1, 2]
    with pytest.raises(InvalidDataError, match="the lookup has no row for lsoa21"):
        join_lookup(read("records"), read("lookup"), on="lsoa21")
    joined = nw.from_native(join_lookup(read("records"), read("lookup"), on="lsoa21", missing="keep")).collect()
    assert len(joined) == 4
    with pytest.raises(InvalidDataError, match="the lookup holds twice: lsoa21 a"):
        join_lookup(read("records"), read("repeated"), on="lsoa21")
    with pytest.raises(SchemaError, match="the lookup is on another engine"):
        join_lookup(read("records"), pd.DataFrame({"lsoa21": ["a"]}), on="lsoa21")
    with pytest.raises(SchemaError, match="'lsoa21' holds String, not whole numbers"):
        sum_counts(read("records"), by="age", counts="lsoa21")


def test_the_worked_case_is_the_same_on_two_workers_of_dask(workers, stored, local):
    assert len(workers.scheduler_info()["workers"]) == 2
    worked_case(dask(stored), local, keep=lambda counts: counts.persist())


def test_the_worked_case_is_the_same_on_two_executors_of_spark(spark, stored, local):
    worked_case(lambda name: spark.read.parquet(str(stored / name)), local, keep=lambda counts: counts.persist())


@pytest.fixture(scope="module")
def ages(tmp_path_factory):
    """Folder of files of 20 ages for each of 600 life tables; no table is in two files, ages are numbers."""
    folder = tmp_path_factory.mktemp("ages")
    table = pq.read_table(write_age_rows(folder / "all.parquet", 600))
    first = dict(zip(ABRIDGED_90.labels, ABRIDGED_90.lower, strict=True))
    table = table.set_column(2, "age", pa.array([first[label] for label in table["age"].to_pylist()], pa.int32()))
    (folder / "all.parquet").unlink()
    for part in range(3):
        pq.write_table(table.slice(part * 4_000, 4_000), folder / f"part-{part}.parquet")
    return folder


@pytest.fixture(scope="module")
def years(ages):
    """Life expectancy of the same tables in memory."""
    made = estimate_life_expectancy(pq.read_table(ages), by=BY, at=0)
    return made.select([*BY, "value", "se", "quality"]).to_pandas().astype(object)


def equal(made, expected):
    assert made.sort_values(BY, ignore_index=True).astype(object).equals(expected)


def test_partitions_of_dask_give_the_bits_of_the_table_in_memory(workers, ages, years):
    import dask.dataframe as dd

    equal(dd.read_parquet(str(ages)).map_partitions(of_partition, meta=years.iloc[:0]).compute(), years)


def test_partitions_of_spark_give_the_bits_of_the_table_in_memory(spark, ages, years):
    rows = spark.read.parquet(str(ages)).repartition(4, *BY).sortWithinPartitions(*BY, "age")
    made = rows.mapInArrow(lambda batches: life_expectancy_batches(batches, by=BY), YEARS)
    equal(made.toArrow().to_pandas(), years)


def test_groups_of_spark_give_the_bits_of_the_table_in_memory(spark, ages, years):
    made = spark.read.parquet(str(ages)).groupBy("area_code").applyInArrow(of_group, YEARS)
    equal(made.toArrow().to_pandas(), years)


def test_a_life_table_that_spark_has_torn_apart_is_refused(spark, ages):
    rows = spark.read.parquet(str(ages)).repartition(4)
    made = rows.mapInArrow(lambda batches: life_expectancy_batches(batches, by=BY), YEARS)
    with pytest.raises(Exception, match="sort the rows by keys and age, keep each table in one partition"):
        made.toArrow()

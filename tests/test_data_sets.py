"""Public data sets are rebuilt from their origins cell by cell."""

import gzip
import runpy
from pathlib import Path
from urllib.error import URLError

import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = runpy.run_path(str(ROOT / "benchmarks" / "data_sets.py"))
NURSERY = b"""% a comment
@relation nursery
@attribute has-nurs {proper,improper}
@attribute children {1,more}
@attribute class {priority,recommend}
@data
proper,1,recommend
improper,more,priority
"""


def as_arff(table, names=None):
    """Write a table as an origin has it."""
    head = "".join(f"@ATTRIBUTE {name} x\n" for name in names or table.columns)
    body = table.to_csv(index=False, header=False, na_rep="?")
    return f"@RELATION x\n{head}@DATA\n{body}".encode()


def as_pmlb(table):
    return gzip.compress(table.to_csv(sep="\t", index=False).encode())


def origin_of_nursery(table):
    lost = table.iloc[[0]].assign(target="recommend")
    return [as_arff(pd.concat([lost, table]))]


def origin_of_mushroom(table):
    names = [name.replace("_", "-") for name in table.columns]
    return [as_arff(table.assign(target=table["target"].str[0]), names)]


def origin_of_eeg(table):
    table = table.drop(columns="source")
    fault = table.iloc[[0]].assign(o1=700_000.0)
    parts = [table[:9], fault, table[9:]]
    return [as_arff(pd.concat(parts), [name.upper() for name in table.columns])]


def origin_of_letter(table):
    return [as_pmlb(table.assign(target=table["target"].map(ord) - 64))]


def origin_of_german_credit(table):
    table = table.assign(target=table["target"].map({"good": 1, "bad": 2}))
    return [table.to_csv(index=False, header=False).encode()]


def origin_of_wine(table):
    table = table.assign(target=table["target"].map({"good": 6, "poor": 5}))
    return [
        table[table["source"] == kind]
        .drop(columns="source")
        .to_csv(index=False, header=False)
        .encode()
        for kind in ("red", "white")
    ]


WRITERS = {
    "eeg_eye_state": origin_of_eeg,
    "german_credit": origin_of_german_credit,
    "letter": origin_of_letter,
    "mushroom": origin_of_mushroom,
    "nursery": origin_of_nursery,
    "wine_quality": origin_of_wine,
}


@pytest.mark.parametrize("name", SCRIPT["ORIGINS"])
def test_what_is_rebuilt_is_the_table_of_the_benchmarks(name, shared_data, tmp_path):
    table = pd.read_csv(shared_data / f"{name}.csv.gz")
    contents = iter(WRITERS.get(name, lambda table: [as_pmlb(table)])(table))

    said = SCRIPT["rebuild"](name, tmp_path, fetch=lambda _: next(contents))

    assert said == f"{name}: {len(table)} rows, cell by cell those of the benchmarks."
    written = pd.read_csv(tmp_path / f"{name}.csv.gz")
    pd.testing.assert_frame_equal(written, table)


def test_an_origin_is_read_without_its_comments_and_in_tidy_names():
    table = SCRIPT["prepare_nursery"](NURSERY)

    assert table.to_dict("list") == {
        "has_nurs": ["improper"],
        "children": ["more"],
        "target": ["priority"],
    }


def test_other_cells_are_not_written(tmp_path):
    said = SCRIPT["rebuild"]("nursery", tmp_path, fetch=lambda _: NURSERY)

    assert "differ" in said
    assert not list(tmp_path.iterdir())


def test_what_is_not_reached_is_one_line(tmp_path):
    def fail(_):
        raise URLError("no network")

    said = SCRIPT["rebuild"]("wine_quality", tmp_path, fetch=fail)

    assert said == "wine_quality: not reached. <urlopen error no network>"


def test_every_table_is_rebuilt_or_named(shared_data):
    names = {path.name.split(".csv")[0] for path in shared_data.glob("*.csv.gz")}
    named = {name for who in SCRIPT["LEFT_OUT"].values() for name in who}

    left = names - set(SCRIPT["ORIGINS"]) - named
    assert all(name.startswith("text_") for name in left), left

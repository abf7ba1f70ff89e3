"""Small tables as users have them."""

import dataclasses
from argparse import Namespace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from sklearn_w2s.report._data import load_table
from sklearn_w2s.report._experiment import (
    choose_final,
    compare_sources,
    costs,
    judge,
    make_model,
    run_study,
    take_pool,
)
from sklearn_w2s.report._output import Findings, write_page


@pytest.fixture
def table():
    """Mixed columns, missing values, string labels and three sources in 240 rows."""
    return make_table()


def make_table():
    rng = np.random.default_rng(0)
    n = 240
    y = rng.permutation(np.repeat([0, 1], n // 2))
    number = y + rng.normal(size=n)
    table = pd.DataFrame(
        {
            "number": np.where(rng.random(n) < 0.1, np.nan, number),
            "count": rng.poisson(2 + 3 * y),
            "flag": rng.random(n) < 0.3 + 0.4 * y,
            "colour": rng.choice(np.array(["red", "blue", None], dtype=object), n),
            "income": np.array(["low", "high"])[y],
            "place": rng.choice(["north", "south", "west"], n, p=[0.6, 0.3, 0.1]),
        }
    )
    # Without gaps in rows that would else be alike.
    is_copy = table.duplicated(["number", "count", "flag", "colour"], keep=False)
    return table.assign(number=table["number"].where(~is_copy, number))


@pytest.fixture
def save(tmp_path):
    """Write a table to a file and return its path."""

    def save(table, name="table.csv"):
        path = tmp_path / name
        if name.endswith(".parquet"):
            table.to_parquet(path)
        else:
            table.to_csv(path, index=False)
        return str(path)

    return save


@pytest.fixture(scope="session")
def evil():
    """Text that a page must not take for more than text."""
    return [
        "<script>document.title = 'hacked'</script>",
        "</table></main><img src=x onerror=alert(1)>",
        "\"' onmouseover='alert(1)' x=\"&lt;&amp;",
        "bell\x07 nul\x00 escape\x1b next\x85",
        "\U0001f600 \U0001d54f 東京 \u202egnp.exe",
        "]]><!-- --> {{ 7*7 }} {% raw %} {# x #} {braces} $math$ %s \\n",
    ]


@pytest.fixture(scope="session")
def study(tmp_path_factory, evil):
    """All that a page on a table full of evil text shows, computed once."""
    table = make_table()
    rng = np.random.default_rng(1)
    table["colour"] = rng.choice(evil[:3], len(table))
    table["place"] = rng.choice(evil, len(table))
    table["income"] = table["income"].map(
        {"low": "<b>low</b>", "high": "\"high\" & 'up'"}
    )
    table = table.rename(columns=dict(zip(table.columns, evil, strict=True)))
    path = tmp_path_factory.mktemp("study") / "<i>'\"table.parquet"
    table.to_parquet(path)
    options = Namespace(
        file=str(path),
        target=evil[4],
        source=evil[5],
        max_rows=5_000,
        weak="naive_bayes",
        strong="tree",
        strategy="auto",
        scoring="accuracy",
        random_state=0,
        jobs=1,
        predict=None,
        save=None,
    )
    data = load_table(path, evil[4], source=evil[5])
    model = make_model("naive_bayes", "tree", data)
    known = run_study(model, data, 60, 2)
    # Of few rows nothing is clear, but what the page shows of a gap is to be seen.
    verdict = dataclasses.replace(
        judge(known.results, hides_labels=True, scoring="accuracy"),
        kind="noise",
        has_gap=not np.isnan(known.results["gap_recovered"]),
    )
    pool = take_pool(known, data)
    findings = Findings(
        options=options,
        data=data,
        setting=["240 rows", "naive_bayes as weak estimator"],
        study=known,
        verdict=verdict,
        costs=costs(known, model, data),
        pool=pool,
        sources=compare_sources(model.weak_estimator, pool),
        notes=[*data.notes, *evil],
        final=choose_final(verdict, hides_labels=True),
    )
    return SimpleNamespace(findings=findings, data=data, page=write_page(findings))

"""Small tables as users have them."""

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def table():
    """Mixed columns, missing values, string labels and three sources in 240 rows."""
    rng = np.random.default_rng(0)
    n = 240
    y = rng.permutation(np.repeat([0, 1], n // 2))
    number = y + rng.normal(size=n)
    return pd.DataFrame(
        {
            "number": np.where(rng.random(n) < 0.1, np.nan, number),
            "count": rng.poisson(2 + 3 * y),
            "flag": rng.random(n) < 0.3 + 0.4 * y,
            "colour": rng.choice(np.array(["red", "blue", None], dtype=object), n),
            "income": np.array(["low", "high"])[y],
            "place": rng.choice(["north", "south", "west"], n, p=[0.6, 0.3, 0.1]),
        }
    )


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

"""Run the command line on the files of the guide, and keep what it says.

Two are public tables of prices, one of which are cut into two classes; two are made
here, as people write them: a list of passengers, of whom some are unlabeled, and a file
of semicolons and decimal commas.
"""

import contextlib
import io
import os
import re
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from benchmarks.tables._results import RESULTS
from sklearn_w2s.report import main as run

DATA = Path(os.environ.get("SKLEARN_W2S_DATA", "data"), "regression")
COMMANDS = {
    "diamonds": "diamonds.csv --target price",
    "ames": "ames.csv --target price --labeled 200",
    "titanic": "titanic.csv --target Survived --predict survived.csv",
    "semicolon": "sensors.csv --target alarm",
}


def prices(name):
    """Return a public table with its target under the name of price."""
    return pd.read_csv(DATA / f"{name}.csv.gz").rename(columns={"target": "price"})


def passengers(rng, n=1309, n_known=891):
    """Return a list of passengers like that of the Titanic, the last ones unlabeled."""
    sex = rng.choice(["male", "female"], n, p=[0.65, 0.35])
    pclass = rng.choice([1, 2, 3], n, p=[0.25, 0.2, 0.55])
    age = np.where(rng.random(n) < 0.2, np.nan, rng.gamma(4, 7.5, n).round())
    fare = (rng.lognormal(4.6 - 0.8 * pclass, 0.5)).round(4)
    title = np.select([sex == "male", rng.random(n) < 0.5], ["Mr.", "Mrs."], "Miss.")
    names = ["Braund", "Heikkinen", "Allen", "Moran", "Palsson", "Nasser", "Bonnell"]
    score = (
        2.4 * (sex == "female") - 0.9 * pclass + 1.5 * (np.nan_to_num(age, nan=30) < 10)
    )
    survived = rng.random(n) < 1 / (1 + np.exp(-score - 0.2))
    table = pd.DataFrame(
        {
            "PassengerId": np.arange(1, n + 1),
            "Survived": pd.array(survived.astype(int), dtype="Int64"),
            "Pclass": pclass,
            "Name": [
                f"{rng.choice(names)}, {t} {chr(65 + i % 26)}. {i}"
                for i, t in enumerate(title)
            ],
            "Sex": sex,
            "Age": age,
            "Ticket": [
                f"A/{rng.integers(1, 6)} {rng.integers(10_000, 99_999)}" for _ in sex
            ],
            "Fare": fare,
            "Embarked": rng.choice(["S", "C", "Q"], n, p=[0.7, 0.2, 0.1]),
        }
    )
    table.loc[n_known:, "Survived"] = None
    return table


def sensors(rng, n=1500):
    """Return readings with an alarm that depends on two of them together."""
    when = pd.date_range("2024-01-01", periods=n, freq="h")
    heat, flow = rng.normal(60, 12, n), rng.normal(1200, 300, n)
    is_alarm = (np.abs(heat - 60) > 12) & (flow < 1300)
    return pd.DataFrame(
        {
            "when": when.strftime("%d.%m.%Y %H:%M"),
            "heat": [f"{v:.1f}".replace(".", ",") for v in heat],
            "flow": [f"{v:,.0f}".replace(",", ".") for v in flow],
            "valve": rng.choice(["A", "B", "-"], n),
            "alarm": np.where(is_alarm, "yes", "no"),
        }
    )


def make_files():
    """Write the files into the current folder."""
    rng = np.random.default_rng(0)
    prices("diamonds").to_csv("diamonds.csv", index=False)
    houses = prices("ames")
    is_dear = houses["price"] > houses["price"].median()
    houses.assign(price=np.where(is_dear, "dear", "cheap")).to_csv(
        "ames.csv", index=False
    )
    passengers(rng).to_csv("titanic.csv", index=False)
    sensors(rng).to_csv("sensors.csv", index=False, sep=";")


def says(command):
    """Return what the command line writes, without lines on its progress."""
    written = io.StringIO()
    with contextlib.redirect_stdout(written):
        if run(command.split()) != 0:
            sys.exit(f"sklearn-w2s {command} failed")
    lines = [f"$ sklearn-w2s {command}", *written.getvalue().splitlines()]
    return "\n".join(line for line in lines if not re.match(r"\[ *\d", line)) + "\n"


def main():
    """Write a text for each file."""
    before = Path.cwd()
    with TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            make_files()
            for name, command in COMMANDS.items():
                text = says(command)
                (RESULTS / f"command_line_{name}.txt").write_text(
                    text, encoding="utf-8"
                )
                print(f"command_line_{name}.txt")
        finally:
            os.chdir(before)


if __name__ == "__main__":
    main()

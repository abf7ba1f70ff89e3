"""Problems whose easy, hard and overlap rows are known."""

import json
import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import load_diabetes, make_friedman1, make_friedman2
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from benchmarks.tables._results import DataFolderMissing
from sklearn_w2s import OverlapDetector
from sklearn_w2s.datasets import make_overlap_classification

DATA_SETS = [
    *("adult", "bank_marketing", "california_houses", "covertype", "credit_default"),
    *("electricity", "letter", "magic_telescope", "nursery", "pendigits"),
    *("satimage", "spambase"),
]
PAPER_EASY_BLOCK = slice(0, 20)
N_REAL_ROWS = 2000
MOST_ROWS = 20_000
MOST_VALUES, MOST_VALUES_QUICK = 2_500, 500
# Real tables of values, beside those of the folder of such tables, and their targets.
VALUES_OF_ADULT = {"adult_age": "age", "adult_hours": "hours_per_week"}
# Its columns are so many that it would cost as much as four others.
LEFT_OUT = {"music_origin"}
# Functions of the generators of scikit-learn, with their noise.
GENERATORS = {
    "friedman1": partial(make_friedman1, noise=1.0),
    "friedman2": partial(make_friedman2, noise=125.0),
}


@dataclass
class Problem:
    """Rows, labels, true regions, and the columns that the weak estimator sees."""

    X: Any
    y: Any
    regions: Any
    weak_features: Any


def paper_problem(seed, density, absent_noise, n=1500, n_classes=2, class_weights=None):
    """Draw from the generator of the paper: many features of little weight each."""
    X, y, regions = make_overlap_classification(
        n,
        overlap_density=density,
        absent_noise=absent_noise,
        n_classes=n_classes,
        class_weights=class_weights,
        random_state=seed,
    )
    return Problem(X, y, regions, PAPER_EASY_BLOCK)


def paper_parts(density, seed, *, n_train, n_test):
    """Return rows, classes and regions, and positions of gold, new and test rows.

    As in the paper there are as many gold rows as new ones, which get weak labels.
    """
    n = 2 * n_train + n_test
    X, y, regions = make_overlap_classification(
        n, overlap_density=density, random_state=seed
    )
    train, test = train_test_split(
        np.arange(n), test_size=n_test, stratify=regions, random_state=seed
    )
    gold, new = train_test_split(
        train, test_size=n_train, stratify=regions[train], random_state=seed
    )
    return X, y, regions, gold, new, test


def fit_detector(X, y, gold, new):
    """Return a detector fitted on gold rows, then new ones, in this order."""
    labels = np.concatenate([y[gold], np.full(len(new), -1)])
    weak = LogisticRegression(fit_intercept=False)
    detector = OverlapDetector(weak, weak_features=PAPER_EASY_BLOCK)
    return detector.fit(X[np.concatenate([gold, new])], labels)


def cluster_problem(
    seed, density, absent_noise, n=1500, n_classes=2, tail=np.inf, shared=0.0
):
    """Draw clusters far apart: 6 easy and 14 hard features, class means drawn once.

    Deviations have Student's t distribution with `tail` degrees of freedom, brought to
    unit variance, and share a factor that explains `shared` of it in both blocks.
    """
    rng = np.random.default_rng(seed)
    shares = [density, (1 - density) / 2, (1 - density) / 2]
    regions = rng.choice(["overlap", "easy", "hard"], size=n, p=shares)
    y = rng.integers(n_classes, size=n)
    means = np.hstack(
        [
            rng.normal(scale=scale, size=(n_classes, width))
            for scale, width in ((1.6, 6), (1.2, 14))
        ]
    )
    if np.isinf(tail):
        deviations = rng.normal(size=(n, 20))
    else:
        deviations = rng.standard_t(tail, size=(n, 20)) / np.sqrt(tail / (tail - 2))
    factor = rng.normal(size=(n, 1))
    deviations = np.sqrt(1 - shared) * deviations + np.sqrt(shared) * factor
    X = means[y] + 0.8 * deviations
    for region, block in (("hard", slice(0, 6)), ("easy", slice(6, 20))):
        lacking = regions == region
        X[lacking, block] = absent_noise * rng.normal(size=X[lacking, block].shape)
    return Problem(X, y, regions, slice(0, 6))


def real_problem(seed, name, blank, density=0.3):
    """Part the columns of a data set in two halves and blank one of them in some rows.

    Hard rows lack the half that the weak estimator sees, easy rows the other. What a
    row lacks is the typical value of the column ("typical"), missing ("missing"), or
    taken from random rows ("permuted").
    """
    rng = np.random.default_rng(seed)
    table = pd.read_csv(data_folder() / f"{name}.csv.gz")
    table = table.sample(min(N_REAL_ROWS, len(table)), random_state=seed)
    y = pd.factorize(table["target"], sort=True)[0]
    table = table.drop(columns=["target", "source"], errors="ignore")
    table = table.reset_index(drop=True)
    columns = rng.permutation(table.columns)
    weak, other = np.array_split(columns, 2)
    shares = [density, (1 - density) / 2, (1 - density) / 2]
    regions = rng.choice(["overlap", "easy", "hard"], size=len(y), p=shares)
    for region, block in (("hard", weak), ("easy", other)):
        lacking = regions == region
        for column in block:
            table[column] = _blank(table[column], lacking, blank, rng)
    return Problem(table, y, regions, list(weak))


def data_folder():
    """Return the folder of the real data sets."""
    default = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
    folder = Path(os.environ.get("SKLEARN_W2S_DATA", default))
    if not folder.is_dir():
        msg = f"Set SKLEARN_W2S_DATA to the folder of data sets; {folder} is none."
        raise DataFolderMissing(msg)
    return folder


def read_table(folder, entry):
    """Return a data set of the folder; categories are texts, and rows few enough.

    Parameters
    ----------
    folder : Path
        Folder of data sets.
    entry : dict
        What its index says of the data set.

    Returns
    -------
    X : data frame of shape (n, n_features)
        Features.
    y : ndarray of shape (n,)
        Class codes.
    sources : ndarray of shape (n,) or None
        Where rows come from, if the data set says so.
    positions : ndarray of shape (n,)
        Rows of the file.
    """
    table = pd.read_csv(folder / entry["file"])
    if len(table) > MOST_ROWS:
        table = table.sample(MOST_ROWS, random_state=0)
    positions = table.index.to_numpy()
    table = table.reset_index(drop=True)
    sources = table["source"].astype(str).to_numpy() if "source" in table else None
    X = table.drop(columns=["target", "source"], errors="ignore")
    for column in entry["categorical"]:
        X[column] = X[column].astype("string").astype(object)
    return X, pd.factorize(table["target"], sort=True)[0], sources, positions


def tables_of_values(*, is_quick):
    """Return the readers that the tables of regression are made of, see `values`."""
    if is_quick:
        return generated_values(most_rows=MOST_VALUES_QUICK)
    return values(most_rows=MOST_VALUES)


def values(*, most_rows):
    """Return readers of tables of values by name; they take a seed.

    Parameters
    ----------
    most_rows : int
        Rows to draw with the seed where a table has more, or to generate.

    Returns
    -------
    dict of str to callable
        Called with a seed they return features, a data frame of shape (n, n_features)
        in which categories are texts, and values, an ndarray of shape (n,).
    """
    found = generated_values(most_rows=most_rows)
    folder = data_folder() / "regression"
    for name, entry in json.loads((folder / "index.json").read_text("utf-8")).items():
        if name not in LEFT_OUT:
            found[name] = partial(_read_values, folder, entry, "target", most_rows)
    index = json.loads((data_folder() / "index.json").read_text("utf-8"))
    for name, target in VALUES_OF_ADULT.items():
        args = data_folder(), index["adult"], target, most_rows
        found[name] = partial(_read_values, *args)
    return found


def generated_values(*, most_rows):
    """Return those of `values` that need no folder of data sets."""
    found = {
        name: partial(_generate_values, make, most_rows)
        for name, make in GENERATORS.items()
    }
    return found | {"diabetes": _diabetes}


def _generate_values(make, n, seed):
    X, y = make(n_samples=n, random_state=seed)
    return pd.DataFrame(X, columns=[f"x{j}" for j in range(X.shape[1])]), y


def _diabetes(_seed):
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    return X, y.to_numpy(dtype=float)


def _read_values(folder, entry, target, most_rows, seed):
    table = pd.read_csv(folder / entry["file"])
    if len(table) > most_rows:
        table = table.sample(most_rows, random_state=seed).reset_index(drop=True)
    y = table[target].to_numpy(dtype=float)
    # The class of a table of classes is no feature of a person.
    X = table.drop(columns=["target", "source", target], errors="ignore")
    for column in entry["categorical"]:
        X[column] = X[column].astype("string").astype(object)
    return X, y


def problems():
    """Return makers of problems by family and name; they take a seed."""
    found = {}
    for noise in (0.0, 0.5, 2.0):
        family = f"paper, absent noise {noise:g}"
        for density in (0.02, 0.1, 0.3, 0.5, 0.6):
            found[family, f"density {density:g}"] = partial(
                paper_problem, density=density, absent_noise=noise
            )
    paper = partial(paper_problem, density=0.3, absent_noise=0.5)
    family = "paper, classes"
    found[family, "unequal, 0.9 and 0.1"] = partial(paper, class_weights=[0.9, 0.1])
    found[family, "3"] = partial(paper, n_classes=3)
    found[family, "10"] = partial(paper, n_classes=10, n=3000)
    for noise in (0.0, 0.5):
        family = f"clusters, absent noise {noise:g}"
        for density in (0.1, 0.3, 0.5):
            found[family, f"density {density:g}"] = partial(
                cluster_problem, density=density, absent_noise=noise
            )
    clusters = partial(cluster_problem, density=0.3, absent_noise=0.5)
    family = "clusters, others"
    found[family, "3 classes"] = partial(clusters, n_classes=3)
    found[family, "10 classes"] = partial(clusters, n_classes=10, n=3000)
    found[family, "t with 3 degrees of freedom"] = partial(clusters, tail=3)
    found[family, "blocks with a common factor"] = partial(clusters, shared=0.5)
    for blank in ("typical", "missing", "permuted"):
        for name in DATA_SETS:
            found[f"real, {blank}", name] = partial(
                real_problem, name=name, blank=blank
            )
    return found


def _blank(column, lacking, blank, rng):
    values = column.astype(object).to_numpy(copy=True)
    if blank == "permuted":
        values[lacking] = rng.permutation(values)[: lacking.sum()]
    elif blank == "missing":
        values[lacking] = None
    else:
        is_number = pd.api.types.is_numeric_dtype(column)
        values[lacking] = column.median() if is_number else column.mode()[0]
    return pd.Series(values).infer_objects()

"""Problems whose easy, hard and overlap rows are known."""

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

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


class DataFolderMissing(FileNotFoundError):
    """There is no folder of real data sets."""


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

"""Situations in which weak-to-strong is used, made from labeled tables."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from benchmarks.tables._problems import paper_problem, read_table
from sklearn_w2s._tabular import (
    TabularEncoder,
    default_weak_estimator,
    default_weak_regressor,
)
from sklearn_w2s.weak_estimators import VoteClassifier

TEST_SHARE = 0.3
MOST_UNLABELED = 5_000
PER_CLASS = 12
VOTE_PREFIX = "lf"


@dataclass
class Situation:
    """What is known for training, and what is held out to judge it.

    Parameters
    ----------
    X : data frame of shape (n, n_features)
        Labeled rows first, then the unlabeled ones.
    y : ndarray of shape (n,)
        Labels: class codes, -1 for unlabeled rows, or values, NaN for these.
    truth : ndarray of shape (n,)
        Labels of all rows, which only the ceiling may see.
    X_test, y_test : data frame, ndarray
        Held out before anything else.
    weak : classifier or regressor instance
        Weak estimator, frozen where it is given fitted.
    weak_features : list of str or None
        Columns that it sees.
    strong_features : list of str or None
        Columns that the strong estimator sees.
    labels_for_strong : bool
        Whether labeled rows have all columns.
    """

    X: Any
    y: Any
    truth: Any
    X_test: Any
    y_test: Any
    weak: Any = None
    weak_features: Any = None
    strong_features: Any = None
    labels_for_strong: bool = True

    def __post_init__(self):
        """Take the default weak estimator where none is given."""
        if self.weak is None:
            default = default_weak_estimator
            if self.is_regression:
                default = default_weak_regressor
            self.weak = default()

    @property
    def is_regression(self):
        """Whether labels are values."""
        return are_values(self.y)

    @property
    def known(self):
        """Which rows are labeled, a mask."""
        return ~np.isnan(self.y) if self.is_regression else self.y >= 0

    @property
    def n_classes(self):
        """Number of classes 0, 1, ..., those of held-out rows included."""
        # A black box may know a class of which no training row is left.
        known = getattr(self.weak, "classes_", np.empty(0, dtype=int))
        return int(np.concatenate([self.truth, self.y_test, known]).max()) + 1


def are_values(y):
    """Say whether labels are values, and no class codes."""
    return y.dtype.kind == "f"


def scarce(X, y, seed):
    """Label 100 rows, or 12 per class if that is more."""
    n_labeled = 100 if are_values(y) else max(100, PER_CLASS * (y.max() + 1))
    return _situation(X, y, n_labeled, seed)


def views(X, y, seed):
    """Label 500 rows, and show the weak estimator a random half of the columns."""
    situation = _situation(X, y, 500, seed)
    situation.weak_features = half_of_columns(X, seed)
    return situation


def upgrade(X, y, seed):
    """Let 500 labeled rows lack a random half of the columns, which others have."""
    situation = views(X, y, seed)
    others = [c for c in X.columns if c not in set(situation.weak_features)]
    known = situation.known
    for column in others:
        values = situation.X[column].astype(object).to_numpy(copy=True)
        values[known] = None
        situation.X[column] = pd.Series(values, index=situation.X.index).infer_objects()
    situation.labels_for_strong = False
    return situation


def blackbox(X, y, seed):
    """Keep a tree of depth 3 but not the 800 rows that it was trained on."""
    situation = _situation(X, y, 800, seed)
    known = situation.known
    tree = DecisionTreeRegressor if are_values(y) else DecisionTreeClassifier
    tree = make_pipeline(
        TabularEncoder(categories="ordinal"), tree(max_depth=3, random_state=seed)
    ).fit(situation.X[known], situation.y[known])
    return Situation(
        X=situation.X[~known],
        y=situation.y[~known],
        truth=situation.truth[~known],
        X_test=situation.X_test,
        y_test=situation.y_test,
        weak=FrozenEstimator(tree),
    )


def votes(X, y, seed):
    """Keep the votes of labelling functions, and no label.

    The weak estimator sees the votes, the strong one all other columns.
    """
    names = [column for column in X if column.startswith(VOTE_PREFIX)]
    situation = _situation(X, y, 0, seed)
    model = VoteClassifier(names, classes=np.unique(y), method="naive_bayes")
    situation.weak = FrozenEstimator(model.fit(situation.X[names]))
    situation.weak_features = names
    situation.strong_features = [column for column in X if column not in names]
    situation.labels_for_strong = False
    return situation


def synthetic(_X, _y, seed):
    """Draw from the generator of the paper, with exact zeros."""
    problem = paper_problem(seed, density=0.3, absent_noise=0.0, n=3000)
    names = [f"x{j}" for j in range(problem.X.shape[1])]
    table = pd.DataFrame(problem.X, columns=names)
    situation = _situation(table, problem.y, 500, seed)
    situation.weak_features = names[problem.weak_features]
    return situation


PROTOCOLS = {
    "scarce": scarce,
    "views": views,
    "upgrade": upgrade,
    "blackbox": blackbox,
    "votes": votes,
    "synthetic": synthetic,
}


def data_sets(folder):
    """Return what the index of the folder says of the data sets of each situation."""
    entries = json.loads((folder / "index.json").read_text("utf-8")).values()
    entries = [entry for entry in entries if not entry.get("text_only")]
    voted = [entry for entry in entries if entry.get("lf_file")]
    return dict.fromkeys(PROTOCOLS, entries) | {
        "votes": voted,
        "synthetic": [{"name": "synthetic"}],
    }


def make_situation(protocol, folder, entry, seed):
    """Return a situation made of a data set of the folder."""
    X = y = None
    if protocol == "votes":
        X, y = _read_with_votes(folder, entry)
    elif protocol != "synthetic":
        X, y, *_ = read_table(folder, entry)
    return PROTOCOLS[protocol](X, y, seed)


def _read_with_votes(folder, entry):
    """Return features, the votes of labelling functions among them, and class codes."""
    X, y, _, positions = read_table(folder, entry)
    votes = pd.read_csv(folder / entry["lf_file"])
    votes = votes.drop(columns="split", errors="ignore").iloc[positions]
    return X.join(votes.reset_index(drop=True)), y


def _situation(X, y, n_labeled, seed):
    """Hold out rows for testing, then label some of the others, some of each class."""
    rows, test = train_test_split(
        np.arange(len(y)),
        test_size=TEST_SHARE,
        stratify=None if are_values(y) else y,
        random_state=seed,
    )
    rng = np.random.default_rng(seed)
    rows = rng.permutation(rows)
    n_labeled = min(n_labeled, len(rows) // 2)
    first = rows[:0]
    if not are_values(y):
        least = min(PER_CLASS, n_labeled // (y.max() + 1))
        first = np.concatenate([rows[y[rows] == k][:least] for k in np.unique(y)])
    others = rows[~np.isin(rows, first)]
    n_more = n_labeled - len(first)
    labeled = np.concatenate([first, others[:n_more]])
    unlabeled = others[n_more:][:MOST_UNLABELED]
    chosen = np.concatenate([labeled, unlabeled])
    known = np.arange(len(chosen)) < len(labeled)
    return Situation(
        X=X.iloc[chosen].reset_index(drop=True),
        y=np.where(known, y[chosen], np.nan if are_values(y) else -1),
        truth=y[chosen],
        X_test=X.iloc[test].reset_index(drop=True),
        y_test=y[test],
    )


def half_of_columns(X, seed):
    """Return the names of a random half of the columns."""
    rng = np.random.default_rng(seed)
    return list(rng.permutation(X.columns)[: max(1, X.shape[1] // 2)])

"""The experiment behind the report: hide labels, train, compare on held-out rows."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.ensemble import (
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

from sklearn_w2s._algorithms.overlap import region_shares
from sklearn_w2s._sklearn import safe_indexing, seed_nested
from sklearn_w2s._tabular import TabularEncoder
from sklearn_w2s.overlap import OverlapDetector
from sklearn_w2s.report._data import UNLABELED, take
from sklearn_w2s.report._errors import InputError
from sklearn_w2s.report._sources import compare_sources
from sklearn_w2s.weak_to_strong import WeakToStrongClassifier

TEST_SHARE = 0.3
MIN_LABELED = 100
LABELED_PER_CLASS = 12
# Three folds for out-of-fold probabilities, with two rows of the class in each.
MIN_LABELED_PER_CLASS = 3


def _linear(classifier):
    """Return a classifier behind scaled numbers and indicators of categories."""
    return make_pipeline(TabularEncoder(), classifier)


def _trees(classifier):
    """Return a classifier behind numbers, gaps included, and codes of categories."""
    encoder = TabularEncoder(categories="ordinal", impute=False, scale=False)
    return make_pipeline(encoder, classifier)


ESTIMATORS = {
    "boosting": _trees(HistGradientBoostingClassifier()),
    "extra_trees": _trees(ExtraTreesClassifier()),
    "forest": _trees(RandomForestClassifier()),
    "logistic": _linear(LogisticRegression(max_iter=2000)),
    "mlp": _linear(MLPClassifier(learning_rate_init=0.01)),
    "naive_bayes": _linear(GaussianNB()),
    "tree": _trees(DecisionTreeClassifier(max_depth=3)),
}


@dataclass(frozen=True)
class Split:
    """Positions of the rows to train on, those of them with a label, and to test on."""

    train: Any
    labeled: Any
    test: Any


@dataclass(frozen=True)
class Run:
    """What one seed gave."""

    scores: dict
    overlap_density: float
    region_shares: dict
    n_train: int
    sources: list


def make_estimator(name, seed):
    """Return the named classifier behind an encoder for mixed tables, seeded."""
    return seed_nested(clone(ESTIMATORS[name]), seed)


def count_labeled(y, labeled):
    """Return the number of rows that keep their label.

    Parameters
    ----------
    y : ndarray of shape (n,)
        Class codes, -1 where unknown.
    labeled : int, float or None
        A count, a share of the rows to train on that have a label, or None: 100, or 12
        per class if that is more, but at most half of them.

    Returns
    -------
    int
        Between 3 per class and all but one per class.

    Raises
    ------
    InputError
        If `labeled` is not in these bounds.
    """
    n_known = int((y != UNLABELED).sum())
    n_classes = int(y.max()) + 1
    n_train = n_known - int(np.ceil(TEST_SHARE * n_known))
    if labeled is None:
        return min(max(MIN_LABELED, LABELED_PER_CLASS * n_classes), n_train // 2)
    n_labeled = round(labeled * n_train) if labeled < 1 else labeled
    least, most = MIN_LABELED_PER_CLASS * n_classes, n_train - n_classes
    if not least <= n_labeled <= most:
        msg = (
            f"--labeled {labeled} means {n_labeled} labeled rows. With {n_classes} "
            f"classes and {n_train} rows to train on it must be {least} to {most}."
        )
        raise InputError(msg)
    return n_labeled


def draw_split(y, n_labeled, seed):
    """Set test rows aside, and choose which of the others keep their label.

    Both are drawn at random in the shares of the classes; of each class three rows at
    least keep their label. Rows of unknown class are for training.

    Parameters
    ----------
    y : ndarray of shape (n,)
        Class codes, -1 where unknown.
    n_labeled : int
        As from `count_labeled`.
    seed : int
        Draws.

    Returns
    -------
    Split
        Positions in ascending order.
    """
    train, test = train_test_split(
        np.flatnonzero(y != UNLABELED),
        test_size=TEST_SHARE,
        stratify=y[y != UNLABELED],
        random_state=seed,
    )
    quotas = labels_per_class(np.bincount(y[train]), n_labeled)
    mixed = np.random.default_rng(seed).permutation(train)
    labeled = [mixed[y[mixed] == code][:quota] for code, quota in enumerate(quotas)]
    return Split(
        train=np.sort(np.concatenate([train, np.flatnonzero(y == UNLABELED)])),
        labeled=np.sort(np.concatenate(labeled)),
        test=np.sort(test),
    )


def labels_per_class(counts, n_labeled):
    """Share labels out to classes in proportion to their rows, three each at least.

    Parameters
    ----------
    counts : ndarray of shape (n_classes,) of int
        Rows of each class, three at least.
    n_labeled : int
        Labels; between three per class and all rows.

    Returns
    -------
    ndarray of shape (n_classes,) of int
        Labels of each class; they sum to `n_labeled`.
    """
    exact = n_labeled * counts / counts.sum()
    quotas = np.maximum(np.floor(exact).astype(int), MIN_LABELED_PER_CLASS)
    while quotas.sum() > n_labeled:
        quotas[np.argmax(quotas)] -= 1
    while quotas.sum() < n_labeled:
        quotas[np.argmax(exact - quotas)] += 1
    return quotas


def run_seed(data, split, weak, strong, seed, tell):
    """Compare weak, weak-to-strong, strong on the labels and ceiling once.

    Nothing sees the test rows before the scores, and nothing but the ceiling a label
    that is not in `split.labeled`.

    Parameters
    ----------
    data : Data
        Rows.
    split : Split
        Which of them are for what.
    weak, strong : str
        Names of the estimators.
    seed : int
        Seeds the estimators.
    tell : callable
        Gets one line for each step.

    Returns
    -------
    Run
        Scores are accuracies on the test rows.
    """
    X, y, source = take(data, split.train)
    X_test, y_test, _ = take(data, split.test)
    is_labeled = np.isin(split.train, split.labeled)
    partial = np.where(is_labeled, y, UNLABELED)

    def score_strong(rows):
        positions = np.flatnonzero(rows)
        estimator = make_estimator(strong, seed)
        estimator.fit(safe_indexing(X, positions), y[positions])
        return estimator.score(X_test, y_test)

    tell(f"weak ({weak}) and weak-to-strong ({strong})")
    model = WeakToStrongClassifier(
        make_estimator(weak, seed),
        make_estimator(strong, seed),
        overlap_detector=OverlapDetector(),
        random_state=seed,
    ).fit(X, partial)
    scores = {
        "weak": model.weak_estimator_.score(X_test, y_test),
        "weak-to-strong": model.score(X_test, y_test),
    }
    tell(f"strong on labeled rows ({strong})")
    scores["strong on labeled rows"] = score_strong(is_labeled)
    tell(f"ceiling ({strong})")
    scores["ceiling"] = score_strong(y != UNLABELED)
    sources = []
    if source is not None:
        tell("sources (kl_ucb)")
        sources = compare_sources(model, X, partial, source, seed)
    return Run(
        scores=scores,
        overlap_density=model.overlap_density_,
        region_shares=region_shares(model.overlap_detector_.regions_),
        n_train=len(split.train),
        sources=sources,
    )

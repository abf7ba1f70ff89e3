"""The experiment behind the report: hide labels, train, compare on held-out rows."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.model_selection import StratifiedShuffleSplit

from sklearn_w2s.model_selection import weak_strong_split
from sklearn_w2s.model_selection._gap_sizes import cross_validate_sizes
from sklearn_w2s.overlap import OverlapDetector
from sklearn_w2s.report._errors import InputError
from sklearn_w2s.report._estimators import make_estimator
from sklearn_w2s.weak_to_strong import WeakToStrongClassifier

TEST_SIZE = 0.3
SEED = 0
# All between 0 and 1, so that differences are points, and better where higher.
SCORES = ("accuracy", "balanced_accuracy", "f1_macro", "f1_weighted", "roc_auc_ovr")
MIN_LABELED = 100
LABELED_PER_CLASS = 12
# Three folds for out-of-fold probabilities of a class that is as frequent as any.
MIN_LABELED_PER_CLASS = 3


@dataclass(frozen=True)
class Pool:
    """Rows to train on as a user has them: with a label, or without one.

    `y` has the missing label also where `truth` has a label that was hidden, which
    `is_hidden` says of any row. `rows` numbers the rows as the file does.
    """

    X: Any
    y: Any
    truth: Any
    rows: Any
    source: Any
    missing_label: Any
    is_hidden: bool


def count_labeled(labels, labeled):
    """Return the number of rows that keep their label.

    Parameters
    ----------
    labels : ndarray of shape (n,)
        Labels of the labeled rows.
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
    n_known, n_classes = len(labels), len(np.unique(labels))
    n_train = n_known - int(np.ceil(TEST_SIZE * n_known))
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


def make_model(weak, strong, missing_label, strategy="auto"):
    """Return the classifier that the report judges, from names of estimators."""
    return WeakToStrongClassifier(
        make_estimator(weak),
        make_estimator(strong),
        overlap_detector=OverlapDetector(),
        strategy=strategy,
        missing_label=missing_label,
    )


def compare(
    model,
    data,
    n_labeled,
    n_splits,
    n_jobs,
    *,
    scoring="accuracy",
    random_state=SEED,
    on_folds=None,
):
    """Compare weak, weak-to-strong, strong on the labels and ceiling.

    Parameters
    ----------
    model : WeakToStrongClassifier
        As from `make_model`.
    data : Data
        Rows.
    n_labeled : int
        Training rows that keep their label.
    n_splits : int
        Random splits into training and test rows.
    n_jobs : int
        Splits run at the same time.
    scoring : str, default="accuracy"
        One of `SCORES`.
    random_state : int, default=0
        Seed of the splits and of the estimators.
    on_folds : callable, default=None
        Called with the number of splits that are done, each time that some are.

    Returns
    -------
    dict
        As from `cross_validate_gap`.
    """
    (results,) = cross_validate_sizes(
        model,
        data.X,
        data.y,
        sizes=[(n_labeled, None)],
        cv=StratifiedShuffleSplit(
            n_splits, test_size=TEST_SIZE, random_state=random_state
        ),
        scoring=scoring,
        n_jobs=n_jobs,
        random_state=random_state,
        confidence_level=0.95,
        params=None,
        return_estimator=False,
        verbose=0,
        error_score="raise",
        on_folds=on_folds,
    )
    return results


def take_pool(data, n_labeled, random_state=SEED):
    """Return the rows to train on as the user has them, or would have.

    These are the rows of the file where some have no label. Else they are the training
    rows of the first split, of which `n_labeled` keep their label.

    Parameters
    ----------
    data : Data
        Rows.
    n_labeled : int
        Training rows that keep their label.
    random_state : int, default=0
        As for `compare`, of which this takes the first split.

    Returns
    -------
    Pool
        The rows.
    """
    _, labeled = data.known()
    if not labeled.all():
        y = data.y
        return Pool(data.X, y, y, data.rows, data.source, data.missing_label, False)
    names = ["rows"] if data.source is None else ["rows", "source"]
    X, _, y, _, *others, truth = weak_strong_split(
        data.X,
        data.y,
        *(getattr(data, name) for name in names),
        labeled_size=n_labeled,
        test_size=TEST_SIZE,
        missing_label=data.missing_label,
        random_state=random_state,
    )
    taken = {"source": None, **dict(zip(names, others[::2], strict=True))}
    return Pool(X, y, truth, missing_label=data.missing_label, is_hidden=True, **taken)

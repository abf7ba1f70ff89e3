"""The experiment behind the report: fit on some labels, compare on held-out rows."""

import pickle
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.metrics import get_scorer, roc_auc_score

from sklearn_w2s._sklearn import safe_indexing
from sklearn_w2s._validation import align_proba
from sklearn_w2s.model_selection._gap_fold import RIVALS, weak_alone
from sklearn_w2s.model_selection._gap_sizes import cross_validate_sizes
from sklearn_w2s.model_selection._split import LabeledSplit
from sklearn_w2s.overlap import OverlapDetector
from sklearn_w2s.report._data import TEST_SIZE
from sklearn_w2s.report._errors import InputError
from sklearn_w2s.report._estimators import make_estimator
from sklearn_w2s.report._verdict import CONFIDENCE
from sklearn_w2s.weak_to_strong import WeakToStrongClassifier, WeakToStrongRegressor

SEED = 0
# None above 1, so that differences are points, and better where higher.
SCORES = {
    "classification": (
        *("accuracy", "balanced_accuracy", "f1_macro", "f1_weighted", "roc_auc_ovr"),
    ),
    "regression": ("r2",),
}
MIN_LABELED = 100
LABELED_PER_CLASS = 12
# Three folds for out-of-fold probabilities of a class that is as frequent as any.
MIN_LABELED_PER_CLASS = 3
PREDICTORS = ("guess", "weak", "strong_on_labels", "weak_to_strong", "ceiling")
_N_BINS = 10
_MOST_JUDGED = 400
_MOST_PREDICTIONS = 60
_MOST_UNITS = 200


@dataclass(frozen=True)
class Study:
    """What is known of weak-to-strong and its rivals.

    `results` are those of `cross_validate_gap`, with `guess_score`. `measures` and
    `recall` hold, by predictor, means over splits: of further measures by name, and for
    each of `classes`. `importance` is by column what the score of weak-to-strong loses
    without it. `student` was fitted on the training rows of the first split, which are
    at `train`.
    """

    results: dict
    classes: Any
    hides_labels: bool
    measures: dict
    recall: dict
    importance: dict
    student: Any
    train: Any


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


def count_labeled(labels, labeled, *, regresses=False):
    """Return the number of rows that keep their label.

    Parameters
    ----------
    labels : ndarray of shape (n,)
        Labels of the labeled rows.
    labeled : int, float or None
        A count, a share of the rows to train on that have a label, or None: 100, or 12
        per class if that is more, but at most half of them.
    regresses : bool, default=False
        Whether labels are values, for which no class counts.

    Returns
    -------
    int
        Between 3 per class and all but one per class.

    Raises
    ------
    InputError
        If `labeled` is not in these bounds.
    """
    n_known = len(labels)
    n_classes = 1 if regresses else len(np.unique(labels))
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


def make_model(weak, strong, data, strategy="auto"):
    """Return the weak-to-strong estimator that the report judges, from names."""
    pair = [make_estimator(name, task=data.task) for name in (weak, strong)]
    settings = {
        "overlap_detector": OverlapDetector(),
        "strategy": strategy,
        "store_rows": True,
    }
    if data.regresses:
        return WeakToStrongRegressor(*pair, **settings)
    return WeakToStrongClassifier(*pair, missing_label=data.missing_label, **settings)


def run_study(
    model,
    data,
    n_labeled,
    n_splits,
    n_jobs=1,
    *,
    scoring=None,
    random_state=SEED,
    on_fit=None,
    on_folds=None,
):
    """Compare guessing, weak, strong on the labels, weak-to-strong and ceiling.

    Parameters
    ----------
    model : WeakToStrongClassifier
        As from `make_model`.
    data : Data
        Rows.
    n_labeled : int or None
        Training rows that keep their label; None hides none, so that there is no
        ceiling.
    n_splits : int
        Random splits into training and test rows.
    n_jobs : int, default=1
        Splits run at the same time.
    scoring : str, default=None
        One of `SCORES`; None is "accuracy", or "r2" of a quantity.
    random_state : int, default=0
        Seed of the splits and of the estimators.
    on_fit, on_folds : callable, default=None
        Told of every fit, and of all splits that are done, as `cross_validate_sizes`
        tells.

    Returns
    -------
    Study
        All results.
    """
    cv = data.splits(n_splits, random_state)
    splitter = LabeledSplit(
        cv, missing_label=data.missing_label, stratify=not data.regresses
    )
    scoring = scoring or SCORES[data.task][0]
    splits = list(splitter.split(data.X, data.y))
    hides_labels = n_labeled is not None
    judges = Judges(data, splits, scoring, hides_labels=hides_labels)

    def watch(folds):
        judges.hear(folds)
        if on_folds is not None:
            on_folds(folds)

    (results,) = cross_validate_sizes(
        model,
        data.X,
        data.y,
        sizes=[(n_labeled, None)],
        cv=cv,
        scoring=scoring,
        n_jobs=n_jobs,
        random_state=random_state,
        confidence_level=CONFIDENCE,
        params=None,
        return_estimator=True,
        verbose=0,
        error_score="raise",
        on_fit=on_fit,
        on_folds=watch,
    )
    results["guess_score"] = np.array([one["score"] for one in judges.found["guess"]])
    student = results["weak_to_strong_estimator"][0]
    train, test = splits[0]
    return Study(
        results=results,
        classes=judges.classes,
        hides_labels=hides_labels,
        measures={name: _means(found) for name, found in judges.found.items()},
        recall={name: _mean_recall(found) for name, found in judges.found.items()},
        importance=_importance(
            student, data, test, judges.truth, scoring, random_state
        ),
        student=student,
        train=train,
    )


class Judges:
    """Further measures of all predictors of a split, as soon as these are fitted.

    Of the fitted estimators, those of the first split are kept: others may be large.
    """

    def __init__(self, data, splits, scoring, *, hides_labels):
        self.data, self.splits, self.scoring = data, splits, scoring
        names = PREDICTORS if hides_labels else PREDICTORS[:-1]
        self.found: dict = {name: [] for name in names}
        labels, labeled = data.known()
        self.classes = np.array([]) if data.regresses else np.unique(labels)
        self.labeled = labeled
        self.truth = np.empty(len(labeled), dtype=labels.dtype)
        self.truth[labeled] = labels

    def hear(self, folds):
        """Judge the folds that are new."""
        for i in range(len(self.found["guess"]), len(folds)):
            self._judge_split(folds[i]["estimator"], *self.splits[i])
            if i:
                folds[i]["estimator"] = dict.fromkeys(RIVALS[1:])

    def _judge_split(self, estimators, train, test):
        labels = self.truth[train[self.labeled[train]]]
        guess = DummyRegressor() if self.data.regresses else DummyClassifier()
        guess.fit(np.zeros((len(labels), 1)), labels)
        weak = weak_alone(estimators["weak_to_strong"], self.data.X)
        fitted = {"guess": guess, "weak": weak, **estimators}
        X, y = safe_indexing(self.data.X, test), self.truth[test]
        for name, found in self.found.items():
            score = get_scorer(self.scoring)(fitted[name], X, y)
            if self.data.regresses:
                measures = _judge_values(fitted[name], X, y)
            else:
                measures = _judge_classes(fitted[name], X, y, self.classes)
            found.append({"score": score, **measures})


def _judge_values(fitted, X, y):
    """Return measures of a predictor of values on test rows."""
    errors = np.abs(np.ravel(fitted.predict(X)) - y)
    return {
        "rmse": float(np.sqrt(np.mean(errors**2))),
        "mae": float(errors.mean()),
        "recall": np.array([]),
    }


def _judge_classes(fitted, X, y, classes):
    """Return measures of a predictor of classes on test rows."""
    proba = align_proba(fitted.predict_proba(X), fitted.classes_, classes)
    said = fitted.predict(X)
    codes = np.searchsorted(classes, y)
    hits = said == y
    confidence = proba.max(axis=1)
    counts = np.bincount(codes, minlength=len(classes))
    with np.errstate(invalid="ignore"):
        recall = np.bincount(codes, weights=hits, minlength=len(classes)) / counts
    likely = np.clip(proba[np.arange(len(y)), codes], 1e-15, None)
    bins = np.minimum((confidence * _N_BINS).astype(int), _N_BINS - 1)
    off = np.bincount(bins, weights=confidence - hits, minlength=_N_BINS)
    return {
        "accuracy": hits.mean(),
        "balanced_accuracy": np.nanmean(recall),
        "auc": _auc(codes, proba),
        "log_loss": -np.log(likely).mean(),
        "calibration_error": np.abs(off).sum() / len(y),
        "recall": recall,
    }


def _auc(codes, proba):
    """Return the mean over classes of the area under the ROC curve."""
    present = [c for c in range(proba.shape[1]) if 0 < np.sum(codes == c) < len(codes)]
    if proba.shape[1] == 2:
        present = present[-1:]
    areas = [roc_auc_score(codes == c, proba[:, c]) for c in present]
    return np.mean(areas) if areas else np.nan


def _means(judged):
    names = [name for name in judged[0] if name not in ("recall", "score")]
    return {name: float(np.mean([one[name] for one in judged])) for name in names}


def _mean_recall(judged):
    recalls = [one["recall"] for one in judged]
    known = ~np.isnan(recalls)
    return np.nansum(recalls, axis=0) / np.maximum(known.sum(axis=0), 1)


def _importance(student, data, test, truth, scoring, random_state):
    """Return by column of the file what the score loses where its cells are mixed."""
    units = data.units()
    if len(units) > _MOST_UNITS:
        return {}
    rng = np.random.RandomState(random_state)
    rows = test if len(test) <= _MOST_JUDGED else rng.permutation(test)[:_MOST_JUDGED]
    n_classes = 0 if data.regresses else len(np.unique(truth[test]))
    if len(np.unique(truth[rows])) < n_classes:
        rows = test
    X, y = safe_indexing(data.X, rows), truth[rows]
    scorer = get_scorer(scoring)
    whole = scorer(student, X, y)
    n_repeats = max(1, min(3, _MOST_PREDICTIONS // len(units)))
    losses = {}
    for name, columns in units.items():
        losses[name] = np.mean(
            [
                whole - scorer(student, _mixed(X, columns, rng), y)
                for _ in range(n_repeats)
            ]
        )
    return dict(sorted(losses.items(), key=lambda one: -one[1]))


def _mixed(X, columns, rng):
    order = rng.permutation(len(X))
    mixed = X.copy()
    if not hasattr(X, "iloc"):
        mixed[:, columns] = X[order][:, columns]
        return mixed
    for name in columns:
        mixed[name] = X[name].take(order).set_axis(X.index)
    return mixed


def take_pool(study, data):
    """Return the training rows of the first split as the student saw them."""
    train, known = study.train, study.student.rows_["labeled"]
    truth = data.y[train] if data.regresses else data.y[train].astype(object)
    y = truth.copy()
    y[~known] = data.missing_label
    return Pool(
        X=safe_indexing(data.X, train),
        y=y,
        truth=truth,
        rows=data.rows[train],
        source=None if data.source is None else data.source[train],
        missing_label=data.missing_label,
        is_hidden=study.hides_labels,
    )


def costs(study, model, data):
    """Return by predictor the seconds of its fit and the bytes of the fitted model."""
    results, student = study.results, study.student
    rows = study.train[student.rows_["labeled"]]
    start = perf_counter()
    weak = clone(model.weak_estimator)
    weak.fit(safe_indexing(data.X, rows), np.array(data.y[rows].tolist()))
    found = {"weak": (perf_counter() - start, weak)}
    for name in RIVALS[1:]:
        fitted = results[f"{name}_estimator"][0]
        fitted = getattr(fitted, "estimator_", fitted)
        found[name] = (float(results[f"{name}_fit_time"].mean()), fitted)
    return {
        name: (seconds, len(pickle.dumps(fitted)))
        for name, (seconds, fitted) in found.items()
    }


def choose_final(verdict, *, hides_labels):
    """Return who is to predict, "weak", "strong_on_labels" or "weak_to_strong".

    Where labels were hidden, all are known in truth, and the strong estimator is
    trained on all of them unless the weak one does as well.
    """
    is_enough = verdict.kind in ("guessing", "no_gap", "nothing_left")
    if is_enough and verdict.choice in ("weak", "guess"):
        return "weak"
    return "strong_on_labels" if hides_labels else verdict.choice


def fit_final(final, model, options, data):
    """Fit who is to predict on all labels, and on unlabeled rows where it can.

    Parameters
    ----------
    final : {"weak", "strong_on_labels", "weak_to_strong"}
        As from `choose_final`.
    model : WeakToStrongClassifier
        As from `make_model`.
    options : object
        With weak, strong and random_state.
    data : Data
        Rows.

    Returns
    -------
    classifier
        Fitted.
    """
    seed = options.random_state
    if final == "weak_to_strong":
        chosen = clone(model).set_params(random_state=seed, store_rows=False)
        return chosen.fit(data.X, data.y)
    labels, labeled = data.known()
    name = options.weak if final == "weak" else options.strong
    rows = np.flatnonzero(labeled)
    chosen = make_estimator(name, seed, task=data.task)
    return chosen.fit(safe_indexing(data.X, rows), labels)

"""The experiment behind the report: fit, compare on held-out rows, and judge."""

import math
import pickle
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Literal

import numpy as np
from scipy.special import stdtr, stdtrit
from sklearn.base import clone, is_regressor
from sklearn.compose import TransformedTargetRegressor
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import get_scorer, recall_score, roc_auc_score
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from sklearn_w2s._display import FULL_NAMES
from sklearn_w2s._estimators import seed_nested
from sklearn_w2s._pipeline import weak_alone
from sklearn_w2s._sklearn import safe_indexing
from sklearn_w2s._tabular import (
    default_strong_estimator,
    default_strong_regressor,
    default_weak_regressor,
    table_pipeline,
    tree_encoder,
)
from sklearn_w2s._validation import align_proba, check_labels
from sklearn_w2s.model_selection._gap import RIVALS, cross_validate_sizes
from sklearn_w2s.model_selection._split import LabeledSplit
from sklearn_w2s.overlap import OverlapDetector
from sklearn_w2s.report._data import TEST_SIZE
from sklearn_w2s.report._read import InputError
from sklearn_w2s.sources import UCBSourceSelector
from sklearn_w2s.weak_to_strong import WeakToStrongClassifier, WeakToStrongRegressor

SEED = 0
# None above 1, so that differences are points, and better where higher.
SCORES = {
    "classification": (
        *("accuracy", "balanced_accuracy", "f1_macro", "f1_weighted", "roc_auc_ovr"),
    ),
    "regression": ("r2",),
}
ESTIMATORS = {
    "classification": {
        "boosting": default_strong_estimator(),
        "extra_trees": table_pipeline(ExtraTreesClassifier(), tree_encoder()),
        "forest": table_pipeline(RandomForestClassifier(), tree_encoder()),
        "logistic": table_pipeline(LogisticRegression(max_iter=2000)),
        "mlp": table_pipeline(MLPClassifier(learning_rate_init=0.01)),
        "naive_bayes": table_pipeline(GaussianNB()),
        "tree": table_pipeline(DecisionTreeClassifier(max_depth=3), tree_encoder()),
    },
    "regression": {
        "boosting": default_strong_regressor(),
        "extra_trees": table_pipeline(ExtraTreesRegressor(), tree_encoder()),
        "forest": table_pipeline(RandomForestRegressor(), tree_encoder()),
        "linear": default_weak_regressor(),
        "mlp": table_pipeline(
            TransformedTargetRegressor(
                MLPRegressor(learning_rate_init=0.01, max_iter=500),
                transformer=StandardScaler(),
            )
        ),
        "tree": table_pipeline(DecisionTreeRegressor(max_depth=3), tree_encoder()),
    },
}
# The defaults of the report.
WEAK = {"classification": "logistic", "regression": "linear"}
STRONG = "extra_trees"
MIN_LABELED = 100
LABELED_PER_CLASS = 12
# Three folds for out-of-fold probabilities of a class that is as frequent as any.
MIN_LABELED_PER_CLASS = 3
PREDICTORS = ("guess", "weak", "strong_on_labels", "weak_to_strong", "ceiling")
MAX_BATCH = 32
_N_BINS = 10
_MOST_JUDGED = 400
_MOST_PREDICTIONS = 60
_MOST_UNITS = 200
# The one level of every interval, and of what counts as clear, in terminal and page.
CONFIDENCE = 0.95
RULE = (
    "The rule: weak-to-strong is compared with the better of the two that need no "
    "unlabeled rows, the weak estimator and the strong one on the labels alone, on the "
    "same held-out rows of every split. A difference is clear where its "
    f"{CONFIDENCE:.0%} interval, corrected for the rows that splits share (Nadeau and "
    "Bengio 2003), excludes zero; the probability is that of Student's t for the same "
    "difference. Where it is not clear, the report takes the cheapest that no other "
    "clearly beats: first the weak estimator, then the strong one on the labels. Where "
    "none is clearly better than always guessing, there is nothing to compare."
)
_WHERE_LABELS_ARE_COSTLY = (
    "Next: where labels are costly, label as many rows as kept theirs here and leave "
    "the rest to weak-to-strong; where all rows are labeled, the strong estimator on "
    "all of them needs no weak one."
)
_CHEAPEST_FIRST = ("weak", "strong_on_labels", "weak_to_strong")
# More labels than this many times those at hand are not advised.
_MOST_MORE = 20
# A difference of so much that is the same in every split is one.
_LARGE = 0.05
# Share of right answers from which there is nothing left to gain.
_PERFECT = 0.995


def make_estimator(
    name: str,
    random_state: int | None = None,
    *,
    task: Literal["classification", "regression"] = "classification",
) -> Any:
    """Return one of the estimators of the report, behind an encoder of mixed tables.

    Parameters
    ----------
    name : str
        As in the options ``--weak`` and ``--strong`` of the console script: "boosting",
        "extra_trees", "forest", "mlp" or "tree"; for classes also "logistic" and
        "naive_bayes", for a quantity "linear". "tree" is a decision tree of depth 3;
        all others have nearly the defaults of scikit-learn.
    random_state : int, default=None
        Seed of the estimator. None leaves it unset.
    task : {"classification", "regression"}, default="classification"
        What the estimator is to predict.

    Returns
    -------
    classifier or regressor instance
        Unfitted. It accepts data frames with numbers, dates, categories and missing
        values.

    Raises
    ------
    ValueError
        If there is no such estimator for the task.

    Examples
    --------
    >>> from sklearn_w2s.report import make_estimator
    >>> make_estimator("tree")[-1]
    DecisionTreeClassifier(max_depth=3)
    >>> make_estimator("linear", task="regression")[-1]
    Ridge()
    """
    if task not in ESTIMATORS:
        msg = f"task must be one of {', '.join(ESTIMATORS)}, got {task!r}."
        raise InputError(msg)
    known = ESTIMATORS[task]
    if name not in known:
        names = ", ".join(sorted(known))
        msg = f"name must be one of {names} for {task}, got {name!r}."
        raise InputError(msg)
    return seed_nested(clone(known[name]), random_state)


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


def count_labeled(labels, labeled, *, regresses=False):
    """Return how many training rows keep their label."""
    # A count, a share of the training rows, or None: see --labeled.
    n_known = len(labels)
    n_classes = 1 if regresses else len(np.unique(labels))
    n_train = n_known - int(np.ceil(TEST_SIZE * n_known))
    if labeled is None:
        return min(max(MIN_LABELED, LABELED_PER_CLASS * n_classes), n_train // 2)
    n_labeled = round(labeled * n_train) if labeled < 1 else labeled
    least, most = MIN_LABELED_PER_CLASS * n_classes, n_train - n_classes
    if not least <= n_labeled <= most:
        msg = (
            f"--labeled must be {least} to {most} rows with {n_classes} classes and "
            f"{n_train} training rows, got {labeled}, which is {n_labeled} rows."
        )
        raise InputError(msg)
    return n_labeled


# The comparison


@dataclass(frozen=True)
class Study:
    """What is known of weak-to-strong and its rivals."""

    results: dict  # of `cross_validate_gap`, with `guess_score`
    classes: Any
    hides_labels: bool
    measures: dict  # by predictor, of further measures by name, means over splits
    recall: dict  # by predictor, of each class, mean over splits
    importance: dict  # by column, what weak-to-strong loses in score without it
    student: Any  # fitted on the training rows of the first split
    train: Any  # these rows


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
    """Compare guessing, weak, strong on the labels, weak-to-strong and ceiling."""
    # Without `n_labeled` no label is hidden, so that there is no ceiling.
    cv = data.splits(n_splits, random_state)
    splitter = LabeledSplit(
        cv, missing_label=data.missing_label, stratify=not data.regresses
    )
    scoring = scoring or SCORES[data.task][0]
    splits = list(splitter.split(data.X, data.y))
    labels, labeled = data.known()
    classes = np.array([]) if data.regresses else np.unique(labels)
    truth = np.empty(len(labeled), dtype=labels.dtype)
    truth[labeled] = labels
    names = PREDICTORS if n_labeled is not None else PREDICTORS[:-1]
    found: dict = {name: [] for name in names}

    def measure(folds):
        for i in range(len(found["guess"]), len(folds)):
            train, test = splits[i]
            known = truth[train[labeled[train]]]
            guess = DummyRegressor() if data.regresses else DummyClassifier()
            estimators = folds[i]["estimator"]
            fitted = {
                "guess": guess.fit(np.zeros((len(known), 1)), known),
                "weak": weak_alone(estimators["weak_to_strong"], data.X),
                **estimators,
            }
            X = safe_indexing(data.X, test)
            for name in names:
                found[name].append(
                    _measure(fitted[name], X, truth[test], classes, scoring)
                )
            # Of the others only scores are needed, and estimators may be large.
            if i:
                folds[i]["estimator"] = dict.fromkeys(RIVALS[1:])
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
        on_folds=measure,
    )
    results["guess_score"] = np.array([one["score"] for one in found["guess"]])
    student = results["weak_to_strong_estimator"][0]
    train, test = splits[0]
    measures, recall = {}, {}
    for name, of_splits in found.items():
        recalls = [one.pop("recall") for one in of_splits]
        n_known = np.sum(~np.isnan(recalls), axis=0)
        recall[name] = np.nansum(recalls, axis=0) / np.maximum(n_known, 1)
        measures[name] = {
            measure: float(np.mean([one[measure] for one in of_splits]))
            for measure in of_splits[0]
            if measure != "score"
        }
    return Study(
        results=results,
        classes=classes,
        hides_labels=n_labeled is not None,
        measures=measures,
        recall=recall,
        importance=_importance(student, data, test, truth, scoring, random_state),
        student=student,
        train=train,
    )


def _measure(fitted, X, y, classes, scoring):
    """Return the score of a predictor on test rows, and further measures."""
    score = get_scorer(scoring)(fitted, X, y)
    if not len(classes):
        errors = np.abs(np.ravel(fitted.predict(X)) - y)
        return {
            "score": score,
            "rmse": float(np.sqrt(np.mean(errors**2))),
            "mae": float(errors.mean()),
            "recall": np.array([]),
        }
    proba = align_proba(fitted.predict_proba(X), fitted.classes_, classes)
    codes, predicted = (np.searchsorted(classes, c) for c in (y, fitted.predict(X)))
    hits = predicted == codes
    confidence = proba.max(axis=1)
    # NaN for a class that no test row has.
    recall = recall_score(
        codes,
        predicted,
        labels=np.arange(len(classes)),
        average=None,
        zero_division=np.nan,
    )
    likely = np.clip(proba[np.arange(len(y)), codes], 1e-15, None)
    bins = np.minimum((confidence * _N_BINS).astype(int), _N_BINS - 1)
    off = np.bincount(bins, weights=confidence - hits, minlength=_N_BINS)
    # The area under the ROC curve of each class that some test rows have; one of two.
    present = [c for c in range(len(classes)) if 0 < np.sum(codes == c) < len(codes)]
    if len(classes) == 2:
        present = present[-1:]
    areas = [roc_auc_score(codes == c, proba[:, c]) for c in present]
    return {
        "score": score,
        "accuracy": hits.mean(),
        "balanced_accuracy": np.nanmean(recall),
        "auc": np.mean(areas) if areas else np.nan,
        "log_loss": -np.log(likely).mean(),
        "calibration_error": np.abs(off).sum() / len(y),
        "recall": recall,
    }


def _importance(student, data, test, truth, scoring, random_state):
    """Return by column of the file what the score loses if its cells are permuted."""
    # A text is permuted with all its words, which `permutation_importance` cannot do.
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
        permuted = (_permuted(X, columns, rng) for _ in range(n_repeats))
        losses[name] = np.mean([whole - scorer(student, one, y) for one in permuted])
    return dict(sorted(losses.items(), key=lambda one: -one[1]))


def _permuted(X, columns, rng):
    order = rng.permutation(len(X))
    permuted = X.copy()
    if not hasattr(X, "iloc"):
        permuted[:, columns] = X[order][:, columns]
        return permuted
    for name in columns:
        permuted[name] = X[name].take(order).set_axis(X.index)
    return permuted


# The verdict: whether it pays, how certain that is, what to do next


@dataclass(frozen=True)
class Difference:
    """A mean difference of scores over splits, its interval, and P(it is above 0)."""

    # All but the mean are NaN for a single split, or if all splits agree exactly.
    mean: float
    low: float = math.nan
    high: float = math.nan
    probability: float = math.nan

    @property
    def is_above_noise(self):
        """Whether it is clearly above zero, or large and the same in every split."""
        return self.low > 0 or (math.isnan(self.low) and self.mean > _LARGE)


def difference(first, second, n_train, n_test):
    """Compare scores of the same splits by the corrected resampled t-test."""
    gains = np.asarray(first) - np.asarray(second)
    mean, n_splits = float(gains.mean()), len(gains)
    if n_splits < 2 or np.ptp(gains) < 1e-12:
        return Difference(mean)
    # s * sqrt(1 / n_splits + n_test / n_train), with s the standard deviation.
    error = gains.std(ddof=1) * math.sqrt(1 / n_splits + n_test / n_train)
    half = stdtrit(n_splits - 1, (1 + CONFIDENCE) / 2) * error
    probability = float(stdtr(n_splits - 1, mean / error))
    return Difference(mean, mean - half, mean + half, probability)


@dataclass(frozen=True)
class Verdict:
    """What to do: `kind` of the answer, `choice` of an estimator, and both in words."""

    # "pays", "does_not_pay", "noise", "no_gap", "nothing_left", "guessing", "one_split"
    kind: str
    choice: str
    sentence: str
    next_step: str
    has_gap: bool

    def __str__(self):
        """Return the verdict and what to do next."""
        return f"{self.sentence} {self.next_step}".strip()


def judge(results, *, hides_labels, scoring, n_unlabeled=0):
    """Return whether weak-to-strong pays, by the one rule of the report."""
    n_known = float(np.mean(results["n_labeled"] + results["n_hidden"]))
    n_test = float(np.mean(results["n_test"]))

    def lead(first, second):
        first, second = (results[f"{name}_score"] for name in (first, second))
        return difference(first, second, n_known, n_test)

    # The cheapest that none of the others clearly beats.
    cheapest = next(
        name
        for name in _CHEAPEST_FIRST
        if not any(lead(other, name).is_above_noise for other in _CHEAPEST_FIRST)
    )
    rival = max(
        ("weak", "strong_on_labels"), key=lambda name: np.mean(results[f"{name}_score"])
    )
    gain, measure = lead("weak_to_strong", rival), scoring.replace("_", " ")
    points = round(100 * gain.mean, 2)
    better = "better" if points > 0 else "worse"
    compared = f"{abs(points):.2f} points {better} than" if points else "as good as"
    shown = f"{compared} {FULL_NAMES[rival]} in {measure}{_interval(gain)}"
    if len(results["n_test"]) < 2:
        return Verdict(
            "one_split",
            cheapest,
            f"One split cannot show whether weak-to-strong pays: it is {shown}.",
            "Next: raise --repeats.",
            has_gap=False,
        )
    names = [*_CHEAPEST_FIRST, *(["ceiling"] if hides_labels else [])]
    if not any(lead(name, "guess").is_above_noise for name in names):
        guess = "the mean" if scoring == "r2" else "the most frequent class"
        other = ", or --scoring balanced_accuracy" if scoring == "accuracy" else ""
        return Verdict(
            "guessing",
            "guess",
            f"There is nothing to learn here that shows in {measure}: no estimator is "
            f"clearly better than always predicting {guess}. No clear difference: take "
            "the cheapest, which is to do that.",
            f"Next: other columns{other}.",
            has_gap=False,
        )

    gap = lead("ceiling", "weak") if hides_labels else None
    is_gap = gap is not None and gap.is_above_noise
    is_perfect = np.mean(results[f"{rival}_score"]) >= _PERFECT
    use = f"Next: use {FULL_NAMES[cheapest]}."
    unclear = f"No clear difference: take the cheapest, {FULL_NAMES[cheapest]}."
    if gain.low > 0:
        kind, sentence = "pays", f"Weak-to-strong pays here: it is {shown}."
        next_step = (
            _WHERE_LABELS_ARE_COSTLY
            if hides_labels
            else (
                f"Next: --predict PATH labels the {n_unlabeled} unlabeled rows with "
                "it, and --save PATH saves the model."
            )
        )
    elif gain.high < 0:
        kind, next_step = "does_not_pay", use
        sentence = f"Weak-to-strong does not pay here: it is {shown}."
    elif hides_labels and not is_gap and not is_perfect:
        kind = "no_gap"
        sentence = (
            f"{unclear} There is no gap: the strong estimator on all labels is not "
            f"clearly better than the weak one{_interval(gap)}, so that nothing can "
            "be recovered."
        )
        next_step = "Next: a more flexible strong estimator, or other columns."
    elif is_perfect or (hides_labels and not lead("ceiling", rival).is_above_noise):
        kind, next_step = "nothing_left", use
        sentence = (
            f"{unclear} Nothing is left to gain: {FULL_NAMES[rival]} is as good as it "
            f"gets here; weak-to-strong is {shown}."
        )
    else:
        kind = "noise"
        sentence = f"{unclear} Weak-to-strong is {shown}, which is within the noise."
        next_step = _next_of_noise(gain, n_known + n_test, hides_labels, n_unlabeled)
    return Verdict(
        kind,
        "weak_to_strong" if kind == "pays" else cheapest,
        sentence,
        next_step,
        has_gap=is_gap and not math.isnan(results["gap_recovered"]),
    )


def _next_of_noise(gain, n_labels, hides_labels, n_unlabeled):
    half = (gain.high - gain.low) / 2
    if math.isnan(half) or gain.mean == 0:
        return "Next: more labels, or a larger file."
    # The noise of held-out rows shrinks by the square root of their number.
    needed = n_labels * ((half / abs(gain.mean)) ** 2 - 1)
    where = "rows with a label" if hides_labels else "labels"
    if not hides_labels and needed > n_unlabeled:
        return (
            f"Next: labels of all {n_unlabeled} unlabeled rows would hardly settle it; "
            "keep the cheapest."
        )
    if needed > _MOST_MORE * n_labels:
        return "Next: keep the cheapest; so small a difference takes many more labels."
    n_more = max(1, round(needed, -math.floor(math.log10(max(needed, 1)))))
    return f"Next: about {n_more:.0f} more {where} should settle it."


def _interval(gain):
    if math.isnan(gain.low):
        return ""
    sure, sign = gain.probability, "better"
    if gain.mean < 0:
        sure, sign = 1 - sure, "worse"
    shown = "> 99%" if sure > 0.99 else f"{sure:.0%}"
    return (
        f" ({CONFIDENCE:.0%} interval {100 * gain.low:+.2f} to {100 * gain.high:+.2f}, "
        f"probability that it is {sign} {shown})"
    )


# The training rows of the first split, and their sources


@dataclass(frozen=True)
class Pool:
    """Training rows as a user has them: with a label, or without one."""

    X: Any
    y: Any  # with the missing label also where `truth` has a label that was hidden
    truth: Any
    rows: Any  # numbers of the rows in the file
    source: Any
    missing_label: Any


@dataclass(frozen=True)
class SourceRun:
    """Unlabeled rows of one source, their overlap density, and the rows drawn of it."""

    name: str
    n_rows: int
    overlap_density: float
    n_drawn: int | None


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
    )


def compare_sources(weak_estimator, pool, random_state=SEED):
    """Return each source by name, with the rows that UCB draws with half as budget."""
    unlabeled = ~check_labels(pool.y, pool.missing_label)[1]
    names, codes, n_rows = np.unique(
        pool.source[unlabeled], return_inverse=True, return_counts=True
    )
    detector = OverlapDetector(
        weak_estimator, missing_label=pool.missing_label, random_state=random_state
    ).fit(pool.X, pool.y)
    is_overlap = detector.get_support()[unlabeled]
    density = np.bincount(codes, weights=is_overlap) / n_rows
    # Nothing is drawn where that is too little for two rows of every source.
    budget = int(unlabeled.sum()) // 2
    drawn = _draw(detector, pool, budget, len(names), random_state)
    return [
        SourceRun(name, int(rows), float(share), drawn.get(name))
        for name, rows, share in zip(names.tolist(), n_rows, density, strict=True)
    ]


def _draw(fitted, pool, budget, n_sources, random_state):
    """Return how many rows a selector draws of each source, or nothing."""
    # The burn-in, one batch per source, takes half of the budget at most.
    batch_size = min(MAX_BATCH, budget // (2 * n_sources))
    # Rewards of the selector are for classes.
    if batch_size < 1 or is_regressor(fitted.weak_estimator):
        return {}
    # It sees the rows at hand and those drawn first, as if drawing had a price.
    represent = fitted.representation_.transform
    detector = OverlapDetector(
        fitted.weak_estimator,
        # Rows drawn later may have gaps and categories that the first ones have not.
        representation=FunctionTransformer(represent),
        missing_label=pool.missing_label,
    )
    selector = UCBSourceSelector(
        overlap_detector=detector,
        budget=budget,
        batch_size=batch_size,
        missing_label=pool.missing_label,
        random_state=random_state,
    ).fit(pool.X, pool.y, sample_source=pool.source)
    counts = selector.n_samples_drawn_.tolist()
    return dict(zip(selector.sources_.tolist(), counts, strict=True))


# What it costs, and the model in the end


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
    """Return which one is to predict."""
    # Where labels were hidden, all are known in truth, and the strong estimator is
    # trained on all of them unless the weak one does as well.
    is_enough = verdict.kind in ("guessing", "no_gap", "nothing_left")
    if is_enough and verdict.choice in ("weak", "guess"):
        return "weak"
    return "strong_on_labels" if hides_labels else verdict.choice


def fit_final(final, model, options, data):
    """Fit what `choose_final` names on all labels, and on unlabeled rows if it can."""
    seed = options.random_state
    if final == "weak_to_strong":
        chosen = clone(model).set_params(random_state=seed, store_rows=False)
        return chosen.fit(data.X, data.y)
    labels, labeled = data.known()
    name = options.weak if final == "weak" else options.strong
    rows = np.flatnonzero(labeled)
    chosen = make_estimator(name, seed, task=data.task)
    return chosen.fit(safe_indexing(data.X, rows), labels)

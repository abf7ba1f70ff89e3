"""Laws that hold for any data: what may change in the input and what then may not.

The nightly profile, ``HYPOTHESIS_PROFILE=nightly``, tries 10,000 examples of each.
"""

import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joblib import parallel_config
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

from sklearn_w2s import OverlapDetector, UCBSourceSelector, WeakToStrongClassifier
from sklearn_w2s._algorithms.overlap import REGIONS
from sklearn_w2s.metrics import overlap_density
from sklearn_w2s.model_selection import cross_validate_gap
from sklearn_w2s.overlap import NoChangePointWarning

pytestmark = [
    pytest.mark.filterwarnings(
        f"ignore::{NoChangePointWarning.__module__}.{NoChangePointWarning.__qualname__}"
    ),
]
N_FEATURES = 4
EASY = [0, 1]
SEEDS = st.integers(0, 2**32 - 1)
SIZES = st.integers(40, 90)
STRATEGIES = st.sampled_from(["all", "confidence"])


class Problem:
    """Rows of two blobs, of which the first ones are labeled, and weak probabilities.

    Coordinates are multiples of 1/64, so that sums of a few hundred of them are exact
    in whatever order.
    """

    def __init__(self, seed, n):
        self.rng = np.random.default_rng(seed)
        self.truth = self.rng.permutation(np.arange(n) % 2)
        noise = self.rng.normal(scale=1.5, size=(n, N_FEATURES))
        X = (2 * self.truth - 1)[:, None] + noise
        X[self.rng.random(n) < 0.3, 2:] = 0
        self.X = np.round(64 * X) / 64
        is_labeled = np.arange(n) < n // 2
        # Two rows of either class at least.
        self.y = np.where(is_labeled, self.truth, -1)
        self.y[:4] = [0, 1, 0, 1]
        p = np.round(64 * self.rng.random(n)) / 64
        self.proba = np.column_stack([1 - p, p])
        self.weights = self.rng.integers(1, 4, size=n).astype(float)

    def __repr__(self):
        return f"Problem of {len(self.y)} rows"


# What takes a tenth of a second is tried less often, but for the night.
N_EXAMPLES = settings().max_examples
costly = settings(max_examples=N_EXAMPLES if N_EXAMPLES > 1_000 else N_EXAMPLES // 4)
problems = st.builds(Problem, SEEDS, SIZES)


def detector(**params):
    return OverlapDetector(random_state=0, **params)


def detect(problem, rows=slice(None), **params):
    """Fit a detector on weak probabilities that are given."""
    model = detector(**params)
    return model.fit(problem.X[rows], problem.y[rows], weak_proba=problem.proba[rows])


def classifier(strategy="all"):
    return WeakToStrongClassifier(
        GaussianNB(),
        GaussianNB(),
        weak_features=EASY,
        strategy=strategy,
        store_rows=True,
        random_state=0,
    )


def same_predictions(first, second, X, **tolerance):
    assert_allclose(first.predict_proba(X), second.predict_proba(X), **tolerance)


# The detector.


@given(problems)
def test_regions_move_with_the_rows(problem):
    order = problem.rng.permutation(len(problem.y))

    moved, first = detect(problem, order), detect(problem)

    assert_array_equal(moved.regions_, first.regions_[order])
    assert_allclose(moved.overlap_density_, first.overlap_density_)


@given(problems)
def test_a_weight_of_two_is_a_row_given_twice(problem):
    repeated = np.repeat(np.arange(len(problem.y)), problem.weights.astype(int))

    weighted = detector().fit(
        problem.X,
        problem.y,
        weak_proba=problem.proba,
        sample_weight=problem.weights,
    )

    twice = detect(problem, repeated)
    assert_allclose(weighted.confidence_threshold_, twice.confidence_threshold_)
    assert_allclose(weighted.overlap_density_, twice.overlap_density_)


@given(problems)
def test_rows_that_are_all_given_twice_change_no_density(problem):
    twice = np.tile(np.arange(len(problem.y)), 2)

    assert_allclose(
        detect(problem, twice).overlap_density_, detect(problem).overlap_density_
    )


@given(problems, SEEDS)
def test_what_is_said_of_a_row_does_not_hang_on_those_beside_it(problem, seed):
    model = detector(weak_estimator=GaussianNB()).fit(problem.X, problem.y)
    some = np.flatnonzero(np.random.default_rng(seed).random(len(problem.y)) < 0.5)
    some = some if len(some) else np.array([0])

    assert_allclose(model.transform(problem.X[some]), model.transform(problem.X)[some])
    assert_array_equal(model.predict(problem.X[some]), model.predict(problem.X)[some])


@given(problems, st.sampled_from([2.0**-20, 2.0**20]))
def test_units_of_the_columns_do_not_matter(problem, factor):
    first = detect(problem).regions_
    problem.X = problem.X * factor

    assert_array_equal(detect(problem).regions_, first)


@given(problems)
def test_the_order_of_the_columns_does_not_matter(problem):
    first = detect(problem)
    problem.X = problem.X[:, ::-1]

    assert_allclose(detect(problem).overlap_score_, first.overlap_score_)


@given(problems)
def test_the_order_of_the_classes_does_not_matter(problem):
    first = detect(problem)
    problem.y = np.where(problem.y == -1, -1, 1 - problem.y)
    problem.proba = problem.proba[:, ::-1]

    assert_array_equal(detect(problem).regions_, first.regions_)


@given(problems)
def test_single_precision_is_close_to_double_precision(problem):
    first = detect(problem, overlap_threshold=0.5)
    problem.X = problem.X.astype(np.float32)
    second = detect(problem, overlap_threshold=0.5)

    assert_allclose(second.confidence_, first.confidence_, atol=1e-6)
    assert_allclose(second.overlap_score_, first.overlap_score_, atol=1e-4)


@given(problems, st.floats(0, 1), st.floats(0, 1))
def test_more_rows_are_hard_the_higher_the_threshold(problem, first, second):
    low, high = sorted([first, second])

    def hard(threshold):
        model = detect(problem, confidence_threshold=threshold, refine_hard=False)
        return set(np.flatnonzero(model.regions_ == "hard"))

    assert hard(low) <= hard(high)


@given(problems)
def test_regions_part_the_rows(problem):
    model = detect(problem)

    assert set(model.regions_) <= set(REGIONS)
    assert_allclose(overlap_density(model.regions_), model.overlap_density_)
    low, high = model.overlap_density_interval_
    assert low <= model.overlap_density_ <= high


@given(problems)
def test_a_detector_survives_a_pickle_and_a_clone(problem):
    model = detector(weak_estimator=GaussianNB()).fit(problem.X, problem.y)

    thawed = pickle.loads(pickle.dumps(model))
    again = clone(model).fit(problem.X, problem.y)

    assert_array_equal(thawed.predict(problem.X), model.predict(problem.X))
    assert_array_equal(again.predict(problem.X), model.predict(problem.X))


@given(problems)
def test_jobs_change_nothing(problem):
    one = detect(problem, n_jobs=1)
    with parallel_config(backend="threading"):
        two = detect(problem, n_jobs=2)

    assert_allclose(one.overlap_score_, two.overlap_score_, rtol=1e-12)
    assert_array_equal(one.regions_, two.regions_)


# The classifier.


@given(problems, STRATEGIES)
def test_predictions_do_not_hang_on_the_order_of_rows(problem, strategy):
    order = problem.rng.permutation(len(problem.y))

    first = classifier(strategy).fit(problem.X, problem.y)
    second = classifier(strategy).fit(problem.X[order], problem.y[order])

    same_predictions(first, second, problem.X, atol=1e-7)
    assert_array_equal(second.rows_["label"], first.rows_["label"][order])


@given(problems, STRATEGIES)
def test_a_weight_of_two_teaches_as_a_row_given_twice(problem, strategy):
    repeated = np.repeat(np.arange(len(problem.y)), problem.weights.astype(int))

    weighted = classifier(strategy).fit(
        problem.X, problem.y, sample_weight=problem.weights
    )
    twice = classifier(strategy).fit(problem.X[repeated], problem.y[repeated])

    same_predictions(weighted, twice, problem.X, atol=1e-6)


@given(problems, STRATEGIES)
def test_rows_of_no_weight_teach_nothing(problem, strategy):
    ignored = problem.rng.random(len(problem.y)) < 0.3
    ignored[:4] = False
    weights = np.where(ignored, 0.0, 1.0)

    weighted = classifier(strategy).fit(problem.X, problem.y, sample_weight=weights)
    without = classifier(strategy).fit(problem.X[~ignored], problem.y[~ignored])

    same_predictions(weighted, without, problem.X, atol=1e-6)


@given(problems, STRATEGIES)
def test_the_names_of_the_classes_do_not_matter(problem, strategy):
    names = np.array(["no", "yes", "?"])
    model = classifier(strategy).fit(problem.X, problem.y)
    named = classifier(strategy).set_params(missing_label="?")
    named.fit(problem.X, names[problem.y])

    assert_array_equal(named.predict(problem.X), names[model.predict(problem.X)])
    same_predictions(named, model, problem.X)


@given(problems, st.sampled_from([-7, None, np.nan]))
def test_the_marker_of_missing_labels_does_not_matter(problem, marker):
    labels = [marker if label == -1 else label for label in problem.y.tolist()]
    model = classifier().fit(problem.X, problem.y)
    marked = classifier().set_params(missing_label=marker)
    marked.fit(problem.X, np.array(labels, dtype=object if marker is None else None))

    same_predictions(marked, model, problem.X)


@given(problems, STRATEGIES)
def test_a_score_counts_labeled_rows_alone(problem, strategy):
    model = classifier(strategy).fit(problem.X, problem.y)
    labeled = problem.y != -1

    score = model.score(problem.X, problem.y)

    assert score == model.score(problem.X[labeled], problem.y[labeled])
    assert set(model.rows_["label"][~labeled]) <= {0, 1}


@costly
@given(problems, st.integers(4, 12))
def test_labels_that_are_hidden_reach_no_fit(problem, n_labeled):
    seen = []

    class Watched(WeakToStrongClassifier):
        def fit(self, X, y):
            seen.append((X.copy(), y.copy()))
            return super().fit(X, y)

    model = Watched(GaussianNB(), GaussianNB(), strategy="all")
    rows = [row.tobytes() for row in problem.X]
    truth = dict(zip(rows, problem.truth, strict=True))
    halves = np.array_split(problem.rng.permutation(len(problem.truth)), 2)
    found = cross_validate_gap(
        model, problem.X, problem.truth, labeled_size=n_labeled, cv=[halves]
    )

    for (X, y), n_hidden in zip(seen, found["n_hidden"], strict=True):
        hidden = y == -1
        assert hidden.sum() == n_hidden == len(y) - n_labeled
        kept = [truth[row.tobytes()] for row in X[~hidden]]
        assert_array_equal(y[~hidden], kept)


@given(problems, STRATEGIES)
@pytest.mark.filterwarnings("ignore:y contains no unlabeled samples:UserWarning")
def test_with_all_rows_labeled_it_is_the_strong_estimator(problem, strategy):
    model = classifier(strategy).fit(problem.X, problem.truth)

    strong = GaussianNB().fit(problem.X, problem.truth)
    same_predictions(model, strong, problem.X)


@given(problems, STRATEGIES)
def test_predictions_do_not_hang_on_the_rows_beside(problem, strategy):
    model = classifier(strategy).fit(problem.X, problem.y)
    one_by_one = [model.predict_proba(row[None])[0] for row in problem.X[:5]]

    assert_allclose(one_by_one, model.predict_proba(problem.X)[:5])


# By whether they take missing values.
TAKERS = {
    "naive Bayes": GaussianNB(),
    "boosting": HistGradientBoostingClassifier(max_iter=2, min_samples_leaf=5),
    "imputer": make_pipeline(SimpleImputer(), GaussianNB()),
}
takers = st.sampled_from(sorted(TAKERS))
views = st.sampled_from([None, EASY, [2, 3], [1]])
cells = st.sets(
    st.tuples(st.integers(0, 39), st.integers(0, N_FEATURES - 1)), max_size=9
)


def tell(model, fit, method, X, y):
    """Return what a model says of the rows that it was fitted to, or its refusal."""
    try:
        return np.asarray(getattr(getattr(model, fit)(X, y), method)(X))
    except ValueError as error:
        return str(error)


@given(problems, takers, takers, views, STRATEGIES, cells, st.integers(0, 2))
def test_gaps_are_taken_and_refused_alike_in_arrays_and_frames(
    problem, weak, strong, columns, strategy, gaps, chosen
):
    pd = pytest.importorskip("pandas")
    X = problem.X.copy()
    for cell in gaps:
        X[cell] = np.nan
    shared = {"weak_features": columns, "random_state": 0}
    model = WeakToStrongClassifier(
        TAKERS[weak], TAKERS[strong], strategy=strategy, **shared
    )
    judge = OverlapDetector(TAKERS[weak], **shared)
    seen = {column for _, column in gaps} & set(columns or range(N_FEATURES))
    estimator, fit, method, refused = (
        (model, "fit", "predict_proba", gaps and strong == "naive Bayes"),
        (judge, "fit", "transform", False),
        (judge, "partial_fit", "transform", False),
    )[chosen]
    said = tell(clone(estimator), fit, method, X, problem.y)
    must_refuse = bool(refused or (seen and weak == "naive Bayes"))
    assert isinstance(said, str) == must_refuse
    frame = pd.DataFrame(X, columns=[f"x{j}" for j in range(N_FEATURES)])
    for other in (frame, frame.astype("Float64")):
        asked = tell(clone(estimator), fit, method, other, problem.y)
        assert_array_equal(asked, said)


@given(problems, STRATEGIES)
def test_a_classifier_survives_a_pickle_and_a_clone(problem, strategy):
    model = classifier(strategy).fit(problem.X, problem.y)

    same_predictions(pickle.loads(pickle.dumps(model)), model, problem.X)
    same_predictions(clone(model).fit(problem.X, problem.y), model, problem.X)


@given(problems, STRATEGIES)
def test_a_classifier_in_single_precision_predicts_alike(problem, strategy):
    double = classifier(strategy).fit(problem.X, problem.y)
    single = classifier(strategy).fit(problem.X.astype(np.float32), problem.y)

    same_predictions(double, single, problem.X, atol=1e-3)


@given(problems, STRATEGIES)
def test_no_input_is_written_to(problem, strategy):
    before = problem.X.copy(), problem.y.copy()
    problem.X.setflags(write=False)
    problem.y.setflags(write=False)

    classifier(strategy).fit(problem.X, problem.y).predict(problem.X)

    assert_array_equal(problem.X, before[0])
    assert_array_equal(problem.y, before[1])


# The selector.


def select(problem, names, seed=0):
    model = UCBSourceSelector(
        overlap_detector=OverlapDetector(GaussianNB()),
        n_rounds=6,
        batch_size=3,
        random_state=seed,
    )
    return model.fit(problem.X, problem.y, sample_source=names)


@costly
@given(problems, SEEDS)
def test_the_same_seed_draws_the_same_rows(problem, seed):
    names = np.arange(len(problem.y)) % 3

    first, second = (
        select(problem, names, seed % 1000),
        select(problem, names, seed % 1000),
    )

    assert_array_equal(first.sample_indices_, second.sample_indices_)


@costly
@given(problems)
def test_no_row_is_drawn_twice(problem):
    names = np.arange(len(problem.y)) % 3

    drawn = select(problem, names).sample_indices_

    assert len(set(drawn.tolist())) == len(drawn)


@costly
@given(problems)
def test_the_names_of_the_sources_do_not_matter(problem):
    codes = np.arange(len(problem.y)) % 3

    by_code = select(problem, codes)
    by_name = select(problem, np.array(["a", "b", "c"])[codes])

    assert_array_equal(by_code.sample_indices_, by_name.sample_indices_)


# All of them.


def fit_and_predict(seed):
    problem = Problem(seed, 60)
    model = classifier("confidence").fit(problem.X, problem.y)
    regions = detect(problem).regions_
    drawn = select(problem, np.arange(60) % 3).sample_indices_
    return model.predict_proba(problem.X), regions, drawn


# While a task of its runs, scikit-learn changes the filters that all threads share.
@pytest.mark.filterwarnings("ignore")
def test_fits_in_many_threads_are_those_of_one():
    seeds = range(24)
    with ThreadPoolExecutor(8) as pool:
        threaded = list(pool.map(fit_and_predict, seeds))

    for seed, found in zip(seeds, threaded, strict=True):
        for mine, other in zip(found, fit_and_predict(seed), strict=True):
            assert_array_equal(mine, other)


def test_other_processes_find_the_same():
    code = (
        "import numpy as np; from sklearn.naive_bayes import GaussianNB;"
        "from sklearn_w2s import WeakToStrongClassifier, OverlapDetector;"
        "rng = np.random.default_rng(0); X = rng.normal(size=(300, 4));"
        "y = np.where(np.arange(300) < 60, X[:, 0] > 0, -1);"
        "model = WeakToStrongClassifier(strategy='smooth', random_state=0);"
        "proba = model.fit(X, y).predict_proba(X);"
        "regions = OverlapDetector(random_state=0).fit(X, y).regions_;"
        "print(proba.sum(axis=0).tolist(), ''.join(r[0] for r in regions))"
    )
    run = partial(subprocess.run, check=True, capture_output=True, text=True)
    printed = {
        run(
            [sys.executable, "-W", "ignore", "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }

    assert len(printed) == 1

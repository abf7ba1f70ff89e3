"""On a cluster of two processes, one of which dies, the results are the same."""

import os
import signal
from pathlib import Path

import dask
import dask.array as da
import numpy as np
import pytest
from joblib import parallel_config
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

import sklearn_w2s
from sklearn_w2s import UCBSourceSelector
from sklearn_w2s.dask import OverlapDetector, WeakToStrongClassifier
from sklearn_w2s.model_selection import (
    LabeledScorer,
    LabeledSplit,
    cross_validate_gap,
)

# Its event loop runs in a thread of this process. Where a warning is an error it would
# raise there, and a worker that was killed would not be started again.
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(scope="module")
def rows(long_problem):
    X, y = long_problem
    return da.from_array(X, chunks=(900, 40)), da.from_array(y, chunks=900)


def new_estimators():
    detector = OverlapDetector(
        weak_features=slice(0, 20), reservoir_size=800, random_state=0
    )
    sampled, by_blocks = (
        WeakToStrongClassifier(
            None,
            strong,
            weak_features=slice(0, 20),
            strong_fit=how,
            max_rows=500,
            random_state=0,
        )
        for strong, how in (
            (LogisticRegression(), "sample"),
            (GaussianNB(), "partial_fit"),
        )
    )
    taught = clone(sampled).set_params(strategy="mix")
    sampled.set_params(strategy="overlap", overlap_detector=OverlapDetector())
    return [detector, sampled, by_blocks, taught]


@pytest.fixture(scope="module")
def expected(rows):
    with dask.config.set(scheduler="synchronous"):
        return [estimator.fit(*rows) for estimator in new_estimators()]


def assert_same_answers(estimators, expected, X):
    for estimator, other in zip(estimators, expected, strict=True):
        assert_array_equal(estimator.predict(X), other.predict(X))
        if hasattr(other, "overlap_density_"):
            assert estimator.overlap_density_ == other.overlap_density_


def fatal(X, folder, at_visit):
    """Return X, whose third block kills the process that asks for it."""

    def visit(block, block_info=None):
        if block_info is None or block_info[0]["chunk-location"][0] != 2:
            return block
        visits = len(list(Path(folder).iterdir()))
        (Path(folder) / f"visit{visits}").touch()
        if visits == at_visit:
            os.kill(os.getpid(), signal.SIGKILL)
        return block

    return X.map_blocks(visit, dtype=X.dtype, meta=np.empty((0, 0)))


@pytest.mark.usefixtures("on_cluster")
def test_a_cluster_gives_what_one_process_gives(rows, expected):
    estimators = [estimator.fit(*rows) for estimator in new_estimators()]

    assert_same_answers(estimators, expected, rows[0][:2000].compute())
    lazy = estimators[0].predict(rows[0]).compute()
    assert_array_equal(lazy, expected[0].predict(rows[0].compute()))


@pytest.mark.usefixtures("on_cluster")
@pytest.mark.parametrize(
    ("which", "at_visit"),
    [(0, 0), (0, 1), (1, 1), (2, 2), (3, 0)],
    ids=["survey", "count", "sample", "partial_fit", "table"],
)
def test_the_death_of_a_worker_changes_nothing(
    rows, expected, tmp_path, which, at_visit
):
    X, y = rows
    estimator = new_estimators()[which].fit(fatal(X, tmp_path, at_visit), y)

    assert len(list(tmp_path.iterdir())) > at_visit + 1
    assert_same_answers([estimator], [expected[which]], X[:2000].compute())


@pytest.mark.usefixtures("on_cluster")
def test_searches_over_estimators_in_memory_run_on_a_cluster(problem):
    X, y, _ = problem
    classifier = sklearn_w2s.WeakToStrongClassifier(
        None,
        LogisticRegression(),
        weak_features=slice(0, 4),
        overlap_detector=sklearn_w2s.OverlapDetector(threshold_type="quantile"),
        random_state=0,
    )
    search = GridSearchCV(
        classifier,
        {
            "strategy": ["all", "overlap"],
            "overlap_detector__overlap_threshold": [0.4, 0.6],
        },
        cv=LabeledSplit(3),
        scoring=LabeledScorer("accuracy"),
    )
    search.fit(X, y)
    scores, best = search.cv_results_["mean_test_score"], search.predict(X)
    with parallel_config(backend="dask", wait_for_workers_timeout=30):
        search.fit(X, y)

    assert_array_equal(search.cv_results_["mean_test_score"], scores)
    assert_array_equal(search.predict(X), best)


@pytest.mark.usefixtures("on_cluster")
def test_a_search_over_detectors_runs_on_a_cluster(problem):
    X, _, truth = problem
    detector = sklearn_w2s.OverlapDetector(
        weak_features=slice(0, 4), threshold_type="quantile", random_state=0
    )
    search = GridSearchCV(
        make_pipeline(detector, LogisticRegression()),
        {"overlapdetector__confidence_threshold": [0.2, 0.5]},
        cv=3,
    )
    scores = search.fit(X, truth).cv_results_["mean_test_score"]
    with parallel_config(backend="dask", wait_for_workers_timeout=30):
        search.fit(X, truth)

    assert_array_equal(search.cv_results_["mean_test_score"], scores)


@pytest.mark.usefixtures("on_cluster")
def test_a_search_over_selectors_runs_on_a_cluster(problem):
    X, y, _ = problem
    selector = UCBSourceSelector(
        sklearn_w2s.WeakToStrongClassifier(GaussianNB(), GaussianNB(), strategy="all"),
        overlap_detector=sklearn_w2s.OverlapDetector(GaussianNB()),
        budget=300,
        random_state=0,
    )
    scorer = LabeledScorer("accuracy")
    search = GridSearchCV(
        selector, {"policy": ["kl_ucb", "random"]}, cv=LabeledSplit(3), scoring=scorer
    )
    sources = np.arange(len(y)) % 3
    search.fit(X, y, sample_source=sources)
    scores = search.cv_results_["mean_test_score"]
    with parallel_config(backend="dask", wait_for_workers_timeout=30):
        search.fit(X, y, sample_source=sources)

    assert_array_equal(search.cv_results_["mean_test_score"], scores)


@pytest.mark.usefixtures("on_cluster")
def test_folds_that_measure_the_gap_run_on_a_cluster(problem):
    X, _, truth = problem
    model = sklearn_w2s.WeakToStrongClassifier(
        GaussianNB(), LogisticRegression(), weak_features=slice(0, 4), strategy="all"
    )
    options = {"labeled_size": 60, "cv": 3, "random_state": 0}
    serial = cross_validate_gap(model, X, truth, **options)
    with parallel_config(backend="dask", wait_for_workers_timeout=30):
        parallel = cross_validate_gap(model, X, truth, **options, n_jobs=2)

    assert_array_equal(parallel["weak_to_strong_score"], serial["weak_to_strong_score"])
    assert_array_equal(parallel["ceiling_score"], serial["ceiling_score"])


@pytest.mark.usefixtures("on_cluster")
def test_parts_of_an_estimator_run_on_a_cluster(problem):
    X, y, _ = problem
    detector = sklearn_w2s.OverlapDetector(weak_features=slice(0, 4), n_jobs=2)
    serial = detector.fit(X, y).predict(X)
    with parallel_config(backend="dask", wait_for_workers_timeout=30):
        parallel = detector.fit(X, y).predict(X)

    assert_array_equal(parallel, serial)

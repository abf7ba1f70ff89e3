import os
import tempfile
import threading
import warnings
from multiprocessing import active_children
from multiprocessing.dummy import DummyProcess

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.base import clone
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

from sklearn_w2s import (
    OverlapDetector,
    OverlapSampler,
    UCBSourceSelector,
    WeakToStrongClassifier,
)
from sklearn_w2s._estimators import draw_seed, forget_fit, seed_nested
from sklearn_w2s.model_selection import cross_validate_gap


class Stopped(GaussianNB):
    """A naive Bayes classifier whose nth fit is interrupted."""

    n_left = 0

    def fit(self, X, y, sample_weight=None):
        Stopped.n_left -= 1
        if Stopped.n_left == 0:
            raise KeyboardInterrupt
        return super().fit(X, y, sample_weight)


def selector(weak, n_jobs):
    return UCBSourceSelector(
        overlap_detector=detector(weak, n_jobs),
        n_rounds=6,
        batch_size=20,
        random_state=0,
    )


def detector(weak, n_jobs):
    return OverlapDetector(weak, n_jobs=n_jobs, random_state=0)


def classifier(strategy):
    return lambda weak, n_jobs: WeakToStrongClassifier(
        weak, weak, strategy=strategy, n_jobs=n_jobs, random_state=0
    )


ESTIMATORS = {
    "detector": detector,
    "sampler": lambda weak, n_jobs: OverlapSampler(detector(weak, n_jobs)),
    "selector": selector,
    **{f"classifier, {name}": classifier(name) for name in ("all", "overlap", "blend")},
}


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 4))
    truth = (X[:, 0] + X[:, 1] > 0).astype(int)
    return X, np.where(np.arange(300) < 60, truth, -1)


def surroundings():
    return {
        "filters": list(warnings.filters),
        "environment": dict(os.environ),
        "random state": np.random.get_state()[1].tolist(),  # noqa: NPY002
        "folder": os.getcwd(),  # noqa: PTH109
        "temporary files": sorted(os.listdir(tempfile.gettempdir())),  # noqa: PTH208
        "threads": set(threading.enumerate()),
        "processes": set(active_children()),
    }


def wait_for_threads(before):
    """Wait for threads that are about to end."""
    for thread in set(threading.enumerate()) - before["threads"]:
        if "Executor" in thread.name or "Feeder" in thread.name:
            continue
        thread.join(timeout=5)


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("JOBLIB_TEMP_FOLDER", str(tmp_path))


def fit(model, X, y):
    if isinstance(model, UCBSourceSelector):
        return model.fit(X, y, sample_source=np.arange(len(y)) % 3)
    if isinstance(model, OverlapSampler):
        return model.fit_resample(X, y)
    return model.fit(X, y)


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize("n_jobs", [None, 2])
@pytest.mark.filterwarnings("ignore:No change point")
def test_a_fit_that_is_stopped_leaves_nothing_behind(rows, name, n_jobs):
    before = surroundings()
    n_stops = 0
    with parallel_config(backend="threading"):
        for nth in (1, 2, 5, 7):
            model = ESTIMATORS[name](Stopped(), n_jobs)
            Stopped.n_left = 0
            fit(model, *rows)
            Stopped.n_left = nth
            # Threads of the pools of the former fit may not have ended yet.
            former = set(threading.enumerate())
            try:
                fit(model, *rows)
            except KeyboardInterrupt:
                n_stops += 1
                assert not [
                    thread
                    for thread in set(threading.enumerate()) - former
                    if isinstance(thread, DummyProcess)
                ]
                assert not [own for own in vars(model) if own.endswith("_")]
                if not isinstance(model, OverlapSampler):
                    with pytest.raises(NotFittedError):
                        check_is_fitted(model)
            wait_for_threads(before)
            assert surroundings() == before
    assert n_stops > 1


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_a_fit_leaves_its_surroundings_as_they_were(rows, backend):
    # A pool of processes, once there, is joblib's, which keeps it for the next fit.
    model = ESTIMATORS["classifier, blend"](GaussianNB(), 2)
    with parallel_config(backend=backend):
        fit(model, *rows)
        before = surroundings()
        fit(model, *rows)
        cross_validate_gap(
            classifier("all")(GaussianNB(), None),
            *rows,
            cv=2,
            n_jobs=2,
            random_state=0,
        )
    wait_for_threads(before)
    after = surroundings()
    if backend == "loky":
        for state in (before, after):
            state.pop("threads")
    assert after == before


def test_parameters_that_are_refused_leave_the_former_fit(rows):
    model = fit(ESTIMATORS["classifier, all"](GaussianNB(), None), *rows)
    with pytest.raises(ValueError, match="n_jobs"):
        fit(model.set_params(n_jobs="many"), *rows)
    check_is_fitted(model)


def test_what_was_fitted_is_forgotten():
    estimator = GaussianNB(priors=[0.5, 0.5]).fit([[0], [1]], [0, 1])
    forget_fit(estimator)
    assert not [name for name in vars(estimator) if name.endswith("_")]
    assert estimator.priors == [0.5, 0.5]


def test_a_parameter_of_a_part_is_named_with_its_prefix():
    with pytest.raises(
        ValueError,
        match=r"'overlap_threshold' for WeakToStrongClassifier: did you mean "
        r"overlap_detector__overlap_threshold, with overlap_detector=OverlapDetector",
    ):
        WeakToStrongClassifier().set_params(overlap_threshold=0.5)
    model = WeakToStrongClassifier(LogisticRegression())
    with pytest.raises(ValueError, match=r"mean weak_estimator__C\?"):
        model.set_params(C=2.0)
    with pytest.raises(ValueError, match="Invalid parameter 'nonsense' for estimator"):
        model.set_params(nonsense=1)


@pytest.mark.parametrize(
    ("estimator", "name", "example"),
    [
        (
            WeakToStrongClassifier(),
            "overlap_detector__overlap_threshold",
            r"overlap_detector=OverlapDetector\(\)",
        ),
        (WeakToStrongClassifier(), "weak_estimator__C", "weak_estimator=an estimator"),
        (OverlapDetector(), "weak_estimator__C", "weak_estimator=an estimator"),
        (
            UCBSourceSelector(),
            "overlap_detector__cv",
            r"overlap_detector=OverlapDetector\(\)",
        ),
    ],
)
def test_a_part_that_is_none_has_no_parameters(estimator, name, example):
    with pytest.raises(ValueError, match=f"which is None. Pass {example} first"):
        estimator.set_params(**{name: 1})


def test_the_error_of_a_search_names_the_missing_part():
    search = GridSearchCV(
        WeakToStrongClassifier(), {"overlap_detector__overlap_threshold": [0.1, 0.2]}
    )
    with pytest.raises(ValueError, match=r"which is None\. Pass overlap_detector="):
        search.fit(np.zeros((20, 2)), [0, 1] * 10)


def test_a_part_and_its_parameters_can_be_set_at_once():
    model = WeakToStrongClassifier()
    model.set_params(
        overlap_detector=OverlapDetector(), overlap_detector__overlap_threshold=0.3
    )
    assert model.overlap_detector.overlap_threshold == 0.3


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_unlabeled_rows_belong_into_x(method):
    X, y = np.zeros((4, 2)), [0, 1, 0, 1]
    estimators = [OverlapDetector()]
    if method == "fit":
        estimators.append(WeakToStrongClassifier())
    for estimator in estimators:
        fit = getattr(estimator, method)
        message = rf"{method} takes the unlabeled rows in X: .* missing_label=-1"
        with pytest.raises(TypeError, match=message):
            fit(X, y, X)
        with pytest.raises(TypeError, match=message):
            fit(X, y, X_unlabeled=X)


def test_equal_generators_draw_equal_seeds():
    first, second = (np.random.RandomState(3) for _ in range(2))
    assert [draw_seed(first) for _ in range(3)] == [draw_seed(second) for _ in range(3)]


def nested():
    return make_pipeline(
        StandardScaler(),
        BaggingClassifier(RandomForestClassifier(random_state=3)),
    )


def seeds_of(estimator):
    return {
        name: value
        for name, value in estimator.get_params().items()
        if name.endswith("random_state")
    }


def test_every_seed_that_is_none_is_set_at_every_depth():
    estimator = nested()
    assert seed_nested(estimator, 0) is estimator
    seeds = seeds_of(estimator)
    assert seeds["baggingclassifier__estimator__random_state"] == 3
    assert isinstance(seeds["baggingclassifier__random_state"], int)
    assert seeds == seeds_of(seed_nested(nested(), 0))
    assert seeds != seeds_of(seed_nested(nested(), 1))


def test_a_generator_gives_each_estimator_different_seeds():
    rng = np.random.RandomState(0)
    first, second = (seed_nested(LogisticRegression(), rng) for _ in range(2))
    assert first.random_state != second.random_state


def test_without_a_seed_nothing_is_set():
    estimator = nested()
    before = seeds_of(estimator)
    assert seeds_of(seed_nested(estimator, None)) == before


@pytest.mark.parametrize(
    "estimator",
    [StandardScaler(), FrozenEstimator(RandomForestClassifier())],
)
def test_what_cannot_be_seeded_is_left_alone(estimator):
    before = repr(clone(estimator).get_params())
    assert repr(seed_nested(estimator, 0).get_params()) == before

"""A fit leaves nothing behind, finished or stopped, but what it has fitted."""

import os
import tempfile
import threading
import warnings
from multiprocessing import active_children

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.exceptions import NotFittedError
from sklearn.naive_bayes import GaussianNB
from sklearn.utils.validation import check_is_fitted

from sklearn_w2s import (
    OverlapDetector,
    OverlapSampler,
    UCBSourceSelector,
    WeakToStrongClassifier,
)
from sklearn_w2s._fit_context import forget_fit
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
    """Let threads that were told to end do so."""
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
            try:
                fit(model, *rows)
            except KeyboardInterrupt:
                n_stops += 1
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

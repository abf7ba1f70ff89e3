"""Searches run unchanged through Ray's backend of joblib."""

import pytest

ray = pytest.importorskip("ray")

from joblib import parallel_config  # noqa: E402
from numpy.testing import assert_array_equal  # noqa: E402
from ray.util.joblib import register_ray  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.model_selection import GridSearchCV  # noqa: E402

from sklearn_w2s import WeakToStrongClassifier  # noqa: E402
from sklearn_w2s.model_selection import LabeledScorer, LabeledSplit  # noqa: E402


@pytest.fixture(scope="module", autouse=True)
def cluster():
    """Start Ray with two processors."""
    ray.init(num_cpus=2, include_dashboard=False)
    register_ray()
    yield
    ray.shutdown()


def test_a_search_gives_what_it_gives_in_one_process(problem):
    X, y, _ = problem
    search = GridSearchCV(
        WeakToStrongClassifier(None, LogisticRegression(), weak_features=slice(0, 4)),
        {"strategy": ["all", "confidence"]},
        cv=LabeledSplit(3),
        scoring=LabeledScorer("accuracy"),
    )
    scores = search.fit(X, y).cv_results_["mean_test_score"]
    with parallel_config(backend="ray"):
        search.fit(X, y)

    assert_array_equal(search.cv_results_["mean_test_score"], scores)

"""A skorch net as it comes from the user, as the weak and as the strong estimator."""

import copy
import pickle
from unittest import SkipTest

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from rows_table import stacked
from sklearn import config_context
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_checks, get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_w2s import OverlapDetector, WeakToStrongClassifier

torch = pytest.importorskip("torch")
skorch = pytest.importorskip("skorch")

pytestmark = pytest.mark.usefixtures("few_folds")


class Perceptron(torch.nn.Module):
    """Four outputs serve problems of up to four classes."""

    def __init__(self, hidden=8):
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.LazyLinear(hidden, dtype=torch.float64),
            torch.nn.Tanh(),
            torch.nn.Linear(hidden, 4, dtype=torch.float64),
        )

    def forward(self, X):
        return self.layers(X)


def make_net(**params):
    return skorch.NeuralNetClassifier(
        Perceptron,
        **{
            "criterion": torch.nn.CrossEntropyLoss,
            "optimizer": torch.optim.Adam,
            "lr": 0.05,
            "max_epochs": 25,
            "batch_size": -1,
            "train_split": None,
            "verbose": 0,
        }
        | params,
    )


PAIRS = [
    WeakToStrongClassifier(LogisticRegression(), make_net()),
    WeakToStrongClassifier(LogisticRegression(), make_net(), strategy="confident"),
    WeakToStrongClassifier(make_net(), LogisticRegression()),
]


@pytest.mark.filterwarnings("ignore:y contains no unlabeled samples:UserWarning")
@parametrize_with_checks(PAIRS)
def test_every_check_of_scikit_learn_passes(estimator, check):
    try:
        check(estimator)
    except SkipTest as skip:
        pytest.fail(f"skipped: {skip}")


@pytest.mark.filterwarnings("ignore:y contains no unlabeled samples:UserWarning")
@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize(
    "name",
    [
        "check_dataframe_column_names_consistency",
        "check_inplace_ensure_writeable",
        "check_param_validation",
    ],
)
def test_checks_that_scikit_learn_does_not_select_pass(name, pair):
    getattr(estimator_checks, name)("WeakToStrongClassifier", clone(pair))
    assert not get_tags(pair)._skip_test


@pytest.fixture(scope="module")
def problem():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 3))
    names = np.array(["low", "mid", "top"])
    truth = names[(X + 0.3 * rng.normal(size=X.shape)).argmax(axis=1)]
    return X, np.where(np.arange(120) % 2, truth, ""), truth


def make(weak=None, strong=None, **params):
    return WeakToStrongClassifier(
        LogisticRegression() if weak is None else weak,
        LogisticRegression() if strong is None else strong,
        missing_label="",
        store_rows=True,
        random_state=0,
        **params,
    )


@pytest.mark.parametrize("strategy", ["auto", "all", "confident", "overlap"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_net_learns_names_from_rows_of_any_precision(problem, strategy, dtype):
    X, y, truth = problem
    model = make(strong=make_net(max_epochs=100), strategy=strategy)
    model.fit(X.astype(dtype), y)
    assert model.pseudo_labels_ == "soft"
    assert_array_equal(model.classes_, ["low", "mid", "top"])
    assert model.score(X.astype(dtype), truth) > 0.75
    assert_allclose(model.predict_proba(X.astype(dtype)).sum(axis=1), 1)
    assert type(model.strong_estimator_.net_) is skorch.NeuralNetClassifier


def test_a_net_learns_the_distributions_themselves(problem):
    from sklearn_w2s.neural import NetClassifier

    X, y, _ = problem
    model = make(strong=make_net(), strategy="all").fit(X, y)
    alone = clone(NetClassifier(make_net(), random_state=0))
    alone.set_params(random_state=model.strong_estimator_.random_state)
    alone.fit_distributions(
        X, stacked(model, "target"), model.classes_, sample_weight=model.rows_["weight"]
    )
    assert_allclose(model.predict_proba(X), alone.predict_proba(X), rtol=1e-6)


def test_soft_labels_of_a_net_are_rows_repeated_once_per_class(problem):
    X, y, _ = problem
    model = make(strong=make_net(), strategy="all").fit(X, y)
    repeated = clone(model.strong_estimator_).fit(
        np.repeat(X, 3, axis=0),
        np.tile(model.classes_, len(X)),
        sample_weight=(stacked(model, "target")).ravel(),
    )
    assert_allclose(model.predict_proba(X), repeated.predict_proba(X), rtol=1e-6)


def test_a_net_may_be_weak_strong_and_searched_for_regions(problem):
    X, y, truth = problem
    model = make(make_net(), make_net(), strategy="confident").fit(X, y)
    assert model.score(X, truth) > 0.6
    detector = OverlapDetector(make_net(), missing_label="", random_state=0).fit(X, y)
    assert_array_equal(detector.regions_, model.rows_["region"])
    assert_array_equal(detector.predict(X)[y == ""], detector.regions_[y == ""])


def scaled_net(**params):
    return make_pipeline(StandardScaler(), make_net(**params))


def test_a_net_may_end_a_pipeline(problem):
    X, y, truth = problem
    pipe = scaled_net(max_epochs=100)
    model = make(pipe, pipe, strategy="confident").fit(1000 * X, y)
    assert model.score(1000 * X, truth) > 0.7
    assert_array_equal(model.strong_estimator_.classes_, ["low", "mid", "top"])
    assert type(pipe[-1]) is skorch.NeuralNetClassifier
    with config_context(enable_metadata_routing=True):
        routed = make(pipe, pipe, strategy="all", pseudo_labels="hard")
        assert routed.fit(X, y).score(X, truth) > 0.7


def test_a_fitted_net_is_frozen_in_its_wrapper(problem):
    from sklearn_w2s.neural import NetClassifier

    X, _, truth = problem
    weak = FrozenEstimator(NetClassifier(make_net()).fit(X[:60], truth[:60]))
    model = make(weak).fit(X, np.full(len(X), ""))
    assert_array_equal(model.classes_, ["low", "mid", "top"])


@pytest.mark.parametrize("routed", [False, True])
def test_weights_reach_nets_on_both_sides(problem, routed):
    X, y, _ = problem
    weights = np.random.default_rng(0).integers(0, 3, size=len(X))
    rows = np.repeat(np.arange(len(X)), weights)
    with config_context(enable_metadata_routing=routed):
        weighted = make(make_net(), make_net(), strategy="all")
        weighted.fit(X, y, sample_weight=weights)
    repeated = make(make_net(), make_net(), strategy="all").fit(X[rows], y[rows])
    assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), rtol=1e-6)


def test_the_net_of_the_user_is_not_changed(problem):
    X, y, _ = problem
    weak, strong = make_net(), make_net()
    before = repr((vars(weak), vars(strong)))
    make(weak, strong, strategy="confident").fit(X, y)
    assert repr((vars(weak), vars(strong))) == before


def test_what_is_fitted_survives_copies(problem):
    X, y, _ = problem
    model = make(make_net(), make_net()).fit(X, y)
    for copied in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert_array_equal(copied.predict_proba(X), model.predict_proba(X))
    assert "NeuralNet" in model._repr_html_()


def test_a_seed_makes_fits_repeatable_whatever_the_global_state(problem):
    X, y, _ = problem
    first = make(make_net(), make_net()).fit(X, y).predict_proba(X)
    torch.manual_seed(7)
    assert_array_equal(make(make_net(), make_net()).fit(X, y).predict_proba(X), first)


def test_a_cache_keeps_nets(problem, tmp_path):
    X, y, _ = problem
    first, second = (
        make(make_net(), strategy="overlap", memory=str(tmp_path)).fit(X, y)
        for _ in range(2)
    )
    assert_array_equal(first.predict_proba(X), second.predict_proba(X))


def test_parameters_of_the_module_are_parameters_of_the_classifier():
    for net, prefix in [
        (make_net(), "strong_estimator__"),
        (scaled_net(), "strong_estimator__neuralnetclassifier__"),
    ]:
        model = make(strong=net).set_params(**{f"{prefix}module__hidden": 3})
        assert model.get_params()[f"{prefix}module__hidden"] == 3

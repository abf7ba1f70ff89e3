import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import parametrize_with_checks
from skorch import NeuralNetBinaryClassifier, NeuralNetClassifier
from skorch.callbacks import EarlyStopping
from skorch.dataset import ValidSplit
from torch import nn

from sklearn_w2s import WeakToStrongClassifier
from sklearn_w2s.neural import NetClassifier
from sklearn_w2s.neural._losses import LOSSES

every_loss = pytest.mark.parametrize("loss", sorted(LOSSES))
own_losses = pytest.mark.parametrize("loss", sorted(LOSSES - {"cross_entropy"}))


class Linear(nn.Module):
    def __init__(self, n_outputs=3, dtype=torch.float64):
        super().__init__()
        self.layer = nn.LazyLinear(n_outputs, dtype=dtype)

    def forward(self, X):
        return self.layer(X)


class Probabilities(Linear):
    def forward(self, X):
        return super().forward(X).softmax(dim=1)


def make_net(module=Linear, **params):
    settings = {
        "criterion": nn.CrossEntropyLoss,
        "optimizer": torch.optim.Adam,
        "lr": 0.1,
        "max_epochs": 20,
        "batch_size": -1,
        "train_split": None,
        "verbose": 0,
    }
    return NeuralNetClassifier(module, **settings | params)


def make_classifier(loss, **params):
    return NetClassifier(make_net(**params), loss=loss, random_state=0)


@pytest.fixture
def X():
    return np.random.default_rng(0).normal(size=(60, 3))


@pytest.fixture
def y(X):
    return np.array(["low", "mid", "top"])[np.digitize(X[:, 0], [-0.5, 0.5])]


@pytest.fixture
def distributions():
    return np.random.default_rng(2).dirichlet([1.0, 1.0, 1.0], size=60)


@parametrize_with_checks(
    [
        NetClassifier(make_net(module__n_outputs=4), loss=loss, random_state=0)
        for loss in ("auxiliary_confidence", "reverse_kl")
    ]
)
def test_every_check_of_scikit_learn_passes(estimator, check):
    check(estimator)


@own_losses
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_every_loss_learns_string_labels_of_data_frames(X, y, loss, dtype):
    classifier = make_classifier(loss, module__dtype=dtype, max_epochs=60)
    frame = pd.DataFrame(X, columns=["a", "b", "c"])

    classifier.fit(frame, y)

    assert classifier.predict_proba(frame).dtype == np.float64
    assert classifier.score(frame, y) > 0.6


@own_losses
def test_weights_equal_repetition(X, y, loss):
    weights = np.random.default_rng(1).integers(0, 4, size=60)
    rows = np.repeat(np.arange(60), weights)

    weighted = make_classifier(loss).fit(X, y, sample_weight=weights)
    repeated = make_classifier(loss).fit(X[rows], y[rows])

    np.testing.assert_allclose(
        weighted.predict_proba(X), repeated.predict_proba(X), rtol=1e-6
    )


@own_losses
def test_labels_are_fitted_as_one_hot_distributions(X, y, loss):
    classes, codes = np.unique(y, return_inverse=True)

    hard = make_classifier(loss).fit(X, y)
    soft = make_classifier(loss).fit_distributions(X, np.eye(3)[codes], classes)

    np.testing.assert_array_equal(hard.predict_proba(X), soft.predict_proba(X))


def test_every_loss_trains_another_net_but_kl(X, distributions):
    proba = {
        loss: make_classifier(loss)
        .fit_distributions(X, distributions, ["a", "b", "c"])
        .predict_proba(X)
        for loss in LOSSES
    }

    expected = proba.pop("cross_entropy")
    np.testing.assert_allclose(proba.pop("kl"), expected, rtol=1e-8)
    for one in proba.values():
        assert np.abs(one - expected).max() > 1e-3


@pytest.mark.parametrize(
    ("loss", "params"),
    [
        ("auxiliary_confidence", {"confidence_weight": 0.0}),
        ("entropy", {"confidence_weight": 0.0}),
        ("confidence_window", {"window_radius": 0.5}),
    ],
)
def test_limits_of_the_parameters_train_as_cross_entropy(
    X, distributions, loss, params
):
    data = X, distributions, ["a", "b", "c"]

    limit = make_classifier(loss).set_params(**params).fit_distributions(*data)
    plain = make_classifier("cross_entropy").fit_distributions(*data)

    np.testing.assert_allclose(
        limit.predict_proba(X), plain.predict_proba(X), rtol=1e-8
    )


@pytest.mark.parametrize("loss", sorted(LOSSES - {"confidence_window"}))
def test_own_labels_sharpen_a_net_that_could_equal_its_targets(X, loss):
    target = [0.5, 0.3, 0.2]
    classifier = make_classifier(loss, max_epochs=200, lr=0.05)

    classifier.fit_distributions(X, np.tile(target, (60, 1)), ["a", "b", "c"])

    proba = classifier.predict_proba(X)
    if loss in {"auxiliary_confidence", "entropy"}:
        assert proba.max(axis=1).mean() > 0.55
    else:
        np.testing.assert_allclose(proba.mean(axis=0), target, atol=0.01)


@every_loss
def test_probabilities_of_the_module_train_as_its_logits(X, distributions, loss):
    data = X, distributions, ["a", "b", "c"]

    logits = make_classifier(loss).fit_distributions(*data)
    proba = make_classifier(loss, module=Probabilities, criterion=nn.NLLLoss)
    proba.fit_distributions(*data)

    np.testing.assert_allclose(
        proba.predict_proba(X), logits.predict_proba(X), rtol=1e-6
    )


@own_losses
def test_fits_in_batches_stop_early_repeat_and_survive_pickling(X, y, loss):
    classifier = make_classifier(
        loss,
        batch_size=16,
        iterator_train__shuffle=True,
        train_split=ValidSplit(5, stratified=True),
        max_epochs=200,
        callbacks=[
            EarlyStopping("valid_acc", lower_is_better=False, patience=3, sink=str)
        ],
    )

    first = clone(classifier).fit(X, y)
    second = pickle.loads(pickle.dumps(clone(classifier).fit(X, y)))

    history = first.net_.history
    assert len(history) < 200
    assert np.isfinite(history[:, ("train_loss", "valid_loss")]).all()
    np.testing.assert_array_equal(first.predict_proba(X), second.predict_proba(X))


def test_parameters_are_cloned_and_set():
    classifier = make_classifier("entropy").set_params(warm_up=0.2, balance=False)

    params = clone(classifier).get_params(deep=False)

    assert params["loss"] == "entropy"
    assert (params["warm_up"], params["balance"]) == (0.2, False)


def test_a_grid_over_losses_reaches_the_strong_estimator(X, y):
    partly = np.where(np.arange(60) % 3 == 0, y, "unknown")
    model = WeakToStrongClassifier(
        LogisticRegression(),
        make_classifier("cross_entropy", max_epochs=3),
        strategy="all",
        pseudo_labels="soft",
        missing_label="unknown",
    )
    grid = {"strong_estimator__loss": sorted(LOSSES)}

    search = GridSearchCV(model, grid, cv=2, error_score="raise").fit(X, partly)

    strong = search.best_estimator_.strong_estimator_
    assert strong.loss == search.best_params_["strong_estimator__loss"]
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"loss": "hinge"}, "'loss' parameter of NetClassifier must be"),
        ({"confidence_weight": 1.0}, r"range \[0.0, 1.0\)"),
        ({"warm_up": 1.5}, r"range \[0.0, 1.0\]"),
        ({"balance": "yes"}, "'balance' parameter"),
        ({"window_radius": 0.0}, r"range \(0.0, 0.5\]"),
    ],
)
def test_bad_parameters_are_refused(X, y, params, message):
    with pytest.raises(ValueError, match=message):
        make_classifier("kl").set_params(**params).fit(X, y)


def test_a_criterion_without_distributions_refuses_the_losses(X, y):
    net = NeuralNetBinaryClassifier(Linear, module__n_outputs=1, verbose=0)

    with pytest.raises(TypeError, match=r"cannot use loss='kl'\. .*'cross_entropy'"):
        NetClassifier(net, loss="kl").fit(X, y == "low")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@every_loss
def test_a_net_on_a_cuda_device_trains_as_on_the_processor(X, distributions, loss):
    data = X, distributions, ["a", "b", "c"]
    on_processor = make_classifier(loss, max_epochs=5)
    on_device = make_classifier(loss, max_epochs=5, device="cuda")

    # Both start from the same parameters, which are drawn on the processor.
    proba = on_device.fit_distributions(*data).predict_proba(X)

    expected = on_processor.fit_distributions(*data).predict_proba(X)
    np.testing.assert_allclose(proba, expected, rtol=1e-6)

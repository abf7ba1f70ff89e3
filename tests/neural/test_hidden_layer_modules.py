"""Hidden layers of modules whose layers are called in unusual ways."""

import numpy as np
import pytest
from sklearn.frozen import FrozenEstimator
from skorch import NeuralNetClassifier
from torch import nn

from sklearn_w2s.neural import HiddenLayer


class Strange(nn.Module):
    """Calls layers whose outputs are of several kinds."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(3, 3)
        self.spread = nn.Unflatten(1, (3, 1))
        self.lstm = nn.LSTM(1, 2, batch_first=True)
        self.rounded = nn.Identity()
        self.row_last = nn.Identity()
        self.all_in_one = nn.Identity()
        self.total = nn.Identity()
        self.named = nn.Identity()
        self.overwritten = nn.Identity()
        self.relu = nn.ReLU(inplace=True)

    def forward(self, X):
        self.lstm(self.spread(X))
        self.rounded(X.bfloat16())
        self.row_last(X.T)
        self.all_in_one(X[None])
        self.total(X.sum())
        self.named({"X": X})
        self.relu(self.overwritten(X.clone()))
        return self.head(X)


def make_net(module, **params):
    settings = {"max_epochs": 2, "train_split": None, "verbose": 0} | params
    return NeuralNetClassifier(module, criterion=nn.CrossEntropyLoss, **settings)


def make_layer(layer=None, **params):
    return HiddenLayer(make_net(**params), layer, random_state=0)


@pytest.fixture
def X():
    return np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)


@pytest.fixture
def y(X):
    return np.array(["low", "mid", "top"])[np.digitize(X[:, 0], [-0.5, 0.5])]


def test_a_net_of_one_linear_layer_has_the_rows_as_hidden_layer(X, y):
    hidden = make_layer(module=nn.Linear(3, 3)).fit(X, y)

    assert hidden.layer_ == ""
    np.testing.assert_array_equal(hidden.transform(X), X)


def test_a_layer_of_several_dimensions_is_flattened_row_by_row(X, y):
    convolution = nn.Sequential(
        nn.Unflatten(1, (1, 3)), nn.Conv1d(1, 4, 2), nn.Flatten(), nn.Linear(8, 3)
    )
    net = make_net(module=convolution)

    deep = HiddenLayer(net, "1", random_state=0).fit_transform(X, y)
    flat = HiddenLayer(net, random_state=0).fit_transform(X, y)

    assert deep.shape == (60, 8)
    np.testing.assert_array_equal(deep, flat)


def test_of_several_calls_the_last_counts(X, y):
    shared = nn.Tanh()
    net = make_net(module=nn.Sequential(shared, nn.Linear(3, 5), shared))

    for name in ("0", "2"):
        hidden = HiddenLayer(net, name, random_state=0).fit(X, y)
        np.testing.assert_array_equal(hidden.transform(X), hidden.net_.forward(X))


def test_of_several_outputs_the_first_counts(X, y):
    assert make_layer("lstm", module=Strange).fit_transform(X, y).shape == (60, 6)


def test_a_later_layer_that_works_in_place_changes_nothing(X, y):
    hidden = make_layer("overwritten", module=Strange).fit(X, y)

    np.testing.assert_array_equal(hidden.transform(X), X)


def test_numbers_unknown_to_numpy_become_float32(X, y):
    activations = make_layer("rounded", module=Strange).fit_transform(X, y)

    assert activations.dtype == np.float32
    np.testing.assert_allclose(activations, X, rtol=2**-8)


# Refusals


def test_a_module_without_linear_layers_needs_a_name(X):
    scale = nn.Sequential(nn.Tanh(), nn.LayerNorm(3))
    net = make_net(module=scale).initialize()

    with pytest.raises(
        ValueError, match=r"no torch\.nn\.Linear\. Name one .*\['0', '1'\]"
    ):
        HiddenLayer(FrozenEstimator(net)).fit(X)
    activations = HiddenLayer(FrozenEstimator(net), "0").fit_transform(X)
    np.testing.assert_allclose(activations, np.tanh(X), rtol=1e-6)


def test_a_layer_that_some_batch_does_not_call_is_refused(X):
    class Sometimes(nn.Sequential):
        def forward(self, X):
            return self[1](self[0](X) if X[0, 0] < 9 else X)

    net = make_net(module=Sometimes(nn.Linear(3, 3), nn.Linear(3, 3)), batch_size=20)
    hidden = HiddenLayer(FrozenEstimator(net.initialize()), "0").fit(X)
    X[40] = 9

    with pytest.raises(ValueError, match=r"without calling any of \['0'\]"):
        hidden.transform(X)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("row_last", r"'row_last' gives activations of shape \(3, 1\) in a batch"),
        ("all_in_one", r"'all_in_one' gives activations of shape \(1, 180\)"),
        (
            "total",
            r"'total' gives 1 rows of activations; expected are 60 row\(s\) of 1 each",
        ),
    ],
)
def test_activations_that_are_not_row_by_row_are_refused(X, y, layer, message):
    hidden = make_layer(layer, module=Strange)

    with pytest.raises(ValueError, match=message):
        hidden.fit(X, y).transform(X)


def test_activations_that_are_no_tensor_are_refused(X, y):
    with pytest.raises(TypeError, match="'named' gives dict instead of a tensor"):
        make_layer("named", module=Strange).fit(X, y)

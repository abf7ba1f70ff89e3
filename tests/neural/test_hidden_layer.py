"""The representation of a net: what is recorded, fits, company and refusals."""

import pickle
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks
from skorch import NeuralNetBinaryClassifier, NeuralNetClassifier, NeuralNetRegressor
from torch import nn

from sklearn_w2s import OverlapDetector
from sklearn_w2s.neural import HiddenLayer, NetClassifier


class Perceptron(nn.Module):
    """Registers its layers in an order other than that of their calls."""

    def __init__(self, hidden=8, n_outputs=3, dtype=torch.float32, dropout=0.0):
        super().__init__()
        self.head = nn.Linear(hidden, n_outputs, dtype=dtype)
        self.drop = nn.Dropout(dropout)
        self.body = nn.LazyLinear(hidden, dtype=dtype)
        self.unused = nn.Linear(2, 2, dtype=dtype)

    def hidden(self, X):
        return self.drop(self.body(X).tanh())

    def forward(self, X):
        return self.head(input=self.hidden(X))


class DoublePerceptron(Perceptron):
    """For the data of scikit-learn's checks.

    Parameters of a module are named in random order where there are two of them, and
    tests must have the same names in every process.
    """

    def __init__(self):
        super().__init__(n_outputs=4, dtype=torch.float64)


def make_net(module=Perceptron, cls=NeuralNetClassifier, **params):
    settings = {
        "optimizer": torch.optim.Adam,
        "lr": 0.05,
        "max_epochs": 10,
        "batch_size": -1,
        "train_split": None,
        "verbose": 0,
    }
    if cls is NeuralNetClassifier:
        settings["criterion"] = nn.CrossEntropyLoss
    return cls(module, **settings | params)


def make_layer(layer=None, **params):
    return HiddenLayer(make_net(**params), layer, random_state=0)


def hooks_of(module):
    return [
        hook
        for part in module.modules()
        for hook in (*part._forward_hooks.values(), *part._forward_pre_hooks.values())
    ]


@pytest.fixture
def X():
    return np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)


@pytest.fixture
def y(X):
    return np.array(["low", "mid", "top"])[np.digitize(X[:, 0], [-0.5, 0.5])]


@pytest.fixture
def net(X, y):
    return make_net().fit(X, np.unique(y, return_inverse=True)[1])


@pytest.fixture
def frozen(net):
    return HiddenLayer(FrozenEstimator(net))


@parametrize_with_checks([make_layer(module=DoublePerceptron)])
def test_every_check_of_scikit_learn_passes(estimator, check):
    check(estimator)


@pytest.mark.filterwarnings(
    "ignore:X (has|does not have valid) feature names:UserWarning"
)
@pytest.mark.parametrize(
    "name",
    [
        "check_dataframe_column_names_consistency",
        "check_global_output_transform_pandas",
        "check_global_set_output_transform_polars",
        "check_inplace_ensure_writeable",
        "check_param_validation",
        "check_set_output_transform",
        "check_set_output_transform_pandas",
        "check_set_output_transform_polars",
        "check_transformer_get_feature_names_out",
        "check_transformer_get_feature_names_out_pandas",
    ],
)
def test_checks_that_scikit_learn_does_not_select_pass(name):
    getattr(estimator_checks, name)("HiddenLayer", make_layer(module__n_outputs=4))


# What is recorded


def test_the_default_is_what_the_linear_layer_called_last_receives(X, y):
    hidden = make_layer(module__dropout=0.5).fit(X, y)

    assert hidden.layer_ == "head"
    module = hidden.net_.module_.eval()
    with torch.no_grad():
        expected = module.hidden(torch.tensor(X)).numpy()
    activations = hidden.transform(X)
    np.testing.assert_array_equal(activations, expected)
    assert type(activations) is np.ndarray
    assert activations.dtype == np.float32


def test_a_named_layer_gives_its_output(X, y):
    hidden = make_layer("body").fit(X, y)

    with torch.no_grad():
        expected = hidden.net_.module_.body(torch.tensor(X)).numpy()
    np.testing.assert_array_equal(hidden.transform(X), expected)


def test_the_whole_module_is_the_layer_without_a_name(X, y):
    hidden = make_layer("").fit(X, y)

    np.testing.assert_array_equal(hidden.transform(X), hidden.net_.forward(X))


@given(batch_size=st.integers(1, 70), n=st.integers(1, 60))
def test_neither_batches_nor_other_rows_matter(batch_size, n):
    X = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
    net = make_net(module=nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)))
    net.set_params(batch_size=batch_size).initialize()
    hidden = HiddenLayer(FrozenEstimator(net)).fit(X)

    with torch.no_grad():
        expected = net.module_[:2](torch.tensor(X)).numpy()
    np.testing.assert_allclose(hidden.transform(X[:n]), expected[:n], atol=1e-6)


def test_the_representation_is_that_of_the_fitted_classifier(X, y):
    classifier = NetClassifier(make_net(), random_state=0)

    hidden = HiddenLayer(classifier).fit(X, y).transform(X)

    wrapped = FrozenEstimator(clone(classifier).fit(X, y))
    bare = FrozenEstimator(clone(classifier).fit(X, y).net_)
    np.testing.assert_array_equal(HiddenLayer(wrapped).fit_transform(X), hidden)
    np.testing.assert_array_equal(HiddenLayer(bare).fit_transform(X), hidden)


def test_a_linear_head_on_the_representation_gives_the_probabilities(X, y):
    hidden = make_layer().fit(X, y)

    with torch.no_grad():
        logits = hidden.net_.module_.head(torch.tensor(hidden.transform(X)))
    np.testing.assert_allclose(
        logits.softmax(dim=1), hidden.classifier_.predict_proba(X), atol=1e-6
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_activations_have_the_floating_type_of_the_net(X, y, dtype):
    hidden = make_layer(module__dtype=dtype).fit(X.astype(float), y)

    assert torch.tensor(hidden.transform(X)).dtype == dtype


def test_a_binary_net_has_a_hidden_layer(X, y):
    net = make_net(cls=NeuralNetBinaryClassifier, module__n_outputs=1)

    assert HiddenLayer(net).fit_transform(X, y == "low").shape == (60, 8)


# Fits


def test_seeded_fits_repeat(X, y):
    first, second = (make_layer().fit_transform(X, y) for _ in range(2))

    np.testing.assert_array_equal(first, second)


def test_the_seed_of_the_classifier_comes_first(X, y):
    nets = [NetClassifier(make_net(), random_state=0) for _ in range(2)]

    first, second = (
        HiddenLayer(net, random_state=seed).fit_transform(X, y)
        for net, seed in zip(nets, [1, 2], strict=True)
    )

    np.testing.assert_array_equal(first, second)
    assert nets[0].get_params()["net__module"] is Perceptron
    assert not hasattr(nets[0], "net_")


def test_labels_of_any_kind_give_the_same_fit(X, y):
    codes = np.unique(y, return_inverse=True)[1]

    strings, numbers = (make_layer().fit_transform(X, labels) for labels in (y, codes))

    np.testing.assert_array_equal(strings, numbers)


def test_weights_equal_repetition(X, y):
    weights = np.random.default_rng(1).integers(0, 4, size=60)
    rows = np.repeat(np.arange(60), weights)
    net = make_net(
        nn.Sequential(nn.Linear(3, 4).double(), nn.Tanh(), nn.Linear(4, 3).double())
    )

    weighted = HiddenLayer(net).fit(X, y, sample_weight=weights)
    repeated = HiddenLayer(net).fit(X[rows], y[rows])

    np.testing.assert_allclose(weighted.transform(X), repeated.transform(X), rtol=1e-7)


def test_the_net_of_the_user_is_untouched(X, y):
    net = make_net()
    params = net.get_params(deep=False)

    HiddenLayer(net, random_state=0).fit(X, y)

    assert not net.initialized_
    assert net.get_params(deep=False) == params


def test_a_frozen_net_is_used_as_it_is(X, y, net, frozen):
    before = {name: value.clone() for name, value in net.module_.state_dict().items()}

    without = frozen.fit(X).transform(X)
    with_labels = frozen.fit(X, y).transform(X)

    assert frozen.net_ is net
    np.testing.assert_array_equal(without, with_labels)
    torch.testing.assert_close(dict(net.module_.state_dict()), before)
    assert len(net.history) == 10


def test_a_frozen_net_need_not_be_a_classifier(X):
    decoder = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 3))
    net = make_net(decoder, cls=NeuralNetRegressor).fit(X, X)

    assert HiddenLayer(FrozenEstimator(net)).fit_transform(X).shape == (60, 2)


def test_the_parameters_of_the_net_can_be_set(X, y):
    hidden = make_layer().set_params(net__module__hidden=5, net__max_epochs=2)

    assert hidden.fit_transform(X, y).shape == (60, 5)
    assert len(hidden.net_.history) == 2


def test_a_change_of_the_layer_counts_from_the_next_fit_on(X, y):
    hidden = make_layer().fit(X, y)
    before = hidden.transform(X)

    np.testing.assert_array_equal(hidden.set_params(layer="").transform(X), before)
    assert hidden.fit(X, y).transform(X).shape == (60, 3)


# What stays behind


@pytest.mark.parametrize("layer", [None, "body"])
def test_no_hook_stays_on_the_net(X, y, layer):
    hidden = make_layer(layer).fit(X, y)
    hidden.transform(X)

    assert hooks_of(hidden.net_.module_) == []


def test_no_hook_stays_on_the_net_after_an_error(X, net, frozen):
    frozen.fit(X)
    with pytest.raises(ValueError, match="without calling"):
        HiddenLayer(FrozenEstimator(net), "unused").fit(X)
    net.module_.body = nn.Linear(2, 2)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        frozen.transform(X)

    assert hooks_of(net.module_) == []


def test_neither_gradients_nor_batches_stay_in_memory(X, net, frozen):
    frozen.fit(X)
    net.module_.zero_grad()
    outputs = []

    def watch(*arguments):
        output = arguments[-1]
        assert not output.requires_grad
        assert all(earlier() is None for earlier in outputs[:-1])
        outputs.append(weakref.ref(output))

    with net.module_.register_forward_hook(watch):
        net.set_params(batch_size=7)
        frozen.transform(X)

    assert len(outputs) == 9
    assert all(output() is None for output in outputs)
    assert all(parameter.grad is None for parameter in net.module_.parameters())


def test_threads_that_share_a_net_do_not_mix_their_rows(X, net, frozen):
    net.set_params(batch_size=1)
    frozen.fit(X)
    parts = np.split(X, 6)
    expected = [frozen.transform(part) for part in parts]

    with ThreadPoolExecutor(6) as pool:
        activations = list(pool.map(frozen.transform, parts))

    np.testing.assert_array_equal(activations, expected)


def test_a_fitted_transformer_survives_pickling_and_cloning(X, y):
    hidden = make_layer().fit(X, y)

    copy = pickle.loads(pickle.dumps(hidden))

    np.testing.assert_array_equal(copy.transform(X), hidden.transform(X))
    np.testing.assert_array_equal(clone(copy).fit_transform(X, y), hidden.transform(X))


# In company


@pytest.mark.parametrize("constructor", [pd.DataFrame, pl.DataFrame])
def test_data_frames_of_numbers_give_the_fit_of_their_values(X, y, constructor):
    frame = constructor({"a": X[:, 0], "b": X[:, 1], "c": np.arange(60) % 2})

    hidden = make_layer().fit(frame, y)

    np.testing.assert_array_equal(hidden.feature_names_in_, ["a", "b", "c"])
    values = np.asarray(frame, dtype=float)
    np.testing.assert_array_equal(
        hidden.transform(frame), make_layer().fit_transform(values, y)
    )


def test_a_frozen_classifier_keeps_its_names_of_columns(X, y):
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    hidden = HiddenLayer(FrozenEstimator(NetClassifier(make_net()).fit(frame, y)))

    assert hidden.fit(frame).transform(frame).shape == (60, 8)
    with pytest.raises(ValueError, match="same order"):
        hidden.fit(frame[["b", "a", "c"]])


def test_output_can_be_a_data_frame_with_names_and_index(X, y):
    index = np.arange(60) + 100
    frame = pd.DataFrame(X, columns=["a", "b", "c"], index=index)

    output = make_layer().set_output(transform="pandas").fit(frame, y).transform(frame)

    assert list(output.columns) == [f"hiddenlayer{j}" for j in range(8)]
    np.testing.assert_array_equal(output.index, index)
    assert (output.dtypes == np.float32).all()


def test_the_representation_works_in_a_pipeline(X, y):
    pipeline = make_pipeline(StandardScaler(), make_layer(), LogisticRegression())
    pipeline.set_params(hiddenlayer__net__max_epochs=40)

    assert pipeline.fit(X, y).score(X, y) > 0.9


def test_a_frozen_representation_serves_the_detector(X, y):
    pipeline = make_pipeline(StandardScaler(), make_layer()).fit(X, y)
    detector = OverlapDetector(
        LogisticRegression(),
        representation=FrozenEstimator(pipeline),
        confidence_threshold=0.5,
        overlap_threshold=0.5,
        threshold_type="quantile",
    )

    assert detector.fit(X, y).references_.shape[1] == 8


# Refusals


def test_labels_are_needed_unless_the_net_is_frozen(X):
    with pytest.raises(ValueError, match=r"requires y to be passed.*FrozenEstimator"):
        make_layer().fit(X)


def test_an_unknown_layer_is_refused_with_the_names_there_are(X, y):
    names = r"no such layer\. .*\['head', 'drop', 'body', 'unused'\]"
    with pytest.raises(ValueError, match=names):
        make_layer("tail").fit(X, y)


def test_a_layer_that_is_never_called_is_refused(X, y):
    with pytest.raises(ValueError, match=r"without calling any of \['unused'\]"):
        make_layer("unused").fit(X, y)


@pytest.mark.parametrize("estimator", [NetClassifier(make_net()), make_net()])
def test_a_frozen_net_has_to_be_fitted(X, estimator):
    with pytest.raises(NotFittedError, match="in net=FrozenEstimator is not fitted"):
        HiddenLayer(FrozenEstimator(estimator)).fit(X)


def test_a_frozen_estimator_has_to_hold_a_net(X, y):
    model = LogisticRegression().fit(X, y)

    with pytest.raises(TypeError, match=r"\(LogisticRegression\) does not hold a net"):
        HiddenLayer(FrozenEstimator(model)).fit(X)


def test_a_net_that_cannot_be_trained_on_labels_is_refused(X, y):
    with pytest.raises(ValueError, match="'net' parameter of HiddenLayer must be"):
        HiddenLayer(make_net(cls=NeuralNetRegressor)).fit(X, y)


def test_rows_that_do_not_fit_are_refused(X, y):
    hidden = make_layer()
    with pytest.raises(NotFittedError):
        hidden.transform(X)

    hidden.fit(X, y)
    with pytest.raises(ValueError, match="2 features, but HiddenLayer is expecting 3"):
        hidden.transform(X[:, :2])
    with pytest.raises(ValueError, match="contains NaN"):
        hidden.transform(np.full_like(X, np.nan))


def test_a_failed_fit_leaves_the_transformer_unfitted(X, y):
    hidden = make_layer("tail")
    with pytest.raises(ValueError, match="no such layer"):
        hidden.fit(X, y)

    with pytest.raises(NotFittedError):
        hidden.transform(X)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_net_on_a_cuda_device_gives_arrays(X, y):
    hidden = make_layer(device="cuda", batch_size=16).fit(X, y)

    module = hidden.net_.module_.eval()
    with torch.no_grad():
        expected = module.hidden(torch.tensor(X, device="cuda")).cpu().numpy()
    np.testing.assert_allclose(hidden.transform(X), expected, atol=1e-5)

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from scipy.sparse import csr_array
from sklearn import config_context
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import has_fit_parameter
from skorch import NeuralNetBinaryClassifier, NeuralNetClassifier, NeuralNetRegressor
from skorch.callbacks import Callback, EarlyStopping, EpochScoring
from skorch.dataset import ValidSplit
from skorch.helper import predefined_split
from torch import nn

from sklearn_w2s.neural import NetClassifier


class Perceptron(nn.Module):
    def __init__(self, hidden=8, n_outputs=4, dtype=torch.float64, last=nn.Identity):
        super().__init__()
        self.layers = nn.Sequential(
            nn.LazyLinear(hidden, dtype=dtype),
            nn.Tanh(),
            nn.Linear(hidden, n_outputs, dtype=dtype),
            last(),
        )

    def forward(self, X):
        return self.layers(X)


class Probabilities(Perceptron):
    def forward(self, X):
        return super().forward(X).softmax(dim=1)


class MarginLoss(nn.MultiMarginLoss):
    pass


def make_net(module=Perceptron, cls=NeuralNetClassifier, **params):
    settings = {
        "optimizer": torch.optim.Adam,
        "lr": 0.05,
        "max_epochs": 25,
        "batch_size": -1,
        "train_split": None,
        "verbose": 0,
    }
    if cls is NeuralNetClassifier:
        settings["criterion"] = nn.CrossEntropyLoss
    return cls(module, **settings | params)


def make_classifier(**params):
    return NetClassifier(make_net(**params), random_state=0)


def make_binary_classifier(**params):
    net = make_net(cls=NeuralNetBinaryClassifier, module__n_outputs=1, **params)
    return NetClassifier(net, random_state=0)


@pytest.fixture
def X():
    return np.random.default_rng(0).normal(size=(60, 3))


@pytest.fixture
def y(X):
    return np.array(["low", "mid", "top"])[np.digitize(X[:, 0], [-0.5, 0.5])]


@pytest.fixture
def weights():
    return np.random.default_rng(1).integers(0, 4, size=60)


def one_hot(y):
    classes, codes = np.unique(y, return_inverse=True)
    return np.eye(len(classes))[codes], classes


@parametrize_with_checks(
    [
        make_classifier(),
        make_classifier(module=Probabilities, criterion=nn.NLLLoss),
        NetClassifier(make_net(optimizer=torch.optim.Rprop)),
    ]
)
def test_every_check_of_scikit_learn_passes(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    "name",
    [
        "check_dataframe_column_names_consistency",
        "check_param_validation",
        "check_inplace_ensure_writeable",
    ],
)
def test_checks_that_scikit_learn_does_not_select_pass(name):
    getattr(estimator_checks, name)("NetClassifier", make_classifier())


def test_labels_give_the_same_fit_as_the_bare_net(X, y):
    _, codes = np.unique(y, return_inverse=True)
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 3))
    net = make_net(module=module)

    proba = NetClassifier(net).fit(X, y).predict_proba(X)

    bare = clone(net).fit(X.astype(np.float32), codes)
    np.testing.assert_allclose(
        proba, bare.predict_proba(X.astype(np.float32)), rtol=1e-6
    )


def test_string_labels_come_back(X, y):
    classifier = make_classifier().fit(X, y)

    np.testing.assert_array_equal(classifier.classes_, ["low", "mid", "top"])
    assert classifier.score(X, y) > 0.9


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("n_outputs", [3, 7])
def test_probabilities_are_float64_distributions_over_the_classes(
    X, y, dtype, n_outputs
):
    classifier = make_classifier(module__dtype=dtype, module__n_outputs=n_outputs)

    proba = classifier.fit(X, y).predict_proba(X)

    assert proba.dtype == np.float64
    assert proba.shape == (60, 3)
    np.testing.assert_allclose(proba.sum(axis=1), 1.0, rtol=1e-15)


@pytest.mark.parametrize(
    ("dtype", "rtol"), [(torch.float64, 1e-9), (torch.float32, 1e-3)]
)
def test_weights_equal_repetition(X, y, weights, dtype, rtol):
    classifier = make_classifier(module__dtype=dtype)
    rows = np.repeat(np.arange(60), weights)

    weighted = clone(classifier).fit(X, y, sample_weight=weights)
    repeated = clone(classifier).fit(X[rows], y[rows])

    np.testing.assert_allclose(
        weighted.predict_proba(X), repeated.predict_proba(X), rtol=rtol
    )


def test_one_hot_distributions_equal_labels(X, y, weights):
    distributions, classes = one_hot(y)
    plain, weighted, soft = (clone(make_classifier()) for _ in range(3))

    plain.fit(X, y)
    soft.fit_distributions(X, distributions, classes)
    np.testing.assert_allclose(soft.predict_proba(X), plain.predict_proba(X), rtol=1e-9)

    weighted.fit(X, y, sample_weight=weights)
    soft.fit_distributions(X, distributions, classes, sample_weight=weights)
    np.testing.assert_array_equal(soft.predict_proba(X), weighted.predict_proba(X))


def test_distributions_are_what_the_net_learns():
    X = np.repeat([[-1.0], [1.0]], 20, axis=0)
    distributions = np.repeat([[0.3, 0.7], [0.9, 0.1]], 20, axis=0)
    classifier = make_classifier(lr=0.1, max_epochs=200, module__n_outputs=2)

    classifier.fit_distributions(X, distributions, ["b", "a"])

    np.testing.assert_array_equal(classifier.classes_, ["a", "b"])
    np.testing.assert_allclose(
        classifier.predict_proba([[-1.0], [1.0]]), [[0.7, 0.3], [0.1, 0.9]], atol=0.01
    )


def test_a_distribution_equals_weighted_copies_of_its_row(X):
    distributions = np.random.default_rng(2).dirichlet([1.0, 1.0, 1.0], size=60)
    expanded = np.repeat(X, 3, axis=0), np.tile(["a", "b", "c"], 60)

    soft = make_classifier().fit_distributions(X, distributions, ["a", "b", "c"])
    hard = make_classifier().fit(*expanded, sample_weight=distributions.ravel())

    np.testing.assert_allclose(soft.predict_proba(X), hard.predict_proba(X), rtol=1e-8)


def test_rows_of_weight_zero_need_no_class_of_their_own(X, y):
    classifier = make_classifier().fit(X, y, sample_weight=(y != "mid").astype(float))

    np.testing.assert_array_equal(classifier.classes_, ["low", "top"])


def test_seeded_fits_repeat_and_leave_the_global_generators_alone(X, y):
    torch.manual_seed(3)
    state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    classifier = make_classifier(
        train_split=ValidSplit(0.3, stratified=True),
        batch_size=16,
        iterator_train__shuffle=True,
    )

    first = clone(classifier).fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(torch.get_rng_state(), state)
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_state)  # noqa: NPY002

    torch.rand(5)
    np.testing.assert_array_equal(clone(classifier).fit(X, y).predict_proba(X), first)


def test_unseeded_fits_draw_from_the_global_generator(X, y):
    classifier = NetClassifier(make_net())

    torch.manual_seed(0)
    first, second = (clone(classifier).fit(X, y).predict_proba(X) for _ in range(2))
    torch.manual_seed(0)
    again = clone(classifier).fit(X, y).predict_proba(X)

    assert not np.allclose(first, second)
    np.testing.assert_array_equal(again, first)


def test_the_net_of_the_user_is_untouched(X, y, weights):
    module = nn.Sequential(nn.Linear(3, 3))
    split = ValidSplit(0.2, stratified=True)
    callback = EpochScoring("accuracy", name="mine")
    net = make_net(module=module, train_split=split, callbacks=[callback])
    before = {name: p.clone() for name, p in module.state_dict().items()}
    params = net.get_params(deep=False)

    classifier = NetClassifier(net, random_state=0).fit(X, y, sample_weight=weights)

    assert not net.initialized_
    assert net.get_params(deep=False) == params
    assert split.random_state is None
    assert callback.target_extractor.__name__ == "to_numpy"
    assert classifier.net_.module_ is not module
    torch.testing.assert_close(dict(module.state_dict()), before)


def test_the_fitted_net_has_the_parameters_of_a_net_only(X, y, weights):
    classifier = make_classifier().fit(X, y, sample_weight=weights)

    names = set(classifier.net_.get_params(deep=False))

    assert names == set(classifier.net.get_params(deep=False))
    np.testing.assert_array_equal(classifier.net_.classes_, [0, 1, 2])


@pytest.mark.parametrize("weighted", [False, True])
def test_a_fitted_classifier_survives_pickling(X, y, weights, weighted):
    classifier = make_classifier(train_split=ValidSplit(5, stratified=True))
    classifier.fit(X, y, sample_weight=weights if weighted else None)

    copy = pickle.loads(pickle.dumps(classifier))

    np.testing.assert_array_equal(copy.predict_proba(X), classifier.predict_proba(X))
    assert clone(copy).fit(X, y).score(X, y) > 0.8


def test_a_fitted_classifier_keeps_nothing_of_each_row():
    sizes = []
    for n in (50, 5000):
        rng = np.random.default_rng(0)
        X, proba = rng.normal(size=(n, 3)), rng.dirichlet([1, 1, 1], size=n)
        classifier = make_classifier(max_epochs=1)
        classifier.fit_distributions(X, proba, ["a", "b", "c"])
        sizes.append(len(pickle.dumps(classifier)))

    assert sizes[1] < sizes[0] + 1000


@pytest.mark.parametrize("kind", ["labels", "weights", "distributions"])
@pytest.mark.parametrize("criterion", [nn.CrossEntropyLoss, nn.NLLLoss])
def test_early_stopping_and_scores_see_a_stratified_validation_part(
    X, y, weights, kind, criterion
):
    distributions, classes = one_hot(y)
    classifier = make_classifier(
        module=Perceptron if criterion is nn.CrossEntropyLoss else Probabilities,
        criterion=criterion,
        train_split=ValidSplit(5, stratified=True),
        max_epochs=500,
        callbacks=[
            EpochScoring("accuracy", on_train=True, name="train_acc"),
            EpochScoring("accuracy", name="slow_acc", use_caching=False),
            EarlyStopping(monitor="valid_loss", patience=3, sink=lambda _: None),
        ],
    )

    if kind == "labels":
        classifier.fit(X, y)
    elif kind == "weights":
        classifier.fit(X, y, sample_weight=weights + 1)
    else:
        classifier.fit_distributions(X, distributions, classes)

    history = classifier.net_.history
    assert len(history) < 500
    assert history[-1, "valid_acc"] > 0.8
    assert history[-1, "train_acc"] > 0.8
    assert history[:, "slow_acc"] == history[:, "valid_acc"]
    assert history[-1, "batches", -1, "valid_batch_size"] == 12


def test_weighted_fits_keep_a_validation_set_of_the_user(X, y, weights):
    _, codes = np.unique(y, return_inverse=True)
    valid = torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(codes))
    classifier = make_classifier(train_split=predefined_split(valid))

    classifier.fit(X, y, sample_weight=weights)

    assert classifier.net_.history[-1, "valid_acc"] > 0.8


def test_the_users_split_criterion_and_verbosity_are_kept_for_labels(X, y):
    classifier = make_classifier(train_split=ValidSplit(0.25)).fit(X, y)

    assert isinstance(classifier.net_.train_split, ValidSplit)
    assert type(classifier.net_.criterion_) is nn.CrossEntropyLoss
    assert classifier.net_.verbose == 0


def test_callbacks_can_be_disabled(X, y, weights):
    classifier = make_classifier(callbacks="disable").fit(X, y, sample_weight=weights)

    assert classifier.net_.callbacks_ == []


@pytest.mark.parametrize("constructor", [pd.DataFrame, pl.DataFrame])
def test_data_frames_of_numbers_give_the_fit_of_their_values(X, y, constructor):
    frame = constructor({"a": X[:, 0], "b": X[:, 1], "c": np.arange(60) % 2})

    classifier = make_classifier().fit(frame, y)
    plain = make_classifier().fit(np.asarray(frame, dtype=float), y)

    np.testing.assert_array_equal(classifier.feature_names_in_, ["a", "b", "c"])
    np.testing.assert_array_equal(
        classifier.predict_proba(frame), plain.predict_proba(np.asarray(frame))
    )


def test_a_grid_reaches_the_parameters_of_the_module(X, y):
    grid = {"net__lr": [1e-6, 0.05], "net__module__hidden": [2, 8]}

    search = GridSearchCV(make_classifier(), grid, cv=2).fit(X, y)

    assert search.best_params_["net__lr"] == 0.05
    hidden = search.best_params_["net__module__hidden"]
    assert search.best_estimator_.net_.module_.layers[0].out_features == hidden


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_binary_net_with_one_logit_gives_two_probabilities(X, y, dtype):
    binary = y == "low"
    classifier = make_binary_classifier(
        module__dtype=dtype, train_split=ValidSplit(5, stratified=True)
    )

    classifier.fit(X, binary)

    proba = classifier.predict_proba(X)
    assert proba.shape == (60, 2)
    np.testing.assert_array_equal(classifier.predict(X), proba[:, 1] > 0.5)
    assert classifier.score(X, binary) > 0.9
    assert classifier.net_.history[-1, "valid_acc"] > 0.8


def test_a_binary_net_refuses_three_classes(X, y):
    with pytest.raises(ValueError, match=r"Only binary .* 3 classes"):
        make_binary_classifier().fit(X, y)


@pytest.mark.parametrize(
    "classifier",
    [
        make_classifier(criterion=MarginLoss),
        make_classifier(criterion=nn.CrossEntropyLoss()),
        make_classifier(criterion__label_smoothing=0.1),
        make_binary_classifier(),
    ],
    ids=["custom", "instance", "parameters", "binary"],
)
def test_a_criterion_without_weights_refuses_weights_and_distributions(
    X, y, classifier
):
    distributions, classes = one_hot(y)

    assert not classifier.takes_distributions()
    with pytest.raises(TypeError, match=r"cannot use sample_weight\. .*CrossEntropy"):
        classifier.fit(X, y, sample_weight=np.ones(60))
    with pytest.raises(TypeError, match=r"cannot use distributions\. .*NLLLoss"):
        classifier.fit_distributions(X, distributions, classes)


def test_a_custom_criterion_learns_from_labels(X, y):
    softmax = torch.nn.Softmax(dim=1)

    classifier = make_classifier(criterion=MarginLoss, predict_nonlinearity=softmax)

    assert classifier.fit(X, y).score(X, y) > 0.9


def test_the_two_criteria_take_weights_and_distributions():
    assert make_classifier().takes_distributions()
    assert make_classifier(criterion=nn.NLLLoss).takes_distributions()
    assert has_fit_parameter(make_classifier(), "sample_weight")
    assert is_classifier(make_classifier())


def test_a_module_with_too_few_outputs_is_refused(X, y):
    with pytest.raises(ValueError, match=r"has 2 output\(s\) for 3 classes"):
        make_classifier(module__n_outputs=2).fit(X, y)


def test_logits_where_probabilities_are_due_are_refused(X, y):
    with pytest.raises(ValueError, match=r"not a distribution .*CrossEntropyLoss"):
        make_classifier(criterion=nn.NLLLoss).fit(X, y)


class Diverge(Callback):
    def on_train_end(self, net, **kwargs):
        for parameter in net.module_.parameters():
            parameter.data.fill_(torch.nan)


def test_a_diverged_net_does_not_predict(X, y):
    classifier = make_classifier(callbacks=[Diverge()]).fit(X, y)

    with pytest.raises(ValueError, match="NaN means that training diverged"):
        classifier.predict(X)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"X": csr_array(np.eye(60))}, "Sparse data was passed"),
        ({"X": np.full((60, 3), np.nan)}, "contains NaN"),
        ({"y": np.zeros(60)}, "one class only"),
        ({"sample_weight": np.zeros(60)}, "at least one non-zero"),
        ({"sample_weight": -np.ones(60)}, "Negative values"),
    ],
)
def test_bad_data_are_refused(X, y, change, message):
    with pytest.raises((ValueError, TypeError), match=message):
        make_classifier().fit(**{"X": X, "y": y} | change)


@pytest.mark.parametrize("net", [NeuralNetRegressor(nn.Linear), NeuralNetClassifier])
def test_what_is_no_classifier_net_is_refused(X, y, net):
    with pytest.raises(ValueError, match="'net' parameter of NetClassifier must be"):
        NetClassifier(net).fit(X, y)


def test_a_failed_fit_leaves_the_classifier_unfitted(X, y):
    classifier = make_classifier(module__n_outputs=2)
    with pytest.raises(ValueError, match="output"):
        classifier.fit(X, y)

    with pytest.raises(NotFittedError):
        classifier.predict(X)


def test_weights_are_routed_through_a_pipeline(X, y, weights):
    with config_context(enable_metadata_routing=True):
        net = make_net(train_split=ValidSplit(5, stratified=True))
        classifier = NetClassifier(net, random_state=0)
        pipeline = make_pipeline(
            StandardScaler().set_fit_request(sample_weight=False),
            clone(classifier).set_fit_request(sample_weight=True),
        ).fit(X, y, sample_weight=weights)

    scaled = StandardScaler().fit_transform(X)
    expected = classifier.fit(scaled, y, sample_weight=weights).predict_proba(scaled)
    np.testing.assert_array_equal(pipeline.predict_proba(X), expected)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_net_on_a_cuda_device_learns_repeatably_and_survives_pickling(X, y, weights):
    torch.cuda.manual_seed_all(3)
    state = torch.cuda.get_rng_state()
    classifier = make_classifier(device="cuda")

    first = clone(classifier).fit(X, y, sample_weight=weights)
    second = pickle.loads(pickle.dumps(clone(classifier)))
    second.fit(X, y, sample_weight=weights)

    assert first.score(X, y) > 0.8
    np.testing.assert_allclose(first.predict_proba(X), second.predict_proba(X))
    torch.testing.assert_close(torch.cuda.get_rng_state(), state)

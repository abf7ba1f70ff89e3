"""Rows of other libraries stay on their device; the answers are those of NumPy."""

import pickle
from functools import partial

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from packaging.version import Version
from sklearn import config_context
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_checks

from sklearn_w2s import (
    OverlapDetector,
    WeakToStrongClassifier,
    WeakToStrongRegressor,
    _sklearn,
)
from sklearn_w2s.datasets import make_overlap_classification
from sklearn_w2s.overlap import NoChangePointWarning

pytestmark = [
    pytest.mark.skipif(
        Version(sklearn.__version__) < Version("1.9.dev0"),
        reason="scikit-learn computes with mixed namespaces from 1.9 on",
    ),
    # Operations that other libraries do in silence warn here.
    pytest.mark.filterwarnings("ignore::RuntimeWarning:array_api_strict"),
]

ROWS, LABELS, _ = make_overlap_classification(300, random_state=0)
LABELS = np.where(np.arange(300) < 150, LABELS, -1)
WEAK = slice(0, 20)
Detector = partial(OverlapDetector, weak_features=WEAK)

DETECTORS = {
    "default": Detector(),
    "every column": OverlapDetector(),
    "positions": OverlapDetector(weak_features=[0, 3, -1]),
    "mask": OverlapDetector(weak_features=np.arange(ROWS.shape[1]) < 20),
    "published": Detector(
        confidence="margin",
        confidence_threshold="published",
        refine_hard=False,
        overlap_threshold="published",
        overlap_measure="max_abs_cosine",
        representation="passthrough",
    ),
    "scaled": Detector(representation=StandardScaler(), overlap_measure="max_dot"),
    "components": Detector(
        representation=make_pipeline(StandardScaler(), PCA(3)),
        overlap_measure="mean_abs_dot",
    ),
    "discriminant": Detector(LinearDiscriminantAnalysis(), random_state=0),
    "few references": Detector(
        LogisticRegression(), max_references=9, passthrough=True, random_state=0
    ),
}
SCORES = ["confidence_samples", "score_samples", "decision_function", "transform"]


@pytest.fixture(params=["torch on cpu", "torch on cuda", "array_api_strict on device1"])
def move(request):
    """Return a function that makes an array of another library of one of NumPy.

    What lies on the second, imagined device of array_api_strict is, like memory of a
    GPU, out of NumPy's reach.
    """
    name, _, device = request.param.partition(" on ")
    xp = pytest.importorskip(name)
    if device == "cuda" and not xp.cuda.is_available():
        pytest.skip("this machine has no CUDA device")
    return partial(xp.asarray, device=getattr(xp, "Device", str)(device))


@pytest.fixture
def move_torch():
    return pytest.importorskip("torch").asarray


@pytest.fixture(autouse=True)
def dispatch():
    with config_context(array_api_dispatch=True):
        yield


def fitted(detector, X=ROWS, y=LABELS, **fit_params):
    return clone(detector).fit(X, y, **fit_params)


def is_like(array, rows):
    return type(array) is type(rows) and array.device == rows.device


def width(array):
    """Return the name of a data type, without the library's."""
    return str(array.dtype).rpartition(".")[-1]


@pytest.mark.parametrize("name", DETECTORS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_answers_are_those_of_numpy(name, dtype, move):
    X = ROWS.astype(dtype)
    rows = move(X)
    expected = fitted(DETECTORS[name], X)

    detector = fitted(DETECTORS[name], rows)

    close = partial(assert_allclose, rtol=1e-9, atol=1e-9)
    if dtype == np.float32:
        close = partial(assert_allclose, rtol=1e-3, atol=2e-4)
    for attribute in ["confidence_", "overlap_score_", "references_"]:
        found, known = getattr(detector, attribute), getattr(expected, attribute)
        assert is_like(found, rows)
        assert width(found) == width(known)
        if attribute != "references_":
            close(_sklearn.to_numpy(found), known)
    for method in SCORES:
        found, known = getattr(detector, method)(rows), getattr(expected, method)(X)
        assert is_like(found, rows)
        assert width(found) == width(known)
        close(_sklearn.to_numpy(found)[:, ...], known)
    assert is_like(detector.represent(rows), rows)
    assert_array_equal(detector.predict(rows), expected.predict(X))
    assert_array_equal(detector.regions_, expected.regions_)
    assert type(detector.regions_) is np.ndarray
    assert isinstance(detector.overlap_threshold_, float)
    close(detector.overlap_density_, expected.overlap_density_)


def test_parts_of_the_rows_can_be_scored_at_the_same_time(move):
    proba = fitted(Detector()).weak_predictor_.proba(ROWS)
    one, two = (
        fitted(Detector(n_jobs=n_jobs), move(ROWS), None, weak_proba=proba)
        for n_jobs in (1, 2)
    )

    assert_allclose(
        _sklearn.to_numpy(two.overlap_score_), _sklearn.to_numpy(one.overlap_score_)
    )


def test_only_numbers_per_row_leave_the_device(move, monkeypatch):
    rows = move(ROWS)
    left = []
    move_to = _sklearn._array_api.move_to

    def watched(array, *, xp, device):
        if xp is np:
            left.append(tuple(array.shape))
        return move_to(array, xp=xp, device=device)

    monkeypatch.setattr(_sklearn._array_api, "move_to", watched)

    fitted(Detector(), rows).predict(rows)

    assert left
    # Columns, scores and weights, and the probabilities of two classes.
    assert all(len(shape) == 1 or shape[1] == 2 for shape in left)


@pytest.mark.parametrize("labels", [LABELS, LABELS.astype(float)])
def test_labels_and_weights_follow_the_rows(labels, move):
    rows, weights = move(ROWS), np.where(np.arange(300) % 7, 1.0, 0.0)
    expected = fitted(Detector(), rows, labels, sample_weight=weights)

    given = fitted(Detector(), rows, move(labels), sample_weight=move(weights))

    assert_array_equal(given.regions_, expected.regions_)
    assert_array_equal(given.classes_, expected.classes_)
    assert type(given.classes_) is np.ndarray
    numpys = fitted(Detector(), ROWS, move(labels), sample_weight=move(weights))
    assert_array_equal(given.regions_, numpys.regions_)


def test_labels_may_be_strings(move):
    names = np.array(["no", "yes", "unlabeled"])[LABELS]

    detector = fitted(Detector(missing_label="unlabeled"), move(ROWS), names)

    assert_array_equal(detector.classes_, ["no", "yes"])
    assert_array_equal(detector.regions_, fitted(Detector()).regions_)


def test_weak_probabilities_may_be_given(move):
    proba = LogisticRegression().fit(ROWS[:150], LABELS[:150]).predict_proba(ROWS)
    expected = fitted(Detector(), ROWS, None, weak_proba=proba)

    detector = fitted(Detector(), move(ROWS), None, weak_proba=move(proba))

    assert_array_equal(detector.regions_, expected.regions_)


@pytest.mark.parametrize("moved", [False, True])
def test_a_fitted_weak_estimator_predicts_where_it_was_fitted(moved, move):
    rows, labels = move(ROWS), LABELS[:150]
    weak = LogisticRegression().fit(rows[:150, :], move(labels) if moved else labels)
    known = LogisticRegression().fit(ROWS[:150], LABELS[:150])
    expected = fitted(OverlapDetector(FrozenEstimator(known)), y=None)

    detector = fitted(OverlapDetector(FrozenEstimator(weak)), rows, None)

    assert_array_equal(detector.regions_, expected.regions_)
    assert_array_equal(detector.classes_, [0, 1])


@pytest.mark.parametrize("measure", ["mean_abs_cosine", "callable"])
def test_missing_values_are_typical_ones(measure, move):
    X = ROWS.copy()
    X[::3, ::2] = np.nan
    proba = fitted(Detector()).weak_predictor_.proba(ROWS)
    if measure == "callable":
        measure = sum_of_products
    detector = Detector(overlap_measure=measure)
    expected = fitted(detector, X, None, weak_proba=proba)

    found = fitted(detector, move(X), None, weak_proba=proba)

    assert_array_equal(found.regions_, expected.regions_)


def test_whole_numbers_are_numbers(move):
    X = np.rint(4 * ROWS).astype(np.int64)
    expected = fitted(Detector(passthrough=True), X)

    detector = fitted(Detector(passthrough=True), move(X))

    found = detector.transform(move(X))
    assert_allclose(_sklearn.to_numpy(found)[:, ...], expected.transform(X))
    assert_array_equal(detector.regions_, expected.regions_)


def sum_of_products(rows, hard_rows, weak_rows):
    assert type(rows) is type(hard_rows) is type(weak_rows)
    products = abs(rows @ hard_rows.T)
    xp, _ = _sklearn.namespace_of(products)
    return (np if xp is None else xp).sum(products, axis=1)


@pytest.mark.parametrize("weak_features", [WEAK, None])
def test_a_callable_gets_arrays_of_the_rows_library(weak_features, move):
    detector = OverlapDetector(
        weak_features=weak_features, overlap_measure=sum_of_products
    )
    expected = fitted(detector)

    found = fitted(detector, move(ROWS))

    assert_array_equal(found.regions_, expected.regions_)
    assert is_like(found.overlap_score_, move(ROWS))


def test_without_hard_rows_nothing_is_overlap(move):
    proba = np.full((300, 2), 0.5)

    with pytest.warns(NoChangePointWarning):
        detector = fitted(Detector(), move(ROWS), None, weak_proba=proba)

    assert set(detector.regions_) == {"easy"}
    assert detector.references_.shape == (0, ROWS.shape[1])
    assert is_like(detector.overlap_score_, move(ROWS))


def test_without_dispatch_arrays_of_other_libraries_become_numpys(move_torch):
    with config_context(array_api_dispatch=False):
        detector = fitted(Detector(), move_torch(ROWS), move_torch(LABELS))
        found = detector.transform(move_torch(ROWS))

    assert_array_equal(found, fitted(Detector()).transform(ROWS))


def test_dispatch_changes_nothing_for_numpy():
    found = fitted(Detector()).transform(ROWS)

    with config_context(array_api_dispatch=False):
        expected = fitted(Detector()).transform(ROWS)
    assert_array_equal(found, expected)


def test_a_fitted_detector_can_be_pickled(move_torch):
    detector = fitted(Detector(), move_torch(ROWS))

    restored = pickle.loads(pickle.dumps(detector))

    rows = move_torch(ROWS)
    assert_array_equal(restored.predict(rows), detector.predict(rows))


def test_with_metadata_routing_the_default_weak_estimator_gets_weights(move):
    weights = np.linspace(0.5, 1.5, 300)
    with config_context(enable_metadata_routing=True):
        expected = fitted(Detector(), sample_weight=weights)

        detector = fitted(Detector(), move(ROWS), sample_weight=weights)

    assert_array_equal(detector.regions_, expected.regions_)


@pytest.mark.parametrize("method", ["predict", "represent", *SCORES])
@pytest.mark.parametrize("fitted_on_numpy", [True, False])
def test_new_rows_must_be_where_those_of_fit_were(method, fitted_on_numpy, move):
    first, second = (ROWS, move(ROWS)) if fitted_on_numpy else (move(ROWS), ROWS)
    detector = fitted(Detector(), first)

    with pytest.raises(ValueError, match="must use the same namespace") as caught:
        getattr(detector, method)(second)

    assert f"OverlapDetector.{method}()" in str(caught.value)
    assert "NumPy" in str(caught.value)
    library = type(move(ROWS)).__module__.partition(".")[0]
    assert f"{library} on device {move(ROWS).device}" in str(caught.value)


def test_devices_must_be_the_same():
    strict = pytest.importorskip("array_api_strict")
    detector = fitted(Detector(), strict.asarray(ROWS, device=strict.Device("device1")))

    with pytest.raises(ValueError, match=r"device1.*, not .*CPU_DEVICE"):
        detector.predict(strict.asarray(ROWS))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"overlap_measure": "unexplained"}, "overlap_measure='unexplained' does not"),
        (
            {"overlap_measure": KNeighborsTransformer(n_neighbors=1)},
            r"overlap_measure=KNeighborsTransformer\(.*NumPy array",
        ),
        ({"representation": "forest"}, "representation=Pipeline"),
        (
            {"weak_estimator": RandomForestClassifier()},
            r"weak_estimator=RandomForestClassifier\(\) does not compute with arrays",
        ),
        (
            {
                "weak_estimator": make_pipeline(
                    StandardScaler(), RandomForestClassifier()
                )
            },
            "weak_estimator=Pipeline",
        ),
        ({"weak_features": [0, 9999]}, "weak_features=.* does not choose columns"),
        ({"weak_features": ["a"]}, "weak_features=.* does not choose columns"),
    ],
)
def test_what_computes_with_numpy_only_is_refused(parameters, message, move):
    detector = Detector().set_params(**parameters)

    with pytest.raises(ValueError, match=message):
        fitted(detector, move(ROWS))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "complex64"])
def test_other_precisions_are_refused(dtype, move_torch):
    torch = pytest.importorskip("torch")
    rows = move_torch(ROWS).to(getattr(torch, dtype))

    with pytest.raises(ValueError, match=f"{dtype}.* Convert it to float32 or float64"):
        fitted(Detector(), rows)


@pytest.mark.parametrize("reservoir_size", [40, 10_000])
def test_streams_stay_where_they_are(move, reservoir_size):
    params = {"reservoir_size": reservoir_size, "random_state": 0}
    here, there = Detector(**params), Detector(**params)
    for part in np.array_split(np.arange(len(ROWS)), 3):
        here.partial_fit(ROWS[part], LABELS[part])
        there.partial_fit(move(ROWS[part]), LABELS[part])
    assert is_like(there.references_, move(ROWS))
    assert is_like(there.reservoir_.columns[1], move(ROWS))
    assert_array_equal(there.predict(move(ROWS)), here.predict(ROWS))
    assert there.overlap_density_ == here.overlap_density_
    with pytest.raises(ValueError, match="must use the same namespace"):
        there.partial_fit(ROWS)


def test_other_estimators_state_that_they_compute_with_numpy(move_torch):
    with pytest.raises(ValueError, match="does not compute with arrays of torch"):
        WeakToStrongClassifier(RandomForestClassifier()).fit(move_torch(ROWS), LABELS)


def test_an_older_scikit_learn_is_named(monkeypatch, move_torch):
    monkeypatch.setattr(_sklearn, "__version__", "1.8.2")

    with pytest.raises(
        ValueError, match=r"Tensor need scikit-learn 1\.9 .* is 1\.8\.2"
    ):
        fitted(Detector(), move_torch(ROWS))


class Scores(OverlapDetector):
    """A detector without regions.

    Scikit-learn's checks demand arrays of the library of X from every method, and
    names of regions are strings, which no library but NumPy has. Hence the detector
    does not claim `array_api_support`, and these checks see its numbers only.
    """

    predict = property()
    regions_ = property(lambda self: self._regions, lambda self, value: None)


@pytest.mark.parametrize("dtype_name", ["float64", "float32"])
@pytest.mark.parametrize("library", ["torch", "array_api_strict"])
@pytest.mark.filterwarnings("ignore::sklearn_w2s.overlap.NoChangePointWarning")
def test_checks_of_scikit_learn_pass_on_the_numbers(library, dtype_name):
    estimator_checks.check_array_api_input(
        "Scores",
        Scores(),
        library,
        device_name="cpu" if library == "torch" else None,
        dtype_name=dtype_name,
        check_values=True,
        check_sample_weight=True,
    )


def test_the_check_of_scikit_learn_that_rows_must_not_move_passes():
    pytest.importorskip("torch")

    estimator_checks.check_array_api_same_namespace("Scores", Scores(), "torch", "cpu")


def values():
    """Return values of the labeled rows, and a regressor for arrays of any library."""
    y = np.where(LABELS < 0, np.nan, ROWS[:, 0] + ROWS[:, 30])
    ridge = Ridge(solver="svd")
    return y, WeakToStrongRegressor(ridge, ridge, weak_features=WEAK)


def test_a_regressor_learns_from_weak_values_of_rows_of_another_library(move_torch):
    y, model = values()
    expected = clone(model).set_params(strategy="all").fit(ROWS, y).predict(ROWS)
    model.fit(move_torch(ROWS), move_torch(y))
    assert model.strategy_ == "all"
    assert_allclose(model.predict(move_torch(ROWS)), expected)


@pytest.mark.parametrize("strategy", ["confidence", "overlap", "cut_statistic"])
def test_what_asks_a_weak_regressor_for_more_computes_with_numpy(strategy, move_torch):
    y, model = values()
    with pytest.raises(ValueError, match="computes with NumPy only"):
        model.set_params(strategy=strategy).fit(move_torch(ROWS), move_torch(y))

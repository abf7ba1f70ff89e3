"""What holds for any labels, weights, strategies and estimators."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from measures import EXACT_MEASURES
from numpy.testing import assert_allclose, assert_array_equal
from rows_table import stacked
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

from sklearn_w2s import OverlapDetector, WeakToStrongClassifier
from sklearn_w2s.overlap._partition import CONFIDENCES
from sklearn_w2s.weak_to_strong._strategies import STRATEGIES

TAUGHT = [name for name, strategy in STRATEGIES.items() if strategy.teacher]
UNTAUGHT = [name for name in STRATEGIES if name not in TAUGHT]
ESTIMATORS = [
    LogisticRegression(),
    DecisionTreeClassifier(max_depth=2, random_state=0),
    KNeighborsClassifier(2),
]


@st.composite
def problems(draw):
    """Draw rows, partly labeled with two classes at least, and weights."""
    n_classes = draw(st.integers(2, 4))
    codes = draw(
        st.lists(st.integers(-1, n_classes - 1), min_size=4, max_size=30).filter(
            lambda codes: len({*codes} - {-1}) > 1
        )
    )
    y = np.array(["", *"abcd"])[np.array(codes) + 1]
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    X = np.round(rng.normal(size=(len(y), 3)), draw(st.integers(0, 8)))
    # The first row of each class has a say.
    first = np.unique(y, return_index=True)[1]
    weights = rng.integers(0, 3, size=len(y)).astype(float)
    weights[first] = 1
    return X, y, draw(st.sampled_from([None, weights]))


@pytest.mark.filterwarnings("ignore:y contains no unlabeled samples:UserWarning")
@pytest.mark.filterwarnings("ignore:strategy=:UserWarning")
@pytest.mark.filterwarnings("ignore::sklearn_w2s.overlap.NoChangePointWarning")
@given(
    problem=problems(),
    strategy=st.sampled_from(["auto", *UNTAUGHT]),
    pseudo_labels=st.sampled_from(["auto", "hard"]),
    strong=st.sampled_from(ESTIMATORS),
    weak=st.sampled_from(ESTIMATORS[:2]),
)
def test_a_fitted_classifier_keeps_its_promises(
    problem, strategy, pseudo_labels, strong, weak
):
    X, y, weights = problem
    if isinstance(strong, KNeighborsClassifier):
        weights, strategy = None, "all" if strategy == "confidence" else strategy
    model = WeakToStrongClassifier(
        weak,
        strong,
        strategy=strategy,
        pseudo_labels=pseudo_labels,
        missing_label="",
        store_rows=True,
    ).fit(X, y, sample_weight=weights)
    require_promises(model, X, y, weights)
    kept = (y != "") & (weights is None or weights > 0)
    assert model.rows_["weight"][kept].min() > 0


# Where labels are few, they decide which warnings there are.
@pytest.mark.filterwarnings("ignore:y contains no unlabeled samples:UserWarning")
@pytest.mark.filterwarnings("ignore:(strategy|strong_estimator)=:UserWarning")
@pytest.mark.filterwarnings("ignore:The number of unique classes is gr:UserWarning")
@settings(max_examples=10)
@given(
    problem=problems(),
    strategy=st.sampled_from(TAUGHT),
    pseudo_labels=st.sampled_from(["auto", "hard"]),
    strong=st.sampled_from(ESTIMATORS),
    weak=st.sampled_from(ESTIMATORS[:2]),
)
def test_a_taught_classifier_keeps_its_promises(
    problem, strategy, pseudo_labels, strong, weak
):
    X, y, weights = problem
    if isinstance(strong, KNeighborsClassifier):
        weights = None
    model = WeakToStrongClassifier(
        weak,
        strong,
        strategy=strategy,
        weak_features=[0] if strategy == "co_train" else None,
        pseudo_labels=pseudo_labels,
        missing_label="",
        store_rows=True,
        random_state=0,
    ).fit(X, y, sample_weight=weights)
    require_promises(model, X, y, weights)


def require_promises(model, X, y, weights):
    labeled = y != ""
    assert_array_equal(model.classes_, np.unique(y[labeled]))
    assert_array_equal(model.rows_["label"][labeled], y[labeled])
    assert set(model.rows_["label"]) <= set(model.classes_)
    for proba in (
        stacked(model, "weak_proba"),
        stacked(model, "target"),
        model.predict_proba(X),
    ):
        assert proba.shape == (len(X), len(model.classes_))
        assert proba.min() >= 0
        assert_allclose(proba.sum(axis=1), 1)
    assert set(model.predict(X)) <= set(model.classes_)
    assert model.rows_["weight"].min() >= 0
    if weights is not None:
        assert not model.rows_["weight"][weights == 0].any()
    assert np.isfinite(scores(model, X)).all()


def scores(model, X):
    ask = getattr(model, "decision_function", model.predict_proba)
    return ask(X)


@pytest.mark.filterwarnings("ignore::sklearn_w2s.overlap.NoChangePointWarning")
@given(
    problem=problems(),
    measure=st.sampled_from(sorted(EXACT_MEASURES)),
    confidence=st.sampled_from(sorted(CONFIDENCES)),
    threshold=st.sampled_from(["auto", "change_point", "mixture", 0, 0.3, 1]),
    refine=st.booleans(),
    weak=st.sampled_from(ESTIMATORS[:2]),
)
def test_a_fitted_detector_keeps_its_promises(
    problem, measure, confidence, threshold, refine, weak
):
    X, y, weights = problem
    detector = OverlapDetector(
        weak,
        overlap_measure=measure,
        confidence=confidence,
        confidence_threshold=threshold,
        refine_hard=refine,
        overlap_threshold=threshold,
        threshold_type="quantile",
        missing_label="",
    ).fit(X, y, sample_weight=weights)
    hard, overlap = detector.get_support("hard"), detector.get_support("overlap")
    assert set(detector.regions_) <= {"easy", "hard", "overlap"}
    assert 0 <= detector.overlap_density_ <= 1
    assert ((detector.confidence_ >= -1e-9) & (detector.confidence_ <= 1 + 1e-9)).all()
    assert np.isfinite(detector.overlap_score_).all()
    below = detector.confidence_ < detector.confidence_threshold_
    assert not hard[~below].any()
    if detector.easy_threshold_ == np.inf:
        assert_array_equal(hard, below)
    else:
        assert refine
        assert hard.any()
    assert not overlap.any() or hard.any()
    unlabeled = y == ""
    if unlabeled.any():
        assert_allclose(
            detector.score_samples(X[unlabeled]),
            detector.overlap_score_[unlabeled],
            atol=1e-9,
        )
    assert detector.transform(X).shape == (len(X), 5)

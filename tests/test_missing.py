"""Missing values are refused alike in arrays and in data frames."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.utils import get_tags

from sklearn_w2s import OverlapDetector, UCBSourceSelector, WeakToStrongClassifier
from sklearn_w2s._missing import accepts_missing, has_missing

BOOSTING = HistGradientBoostingClassifier(max_iter=3)
LINEAR = LogisticRegression()
FILLED = make_pipeline(SimpleImputer(), LINEAR)


class Stranger(ClassifierMixin, BaseEstimator):
    """A classifier of another library that takes gaps and does not say so."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return self.classes_[np.zeros(len(X), dtype=int)]

    def predict_proba(self, X):
        return np.tile([0.6, 0.4], (len(X), 1))


@pytest.mark.parametrize(
    ("estimator", "expected"),
    [
        (BOOSTING, True),
        (LINEAR, False),
        (FrozenEstimator(BOOSTING), True),
        (FrozenEstimator(FILLED), True),
        (FrozenEstimator(LINEAR), False),
        (FILLED, True),
        (make_pipeline(None, "passthrough", FILLED), True),
        (make_pipeline(StandardScaler(), BOOSTING), True),
        (make_pipeline(StandardScaler(), LINEAR), False),
        (make_pipeline(LINEAR), False),
        (make_pipeline("passthrough"), False),
        (make_pipeline(OneHotEncoder(), LINEAR), True),
        (make_pipeline(make_column_transformer((SimpleImputer(), [0])), LINEAR), True),
        (make_pipeline(make_union(SimpleImputer()), LINEAR), True),
        (CalibratedClassifierCV(FILLED), True),
        (CalibratedClassifierCV(LINEAR), False),
        (CalibratedClassifierCV(), False),
        (GridSearchCV(FILLED, {}), True),
        (RandomForestClassifier(), True),
    ],
)
def test_missing_values_are_taken_where_a_part_can_fill_them_in(estimator, expected):
    assert accepts_missing(estimator) == expected
    assert accepts_missing(estimator, unknown=True) == expected


@pytest.mark.parametrize(
    "estimator", [Stranger(), make_pipeline(FunctionTransformer(), BOOSTING)]
)
def test_who_may_take_gaps_and_does_not_say_so_is_let_try(estimator):
    assert not accepts_missing(estimator)
    assert accepts_missing(estimator, unknown=True)


WHOLE = np.array([[1.0, 2.0], [0.0, 4.0]])
GAPS = np.array([[1.0, np.nan], [0.0, 4.0]])


@pytest.mark.parametrize(
    "convert",
    [
        np.asarray,
        sparse.csr_matrix,
        lambda X: X.astype(object),
        pd.DataFrame,
        lambda X: pd.DataFrame(X).astype("Float64"),
        lambda X: pl.DataFrame(X, schema=["a", "b"]),
        lambda X: pl.DataFrame(X, schema=["a", "b"]).fill_nan(None),
    ],
)
def test_gaps_are_found_in_any_container(convert):
    assert has_missing(convert(GAPS))
    assert not has_missing(convert(WHOLE))


def test_gaps_are_found_among_objects():
    for gap in (None, np.nan, pd.NA, pd.NaT):
        assert has_missing(np.array([["a", gap]], dtype=object))
    assert not has_missing(np.array([["a", 1]], dtype=object))
    assert not has_missing(np.array([[1, 2]]))


@pytest.fixture(scope="module")
def upgrade():
    """Rows whose first four columns are whole, and the others not."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 8))
    y = (X[:, 0] + X[:, 5] > 0).astype(int)
    y[100:] = -1
    X[:, 4:][rng.random((300, 4)) < 0.2] = np.nan
    return X, y


def frame(X):
    return pd.DataFrame(X, columns=list("abcdefgh"))


def outcome(model, X, y, asked):
    """Return the predictions, or what was refused."""
    try:
        model.fit(X, y)
    except ValueError as error:
        return f"fit: {error}"
    try:
        return model.predict(asked).tolist()
    except ValueError as error:
        return f"predict: {error}"


@pytest.mark.parametrize("weak_features", [None, [0, 1, 2, 3], [3, 4]])
@pytest.mark.parametrize("weak", [None, LINEAR, BOOSTING])
@pytest.mark.parametrize("strong", [LINEAR, BOOSTING])
@pytest.mark.parametrize("strategy", ["all", "overlap"])
@pytest.mark.parametrize("has_gaps", [True, False])
def test_arrays_and_frames_are_taken_and_refused_alike(
    upgrade, weak_features, weak, strong, strategy, has_gaps
):
    X, y = upgrade
    learned = X if has_gaps else np.nan_to_num(X)
    model = WeakToStrongClassifier(
        weak, strong, weak_features=weak_features, strategy=strategy, random_state=0
    )
    found = outcome(model, learned, y, X)
    assert outcome(model, frame(learned), y, frame(X)) == found
    reads_gaps = weak_features != [0, 1, 2, 3] and weak is LINEAR
    if strong is LINEAR or reads_gaps:
        name = "weak" if reads_gaps else "strong"
        method = "fit" if has_gaps else "predict"
        assert found.startswith(
            f"{method}: Input X contains NaN, and {name}_estimator="
        )
    else:
        assert isinstance(found, list)


def test_the_weak_estimator_is_not_asked_for_gaps_that_it_never_sees(upgrade):
    X, y = upgrade
    model = WeakToStrongClassifier(
        LogisticRegression(), BOOSTING, weak_features=[0, 1, 2, 3], random_state=0
    )
    assert model.fit(X, y).predict(X).shape == (300,)
    detector = OverlapDetector(LogisticRegression(), weak_features=[0, 1, 2, 3])
    regions = detector.fit(X, y).predict(X)
    np.testing.assert_array_equal(regions, detector.fit(frame(X), y).predict(frame(X)))


@pytest.mark.parametrize("weak_features", [None, [0, 1, 2, 3]])
@pytest.mark.parametrize("strong", [LINEAR, BOOSTING])
@pytest.mark.parametrize("has_gaps", [True, False])
def test_selectors_take_and_refuse_as_their_parts_do(
    upgrade, weak_features, strong, has_gaps
):
    X, y = upgrade
    learned = X if has_gaps else np.nan_to_num(X)
    found = []
    for convert in (np.asarray, frame):
        selector = UCBSourceSelector(
            WeakToStrongClassifier(
                LINEAR, strong, weak_features=weak_features, strategy="all"
            ),
            overlap_detector=OverlapDetector(LINEAR, weak_features=weak_features),
            n_rounds=3,
            random_state=0,
        )
        found.append(outcome(selector, convert(learned), y, convert(X)))
    assert found[0] == found[1]
    takes_gaps = strong is BOOSTING and weak_features is not None
    assert isinstance(found[0], list) == takes_gaps


def test_the_weak_estimator_is_not_asked_where_its_probabilities_are_given(upgrade):
    X, y = upgrade
    proba = np.full((300, 2), 0.5)
    model = WeakToStrongClassifier(LogisticRegression(), BOOSTING, strategy="all")
    assert model.fit(X, y, weak_proba=proba).predict(X).shape == (300,)


def test_a_stranger_decides_by_itself(upgrade):
    X, y = upgrade
    model = WeakToStrongClassifier(Stranger(), Stranger(), strategy="all")
    assert outcome(model, X, y, X) == outcome(model, frame(X), y, frame(X)) == [0] * 300


@pytest.mark.parametrize("convert", [np.asarray, frame])
def test_the_part_that_takes_no_gaps_is_named(upgrade, convert):
    X, y = upgrade
    detector = OverlapDetector(representation=PCA(2))
    with pytest.raises(ValueError, match=r"NaN, and representation=PCA\(n_comp"):
        detector.fit(convert(X), y)
    model = WeakToStrongClassifier(None, BOOSTING, overlap_detector=detector)
    with pytest.raises(ValueError, match=r"overlap_detector\.representation=PCA"):
        model.fit(convert(X), y)


def test_tags_ask_the_overlap_detector_as_well():
    takes_all = WeakToStrongClassifier(strong_estimator=BOOSTING)
    assert get_tags(takes_all).input_tags.allow_nan
    detector = OverlapDetector(representation=PCA(2))
    takes_all.set_params(overlap_detector=detector)
    assert not get_tags(takes_all).input_tags.allow_nan
    linear = WeakToStrongClassifier(LINEAR, LINEAR)
    assert get_tags(linear).input_tags.sparse
    linear.set_params(overlap_detector=OverlapDetector(representation="pca"))
    assert not get_tags(linear).input_tags.sparse
    with pytest.raises(TypeError, match="Sparse data was passed"):
        linear.fit(sparse.eye(4, format="csr"), [0, 1, 0, 1])

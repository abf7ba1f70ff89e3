import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.exceptions import DataConversionWarning
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.utils import get_tags

from sklearn_w2s import OverlapDetector, UCBSourceSelector, WeakToStrongClassifier
from sklearn_w2s._validation import (
    accepts_missing,
    align_proba,
    check_features,
    check_labels,
    check_scores,
    check_sources,
    check_weak_proba,
    classes_of,
    has_missing,
    is_class,
    is_dataframe,
    mark_unlabeled,
    n_rows,
)

# Labels

codes = st.lists(st.integers(-1, 3), min_size=1, max_size=20)


@given(codes=codes)
@pytest.mark.parametrize(
    ("mark", "missing"),
    [
        (lambda codes: [f"c{c}" if c >= 0 else "" for c in codes], ""),
        (lambda codes: [f"c{c}" if c >= 0 else None for c in codes], None),
        (lambda codes: [c if c >= 0 else None for c in codes], None),
        (lambda codes: [float(c) if c >= 0 else np.nan for c in codes], np.nan),
        (lambda codes: [c if c >= 0 else 99 for c in codes], 99),
    ],
)
def test_labeled_rows_are_those_without_the_marker(codes, mark, missing):
    y = np.array(mark(codes), dtype=object if missing is None else None)
    labels, labeled = check_labels(y, missing)
    assert_array_equal(labeled, np.array(codes) >= 0)
    assert labels.tolist() == [v for v, c in zip(y, codes, strict=True) if c >= 0]
    assert labels.dtype.kind in "ifU" or not labeled.any()


@pytest.mark.parametrize(
    ("y", "missing"),
    [
        ([0, 1, 2], "-1"),
        ([0, 1, 2], None),
        ([0, 1, 2], np.nan),
        (["a", "b"], -1),
        (["a", ""], None),
        ([True, False], -1),
        (np.array([0, 255], dtype=np.uint8), -1),
        (np.array(["a", 1.5], dtype=object)[:1], 1.5),
    ],
)
def test_a_marker_of_another_kind_marks_nothing(y, missing):
    _, labeled = check_labels(y, missing)
    assert labeled.all()


@pytest.mark.parametrize("y", [[-1, 1], [1, -1, -1], [1.0, -1.0], [-1] * 3 + [1]])
def test_minus_one_and_one_alone_are_classes(y):
    with pytest.warns(UserWarning, match=r"-1 and \+1 only, so that -1 is taken"):
        labels, labeled = check_labels(y, -1)
    assert_array_equal(labels, y)
    assert labeled.all()


@pytest.mark.parametrize("y", [[-1, 0], [-1, -1], [1, 1], [-1, 0, 1], [-1, 2]])
def test_minus_one_marks_in_all_other_targets(y):
    _, labeled = check_labels(y, -1)
    assert_array_equal(labeled, np.array(y) != -1)


@pytest.mark.parametrize("missing", [0, "", None, np.nan])
def test_another_marker_leaves_minus_one_a_class_without_a_warning(missing):
    labels, _ = check_labels([-1, 1], missing)
    assert_array_equal(labels, [-1, 1])


@pytest.mark.parametrize("gap", [None, np.nan])
@pytest.mark.parametrize("missing", [-1, -1.0])
def test_minus_one_and_one_beside_gaps_are_classes(missing, gap):
    with pytest.warns(UserWarning, match=r"-1 and \+1 only, so that -1 is taken"):
        labels, labeled = check_labels([-1, 1, gap, -1], missing)
    assert_array_equal(labels, [-1, 1, -1])
    assert_array_equal(labeled, [True, True, False, True])


@pytest.mark.parametrize(
    ("y", "missing", "label"),
    [
        (np.array(["a", "b", -1]), -1, "-1"),
        (np.array([0, 1, -1]).astype(str), -1, "-1"),
        (np.array([0.0, 1.0, -1.0]).astype(str), -1, "-1.0"),
        (["a", "b", "99"], 99, "99"),
        ([0, 1, -1], "-1", -1.0),
        (np.array(["a", "b", np.nan]), -1, "nan"),
        (np.array(["a", "b", None]).astype(str), None, "None"),
        (["a", "b", "<NA>"], "", "<NA>"),
        (["a", "b", "NaT"], np.nan, "NaT"),
        (["a", "-1", -1], -1, "-1"),
    ],
)
def test_a_label_that_reads_like_a_marker_is_a_class_with_a_warning(y, missing, label):
    message = rf"The label '?{label}'? is read as a class, since missing_label="
    with pytest.warns(UserWarning, match=message) as caught:
        labels, _ = check_labels(y, missing)
    assert label in labels.tolist()
    assert len(caught) == 1


@pytest.mark.parametrize(
    ("y", "missing", "classes"),
    [
        (["a", "-1"], "-1", None),
        (["a", "None"], -1, None),
        (["a", "1"], -1, None),
        ([0, 1, -1], "", None),
        (["a", "-1"], -1, ["-1", "a"]),
        (["a", "-1"], -1, ()),
    ],
)
def test_clear_labels_give_no_warning(y, missing, classes):
    check_labels(y, missing, classes=classes)


@pytest.mark.parametrize("classes", [[-1, 1], [-1.0, 0.0]])
def test_a_marker_among_known_classes_is_a_class(classes):
    labels, labeled = check_labels([-1, 5], -1, classes=classes)
    assert labeled.all()
    assert_array_equal(labels, [-1, 5])


def test_gaps_are_not_classes_even_where_the_marker_is_one():
    labels, labeled = check_labels([-1, None, 0, np.nan], -1, classes=[-1, 0])
    assert_array_equal(labels, [-1, 0])
    assert_array_equal(labeled, [True, False, True, False])


def test_a_marker_outside_known_classes_marks():
    _, labeled = check_labels([-1, 1], -1, classes=[0, 1])
    assert_array_equal(labeled, [False, True])


@pytest.mark.parametrize(
    ("missing", "classes", "expected"),
    [
        (-1, [-1, 1], True),
        (-1, [0, 1], False),
        ("", ["", "a"], True),
        ("", [0, 1], False),
        (None, ["a", "b"], False),
        (np.nan, [0.0, 1.0], False),
        (0, [False, True], True),
    ],
)
def test_a_marker_may_be_the_name_of_a_class(missing, classes, expected):
    assert is_class(missing, np.array(classes)) == expected


@pytest.mark.parametrize(
    ("y", "missing", "message"),
    [
        (None, -1, r"y is None. Pass class labels, with -1 for unlabeled"),
        ([[0, 1], [1, 0]], -1, "y should be a 1d array"),
        ([0.5, 1.5], -1, "Unknown label type: continuous"),
        ([0.0, np.inf], -1, "Input y contains infinity"),
        ([0.0, -np.inf, np.nan], None, "Input y contains infinity"),
        ([0, None, np.inf], -1, "Input y contains infinity"),
        (np.array(["a", 1], dtype=object), -1, r"Unknown label type: .*\['a', 1\]"),
        (["a", 1, None], -1, r"Unknown label type: .*\['a', 1\]"),
        (["a", "b", -1], None, r"Unknown label type: .*\['a', -1\]"),
        (np.array([{}, "a"], dtype=object), -1, "Unknown label type: y holds"),
        (np.array([np.zeros(2), "a"], dtype=object), -1, "Unknown label type: y hol"),
    ],
)
def test_an_invalid_target_is_named_and_refused(y, missing, message):
    with pytest.raises(ValueError, match=message):
        check_labels(y, missing)


def test_a_column_is_taken_with_a_warning():
    with pytest.warns(DataConversionWarning):
        _, labeled = check_labels([[0], [-1]], -1)
    assert_array_equal(labeled, [True, False])


def test_truth_values_are_labels_in_objects_too():
    y = np.array([np.True_, False, None], dtype=object)
    labels, labeled = check_labels(y, None)
    assert labels.dtype == bool
    assert_array_equal(labeled, [True, True, False])


@pytest.mark.parametrize(
    ("labels", "missing_label", "kind"),
    [
        (["a", "b"], "unknown", "U"),
        (["a", "b"], -1, "O"),
        ([True, False], -1, "O"),
        ([0, 1], np.nan, "f"),
        (np.array([0, 1], dtype=np.uint8), -1, "i"),
        ([0, 1], None, "O"),
    ],
)
def test_marker_and_labels_keep_their_kinds(labels, missing_label, kind):
    labels = np.asarray(labels)
    marked = mark_unlabeled(labels, np.array([True, False, True]), missing_label)
    assert marked.dtype.kind == kind
    assert_array_equal(marked[[0, 2]], labels)
    assert marked[1] is missing_label or str(marked[1]) == str(
        marked.dtype.type(missing_label) if kind != "O" else missing_label
    )


def test_a_marker_that_is_a_class_marks_nothing():
    marked = mark_unlabeled(np.array([-1, 1]), np.array([True, False, True]), -1)
    assert marked.tolist() == [-1, None, 1]


# Classes and probabilities


def test_classes_are_the_sorted_union():
    assert_array_equal(classes_of([2, 0], [], np.array([1, 2])), [0, 1, 2])
    assert_array_equal(classes_of(np.array(["b", "a"], dtype=object)), ["a", "b"])
    assert len(classes_of([], [])) == 0


def test_classes_of_two_kinds_are_refused():
    with pytest.raises(ValueError, match=r"differ in kind: \['a'\] and \[0, 1\]"):
        classes_of(["a"], [0, 1])


@pytest.mark.parametrize(
    ("labels", "n_columns", "classes"),
    [
        (["b", "a"], 2, ["a", "b"]),
        ([], 3, [0, 1, 2]),
        ([1], 2, [0, 1]),
        ([2, 0], 3, [0, 1, 2]),
        ([5, 7], 2, [5, 7]),
    ],
)
def test_columns_of_an_array_are_in_sorted_order_of_the_classes(
    labels, n_columns, classes
):
    given_proba = np.full((4, n_columns), 1 / n_columns)
    proba, got = check_weak_proba(given_proba, np.zeros((4, 1)), np.array(labels))
    assert_array_equal(got, classes)
    assert_array_equal(proba, given_proba)


@pytest.mark.parametrize(
    ("proba", "labels", "message"),
    [
        (np.ones(3), [0, 1], "Expected 2D array"),
        (np.ones((3, 1)), [0, 1], r"has 1 column; .* np.column_stack\(\[1 - p, p\]\)"),
        (np.ones((3, 2)), [0, 1], r"row 0 is \[1.0, 1.0\]"),
        ([[1.5, -0.5]] * 3, [0, 1], r"non-negative rows .* row 0 is \[1.5, -0.5\]"),
        ([[0.5, np.nan]] * 3, [0, 1], "Input weak_proba contains NaN"),
        ([[0.5, 0.5]] * 2, [0, 1], "inconsistent numbers of samples"),
        (
            [[0.5, 0.5]] * 3,
            [0, 1, 2],
            r"2 columns, but y has the classes \[0, 1, 2\]",
        ),
        ([[0.5, 0.5]] * 3, ["a"], r"has 2 columns, but y has the classes \['a'\]"),
        ([[0.5, 0.5]] * 3, [3], r"has 2 columns, but y has the classes \[3\]"),
    ],
)
def test_invalid_probabilities_are_named_and_refused(proba, labels, message):
    with pytest.raises(ValueError, match=message):
        check_weak_proba(proba, np.zeros((3, 1)), np.array(labels))


@pytest.mark.parametrize(
    ("columns", "labels", "message"),
    [
        (["a", "b"], ["a", "c"], r"classes \['a', 'b'\], but y also holds \['c'\]"),
        (["0", "1"], [0, 1], r"classes \['0', '1'\], but y also holds \[0, 1\]"),
        ([0, 0], [0], r"has the columns \[0, 0\]: name each by a different class"),
        ([0, "a"], [0], r"has the columns \[0, 'a'\]: .* all by strings or all by num"),
    ],
)
def test_columns_that_do_not_name_classes_are_refused(columns, labels, message):
    pandas = pytest.importorskip("pandas")
    proba = pandas.DataFrame(np.full((3, 2), 0.5), columns=columns)
    with pytest.raises(ValueError, match=message):
        check_weak_proba(proba, np.zeros((3, 1)), np.array(labels))


@given(seed=st.integers(0, 2**16))
def test_columns_go_where_their_classes_are(seed):
    rng = np.random.default_rng(seed)
    classes = np.arange(5)
    present = rng.permutation(5)[: rng.integers(1, 6)]
    proba = rng.uniform(size=(3, len(present)))
    aligned = align_proba(proba, present, classes, absent=-7)
    assert_array_equal(aligned[:, present], proba)
    assert (aligned[:, np.setdiff1d(classes, present)] == -7).all()


def test_scores_are_finite_numbers_one_per_row():
    scores = check_scores([1, 2], 2, name="mine")
    assert scores.dtype == np.float64
    for bad in (1, [1], [[1, 2]], [1, np.nan], [np.inf, 1]):
        with pytest.raises(ValueError, match=r"mine returned .*; it must"):
            check_scores(bad, 2, name="mine")


# Sources


def test_sources_are_sorted_names_and_their_codes():
    sources, source_codes = check_sources(["b", "a", "b"], np.zeros((3, 1)))
    assert_array_equal(sources[source_codes], ["b", "a", "b"])
    assert_array_equal(sources, ["a", "b"])


def test_numbers_name_sources_and_anything_else_is_their_text():
    for names in ([2, 1], np.array([2, 1]), np.array([2, 1], dtype=object)):
        assert check_sources(names, np.zeros((2, 1)))[0].tolist() == [1, 2]
    for names in (["a", 1], np.array(["a", 1], dtype=object)):
        assert check_sources(names, np.zeros((2, 1)))[0].tolist() == ["1", "a"]


class Door(TransformerMixin, BaseEstimator):
    """An estimator that only checks its input."""

    def __init__(self, sparse=False, allow_nan=False):
        self.sparse = sparse
        self.allow_nan = allow_nan

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = self.sparse
        tags.input_tags.allow_nan = self.allow_nan
        return tags


def test_arrays_are_checked_as_the_tags_say():
    X = np.array([[1.0, np.nan], [0.0, 2.0]])
    with pytest.raises(ValueError, match="Input X contains NaN"):
        check_features(Door(), X, reset=True)
    assert check_features(Door(allow_nan=True), X, reset=True) is X
    thin = sparse.coo_array([[1.0, 0], [0, 2]])
    with pytest.raises(TypeError, match="Sparse data was passed"):
        check_features(Door(), thin, reset=True)
    assert check_features(Door(sparse=True), thin, reset=True).format == "csr"


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_are_handed_on_unchanged(library):
    DataFrame = pytest.importorskip(library).DataFrame
    door = Door()
    frame = DataFrame({"a": [1.0, None], "b": ["x", "y"]})
    assert check_features(door, frame, reset=True) is frame
    assert is_dataframe(frame)
    assert not is_dataframe(np.zeros((2, 2)))
    assert_array_equal(door.feature_names_in_, ["a", "b"])
    with pytest.raises(ValueError, match="feature names"):
        check_features(door, DataFrame({"b": [1], "a": [2]}), reset=False)
    with pytest.raises(ValueError, match=r"data frame of shape \(0, 2\): at least"):
        check_features(door, frame[:0], reset=True)
    with pytest.raises(ValueError, match=r"of shape \(0, 0\): at least one row and"):
        check_features(door, DataFrame(), reset=True)


def test_columns_of_one_name_are_refused():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(np.zeros((2, 4)), columns=["b", "a", "b", "a"])
    with pytest.raises(ValueError, match=r"several .* same name: \['a', 'b'\]. Rename"):
        check_features(Door(), frame, reset=True)


@pytest.mark.parametrize(
    "X", [[[1], [2]], np.zeros((2, 1)), sparse.csr_array(np.zeros((2, 1)))]
)
def test_rows_are_counted(X):
    assert n_rows(X) == 2


def test_arrays_without_names_are_warned_of_once():
    """A door warns of itself; the parts behind it have nothing to add."""
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(120, 3)), columns=["a", "b", "c"])
    y = np.where(np.arange(120) < 60, X["a"] > 0, -1)
    for estimator in (WeakToStrongClassifier(strategy="all"), OverlapDetector()):
        fitted = estimator.fit(X, y)
        with pytest.warns(UserWarning, match="names") as caught:
            fitted.predict(X.to_numpy()[:1])
        (warning,) = caught
        assert type(fitted).__name__ in str(warning.message)


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
def test_estimators_that_may_accept_gaps_may_try(estimator):
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


def test_an_estimator_of_another_library_decides_by_itself(upgrade):
    X, y = upgrade
    model = WeakToStrongClassifier(Stranger(), Stranger(), strategy="all")
    assert outcome(model, X, y, X) == outcome(model, frame(X), y, frame(X)) == [0] * 300


@pytest.mark.parametrize("convert", [np.asarray, frame])
def test_the_part_that_refuses_gaps_is_named(upgrade, convert):
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

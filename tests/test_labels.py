"""What has no label is read alike from every container, by everyone who takes y."""

from contextlib import suppress
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn.datasets import make_classification
from sklearn.exceptions import DataConversionWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score

from sklearn_w2s import (
    OverlapDetector,
    OverlapSampler,
    UCBSourceSelector,
    WeakToStrongClassifier,
)
from sklearn_w2s._sklearn import safe_indexing
from sklearn_w2s._validation import check_labels, check_sources, is_missing
from sklearn_w2s.advice import advise
from sklearn_w2s.metrics import expansion, prediction_gap, region_accuracy
from sklearn_w2s.model_selection import (
    LabeledScorer,
    LabeledSplit,
    cross_validate_gap,
    gap_learning_curve,
    overlap_curve,
    weak_strong_split,
)
from sklearn_w2s.weak_estimators import FunctionClassifier, VoteClassifier

TEXTS, WHOLE, TRUTH = "texts", "whole numbers", "truth values"
VALUES = {TEXTS: ["a", "b", "c"], WHOLE: [0, 1, 2], TRUTH: [False, True]}
GAPS = [None, np.nan, pd.NA, pd.NaT, np.datetime64("NaT"), Decimal("NaN")]


def objects(values):
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def masked(values):
    like = next((value for value in values if value is not None), 0)
    filled = [like if value is None else value for value in values]
    return np.ma.MaskedArray(filled, [value is None for value in values])


def with_nan(values):
    return [np.nan if value is None else value for value in values]


def series(dtype):
    return lambda values: pd.Series(values, dtype=dtype)


CONTAINERS = {
    "list": list,
    "tuple": tuple,
    "list with NaN": with_nan,
    "objects": objects,
    "masked array": masked,
    "series of objects": series(object),
    "series of categories": series("category"),
    "index": lambda values: pd.Index(values, dtype=object),
    "categorical": pd.Categorical,
    "polars": pl.Series,
    "Arrow": pa.array,
    "Arrow in chunks": lambda values: pa.chunked_array([values, []]),
    "Arrow dictionary": lambda values: pa.array(values).dictionary_encode(),
}
OF_KIND = {
    TEXTS: {
        "series of str": series("str"),
        "series of string": series("string"),
        "series of Arrow strings": series(pd.ArrowDtype(pa.string())),
        "polars categorical": lambda values: pl.Series(values, dtype=pl.Categorical),
        "polars enum": lambda values: pl.Series(values, dtype=pl.Enum(VALUES[TEXTS])),
    },
    WHOLE: {
        "floats": lambda values: np.array(values, dtype=float),
        "series of floats": series(float),
        "series of Int64": series("Int64"),
        "series of Float64": series("Float64"),
        "series of Arrow integers": series("int32[pyarrow]"),
        "polars floats": lambda values: pl.Series(with_nan(values), dtype=pl.Float64),
    },
    TRUTH: {
        "series of boolean": series("boolean"),
        "series of Arrow truth values": series("bool[pyarrow]"),
    },
}
NAMED = [
    (kind, contain)
    for kind in VALUES
    for name, contain in {**CONTAINERS, **OF_KIND[kind]}.items()
    # Before pandas 3 "str" makes texts of gaps.
    if name != "series of str" or pd.__version__ >= "3"
]


# Enough that none of some 130 pairs of container and marker is left out for long.
@settings(max_examples=max(500, settings().max_examples))
@given(
    named=st.sampled_from(NAMED),
    missing=st.sampled_from([-1, pd.NA, ""]),
    data=st.data(),
)
def test_equal_labels_and_gaps_are_equal_in_every_container(named, missing, data):
    kind, contain = named
    value = st.none() | st.sampled_from(VALUES[kind])
    values = data.draw(st.lists(value, min_size=1, max_size=12).filter(any_known))
    labels, labeled = check_labels(contain(values), missing)
    assert labels.tolist() == [value for value in values if value is not None]
    assert labeled.tolist() == [value is not None for value in values]
    is_text = labels.dtype.kind == "U"
    assert is_text == (kind == TEXTS)


def any_known(values):
    return any(value is not None for value in values)


@pytest.mark.parametrize("gap", GAPS, ids=repr)
@pytest.mark.parametrize("missing", [-1, None, "b"])
def test_every_gap_is_one_whatever_marks_beside_it(gap, missing):
    assert is_missing(gap)
    labels, labeled = check_labels(["a", gap, "c", gap], missing)
    assert labels.tolist() == ["a", "c"]
    assert labeled.tolist() == [True, False, True, False]


@pytest.mark.parametrize("value", [0, "", "nan", False, np.zeros(2), [], b"", 1j])
def test_given_values_are_not_gaps(value):
    assert not is_missing(value)


def test_markers_mark_beside_gaps():
    _, labeled = check_labels(pd.Series([0, -1, None, 1], dtype="Int64"), -1)
    assert labeled.tolist() == [True, False, False, True]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_stay_floats_of_their_width(dtype):
    labels, _ = check_labels(np.array([0, 1, np.nan], dtype=dtype), -1)
    assert labels.dtype == dtype


def test_whole_numbers_beside_gaps_stay_whole_where_they_were():
    for dtype in ("Int64", "int64[pyarrow]", object):
        labels, _ = check_labels(pd.Series([2**53 + 1, None, 0], dtype=dtype), -1)
        assert labels.tolist() == [2**53 + 1, 0]
        assert labels.dtype == np.int64


@pytest.mark.parametrize("library", [pd, pl])
def test_a_frame_of_one_column_is_taken_with_a_warning(library):
    frame = library.DataFrame({"y": ["a", None, "b"]})
    with pytest.warns(DataConversionWarning):
        labels, labeled = check_labels(frame, -1)
    assert labels.tolist() == ["a", "b"]
    assert labeled.tolist() == [True, False, True]
    both = library.DataFrame({"y": ["a", None], "z": ["a", "b"]})
    with pytest.raises(ValueError, match="y should be a 1d array"):
        check_labels(both, -1)


@pytest.mark.parametrize(("kind", "contain"), NAMED)
def test_a_missing_source_is_refused_in_every_container(kind, contain):
    names = VALUES[kind]
    with pytest.raises(ValueError, match=r"is missing in 2 row\(s\), .* position 1\."):
        check_sources(contain([names[0], None, names[1], None]), np.zeros((4, 1)))
    sources, codes = check_sources(contain([names[1], names[0]]), np.zeros((2, 1)))
    assert_array_equal(sources, sorted(names[:2]))
    assert_array_equal(codes, [1, 0])


# Whoever takes y


N_ROWS, N_LABELED = 160, 60
X, TRUTH = make_classification(N_ROWS, 6, n_informative=4, random_state=0)
IS_LABELED = np.arange(N_ROWS) % 8 < 3
Y = np.where(IS_LABELED, TRUTH, -1)
NAMES = np.where(IS_LABELED, np.array(["no", "yes"])[TRUTH], None)
SOURCES = np.resize(["a", "b"], N_ROWS)
# Of the library that is met most, and of those that scikit-learn refuses.
GIVEN = {
    "list": list,
    "objects": objects,
    "str": series("str" if pd.__version__ >= "3" else object),
    "string": series("string"),
    "category": series("category"),
    "Arrow": series(pd.ArrowDtype(pa.string())),
    "polars": pl.Series,
    "pyarrow": pa.array,
}


def classifier(**params):
    parts = LogisticRegression(), LogisticRegression(C=0.1)
    return WeakToStrongClassifier(
        *parts, **{"strategy": "confidence", "random_state": 0} | params
    )


def detector():
    return OverlapDetector(LogisticRegression(), random_state=0)


def of_classifier(y):
    model = classifier().fit(X, y)
    return model.classes_, model.predict(X), model.score(X, y)


def of_detector(y):
    fitted = detector().fit(X, y)
    return fitted.classes_, fitted.regions_, fitted.confidence_


def of_stream(y):
    return detector().partial_fit(X, y).predict(X)


def of_sampler(y):
    X_kept, y_kept = OverlapSampler(detector()).fit_resample(X, y)
    return X_kept, np.asarray(y_kept, dtype=object)


def of_selector(y):
    selector = UCBSourceSelector(
        classifier(), overlap_detector=detector(), n_rounds=4, random_state=0
    ).fit(X, y, sample_source=SOURCES)
    return selector.drawn_indices_, selector.predict(X), selector.score(X, y)


def of_live_sources(y):
    parts = {name: np.flatnonzero(name == SOURCES) for name in "ab"}
    sources = {name: (X[rows], safe_indexing(y, rows)) for name, rows in parts.items()}
    selector = UCBSourceSelector(
        classifier(), overlap_detector=detector(), n_rounds=4, random_state=0
    ).fit_sources(sources, X, y)
    return selector.history_["source"], selector.predict(X), selector.score(X, y)


def of_gap(y):
    results = cross_validate_gap(
        classifier(), X, y, cv=2, labeled_size=20, random_state=0
    )
    return results["weak_to_strong_score"], results["n_hidden"]


def of_learning_curve(y):
    curve = gap_learning_curve(
        classifier(), X, y, labeled_sizes=[20], cv=2, random_state=0
    )
    return curve["weak_to_strong_score"]


def of_advice(y):
    advice = advise(classifier(), X, y, cv=2, random_state=0)
    return advice.choice, advice.predicted_gain


def of_split(y):
    parts = weak_strong_split(X, y, labeled_size=20, random_state=0)
    y_train, y_test = (check_labels(part, -1) for part in parts[2:4])
    return *parts[:2], *y_train, *y_test


def of_labeled_split(y):
    return tuple(np.concatenate(split) for split in LabeledSplit(3).split(X, y))


def of_searches(y):
    search = GridSearchCV(
        classifier(), {"strategy": ["all", "confidence"]}, cv=LabeledSplit(2)
    )
    scores = cross_val_score(
        classifier(), X, y, cv=KFold(2), scoring=LabeledScorer("accuracy")
    )
    return search.fit(X, y).best_score_, scores


def of_weak_estimator(y):
    rule = FunctionClassifier(rule_of, classes=["no", "yes"]).fit(X, y)
    votes = np.column_stack([rule.predict(X), rule.predict(X)]).astype(object)
    model = VoteClassifier(method="naive_bayes").fit(votes, y)
    return rule.score(X, y), model.score(votes, y), model.vote_rates_


def rule_of(X):
    return np.where(X[:, 0] > 0, "yes", "no")


def of_metrics(y):
    regions = np.resize(["easy", "hard", "overlap"], N_ROWS)
    accuracy = region_accuracy(y, rule_of(X), regions)
    spread = expansion(X, regions, y=y, n_neighbors=3)
    return accuracy, spread, prediction_gap(X[:, :2], X, y)


ENTRIES = [
    of_classifier,
    of_detector,
    of_stream,
    of_sampler,
    of_selector,
    of_live_sources,
    of_gap,
    of_learning_curve,
    of_advice,
    of_split,
    of_labeled_split,
    of_searches,
    of_weak_estimator,
    of_metrics,
]


def can_index_arrow():
    """Say whether scikit-learn does not make a list of scalars of an array."""
    return isinstance(safe_indexing(pa.array([1, 2]), np.array([0])), pa.Array)


@pytest.fixture(scope="module")
def expected():
    """What comes of labels that are marked by -1."""
    marked = np.where(IS_LABELED, NAMES, -1)
    return {entry: entry(marked) for entry in ENTRIES}


@pytest.mark.filterwarnings("ignore::sklearn_w2s.overlap.NoChangePointWarning")
@pytest.mark.parametrize("given", GIVEN)
@pytest.mark.parametrize("entry", ENTRIES)
def test_gaps_mark_rows_without_labels_everywhere(entry, given, expected):
    if given == "pyarrow" and not can_index_arrow():
        pytest.skip("this scikit-learn cannot index arrays of pyarrow")
    np.testing.assert_equal(entry(GIVEN[given](NAMES.tolist())), expected[entry])


@pytest.mark.parametrize("dtype", ["Int64", "Float64", float, object, "int64[pyarrow]"])
def test_gaps_among_numbers_mark_as_minus_one_does(dtype):
    y = pd.Series(Y, dtype=object).mask(~IS_LABELED, None).astype(dtype)
    fitted, wanted = classifier().fit(X, y), classifier().fit(X, Y)
    assert_array_equal(fitted.classes_, [0, 1])
    assert_array_equal(fitted.predict_proba(X), wanted.predict_proba(X))
    is_whole = dtype not in ("Float64", float)
    assert (fitted.classes_.dtype.kind == "i") == is_whole
    assert fitted.score(X, y) == wanted.score(X, Y)


def test_a_series_of_texts_with_gaps_works_without_preparation():
    y = pd.Series(NAMES, name="outcome")
    model = WeakToStrongClassifier(random_state=0).fit(pd.DataFrame(X), y)
    assert model.classes_.tolist() == ["no", "yes"]
    assert model.score(pd.DataFrame(X), y) > 0.8


@pytest.mark.parametrize("fit", [of_classifier, of_selector, of_live_sources])
def test_minus_one_one_and_gaps_are_two_classes_and_gaps(fit):
    y = pd.Series(2 * TRUTH - 1, dtype="Int64").mask(~IS_LABELED)
    with pytest.warns(UserWarning, match="-1 is taken as a class"):
        _, predicted, score = fit(y)
    assert set(predicted) == {-1, 1}
    assert score == np.mean(predicted == 2 * TRUTH - 1, where=IS_LABELED)


def test_infinity_is_not_a_gap():
    for model in (classifier(), detector()):
        with pytest.raises(ValueError, match="Input y contains infinity"):
            model.fit(X, np.where(IS_LABELED, TRUTH, np.inf))


@pytest.mark.parametrize("missing", [None, pd.NA, np.nan, pd.NaT], ids=repr)
def test_a_source_that_is_missing_is_named(missing):
    sources = [missing, *SOURCES[1:]]
    for call in (
        lambda: UCBSourceSelector(overlap_detector=detector()).fit(
            X, Y, sample_source=sources
        ),
        lambda: advise(classifier(), X, Y, sample_source=sources),
    ):
        with pytest.raises(ValueError, match=r"sample_source is missing in 1 row"):
            call()


def test_a_truth_that_is_missing_is_refused_where_every_row_needs_one():
    with pytest.raises(ValueError, match=r"y has no label in 100 row\(s\), .* 3, and"):
        overlap_curve(LogisticRegression(), LogisticRegression(), X, NAMES, detector())


# The words -1 and nan


@pytest.mark.filterwarnings("ignore::sklearn_w2s.overlap.NoChangePointWarning")
@pytest.mark.parametrize("entry", ENTRIES)
def test_a_marker_turned_into_text_warns_everyone(entry):
    y = np.where(IS_LABELED, NAMES, -1).astype(str)
    message = "The label '-1' is read as a class, since missing_label=-1"
    # Some find afterwards that it is none they know, or that no row is unlabeled.
    with pytest.warns(UserWarning, match=message), suppress(ValueError):
        entry(y)

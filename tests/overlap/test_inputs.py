"""Containers, kinds of columns, missing values and precision."""

from itertools import permutations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from measures import EXACT_MEASURES
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    RandomTreesEmbedding,
)
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils import get_tags

from sklearn_w2s import OverlapDetector
from sklearn_w2s.overlap._output import COLUMN_NAMES

NAMES = list("abcdef")
# Of each column half are zeros: its typical value, as it is of sparse columns.
HALF = sorted(set(permutations([0, 0, 0, 1, 1, 1])))
SPARSE_MEASURES = [name for name in EXACT_MEASURES if name != "unexplained"]


def as_pandas(X):
    return pd.DataFrame(X, columns=NAMES, index=np.arange(len(X))[::-1])


def as_polars(X):
    return pl.DataFrame(dict(zip(NAMES, X.T, strict=True)))


FRAMES = [as_pandas, as_polars]


@pytest.fixture
def mixed():
    """A table with categories, truth values, missing values and unlabeled rows."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 2))
    frame = pd.DataFrame(
        {
            "x": x[:, 0],
            "count": pd.array(rng.integers(0, 9, 200), dtype="Int64"),
            "flag": x[:, 1] > 0,
            "colour": pd.Categorical.from_codes(
                rng.integers(0, 3, 200), ["red", "green", "blue"]
            ),
            "note": np.where(x[:, 0] > 0.5, "long", None),
        }
    )
    frame.loc[::7, "count"] = pd.NA
    frame.loc[::5, "x"] = np.nan
    frame.loc[::9, "colour"] = np.nan
    names = np.where(x[:, 0] + 0.3 * rng.normal(size=200) > 0, "yes", "no")
    return frame, np.where(np.arange(200) % 2, names, "")


# Containers give the same


@pytest.mark.parametrize("convert", FRAMES)
def test_frames_of_numbers_give_what_arrays_give(problem, convert):
    X, y, _ = problem
    frame = convert(X)
    for detector in (
        OverlapDetector(),
        OverlapDetector(LogisticRegression(), overlap_measure="unexplained"),
    ):
        plain, named = clone(detector).fit(X, y), clone(detector).fit(frame, y)
        assert_array_equal(named.feature_names_in_, NAMES)
        assert_array_equal(named.regions_, plain.regions_)
        assert_allclose(named.transform(frame), plain.transform(X))
        with pytest.raises(ValueError, match="feature names"):
            named.predict(frame[NAMES[::-1]])


@pytest.mark.parametrize("measure", SPARSE_MEASURES)
@pytest.mark.parametrize(
    "convert", [sparse.csr_matrix, sparse.csc_array, sparse.coo_array]
)
def test_sparse_rows_give_what_dense_rows_give(problem, measure, convert):
    X, y, _ = problem
    X = X * np.resize(HALF, X.shape)
    detector = OverlapDetector(LogisticRegression(), overlap_measure=measure)
    dense, thin = clone(detector).fit(X, y), clone(detector).fit(convert(X), y)
    assert_array_equal(thin.regions_, dense.regions_)
    assert_allclose(thin.overlap_score_, dense.overlap_score_)
    assert_array_equal(thin.predict(convert(X)), dense.predict(X))
    assert sparse.issparse(thin.references_)


def test_residuals_need_dense_rows(problem):
    X, y, _ = problem
    detector = OverlapDetector(LogisticRegression(), overlap_measure="unexplained")
    with pytest.raises(TypeError, match="dense data is required"):
        detector.fit(sparse.csr_array(X), y)
    detector.set_params(representation=RandomTreesEmbedding(3))
    with pytest.raises(ValueError, match=r"needs dense rows. Pass representation="):
        detector.fit(X, y)


@pytest.mark.parametrize("measure", EXACT_MEASURES)
def test_tables_of_mixed_columns_are_understood(mixed, measure):
    frame, y = mixed
    detector = OverlapDetector(overlap_measure=measure, missing_label="")
    detector.fit(frame, y)
    assert_array_equal(detector.classes_, ["no", "yes"])
    assert_array_equal(detector.predict(frame)[y == ""], detector.regions_[y == ""])
    # Unknown categories and columns without a value are no obstacle.
    strange = frame.head(3).assign(colour="violet", note=None, x=np.nan)
    assert detector.predict(strange).shape == (3,)


def test_polars_gives_what_pandas_gives(mixed):
    frame, y = mixed
    columns = {
        "x": [None if np.isnan(v) else v for v in frame["x"]],
        "count": [None if v is pd.NA else int(v) for v in frame["count"]],
        "flag": frame["flag"].to_list(),
        "colour": [v if isinstance(v, str) else None for v in frame["colour"]],
        "note": [v if isinstance(v, str) else None for v in frame["note"]],
    }
    other = pl.DataFrame(columns, schema_overrides={"colour": pl.Categorical})
    detector = OverlapDetector(missing_label="")
    first, second = clone(detector).fit(frame, y), clone(detector).fit(other, y)
    assert_array_equal(first.regions_, second.regions_)
    assert_array_equal(first.transform(frame), second.transform(other))


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_the_output_setting_of_the_user_does_not_reach_inside(problem, library):
    X, y, _ = problem
    expected = OverlapDetector().fit(X, y)
    with config_context(transform_output=library):
        detector = OverlapDetector().fit(X, y)
        output = detector.transform(X)
    assert list(output.columns) == list(COLUMN_NAMES)
    assert_allclose(np.asarray(output), expected.transform(X), rtol=1e-9)
    assert_array_equal(detector.regions_, expected.regions_)


# Weak features


@pytest.mark.parametrize(
    "columns",
    [
        [0, 1, 2],
        (0, 1, 2),
        np.arange(3),
        slice(0, 3),
        slice(None, -3),
        np.arange(6) < 3,
        [True] * 3 + [False] * 3,
        [-6, -5, -4],
        lambda X: list(range(X.shape[1] // 2)),
    ],
)
@pytest.mark.parametrize("convert", [np.array, sparse.csr_array, *FRAMES])
def test_weak_features_are_positions_masks_slices_or_functions(
    problem, make_detector, columns, convert
):
    X, y, _ = problem
    X = X * np.resize(HALF, X.shape)
    expected = make_detector().fit(X, y)
    detector = make_detector(weak_features=columns).fit(convert(X), y)
    assert detector.weak_estimator_.n_features_in_ == 3
    assert_allclose(detector.confidence_, expected.confidence_, rtol=1e-5)
    assert_array_equal(detector.predict(convert(X)), expected.predict(X))


@pytest.mark.parametrize(
    "columns",
    [["a", "b", "c"], np.array(["a", "b", "c"]), slice("a", "c"), lambda _: ["a", "b"]],
)
@pytest.mark.parametrize("convert", FRAMES)
def test_weak_features_are_names(problem, make_detector, columns, convert):
    X, y, _ = problem
    detector = make_detector(weak_features=columns).fit(convert(X), y)
    seen = detector.weak_estimator_.feature_names_in_
    assert_array_equal(seen, ["a", "b", "c"][: len(seen)])


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (["a", "z"], r"there is no column \['z'\]"),
        ([True, False], "a mask of 2 values for 6 columns"),
        ([9], "does not choose columns of X"),
        (slice(7, 9), "chooses no column"),
        (["a", 1], "does not choose columns of X"),
        (2.5, "does not choose columns of X"),
    ],
)
@pytest.mark.parametrize("convert", FRAMES)
def test_weak_features_that_do_not_exist_are_named_and_refused(
    problem, make_detector, columns, message, convert
):
    X, y, _ = problem
    with pytest.raises(ValueError, match=f"weak_features=.*{message}"):
        make_detector(weak_features=columns).fit(convert(X), y)


@pytest.mark.parametrize("column", ["a", 0, np.int64(0)])
@pytest.mark.parametrize("convert", FRAMES)
def test_one_weak_feature_needs_no_list(problem, make_detector, column, convert):
    X, y, _ = problem
    detector = make_detector(weak_features=column).fit(convert(X), y)
    assert_array_equal(detector.weak_estimator_.feature_names_in_, ["a"])


def test_the_weak_view_of_a_mixed_table_may_be_categories(mixed):
    frame, y = mixed
    detector = OverlapDetector(
        weak_features=["colour", "note"],
        overlap_measure="unexplained",
        missing_label="",
    ).fit(frame, y)
    assert np.isfinite(detector.overlap_score_).all()


# Probabilities by name


def test_columns_of_weak_probabilities_are_named_by_their_classes(problem):
    X, y, _ = problem
    names = np.array(["low", "high", ""])[y]
    low = 1 / (1 + np.exp(X[:, 0]))
    given = pd.DataFrame({"low": low, "high": 1 - low})
    for proba in (given, given[["high", "low"]], pl.DataFrame(given.to_dict("list"))):
        detector = OverlapDetector(missing_label="", confidence=first_class)
        detector.fit(X, names, weak_proba=proba)
        assert_array_equal(detector.classes_, ["high", "low"])
        assert_allclose(detector.confidence_, 1 - low)


def first_class(proba):
    return proba[:, 0]


# Representations


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float16])
def test_representations_of_small_numbers_do_not_overflow(problem, dtype):
    X, y, _ = problem
    whole = np.clip(np.abs(X) * 100, 0, 255).astype(dtype)
    small = FunctionTransformer(whole.dtype.type)
    detector = OverlapDetector(LogisticRegression(), overlap_measure="max_dot")
    given = clone(detector).set_params(representation=small).fit(whole, y)
    detector.set_params(representation="passthrough")
    wide = clone(detector).fit(whole.astype(float), y)
    assert_array_equal(given.overlap_score_, wide.overlap_score_)


def test_a_representation_that_keeps_missing_values_is_refused(problem):
    X, y, _ = problem
    X = np.where(np.random.default_rng(0).uniform(size=X.shape) < 0.1, np.nan, X)
    detector = OverlapDetector(HistGradientBoostingClassifier(max_iter=3))
    assert np.isfinite(detector.fit(X, y).overlap_score_).all()
    detector.set_params(representation=StandardScaler())
    with pytest.raises(ValueError, match=r"representation.transform\(X\) contains NaN"):
        detector.fit(X, y)


def test_missing_values_that_are_new_are_typical_or_medians_of_fit(problem):
    X, y, _ = problem
    detector = OverlapDetector(HistGradientBoostingClassifier(max_iter=3)).fit(X, y)
    is_missing = np.random.default_rng(0).uniform(size=X.shape) < 0.1
    new = np.where(is_missing, np.nan, X)
    expected = np.where(is_missing, 0, detector.represent(X))
    assert_array_equal(detector.represent(new), expected)
    assert np.isfinite(detector.transform(new)).all()
    detector.set_params(representation="passthrough").fit(X, y)
    expected = np.where(is_missing, np.median(X, axis=0), X)
    assert_array_equal(detector.represent(new), expected)
    assert np.isfinite(detector.transform(new)).all()


@pytest.mark.parametrize(
    "representation", [StandardScaler(), make_pipeline(StandardScaler())]
)
def test_weights_reach_the_representation(problem, representation):
    X, y, _ = problem
    weights = np.random.default_rng(0).integers(1, 4, size=len(X))
    detector = OverlapDetector(LogisticRegression(), representation=representation)
    detector.fit(X, y, sample_weight=weights)
    expected = StandardScaler().fit(X, sample_weight=weights).transform(X)
    assert_array_equal(detector.represent(X), expected)


# Output


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("passthrough", [False, True])
def test_precision_is_kept(problem, dtype, passthrough):
    X, y, _ = problem
    X = X.astype(dtype)
    detector = OverlapDetector(LogisticRegression(), passthrough=passthrough)
    assert detector.fit(X, y).transform(X).dtype == dtype
    assert_array_equal(detector.predict(X)[120:], detector.regions_[120:])
    thin = sparse.csr_array(X)
    assert detector.fit(thin, y).transform(thin).dtype == dtype


def test_columns_are_confidence_score_and_regions(problem, make_detector):
    X, y, _ = problem
    detector = make_detector().fit(X, y)
    columns = detector.transform(X)
    assert_array_equal(columns[:, 0], detector.confidence_samples(X))
    assert_array_equal(columns[:, 1], detector.score_samples(X))
    regions = detector.predict(X)
    for column, name in zip(columns.T[2:], ["easy", "hard", "overlap"], strict=True):
        assert_array_equal(column, regions == name)
    margin = detector.decision_function(X)
    assert_array_equal(margin, columns[:, 1] - detector.overlap_threshold_)
    assert (margin[regions == "overlap"] >= 0).all()
    assert (margin[regions == "easy"] < 0).all()


@pytest.mark.parametrize("convert", FRAMES)
def test_passing_through_keeps_frames_as_they_are(mixed, convert):
    frame, y = mixed
    if convert is as_polars:
        frame = pl.DataFrame({"x": frame["x"].to_numpy(), "flag": frame["flag"] * 1})
    detector = OverlapDetector(passthrough=True, missing_label="").fit(frame, y)
    output = detector.transform(frame)
    assert type(output) is type(frame)
    assert list(output.columns) == [*frame.columns, *COLUMN_NAMES]
    assert_array_equal(detector.get_feature_names_out(), list(output.columns))
    assert list(output[frame.columns].dtypes) == list(frame.dtypes)
    alone = detector.set_params(passthrough=False).transform(frame)
    assert_array_equal(output[list(COLUMN_NAMES)].to_numpy(), alone)


@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.parametrize("convert", [np.array, *FRAMES])
def test_passing_through_follows_the_output_setting(problem, library, convert):
    X, y, _ = problem
    detector = OverlapDetector(passthrough=True).set_output(transform=library)
    output = detector.fit(convert(X), y).transform(convert(X))
    assert type(output).__module__.startswith(library)
    names = [f"x{j}" for j in range(6)] if convert is np.array else NAMES
    assert list(output.columns) == [*names, *COLUMN_NAMES]
    plain = OverlapDetector(passthrough=True).fit(X, y).transform(X)
    assert_allclose(np.asarray(output), plain)


def test_passing_through_keeps_sparse_rows_sparse(problem):
    X, y, _ = problem
    thin = sparse.csr_array(X)
    detector = OverlapDetector(LogisticRegression(), passthrough=True).fit(thin, y)
    output = detector.transform(thin)
    assert output.format == "csr"
    assert_allclose(output.toarray(), np.hstack([X, output.toarray()[:, 6:]]))


def test_passing_through_makes_an_array_of_columns_without_names(problem):
    X, y, _ = problem
    frame = pd.DataFrame(X)
    output = OverlapDetector(passthrough=True).fit(frame, y).transform(frame)
    assert isinstance(output, np.ndarray)
    assert output.shape == (300, 11)


@pytest.mark.parametrize("convert", FRAMES)
def test_a_name_that_transform_adds_is_refused(problem, convert):
    X, y, _ = problem
    frame = convert(X).rename({"b": "confidence"} if convert is as_polars else str)
    if convert is as_pandas:
        frame = frame.rename(columns={"b": "confidence"})
    detector = OverlapDetector(passthrough=True).fit(frame, y)
    with pytest.raises(ValueError, match=r"passthrough=True: \['confidence'\]. Rename"):
        detector.transform(frame)


# Tags


def test_tags_combine_what_every_part_takes():
    def tags(**params):
        return get_tags(OverlapDetector(**params)).input_tags

    trees = HistGradientBoostingClassifier()
    assert tags().sparse
    assert tags().allow_nan
    assert tags(weak_estimator=trees).allow_nan
    assert not tags(weak_estimator=trees).sparse
    assert tags(weak_estimator=LogisticRegression()).sparse
    assert not tags(weak_estimator=LogisticRegression()).allow_nan
    assert not tags(overlap_measure="unexplained").sparse
    assert tags(weak_estimator=trees, representation=StandardScaler()).allow_nan
    encoder = RandomTreesEmbedding()
    forest = RandomForestClassifier()
    assert tags(weak_estimator=forest, representation=encoder).sparse

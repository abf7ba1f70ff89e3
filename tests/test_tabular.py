import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.stats import kstest, norm
from sklearn import config_context
from sklearn.base import clone
from sklearn.preprocessing import StandardScaler

from sklearn_w2s._tabular import (
    TabularEncoder,
    default_strong_estimator,
    default_weak_estimator,
    numeric_encoder,
)

NAN = np.nan
MIXED = np.array(
    [
        [1, "a", 3, None],
        [2, "b", 4, "x"],
        [NAN, None, 5, "x"],
        [4, "a", 6, "y"],
    ],
    dtype=object,
)
NUMBERS = np.array([[1.0, 0, NAN], [2, 0, 4], [6, 0, 8], [NAN, 0, 9]])


def frame_of(library, columns):
    return pytest.importorskip(library).DataFrame(columns)


# Numbers


def test_medians_replace_missing_numbers():
    encoder = TabularEncoder(scale=False).fit(NUMBERS)
    expected = [[1, 0, 8], [2, 0, 4], [6, 0, 8], [2, 0, 9]]
    assert_array_equal(encoder.transform(NUMBERS), expected)
    assert_array_equal(encoder.transform([[NAN, NAN, NAN]]), [[2, 0, 8]])


def test_missing_numbers_stay_on_demand():
    encoder = TabularEncoder(scale=False, impute=False)
    assert_array_equal(encoder.fit_transform(NUMBERS), NUMBERS)


@pytest.mark.parametrize("impute", [False, True])
@pytest.mark.parametrize("scale", [False, True, "quantile"])
def test_a_column_without_any_number_becomes_zero(impute, scale):
    encoder = TabularEncoder(impute=impute, scale=scale)
    X = np.column_stack([np.full(3, NAN), np.arange(3)])
    assert_array_equal(encoder.fit_transform(X)[:, 0], np.zeros(3))


@given(
    weights=st.lists(st.integers(1, 5), min_size=4, max_size=4), shift=st.floats(-9, 9)
)
def test_scales_are_weighted(weights, shift):
    X = np.array([[1.0, 3], [2, 3], [6, 3], [0, 3]]) + shift
    encoded = TabularEncoder().fit(X, sample_weight=np.array(weights)).transform(X)
    repeated = np.repeat(X, weights, axis=0)
    expected = StandardScaler().fit(repeated).transform(X)
    assert_allclose(encoded[:, 0], expected[:, 0], atol=1e-9)
    assert_array_equal(encoded[:, 1], np.zeros(4))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_precision_is_kept(dtype):
    for scale in (False, True):
        encoded = TabularEncoder(scale=scale).fit_transform(NUMBERS.astype(dtype))
        assert encoded.dtype == dtype


def test_sparse_numbers_stay_sparse_and_unfilled():
    thin = sparse.csr_array([[1.0, 0], [0, 0], [NAN, 2]])
    for scale, expected in [(False, [1, 2]), (True, None)]:
        encoded = TabularEncoder(scale=scale).fit_transform(thin)
        assert encoded.format == "csr"
        if expected:
            assert_array_equal(encoded.toarray(), [[1, 0], [0, 0], [0, 2]])
        else:
            assert_allclose(encoded.power(2).mean(axis=0).ravel()[1], 0.5 / 0.25 * 0.75)
    assert np.isnan(thin.data).any()


@pytest.mark.parametrize("scale", [False, True, "quantile"])
def test_numbers_are_not_changed_in_place(scale):
    X = NUMBERS.copy()
    X.setflags(write=False)
    TabularEncoder(scale=scale, flag_missing=True).fit(X).transform(X)
    assert_array_equal(X, NUMBERS)


@pytest.mark.parametrize("scale", ["quantiles", None, "standard"])
def test_an_unknown_scale_is_refused(scale):
    with pytest.raises(ValueError, match="scale must be True, False or 'quantile'"):
        TabularEncoder(scale=scale).fit(NUMBERS)


# Ranks


def test_normal_scores_of_the_ranks_are_standardised():
    encoded = TabularEncoder(scale="quantile").fit_transform(
        [[1.0], [9], [4], [5], [7]]
    )
    quarter = norm.ppf(0.25)
    scores = np.array([-3, 3, quarter, 0, -quarter])
    assert_allclose(encoded[:, 0], scores / scores.std(), atol=1e-9)


def test_columns_of_zeros_and_ones_weigh_no_more_than_others():
    X = np.random.default_rng(0).normal(size=(500, 2))
    X[:, 1] = X[:, 1] > 1
    encoded = TabularEncoder(scale="quantile").fit_transform(X)
    assert_allclose(encoded.mean(axis=0), 0, atol=1e-9)
    assert_allclose(encoded.std(axis=0), 1)


@given(
    values=st.lists(st.integers(-50, 50), min_size=3, max_size=30, unique=True),
    power=st.sampled_from([1, 3]),
)
def test_scores_survive_a_change_of_units_and_any_growing_function(values, power):
    x = np.array(values, dtype=float)[:, None]
    scores = TabularEncoder(scale="quantile").fit_transform(x)
    again = TabularEncoder(scale="quantile").fit_transform(2 * x**power + 5)
    assert_allclose(again, scores, atol=1e-9)
    assert_array_equal(scores[:, 0].argsort(), x[:, 0].argsort())


def test_skew_columns_become_normal():
    x = np.random.default_rng(0).lognormal(sigma=2, size=(3000, 1))
    scores = TabularEncoder(scale="quantile").fit_transform(x)
    assert kstest(scores[:, 0], "norm").pvalue > 0.5


def test_scores_of_new_numbers_are_those_of_the_ends():
    encoder = TabularEncoder(scale="quantile").fit(np.arange(50.0)[:, None])
    assert_array_equal(
        encoder.transform([[-1e9], [1e9]]), encoder.transform([[0.0], [49.0]])
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [1, 4])
def test_scores_of_a_constant_column_are_zero_even_for_another_value(dtype, n):
    encoder = TabularEncoder(scale="quantile").fit(np.full((n, 1), 7, dtype=dtype))
    encoded = encoder.transform(np.array([[7], [8]], dtype=dtype))
    assert encoded.dtype == dtype
    assert_array_equal(encoded, [[0], [0]])


def test_gaps_have_the_score_of_the_median_or_none():
    x = np.array([[1.0], [NAN], [5], [9]])
    assert_allclose(TabularEncoder(scale="quantile").fit_transform(x)[1], 0, atol=1e-9)
    unfilled = TabularEncoder(scale="quantile", impute=False).fit_transform(x)
    assert_allclose(unfilled[:, 0], np.sqrt(1.5) * np.array([-1, NAN, 0, 1]), atol=1e-9)
    constant = np.array([[2.0], [NAN]])
    unfilled = TabularEncoder(scale="quantile", impute=False).fit_transform(constant)
    assert_array_equal(unfilled, [[0], [NAN]])


def test_gaps_do_not_change_the_scores_of_numbers():
    x = np.random.default_rng(0).normal(size=(300, 1))
    with_gaps = np.vstack([x, np.full((200, 1), NAN)])
    scores = TabularEncoder(scale="quantile").fit_transform(with_gaps)
    assert_allclose(scores[:300], TabularEncoder(scale="quantile").fit_transform(x))
    assert_allclose(scores[300:], 0, atol=0.01)


def test_ranks_ignore_the_weights_of_rows():
    X = np.array([[1.0], [2], [6], [3]])
    encoder = TabularEncoder(scale="quantile")
    expected = encoder.fit(X).transform(X)
    weighted = encoder.fit(X, sample_weight=[5, 1, 1, 1]).transform(X)
    assert_array_equal(weighted, expected)


def test_ranks_of_many_rows_are_the_same_every_time():
    X = np.random.default_rng(0).normal(size=(20_000, 1))
    encoder = TabularEncoder(scale="quantile")
    assert_array_equal(encoder.fit_transform(X), clone(encoder).fit_transform(X))


def test_sparse_columns_have_no_ranks_but_variance_one():
    thin = sparse.csr_array([[1.0, 0], [0, 0], [NAN, 2]])
    encoder = TabularEncoder(scale="quantile", flag_missing=True).fit(thin)
    expected = TabularEncoder().fit_transform(thin)
    assert_allclose(encoder.transform(thin).toarray(), expected.toarray())
    assert encoder.flagged_columns_ == []


@pytest.mark.parametrize(
    "encoder", [TabularEncoder(scale="quantile"), TabularEncoder(flag_missing=True)]
)
def test_sparse_rows_are_refused_where_ranks_or_gaps_were_dense(encoder):
    encoder = clone(encoder).fit(NUMBERS)
    with pytest.raises(ValueError, match="fitted on dense rows"):
        encoder.transform(sparse.csr_array(np.eye(3)))


def test_a_new_fit_forgets_the_scale_of_the_last():
    encoder = TabularEncoder(scale="quantile", flag_missing=True).fit(NUMBERS)
    encoder.set_params(scale=False, flag_missing=False).fit(NUMBERS)
    thin = sparse.csr_array(np.eye(3))
    assert_array_equal(encoder.transform(thin).toarray(), np.eye(3))


# Gaps


def test_gaps_are_flagged_after_the_numbers_and_before_the_categories():
    encoder = TabularEncoder(scale=False, categories="ordinal", flag_missing=True)
    encoded = encoder.fit_transform(MIXED)
    plain = clone(encoder).set_params(flag_missing=False).fit_transform(MIXED)
    assert encoder.flagged_columns_ == [0]
    assert_array_equal(encoded[:, 2], [0, 0, 1, 0])
    assert_array_equal(np.delete(encoded, 2, axis=1), plain)


@pytest.mark.parametrize("impute", [False, True])
@pytest.mark.parametrize("scale", [False, True, "quantile"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_flags_are_zeros_and_ones_whatever_becomes_of_the_numbers(impute, scale, dtype):
    encoder = TabularEncoder(impute=impute, scale=scale, flag_missing=True)
    encoded = encoder.fit_transform(NUMBERS.astype(dtype))
    assert encoded.dtype == dtype
    assert encoder.flagged_columns_ == [0, 2]
    assert_array_equal(encoded[:, 3:], np.isnan(NUMBERS[:, [0, 2]]))


@pytest.mark.parametrize(
    ("n_missing", "is_flagged"),
    [(0, False), (1, False), (2, True), (398, True), (399, False), (400, False)],
)
def test_columns_are_flagged_that_miss_half_a_percent_and_hold_as_much(
    n_missing, is_flagged
):
    X = np.arange(800.0).reshape(400, 2)
    X[:n_missing, 1] = NAN
    encoder = TabularEncoder(flag_missing=True).fit(X)
    assert encoder.flagged_columns_ == ([1] if is_flagged else [])
    # The fitted rows decide, not those to come.
    assert encoder.transform(X[:1]).shape == (1, 2 + is_flagged)


def test_columns_without_numbers_have_no_flags():
    text = np.array([["a"], [None]], dtype=object)
    encoder = TabularEncoder(flag_missing=True).fit(text)
    assert encoder.flagged_columns_ == []
    assert encoder.transform(text).shape == (2, 2)


# Categories


def test_every_category_has_an_indicator_and_a_gap_is_one():
    encoded = TabularEncoder(scale=False).fit_transform(MIXED)
    numbers, indicators = encoded[:, :2], encoded[:, 2:]
    assert_array_equal(numbers, [[1, 3], [2, 4], [2, 5], [4, 6]])
    # a, b and none; x, y and none
    assert indicators.shape == (4, 6)
    assert_array_equal(indicators.sum(axis=1), np.full(4, 2))
    assert_array_equal(indicators[0], encoded[3, 2:] - indicators[3] + indicators[0])


def test_new_categories_differ_from_known_ones():
    encoder = TabularEncoder(scale=False).fit(MIXED)
    new = np.array([[1, "z", 3, "z"]], dtype=object)
    assert not encoder.transform(new)[:, 2:].any()
    ordinal = TabularEncoder(categories="ordinal", impute=False, scale=False).fit(MIXED)
    assert_array_equal(ordinal.transform(new), [[1, 3, -1, -1]])
    assert_array_equal(ordinal.transform(MIXED)[:, 2], [0, 1, -1, 0])
    assert ordinal.coded_columns_ == [2, 3]


def test_codes_come_last_and_are_listed():
    days = np.array(["2024-01-02"] + ["2024-01-01"] * 3, dtype="M8[D]")
    X = np.column_stack([MIXED, days.astype(object)])
    encoder = TabularEncoder(categories="ordinal", flag_missing=True).fit(X)
    assert encoder.numeric_columns_ == [0, 2, 4]
    # Numbers, the day of the month and the weekday, and a flag come first.
    assert encoder.coded_columns_ == [6, 7]
    assert encoder.transform(X).shape == (4, 8)
    assert TabularEncoder().fit(X).coded_columns_ == []


def test_up_to_255_categories_have_codes_of_their_own_and_more_share_one():
    for n in (255, 256, 300):
        names = [f"{i:03d}" for i in range(n)]
        X = np.array([*names, *names, names[-1]], dtype=object)
        encoder = TabularEncoder(categories="ordinal").fit(X[:, None])
        codes = encoder.transform(X[:n, None])[:, 0]
        own = np.arange(255) if n == 255 else np.append(np.arange(254), 254)
        assert_array_equal(np.unique(codes), own)
        is_rare = codes == 254
        assert is_rare.sum() == n - 254
        # Of the frequent ones, even the last.
        assert not is_rare[-1] or n == 255
        new = encoder.transform(np.array([["new"], [None]], dtype=object))
        assert_array_equal(new[:, 0], [-1 if n == 255 else 254, -1])


def test_dates_are_scaled_and_imputed_like_numbers_and_flagged_once():
    when = np.array(["2024-01-01", "NaT", "2024-02-03"] * 9, dtype="M8[D]")[:, None]
    encoder = TabularEncoder(flag_missing=True).fit(when)
    encoded = encoder.transform(when)
    assert encoder.flagged_columns_ == [0]
    # The day, its month, day of the month and weekday, and the flag.
    assert encoded.shape == (27, 5)
    assert_allclose(encoded[:, :4].mean(axis=0), 0, atol=1e-9)
    assert_array_equal(encoded[:3, 4], [0, 1, 0])
    assert encoder.columns_.parts == [(0, "month"), (0, "day"), (0, "weekday")]


def test_rare_categories_share_an_indicator():
    X = np.array([f"c{min(i, 40)}" for i in range(60)], dtype=object)[:, None]
    encoded = TabularEncoder().fit_transform(X)
    assert encoded.shape == (60, 32)
    assert_array_equal(encoded.sum(axis=1), np.ones(60))


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_and_arrays_of_the_same_values_are_encoded_alike(library):
    columns = {
        "n": [1.0, 2.0, None, 4.0],
        "c": ["a", "b", None, "a"],
        "t": [True, False, True, False],
    }
    array = np.array(list(columns.values()), dtype=object).T
    encoded = TabularEncoder().fit_transform(frame_of(library, columns))
    expected = TabularEncoder().fit_transform(array)
    assert_allclose(encoded, expected)


@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.parametrize("scale", [True, "quantile"])
@pytest.mark.parametrize(
    "X", [MIXED, NUMBERS, MIXED[:, [1]]], ids=["mixed", "numbers", "categories"]
)
def test_the_output_setting_of_the_user_does_not_matter(X, scale, library):
    pytest.importorskip(library)
    encoder = TabularEncoder(scale=scale)
    expected = encoder.fit(X).transform(X)
    with config_context(transform_output=library):
        encoded = clone(encoder).fit(X).transform(X)
    assert isinstance(encoded, np.ndarray)
    assert_array_equal(encoded, expected)


# The defaults built on it


@pytest.mark.parametrize("make", [default_weak_estimator, default_strong_estimator])
@pytest.mark.parametrize("X", [MIXED, NUMBERS], ids=["mixed", "numbers"])
def test_default_estimators_cope_with_anything(make, X):
    X = np.repeat(X, 10, axis=0)
    y = np.arange(40) // 20
    estimator = make().fit(X, y)
    assert estimator.score(X, y) > 0.7
    assert estimator.predict(X[:1]).shape == (1,)


def test_boosting_gets_the_categories_in_every_fit():
    boosting = default_strong_estimator()
    y = np.arange(40) // 20
    boosting.fit(np.repeat(MIXED, 10, axis=0), y)
    assert boosting.boosting_.is_categorical_.tolist() == [False, False, True, True]
    given = boosting.get_params()
    boosting.fit(np.repeat(NUMBERS, 10, axis=0), y)
    assert boosting.boosting_.is_categorical_ is None
    assert boosting.boosting.categorical_features == "from_dtype"
    assert boosting.get_params() == given
    assert boosting.n_features_in_ == 3
    assert not hasattr(boosting, "feature_names_in_")


def test_with_routing_default_estimators_have_requested_weights():
    weights = np.ones(4)
    for make in (default_weak_estimator, default_strong_estimator):
        with config_context(enable_metadata_routing=True):
            make().fit(NUMBERS, [0, 0, 1, 1], sample_weight=weights)


def test_numbers_are_compared_as_they_are_and_mixed_columns_on_one_scale():
    plain = numeric_encoder(NUMBERS).fit(NUMBERS[1:3])
    assert_array_equal(plain.transform(NUMBERS[1:3]), NUMBERS[1:3])
    encoder = numeric_encoder(MIXED)
    assert encoder.scale
    numbers = clone(encoder).fit_transform(MIXED)[:, :2]
    assert_allclose(numbers.mean(axis=0), 0, atol=1e-12)
    assert_allclose(numbers.std(axis=0), 1)

"""Laws of WeakToStrongRegressor: what labels are, and what changes nothing."""

import pickle
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import make_friedman1
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GroupKFold
from sklearn.tree import DecisionTreeRegressor

from sklearn_w2s import OverlapDetector, WeakToStrongRegressor
from sklearn_w2s.weak_to_strong._strategies import VALUE_STRATEGIES

NAN = float("nan")
N_LABELED = 60
X, TRUTH = make_friedman1(320, n_features=6, random_state=0)
Y = np.where(np.arange(320) < N_LABELED, TRUTH, NAN)
WEAK_COLUMNS = [0, 1, 2]
pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn_w2s.overlap.NoChangePointWarning"
)


def regressor(strategy="all", weak=None, strong=None, **params):
    return WeakToStrongRegressor(
        LinearRegression() if weak is None else weak,
        Ridge() if strong is None else strong,
        strategy=strategy,
        random_state=0,
        **{"weak_features": WEAK_COLUMNS} | params,
    )


def rmse(model, rows=slice(N_LABELED, None)):
    return np.sqrt(np.mean((model.predict(X[rows]) - TRUTH[rows]) ** 2))


def test_all_is_the_strong_estimator_on_weak_values_and_true_ones():
    model = regressor().fit(X, Y)
    weak = LinearRegression().fit(X[:N_LABELED, WEAK_COLUMNS], TRUTH[:N_LABELED])
    values = np.where(np.isnan(Y), weak.predict(X[:, WEAK_COLUMNS]), TRUTH)
    by_hand = Ridge().fit(X, values)
    assert_allclose(model.predict(X), by_hand.predict(X))
    assert model.estimator_ is model.strong_estimator_
    assert not hasattr(model, "classes_")


@pytest.mark.parametrize("strategy", [*VALUE_STRATEGIES, "auto"])
@given(a=st.sampled_from([-40.0, 0.01, 3.0]), b=st.sampled_from([-1e3, 0.0, 7.5]))
@settings(max_examples=3)
def test_predictions_follow_a_change_of_unit(strategy, a, b):
    model = regressor(strategy)
    first = model.fit(X, Y).predict(X)
    name = model.strategy_
    second = model.fit(X, a * Y + b).predict(X)
    assert model.strategy_ == name
    assert_allclose(second, a * first + b, rtol=1e-6, atol=1e-6 * abs(a))


@pytest.mark.parametrize("missing", [None, pd.NA, NAN])
def test_only_nan_none_and_na_are_unlabeled(missing):
    y = [missing if np.isnan(v) else v for v in np.where(Y > 20, -1.0, Y)]
    y = pd.Series(y, dtype=object)
    model = regressor().fit(X, y)
    known = ~np.isnan(np.where(Y > 20, -1.0, Y))
    weak = LinearRegression()
    weak.fit(X[known][:, WEAK_COLUMNS], np.where(Y > 20, -1.0, Y)[known])
    assert_allclose(model.weak_estimator_.coef_, weak.coef_)
    assert (np.where(Y > 20, -1.0, Y) == -1).any()


def test_whole_numbers_are_values():
    y = pd.array([int(v) if v == v else None for v in np.floor(Y)], dtype="Int64")
    first = regressor().fit(X, y).predict(X)
    assert_array_equal(first, regressor().fit(X, np.floor(Y)).predict(X))


def test_numbers_of_databases_are_values():
    y = [None if np.isnan(v) else Decimal(str(v)) for v in Y]
    assert_array_equal(
        regressor().fit(X, y).predict(X), regressor().fit(X, Y).predict(X)
    )


@pytest.mark.parametrize("kind", ["prediction", "frozen"])
def test_no_label_is_needed_where_weak_values_are_at_hand(kind):
    weak = LinearRegression().fit(X[:, WEAK_COLUMNS], TRUTH)
    nothing = np.full(len(X), NAN)
    if kind == "prediction":
        told = weak.predict(X[:, WEAK_COLUMNS])
        model = regressor().fit(X, nothing, weak_prediction=told)
        assert model.weak_estimator_ is None
    else:
        model = regressor(weak=FrozenEstimator(weak)).fit(X, nothing)
    by_hand = Ridge().fit(X, weak.predict(X[:, WEAK_COLUMNS]))
    assert_allclose(model.predict(X), by_hand.predict(X))
    assert regressor("auto", weak=FrozenEstimator(weak)).fit(X, nothing).strategy_ == (
        "smooth"
    )


@pytest.mark.parametrize(
    "strategy",
    [*(name for name in VALUE_STRATEGIES if name != "cut_statistic"), "auto"],
)
@pytest.mark.parametrize("at_the_end", [False, True])
def test_a_weight_of_two_is_a_row_given_twice(strategy, at_the_end):
    counts = np.random.default_rng(1).integers(1, 4, size=320)
    repeated = np.repeat(np.arange(320), counts)
    if at_the_end:
        parts = [np.flatnonzero(counts > k) for k in range(3)]
        repeated = np.concatenate(parts)
    model = regressor(strategy, strong=LinearRegression(), store_rows=True)
    weighted = clone(model).fit(X, Y, sample_weight=counts)
    twice = clone(model).fit(X[repeated], Y[repeated])
    assert twice.strategy_ == weighted.strategy_
    assert_allclose(twice.predict(X), weighted.predict(X), atol=1e-8)
    assert_allclose(twice.rows_["label"], weighted.rows_["label"][repeated], atol=1e-8)


@pytest.mark.parametrize("strategy", ["all", "smooth", "blend"])
def test_rows_of_weight_zero_play_no_part(strategy):
    weights = (np.arange(320) % 4 > 0).astype(float)
    kept = weights > 0
    y = np.where(kept, Y, -1e9)
    first = regressor(strategy).fit(X, y, sample_weight=weights).predict(X)
    other = regressor(strategy).fit(X, np.where(kept, Y, 5e8), sample_weight=weights)
    assert_array_equal(first, other.predict(X))


def test_each_output_learns_from_its_own_labeled_rows():
    second = np.where(np.arange(320) % 5 == 0, X[:, 5], NAN)
    model = regressor("mix").fit(X, np.column_stack([Y, second]))
    for k, y in enumerate([Y, second]):
        alone = regressor("mix").fit(X, y)
        assert_array_equal(model.predict(X)[:, k], alone.predict(X))
        assert model.evidence_[k] == alone.evidence_
    table = pd.DataFrame({"first": Y, "second": second})
    assert_array_equal(regressor("mix").fit(X, table).predict(X), model.predict(X))
    assert "strategy: mix, mix" in model._repr_html_()
    assert regressor().fit(X, Y[:, None]).predict(X).shape == (320, 1)


def test_an_output_without_a_value_is_named():
    with pytest.raises(ValueError, match="y has no label") as error:
        regressor().fit(X, np.column_stack([Y, np.full(320, NAN)]))
    assert error.value.__notes__ == ["This is about output 1 of y, counted from 0."]


def test_the_score_of_several_outputs_is_the_mean_over_labeled_rows():
    second = np.where(np.arange(320) % 5 == 0, X[:, 5], NAN)
    y = np.column_stack([Y, second])
    model = regressor().fit(X, y)
    each = [
        part.score(X, column) for part, column in zip(model.outputs_, y.T, strict=True)
    ]
    assert_allclose(model.score(X, y), np.mean(each))
    assert np.isnan(model.score(X, np.full_like(y, NAN)))


def test_a_given_weak_regressor_of_several_outputs_is_asked_for_each():
    both = np.column_stack([TRUTH, X[:, 5]])
    weak = RandomForestRegressor(5, random_state=0).fit(X, both)
    nothing = np.full(both.shape, NAN)
    model = regressor(weak=FrozenEstimator(weak), weak_features=None).fit(X, nothing)
    told = regressor(weak_features=None).fit(
        X, nothing, weak_prediction=weak.predict(X)
    )
    assert_allclose(model.predict(X), told.predict(X))
    with pytest.raises(ValueError, match="predicts 2 values a row, but y has 3"):
        regressor(weak=FrozenEstimator(weak), weak_features=None).fit(
            X, np.full((320, 3), NAN)
        )


@pytest.mark.parametrize("kind", ["pandas", "polars", "sparse"])
def test_tables_and_sparse_rows_give_what_arrays_give(kind):
    first = regressor("blend").fit(X, Y).predict(X)
    if kind == "sparse":
        model = regressor("all")
        first = model.fit(X, Y).predict(X)
        rows = sp.csr_matrix(X)
    else:
        library = pytest.importorskip(kind)
        rows = library.DataFrame({f"x{j}": X[:, j] for j in range(X.shape[1])})
        model = regressor("blend")
    # Solvers of sparse rows iterate.
    rtol = 1e-3 if kind == "sparse" else 1e-7
    assert_allclose(model.fit(rows, Y).predict(rows), first, rtol=rtol)


def test_the_default_estimators_read_categories_and_dates():
    rng = np.random.default_rng(0)
    kind = rng.choice(["red", "green", "blue"], 400)
    effect = pd.Series(kind).map({"red": 0.0, "green": 4.0, "blue": -3.0}).to_numpy()
    day = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, 400), "D")
    number = rng.normal(size=400)
    table = pd.DataFrame({"kind": kind, "day": day, "number": number})
    table.loc[::7, "number"] = np.nan
    truth = effect + number + 0.01 * (day - day.min()).days.to_numpy()
    y = np.where(np.arange(400) < 100, truth, NAN)
    model = WeakToStrongRegressor(random_state=0).fit(table, y)
    assert model.score(table, truth) > 0.6


@pytest.mark.parametrize("strategy", ["auto", "confident"])
def test_saved_regressors_predict_alike(strategy):
    model = regressor(strategy).fit(X, Y)
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.predict(X), model.predict(X))


def test_saved_files_of_skops_hold_trusted_types_only(tmp_path):
    skops = pytest.importorskip("skops.io")
    from sklearn_w2s.persistence import trusted_types

    for model in (
        WeakToStrongRegressor(strategy="confident", random_state=0).fit(X, Y),
        regressor().fit(X, np.column_stack([Y, Y])),
    ):
        skops.dump(model, tmp_path / "model.skops")
        again = skops.load(tmp_path / "model.skops", trusted=trusted_types())
        assert_array_equal(again.predict(X), model.predict(X))


def test_auto_lets_a_weak_estimator_predict_that_nothing_is_better_than():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(600, 4))
    truth = rows @ [3.0, -2.0, 1.0, 0.5] + rng.normal(size=600)
    y = np.where(np.arange(600) < 150, truth, NAN)
    tree = DecisionTreeRegressor(max_depth=3, random_state=0)
    model = WeakToStrongRegressor(
        LinearRegression(), tree, strategy="auto", random_state=0
    ).fit(rows, y)
    assert model.strategy_ == "weak"
    assert model.estimator_ is model.weak_estimator_
    assert_array_equal(model.predict(rows), model.weak_estimator_.predict(rows))


def test_auto_follows_no_weak_estimator_beyond_the_reach_of_the_labels():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(700, 2))
    truth = rows[:, 0] + 0.1 * rng.normal(size=700)
    # A gauge that fails now and then, and never where there are labels.
    rows[600:, 0], truth[600:] = 100, 0.0
    y = np.where(np.arange(700) < 100, truth, NAN)
    model = WeakToStrongRegressor(
        LinearRegression(), HistGradientBoostingRegressor(), random_state=0
    ).fit(rows, y)
    low, high = truth[:100].min(), truth[:100].max()
    assert model.strategy_ == "blend"
    assert model.weak_estimator_.predict(rows[600:]).min() > 90
    assert model.predict(rows[600:]).max() < high + 0.7 * (high - low)


def test_auto_lets_the_strong_estimator_learn_labels_that_suffice():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(600, 3))
    truth = rows @ [3.0, -2.0, 1.0]
    y = np.where(np.arange(600) < 150, truth, NAN)
    weak = DecisionTreeRegressor(max_depth=1)
    model = WeakToStrongRegressor(weak, LinearRegression(), random_state=0)
    model.fit(rows, y)
    assert model.strategy_ == "strong_on_labels"
    by_hand = LinearRegression().fit(rows[:150], truth[:150])
    assert_allclose(model.predict(rows), by_hand.predict(rows))


def test_the_blend_beats_both_parents_where_neither_knows_all():
    model = regressor(
        "blend",
        weak=DecisionTreeRegressor(min_samples_leaf=5, random_state=0),
        strong=HistGradientBoostingRegressor(random_state=0),
        weak_features=None,
    ).fit(X, Y)
    alone = HistGradientBoostingRegressor(random_state=0)
    alone.fit(X[:N_LABELED], TRUTH[:N_LABELED])
    assert rmse(model) < min(rmse(model.weak_estimator_), rmse(alone))
    evidence = model.evidence_
    assert evidence["rmse"]["all"] <= min(evidence["rmse"].values()) * 1.05
    assert_allclose(sum(evidence["weights"].values()), 1)


def test_labels_may_lack_columns():
    rows = X.copy()
    rows[:N_LABELED, 3:] = NAN
    strong = HistGradientBoostingRegressor(random_state=0)
    model = regressor("auto", strong=strong).fit(rows, Y)
    assert model.strategy_ in ("co_train", "weak")


def test_the_table_of_rows_tells_what_was_learned():
    model = regressor("mix", store_rows=True).fit(X, Y)
    table = pd.DataFrame(model.rows_)
    assert_array_equal(table["labeled"], ~np.isnan(Y))
    assert_array_equal(table["label"][:N_LABELED], TRUTH[:N_LABELED])
    held = table["weight"] == 0
    learned = clone(Ridge()).fit(X[~held], table["label"][~held])
    assert_allclose(learned.predict(X), model.predict(X))
    weak = model.weak_estimator_.predict(X[:, WEAK_COLUMNS])
    assert_allclose(table["weak_label"][N_LABELED:], weak[N_LABELED:])
    weights = model.evidence_["weights"]
    mixed = weights["weak"] * table["weak_label"]
    mixed += weights["strong"] * table["strong_label"]
    assert_allclose(table["label"][N_LABELED:], mixed[N_LABELED:], rtol=1e-5)


@pytest.mark.filterwarnings("ignore:strong_estimator .* has not learned:UserWarning")
def test_a_scorer_chooses_the_members():
    labels = Y.copy()
    labels[:6] += 500
    squared = regressor("blend").fit(X, labels)
    absolute = regressor("blend", scoring="neg_median_absolute_error").fit(X, labels)
    assert squared.evidence_["weights"] != absolute.evidence_["weights"]


def test_regions_serve_the_strategies_that_use_them():
    detector = OverlapDetector()
    model = regressor("overlap", overlap_detector=detector, store_rows=True).fit(X, Y)
    table = pd.DataFrame(model.rows_)
    used = (table["weight"] > 0) & ~table["labeled"]
    assert_array_equal(used, (table["region"] == "overlap") & ~table["labeled"])
    assert model.overlap_density_ == model.overlap_detector_.overlap_density_


def test_confidence_gives_little_weight_to_what_was_often_wrong():
    truth = TRUTH + np.where(X[:, 0] > 0.5, 8 * np.sin(40 * X[:, 1]), 0)
    y = np.where(np.arange(320) < 160, truth, NAN)
    model = regressor("confidence", store_rows=True).fit(X, y)
    weights = model.rows_["weight"][160:]
    unsure = X[160:, 0] > 0.5
    assert weights[unsure].mean() < weights[~unsure].mean()


def test_a_function_shapes_values_and_weights():
    def strategy(weak, regions, representation, labeled, _rng):
        assert representation.shape[0] == len(weak) == len(regions)
        return 2 * weak, np.where(labeled, 0.0, 1.0)

    model = regressor(strategy, include_labeled=False).fit(X, Y)
    weak = model.weak_estimator_.predict(X[:, WEAK_COLUMNS])
    by_hand = Ridge().fit(X[N_LABELED:], 2 * weak[N_LABELED:])
    assert_allclose(model.predict(X), by_hand.predict(X))


@pytest.mark.parametrize(
    ("strategy", "message"),
    [
        (lambda w, *_: (w[:-1], np.ones(len(w))), "expected"),
        (lambda w, *_: (w + NAN, np.ones(len(w))), "not finite"),
        (lambda w, *_: (w, -np.ones(len(w))), "negative"),
    ],
)
def test_a_function_that_returns_no_targets_is_refused(strategy, message):
    with pytest.raises(ValueError, match=message):
        regressor(strategy).fit(X, Y)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (["a"] * 320, "not a real number"),
        (np.full(320, NAN), "no label"),
        (np.where(np.arange(320) == 3, np.inf, Y), "infinity"),
        (Y + 1j, "Complex data"),
        (None, "target y is None"),
        (np.empty((320, 0)), "one column per output"),
    ],
)
def test_what_is_no_value_is_refused(y, message):
    with pytest.raises(ValueError, match=message):
        regressor().fit(X, y)


def test_classifiers_and_rows_without_answer_are_refused():
    with pytest.raises(TypeError, match="must be a regressor"):
        regressor(weak=LogisticRegression()).fit(X, Y)
    with pytest.raises(TypeError, match="must be a regressor"):
        regressor(strong=LogisticRegression()).fit(X, Y)
    with pytest.raises(ValueError, match="contains NaN"):
        regressor().fit(X, Y, weak_prediction=np.full(320, NAN))
    with pytest.raises(ValueError, match="fit the regressor before"):
        regressor(weak=FrozenEstimator(LinearRegression())).fit(X, Y)
    with pytest.raises(ValueError, match="weak_prediction has 1 columns"):
        regressor().fit(X, np.column_stack([Y, Y]), weak_prediction=TRUTH)


def test_a_strategy_without_labels_gives_way_aloud():
    one = np.where(np.arange(320) < 4, TRUTH, NAN)
    weak = FrozenEstimator(LinearRegression().fit(X[:, WEAK_COLUMNS], TRUTH))
    with pytest.warns(UserWarning, match="needs 5 labels"):
        model = regressor("mix", weak=weak).fit(X, one)
    assert model.strategy_ == "smooth"
    with pytest.raises(ValueError, match="needs 5 labels"):
        regressor("mix", weak=weak, fallback="raise").fit(X, one)


def test_a_student_that_learned_nothing_is_told_of():
    strong = DecisionTreeRegressor(max_depth=1, min_samples_leaf=150)
    with pytest.warns(UserWarning, match="has not learned what it was taught"):
        regressor("mix", strong=strong).fit(X, Y)


def test_groups_of_the_user_hold_out_labels():
    import sklearn

    groups = np.arange(320) // 10
    with sklearn.config_context(enable_metadata_routing=True):
        model = regressor("mix", overlap_detector=OverlapDetector(cv=GroupKFold(3)))
        model.fit(X, Y, groups=groups)
    assert set(model.evidence_["weights"]) == {"weak", "strong"}


@pytest.mark.parametrize("n_labeled", [2, 5, 6])
def test_a_few_labels_are_no_error(n_labeled):
    y = np.where(np.arange(320) < n_labeled, TRUTH, NAN)
    model = regressor("auto").fit(X, y)
    assert (model.strategy_ == "smooth") == (n_labeled < 5)
    assert np.isfinite(model.predict(X)).all()


def test_equal_values_are_learned_as_they_are():
    y = np.where(np.isnan(Y), NAN, 5.0)
    assert_allclose(regressor("blend").fit(X, y).predict(X), 5)


def test_callbacks_are_told_of_each_output():
    callbacks = pytest.importorskip("sklearn.callback")
    model = regressor("mix").set_callbacks(callbacks.ProgressBar())
    y = np.column_stack([Y, Y])
    assert len(model.fit(X, y).outputs_) == 2
    assert_array_equal(model.predict(X), regressor("mix").fit(X, y).predict(X))


def test_a_cache_and_jobs_change_nothing(tmp_path):
    expected = regressor("blend").fit(X, Y).predict(X)
    for n_jobs in (2, None):
        model = regressor("blend", memory=str(tmp_path), n_jobs=n_jobs)
        assert_allclose(model.fit(X, Y).predict(X), expected)


def test_auto_asks_the_teacher_of_a_few_unlabeled_rows_too():
    rows, y = X[: N_LABELED + 30], Y[: N_LABELED + 30]
    model = regressor("auto").fit(rows, y)
    assert model.evidence_
    assert model.strategy_ in ("blend", "weak", "strong_on_labels")

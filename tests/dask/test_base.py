"""What is learned from several rows at once is learned as in memory."""

import dask.array as da
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import make_friedman1
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsTransformer
from sklearn.tree import DecisionTreeRegressor

import sklearn_w2s
import sklearn_w2s.dask
from sklearn_w2s.dask import _sample
from sklearn_w2s.dask._partitions import row_blocks
from sklearn_w2s.dask._sample import draw_table
from sklearn_w2s.weak_to_strong._strategies import STRATEGIES, VALUE_STRATEGIES

WEAK = slice(0, 4)


def classifiers(**params):
    """Return one in memory and one for collections."""
    params = {"weak_features": WEAK, "random_state": 0} | params
    return [
        package.WeakToStrongClassifier(LogisticRegression(), GaussianNB(), **params)
        for package in (sklearn_w2s, sklearn_w2s.dask)
    ]


def regressors(**params):
    params = {"weak_features": WEAK, "random_state": 0} | params
    return [
        package.WeakToStrongRegressor(
            LinearRegression(), DecisionTreeRegressor(min_samples_leaf=3), **params
        )
        for package in (sklearn_w2s, sklearn_w2s.dask)
    ]


def draw(X, y, weights=None, *, size=100, chunk=70, may_draw_labels=False):
    columns = [da.from_array(X, (chunk, -1)), da.from_array(y, chunk)]
    if weights is not None:
        columns.append(da.from_array(weights, chunk))
    return draw_table(
        row_blocks(*columns),
        size=size,
        seed=0,
        missing_label=-1,
        are_values=False,
        may_draw_labels=may_draw_labels,
    )


def keep_first(weak_labels, *_):
    """A strategy of the user: the first half of all rows."""
    return weak_labels, (np.arange(len(weak_labels)) < 300).astype(float)


def test_parameters_and_defaults_are_those_in_memory():
    for alone, over in (classifiers(), regressors()):
        expected, params = alone.get_params(deep=False), over.get_params(deep=False)
        # There is no table of rows that are not in memory.
        del expected["store_rows"]
        own = {name: params.pop(name) for name in ("strong_fit", "max_rows")}
        assert own == {"strong_fit": "auto", "max_rows": 100_000}
        for each in (expected, params):
            del each["weak_estimator"], each["strong_estimator"]
        assert params == expected
        choices = alone._parameter_constraints["strategy"]
        assert choices == over._parameter_constraints["strategy"]


@pytest.mark.parametrize(
    "strategy",
    ["auto", *(n for n, s in STRATEGIES.items() if not s.by_row), keep_first],
)
def test_rows_that_fit_teach_classifiers_what_memory_teaches(
    problem, collect, strategy
):
    X, y, _ = problem
    rows, labels = collect(X, y)
    expected, model = classifiers(strategy=strategy)
    expected.fit(rows.compute(), y)
    model.fit(rows, labels)
    assert model.strategy_ == expected.strategy_
    assert getattr(model, "evidence_", 0) == getattr(expected, "evidence_", 0)
    assert model.calibration_ == expected.calibration_
    proba = expected.predict_proba(rows.compute())
    assert_array_equal(model.predict_proba(rows).compute(), proba)


@pytest.mark.parametrize(
    "strategy", ["auto", *(name for name in VALUE_STRATEGIES if name != "all")]
)
def test_rows_that_fit_teach_regressors_what_memory_teaches(strategy):
    X, truth = make_friedman1(400, n_features=6, random_state=0)
    y = np.where(np.arange(400) % 4 == 0, truth, np.nan)
    weights = 1.0 + np.arange(400) % 3
    rows = da.from_array(X, (110, -1))
    expected, model = regressors(strategy=strategy)
    expected.fit(X, y, sample_weight=weights)
    model.fit(rows, da.from_array(y, 110), sample_weight=da.from_array(weights, 110))
    assert model.strategy_ == expected.strategy_
    assert getattr(model, "evidence_", 0) == getattr(expected, "evidence_", 0)
    assert_array_equal(model.predict(rows).compute(), expected.predict(X))


def test_a_detector_of_either_package_finds_regions_of_values():
    X, truth = make_friedman1(400, n_features=6, random_state=0)
    y = np.where(np.arange(400) % 4 == 0, truth, np.nan)
    rows, values = da.from_array(X, (110, -1)), da.from_array(y, 110)
    expected, model = regressors(strategy="confident")
    expected.fit(X, y)
    for package in (sklearn_w2s, sklearn_w2s.dask):
        model.set_params(overlap_detector=package.OverlapDetector()).fit(rows, values)
        regions = model.overlap_detector_.predict(rows).compute()
        assert_array_equal(regions, expected.overlap_detector_.predict(X))


def test_weights_names_and_a_detector_count_as_in_memory(problem, collect):
    X, y, _ = problem
    names = np.array(["no", "yes", "?"], dtype=object)[y]
    weights = np.random.default_rng(0).choice([0.0, 1.0, 3.0], len(X))
    rows, labels, sample_weight = collect(X, names, weights)
    expected, model = classifiers(strategy="mix", missing_label="?")
    expected.set_params(overlap_detector=sklearn_w2s.OverlapDetector())
    model.set_params(overlap_detector=sklearn_w2s.dask.OverlapDetector())
    expected.fit(rows.compute(), names, sample_weight=weights)
    model.fit(rows, labels, sample_weight=sample_weight)
    assert model.evidence_ == expected.evidence_
    assert_array_equal(model.predict(rows).compute(), expected.predict(rows.compute()))
    regions = model.overlap_detector_.predict(rows).compute()
    assert_array_equal(regions, expected.overlap_detector_.predict(rows.compute()))
    weak = model.weak_predict_proba(rows).compute()
    assert_allclose(weak.sum(axis=1), 1)


def test_a_neighbour_search_of_the_user_serves_where_rows_are_compared(problem):
    X, y, _ = problem
    rows, labels = da.from_array(X, (200, -1)), da.from_array(y, 200)
    expected, model = classifiers(
        strategy="smooth", neighbors=KNeighborsTransformer(n_neighbors=7)
    )
    proba = expected.fit(X, y).predict_proba(X)
    assert_array_equal(model.fit(rows, labels).predict_proba(X), proba)
    for each in (model, regressors(neighbors=model.neighbors)[1]):
        with pytest.warns(UserWarning, match="looks for no neighbours"):
            each.set_params(strategy="all").fit(
                rows, labels if each is model else da.where(labels < 0, np.nan, labels)
            )


def test_partitions_change_nothing_of_rows_that_fit(problem):
    X, y, _ = problem
    _, model = classifiers()
    fits = [
        model.fit(da.from_array(X, (chunk, -1)), da.from_array(y, chunk)).evidence_
        for chunk in (600, 150)
    ]
    assert fits[0] == fits[1]


def test_of_more_rows_all_labeled_ones_and_a_sample_are_taken_in_order(problem):
    X, y, _ = problem
    table = draw(X, y)
    labeled = table.y != np.array(None)
    assert_array_equal(table.X[labeled], X[y >= 0])
    assert_array_equal(table.y[labeled].astype(int), y[y >= 0])
    assert (~labeled).sum() == 100
    places = [int(np.flatnonzero(np.isclose(X, row).all(axis=1))[0]) for row in table.X]
    assert places == sorted(set(places))
    assert table.n_rows == 600
    assert_array_equal(table.weights[labeled], 1)
    assert len(set(table.weights[~labeled])) == 1


def test_drawn_rows_weigh_as_much_on_average_as_those_they_are_drawn_from(problem):
    X, y, _ = problem
    weights = np.where(np.arange(600) % 2, 1.0, 3.0)
    means = []
    for seed in range(30):
        shuffled = np.random.default_rng(seed).permutation(600)
        table = draw(X[shuffled], y[shuffled], weights[shuffled])
        labeled = table.y != np.array(None)
        means.append(table.weights[~labeled].mean())
        assert_array_equal(np.sort(table.weights[labeled]), np.sort(weights[y >= 0]))
    assert_allclose(np.mean(means), weights[y < 0].mean(), rtol=0.03)


def test_labels_are_drawn_from_where_a_given_weak_estimator_allows_more(
    problem, monkeypatch
):
    X, y, truth = problem
    monkeypatch.setattr(_sample, "MAX_LABELED", 50)
    table = draw(X, y, may_draw_labels=True)
    assert (table.y != np.array(None)).sum() == 50
    weak = FrozenEstimator(LogisticRegression().fit(X[:, WEAK], truth))
    _, model = classifiers(strategy="mix")
    model.set_params(weak_estimator=weak, max_rows=300)
    model.fit(da.from_array(X, (200, -1)), da.from_array(y, 200))
    assert model.n_samples_seen_ == 600
    assert set(model.evidence_["weights"]) == {"weak", "strong"}


def test_no_row_of_positive_weight_is_refused(problem):
    X, y, _ = problem
    with pytest.raises(ValueError, match="none of them of positive weight"):
        draw(X, y, np.zeros(600))


@pytest.mark.parametrize("strategy", ["all", "blend"])
def test_a_verbose_fit_ends_with_the_strong_estimator(strategy, capsys):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 6))
    y = np.where(np.arange(300) < 100, X.sum(axis=1) > 0, -1)
    _, over = classifiers(strategy=strategy, verbose=1)
    over.fit(da.from_array(X, (100, -1)), da.from_array(y, 100))
    lines = capsys.readouterr().out.splitlines()
    assert "Fitting weak_estimator" in lines[0]
    assert "Fitting strong_estimator" in lines[-1]
    assert (len(lines) == 2) == (strategy == "all")

import math
from argparse import Namespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics
from sklearn.base import clone
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.tree import DecisionTreeClassifier

from sklearn_w2s import OverlapDetector, WeakToStrongClassifier
from sklearn_w2s._display import SHORT_NAMES
from sklearn_w2s.model_selection import cross_validate_gap
from sklearn_w2s.report import make_estimator
from sklearn_w2s.report._data import Data
from sklearn_w2s.report._experiment import (
    CONFIDENCE,
    ESTIMATORS,
    Pool,
    Verdict,
    choose_final,
    compare_sources,
    costs,
    count_labeled,
    difference,
    fit_final,
    judge,
    make_model,
    run_study,
    take_pool,
)
from sklearn_w2s.report._read import InputError

SCORES = ("weak", "weak_to_strong", "strong_on_labels", "ceiling")
CLASSIFIERS = ESTIMATORS["classification"]
WEAK = DecisionTreeClassifier(max_depth=3)


def as_data(table, n_missing=0):
    y = table["income"].to_numpy(dtype=object).copy()
    y[:n_missing] = None
    return Data(
        name="table",
        X=table.drop(columns=["income", "place"]),
        y=y,
        source=table["place"].to_numpy(dtype=object),
        rows=np.arange(1, len(table) + 1),
    )


@pytest.mark.parametrize(
    ("n_rows", "n_classes", "labeled", "expected"),
    [
        (1000, 2, None, 100),
        (1000, 10, None, 120),
        (100, 2, None, 35),
        (1000, 2, 0.5, 350),
        (1000, 2, 6, 6),
        (1000, 2, 698, 698),
    ],
)
def test_the_number_of_labels_follows_the_option(n_rows, n_classes, labeled, expected):
    labels = np.arange(n_rows) % n_classes
    assert count_labeled(labels, labeled) == expected


@pytest.mark.parametrize("labeled", [5, 699, 0.001, 0.999])
def test_too_few_or_too_many_labels_are_refused_with_the_bounds(labeled):
    with pytest.raises(InputError, match="must be 6 to 698 rows"):
        count_labeled(np.arange(1000) % 2, labeled)


@pytest.mark.parametrize("n_labeled", [40, None])
def test_the_results_are_those_of_cross_validate_gap_called_by_hand(table, n_labeled):
    data = as_data(table, n_missing=30)
    known = run_study(make_model("tree", "forest", data), data, n_labeled, 2, 2)
    results = known.results
    expected = cross_validate_gap(
        WeakToStrongClassifier(
            make_estimator("tree"),
            make_estimator("forest"),
            overlap_detector=OverlapDetector(),
            missing_label=None,
        ),
        data.X,
        data.y,
        labeled_size=n_labeled,
        cv=StratifiedShuffleSplit(2, test_size=0.3, random_state=0),
        random_state=0,
    )
    for name in SCORES:
        key = f"{name}_score"
        assert np.array_equal(results[key], expected[key])
    assert np.array_equal(
        results["gap_recovered"], expected["gap_recovered"], equal_nan=True
    )
    n_labeled = n_labeled or 147
    assert results["n_labeled"].tolist() == [n_labeled] * 2
    assert results["n_test"].tolist() == [63, 63]
    assert results["n_unlabeled"].tolist() == [177 - n_labeled] * 2
    assert known.hides_labels == ("ceiling" in known.measures)


def test_measures_are_those_of_scikit_learn(table):
    data = as_data(table)
    known = run_study(make_model("tree", "forest", data), data, 40, 1)
    (_, test), labels = data.splits(1)[0], data.known()[0]
    X, y = data.X.iloc[test], labels[test]
    student = known.student
    proba = student.predict_proba(X)
    measures = known.measures["weak_to_strong"]
    assert measures["accuracy"] == pytest.approx(student.score(X, y))
    predicted = student.predict(X)
    balanced = metrics.balanced_accuracy_score(y, predicted)
    assert measures["balanced_accuracy"] == pytest.approx(balanced)
    auc = metrics.roc_auc_score(y == "low", proba[:, 1])
    assert measures["auc"] == pytest.approx(auc)
    loss = metrics.log_loss(y, proba)
    assert measures["log_loss"] == pytest.approx(loss)
    assert 0 <= measures["calibration_error"] <= 1
    recall = metrics.recall_score(y, predicted, average=None)
    assert known.recall["weak_to_strong"] == pytest.approx(recall)
    guess = known.measures["guess"]
    assert guess["accuracy"] == np.mean(y == "high")
    assert (guess["balanced_accuracy"], guess["auc"]) == (0.5, 0.5)


def test_columns_that_matter_are_those_without_which_it_errs(table):
    data = as_data(table)
    known = run_study(make_model("tree", "forest", data), data, 40, 1)
    assert next(iter(known.importance)) in ("number", "count")
    assert set(known.importance) == set(data.X)


def test_of_several_splits_the_estimators_of_the_first_are_kept(table):
    data = as_data(table)
    known = run_study(make_model("tree", "tree", data), data, 40, 3)
    first, *others = known.results["weak_to_strong_estimator"]
    assert first is known.student
    assert others == [None, None]


def test_a_failing_fit_raises(table):
    data = as_data(table)
    broken = make_model("tree", "tree", data).set_params(strategy=print)
    with pytest.raises(TypeError):
        run_study(broken, data, 40, 1)


@pytest.mark.parametrize("n_missing", [0, 30])
def test_the_pool_is_what_the_student_of_the_first_split_was_fitted_on(
    table, n_missing
):
    data = as_data(table, n_missing)
    n_labeled = None if n_missing else 40
    known = run_study(make_model("tree", "tree", data), data, n_labeled, 1)
    pool = take_pool(known, data)
    labeled = known.student.rows_["labeled"]
    assert [label is not None for label in pool.y] == labeled.tolist()
    assert pool.y[labeled].tolist() == pool.truth[labeled].tolist()
    assert pool.X.equals(data.X.iloc[pool.rows - 1])
    assert pool.source.tolist() == data.source[pool.rows - 1].tolist()
    (_, test) = data.splits(1)[0]
    assert not set(np.flatnonzero(data.known()[1])[test] + 1) & set(pool.rows)


def test_costs_are_seconds_and_bytes_of_every_fit(table):
    data = as_data(table)
    model = make_model("tree", "forest", data)
    found = costs(run_study(model, data, 40, 1), model, data)
    assert set(found) == set(SCORES)
    assert all(seconds > 0 and size > 1000 for seconds, size in found.values())
    assert found["weak"][1] < found["ceiling"][1]


@pytest.mark.parametrize("final", ["weak", "strong_on_labels", "weak_to_strong"])
def test_the_final_estimator_is_fitted_on_all_labels(table, final):
    data = as_data(table, n_missing=30)
    options = Namespace(weak="tree", strong="forest", random_state=0)
    model = make_model("tree", "forest", data)
    fitted = fit_final(final, model, options, data)
    assert fitted.predict(data.X).tolist() == (
        fit_final(final, model, options, data).predict(data.X).tolist()
    )
    labels, labeled = data.known()
    assert fitted.score(data.X[labeled], labels) > 0.6


@pytest.mark.parametrize(
    ("kind", "choice", "hides_labels", "final"),
    [
        ("pays", "weak_to_strong", False, "weak_to_strong"),
        ("pays", "weak_to_strong", True, "strong_on_labels"),
        ("noise", "weak", False, "weak"),
        ("noise", "weak", True, "strong_on_labels"),
        ("guessing", "guess", False, "weak"),
        ("no_gap", "weak", True, "weak"),
        ("nothing_left", "weak", True, "weak"),
        ("nothing_left", "strong_on_labels", True, "strong_on_labels"),
    ],
)
def test_where_labels_were_hidden_all_are_used_in_the_end(
    kind, choice, hides_labels, final
):
    verdict = Verdict(kind, choice, "", "", has_gap=False)
    assert choose_final(verdict, hides_labels=hides_labels) == final


# Estimators by name


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", sorted(CLASSIFIERS))
def test_every_classifier_accepts_mixed_columns_that_differ_in_the_test_rows(
    table, name
):
    y = table.pop("income")
    numbers = np.random.default_rng(1).normal(size=len(table))
    known = np.arange(len(table)) < 100
    X = table.assign(
        constant=1.0,
        gaps_later=np.where(known, numbers, np.nan),
        gaps_first=np.where(known, np.nan, numbers),
        text_first=np.where(known, "a", None),
        text_later=np.where(known, None, "a"),
        id=[f"id {i}" for i in range(len(table))],
    )
    fitted = make_estimator(name).fit(X[known], y[known])
    assert 0.4 < fitted.score(X[~known], y[~known]) <= 1
    assert np.isfinite(fitted.predict_proba(X[~known])).all()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", sorted(ESTIMATORS["regression"]))
def test_every_regressor_accepts_mixed_columns(table, name):
    y = table["count"] + np.where(table["income"] == "low", 0.0, 4.0)
    fitted = make_estimator(name, 0, task="regression").fit(table[:120], y[:120])
    assert fitted.score(table[120:], y[120:]) > 0.5


@pytest.mark.parametrize("name", sorted(CLASSIFIERS))
def test_an_estimator_is_fresh(name):
    made = make_estimator(name)
    assert made is not CLASSIFIERS[name]
    assert repr(made) == repr(clone(CLASSIFIERS[name]))
    made.set_params(**dict.fromkeys(made.get_params(deep=False)))
    assert repr(make_estimator(name)) == repr(CLASSIFIERS[name])


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(
        ValueError, match=r"name must be one of boosting, .*, got 'oracle'"
    ):
        make_estimator("oracle")
    with pytest.raises(ValueError, match=r"for regression, got 'logistic'"):
        make_estimator("logistic", task="regression")
    with pytest.raises(ValueError, match=r"task must be one of .*, got 'ranking'"):
        make_estimator("tree", task="ranking")


# Sources


@pytest.fixture
def make_pool():
    rng = np.random.default_rng(0)
    y = np.arange(300) % 2
    X = rng.normal(size=(300, 4)) + y[:, None]
    partial = np.where(np.arange(300) < 60, y, -1)

    def make(source):
        return Pool(X, partial, y, np.arange(300), source, -1)

    return make


def test_half_of_the_unlabeled_rows_are_drawn(make_pool):
    source = np.array(["a", "b", "c"], dtype=object)[np.arange(300) % 3]
    sources = compare_sources(WEAK, make_pool(source))
    assert [run.name for run in sources] == ["a", "b", "c"]
    assert sum(run.n_drawn for run in sources) == 120
    assert all(0 < run.n_drawn <= run.n_rows for run in sources)


def test_densities_are_those_of_the_unlabeled_rows(make_pool):
    source = np.array(["a", "b"], dtype=object)[np.arange(300) % 2]
    pool = make_pool(source)
    detector = OverlapDetector(WEAK, random_state=0).fit(pool.X, pool.y)
    for run in compare_sources(WEAK, pool):
        rows = (pool.y == -1) & (source == run.name)
        assert run.n_rows == rows.sum()
        density = (detector.regions_[rows] == "overlap").mean()
        assert run.overlap_density == pytest.approx(density)


@pytest.mark.parametrize("n_sources", [1, 2, 17, 60])
def test_every_source_is_drawn_from_where_the_budget_covers_it(make_pool, n_sources):
    names = np.array([f"s{i:03}" for i in range(n_sources)], dtype=object)
    sources = compare_sources(WEAK, make_pool(names[np.arange(300) % n_sources]))
    assert len(sources) == n_sources
    assert all(run.n_drawn > 0 for run in sources)
    assert sum(run.n_drawn for run in sources) == 120


@pytest.mark.parametrize("n_sources", [61, 240])
def test_nothing_is_drawn_of_more_sources_than_the_budget_covers(make_pool, n_sources):
    names = np.array([f"s{i:03}" for i in range(n_sources)], dtype=object)
    sources = compare_sources(WEAK, make_pool(names[np.arange(300) % n_sources]))
    assert len(sources) == n_sources
    assert all(run.n_drawn is None for run in sources)


def test_sources_of_one_row_or_of_labeled_rows_alone_are_accepted(make_pool):
    source = np.full(300, "many", dtype=object)
    source[:60] = "labeled"
    source[299] = "one"
    sources = compare_sources(WEAK, make_pool(source))
    found = [(run.name, run.n_rows) for run in sources]
    assert found == [("many", 239), ("one", 1)]
    assert sum(run.n_drawn for run in sources) == 120


# The verdict

TRIPLES = st.lists(st.floats(0, 1), min_size=3, max_size=3)


def make_results(
    weak, strong_on_labels, weak_to_strong, ceiling=None, *, guess=0.1, gap=0.5
):
    """Return results with the scores for judge and the numbers of rows."""
    n = len(weak)
    known = {
        "weak": weak,
        "strong_on_labels": strong_on_labels,
        "weak_to_strong": weak_to_strong,
        "ceiling": strong_on_labels if ceiling is None else ceiling,
        "guess": [guess] * n,
    }
    return {
        **{f"{name}_score": np.asarray(row, float) for name, row in known.items()},
        "gap_recovered": gap,
        "n_labeled": np.full(n, 100),
        "n_hidden": np.full(n, 600),
        "n_test": np.full(n, 300),
    }


def verdict_of(*rows, hides_labels=True, **settings):
    results = make_results(*rows, **settings)
    return judge(results, hides_labels=hides_labels, scoring="accuracy")


def near(score, step=0.002):
    """Return five scores about another one, those of the same splits apart by steps."""
    return [score + step * i for i in (-2, -1, 0, 1, 2)]


def mixed(score, step):
    """Return five scores that do not rise and fall as those of `near` do."""
    return [score + step * i for i in (2, -1, 0, -2, 1)]


def test_the_difference_is_the_corrected_resampled_t_test():
    rng = np.random.default_rng(0)
    first, second = rng.random((2, 7))
    found = difference(first, second, 700, 300)
    gains = first - second
    error = gains.std(ddof=1) * math.sqrt(1 / 7 + 3 / 7)
    low, high = stats.t.interval(CONFIDENCE, 6, gains.mean(), error)
    assert found.mean == pytest.approx(gains.mean())
    assert (found.low, found.high) == pytest.approx((low, high))
    assert found.probability == pytest.approx(stats.t.cdf(gains.mean() / error, 6))


@given(TRIPLES, TRIPLES)
def test_probability_and_interval_agree_and_sides_are_mirrored(first, second):
    found, other = (
        difference(a, b, 7, 3) for a, b in ((first, second), (second, first))
    )
    tail = (1 - CONFIDENCE) / 2
    assert found.mean == pytest.approx(-other.mean)
    if math.isnan(found.low):
        assert math.isnan(other.low)
    else:
        assert found.low == pytest.approx(-other.high)
        assert (found.low > 0) == (found.probability > 1 - tail) or math.isclose(
            found.probability, 1 - tail
        )


def test_it_pays_where_the_gain_is_clear():
    found = verdict_of(near(0.7), near(0.75), near(0.8, 0.001), near(0.9))
    assert (found.kind, found.choice) == ("pays", "weak_to_strong")
    assert found.sentence.startswith(
        "Weak-to-strong pays here: it is 5.00 points better"
    )
    assert "95% interval" in found.sentence
    assert "probability that it is better > 99%" in found.sentence


def test_it_does_not_pay_where_the_loss_is_clear():
    found = verdict_of(near(0.8), near(0.75), near(0.7, 0.001), near(0.9))
    assert (found.kind, found.choice) == ("does_not_pay", "weak")
    assert "10.00 points worse than the weak estimator" in found.sentence


@pytest.mark.parametrize(
    ("rows", "kind", "choice"),
    [
        ((near(0.7), near(0.76), mixed(0.77, 0.02), near(0.9)), "noise", "strong"),
        (
            (near(0.7), near(0.69), mixed(0.7, 0.01), mixed(0.705, 0.01)),
            "no_gap",
            "weak",
        ),
        (
            (near(0.7), near(0.9), mixed(0.9, 0.01), mixed(0.9, 0.01)),
            "nothing",
            "strong",
        ),
        (
            (mixed(0.11, 0.02), near(0.1), mixed(0.1, 0.02), mixed(0.1, 0.02)),
            "guessing",
            "guess",
        ),
    ],
)
def test_not_clear_has_four_reasons_and_takes_the_cheapest(rows, kind, choice):
    found = verdict_of(*rows)
    assert found.kind.startswith(kind)
    assert found.choice.startswith(choice)
    assert "No clear difference: take the cheapest" in str(found)


def test_as_labels_are_there_is_no_gap_to_speak_of():
    found = verdict_of(near(0.7), near(0.75), mixed(0.76, 0.02), hides_labels=False)
    assert found.kind == "noise"
    assert not found.has_gap
    perfect = verdict_of(near(0.7), [1.0] * 5, [1.0] * 5, hides_labels=False)
    assert perfect.kind == "nothing_left"


def test_one_split_and_a_width_of_zero_give_no_verdict():
    one = verdict_of([0.7], [0.75], [0.8], [0.9])
    assert one.kind == "one_split"
    assert "--repeats" in one.next_step
    flat = verdict_of([0.7] * 5, [0.75] * 5, [0.8] * 5, [0.9] * 5)
    assert flat.kind not in ("pays", "does_not_pay")


@given(TRIPLES, TRIPLES, TRIPLES, TRIPLES, st.floats(0, 1))
def test_whatever_the_scores_the_verdict_agrees_with_itself(
    weak, alone, student, ceiling, guess
):
    found = verdict_of(weak, alone, student, ceiling, guess=guess)
    assert ("pays here" in found.sentence) == (found.kind == "pays")
    assert found.choice in ("guess", *SHORT_NAMES)
    if found.kind == "pays":
        assert np.mean(student) > max(np.mean(weak), np.mean(alone))
    if found.kind == "guessing":
        assert not found.has_gap


def test_what_noise_asks_for_is_no_more_than_there_is():
    results = make_results(near(0.7), near(0.75), mixed(0.755, 0.02))
    few = judge(results, hides_labels=False, scoring="accuracy", n_unlabeled=9)
    assert "labels of all 9 unlabeled rows would hardly settle it" in few.next_step
    results["weak_to_strong_score"] = np.asarray(mixed(0.765, 0.01))
    many = judge(results, hides_labels=False, scoring="accuracy", n_unlabeled=10**6)
    assert "more labels should settle it" in many.next_step
    tiny = make_results(near(0.7), near(0.75), mixed(0.7501, 0.02))
    small = judge(tiny, hides_labels=False, scoring="accuracy", n_unlabeled=10**9)
    assert "takes many more labels" in small.next_step

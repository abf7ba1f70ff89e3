"""The advice is what the evidence shows, in figures and in words."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn import config_context
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier

from sklearn_w2s import WeakToStrongClassifier
from sklearn_w2s.advice import Advice, advise
from sklearn_w2s.advice._advise import _compared, _observed
from sklearn_w2s.datasets import make_overlap_classification

X, TRUTH, REGIONS = make_overlap_classification(
    600, overlap_density=0.4, random_state=0
)
LABELED = np.arange(600) < 150
Y = np.where(LABELED, TRUTH, -1)


def model(**params):
    defaults = {
        "weak_estimator": LogisticRegression(),
        "strong_estimator": LogisticRegression(),
        "weak_features": slice(0, 20),
        "strategy": "mix",
    }
    return WeakToStrongClassifier(**(defaults | params))


@pytest.fixture(scope="module")
def advice():
    return advise(model(), X, Y, random_state=0, sample_source=REGIONS)


def test_a_view_that_the_weak_estimator_lacks_is_worth_using(advice):
    assert isinstance(advice, Advice)
    assert advice.choice in {"weak_to_strong", "strong_on_labels"}
    low, high = advice.predicted_gain_interval
    assert 0 < low < advice.predicted_gain < high
    assert advice.strategy == "mix"


def test_expected_gain_lies_between_what_was_expected_and_what_was_measured(advice):
    measured = advice.comparisons["weak_to_strong - weak"]["difference"]
    prior = 0.5 * advice.indicators["misfit"]
    assert min(0, measured) < advice.predicted_gain < max(prior, measured)


def test_comparisons_are_consistent(advice):
    differences = {k: v["difference"] for k, v in advice.comparisons.items()}
    assert differences["weak_to_strong - weak"] - differences[
        "weak_to_strong - strong_on_labels"
    ] == pytest.approx(differences["strong_on_labels - weak"])
    for compared in advice.comparisons.values():
        low, high = compared["interval"]
        assert low < compared["difference"] < high
        assert compared["n_rows"] == 150


def test_indicators_are_shares_and_the_gain_is_bounded_by_the_misfit(advice):
    for name in ("misfit", "view_discrepancy", "label_discrepancy", "overlap_density"):
        assert 0 <= advice.indicators[name] <= 1
    student = advice.estimator
    assert advice.indicators["overlap_density"] == student.overlap_density_


def test_the_source_of_overlap_rows_is_named_densest(advice):
    assert advice.sources["source"][0] == "overlap"
    assert advice.sources["n_rows"].sum() == 450
    if advice.next_step == "buy_rows":
        assert advice.source == "overlap"


def test_every_reason_is_given():
    """A lost class, too much confidence and noise are named in words."""
    indicators = dict.fromkeys(
        ["misfit", "view_discrepancy", "overlap_density", "overlap_density_low"], 0.02
    )
    indicators |= {"overlap_density_high": 0.03, "class_coverage": 0.5}
    indicators |= {"weak_overconfidence": -0.2, "neighbor_consistency": 0.0}
    columns = [f"c{j}" for j in range(9)]
    reasons = [*_compared({}, columns, 0.95, False), *_observed(indicators, 7, False)]
    text = " ".join(reasons)
    for words in (
        "c4 and 4 more",
        "few rows",
        "hardly taught",
        "underconfident",
        "noise",
    ):
        assert words in text


def test_the_text_says_what_the_figures_say(advice):
    text = " ".join(str(advice).split())
    assert f"{100 * advice.predicted_gain:.1f} points better" in text
    assert "150 labeled rows held out" in text
    assert all(len(line) <= 88 for line in str(advice).splitlines())
    assert repr(advice).startswith(f"Advice(choice={advice.choice!r}")


def test_results_are_reproducible_and_do_not_depend_on_the_number_of_jobs(advice):
    again = advise(model(), X, Y, random_state=0, sample_source=REGIONS, n_jobs=2)
    assert str(again) == str(advice)


def test_a_weak_estimator_that_knows_all_is_kept():
    forest = ExtraTreesClassifier(min_samples_leaf=2, random_state=0)
    perfect = FrozenEstimator(forest.fit(X, TRUTH))
    advice = advise(
        model(weak_estimator=perfect, weak_features=None, strategy="overlap"),
        X,
        Y,
        random_state=0,
    )
    assert advice.choice == "weak"
    assert advice.predicted_gain < 0
    assert "Use the weak estimator" in advice.recommendation


def test_without_labels_the_expectation_rests_on_unlabeled_rows():
    weak = FrozenEstimator(GaussianNB().fit(X[:100, :20], TRUTH[:100]))
    advice = advise(
        model(weak_estimator=weak, strategy="all"), X, np.full(600, -1), random_state=0
    )
    assert advice.comparisons == {}
    assert np.isnan(advice.predicted_lead)
    assert np.isnan(advice.indicators["weak_overconfidence"])
    assert "no labels" in str(advice)


def test_labels_that_lack_columns_are_no_evidence():
    table = pd.DataFrame(X.copy(), columns=[f"x{j}" for j in range(X.shape[1])])
    table.loc[LABELED, ["x38", "x39"]] = np.nan
    advice = advise(
        WeakToStrongClassifier(
            LogisticRegression(),
            weak_features=[f"x{j}" for j in range(20)],
            strategy="all",
        ),
        table,
        Y,
        random_state=0,
    )
    assert advice.comparisons == {}
    assert "x38, x39" in str(advice)


def test_balanced_accuracy_counts_classes_alike():
    rare = np.flatnonzero(TRUTH == 1)[:60]
    kept = np.sort(np.concatenate([np.flatnonzero(TRUTH == 0), rare]))
    y = np.where(kept < 250, TRUTH[kept], -1)
    options = {"random_state": 0, "scoring": "balanced_accuracy"}
    advice = advise(model(), X[kept], y, **options)
    plain = advise(model(), X[kept], y, random_state=0)
    pair = "weak_to_strong - weak"
    assert advice.comparisons[pair]["difference"] != pytest.approx(
        plain.comparisons[pair]["difference"]
    )


def test_string_labels_and_another_marker():
    names = np.where(LABELED, np.where(TRUTH == 1, "yes", "no"), "?")
    advice = advise(model(missing_label="?"), X, names, random_state=0)
    assert_allclose(
        advice.predicted_gain, advise(model(), X, Y, random_state=0).predicted_gain
    )


def test_metadata_is_routed():
    weights = np.random.default_rng(0).random(600)
    with config_context(enable_metadata_routing=True):
        strong = LogisticRegression().set_fit_request(sample_weight=True)
        weak = LogisticRegression().set_fit_request(sample_weight=True)
        routed = advise(
            model(weak_estimator=weak, strong_estimator=strong).set_fit_request(
                sample_weight=True
            ),
            X,
            Y,
            params={"sample_weight": weights},
            random_state=0,
        )
    plain = advise(model(), X, Y, params={"sample_weight": weights}, random_state=0)
    assert_allclose(routed.predicted_gain, plain.predicted_gain)


class CountingGroupKFold(GroupKFold):
    """Counts how often it is asked for splits."""

    n_calls = 0

    def split(self, X, y=None, groups=None):
        self.n_calls += 1
        return super().split(X, y, groups)


def test_groups_are_held_out_as_a_whole():
    """Labels are pure chance by group, which a row of the group would give away."""
    rng = np.random.default_rng(0)
    groups = rng.permutation(np.repeat(np.arange(60), 5))
    rows = rng.normal(size=(60, 3))[groups] + 1e-3 * rng.normal(size=(300, 3))
    truth = rng.integers(2, size=60)[groups]
    y = np.where(np.arange(300) % 5 < 3, truth, -1)
    cv = CountingGroupKFold(3)
    pair = model(
        weak_features=None, strong_estimator=KNeighborsClassifier(1), strategy="all"
    )
    with config_context(enable_metadata_routing=True):
        advice = advise(pair, rows, y, cv=cv, params={"groups": groups}, random_state=0)
    assert cv.n_calls == 1
    plain = advise(pair, rows, y, random_state=0)
    kind = "strong_on_labels - weak"
    assert plain.comparisons[kind]["difference"] > 0.3
    assert advice.comparisons[kind]["difference"] < 0.15


class NeverFitted(LogisticRegression):
    """Is not to be fitted."""

    def fit(self, X, y, sample_weight=None):
        msg = "It was fitted."
        raise AssertionError(msg)


@pytest.mark.parametrize("y", [Y, np.full(600, -1)], ids=["labels", "no label"])
def test_groups_that_do_not_reach_the_splitter_are_refused_before_any_fit(y):
    weak = FrozenEstimator(LogisticRegression().fit(X[:, :20], TRUTH))
    never = model(weak_estimator=weak, strong_estimator=NeverFitted(), strategy="all")
    groups = np.arange(600) // 3
    wanted = "groups.*enable_metadata_routing=True"
    for params in ({"groups": groups}, None):
        if params or (y >= 0).any():
            error = TypeError if params else ValueError
            with pytest.raises(error, match=wanted):
                advise(never, X, y, cv=GroupKFold(3), params=params)


def test_without_labels_groups_change_nothing():
    weak = FrozenEstimator(GaussianNB().fit(X[:100, :20], TRUTH[:100]))
    run = {"cv": GroupKFold(3), "random_state": 0}
    args = model(weak_estimator=weak, strategy="all"), X, np.full(600, -1)
    with config_context(enable_metadata_routing=True):
        routed = advise(*args, params={"groups": np.arange(600)}, **run)
    assert str(routed) == str(advise(*args, **run))


@pytest.mark.parametrize(
    ("changes", "error", "match"),
    [
        ({"y": TRUTH}, ValueError, "labeled_size"),
        ({"scoring": "roc_auc"}, ValueError, "scoring must be one of .* got 'roc_auc'"),
        ({"confidence_level": 1.0}, ValueError, "confidence_level=1.0"),
        ({"estimator": LogisticRegression()}, TypeError, "weak_estimator"),
        ({"sample_source": [1, 2]}, ValueError, "inconsistent"),
        ({"sample_source": [None] * 600}, ValueError, "missing in 600 row"),
    ],
)
def test_bad_input_is_named(changes, error, match):
    arguments = {"estimator": model(), "X": X, "y": Y} | changes
    estimator, rows, y = (arguments.pop(name) for name in ("estimator", "X", "y"))
    with pytest.raises(error, match=match):
        advise(estimator, rows, y, **arguments)

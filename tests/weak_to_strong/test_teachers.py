"""Teachers: who is asked, how predictions are weighed, and what regions add."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import get_scorer
from sklearn.model_selection import StratifiedKFold
from sklearn.naive_bayes import GaussianNB

from sklearn_w2s._algorithms.ensemble import stacking_weights
from sklearn_w2s._algorithms.weak_labels import one_hot
from sklearn_w2s.datasets import make_overlap_classification
from sklearn_w2s.weak_to_strong._members import Labels
from sklearn_w2s.weak_to_strong._teachers import (
    LEAST_WEIGHT,
    Blend,
    CoTrain,
    Evidence,
    Known,
    Parents,
    Strong,
    ask_members,
    correct_by_second_view,
    within_reach,
)

N_LABELED = 120


def known_of(X, y, **changes):
    """Return what a teacher knows of rows of which the first have a label."""
    n_classes = y.max() + 1
    own = X[:N_LABELED], y[:N_LABELED]
    folds = list(StratifiedKFold(5, shuffle=True, random_state=0).split(*own))
    weak = np.full((len(X), n_classes), 1 / n_classes)
    labels = Labels(
        *own,
        one_hot(own[1], n_classes),
        np.ones(N_LABELED),
        np.arange(n_classes),
        np.arange(N_LABELED),
        folds,
    )
    every = np.arange(N_LABELED)
    fields = {
        "labels": labels,
        "others": X[N_LABELED:],
        "weak_held_out": weak[:N_LABELED],
        "weak_proba": weak[N_LABELED:],
        "weights": np.ones(len(X) - N_LABELED),
        "strong": Strong(LogisticRegression(), None, {}, labels, every, every),
        "columns": None,
        "second": None,
        "complete": True,
        "seed": 0,
    }
    return Known(**(fields | changes))


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 4))
    return X, (X[:, :2].sum(axis=1) + 0.5 * rng.normal(size=500) > 0).astype(int)


def test_members_of_little_weight_are_not_asked_about_the_others(rows):
    predictions = ask_members(
        ("trees", "kernels", "graph", "strong"),
        known_of(*rows),
        n_jobs=None,
        version="",
    )
    assert {"weak", "strong"} <= set(predictions.names)
    assert set(predictions.names).isdisjoint(predictions.left_out)
    assert predictions.others.shape == (len(predictions.names), 380, 2)
    assert predictions.held_out.shape == (len(predictions.names), N_LABELED, 2)


def test_a_blend_is_no_worse_than_its_members_on_rows_it_has_not_seen(rows):
    X, y = rows
    teacher = Blend(("trees", "kernels", "graph", "strong")).teach(known_of(X, y))
    hits = {
        name: np.mean(predicted == y[N_LABELED:])
        for name, (_, predicted) in teacher.predicted.items()
    }
    assert (
        np.mean(teacher.proba.argmax(axis=1) == y[N_LABELED:])
        > max(hits.values()) - 0.03
    )
    weights = teacher.evidence["weights"]
    assert sum(weights.values()) == pytest.approx(1)
    members = [weights[name] for name in ("trees", "kernels", "graph")]
    assert all(w == 0 or w > LEAST_WEIGHT / 2 for w in members)


def test_a_blend_of_nobody_is_the_weak_estimator(rows):
    X, y = rows
    weak = np.random.default_rng(0).dirichlet([2, 2], size=len(X))
    known = known_of(
        X, y, strong=None, weak_held_out=weak[:N_LABELED], weak_proba=weak[N_LABELED:]
    )
    teacher = Blend(("strong",)).teach(known)
    assert teacher.evidence["weights"] == {"weak": 1.0}
    expected = weak[N_LABELED:].argmax(axis=1)
    assert_array_equal(teacher.proba.argmax(axis=1), expected)


def test_rare_classes_are_raised(rows):
    X, _ = rows
    noise = np.random.default_rng(1).normal(size=len(X))
    y = (X[:, 0] + noise > 1.5).astype(int)
    teacher = Blend(("trees", "kernels")).teach(known_of(X, y))
    raised = teacher.judged[:, 1]
    assert (raised >= teacher.proba[:, 1] - 1e-12).all()
    assert raised.mean() > teacher.proba[:, 1].mean()


def test_no_rare_class_is_named_more_often_than_it_is_expected(rows):
    X, _ = rows
    for cut in (0.3, 0.8, 1.2, 1.6):
        y = (X[:, 0] + X[:, 1] > cut).astype(int)
        taught = Blend(("trees", "kernels")).teach(known_of(X, y))
        named = (taught.judged.argmax(axis=1) == 1).mean()
        plain = (taught.proba.argmax(axis=1) == 1).mean()
        assert plain <= named <= max(taught.proba[:, 1].mean(), plain)


def test_a_cache_asks_once(rows, tmp_path):
    known, blend = known_of(*rows), Blend(("trees",))
    first = blend.teach(known, memory=str(tmp_path)).proba
    again = known_of(*rows)
    cached = blend.teach(again, memory=str(tmp_path)).proba
    assert_array_equal(cached, first)
    assert len(list(tmp_path.rglob("output.pkl"))) == 1


@pytest.mark.parametrize("second", [None, [2, 3]])
def test_last_bits_decide_nothing(rows, second):
    """They hang on the number of threads, and trees would grow other branches."""
    predicted = []
    for noise in (0.0, 1e-14):
        known = known_of(*rows, second=second)
        shape = known.weak_proba.shape
        steps = np.random.default_rng(0).uniform(-noise, noise, size=shape)
        teacher = Blend(("trees", "graph")) if second is None else CoTrain(Noisy(steps))
        known = replace(known, weak_proba=known.weak_proba + steps)
        predicted.append(teacher.teach(known).proba)
    assert_allclose(predicted[1], predicted[0], atol=1e-8)


class Noisy(Blend):
    """A blend, of which the last bits are others."""

    def __init__(self, steps):
        super().__init__(("trees", "graph"))
        self.noise = steps

    def teach(self, known, **options):
        taught = super().teach(known, **options)
        return taught._replace(proba=taught.proba + self.noise)


# Evidence


def evidence_on(predictions, codes, **changes):
    n = len(codes)
    X = np.arange(n)[:, None]
    fields = {"X": X, "weights": np.ones(n), "classes": np.array([0, 1])}
    return Evidence(predictions=predictions, codes=codes, **fields | changes)


def evidence_of(n=400, seed=0, n_members=3):
    rng = np.random.default_rng(seed)
    codes = rng.integers(2, size=n)
    sure = rng.uniform(0.3, 0.95, size=(n_members, n))
    predictions = np.stack(
        [np.where(codes, 1 - sure, sure), np.where(codes, sure, 1 - sure)], 2
    )
    return evidence_on(predictions, codes)


def test_regions_that_tell_who_is_right_raise_the_likelihood_and_permuted_ones_do_not():
    rng = np.random.default_rng(0)
    codes = rng.integers(2, size=600)
    regions = rng.choice(["easy", "hard", "overlap"], size=600)
    right = np.array([regions != "hard", regions != "easy"])
    sure = np.where(right, 0.9, 0.45)
    second = np.where(codes, sure, 1 - sure)
    evidence = evidence_on(np.stack([1 - second, second], axis=2), codes)
    weights, _ = evidence.weigh(None)
    of_region, gain = evidence.weigh_regions(weights, regions)
    assert of_region["easy"][0] > 0.8
    assert of_region["hard"][1] > 0.8
    assert gain > 0.05
    _, chance = evidence.weigh_regions(weights, rng.permutation(regions))
    assert chance < gain / 5


def test_on_the_generator_permuting_the_regions_lowers_the_likelihood():
    gains, chances = [], []
    for seed in range(5):
        X, y, regions = make_overlap_classification(
            900, overlap_density=0.3, absent_noise=0.0, random_state=seed
        )
        weak = GaussianNB().fit(X[:300, :20], y[:300]).predict_proba(X[:, :20])
        strong = LogisticRegression().fit(X[:300], y[:300]).predict_proba(X)
        evidence = evidence_on(np.array([weak[300:], strong[300:]]), y[300:])
        weights, _ = evidence.weigh(None)
        gains.append(evidence.weigh_regions(weights, regions[300:])[1])
        permuted = np.random.default_rng(seed).permutation(regions[300:])
        chances.append(evidence.weigh_regions(weights, permuted)[1])
    assert np.mean(gains) > 3 * np.mean(chances) > -0.001


def test_too_few_rows_have_no_weights_by_region():
    evidence = evidence_of(n=8)
    regions = np.array(["easy", "hard"] * 4)
    assert evidence.weigh_regions(np.full(3, 1 / 3), regions) == ({}, 0.0)


@pytest.mark.parametrize("scoring", ["roc_auc", "balanced_accuracy", "neg_log_loss"])
def test_members_are_weighed_by_the_score_that_is_asked_for(scoring):
    scorer = get_scorer(scoring)
    for seed in range(3):
        evidence = evidence_of(seed=seed, n=150)
        chosen, exponent = evidence.weigh(scorer)
        likely, _ = evidence.weigh(None)
        assert chosen.sum() == pytest.approx(1)
        assert evidence._score(scorer, chosen, exponent) >= evidence._score(
            scorer, likely, 0.0
        )


def test_balanced_accuracy_raises_a_rare_class():
    rng = np.random.default_rng(0)
    codes = (rng.uniform(size=800) < 0.05).astype(int)
    second = np.clip(0.05 + 0.3 * codes + 0.1 * rng.normal(size=800), 0.01, 0.99)
    predictions = np.stack([1 - second, second], axis=1)[None]
    evidence = evidence_on(predictions, codes)
    _, exponent = evidence.weigh(get_scorer("balanced_accuracy"))
    assert exponent >= 0.5
    _, exponent = evidence.weigh(get_scorer("accuracy"))
    assert exponent < 0.5


@pytest.mark.parametrize(("name", "position"), [("weak", 0), ("strong", 1)])
def test_a_parent_that_is_right_more_often_than_all_is_better_alone(name, position):
    rng = np.random.default_rng(0)
    codes = rng.integers(2, size=200)
    predictions = np.full((3, 200, 2), 0.5)
    for member in range(3):
        right = codes if member == position else rng.integers(2, size=200)
        sure = 0.55 if member == position else 0.9
        predictions[member] = np.where(np.eye(2)[right], sure, 1 - sure)
    evidence = evidence_on(predictions, codes)
    assert evidence.better_alone(["weak", "strong", "trees"], np.full(3, 1 / 3)) == name


def test_nobody_is_alone_by_luck():
    evidence = evidence_of(n=30)
    names = ["weak", "strong", "trees"]
    assert evidence.better_alone(names, np.full(3, 1 / 3)) is None
    assert evidence.better_alone(names, np.array([0.95, 0.03, 0.02])) == "weak"


# Two views


def test_a_second_view_corrects_the_first_and_the_class_shares_stay():
    rng = np.random.default_rng(0)
    y = (rng.uniform(size=600) < 0.3).astype(int)
    X = np.column_stack([y + 0.8 * rng.normal(size=600) for _ in range(4)])
    known = known_of(X, y, columns=[0], second=[1, 2, 3], strong=None)
    blend = Blend(("trees", "kernels"))
    blind, sighted = blend.teach(known), CoTrain(blend).teach(known)

    def hits(teacher):
        return np.mean(teacher.proba.argmax(axis=1) == y[N_LABELED:])

    assert hits(sighted) > hits(blind) + 0.01
    shares = blind.proba.mean(axis=0)
    assert_allclose(sighted.proba.mean(axis=0), shares, atol=0.01)


# Values


SEEDS = st.integers(0, 10_000)


@given(seed=SEEDS)
def test_no_other_weights_err_less(seed):
    rng = np.random.default_rng(seed)
    errors = rng.normal(size=(4, 30)) + rng.normal(size=(1, 30))
    own = rng.uniform(0.1, 2, size=30)
    found = stacking_weights(errors, weights=own, n_prior=0)

    def loss(theta):
        return own @ (theta @ errors) ** 2

    others = rng.dirichlet(np.ones(4), size=50)
    assert all(loss(found) <= loss(theta) * (1 + 1e-9) for theta in others)
    assert_allclose(found.sum(), 1)
    assert found.min() >= 0


@given(seed=SEEDS, factor=st.floats(1e-6, 1e6))
def test_weights_have_no_unit(seed, factor):
    errors = np.random.default_rng(seed).normal(size=(3, 20))
    assert_allclose(stacking_weights(factor * errors), stacking_weights(errors))


def test_a_row_of_weight_two_counts_twice_in_stacking():
    errors = np.random.default_rng(0).normal(size=(3, 10))
    weights = np.arange(10) % 2 + 1.0
    twice = np.repeat(errors, weights.astype(int), axis=1)
    assert_allclose(stacking_weights(errors, weights=weights), stacking_weights(twice))


@pytest.mark.parametrize("errors", [np.zeros((3, 5)), np.empty((3, 0))])
def test_members_that_cannot_be_told_apart_have_equal_weights(errors):
    assert_allclose(stacking_weights(errors), 1 / 3)


def test_a_view_that_says_nothing_changes_nothing():
    values = np.random.default_rng(0).normal(size=50)
    ones = np.ones(50)
    assert_allclose(correct_by_second_view(values, ones, 0.5, ones), values)
    assert_allclose(correct_by_second_view(values, values, np.nan, ones), values)


@given(seed=SEEDS)
def test_a_second_view_is_followed_some_of_the_way(seed):
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=2_000)
    first = truth + rng.normal(size=2_000)
    second = truth + 0.3 * rng.normal(size=2_000)
    values = first / 2
    # What trees would say of the first, from the second.
    other = np.polyval(np.polyfit(second, values, 1), second)
    moved = correct_by_second_view(values, other, 0.5, np.ones(2_000))
    assert np.mean((moved - truth) ** 2) < np.mean((values - truth) ** 2)


def test_a_parent_stays_unless_the_student_leads_by_a_standard_error():
    rng = np.random.default_rng(0)
    ones = np.ones(200)
    noise = rng.normal(size=200)
    names, nothing = ["weak", "strong"], np.zeros(2)
    worse = np.array([noise, 3 * noise])
    parents = Parents(names, worse, nothing, noise, ones)
    assert parents.better_alone(0.0) == "weak"
    small = Parents(names, worse, nothing, noise / 3, ones)
    assert small.better_alone(0.0) is None
    # Who cannot learn what the teacher says is as far off as that.
    assert small.better_alone(5.0) == "weak"
    # What was taken from a parent for being out of reach counts against it.
    assert small._replace(beyond=np.array([9.0, 0.0])).better_alone(5.0) is None
    strong = Parents(names, worse[::-1] / 3, nothing, 3 * noise, ones)
    assert strong.better_alone(0.0) == "strong"
    none = Parents(["weak"], np.empty((1, 0)), nothing[:1], np.empty(0), np.empty(0))
    assert none.better_alone(0.0) is None


@given(
    seed=SEEDS, factor=st.sampled_from([-1e6, -1.0, 1e-6, 3.0]), shift=st.floats(-9, 9)
)
def test_reach_has_no_unit_and_leaves_what_is_near(seed, factor, shift):
    rng = np.random.default_rng(seed)
    targets, values = rng.normal(size=(40, 1)), 9 * rng.normal(size=(2, 30))
    ones = np.ones(30)
    near, beyond = within_reach(values, targets, ones)
    again, taken = within_reach(
        factor * (values + shift), factor * (targets + shift), ones
    )
    assert_allclose(again, factor * (near + shift), atol=1e-9 * abs(factor))
    assert_allclose(taken, factor**2 * beyond, atol=1e-9 * factor**2)
    inside = (values >= targets.min()) & (values <= targets.max())
    assert_allclose(near[inside], values[inside])
    assert np.ptp(near) <= 2.5 * np.ptp(targets) + 1e-9
    assert_allclose(beyond, np.mean((values - near) ** 2, axis=1))

"""The curve mixes rows as it says, and scores what it says on the same test rows."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import make_column_transformer
from sklearn.exceptions import FitFailedWarning
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, GroupShuffleSplit, ShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

from sklearn_w2s import OverlapDetector
from sklearn_w2s.datasets import make_overlap_classification
from sklearn_w2s.model_selection import overlap_curve
from sklearn_w2s.model_selection._overlap_curve import draw_positions, rows_per_cell

X, Y, REGIONS = make_overlap_classification(900, random_state=0)
EASY_FEATURES = make_column_transformer(("passthrough", slice(0, 20)))
WEAK = make_pipeline(EASY_FEATURES, LogisticRegression())
STRONG = LogisticRegression(C=0.01)


def curve(weak=WEAK, strong=STRONG, X=X, y=Y, regions=REGIONS, **settings):
    defaults = {"overlap_shares": [0, 0.3, 1], "n_repeats": 2, "random_state": 0}
    return overlap_curve(weak, strong, X, y, regions, **{**defaults, **settings})


class Recorder(ClassifierMixin, BaseEstimator):
    """Remember what it was fitted on; predict the sign of the first feature."""

    seen = []

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.seen.append((np.asarray(X), np.asarray(y)))
        return self

    def predict(self, X):
        return (np.asarray(X)[:, 0] > 0).astype(int)


class Strong(Recorder):
    seen = []


@pytest.fixture
def seen():
    for kind in (Recorder, Strong):
        kind.seen.clear()
    yield Strong.seen
    for kind in (Recorder, Strong):
        kind.seen.clear()


def numbered(n=200, *, density=0.4, right_overlap=0.9, right_other=0.6, seed=0):
    """Rows of a feature that the recorder predicts by, and of their own numbers."""
    rng = np.random.default_rng(seed)
    regions = np.where(rng.random(n) < density, "overlap", "easy")
    regions[rng.random(n) < 0.2] = "hard"
    y = rng.integers(2, size=n)
    is_overlap = regions == "overlap"
    is_right = rng.random(n) < np.where(is_overlap, right_overlap, right_other)
    weak = np.where(is_right, y, 1 - y)
    return np.column_stack([2.0 * weak - 1, np.arange(n)]), y, regions


def test_the_strong_estimator_gains_from_overlap_as_theory_promises():
    result = curve(n_repeats=5)
    student = result["weak_to_strong_score"].mean(axis=1)
    assert (np.diff(student) > 0).all()
    assert student[0] < result["weak_score"].mean() < student[-1]
    assert (student < result["ceiling_score"].mean(axis=1)).all()


def test_weak_labels_are_equally_good_at_all_shares_once_matched():
    shares = np.linspace(0, 1, 11)
    plain = curve(overlap_shares=shares)
    matched = curve(overlap_shares=shares, matched=True)
    assert np.ptp(plain["weak_label_accuracy"].mean(axis=1)) > 0.1
    assert np.ptp(matched["weak_label_accuracy"]) == 0
    assert np.ptp(matched["class_share"], axis=(0, 1)).tolist() == [0, 0]


def test_what_is_gained_from_better_labels_alone_is_gone_once_matched():
    # Overlap rows differ from the others by nothing but their weak labels.
    rng = np.random.default_rng(0)
    n = 1600
    y = rng.integers(2, size=n)
    is_overlap = rng.random(n) < 0.5
    is_right = rng.random(n) < np.where(is_overlap, 0.95, 0.55)
    features = rng.normal(size=(n, 5)) + 0.8 * (2 * y - 1)[:, None]
    rows = np.column_stack([np.where(is_right, y, 1 - y) - 0.5, features])
    hidden = make_column_transformer(("passthrough", slice(1, None)))
    strong = make_pipeline(hidden, LogisticRegression())
    setting = {
        "X": rows,
        "y": y,
        "regions": np.where(is_overlap, "overlap", "hard"),
        "weak": FrozenEstimator(Recorder().fit(rows[:2], [0, 1])),
        "strong": strong,
        "n_samples": 150,
    }
    plain, matched = (curve(**setting, matched=m) for m in (False, True))
    gains = [
        np.diff(each["weak_to_strong_score"].mean(axis=1)[[0, -1]])[0]
        for each in (plain, matched)
    ]
    assert gains[0] > 0.03
    assert abs(gains[1]) < 0.02


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning")
@given(
    seed=st.integers(0, 1000),
    matched=st.booleans(),
    shares=st.lists(st.integers(0, 20), min_size=1, max_size=4),
    less=st.integers(0, 5),
)
def test_rows_are_drawn_as_the_law_of_mixing_says(seed, matched, shares, less):
    Strong.seen.clear()
    rows, y, regions = numbered(seed=seed)
    setting = {
        "overlap_shares": np.array(shares) / 20,
        "matched": matched,
        "n_repeats": 1,
        "X": rows,
        "y": y,
        "regions": regions,
        "weak": Recorder(),
        "strong": Strong(),
    }
    most = curve(**setting)["n_samples"]
    Strong.seen.clear()
    result = curve(**setting, n_samples=max(2, most - less))
    n = result["n_samples"]
    assert n == max(2, most - less)
    # A draw of one class is not fitted, hence not seen.
    assume(len(Strong.seen) == 2 * len(shares))
    accuracies, mixes = set(), set()
    for i, share in enumerate(setting["overlap_shares"]):
        (drawn, weak_labels), (drawn_again, labels) = Strong.seen[2 * i : 2 * i + 2]
        numbers = drawn[:, 1].astype(int)
        assert drawn.tolist() == drawn_again.tolist()
        assert len(set(numbers)) == len(numbers) == n
        assert abs(np.sum(regions[numbers] == "overlap") - share * n) <= 0.5 + 1e-9
        assert labels.tolist() == y[numbers].tolist()
        assert weak_labels.tolist() == (drawn[:, 0] > 0).astype(int).tolist()
        accuracies.add(np.mean(weak_labels == labels))
        mixes.add(labels.mean())
        assert result["weak_label_accuracy"][i, 0] == np.mean(weak_labels == labels)
        assert result["class_share"][i, 0, 1] == labels.mean()
    if matched:
        assert len(accuracies) == len(mixes) == 1


def test_the_largest_size_is_the_smaller_part_of_the_smallest_pool():
    rows, y, regions = numbered()
    result = curve(Recorder(), Strong(), rows, y, regions, cv=2)
    n_overlap = np.rint(result["overlap_density"] * 50)
    assert result["n_samples"] == np.minimum(n_overlap, 50 - n_overlap).min()


def test_no_row_serves_two_of_teaching_learning_and_testing(seen):
    rows, y, regions = numbered()
    test_rows = np.arange(0, 200, 4)
    train = np.setdiff1d(np.arange(200), test_rows)
    curve(Recorder(), Strong(), rows, y, regions, n_repeats=1, cv=[(train, test_rows)])
    (taught, _), *_ = Recorder.seen
    drawn = np.concatenate([fit[0][:, 1] for fit in seen])
    assert not set(taught[:, 1]) & set(drawn)
    assert not set(test_rows) & (set(taught[:, 1]) | set(drawn))


def test_scores_are_those_of_fits_by_hand(seen):
    rows, y, regions = numbered(400)
    features = np.random.default_rng(1).normal(size=(400, 3)) + y[:, None]
    rows = np.column_stack([rows, features])
    test_rows = np.arange(0, 400, 4)
    train = np.setdiff1d(np.arange(400), test_rows)
    setting = {"X": rows, "y": y, "regions": regions, "cv": [(train, test_rows)]}
    result = curve(Recorder(), LogisticRegression(), n_repeats=1, **setting)
    curve(Recorder(), Strong(), n_repeats=1, **setting)
    by_hand = [
        LogisticRegression().fit(*fit).score(rows[test_rows], y[test_rows])
        for fit in seen
    ]
    scores = [result["weak_to_strong_score"][:, 0], result["ceiling_score"][:, 0]]
    np.testing.assert_allclose(np.column_stack(scores).ravel(), by_hand)
    weak = np.mean((rows[test_rows, 0] > 0) == y[test_rows])
    assert result["weak_score"].tolist() == pytest.approx([weak])


def test_the_same_seed_gives_the_same_curve_however_many_jobs():
    setting = {"strong": DecisionTreeClassifier(max_features=3), "matched": True}
    first, second, other = (
        curve(**setting, **how)
        for how in ({"n_jobs": 1}, {"n_jobs": 2}, {"random_state": 1})
    )
    assert first.keys() == second.keys()
    for name, values in first.items():
        np.testing.assert_array_equal(values, second[name])
    assert not np.array_equal(
        first["weak_to_strong_score"], other["weak_to_strong_score"]
    )


def test_a_detector_names_the_regions_without_the_labels_of_the_pool():
    class Spy(OverlapDetector):
        labels = []

        def fit(self, X, y=None, **params):
            self.labels.append(y)
            return super().fit(X, y, **params)

    result = curve(regions=Spy(random_state=0), n_repeats=1, overlap_shares=[0, 1])
    n_train = len(Y) - len(Y) // 4
    (labels,) = Spy.labels
    assert len(labels) == n_train
    assert abs(np.sum(labels == -1) - n_train / 2) <= 1
    student = result["weak_to_strong_score"][:, 0]
    assert student[-1] > student[0] + 0.05
    given = OverlapDetector(STRONG, random_state=0)
    curve(regions=given, n_repeats=1, overlap_shares=[0.5])
    assert not hasattr(given, "weak_estimator_")


def test_tables_and_names_of_classes_make_no_difference():
    names = np.array(["no", "yes"])[Y]
    table = pd.DataFrame(X, columns=[f"x{i}" for i in range(X.shape[1])])
    other = curve(X=table, y=pd.Series(names), regions=pd.Series(REGIONS))
    for name, values in curve().items():
        np.testing.assert_array_equal(values, other[name])


@pytest.mark.parametrize("scoring", ["roc_auc", None])
def test_any_scorer_can_judge(scoring):
    result = curve(scoring=scoring)
    assert np.isfinite(result["weak_to_strong_score"]).all()


def test_every_test_set_has_its_repeats():
    result = curve(cv=ShuffleSplit(3, random_state=0), n_repeats=2)
    assert result["weak_score"].shape == (6,)
    assert result["weak_to_strong_score"].shape == (3, 6)
    assert result["class_share"].shape == (3, 6, 2)


def test_a_draw_of_one_class_has_no_score_and_says_so():
    rows, y, regions = numbered(right_overlap=1.0)
    rows[regions == "overlap", 0] = 1
    with pytest.warns(FitFailedWarning, match=r"overlap shares \[1.0\] all labels"):
        result = curve(Recorder(), LogisticRegression(), rows, y, regions)
    assert np.isnan(result["weak_to_strong_score"][-1]).all()
    assert np.isfinite(result["weak_to_strong_score"][:-1]).all()
    assert np.isfinite(result["ceiling_score"]).all()


def test_metadata_reaches_those_that_request_it():
    groups = np.arange(len(Y)) // 3
    weights = np.where(REGIONS == "overlap", 3.0, 1.0)
    strong = LogisticRegression(C=0.01)
    with config_context(enable_metadata_routing=True):
        asked = strong.set_fit_request(sample_weight=True)
        setting = {"cv": GroupShuffleSplit(1, random_state=0), "overlap_shares": [0.5]}
        weak = DecisionTreeClassifier(max_depth=2, random_state=0)
        params = {"groups": groups, "sample_weight": weights}
        weak.set_fit_request(sample_weight=False)
        weighted = curve(weak, asked, **setting, scoring=accuracy, params=params)
        plain = curve(
            weak, LogisticRegression(C=0.01), **setting, params={"groups": groups}
        )
    assert weighted["weak_score"].tolist() == plain["weak_score"].tolist()
    assert (weighted["weak_to_strong_score"] != plain["weak_to_strong_score"]).any()


def test_groups_reach_the_splitter_of_a_detector():
    detector = OverlapDetector(weak_features=slice(0, 20), cv=GroupKFold(2))
    setting = {"overlap_shares": [0.5], "regions": detector, "n_repeats": 1}
    with config_context(enable_metadata_routing=True):
        result = curve(params={"groups": np.arange(len(Y)) // 3}, **setting)
        with pytest.raises(ValueError, match="needs groups"):
            curve(**setting)
    assert np.isfinite(result["weak_to_strong_score"]).all()


def test_groups_that_are_lacking_are_asked_for():
    with pytest.raises(ValueError, match=r"needs groups.*enable_metadata_routing=True"):
        curve(cv=GroupShuffleSplit(1))


def accuracy(estimator, X, y):
    return np.mean(estimator.predict(X) == y)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"overlap_shares": [0.5, 1.5]}, r"overlap_shares=\[0.5, 1.5\] must hold"),
        ({"overlap_shares": []}, "must hold shares"),
        ({"n_samples": 1}, "n_samples=1 must be"),
        ({"n_samples": 10_000}, "n_samples=10000 rows at each .* are impossible"),
        ({"n_samples": 110, "matched": True}, "of equal class and correctness"),
        ({"n_repeats": 0}, "n_repeats=0 must be"),
        ({"weak_size": 1}, "weak_size=1 must be"),
        ({"scoring": ["accuracy"]}, "scoring=.* must be the name"),
        ({"params": {"groups": [1]}}, "metadata routing is off"),
        ({"y": np.linspace(0, 1, len(Y))}, "Unknown label type"),
        ({"regions": ["easy"] * 3}, "inconsistent numbers"),
        ({"regions": np.full(len(Y), "dull")}, "regions holds 'dull'"),
        ({"regions": np.full(len(Y), "easy")}, "may have 0 overlap rows"),
        ({"regions": LogisticRegression()}, "has no missing_label"),
        ({"regions": OverlapDetector(missing_label=1)}, "is a class of y"),
    ],
)
def test_bad_input_is_refused_with_its_fix(settings, message):
    with pytest.raises(ValueError, match=message):
        curve(**settings)


# Rows are counted and drawn cell by cell


@given(
    seed=st.integers(0, 1000),
    n_cells=st.integers(1, 4),
    percents=st.lists(st.integers(0, 100), min_size=1, max_size=4),
)
def test_every_share_draws_the_same_cells(seed, n_cells, percents):
    rng = np.random.RandomState(seed)
    shares = np.array(percents) / 100
    cells, is_overlap = rng.randint(n_cells, size=200), rng.rand(200) < 0.4
    sizes = rows_per_cell([(cells, is_overlap)], shares, None, matched=True)
    drawn = draw_positions(cells, is_overlap, sizes, shares, rng)
    for share, positions in zip(shares, drawn, strict=True):
        assert len(set(positions)) == len(positions)
        counts = np.bincount(cells[positions], minlength=len(sizes))
        assert counts.tolist() == sizes.tolist()
        for cell, size in enumerate(sizes):
            n_overlap = np.sum(is_overlap[positions] & (cells[positions] == cell))
            assert abs(n_overlap - share * size) < 1


def test_one_row_more_is_impossible_where_one_part_is_used_up():
    cells, is_overlap = np.zeros(10, dtype=int), np.arange(10) < 3
    for shares, most in (([0.0, 1.0], 3), ([1.0], 3), ([0.0], 7), ([0.3], 10)):
        sizes = rows_per_cell(
            [(cells, is_overlap)], np.array(shares), None, matched=False
        )
        assert sizes.tolist() == [most]


def test_rows_of_one_share_are_kept_at_the_next():
    cells, is_overlap = np.zeros(100, dtype=int), np.arange(100) < 50
    shares = np.linspace(0, 1, 11)
    sizes = np.array([50])
    drawn = draw_positions(cells, is_overlap, sizes, shares, np.random.RandomState(0))
    for before, after in pairwise(drawn):
        assert len(np.intersect1d(before, after)) == 45

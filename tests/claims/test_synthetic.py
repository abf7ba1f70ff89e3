"""What the paper's synthetic experiment shows, and what it leaves out."""

import numpy as np
import pytest
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from sklearn_w2s._algorithms.overlap import margin_confidence
from sklearn_w2s._algorithms.similarity import largest_similarity, unit_rows
from sklearn_w2s._algorithms.thresholds import change_point
from sklearn_w2s.datasets import make_overlap_classification
from sklearn_w2s.metrics import performance_gap_recovered

N_REPETITIONS = 200
N_EASY_FEATURES = 20
# Accuracy of weak, weak-to-strong and ceiling by the number of overlap rows.
PUBLISHED = {
    5: (0.668, 0.518, 0.828),
    10: (0.673, 0.591, 0.828),
    20: (0.680, 0.669, 0.834),
    40: (0.697, 0.762, 0.843),
    95: (0.729, 0.830, 0.861),
}


def three_draws(counts, seed):
    """Draw training, pseudo-labeling and test rows around the same centres."""
    X, y, regions = make_overlap_classification(
        [3 * n for n in counts], shuffle=False, random_state=seed
    )
    # Rows come region by region, each a multiple of three long.
    return [(X[i::3], y[i::3], regions[i::3]) for i in range(3)]


def weak_view(X):
    return X * (np.arange(X.shape[1]) < N_EASY_FEATURES)


def fit(X, y, **parameters):
    """Fit a logistic regression; labels of one class are predicted throughout."""
    if len(np.unique(y)) == 1:
        return lambda rows: np.full(len(rows), y[0])
    return LogisticRegression(**parameters).fit(X, y).predict


def repeat_experiment(n_overlap, seed):
    """Return the accuracy of each model on all test rows and on the hard ones."""
    train, pseudo, test = three_draws((100, 100, n_overlap), seed)
    weak = fit(weak_view(train[0]), train[1], fit_intercept=False)
    weak_labels = weak(weak_view(pseudo[0]))
    overlap = pseudo[2] == "overlap"
    predictions = {
        "weak": weak(weak_view(test[0])),
        "ceiling": fit(train[0], train[1], fit_intercept=False)(test[0]),
        "overlap": fit(pseudo[0][overlap], weak_labels[overlap], C=0.01)(test[0]),
        "all": fit(pseudo[0], weak_labels, C=0.01)(test[0]),
    }
    return {
        name: {
            "total": np.mean(predicted == test[1]),
            "hard": np.mean((predicted == test[1])[test[2] == "hard"]),
        }
        for name, predicted in predictions.items()
    }


@pytest.fixture(scope="module")
def curve():
    """Mean accuracies at each number of overlap rows."""
    means = {}
    for n_overlap in PUBLISHED:
        runs = [repeat_experiment(n_overlap, seed) for seed in range(N_REPETITIONS)]
        means[n_overlap] = {
            name: {
                group: np.mean([run[name][group] for run in runs]) for group in groups
            }
            for name, groups in runs[0].items()
        }
    return means


@pytest.mark.parametrize(("n_overlap", "expected"), list(PUBLISHED.items()))
def test_accuracies_follow_the_published_curve(curve, n_overlap, expected):
    means = curve[n_overlap]
    measured = [means[name]["total"] for name in ("weak", "overlap", "ceiling")]
    assert measured == pytest.approx(expected, abs=0.02)


def test_weak_to_strong_pays_from_about_a_tenth_of_overlap(curve):
    pays = {
        n: means["overlap"]["total"] > means["weak"]["total"]
        for n, means in curve.items()
    }
    assert pays == {5: False, 10: False, 20: False, 40: True, 95: True}


@pytest.mark.parametrize("n_overlap", list(PUBLISHED))
def test_the_guesses_on_hard_rows_cancel_what_overlap_rows_teach(curve, n_overlap):
    assert curve[n_overlap]["all"]["hard"] == pytest.approx(0.5, abs=0.02)
    assert curve[n_overlap]["weak"]["hard"] == pytest.approx(0.5, abs=0.02)


def test_overlap_rows_teach_what_holds_on_hard_rows(curve):
    hard = [means["overlap"]["hard"] for means in curve.values()]
    assert hard == sorted(hard)
    assert hard[-1] == pytest.approx(0.76, abs=0.03)


@pytest.mark.parametrize("seed", range(5))
def test_unexplained_energy_finds_overlap_where_the_largest_cosine_does_not(seed):
    train, pseudo, _ = three_draws((500, 500, 500), seed)
    weak = LogisticRegression(fit_intercept=False).fit(weak_view(train[0]), train[1])
    X, _, regions = pseudo
    confidence = margin_confidence(weak.predict_proba(weak_view(X)))
    hard = X[confidence < change_point(confidence)]
    coefficients, *_ = np.linalg.lstsq(X[:, :N_EASY_FEATURES], X, rcond=None)
    unexplained = np.linalg.norm(X - X[:, :N_EASY_FEATURES] @ coefficients, axis=1)
    cosine = largest_similarity(unit_rows(X), unit_rows(hard), working_bytes=2**24)

    known = regions != "hard"
    is_overlap = regions[known] == "overlap"
    assert roc_auc_score(is_overlap, unexplained[known]) > 0.99
    assert roc_auc_score(is_overlap, cosine[known]) < 0.6


@pytest.mark.parametrize("ceiling", [0.7, 0.6])
def test_without_a_gap_there_is_nothing_to_recover(ceiling):
    with pytest.warns(UndefinedMetricWarning):
        assert np.isnan(performance_gap_recovered(0.7, 0.8, ceiling))

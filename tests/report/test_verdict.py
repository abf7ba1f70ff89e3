import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sklearn_w2s._display import SHORT_NAMES
from sklearn_w2s.report._verdict import CONFIDENCE, difference, judge

scores = st.lists(st.floats(0, 1), min_size=3, max_size=3)


def make_results(
    weak, strong_on_labels, weak_to_strong, ceiling=None, *, guess=0.1, gap=0.5
):
    """Return results of which judge knows the scores and the numbers of rows."""
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


@given(scores, scores)
def test_probability_and_interval_agree_and_sides_are_mirrored(first, second):
    found, other = (
        difference(a, b, 7, 3) for a, b in ((first, second), (second, first))
    )
    tail = (1 - CONFIDENCE) / 2
    assert found.mean == pytest.approx(-other.mean)
    if math.isnan(found.low):
        assert math.isnan(other.low)
        assert not found.is_better
        assert not found.is_worse
    else:
        assert found.low == pytest.approx(-other.high)
        assert found.is_better == (found.probability > 1 - tail) or math.isclose(
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


@given(scores, scores, scores, scores, st.floats(0, 1))
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

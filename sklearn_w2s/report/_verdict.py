"""The verdict: whether weak-to-strong pays, how certain that is, what to do next."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit

from sklearn_w2s._display import FULL_NAMES

# The one level of every interval, and of what counts as clear, in terminal and page.
CONFIDENCE = 0.95
RULE = (
    "The rule: weak-to-strong is compared with the better of the two that need no "
    "unlabeled rows, the weak estimator and the strong one on the labels alone, on the "
    "same held-out rows of every split. A difference is clear where its "
    f"{CONFIDENCE:.0%} interval, corrected for the rows that splits share (Nadeau and "
    "Bengio 2003), excludes zero; the probability is that of Student's t for the same "
    "difference. Where it is not clear, the report takes the cheapest that no other "
    "clearly beats: first the weak estimator, then the strong one on the labels. Where "
    "none is clearly better than always guessing, there is nothing to compare."
)
_CHEAPEST_FIRST = ("weak", "strong_on_labels", "weak_to_strong")
# More labels than this many times those at hand are no advice.
_MOST_MORE = 20
# A difference of so much that is the same in every split is one.
_LARGE = 0.05
# Share of right answers from which there is nothing left to gain.
_PERFECT = 0.995


@dataclass(frozen=True)
class Difference:
    """A mean difference of scores over splits, its interval, and P(it is above 0)."""

    # All but the mean are NaN for a single split, or if all splits agree exactly.
    mean: float
    low: float = math.nan
    high: float = math.nan
    probability: float = math.nan

    @property
    def is_better(self):
        """Whether it is clearly above zero."""
        return self.low > 0

    @property
    def is_above_noise(self):
        """Whether it is clearly above zero, or large and the same in every split."""
        is_same = math.isnan(self.low) and self.mean > _LARGE
        return self.is_better or is_same

    @property
    def is_worse(self):
        """Whether it is clearly below zero."""
        return self.high < 0


def difference(first, second, n_train, n_test):
    """Compare scores of the same splits by the corrected resampled t-test."""
    gains = np.asarray(first) - np.asarray(second)
    mean, n_splits = float(gains.mean()), len(gains)
    if n_splits < 2 or np.ptp(gains) < 1e-12:
        return Difference(mean)
    # s * sqrt(1 / n_splits + n_test / n_train), with s the standard deviation.
    error = gains.std(ddof=1) * math.sqrt(1 / n_splits + n_test / n_train)
    half = stdtrit(n_splits - 1, (1 + CONFIDENCE) / 2) * error
    probability = float(stdtr(n_splits - 1, mean / error))
    return Difference(mean, mean - half, mean + half, probability)


@dataclass(frozen=True)
class Verdict:
    """What to do: `kind` of the answer, `choice` of an estimator, and both in words."""

    # "pays", "does_not_pay", "noise", "no_gap", "nothing_left", "guessing", "one_split"
    kind: str
    choice: str
    sentence: str
    next_step: str
    has_gap: bool

    def __str__(self):
        """Return the verdict and what to do next."""
        return f"{self.sentence} {self.next_step}".strip()


class _Scores:
    """Scores of the predictors over splits, and their differences."""

    def __init__(self, results):
        self.results = results
        self.n_train = float(np.mean(results["n_labeled"] + results["n_hidden"]))
        self.n_test = float(np.mean(results["n_test"]))

    def score(self, name):
        return self.results[f"{name}_score"]

    def mean(self, name):
        return float(np.mean(self.score(name)))

    def of(self, first, second):
        pair = self.score(first), self.score(second)
        return difference(*pair, self.n_train, self.n_test)

    def best(self, names):
        return max(names, key=self.mean)

    def cheapest(self):
        """Return the cheapest that none of the others clearly beats."""
        return next(
            name
            for name in _CHEAPEST_FIRST
            if not any(self.of(o, name).is_above_noise for o in _CHEAPEST_FIRST)
        )


def judge(results, *, hides_labels, scoring, n_unlabeled=0):
    """Return whether weak-to-strong pays, by the one rule of the report."""
    scores = _Scores(results)
    names = [*_CHEAPEST_FIRST, *(["ceiling"] if hides_labels else [])]
    rival = scores.best(("weak", "strong_on_labels"))
    gain = scores.of("weak_to_strong", rival)
    measure = scoring.replace("_", " ")
    guess = "the mean" if scoring == "r2" else "the most frequent class"
    if len(results["n_test"]) < 2:
        return Verdict(
            "one_split",
            scores.cheapest(),
            "One split cannot show whether weak-to-strong pays: it is "
            f"{_points(gain)} {FULL_NAMES[rival]} in {measure}.",
            "Next: raise --repeats.",
            has_gap=False,
        )
    if not any(scores.of(name, "guess").is_above_noise for name in names):
        return Verdict(
            "guessing",
            "guess",
            f"There is nothing to learn here that shows in {measure}: no estimator is "
            f"clearly better than always predicting {guess}. No clear difference: take "
            "the cheapest, which is to do that.",
            "Next: other columns"
            + (", or --scoring balanced_accuracy." if scoring == "accuracy" else "."),
            has_gap=False,
        )
    gap = scores.of("ceiling", "weak") if hides_labels else None
    has_gap = (
        gap is not None
        and gap.is_above_noise
        and not math.isnan(results["gap_recovered"])
    )
    shown = f"{_points(gain)} {FULL_NAMES[rival]} in {measure}{_interval(gain)}"
    kind, sentence, next_step = _compare(
        scores, rival, gain, gap, shown, hides_labels, n_unlabeled
    )
    choice = "weak_to_strong" if kind == "pays" else scores.cheapest()
    return Verdict(kind, choice, sentence, next_step, has_gap=has_gap)


def _compare(scores, rival, gain, gap, shown, hides_labels, n_unlabeled):
    cheapest = scores.cheapest()
    take = f"take the cheapest, {FULL_NAMES[cheapest]}"
    if gain.is_better:
        return (
            "pays",
            f"Weak-to-strong pays here: it is {shown}.",
            _next_of_a_gain(hides_labels, n_unlabeled),
        )
    if gain.is_worse:
        return (
            "does_not_pay",
            f"Weak-to-strong does not pay here: it is {shown}.",
            f"Next: use {FULL_NAMES[cheapest]}.",
        )
    is_perfect = scores.mean(rival) >= _PERFECT
    if gap is not None and not gap.is_above_noise and not is_perfect:
        why = (
            "There is no gap: the strong estimator on all labels is not clearly better "
            f"than the weak one{_interval(gap)}, so that nothing can be recovered."
        )
        next_step = "Next: a more flexible strong estimator, or other columns."
        return "no_gap", f"No clear difference: {take}. {why}", next_step
    if is_perfect or (hides_labels and not _is_below(scores, rival, "ceiling")):
        why = (
            f"Nothing is left to gain: {FULL_NAMES[rival]} is as good as it gets here; "
            f"weak-to-strong is {shown}."
        )
        next_step = f"Next: use {FULL_NAMES[cheapest]}."
        return "nothing_left", f"No clear difference: {take}. {why}", next_step
    why = f"Weak-to-strong is {shown}, which is within the noise."
    next_step = _next_of_noise(scores, gain, hides_labels, n_unlabeled)
    return "noise", f"No clear difference: {take}. {why}", next_step


def _is_below(scores, name, other):
    return scores.of(other, name).is_above_noise


def _next_of_a_gain(hides_labels, n_unlabeled):
    if hides_labels:
        return (
            "Next: where labels are costly, label as many rows as kept theirs here and "
            "leave the rest to weak-to-strong; where all rows are labeled, the strong "
            "estimator on all of them needs no weak one."
        )
    return (
        f"Next: --predict PATH labels the {n_unlabeled} unlabeled rows with it, and "
        "--save PATH saves the model."
    )


def _next_of_noise(scores, gain, hides_labels, n_unlabeled):
    half = (gain.high - gain.low) / 2
    if math.isnan(half) or gain.mean == 0:
        return "Next: more labels, or a larger file."
    # The noise of held-out rows shrinks by the square root of their number.
    n_labels = scores.n_train + scores.n_test
    needed = n_labels * ((half / abs(gain.mean)) ** 2 - 1)
    where = "rows with a label" if hides_labels else "labels"
    if not hides_labels and needed > n_unlabeled:
        return (
            f"Next: labels of all {n_unlabeled} unlabeled rows would hardly settle it; "
            "keep the cheapest."
        )
    if needed > _MOST_MORE * n_labels:
        return "Next: keep the cheapest; so small a difference takes many more labels."
    n_more = max(1, round(needed, -math.floor(math.log10(max(needed, 1)))))
    return f"Next: about {n_more:.0f} more {where} should settle it."


def _points(gain):
    mean = round(100 * gain.mean, 2)
    if mean == 0:
        return "as good as"
    return f"{abs(mean):.2f} points {'better' if mean > 0 else 'worse'} than"


def _interval(gain):
    if math.isnan(gain.low):
        return ""
    sure, sign = gain.probability, "better"
    if gain.mean < 0:
        sure, sign = 1 - sure, "worse"
    shown = "> 99%" if sure > 0.99 else f"{sure:.0%}"
    return (
        f" ({CONFIDENCE:.0%} interval {100 * gain.low:+.2f} to {100 * gain.high:+.2f}, "
        f"probability that it is {sign} {shown})"
    )

"""The one verdict of a report: does weak-to-strong pay, how sure is that, what next."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit

# The one level of every interval, and of what counts as clear, in terminal and page.
CONFIDENCE = 0.95
FITS = {
    "weak": "weak",
    "strong_on_labels": "strong on labels",
    "weak_to_strong": "weak-to-strong",
    "ceiling": "ceiling",
}
NAMES = {
    "weak": "the weak estimator",
    "strong_on_labels": "the strong estimator on the labels alone",
    "weak_to_strong": "weak-to-strong",
    "ceiling": "the strong estimator on all labels",
}
RULE = (
    "The rule: weak-to-strong is compared with the better of the two that need no "
    "unlabeled rows, the weak estimator and the strong one on the labels alone, on the "
    "same held-out rows of every split. A difference is clear where its "
    f"{CONFIDENCE:.0%} interval, which allows for the rows that splits share (Nadeau "
    "and Bengio 2003), leaves out zero; the probability is that of Student's t for the "
    "same difference. "
    "Where it is not clear, the cheapest is taken that none of the others clearly "
    "beats: first the weak estimator, then the strong one on the labels. Where none is "
    "clearly better than always guessing, there is nothing to compare."
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
    """A mean difference of scores over splits, its interval, and P(it is above 0).

    All are NaN but the mean where one split, or the same difference in all, tells
    nothing of noise.
    """

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
    """Compare scores of the same splits by the t test that Nadeau and Bengio correct.

    Parameters
    ----------
    first, second : ndarray of shape (n_splits,)
        Scores.
    n_train, n_test : float
        Labeled rows on either side of a split.

    Returns
    -------
    Difference
        With the standard error ``s * sqrt(1 / n_splits + n_test / n_train)``, s the
        standard deviation of the differences.
    """
    gains = np.asarray(first) - np.asarray(second)
    mean, n_splits = float(gains.mean()), len(gains)
    if n_splits < 2 or np.ptp(gains) < 1e-12:
        return Difference(mean)
    error = gains.std(ddof=1) * math.sqrt(1 / n_splits + n_test / n_train)
    half = stdtrit(n_splits - 1, (1 + CONFIDENCE) / 2) * error
    probability = float(stdtr(n_splits - 1, mean / error))
    return Difference(mean, mean - half, mean + half, probability)


@dataclass(frozen=True)
class Verdict:
    """What to do: `kind` of the answer, `choice` of an estimator, and both in words."""

    kind: str
    choice: str
    sentence: str
    next_step: str
    has_gap: bool

    def __str__(self):
        """Return the verdict and what to do next."""
        return f"{self.sentence} {self.next_step}".strip()


class _Standing:
    """Differences between the fits, as clear or not."""

    def __init__(self, results):
        self.results = results
        self.n_train = float(np.mean(results["n_labeled"] + results["n_hidden"]))
        self.n_test = float(np.mean(results["n_test"]))

    def score(self, name):
        return self.results[f"{name}_score"]

    def mean(self, name):
        return float(np.mean(self.score(name)))

    def of(self, first, second):
        scores = self.score(first), self.score(second)
        return difference(*scores, self.n_train, self.n_test)

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
    """Say whether weak-to-strong pays, by the one rule of the report.

    Parameters
    ----------
    results : dict
        As from `cross_validate_gap`, with guess_score, the scores of always guessing
        the most frequent class.
    hides_labels : bool
        Whether labels were hidden, so that there is a ceiling.
    scoring : str
        Name of the scores.
    n_unlabeled : int, default=0
        Unlabeled rows of the file.

    Returns
    -------
    Verdict
        Of the kind "pays", "does_not_pay", "noise", "no_gap", "nothing_left",
        "guessing" or "one_split".
    """
    standing = _Standing(results)
    names = [*_CHEAPEST_FIRST, *(["ceiling"] if hides_labels else [])]
    rival = standing.best(("weak", "strong_on_labels"))
    gain = standing.of("weak_to_strong", rival)
    measure = scoring.replace("_", " ")
    guess = "the mean" if scoring == "r2" else "the most frequent class"
    if len(results["n_test"]) < 2:
        return Verdict(
            "one_split",
            standing.cheapest(),
            f"One split cannot tell whether weak-to-strong pays: it is {_points(gain)} "
            f"{NAMES[rival]} in {measure}.",
            "Next: raise --repeats.",
            has_gap=False,
        )
    if not any(standing.of(name, "guess").is_above_noise for name in names):
        return Verdict(
            "guessing",
            "guess",
            f"There is nothing to learn here that shows in {measure}: no estimator is "
            f"clearly better than always guessing {guess}. No clear difference: take "
            "the cheapest, which is to guess.",
            "Next: other columns"
            + (", or --scoring balanced_accuracy." if scoring == "accuracy" else "."),
            has_gap=False,
        )
    gap = standing.of("ceiling", "weak") if hides_labels else None
    has_gap = (
        gap is not None
        and gap.is_above_noise
        and not math.isnan(results["gap_recovered"])
    )
    told = f"{_points(gain)} {NAMES[rival]} in {measure}{_shown(gain)}"
    kind, sentence, next_step = _compare(
        standing, rival, gain, gap, told, hides_labels, n_unlabeled
    )
    choice = "weak_to_strong" if kind == "pays" else standing.cheapest()
    return Verdict(kind, choice, sentence, next_step, has_gap=has_gap)


def _compare(standing, rival, gain, gap, told, hides_labels, n_unlabeled):
    cheapest = standing.cheapest()
    take = f"take the cheapest, {NAMES[cheapest]}"
    if gain.is_better:
        return (
            "pays",
            f"Weak-to-strong pays here: it is {told}.",
            _next_of_a_gain(hides_labels, n_unlabeled),
        )
    if gain.is_worse:
        return (
            "does_not_pay",
            f"Weak-to-strong does not pay here: it is {told}.",
            f"Next: use {NAMES[cheapest]}.",
        )
    is_perfect = standing.mean(rival) >= _PERFECT
    if gap is not None and not gap.is_above_noise and not is_perfect:
        why = (
            "There is no gap: the strong estimator on all labels is not clearly better "
            f"than the weak one{_shown(gap)}, so that nothing can be recovered."
        )
        next_step = "Next: a strong estimator that learns more, or other columns."
        return "no_gap", f"No clear difference: {take}. {why}", next_step
    if is_perfect or (hides_labels and not _is_below(standing, rival, "ceiling")):
        why = (
            f"Nothing is left to gain: {NAMES[rival]} is as good as it gets here; "
            f"weak-to-strong is {told}."
        )
        next_step = f"Next: use {NAMES[cheapest]}."
        return "nothing_left", f"No clear difference: {take}. {why}", next_step
    why = f"Weak-to-strong is {told}, which is within the noise."
    next_step = _next_of_noise(standing, gain, hides_labels, n_unlabeled)
    return "noise", f"No clear difference: {take}. {why}", next_step


def _is_below(standing, name, other):
    return standing.of(other, name).is_above_noise


def _next_of_a_gain(hides_labels, n_unlabeled):
    if hides_labels:
        return (
            "Next: where labels cost, label as many rows as kept theirs here and leave "
            "the rest to weak-to-strong; where all rows have a label, the strong "
            "estimator on all of them needs no weak one."
        )
    return (
        f"Next: --predict PATH labels the {n_unlabeled} unlabeled rows with it, and "
        "--save PATH keeps the model."
    )


def _next_of_noise(standing, gain, hides_labels, n_unlabeled):
    half = (gain.high - gain.low) / 2
    if math.isnan(half) or gain.mean == 0:
        return "Next: more labels, or a larger file."
    # The noise of held-out rows shrinks by the square root of their number.
    n_labels = standing.n_train + standing.n_test
    needed = n_labels * ((half / abs(gain.mean)) ** 2 - 1)
    where = "rows with a label" if hides_labels else "labels"
    if not hides_labels and needed > n_unlabeled:
        return (
            f"Next: labels of all {n_unlabeled} unlabeled rows would hardly tell them "
            "apart; keep the cheapest."
        )
    if needed > _MOST_MORE * n_labels:
        return "Next: keep the cheapest; a difference so small takes many more labels."
    n_more = max(1, round(needed, -math.floor(math.log10(max(needed, 1)))))
    return f"Next: about {n_more:.0f} more {where} would tell, if it is real."


def _points(gain):
    mean = round(100 * gain.mean, 2)
    if mean == 0:
        return "as good as"
    return f"{abs(mean):.2f} points {'better' if mean > 0 else 'worse'} than"


def _shown(gain):
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

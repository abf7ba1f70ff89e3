"""Advise on weak-to-strong: will it pay on these rows, and what to do next."""

import textwrap
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
from sklearn.base import is_regressor
from sklearn.utils import check_random_state, indexable

from sklearn_w2s._algorithms.overlap import OVERLAP
from sklearn_w2s._display import FULL_NAMES, visible
from sklearn_w2s._estimators import draw_seed
from sklearn_w2s._pipeline import final_step, require_weak_to_strong
from sklearn_w2s._validation import (
    as_table,
    check_level,
    check_sources,
    check_target,
    require_rows,
    values_of,
)
from sklearn_w2s.advice._expectation import (
    PAIRS,
    PRIORS,
    compare,
    decide,
    densest_source,
    expect,
    is_clear,
    kind_of,
    plan,
    source_table,
)
from sklearn_w2s.advice._trial import describe, run_trial
from sklearn_w2s.weak_to_strong._views import unknown_columns

# One is held out, and two show the error that is expected of it.
_LEAST_VALUES = 3
# What is worth a sentence.
LEAST_COVERAGE = 0.9
MOST_OVERCONFIDENCE = 0.05
LEAST_CONSISTENCY = 0.1
LITTLE_OVERLAP = 0.05
_MOST_LISTED = 5
_WIDTH = 88


@dataclass(frozen=True, eq=False, repr=False)
class Advice:
    """What to do with weak labels, and the evidence; ``print`` shows it as text.

    Parameters
    ----------
    choice : {"weak", "weak_to_strong", "strong_on_labels"}
        Which classifier to use: the weak estimator, the strong one trained with weak
        labels, or the strong one trained on the labeled rows alone.
    strategy : str or callable
        Strategy of the weak-to-strong classifier.
    next_step : {"collect_labels", "buy_rows"} or None
        What to do next, if anything.
    n_more_labels : int
        Number of labels to collect; 0 for other next steps.
    source : object
        Source to buy rows from; None for other next steps.
    predicted_gain : float
        Expected score of weak-to-strong minus that of the weak estimator.
    predicted_gain_interval : ndarray of shape (2,)
        Its interval.
    predicted_lead : float
        Expected score of weak-to-strong minus that of the strong estimator on the
        labels; NaN if the latter cannot be trained.
    indicators : dict of str to float
        See `advise`.
    comparisons : dict of str to dict
        Paired comparisons on held-out labeled rows, by ``"<first> - <second>"``:
        difference, error, interval of shape (2,) and n_rows. Empty if the labels are no
        evidence.
    sources : dict of str to ndarray or None
        Overlap of the unlabeled rows by source: source, n_rows, overlap_density, low
        and high.
    recommendation : str
        Choice and next step in words.
    reasons : list of str
        The evidence in words, a sentence or two each.
    estimator : classifier
        The weak-to-strong classifier, fitted on all rows, with `store_rows`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn_w2s import WeakToStrongClassifier
    >>> from sklearn_w2s.advice import advise
    >>> X, y = load_iris(return_X_y=True)
    >>> y[::2] = -1
    >>> strong = LogisticRegression(max_iter=1000)
    >>> model = WeakToStrongClassifier(
    ...     GaussianNB(), strong, weak_features=[0, 1], strategy="mix"
    ... )
    >>> advice = advise(model, X, y, cv=3, random_state=0)
    >>> advice
    Advice(choice=..., strategy='mix', next_step=...)
    >>> print(advice)
    Use ...
    """

    choice: str
    strategy: Any
    next_step: str | None
    n_more_labels: int
    source: Any
    predicted_gain: float
    predicted_gain_interval: Any
    predicted_lead: float
    indicators: dict
    comparisons: dict
    sources: dict | None
    recommendation: str
    reasons: list
    estimator: Any

    def __str__(self):
        """Return the recommendation, then the reasons as a list."""
        wrap = partial(textwrap.wrap, width=_WIDTH, break_on_hyphens=False)
        lines = wrap(self.recommendation)
        for reason in self.reasons:
            lines += wrap(reason, initial_indent="- ", subsequent_indent="  ")
        return "\n".join(lines)

    def __repr__(self):
        """Return choice and next step."""
        return (
            f"Advice(choice={self.choice!r}, strategy={self.strategy!r}, "
            f"next_step={self.next_step!r})"
        )


def advise(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    sample_source: Any = None,
    cv: Any = None,
    scoring: Literal["auto", "accuracy", "balanced_accuracy"] = "auto",
    confidence_level: float = 0.95,
    n_jobs: int | None = None,
    random_state: int | np.random.RandomState | None = None,
    params: dict[str, Any] | None = None,
    verbose: int = 0,
) -> Any:
    r"""Advise whether weak-to-strong pays on these rows, and what to do next.

    The estimator is fitted on all rows, and on folds that hold out labeled and
    unlabeled rows. The evidence is what the weak, the weak-to-strong and the strong
    estimator predict for rows that they have not seen: how often they differ, and which
    of them is right on labeled rows.

    Parameters
    ----------
    estimator : classifier or regressor instance
        A `WeakToStrongClassifier`, a `WeakToStrongRegressor`, or a pipeline that ends
        in one. Without an `overlap_detector` it gets the default one, for the overlap
        density.
    X : {array-like, sparse matrix, data frame} of shape (n, n_features)
        Rows.
    y : array-like of shape (n,)
        Labels, with the `missing_label` of the estimator for unlabeled rows. There may
        be no labels at all with a weak classifier that needs none. For regression, the
        advice rests on labels alone: there must be at least two, and labeled rows must
        not lack columns of the unlabeled ones.
    sample_source : array-like of shape (n,), default=None
        Source of each row; with it, the advice can name a source to draw more rows
        from.
    cv : int, splitter, iterable or None, default=None
        How to split the labeled rows, as in
        :class:`~sklearn_w2s.model_selection.LabeledSplit`; splits are generated once.
        None means 5 stratified folds, or fewer if a class has fewer labels. Rows that
        are never held out are not used as evidence; rows held out several times count
        once, with their mean. Each unlabeled row is held out once, together with its
        group if groups are kept apart. If no label can be held out, neither `cv` nor
        groups are used, and a fifth of the unlabeled rows is held out at random.
    scoring : {"auto", "accuracy", "balanced_accuracy"}, default="auto"
        Metric of the gains. For "balanced_accuracy", rows are weighted by the inverse
        share of their class. "auto" is "accuracy"; for regressors, which accept nothing
        else, it is the mean squared error relative to that of the weak estimator.
    confidence_level : float, default=0.95
        Confidence level of the intervals, in (0, 1).
    n_jobs : int, default=None
        Number of folds fitted in parallel.
    random_state : int, RandomState instance or None, default=None
        Assigns unlabeled rows to folds, and seeds every `random_state` of the
        estimators that is None.
    params : dict, default=None
        Metadata for the fits and for the splitter, such as ``groups``, as in
        :func:`~sklearn_w2s.model_selection.cross_validate_gap`.
    verbose : int, default=0
        Above 0, a line after each fold, with an estimate of the time left.

    Returns
    -------
    Advice
        The recommendation and the evidence. Its `indicators`, computed on at most 5000
        held-out unlabeled rows, are:

        - misfit: share of rows on which weak-to-strong and weak estimator differ;
        - advantage: how much more probable weak-to-strong considers its own class than
          that of the weak estimator, on average; NaN without probabilities;
        - view_discrepancy: share of rows on which the strong estimator on the labels
          and the weak one differ; NaN without labels;
        - label_discrepancy, label_advantage: misfit and advantage of weak-to-strong
          compared with the strong estimator on the labels;
        - class_coverage: how well the class frequencies of the weak labels match those
          of the labels, at most one;
        - neighbor_consistency: how much more often than by chance the 15 nearest
          neighbours share a weak label, at most one;
        - overlap_density, overlap_density_low, overlap_density_high: overlap density of
          all rows, with its interval;
        - weak_overconfidence: mean confidence of the weak estimator minus its accuracy
          on held-out labeled rows.

        For regression, misfit and discrepancies are mean squared differences relative
        to the variance of the weak values; neighbor_consistency is the share of this
        variance explained by the mean of the neighbours; and indicators that need
        classes or probabilities are NaN.

    Raises
    ------
    TypeError
        If the estimator is not a weak-to-strong estimator, or groups are passed while
        metadata routing is disabled.
    ValueError
        If no row is unlabeled, if the labels of a regression cannot be compared, or if
        an argument is invalid.

    See Also
    --------
    sklearn_w2s.model_selection.cross_validate_gap : Measures the gain of
        weak-to-strong by hiding some of many known labels.

    Notes
    -----
    Weak-to-strong can be right where the weak estimator is wrong only on rows on which
    the two differ, a share m; the gain there by its own probabilities is its advantage
    v. Before any label is used, the expected gain is :math:`a v`, with standard
    deviation :math:`s m`; a and s were estimated on the benchmark tables, separately
    for strategies with a teacher, for those that use neighbours and for those that
    imitate weak labels. On held-out labeled rows, the gain is measured as d with
    standard error :math:`\sigma` [1]_. The two are weighted by their precision; for the
    gain alone,

    .. math:: g = \frac{a v / (s m)^2 + d / \sigma^2}{1 / (s m)^2 + 1 / \sigma^2}.

    So a hundred labels shift the expectation, and a few thousand settle it. The lead
    over the strong estimator trained on the labels is estimated jointly. The advice is
    the choice with the largest expectation. If labeled rows lack columns of the
    unlabeled ones, they are not evidence, and the expectation is that from unlabeled
    rows alone.

    For regression there is no expectation before labels are used: only d counts, the
    mean difference of squared errors on held-out labeled rows.

    More labels are advised if the difference to the next best choice is within its
    noise, and if the number needed, :math:`n = m z^2 / g^2`, does not exceed that of
    the unlabeled rows. The overlap density shows where a strong estimator has something
    to learn; it does not rank sources by the resulting accuracy.

    References
    ----------
    .. [1] A. Agresti, Y. Min, "Simple Improved Confidence Intervals for Comparing
       Matched Proportions", Statistics in Medicine 24(5), 2005.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn_w2s import WeakToStrongClassifier
    >>> from sklearn_w2s.advice import advise
    >>> X, y = load_digits(return_X_y=True)
    >>> X, y = X / 16, y.copy()
    >>> y[200:] = -1
    >>> model = WeakToStrongClassifier(
    ...     GaussianNB(), LogisticRegression(), strategy="mix"
    ... )
    >>> advice = advise(model, X, y, cv=3, random_state=0)
    >>> advice.choice
    'weak_to_strong'
    >>> bool(advice.predicted_gain > 0.05)
    True
    >>> advice.comparisons["weak_to_strong - weak"]["n_rows"]
    200
    """
    require_rows(X)
    X, y = indexable(as_table(X), y)
    y = values_of(y)
    if sample_source is not None:
        names, codes = check_sources(sample_source, X)
        sample_source = names[codes]
    check_level(confidence_level)
    require_weak_to_strong(estimator)
    final = final_step(estimator)
    regresses = is_regressor(final)
    labels, labeled = check_target(y, final.missing_label, of_values=regresses)
    _refuse_all_labeled(labeled, final.missing_label)
    weigh = _check_scoring(scoring, regresses=regresses)
    lacking = _lacking_columns(X, labeled)
    if regresses and (len(labels) < _LEAST_VALUES or lacking):
        where = f", in rows that lack the columns {lacking}" if lacking else ""
        msg = (
            f"y must have at least {_LEAST_VALUES} values in rows with all columns to "
            f"advise on a regressor, got {len(labels)}{where}. Label such rows, or see "
            "cross_validate_gap."
        )
        raise ValueError(msg)

    student, predictions = run_trial(
        estimator,
        X,
        y,
        ask_labels=bool(labeled.any()) and not lacking,
        cv=cv,
        random_state=draw_seed(check_random_state(random_state)),
        n_jobs=n_jobs,
        params=params,
        verbose=verbose,
    )
    truth = np.zeros(len(labeled), dtype=labels.dtype)
    truth[labeled] = labels
    indicators = describe(student, predictions, X, truth, labeled, weigh)
    comparisons = compare(predictions.of(labeled), truth, weigh, confidence_level)

    final = final_step(student)
    strategy = final.strategy_
    priors = None if regresses else PRIORS[kind_of(strategy)]
    standing = expect(indicators, comparisons, priors)
    regions = getattr(final, "rows_", {}).get("region")
    sources = densest = None
    if sample_source is not None and regions is not None:
        is_overlap = regions[~labeled] == OVERLAP
        sources = source_table(is_overlap, sample_source[~labeled], confidence_level)
        densest = densest_source(sources, confidence_level)
    decision = decide(standing, strategy)
    decision = plan(
        decision,
        _differing(decision, comparisons if regresses else indicators),
        n_labeled=len(labels),
        n_unlabeled=int((~labeled).sum()),
        source=densest,
        confidence_level=confidence_level,
    )
    gain = standing.of("weak_to_strong", "weak")
    lead = np.nan
    if "strong_on_labels" in standing.names:
        lead = standing.of("weak_to_strong", "strong_on_labels").mean
    return Advice(
        choice=decision.choice,
        strategy=strategy,
        next_step=decision.next_step,
        n_more_labels=decision.n_more_labels,
        source=decision.source,
        predicted_gain=gain.mean,
        predicted_gain_interval=gain.interval(confidence_level),
        predicted_lead=lead,
        indicators=indicators,
        comparisons=comparisons,
        sources=sources,
        recommendation=_recommend(
            decision, strategy, standing, confidence_level, regresses
        ),
        reasons=[
            *_compared(comparisons, lacking, confidence_level, regresses),
            *_observed(indicators, int((~labeled[predictions.rows]).sum()), regresses),
        ],
        estimator=student,
    )


# What is checked, and how rows are weighed


def _refuse_all_labeled(labeled, missing_label):
    if labeled.all():
        msg = (
            "y must have unlabeled rows to learn from weak labels, but each of its "
            f"{len(labeled)} rows has a label. Mark unlabeled rows with "
            f"{missing_label!r}, or see cross_validate_gap(..., labeled_size=...) for "
            "what hidden labels would be worth."
        )
        raise ValueError(msg)


def _check_scoring(scoring, *, regresses):
    """Return the function that weighs rows by their labels, None for a regressor."""
    known = ["auto"] if regresses else ["auto", "accuracy", "balanced_accuracy"]
    if scoring not in known:
        msg = f"scoring must be one of {known}, got {scoring!r}."
        raise ValueError(msg)
    if regresses:
        return None
    if scoring == "balanced_accuracy":
        return _weigh_by_class
    return lambda labels: np.ones(len(labels))


def _weigh_by_class(labels):
    _, codes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    return 1 / counts[codes]


def _lacking_columns(X, labeled):
    """Return the names of columns that no labeled row has."""
    if np.ndim(X) == 1:
        # Texts, for a pipeline that reads them.
        return []
    positions = unknown_columns(X, np.flatnonzero(labeled), np.flatnonzero(~labeled))
    names = getattr(X, "columns", range(X.shape[1]))
    return [str(names[j]) for j in positions]


def _differing(decision, found):
    """Return the variance in a row of the difference of choice and runner-up."""
    pair = {decision.choice, decision.runner_up}
    for p in PAIRS:
        if {p.first, p.second} != pair:
            continue
        if p.differ in found:
            # The share of rows on which they differ bounds it.
            return found[p.differ]
        return found[p.name]["error"] ** 2 * found[p.name]["n_rows"]
    return 0.0


# The advice in words


def _recommend(decision, strategy, standing, confidence_level, regresses):
    """Return in sentences what to use and what to do next."""
    text = f"Use {FULL_NAMES[decision.choice]}"
    if decision.choice == "weak_to_strong":
        text += f" with strategy {strategy!r}"
    if strategy in ("weak", "strong_on_labels"):
        text += ": on held-out labels, nothing else does better."
    else:
        expected = [
            _points(standing, rival, confidence_level, regresses)
            for rival in ["weak", *standing.names[1:]]
        ]
        text += f": weak-to-strong is expected {'' if regresses else 'to be '}"
        text += " and ".join(expected)
        text += ", of the weak mean squared error." if regresses else "."
        if not is_clear(decision, confidence_level):
            text += (
                f" That {FULL_NAMES[decision.choice]} is better than "
                f"{FULL_NAMES[decision.runner_up]} has a probability of "
                f"{decision.probability:.0%}."
            )
    if decision.next_step == "collect_labels":
        text += (
            " Next, label rows drawn at random: about "
            f"{decision.n_more_labels:,} more labels should settle it."
        )
    if decision.next_step == "buy_rows":
        text += (
            f" Next, draw more rows from source {decision.source}, which has clearly "
            "more overlap rows than the others."
        )
    return text


def _points(standing, rival, confidence_level, regresses):
    expected = standing.of("weak_to_strong", rival)
    low, high = 100 * expected.interval(confidence_level)
    mean = round(100 * expected.mean, 1)
    if regresses:
        compared = f"to {'gain' if mean >= 0 else 'lose'} {abs(mean)}% on"
    else:
        word = "better" if mean > 0 else "worse"
        compared = f"{abs(mean)} points {word} than" if mean else "as good as"
    interval = f"{confidence_level:.0%} interval {low:+.1f} to {high:+.1f}"
    return f"{compared} {FULL_NAMES[rival]} ({interval})"


def _compared(comparisons, lacking, confidence_level, regresses):
    """Return sentences on what labeled rows show, or on why they show nothing."""
    reasons = []
    for pair, compared in comparisons.items():
        first, second = (FULL_NAMES[name] for name in pair.split(" - "))
        low, high = 100 * compared["interval"]
        difference = round(100 * compared["difference"], 1)
        if regresses:
            what = f"{'gains' if difference >= 0 else 'loses'} {abs(difference)}% on"
        elif difference:
            more = "more" if difference > 0 else "less"
            what = f"is right {abs(difference)} points {more} often than"
        else:
            what = "is right as often as"
        reasons.append(
            f"On {compared['n_rows']} labeled rows held out, {first} {what} {second} "
            f"({confidence_level:.0%} interval {low:+.1f} to {high:+.1f})."
        )
    if lacking:
        shown = ", ".join(map(visible, lacking[:_MOST_LISTED]))
        if len(lacking) > _MOST_LISTED:
            shown += f" and {len(lacking) - _MOST_LISTED} more"
        reasons.append(
            f"Labeled rows lack columns that unlabeled rows have ({shown}), so they "
            "cannot show what is learnt from these."
        )
    elif not comparisons:
        reasons.append(
            "There are no labels to compare with: what is expected rests on unlabeled "
            "rows alone."
        )
    return reasons


def _observed(indicators, n_unlabeled, regresses):
    """Return sentences on what held-out unlabeled rows show."""
    misfit, view = indicators["misfit"], indicators["view_discrepancy"]
    if regresses:
        reasons = [
            (
                f"On {n_unlabeled} unlabeled rows held out, the mean square of the "
                f"difference to the weak values is {misfit:.1%} of their variance for "
                f"weak-to-strong, and {view:.1%} for the strong estimator trained on "
                "the labels."
            )
        ]
    else:
        reasons = [
            (
                f"Weak-to-strong differs from the weak estimator on {misfit:.1%} of "
                f"{n_unlabeled} unlabeled rows held out, which bounds what it can gain."
            )
        ]
        if not np.isnan(view):
            reasons.append(
                "The strong estimator trained on the labels differs from the weak one "
                f"on {view:.1%}: the less they differ, the less there is to learn."
            )
    if "overlap_density" in indicators:
        density = indicators["overlap_density"]
        low, high = (indicators[f"overlap_density_{end}"] for end in ("low", "high"))
        few = ": few rows show both patterns" if density < LITTLE_OVERLAP else ""
        reasons.append(
            f"The overlap density is {density:.1%} ({low:.1%} to {high:.1%}){few}."
        )
    if indicators["class_coverage"] < LEAST_COVERAGE:
        reasons.append(
            "Weak labels have other shares of classes than labels (coverage "
            f"{indicators['class_coverage']:.2f}, at best 1): some classes are hardly "
            "taught."
        )
    excess = indicators["weak_overconfidence"]
    if abs(excess) > MOST_OVERCONFIDENCE:
        reasons.append(
            f"The weak estimator is {'over' if excess > 0 else 'under'}confident: its "
            f"confidence is {abs(excess):.2f} {'above' if excess > 0 else 'below'} its "
            "accuracy. Calibrate it, e.g. in CalibratedClassifierCV."
        )
    if indicators.get("neighbor_consistency", 1.0) < LEAST_CONSISTENCY:
        reasons.append(
            "Neighbouring rows hardly share weak labels (consistency "
            f"{indicators['neighbor_consistency']:.2f}, by chance 0): they look like "
            "noise, or the columns carry little information."
        )
    return reasons

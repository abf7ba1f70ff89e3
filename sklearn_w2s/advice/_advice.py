"""What is advised, and why."""

import textwrap
from dataclasses import dataclass
from functools import partial
from typing import Any

_WIDTH = 88


@dataclass(frozen=True, eq=False, repr=False)
class Advice:
    """What to do with weak labels, and the evidence; printed, it is a text.

    Parameters
    ----------
    choice : {"weak", "weak_to_strong", "strong_on_labels"}
        Which classifier to use: the weak estimator, the strong one trained by way of
        weak labels, or the strong one trained on the labeled rows alone.
    strategy : str or callable
        Strategy of the weak-to-strong classifier.
    next_step : {"collect_labels", "buy_rows"} or None
        What to do next, if anything.
    n_more_labels : int
        Labels to collect; 0 with another next step.
    source : object
        Source to buy rows from; None with another next step.
    predicted_gain : float
        Expected score of weak-to-strong less that of the weak estimator.
    predicted_gain_interval : ndarray of shape (2,)
        Its interval.
    predicted_lead : float
        Expected score of weak-to-strong less that of the strong estimator on labels;
        NaN where this cannot be trained.
    indicators : dict of str to float
        See `advise`.
    comparisons : dict of str to dict
        Paired comparisons in labeled rows held out, by ``"<first> - <second>"``:
        difference, error, interval of shape (2,) and n_rows. Empty where labels tell
        nothing.
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

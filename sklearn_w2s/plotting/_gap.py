"""Draw how much of the gap between weak and ceiling is recovered."""

from typing import Any, Self

import numpy as np
from sklearn.utils import column_or_1d
from sklearn.utils.validation import check_consistent_length

from sklearn_w2s._validation import check_level
from sklearn_w2s.model_selection import cross_validate_gap
from sklearn_w2s.plotting._fits import (
    MARKS,
    check_results,
    check_scores,
    choose_metric,
    describe_folds,
    half_width,
    label_fits,
    name_score,
    score_text,
    take_scores,
)
from sklearn_w2s.plotting._style import line_style, one_axes

_MEAN = {
    "markersize": 8,
    "elinewidth": 2.2,
    "capsize": 4,
    "linestyle": "none",
    "zorder": 3,
}
_FOLD = {"s": 12, "color": "#888888", "linewidths": 0, "zorder": 2}
_BOUND = {"color": "#555555", "linestyle": "--", "linewidth": 1, "zorder": 1}
# Folds stand below the line of their mean, where it does not hide them.
_DROP = 0.22


class GapDisplay:
    """Scores of weak, weak-to-strong, strong on labels and ceiling, with their folds.

    One line for each: the mean over folds with its interval, every fold as a dot below,
    the mean in numbers beside, and for weak-to-strong the share of the gap recovered.
    Dashed lines mark the gap. Use `from_cv_results` or `from_estimator` to create one.

    Parameters
    ----------
    scores : dict of str to array-like of shape (n_folds,)
        Of "weak", "weak_to_strong", "ceiling" and, if there is one,
        "strong_on_labels"; greater is better. Where a fold is NaN, so is the mean.
    gap_recovered : float, default=nan
        Share of the gap recovered; NaN where it is undefined.
    gap_recovered_interval : array-like of shape (2,), default=(nan, nan)
        Its interval.
    score_name : str, default="score"
        Name of the scores, below the axis.
    confidence_level : float, default=0.95
        Level of all intervals, in (0, 1).

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        Their figure.
    means_ : dict of str to matplotlib ErrorbarContainer
        Mean and interval of each line.
    folds_ : dict of str to matplotlib PathCollection
        The folds of each line.
    bounds_ : list of matplotlib Line2D
        The mean of weak and of ceiling, across all lines.
    texts_ : dict of str to matplotlib Text
        What is written beside each line.

    Raises
    ------
    ValueError
        If scores are missing, infinite or of different lengths, or if a level or an
        interval does not fit.

    See Also
    --------
    sklearn_w2s.model_selection.cross_validate_gap : Computes the results.

    Notes
    -----
    The interval of a mean is that of Student's t over the folds. Scores of one fold
    are of the same rows: where intervals overlap, a difference can still be clear, and
    the share of the gap, which compares fold by fold, says so.

    Examples
    --------
    >>> from sklearn_w2s.plotting import GapDisplay
    >>> display = GapDisplay.from_cv_results(
    ...     {
    ...         "weak_score": [0.7, 0.72, 0.71],
    ...         "weak_to_strong_score": [0.8, 0.81, 0.82],
    ...         "strong_on_labels_score": [0.75, 0.74, 0.76],
    ...         "ceiling_score": [0.9, 0.92, 0.91],
    ...         "gap_recovered": 0.5,
    ...         "gap_recovered_interval": [0.45, 0.55],
    ...         "confidence_level": 0.95,
    ...     }
    ... )
    >>> print(display.texts_["weak_to_strong"].get_text())
    0.810
    50% of the gap
    [45%, 55%]
    """

    def __init__(
        self,
        *,
        scores: Any,
        gap_recovered: float = np.nan,
        gap_recovered_interval: Any = (np.nan, np.nan),
        score_name: str = "score",
        confidence_level: float = 0.95,
    ) -> None:
        checked = check_scores(scores)
        self.scores = {name: column_or_1d(each) for name, each in checked.items()}
        check_consistent_length(*self.scores.values())
        self.gap_recovered = float(gap_recovered)
        interval = np.asarray(gap_recovered_interval, dtype=np.float64)
        if interval.shape != (2,):
            msg = (
                f"gap_recovered_interval={gap_recovered_interval!r} must be two "
                "numbers, its lower and its upper end."
            )
            raise ValueError(msg)
        check_level(confidence_level)
        self.gap_recovered_interval = interval
        self.score_name = score_name
        self.confidence_level = confidence_level

    @classmethod
    def from_cv_results(
        cls,
        results: dict[str, Any],
        *,
        metric: str | None = None,
        score_name: str | None = None,
        ax: Any = None,
        mean_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the results of a cross-validation of the gap.

        Parameters
        ----------
        results : dict
            As :func:`~sklearn_w2s.model_selection.cross_validate_gap` returns it.
        metric : str, default=None
            Which of several scores to draw; None where there is one.
        score_name : str, default=None
            Name of the scores, below the axis; None is that in the results.
        ax : matplotlib Axes, default=None
            Axes to draw in; None makes a figure.
        mean_kwargs : dict, default=None
            Arguments of matplotlib's `errorbar` for the means.

        Returns
        -------
        GapDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If the results are of another function, or if `metric` is not among them
            or is None where there are several.
        """
        check_results(results, "cross_validate_gap")
        metric = choose_metric(results, metric)
        suffix = "" if "gap_recovered" in results else f"_{metric}"
        display = cls(
            scores=take_scores(results, metric),
            gap_recovered=results[f"gap_recovered{suffix}"],
            gap_recovered_interval=results[f"gap_recovered_interval{suffix}"],
            score_name=metric if score_name is None else score_name,
            confidence_level=results["confidence_level"],
        )
        return display.plot(ax, mean_kwargs=mean_kwargs)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        metric: str | None = None,
        ax: Any = None,
        mean_kwargs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Self:
        """Cross-validate the gap and draw it.

        Parameters
        ----------
        estimator : classifier instance
            As in :func:`~sklearn_w2s.model_selection.cross_validate_gap`.
        X : {array-like, sparse matrix, data frame} of shape (n, n_features)
            Rows.
        y : array-like of shape (n,)
            Labels.
        metric : str, default=None
            Which of several scores to draw; None where there is one.
        ax : matplotlib Axes, default=None
            Axes to draw in; None makes a figure.
        mean_kwargs : dict, default=None
            Arguments of matplotlib's `errorbar` for the means.
        **kwargs : dict
            Further arguments of
            :func:`~sklearn_w2s.model_selection.cross_validate_gap`.

        Returns
        -------
        GapDisplay
            The display, drawn.
        """
        return cls.from_cv_results(
            cross_validate_gap(estimator, X, y, **kwargs),
            metric=metric,
            score_name=name_score(kwargs.get("scoring", "auto"), estimator),
            ax=ax,
            mean_kwargs=mean_kwargs,
        )

    def plot(
        self, ax: Any = None, *, mean_kwargs: dict[str, Any] | None = None
    ) -> Self:
        """Draw the scores.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw in; None makes a figure.
        mean_kwargs : dict, default=None
            Arguments of matplotlib's `errorbar` for the means.

        Returns
        -------
        GapDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        self.ax_ = one_axes(ax, "GapDisplay", figsize=(5.6, 3.2))
        self.figure_ = self.ax_.figure
        labels = label_fits(self.scores)
        self.means_, self.folds_, self.texts_ = {}, {}, {}
        means = {name: np.mean(self.scores[name]) for name in labels}
        self.bounds_ = [
            self.ax_.axvline(means[name], **_BOUND) for name in ("weak", "ceiling")
        ]
        for height, name in enumerate(labels):
            style = line_style(MARKS[name] | _MEAN, mean_kwargs)
            folds = self.scores[name]
            half = half_width(folds, self.confidence_level)
            self.means_[name] = self.ax_.errorbar(
                [means[name]], [height], xerr=[half], **style
            )
            below = np.full(len(folds), height - _DROP)
            self.folds_[name] = self.ax_.scatter(folds, below, **_FOLD)
            self.texts_[name] = self.ax_.annotate(
                self._text(name, means[name]),
                xy=(1, height),
                xycoords=("axes fraction", "data"),
                xytext=(8, 0),
                textcoords="offset points",
                verticalalignment="center",
                fontsize="small",
                annotation_clip=False,
            )
        self._label(labels)
        return self

    def _text(self, name, mean):
        text = score_text(mean)
        if name != "weak_to_strong":
            return text
        if np.isnan(self.gap_recovered):
            return f"{text}\nshare of the gap\nundefined: no gap\nbeyond its noise"
        ends = (self.gap_recovered, *self.gap_recovered_interval)
        # No share is "-0%".
        share, low, high = (f"{round(end, 2) + 0.0:.0%}" for end in ends)
        return f"{text}\n{share} of the gap\n[{low}, {high}]"

    def _label(self, labels):
        folds = describe_folds(len(self.scores["weak"]), self.confidence_level)
        self.ax_.set_yticks(range(len(labels)), labels.values())
        self.ax_.set(
            ylim=(-0.6, len(labels) - 0.5), xlabel=f"{self.score_name}: {folds}"
        )
        self.ax_.tick_params(axis="y", length=0)
        self.ax_.spines[["top", "right", "left"]].set_visible(False)

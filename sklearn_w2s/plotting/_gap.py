"""Draw how much of the gap is recovered, at one number of rows or at several."""

from typing import Any, Literal, Self

import numpy as np
from sklearn.utils import column_or_1d
from sklearn.utils.validation import check_consistent_length

from sklearn_w2s._validation import check_level
from sklearn_w2s.model_selection import cross_validate_gap, gap_learning_curve
from sklearn_w2s.plotting._shared import (
    LEGEND,
    MARKS,
    as_column,
    check_results,
    check_scores,
    describe_folds,
    half_width,
    label_fits,
    line_style,
    name_score,
    one_axes,
    score_text,
    take_scores,
)

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
# Told apart by line and marker in grey, by these colours elsewhere.
_LINES = {
    "weak": {"linestyle": "--", "linewidth": 1.4},
    "strong_on_labels": {"linestyle": ":", "linewidth": 2},
    "weak_to_strong": {"linestyle": "-", "linewidth": 2, "zorder": 3},
    "ceiling": {"linestyle": "-.", "linewidth": 1.6},
}
_BAR = {"markersize": 5.5, "elinewidth": 1.2, "capsize": 2}
# In points, so that bars at the same size do not hide each other.
_BAR_DISTANCE = 4
_SIZE_NAMES = {"n_labeled": "labels", "n_unlabeled": "unlabeled rows"}
# Beyond a decade, the smaller sizes would crowd.
_WIDEST_LINEAR = 10
# Least distance of two ticks, as a share of the axis.
_TICK_DISTANCE = 0.1


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
    the share of the gap, which compares fold by fold, shows it.

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
        metric, scores = take_scores(results, metric)
        suffix = "" if "gap_recovered" in results else f"_{metric}"
        display = cls(
            scores=scores,
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


class GapLearningCurveDisplay:
    """Scores of weak, weak-to-strong, strong on labels and ceiling at several sizes.

    One line for each fit: its means over folds, with bars for their intervals, which
    stand beside each other. Where the line of strong on labels meets that of
    weak-to-strong, the labels are enough. Use `from_cv_results` or `from_estimator` to
    create one.

    Parameters
    ----------
    sizes : array-like of shape (n_sizes,)
        Numbers of rows, on a logarithmic axis where the largest is more than ten times
        the smallest.
    scores : dict of str to array-like of shape (n_sizes, n_folds)
        Of "weak", "weak_to_strong", "ceiling" and, if there is one,
        "strong_on_labels"; greater is better. Where a fold is NaN, so is the mean, and
        is not drawn.
    size_name : str, default="labels"
        Name of the sizes, below the axis.
    score_name : str, default="score"
        Name of the scores, beside the axis.
    confidence_level : float, default=0.95
        Level of the intervals, in (0, 1).

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        Their figure.
    means_ : dict of str to matplotlib ErrorbarContainer
        Mean scores of each fit, with their intervals.

    Raises
    ------
    ValueError
        If scores are missing, infinite or of different shapes, or if a size or the
        level does not fit.

    See Also
    --------
    sklearn_w2s.model_selection.gap_learning_curve : Computes the results.
    GapDisplay : The same at one size, with every fold.

    Notes
    -----
    The interval of a mean is that of Student's t over the folds. Scores of one fold are
    of the same rows: where bars overlap, a difference can still be clear.

    Examples
    --------
    >>> from sklearn_w2s.plotting import GapLearningCurveDisplay
    >>> display = GapLearningCurveDisplay(
    ...     sizes=[20, 60, 300],
    ...     scores={
    ...         "weak": [[0.6, 0.62], [0.7, 0.72], [0.74, 0.76]],
    ...         "weak_to_strong": [[0.66, 0.68], [0.78, 0.8], [0.84, 0.86]],
    ...         "strong_on_labels": [[0.5, 0.54], [0.7, 0.72], [0.86, 0.88]],
    ...         "ceiling": [[0.9, 0.92], [0.9, 0.92], [0.9, 0.92]],
    ...     },
    ...     score_name="accuracy",
    ... ).plot()
    >>> display.means_["weak_to_strong"].lines[0].get_ydata().round(2).tolist()
    [0.67, 0.79, 0.85]
    >>> display.ax_.get_xscale()
    'log'
    """

    def __init__(
        self,
        *,
        sizes: Any,
        scores: Any,
        size_name: str = "labels",
        score_name: str = "score",
        confidence_level: float = 0.95,
    ) -> None:
        self.sizes = as_column(sizes, "sizes")
        self.scores = check_scores(scores)
        _check_shapes(self.sizes, self.scores)
        check_level(confidence_level)
        self.size_name = size_name
        self.score_name = score_name
        self.confidence_level = confidence_level

    @classmethod
    def from_cv_results(
        cls,
        results: dict[str, Any],
        *,
        against: Literal["n_labeled", "n_unlabeled"] | None = None,
        metric: str | None = None,
        score_name: str | None = None,
        ax: Any = None,
        mean_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the results of a learning curve of the gap.

        Parameters
        ----------
        results : dict
            As :func:`~sklearn_w2s.model_selection.gap_learning_curve` returns it.
        against : {"n_labeled", "n_unlabeled"}, default=None
            Which numbers to draw against, their mean over folds. None takes that of
            labels, unless only that of unlabeled rows differs.
        metric : str, default=None
            Which of several scores to draw; None where there is one.
        score_name : str, default=None
            Name of the scores, beside the axis; None is that in the results.
        ax : matplotlib Axes, default=None
            Axes to draw in; None makes a figure.
        mean_kwargs : dict, default=None
            Arguments of matplotlib's `errorbar` for the means.

        Returns
        -------
        GapLearningCurveDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If the results are of another function, if `metric` is not among them or is
            None where there are several, or if `against` is unknown.
        """
        check_results(results, "gap_learning_curve")
        metric, scores = take_scores(results, metric)
        against = _choose_sizes(results, against)
        display = cls(
            sizes=np.mean(results[against], axis=1),
            scores=scores,
            size_name=_SIZE_NAMES[against],
            score_name=metric if score_name is None else score_name,
            # The same at all sizes, of which each has its own.
            confidence_level=float(np.ravel(results["confidence_level"])[0]),
        )
        return display.plot(ax, mean_kwargs=mean_kwargs)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        against: Literal["n_labeled", "n_unlabeled"] | None = None,
        metric: str | None = None,
        ax: Any = None,
        mean_kwargs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Self:
        """Cross-validate the gap at several sizes and draw it.

        Parameters
        ----------
        estimator : classifier instance
            As in :func:`~sklearn_w2s.model_selection.gap_learning_curve`.
        X : {array-like, sparse matrix, data frame} of shape (n, n_features)
            Rows.
        y : array-like of shape (n,)
            Labels.
        against : {"n_labeled", "n_unlabeled"}, default=None
            Which numbers to draw against. None takes that of labels, unless only that
            of unlabeled rows differs.
        metric : str, default=None
            Which of several scores to draw; None where there is one.
        ax : matplotlib Axes, default=None
            Axes to draw in; None makes a figure.
        mean_kwargs : dict, default=None
            Arguments of matplotlib's `errorbar` for the means.
        **kwargs : dict
            Further arguments of
            :func:`~sklearn_w2s.model_selection.gap_learning_curve`.

        Returns
        -------
        GapLearningCurveDisplay
            The display, drawn.
        """
        return cls.from_cv_results(
            gap_learning_curve(estimator, X, y, **kwargs),
            against=against,
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
        GapLearningCurveDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        self.ax_ = one_axes(ax, "GapLearningCurveDisplay", figsize=(5.5, 4))
        self.figure_ = self.ax_.figure
        # Sizes may come in any order; a line is drawn from left to right.
        order = np.argsort(self.sizes, kind="stable")
        sizes = self.sizes[order]
        labels = label_fits(self.scores)
        self.means_ = {}
        # The highest first, as they stand in the legend.
        for i, name in enumerate(reversed(labels)):
            scores = self.scores[name][order]
            label = labels[name].replace("\n", " ")
            style = {**MARKS[name], **_LINES[name], **_BAR, "label": label}
            self.means_[name] = self.ax_.errorbar(
                sizes,
                scores.mean(axis=1),
                yerr=half_width(scores, self.confidence_level),
                **line_style(style, mean_kwargs),
            )
            self._shift(self.means_[name], (len(labels) - 1) / 2 - i)
        self._label(sizes)
        return self

    def _shift(self, means, place):
        """Shift a line by points, for which no unit of the axis would do."""
        from matplotlib.transforms import ScaledTranslation

        inches = self.figure_.dpi_scale_trans
        shift = ScaledTranslation(place * _BAR_DISTANCE / 72, 0, inches)
        # Once the limits are known: with the transform in `errorbar` they would be off.
        for artist in means.get_children():
            artist.set_transform(self.ax_.transData + shift)

    def _label(self, sizes):
        if sizes[0] > 0 and sizes[-1] > _WIDEST_LINEAR * sizes[0]:
            self.ax_.set_xscale("log")
        ticks = _thin(sizes, is_log=self.ax_.get_xscale() == "log")
        self.ax_.set_xticks(ticks, [f"{round(tick):,}" for tick in ticks])
        self.ax_.minorticks_off()
        n_folds = self.scores["weak"].shape[1]
        folds = describe_folds(n_folds, self.confidence_level)
        self.ax_.set(xlabel=self.size_name, ylabel=self.score_name)
        self.ax_.legend(ncols=2, title=folds, title_fontsize="small", **LEGEND)


def _thin(sizes, *, is_log):
    """Return sizes that are far enough apart for their ticks to be legible."""
    places = np.log(sizes) if is_log else sizes
    least = _TICK_DISTANCE * (places[-1] - places[0])
    kept = [0]
    for i in range(1, len(sizes)):
        if places[i] - places[kept[-1]] > least:
            kept.append(i)
    return sizes[kept]


def _choose_sizes(results, against):
    if against is None:
        means = np.mean(results["n_labeled"], axis=1)
        has_one = np.ptp(means) == 0 and np.ptp(results["n_unlabeled"]) > 0
        return "n_unlabeled" if has_one else "n_labeled"
    if against not in _SIZE_NAMES:
        msg = f"against={against!r} must be one of {tuple(_SIZE_NAMES)}, or None."
        raise ValueError(msg)
    return against


def _check_shapes(sizes, scores):
    for name, table in scores.items():
        expected = (len(sizes), *scores["weak"].shape[1:])
        if table.shape != expected or table.ndim != 2:
            msg = (
                f"scores[{name!r}] has shape {table.shape}; with {len(sizes)} sizes "
                f"all must have ({len(sizes)}, n_folds), the same number of folds."
            )
            raise ValueError(msg)
    if sizes.min() < 0:
        msg = f"sizes={sizes.tolist()} must be numbers of rows, 0 or more."
        raise ValueError(msg)

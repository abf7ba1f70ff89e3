"""Draw what the share of overlap rows does to a strong estimator."""

from typing import Any, Self

import numpy as np

from sklearn_w2s.metrics import gap_regime, performance_gap_recovered
from sklearn_w2s.model_selection import overlap_curve
from sklearn_w2s.plotting._shared import (
    LEGEND,
    as_column,
    as_table,
    check_results,
    collection_style,
    import_pyplot,
    line_style,
    name_score,
)

# Okabe-Ito colours of different lightness; line styles tell them apart in grey.
_STUDENT = {"color": "#D55E00", "marker": "o", "markersize": 4, "linewidth": 2}
_WEAK = {"color": "#000000", "linestyle": "--", "linewidth": 1.4}
_CEILING = {"color": "#0072B2", "linestyle": "-.", "linewidth": 1.6}
_QUALITY = {"color": "#555555", "marker": ".", "markersize": 4, "linewidth": 1}
_DENSITY = {"color": "#555555", "linestyle": ":", "linewidth": 1.2}
_BAND_ALPHA = 0.2
# Of the panel of weak labels, in units of accuracy, or of the mean error.
_LEAST_HEIGHT = 0.1
# Regimes in light greys, the better the lighter, behind all else.
_REGIMES = {"medium": "#E2E2E2", "high": "#F2F2F2"}


class OverlapCurveDisplay:
    """Score of a strong estimator against the share of overlap rows it learns from.

    Two panels: the mean scores over the repeats with their standard deviations, between
    those of the weak estimator and of the ceiling; and below, how many weak labels are
    true of the rows drawn at each share, or the error of weak values. A slope above
    that only follows the slope below is due to the labels, not to the overlap. Use
    `from_estimator` or `from_cv_results` to create one.

    Grey bands are the regimes of :func:`~sklearn_w2s.metrics.gap_regime`: "high" where
    half of the gap between weak estimator and ceiling is recovered, "medium" where less
    is, and low, which has none, below the weak estimator.

    Parameters
    ----------
    overlap_share : array-like of shape (n_shares,)
        Shares of overlap rows, in [0, 1].
    weak_score : array-like of shape (n_scores,)
        Scores of the weak estimator, one per repeat.
    weak_to_strong_score : array-like of shape (n_shares, n_scores)
        Scores of the strong estimator fitted on weak labels; NaN where there is none,
        and a share at which a repeat has none is not drawn.
    ceiling_score : array-like of shape (n_shares, n_scores)
        Scores of the strong estimator fitted on true labels, likewise.
    weak_label_accuracy : array-like of shape (n_shares, n_scores), default=None
        Share of weak labels that are true, of the rows drawn.
    weak_label_rmse : array-like of shape (n_shares, n_scores), default=None
        Root mean squared error of weak values, in place of it.
    overlap_density : array-like of shape (n_scores,), default=None
        Share of overlap rows where the rows were drawn; None marks none.
    n_samples : int, default=None
        Rows drawn at each share; None names no number.
    score_name : str, default="score"
        Label of the scores.

    Attributes
    ----------
    axes_ : ndarray of shape (2,) of matplotlib Axes
        The panels: scores, weak labels. Of shape (1,) where one was given.
    ax_ : matplotlib Axes
        The scores.
    figure_ : matplotlib Figure
        Figure of the panels.
    lines_ : dict of str to matplotlib Line2D
        Mean scores: "weak", "weak_to_strong" and "ceiling".
    bands_ : dict of str to matplotlib PolyCollection
        One standard deviation around each, empty with a single repeat.
    regimes_ : dict of str to matplotlib PolyCollection
        "medium" and "high"; empty unless the ceiling is above the weak estimator at
        all shares.
    quality_line_ : matplotlib Line2D or None
        Mean accuracy of the weak labels, or error of weak values; None with a single
        panel.
    gap_regime_ : ndarray of shape (n_shares,) of str
        Regime of the mean scores at each share.

    Raises
    ------
    ValueError
        If shapes differ, if a share, a weak score, an accuracy or an error is not
        finite, or unless one of `weak_label_accuracy` and `weak_label_rmse` is given.

    See Also
    --------
    sklearn_w2s.model_selection.overlap_curve : Computes the results.

    Examples
    --------
    >>> from sklearn_w2s.plotting import OverlapCurveDisplay
    >>> display = OverlapCurveDisplay(
    ...     overlap_share=[0, 0.5, 1],
    ...     weak_score=[0.7, 0.72],
    ...     weak_to_strong_score=[[0.6, 0.62], [0.74, 0.76], [0.86, 0.88]],
    ...     ceiling_score=[[0.9, 0.92], [0.9, 0.92], [0.9, 0.92]],
    ...     weak_label_accuracy=[[0.6, 0.6], [0.7, 0.7], [0.8, 0.8]],
    ... ).plot()
    >>> display.gap_regime_.tolist()
    ['low', 'medium', 'high']
    """

    def __init__(
        self,
        *,
        overlap_share: Any,
        weak_score: Any,
        weak_to_strong_score: Any,
        ceiling_score: Any,
        weak_label_accuracy: Any = None,
        weak_label_rmse: Any = None,
        overlap_density: Any = None,
        n_samples: int | None = None,
        score_name: str = "score",
    ) -> None:
        self.overlap_share = as_column(overlap_share, "overlap_share")
        self.weak_score = as_column(weak_score, "weak_score")
        shape = (len(self.overlap_share), len(self.weak_score))
        why = f"with {shape[0]} shares and {shape[1]} scores of the weak estimator"
        self.weak_to_strong_score = as_table(
            weak_to_strong_score, "weak_to_strong_score", shape, why
        )
        self.ceiling_score = as_table(ceiling_score, "ceiling_score", shape, why)
        if (weak_label_accuracy is None) == (weak_label_rmse is None):
            msg = (
                "One of weak_label_accuracy and weak_label_rmse must be given, and one "
                "alone: the first where labels are classes, the second for values."
            )
            raise ValueError(msg)
        self.weak_label_accuracy, self.weak_label_rmse = (
            None if values is None else as_table(values, name, shape, why, finite=True)
            for name, values in (
                ("weak_label_accuracy", weak_label_accuracy),
                ("weak_label_rmse", weak_label_rmse),
            )
        )
        self.overlap_density = (
            None
            if overlap_density is None
            else as_column(overlap_density, "overlap_density")
        )
        self.n_samples = n_samples
        self.score_name = score_name

    @classmethod
    def from_cv_results(
        cls,
        results: dict[str, Any],
        *,
        ax: Any = None,
        score_name: str = "score",
        line_kwargs: dict[str, Any] | None = None,
        band_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the results of the mixing experiment.

        Parameters
        ----------
        results : dict
            As :func:`~sklearn_w2s.model_selection.overlap_curve` returns it.
        ax : matplotlib Axes or array-like of two, default=None
            Panels to draw in; one draws the scores alone, None makes a figure of two.
        score_name : str, default="score"
            Label of the scores.
        line_kwargs : dict, default=None
            Arguments of matplotlib's `plot` for the scores on weak labels.
        band_kwargs : dict, default=None
            Arguments of matplotlib's `fill_between` for the standard deviations.

        Returns
        -------
        OverlapCurveDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If `results` are of another function or lack an entry, shapes differ, or a
            number is not finite.
        """
        check_results(results, "overlap_curve")
        quality = "weak_label_accuracy"
        if "weak_label_rmse" in results:
            quality = "weak_label_rmse"
        names = (
            "overlap_share",
            "weak_score",
            "weak_to_strong_score",
            "ceiling_score",
            quality,
        )
        missing = [name for name in names if name not in results]
        if missing:
            msg = f"results lacks {missing}; pass what overlap_curve returned."
            raise ValueError(msg)
        display = cls(
            **{name: results[name] for name in names},
            overlap_density=results.get("overlap_density"),
            n_samples=results.get("n_samples"),
            score_name=score_name,
        )
        return display.plot(ax, line_kwargs=line_kwargs, band_kwargs=band_kwargs)

    @classmethod
    def from_estimator(
        cls,
        weak_estimator: Any,
        strong_estimator: Any,
        X: Any,
        y: Any,
        regions: Any,
        *,
        ax: Any = None,
        line_kwargs: dict[str, Any] | None = None,
        band_kwargs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Self:
        """Run the mixing experiment and draw it.

        Parameters
        ----------
        weak_estimator : classifier or regressor instance
            Gives the weak labels, as in
            :func:`~sklearn_w2s.model_selection.overlap_curve`.
        strong_estimator : classifier or regressor instance
            Is fitted on them.
        X : {array-like, sparse matrix, data frame} of shape (n, n_features)
            Rows.
        y : array-like of shape (n,)
            True labels, or values, of all rows.
        regions : array-like of shape (n,) or detector instance
            "easy", "hard" or "overlap" for each row, or what finds it.
        ax : matplotlib Axes or array-like of two, default=None
            Panels to draw in; one draws the scores alone, None makes a figure of two.
        line_kwargs : dict, default=None
            Arguments of matplotlib's `plot` for the scores on weak labels.
        band_kwargs : dict, default=None
            Arguments of matplotlib's `fill_between` for the standard deviations.
        **kwargs : dict
            Further arguments of :func:`~sklearn_w2s.model_selection.overlap_curve`.

        Returns
        -------
        OverlapCurveDisplay
            The display, drawn.
        """
        results = overlap_curve(
            weak_estimator, strong_estimator, X, y, regions, **kwargs
        )
        return cls.from_cv_results(
            results,
            ax=ax,
            score_name=name_score(kwargs.get("scoring", "auto"), strong_estimator)
            or "score",
            line_kwargs=line_kwargs,
            band_kwargs=band_kwargs,
        )

    def plot(
        self,
        ax: Any = None,
        *,
        line_kwargs: dict[str, Any] | None = None,
        band_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the panels.

        Parameters
        ----------
        ax : matplotlib Axes or array-like of two, default=None
            Panels to draw in; one draws the scores alone, None makes a figure of two.
        line_kwargs : dict, default=None
            Arguments of matplotlib's `plot` for the scores on weak labels.
        band_kwargs : dict, default=None
            Arguments of matplotlib's `fill_between` for the standard deviations.

        Returns
        -------
        OverlapCurveDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If `ax` is neither one nor two axes.
        """
        self.axes_ = _one_or_two_axes(ax)
        self.ax_ = self.axes_[0]
        self.figure_ = self.ax_.figure
        # Shares may come in any order; a line is drawn from left to right.
        order = np.argsort(self.overlap_share, kind="stable")
        shares = self.overlap_share[order]
        weak = np.tile(self.weak_score, (len(shares), 1))
        self.lines_: dict[str, Any] = {}
        self.bands_: dict[str, Any] = {}
        for name, label, scores, style in (
            ("ceiling", "ceiling: true labels", self.ceiling_score[order], _CEILING),
            (
                "weak_to_strong",
                "strong on weak labels",
                self.weak_to_strong_score[order],
                line_style({**_STUDENT, "zorder": 3}, line_kwargs),
            ),
            ("weak", "weak estimator", weak, _WEAK),
        ):
            self._draw_scores(name, label, shares, scores, style, band_kwargs)
        self._draw_regimes(shares, weak.mean(axis=1), self.ceiling_score[order])
        if self.overlap_density is not None:
            density = self.overlap_density.mean()
            label = f"share in the data: {density:.2g}"
            self.ax_.axvline(density, label=label, zorder=1, **_DENSITY)
        self._draw_quality(shares, order)
        rows = "" if self.n_samples is None else f" among {self.n_samples:,}"
        self.axes_[-1].set_xlabel(f"share of overlap rows{rows}")
        self.ax_.set_ylabel(self.score_name)
        self.ax_.legend(ncols=2, **LEGEND)
        return self

    def _draw_scores(self, name, label, shares, scores, style, band_kwargs):
        mean = scores.mean(axis=1)
        (self.lines_[name],) = self.ax_.plot(shares, mean, **{"label": label, **style})
        if scores.shape[1] > 1:
            deviation = scores.std(axis=1, ddof=1)
            color = self.lines_[name].get_color()
            look = {"color": color, "alpha": _BAND_ALPHA, "linewidth": 0, "zorder": 1.5}
            self.bands_[name] = self.ax_.fill_between(
                shares,
                mean - deviation,
                mean + deviation,
                **collection_style(look, band_kwargs),
            )

    def _draw_regimes(self, shares, weak, ceiling):
        student = self.weak_to_strong_score.mean(axis=1)
        gap = performance_gap_recovered(
            self.weak_score.mean(),
            student,
            self.ceiling_score.mean(axis=1),
            zero_division=np.nan,
        )
        self.gap_regime_ = gap_regime(gap)
        self.regimes_ = {}
        top = ceiling.mean(axis=1)
        # Written so that NaN fails it.
        if not (top > weak).all():
            return
        middle = (weak + top) / 2
        for name, low, high in (("medium", weak, middle), ("high", middle, top)):
            self.regimes_[name] = self.ax_.fill_between(
                shares, low, high, color=_REGIMES[name], linewidth=0, zorder=0.5
            )
            self.ax_.annotate(
                name,
                (1, (low[-1] + high[-1]) / 2),
                xycoords=("axes fraction", "data"),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                fontsize="small",
                color="#555555",
            )

    def _draw_quality(self, shares, order):
        self.quality_line_ = None
        if len(self.axes_) < 2:
            return
        panel, label, least = self.axes_[1], "weak labels\nright", _LEAST_HEIGHT
        quality: Any = self.weak_label_accuracy
        if quality is None:
            quality, label = self.weak_label_rmse, "RMSE of\nweak labels"
            least *= quality.mean()
        quality = quality[order]
        mean = quality.mean(axis=1)
        (self.quality_line_,) = panel.plot(shares, mean, **_QUALITY)
        if quality.shape[1] > 1:
            deviation = quality.std(axis=1, ddof=1)
            panel.fill_between(
                shares,
                mean - deviation,
                mean + deviation,
                color=_QUALITY["color"],
                alpha=_BAND_ALPHA,
                linewidth=0,
            )
        # Where it is held fixed, rounding must not be blown up to fill the panel.
        low, high = panel.get_ylim()
        if high - low < least:
            centre = (low + high) / 2
            panel.set_ylim(centre - least / 2, centre + least / 2)
        panel.set_ylabel(label)


def _one_or_two_axes(ax):
    plt = import_pyplot("OverlapCurveDisplay")
    if ax is None:
        figure, axes = plt.subplots(
            2,
            1,
            figsize=(5.2, 4.4),
            sharex=True,
            height_ratios=(3, 1),
            layout="constrained",
        )
        figure.align_ylabels(axes)
        return axes
    axes = np.ravel(ax)
    if len(axes) not in (1, 2) or not all(hasattr(one, "plot") for one in axes):
        msg = f"ax={ax!r} must be one axes or two, as from plt.subplots(2, 1)[1]."
        raise ValueError(msg)
    return axes

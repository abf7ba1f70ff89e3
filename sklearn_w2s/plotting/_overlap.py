"""Draw how rows fall into the easy, hard and overlap regions."""

from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_consistent_length

from sklearn_w2s._algorithms.overlap import EASY, HARD, OVERLAP
from sklearn_w2s._validation import check_regions
from sklearn_w2s.plotting._shared import (
    LEGEND,
    as_column,
    collection_style,
    line_style,
    three_axes,
)

# Okabe-Ito colours of clearly different lightness, so that they survive in grey.
_MARKS = {
    EASY: {"color": "#56B4E9", "marker": "o", "zorder": 2},
    HARD: {"color": "#000000", "marker": "x", "zorder": 2.1},
    OVERLAP: {"color": "#D55E00", "marker": "^", "zorder": 2.2},
}
# The scatter, where every row counts, is the largest.
_LAYOUT = {"mosaic": "AB;CC", "figsize": (5.9, 5), "height_ratios": (2, 3)}
_CURVE = {"color": "#0072B2", "linewidth": 2}
_THRESHOLD = {"color": "#555555", "linestyle": "--", "linewidth": 1.2}
# More marks than this make files of vector graphics unwieldy.
_LARGEST_VECTOR = 5_000


class OverlapDisplay:
    """Confidence and overlap score of each row, with the thresholds that part them.

    Three panels: the sorted confidences of all rows, the sorted overlap scores of the
    rows that are not hard, and both scores of every row by region. Use `from_estimator`
    or `from_predictions` to create one.

    Parameters
    ----------
    confidence : array-like of shape (n,)
        Confidence of the weak estimator, in [0, 1].
    overlap_score : array-like of shape (n,)
        Similarity to the hard rows.
    regions : array-like of shape (n,)
        "easy", "hard" or "overlap".
    confidence_threshold : float or None
        Smallest confidence that is not hard; None or an infinite number draws no line.
    overlap_threshold : float or None
        Smallest overlap score of an overlap row; None or an infinite number draws no
        line.
    name : str, default=None
        Title of the legend; None shows none.

    Attributes
    ----------
    axes_ : ndarray of shape (3,) of matplotlib Axes
        The panels: sorted confidences, sorted overlap scores, scatter.
    ax_ : matplotlib Axes
        The scatter.
    figure_ : matplotlib Figure
        Figure of the panels.
    curves_ : list of two matplotlib Line2D
        The sorted confidences and the sorted overlap scores.
    scatters_ : dict of str to matplotlib PathCollection
        The marks of each region.

    Raises
    ------
    ValueError
        If the lengths differ, a score is not finite, or a region is unknown.

    Examples
    --------
    >>> from sklearn_w2s.plotting import OverlapDisplay
    >>> display = OverlapDisplay.from_predictions(
    ...     confidence=[0.1, 0.8, 0.9],
    ...     overlap_score=[1.0, 0.2, 0.7],
    ...     regions=["hard", "easy", "overlap"],
    ...     confidence_threshold=0.5,
    ...     overlap_threshold=0.5,
    ... )
    >>> [ax.get_ylabel() for ax in display.axes_]
    ['confidence', 'overlap score', 'overlap score']
    """

    def __init__(
        self,
        *,
        confidence: Any,
        overlap_score: Any,
        regions: Any,
        confidence_threshold: float | None,
        overlap_threshold: float | None,
        name: str | None = None,
    ) -> None:
        self.confidence = as_column(confidence, "confidence")
        self.overlap_score = as_column(overlap_score, "overlap_score")
        self.regions = check_regions(regions)
        self.confidence_threshold = confidence_threshold
        self.overlap_threshold = overlap_threshold
        self.name = name
        check_consistent_length(self.confidence, self.overlap_score, self.regions)

    @classmethod
    def from_estimator(
        cls,
        detector: Any,
        X: Any,
        *,
        ax: Any = None,
        name: str | None = None,
        scatter_kwargs: dict[str, Any] | None = None,
        line_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Score rows with a fitted detector and draw them.

        Parameters
        ----------
        detector : fitted detector instance
            Has `confidence_samples`, `score_samples` and `predict`,
            `confidence_threshold_` and `overlap_threshold_`, as `OverlapDetector`.
        X : {array-like, sparse matrix, data frame} of shape (n, n_features)
            Rows.
        ax : array-like of three matplotlib Axes, default=None
            Panels to draw in; None makes a figure.
        name : str, default=None
            Title of the legend; None shows none.
        scatter_kwargs : dict, default=None
            Arguments of matplotlib's `scatter`.
        line_kwargs : dict, default=None
            Arguments of matplotlib's `plot` for the sorted scores.

        Returns
        -------
        OverlapDisplay
            The display, drawn.
        """
        return cls.from_predictions(
            detector.confidence_samples(X),
            detector.score_samples(X),
            detector.predict(X),
            confidence_threshold=detector.confidence_threshold_,
            overlap_threshold=detector.overlap_threshold_,
            ax=ax,
            name=name,
            scatter_kwargs=scatter_kwargs,
            line_kwargs=line_kwargs,
        )

    @classmethod
    def from_predictions(
        cls,
        confidence: Any,
        overlap_score: Any,
        regions: Any,
        *,
        confidence_threshold: float | None,
        overlap_threshold: float | None,
        ax: Any = None,
        name: str | None = None,
        scatter_kwargs: dict[str, Any] | None = None,
        line_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw given scores and regions.

        Parameters
        ----------
        confidence : array-like of shape (n,)
            Confidence of the weak estimator, in [0, 1].
        overlap_score : array-like of shape (n,)
            Similarity to the hard rows.
        regions : array-like of shape (n,)
            "easy", "hard" or "overlap".
        confidence_threshold : float or None
            Smallest confidence that is not hard; None or an infinite number draws no
            line.
        overlap_threshold : float or None
            Smallest overlap score of an overlap row; None or an infinite number draws
            no line.
        ax : array-like of three matplotlib Axes, default=None
            Panels to draw in; None makes a figure.
        name : str, default=None
            Title of the legend; None shows none.
        scatter_kwargs : dict, default=None
            Arguments of matplotlib's `scatter`.
        line_kwargs : dict, default=None
            Arguments of matplotlib's `plot` for the sorted scores.

        Returns
        -------
        OverlapDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If the lengths differ, a score is not finite, or a region is unknown.
        """
        display = cls(
            confidence=confidence,
            overlap_score=overlap_score,
            regions=regions,
            confidence_threshold=confidence_threshold,
            overlap_threshold=overlap_threshold,
            name=name,
        )
        return display.plot(ax, scatter_kwargs=scatter_kwargs, line_kwargs=line_kwargs)

    def plot(
        self,
        ax: Any = None,
        *,
        name: str | None = None,
        scatter_kwargs: dict[str, Any] | None = None,
        line_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the three panels.

        Parameters
        ----------
        ax : array-like of three matplotlib Axes, default=None
            Panels to draw in; None makes a figure.
        name : str, default=None
            Title of the legend; None takes that of the display.
        scatter_kwargs : dict, default=None
            Arguments of matplotlib's `scatter`.
        line_kwargs : dict, default=None
            Arguments of matplotlib's `plot` for the sorted scores.

        Returns
        -------
        OverlapDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If `ax` is not three axes.
        """
        self.axes_ = three_axes(ax, "OverlapDisplay", **_LAYOUT)
        self.ax_ = self.axes_[2]
        self.figure_ = self.ax_.figure
        is_confident = self.regions != HARD
        curve = line_style({**_CURVE, "rasterized": self._is_large}, line_kwargs)
        panels = (
            (self.confidence, "confidence", self.confidence_threshold, "rows"),
            (
                self.overlap_score[is_confident],
                "overlap score",
                self.overlap_threshold,
                "rows not hard",
            ),
        )
        self.curves_ = [
            _draw_sorted(panel, *content, curve)
            for panel, content in zip(self.axes_[:2], panels, strict=True)
        ]
        self._draw_scatter(self.name if name is None else name, scatter_kwargs)
        return self

    @property
    def _is_large(self):
        return len(self.regions) > _LARGEST_VECTOR

    def _draw_scatter(self, name, scatter_kwargs):
        self.scatters_ = {}
        size, legend_scale = (3, 2) if self._is_large else (14, 1)
        for region, marks in _MARKS.items():
            rows = self.regions == region
            share = rows.mean()
            style = {
                "s": size,
                "linewidths": 0.8,
                "alpha": 0.6,
                "label": f"{region}: {share:.0%}\n{rows.sum():,} rows",
                "rasterized": self._is_large,
                **marks,
            }
            self.scatters_[region] = self.ax_.scatter(
                self.confidence[rows],
                self.overlap_score[rows],
                **collection_style(style, scatter_kwargs),
            )
        _draw_threshold(self.ax_.axvline, self.confidence_threshold)
        _draw_threshold(self.ax_.axhline, self.overlap_threshold)
        self.ax_.set(xlabel="confidence", ylabel="overlap score")
        self.ax_.legend(title=name, ncols=3, markerscale=legend_scale, **LEGEND)


def _draw_sorted(ax, scores, label, threshold, what, style):
    ordered = np.sort(scores)
    # Each row stands in the middle of its share, so that the curve crosses the
    # threshold at the share of rows below.
    shares = (np.arange(len(ordered)) + 0.5) / max(1, len(ordered))
    (curve,) = ax.plot(shares, ordered, **style)
    line = _draw_threshold(ax.axhline, threshold)
    if line is not None:
        below = np.mean(scores < threshold) if len(scores) else 0
        text = f"threshold {threshold:.3g}: {below:.0%} below"
        ax.legend([line], [text], **{**LEGEND, "fontsize": "small"})
    ax.set(xlabel=f"share of {what}", ylabel=label, xlim=(0, 1))
    return curve


def _draw_threshold(draw, threshold):
    if threshold is None or not np.isfinite(threshold):
        return None
    return draw(threshold, **_THRESHOLD)

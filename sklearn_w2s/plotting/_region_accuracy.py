"""Draw where predictions are right: on easy, hard and overlap rows, and on all."""

from collections.abc import Mapping

import numpy as np
from scipy.special import ndtri
from sklearn.metrics import accuracy_score
from sklearn.utils import check_array

from sklearn_w2s._algorithms.interval import share_interval
from sklearn_w2s._algorithms.overlap import REGIONS
from sklearn_w2s.metrics import region_accuracy
from sklearn_w2s.metrics._overlap import check_regions
from sklearn_w2s.plotting._style import LEGEND, import_pyplot

_COLUMNS = (*REGIONS, "all")
# Okabe-Ito colours; the markers alone tell the predictors apart in grey.
_COLORS = ("#000000", "#D55E00", "#0072B2", "#E69F00", "#56B4E9", "#CC79A7")
_MARKERS = "os^Dv*"
_MARK = {"markersize": 6, "linestyle": "none", "elinewidth": 1.6, "capsize": 3}
# Share of a column that its marks take, so that columns stay apart.
_SPREAD = 0.6


class RegionAccuracyDisplay:
    """Accuracy of several predictors on easy, hard, overlap and all rows.

    A weak estimator is right on the easy rows and near chance on the hard ones; a
    strong estimator that gained from it shows where. Intervals are Wilson's. Use
    `from_estimator` or `from_predictions` to create one.

    Parameters
    ----------
    accuracy : array-like of shape (n_predictors, 4)
        Accuracy on easy, hard, overlap and all rows, in this order; NaN where there are
        no rows.
    low : array-like of shape (n_predictors, 4)
        Lower ends of their intervals.
    high : array-like of shape (n_predictors, 4)
        Upper ends of their intervals.
    n_rows : array-like of shape (4,)
        Numbers of rows.
    names : array-like of shape (n_predictors,)
        Names of the predictors.
    confidence_level : float, default=0.95
        Level of the intervals, for the title of the legend.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        Their figure.
    marks_ : dict of str to matplotlib ErrorbarContainer
        Marks and intervals of each predictor.

    Raises
    ------
    ValueError
        If shapes differ, or if the names are not unique.

    See Also
    --------
    sklearn_w2s.metrics.region_accuracy : The numbers of one predictor.

    Examples
    --------
    >>> from sklearn_w2s.plotting import RegionAccuracyDisplay
    >>> display = RegionAccuracyDisplay.from_predictions(
    ...     [0, 1, 1, 0],
    ...     ["easy", "easy", "hard", "overlap"],
    ...     {"weak": [0, 1, 0, 0], "strong": [0, 1, 1, 0]},
    ... )
    >>> display.accuracy
    array([[1.  , 0.  , 1.  , 0.75],
           [1.  , 1.  , 1.  , 1.  ]])
    """

    def __init__(self, *, accuracy, low, high, n_rows, names, confidence_level=0.95):
        self.names = [str(name) for name in names]
        self.confidence_level = confidence_level
        shape = (len(self.names), len(_COLUMNS))
        self.accuracy = _as_table(accuracy, "accuracy", shape)
        self.low = _as_table(low, "low", shape)
        self.high = _as_table(high, "high", shape)
        self.n_rows = np.asarray(n_rows)
        if self.n_rows.shape != shape[1:]:
            msg = f"n_rows={n_rows!r} must hold one number for each of {_COLUMNS}."
            raise ValueError(msg)
        if len(set(self.names)) < len(self.names):
            msg = f"names={self.names} are not unique; name each predictor differently."
            raise ValueError(msg)

    @classmethod
    def from_estimator(
        cls, estimators, X, y, regions, *, confidence_level=0.95, ax=None, **kwargs
    ):
        """Predict rows with fitted estimators and draw their accuracy.

        Parameters
        ----------
        estimators : dict of str to fitted classifier instance
            Estimators by name.
        X : {array-like, sparse matrix, data frame} of shape (n, n_features)
            Rows.
        y : array-like of shape (n,)
            True labels.
        regions : array-like of shape (n,) or fitted detector instance
            "easy", "hard" or "overlap" for each row, or what predicts it.
        confidence_level : float, default=0.95
            Level of the intervals, in (0, 1).
        ax : matplotlib Axes, default=None
            Axes to draw in; None makes a figure.
        **kwargs : dict
            Arguments of matplotlib's `errorbar`.

        Returns
        -------
        RegionAccuracyDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If `estimators` is no dict or empty, or as for `from_predictions`.
        """
        _check_named(estimators, "estimators", "fitted estimators")
        if hasattr(regions, "predict"):
            regions = regions.predict(X)
        predictions = {name: each.predict(X) for name, each in estimators.items()}
        return cls.from_predictions(
            y, regions, predictions, confidence_level=confidence_level, ax=ax, **kwargs
        )

    @classmethod
    def from_predictions(
        cls, y_true, regions, predictions, *, confidence_level=0.95, ax=None, **kwargs
    ):
        """Draw the accuracy of given predictions.

        Parameters
        ----------
        y_true : array-like of shape (n,)
            True labels.
        regions : array-like of shape (n,)
            "easy", "hard" or "overlap".
        predictions : dict of str to array-like of shape (n,)
            Predicted labels by name.
        confidence_level : float, default=0.95
            Level of the intervals, in (0, 1).
        ax : matplotlib Axes, default=None
            Axes to draw in; None makes a figure.
        **kwargs : dict
            Arguments of matplotlib's `errorbar`.

        Returns
        -------
        RegionAccuracyDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If `predictions` is no dict or empty, if there is no row or an unknown
            region, if lengths or kinds of labels differ, or if the level is not in
            (0, 1).
        """
        _check_named(predictions, "predictions", "predicted labels")
        if not 0 < confidence_level < 1:
            msg = (
                f"confidence_level={confidence_level!r} must be in (0, 1), such as "
                "0.95."
            )
            raise ValueError(msg)
        regions = check_regions(regions)
        n_rows = np.array([*(np.sum(regions == r) for r in REGIONS), len(regions)])
        accuracy = np.array(
            [
                [
                    *region_accuracy(y_true, y, regions).values(),
                    accuracy_score(y_true, y),
                ]
                for y in predictions.values()
            ]
        )
        z = float(ndtri((1 + confidence_level) / 2))
        ends = np.array([_intervals(shares, n_rows, z) for shares in accuracy])
        display = cls(
            accuracy=accuracy,
            low=ends[..., 0],
            high=ends[..., 1],
            n_rows=n_rows,
            names=list(predictions),
            confidence_level=confidence_level,
        )
        return display.plot(ax, **kwargs)

    def plot(self, ax=None, **kwargs):
        """Draw the accuracies.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw in; None makes a figure.
        **kwargs : dict
            Arguments of matplotlib's `errorbar`.

        Returns
        -------
        RegionAccuracyDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        if ax is None:
            plt = import_pyplot("RegionAccuracyDisplay")
            _, ax = plt.subplots(figsize=(6, 4), layout="constrained")
        self.ax_ = ax
        self.figure_ = self.ax_.figure
        places = np.arange(len(_COLUMNS))
        step = _SPREAD / max(1, len(self.names))
        self.marks_ = {}
        for i, name in enumerate(self.names):
            shift = (i - (len(self.names) - 1) / 2) * step
            lengths = [self.accuracy[i] - self.low[i], self.high[i] - self.accuracy[i]]
            style = {
                **_MARK,
                "color": _COLORS[i % len(_COLORS)],
                "marker": _MARKERS[i % len(_MARKERS)],
                # The second six have the same marks, but hollow.
                "markerfacecolor": "white" if i >= len(_COLORS) else None,
                **kwargs,
            }
            self.marks_[name] = self.ax_.errorbar(
                places + shift, self.accuracy[i], yerr=lengths, **style
            )
        self._label(places)
        return self

    def _label(self, places):
        texts = [
            f"{column}\n{n:,} row{'' if n == 1 else 's'}"
            for column, n in zip(_COLUMNS, self.n_rows.tolist(), strict=True)
        ]
        self.ax_.set_xticks(places, texts)
        self.ax_.set(xlim=(-0.5, len(_COLUMNS) - 0.5), ylabel="accuracy")
        # "all" is no region: the others make it up.
        self.ax_.axvline(len(REGIONS) - 0.5, color="#888888", linewidth=0.8)
        self.ax_.grid(axis="y", color="#DDDDDD", linewidth=0.8)
        self.ax_.set_axisbelow(True)
        # Numbers for now: a name may start with "_" or hold "$", which mean something.
        legend = self.ax_.legend(
            list(self.marks_.values()),
            range(len(self.names)),
            ncols=min(3, len(self.names)),
            title=f"with {self.confidence_level:.0%} intervals",
            title_fontsize="small",
            **LEGEND,
        )
        for text, name in zip(legend.get_texts(), self.names, strict=True):
            text.set_parse_math(False)
            text.set_text(name)


def _intervals(shares, n_rows, z):
    return [
        share_interval(share, n, z) if n else (np.nan, np.nan)
        for share, n in zip(shares.tolist(), n_rows.tolist(), strict=True)
    ]


def _check_named(values, argument, what):
    if not isinstance(values, Mapping) or not values:
        msg = f"{argument}={values!r} must be a dict of names to {what}, not empty."
        raise ValueError(msg)


def _as_table(values, name, shape):
    table = check_array(
        values, dtype=np.float64, ensure_all_finite="allow-nan", input_name=name
    )
    if table.shape != shape:
        msg = (
            f"{name} has shape {table.shape}; with {shape[0]} names it must have "
            f"{shape}, one column for each of {_COLUMNS}."
        )
        raise ValueError(msg)
    return table

"""Draw where predictions are right: on easy, hard and overlap rows, and on all."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from scipy.special import ndtri
from sklearn.metrics import accuracy_score
from sklearn.utils import check_array
from sklearn.utils.validation import check_consistent_length

from sklearn_w2s._algorithms.interval import share_interval
from sklearn_w2s._algorithms.overlap import REGIONS
from sklearn_w2s._validation import values_of
from sklearn_w2s.metrics import region_accuracy
from sklearn_w2s.metrics._overlap import check_regions, check_truth
from sklearn_w2s.model_selection._gap_summary import check_level
from sklearn_w2s.plotting._fits import (
    LABELS,
    MARKS,
    SAME,
    check_results,
    describe_folds,
    half_width,
    label_fits,
)
from sklearn_w2s.plotting._style import LEGEND, line_style, one_axes

_COLUMNS = (*REGIONS, "all")
# Okabe-Ito colours; the markers alone tell the predictors apart in grey.
_COLORS = ("#000000", "#D55E00", "#0072B2", "#E69F00", "#56B4E9", "#CC79A7")
_MARKERS = "os^Dv*"
_MARK = {"markersize": 6, "linestyle": "none", "elinewidth": 1.6, "capsize": 3}
# By label: the four fits look the same in all displays.
_FIT_MARKS = {LABELS[name]: marks for name, marks in MARKS.items()}
_FIT_MARKS[SAME.replace("\n", " ")] = MARKS["ceiling"]
_FOLD = {"s": 9, "color": "#888888", "linewidths": 0, "zorder": 1.5}
# Folds stand right of the bar of their mean, in parts of the space of a predictor.
_FOLD_SHIFT = 0.28
# Share of a column that its marks take, so that columns stay apart.
_SPREAD = 0.6


class RegionAccuracyDisplay:
    """Accuracy of several predictors on easy, hard, overlap and all rows.

    A weak estimator is right on the easy rows and near chance on the hard ones; a
    strong estimator that gained from it shows where. Intervals are Wilson's or, of the
    results of a cross-validation, Student's over the folds, with every fold as a dot
    beside. Use `from_estimator`, `from_predictions` or `from_cv_results` to create one.

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
        Numbers of rows; of a fold where there are several.
    names : array-like of shape (n_predictors,)
        Names of the predictors. Those that `GapDisplay` gives to its fits look as they
        do there, if all are.
    confidence_level : float, default=0.95
        Level of the intervals, for the title of the legend.
    fold_accuracy : array-like of shape (n_predictors, 4, n_folds), default=None
        Accuracy in every fold, NaN where there are no rows; None if there are no folds.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        Their figure.
    marks_ : dict of str to matplotlib ErrorbarContainer
        Marks and intervals of each predictor.
    folds_ : dict of str to matplotlib PathCollection
        The folds of each predictor; empty without folds.

    Raises
    ------
    ValueError
        If shapes differ, or if the names are not unique.

    See Also
    --------
    sklearn_w2s.metrics.region_accuracy : The numbers of one predictor.
    sklearn_w2s.model_selection.cross_validate_gap : Computes results with folds.

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

    def __init__(
        self,
        *,
        accuracy: Any,
        low: Any,
        high: Any,
        n_rows: Any,
        names: Any,
        confidence_level: float = 0.95,
        fold_accuracy: Any = None,
    ) -> None:
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
        self.fold_accuracy = _check_folds(fold_accuracy, shape)
        if len(set(self.names)) < len(self.names):
            msg = f"names={self.names} are not unique; name each predictor differently."
            raise ValueError(msg)

    @classmethod
    def from_estimator(
        cls,
        estimators: Any,
        X: Any,
        y: Any,
        regions: Any,
        *,
        missing_label: Any = -1,
        confidence_level: float = 0.95,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
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
        missing_label : scalar, default=-1
            As in `from_predictions`.
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
            y,
            regions,
            predictions,
            missing_label=missing_label,
            confidence_level=confidence_level,
            ax=ax,
            **kwargs,
        )

    @classmethod
    def from_predictions(
        cls,
        y_true: Any,
        regions: Any,
        predictions: Any,
        *,
        missing_label: Any = -1,
        confidence_level: float = 0.95,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Draw the accuracy of given predictions.

        Parameters
        ----------
        y_true : array-like of shape (n,)
            True labels.
        regions : array-like of shape (n,)
            "easy", "hard" or "overlap".
        predictions : dict of str to array-like of shape (n,)
            Predicted labels by name.
        missing_label : scalar, default=-1
            Label of rows without one, which are left out, as are None, NaN, NaT and
            pandas.NA. It is a class where it is predicted.
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
            If `predictions` is no dict or empty, if there is no labeled row or an
            unknown region, if lengths or kinds of labels differ, or if the level is
            not in (0, 1).
        """
        _check_named(predictions, "predictions", "predicted labels")
        check_level(confidence_level)
        regions = check_regions(regions)
        predicted = {name: values_of(y) for name, y in predictions.items()}
        check_consistent_length(y_true, regions, *predicted.values())
        y_true, labeled = check_truth(y_true, list(predicted.values()), missing_label)
        if not labeled.any():
            msg = "y_true has no label, so that there is nothing to compare with."
            raise ValueError(msg)
        regions = regions[labeled]
        predicted = {name: y[labeled] for name, y in predicted.items()}
        n_rows = np.array([*(np.sum(regions == r) for r in REGIONS), len(regions)])
        accuracy = np.array(
            [
                [
                    *region_accuracy(y_true, y, regions, missing_label=None).values(),
                    accuracy_score(y_true, y),
                ]
                for y in predicted.values()
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

    @classmethod
    def from_cv_results(
        cls, results: dict[str, Any], *, ax: Any = None, **kwargs: Any
    ) -> Self:
        """Draw the accuracies by region of a cross-validation of the gap.

        Of each fit the mean over folds with the interval of Student's t. A fold that
        has no row of a region has no accuracy there, and is left out of its mean; one
        in which the estimator failed has no regions, and is left out of all.

        Parameters
        ----------
        results : dict
            As :func:`~sklearn_w2s.model_selection.cross_validate_gap` returns it for an
            estimator with an `overlap_detector`.
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
            If the results are of another function, or hold no accuracy by region.
        """
        check_results(results, "cross_validate_gap")
        if "region_rmse" in results:
            msg = (
                "results are those of a regressor, which has no accuracy: see "
                "results['region_rmse'] for its errors by region."
            )
            raise ValueError(msg)
        if "region_accuracy" not in results:
            msg = (
                "results has no 'region_accuracy', for the estimator found no regions. "
                "Set its overlap_detector, such as OverlapDetector()."
            )
            raise ValueError(msg)
        by_fit, n_rows = _take_folds(results)
        labels = label_fits(by_fit)
        folds = np.array([by_fit[name] for name in labels])
        level = results["confidence_level"]
        mean, half = _average(folds, n_rows, level)
        display = cls(
            accuracy=mean,
            low=mean - half,
            high=mean + half,
            n_rows=n_rows.mean(axis=1),
            names=[label.replace("\n", " ") for label in labels.values()],
            confidence_level=level,
            fold_accuracy=folds,
        )
        return display.plot(ax, **kwargs)

    def plot(self, ax: Any = None, **kwargs: Any) -> Self:
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
        self.ax_ = one_axes(ax, "RegionAccuracyDisplay", figsize=(5.5, 4))
        self.figure_ = self.ax_.figure
        places = np.arange(len(_COLUMNS))
        step = _SPREAD / max(1, len(self.names))
        self.marks_, self.folds_ = {}, {}
        for i, name in enumerate(self.names):
            shift = (i - (len(self.names) - 1) / 2) * step
            lengths = [self.accuracy[i] - self.low[i], self.high[i] - self.accuracy[i]]
            style = line_style(_MARK | self._look(i), kwargs)
            self.marks_[name] = self.ax_.errorbar(
                places + shift, self.accuracy[i], yerr=lengths, **style
            )
            if self.fold_accuracy is not None:
                beside = places + shift + _FOLD_SHIFT * step
                self.folds_[name] = self.ax_.scatter(
                    np.repeat(beside, self.fold_accuracy.shape[2]),
                    self.fold_accuracy[i].ravel(),
                    **_FOLD,
                )
        self._label(places)
        return self

    def _look(self, i):
        if all(name in _FIT_MARKS for name in self.names):
            return _FIT_MARKS[self.names[i]]
        return {
            "color": _COLORS[i % len(_COLORS)],
            "marker": _MARKERS[i % len(_MARKERS)],
            # The second six have the same marks, but hollow.
            "markerfacecolor": "white" if i >= len(_COLORS) else None,
        }

    def _label(self, places):
        level = f"{100 * self.confidence_level:.4g}%"
        title, per_fold = f"with {level} intervals", ""
        if self.fold_accuracy is not None:
            n_folds = self.fold_accuracy.shape[2]
            title = describe_folds(n_folds, self.confidence_level)
            per_fold = "\nper fold" if n_folds > 1 else ""
        texts = [
            f"{column}\n{n:,} row{'' if n == 1 else 's'}{per_fold}"
            for column, n in zip(_COLUMNS, _to_whole(self.n_rows), strict=True)
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
            # Four in two rows of two, not of three and one.
            ncols=2 if len(self.names) == 4 else min(3, len(self.names)),
            title=title,
            title_fontsize="small",
            **LEGEND,
        )
        for text, name in zip(legend.get_texts(), self.names, strict=True):
            text.set_parse_math(False)
            text.set_text(name)


def _take_folds(results):
    """Return the accuracies of each fit, and the rows, by column and fold."""
    shares = np.array([results["region_share"][r] for r in REGIONS])
    has_regions = ~np.isnan(shares).any(axis=0)
    shares = np.vstack([shares, np.ones(shares.shape[1])])[:, has_regions]
    by_fit = {}
    for name in MARKS:
        accuracy = np.array([results["region_accuracy"][name][r] for r in REGIONS])
        accuracy = accuracy[:, has_regions]
        # A region without a row counts for nothing; elsewhere NaN tells of a failure.
        parts = np.where(shares[:-1] == 0, 0, shares[:-1] * accuracy)
        by_fit[name] = np.vstack([accuracy, parts.sum(axis=0)])
    return by_fit, shares * results["n_test"][has_regions]


def _average(folds, n_rows, level):
    """Return mean and half of the interval of each predictor in each column."""
    mean, half = np.full((2, *folds.shape[:2]), np.nan)
    for column, sizes in enumerate(n_rows):
        judged = folds[:, column, sizes > 0]
        if judged.shape[1]:
            mean[:, column] = judged.mean(axis=1)
            half[:, column] = half_width(judged, level)
    return mean, half


def _to_whole(n_rows):
    return np.rint(n_rows).astype(int).tolist()


def _intervals(shares, n_rows, z):
    return [
        share_interval(share, n, z) if n else (np.nan, np.nan)
        for share, n in zip(shares.tolist(), n_rows.tolist(), strict=True)
    ]


def _check_named(values, argument, what):
    if not isinstance(values, Mapping) or not values:
        msg = f"{argument}={values!r} must be a dict of names to {what}, not empty."
        raise ValueError(msg)


def _check_folds(accuracy, shape):
    if accuracy is None:
        return None
    folds = np.asarray(accuracy, dtype=np.float64)
    if folds.ndim != 3 or folds.shape[:2] != shape or not folds.shape[2]:
        msg = (
            f"fold_accuracy has shape {folds.shape}; it must have ({shape[0]}, "
            f"{shape[1]}, n_folds), one column for each of {_COLUMNS}."
        )
        raise ValueError(msg)
    return folds


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

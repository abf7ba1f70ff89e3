"""Draw how good predictions are on easy, hard and overlap rows, and on all."""

from collections.abc import Mapping
from typing import Any, Literal, Self

import numpy as np
from scipy.special import ndtri
from sklearn.base import is_regressor
from sklearn.metrics import accuracy_score
from sklearn.utils import check_array
from sklearn.utils.validation import check_consistent_length

from sklearn_w2s._algorithms.overlap import REGIONS
from sklearn_w2s._algorithms.shares import share_interval
from sklearn_w2s._display import SHORT_NAMES
from sklearn_w2s._validation import (
    are_values,
    check_level,
    check_regions,
    check_values,
    classes_of,
    values_of,
)
from sklearn_w2s.metrics._overlap import check_truth
from sklearn_w2s.plotting._shared import (
    LEGEND,
    MARKS,
    SAME,
    as_table,
    check_results,
    describe_folds,
    half_width,
    label_fits,
    line_style,
    one_axes,
)

_COLUMNS = (*REGIONS, "all")
# Okabe-Ito colours; the markers alone tell the predictors apart in grey.
_COLORS = ("#000000", "#D55E00", "#0072B2", "#E69F00", "#56B4E9", "#CC79A7")
_MARKERS = "os^Dv*"
_MARK = {"markersize": 6, "linestyle": "none", "elinewidth": 1.6, "capsize": 3}
# By label: the four fits look the same in all displays.
_FIT_MARKS = {SHORT_NAMES[name]: marks for name, marks in MARKS.items()}
_FIT_MARKS[SAME.replace("\n", " ")] = MARKS["ceiling"]
_FOLD = {"s": 9, "color": "#888888", "linewidths": 0, "zorder": 1.5}
# Folds stand right of the bar of their mean, in parts of the space of a predictor.
_FOLD_SHIFT = 0.28
# Share of a column that its marks take, so that columns stay apart.
_SPREAD = 0.6


class RegionScoreDisplay:
    """Accuracy, or error, of several predictors on easy, hard, overlap and all rows.

    A weak estimator is right on the easy rows and near chance on the hard ones; a
    strong estimator that gained from it shows where. Of regressors it is the root mean
    squared error in the unit of y, where less is better. Intervals of an accuracy are
    Wilson's, those of an error follow from the standard error of the mean square, and
    those of a cross-validation are Student's over the folds, with every fold as a dot
    beside. Use `from_estimator`, `from_predictions` or `from_cv_results` to create one.

    Parameters
    ----------
    scores : array-like of shape (n_predictors, 4)
        Accuracy or error on easy, hard, overlap and all rows, in this order; NaN where
        there are no rows.
    low : array-like of shape (n_predictors, 4)
        Lower ends of their intervals.
    high : array-like of shape (n_predictors, 4)
        Upper ends of their intervals.
    n_rows : array-like of shape (4,)
        Numbers of rows; of a fold where there are several.
    names : array-like of shape (n_predictors,)
        Names of the predictors. Those that `GapDisplay` gives to its fits look as they
        do there, if all are.
    score_name : str, default="accuracy"
        Name of the scores, beside the axis.
    confidence_level : float, default=0.95
        Level of the intervals, for the title of the legend.
    fold_scores : array-like of shape (n_predictors, 4, n_folds), default=None
        Score in every fold, NaN where there are no rows; None if there are no folds.

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
    sklearn_w2s.metrics.region_accuracy : The numbers of one classifier.
    sklearn_w2s.metrics.region_rmse : The numbers of one regressor.
    sklearn_w2s.model_selection.cross_validate_gap : Computes results with folds.

    Examples
    --------
    >>> from sklearn_w2s.plotting import RegionScoreDisplay
    >>> display = RegionScoreDisplay.from_predictions(
    ...     [0, 1, 1, 0],
    ...     ["easy", "easy", "hard", "overlap"],
    ...     {"weak": [0, 1, 0, 0], "strong": [0, 1, 1, 0]},
    ... )
    >>> display.scores
    array([[1.  , 0.  , 1.  , 0.75],
           [1.  , 1.  , 1.  , 1.  ]])

    Of values, errors:

    >>> RegionScoreDisplay.from_predictions(
    ...     [0.5, 1.5, 1.0, 0.0],
    ...     ["easy", "easy", "hard", "overlap"],
    ...     {"weak": [0.5, 1.5, 3.0, 0.0]},
    ... ).scores
    array([[0., 2., 0., 1.]])
    """

    def __init__(
        self,
        *,
        scores: Any,
        low: Any,
        high: Any,
        n_rows: Any,
        names: Any,
        score_name: str = "accuracy",
        confidence_level: float = 0.95,
        fold_scores: Any = None,
    ) -> None:
        self.names = [str(name) for name in names]
        self.score_name = score_name
        self.confidence_level = confidence_level
        shape = (len(self.names), len(_COLUMNS))
        why = f"with {shape[0]} names, and one column for each of {_COLUMNS},"
        self.scores = as_table(scores, "scores", shape, why)
        self.low = as_table(low, "low", shape, why)
        self.high = as_table(high, "high", shape, why)
        self.n_rows = np.asarray(n_rows)
        if self.n_rows.shape != shape[1:]:
            msg = f"n_rows={n_rows!r} must hold one number for each of {_COLUMNS}."
            raise ValueError(msg)
        self.fold_scores = _check_folds(fold_scores, shape)
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
        """Predict rows with fitted estimators and draw their accuracy, or error.

        Parameters
        ----------
        estimators : dict of str to fitted estimator instance
            Classifiers by name, or regressors.
        X : {array-like, sparse matrix, data frame} of shape (n, n_features)
            Rows.
        y : array-like of shape (n,)
            True labels, or values.
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
        RegionScoreDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If `estimators` is not a dict or empty, or holds classifiers and regressors,
            or as for `from_predictions`.
        """
        _check_named(estimators, "estimators", "fitted estimators")
        if hasattr(regions, "predict"):
            regions = regions.predict(X)
        kinds = {name: is_regressor(each) for name, each in estimators.items()}
        if len(set(kinds.values())) > 1:
            odd = [name for name, regresses in kinds.items() if regresses]
            msg = (
                f"Of estimators, {odd} are regressors and others are not; they have no "
                "score in common. Draw either kind by itself."
            )
            raise ValueError(msg)
        predictions = {name: each.predict(X) for name, each in estimators.items()}
        return cls.from_predictions(
            y,
            regions,
            predictions,
            score="rmse" if any(kinds.values()) else "accuracy",
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
        score: Literal["auto", "accuracy", "rmse"] = "auto",
        missing_label: Any = -1,
        confidence_level: float = 0.95,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Draw the accuracy, or error, of given predictions.

        Parameters
        ----------
        y_true : array-like of shape (n,)
            True labels, or values.
        regions : array-like of shape (n,)
            "easy", "hard" or "overlap".
        predictions : dict of str to array-like of shape (n,)
            Predicted labels, or values, by name.
        score : {"auto", "accuracy", "rmse"}, default="auto"
            What to draw: the share of labels that are right, or the root mean squared
            error of values. "auto" takes labels for values where some of them, or of
            the predictions, are numbers that are not whole.
        missing_label : scalar, default=-1
            Label of rows without one, which are left out, as are None, NaN, NaT and
            pandas.NA. It is a class where it is predicted. Of values NaN and its like
            are the only ones.
        confidence_level : float, default=0.95
            Level of the intervals, in (0, 1).
        ax : matplotlib Axes, default=None
            Axes to draw in; None makes a figure.
        **kwargs : dict
            Arguments of matplotlib's `errorbar`.

        Returns
        -------
        RegionScoreDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If `predictions` is not a dict or empty, if there is no labeled row or an
            unknown region, if lengths or kinds of labels differ, if a value is not
            a number, or if `score` is unknown or the level not in (0, 1).
        """
        _check_named(predictions, "predictions", "predicted labels")
        check_level(confidence_level)
        regions = check_regions(regions)
        predicted = {name: values_of(y) for name, y in predictions.items()}
        check_consistent_length(y_true, regions, *predicted.values())
        judge = _score_by_region(score, y_true, predicted, missing_label)
        y_true, labeled, predicted = judge.check(y_true, predicted, missing_label)
        if not labeled.any():
            msg = (
                "y_true has no label, so that there is nothing to compare with. Label "
                "some rows, or check missing_label."
            )
            raise ValueError(msg)
        regions = regions[labeled]
        columns = [*(regions == r for r in REGIONS), np.full(len(regions), True)]
        z = float(ndtri((1 + confidence_level) / 2))
        drawn = np.array(
            [
                [judge.describe(y_true[rows], y[rows], z) for rows in columns]
                for y in predicted.values()
            ]
        )
        display = cls(
            scores=drawn[..., 0],
            low=drawn[..., 1],
            high=drawn[..., 2],
            n_rows=[rows.sum() for rows in columns],
            names=list(predictions),
            score_name=judge.name,
            confidence_level=confidence_level,
        )
        return display.plot(ax, **kwargs)

    @classmethod
    def from_cv_results(
        cls, results: dict[str, Any], *, ax: Any = None, **kwargs: Any
    ) -> Self:
        """Draw the scores by region of a cross-validation of the gap.

        Of each fit the mean over folds with the interval of Student's t. A fold that
        has no row of a region has no score there, and is left out of its mean; one
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
        RegionScoreDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If the results are of another function, or hold no score by region.
        """
        check_results(results, "cross_validate_gap")
        if "region_share" not in results:
            msg = (
                "results has no 'region_share', for the estimator found no regions. "
                "Set its overlap_detector, such as OverlapDetector()."
            )
            raise ValueError(msg)
        by_fit, n_rows = _take_folds(results)
        labels = label_fits(by_fit)
        folds = np.array([by_fit[name] for name in labels])
        level = results["confidence_level"]
        mean, half = _average(folds, n_rows, level)
        display = cls(
            scores=mean,
            low=mean - half,
            high=mean + half,
            n_rows=n_rows.mean(axis=1),
            names=[label.replace("\n", " ") for label in labels.values()],
            score_name=RMSE.name if RMSE.key in results else ACCURACY.name,
            confidence_level=level,
            fold_scores=folds,
        )
        return display.plot(ax, **kwargs)

    def plot(self, ax: Any = None, **kwargs: Any) -> Self:
        """Draw the scores.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw in; None makes a figure.
        **kwargs : dict
            Arguments of matplotlib's `errorbar`.

        Returns
        -------
        RegionScoreDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        self.ax_ = one_axes(ax, "RegionScoreDisplay", figsize=(5.5, 4))
        self.figure_ = self.ax_.figure
        places = np.arange(len(_COLUMNS))
        step = _SPREAD / max(1, len(self.names))
        self.marks_, self.folds_ = {}, {}
        for i, name in enumerate(self.names):
            shift = (i - (len(self.names) - 1) / 2) * step
            lengths = [self.scores[i] - self.low[i], self.high[i] - self.scores[i]]
            style = line_style(_MARK | self._look(i), kwargs)
            self.marks_[name] = self.ax_.errorbar(
                places + shift, self.scores[i], yerr=lengths, **style
            )
            if self.fold_scores is not None:
                beside = places + shift + _FOLD_SHIFT * step
                self.folds_[name] = self.ax_.scatter(
                    np.repeat(beside, self.fold_scores.shape[2]),
                    self.fold_scores[i].ravel(),
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
        if self.fold_scores is not None:
            n_folds = self.fold_scores.shape[2]
            title = describe_folds(n_folds, self.confidence_level)
            per_fold = "\nper fold" if n_folds > 1 else ""
        whole = np.rint(self.n_rows).astype(int).tolist()
        texts = [
            f"{column}\n{n:,} row{'' if n == 1 else 's'}{per_fold}"
            for column, n in zip(_COLUMNS, whole, strict=True)
        ]
        self.ax_.set_xticks(places, texts)
        self.ax_.set(xlim=(-0.5, len(_COLUMNS) - 0.5), ylabel=self.score_name)
        # "all" is not a region: the others make it up.
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


class Accuracy:
    """The share of labels that are right."""

    key, name = "region_accuracy", "accuracy"

    def check(self, y_true, predicted, missing_label):
        """Return known labels, which rows have them, and what is predicted there."""
        labels, labeled = check_truth(y_true, list(predicted.values()), missing_label)
        kept = {name: y[labeled] for name, y in predicted.items()}
        for y in kept.values():
            if len(labels):
                classes_of(labels, y)
        return labels, labeled, kept

    def describe(self, y_true, y, z):
        """Return the share of rows that are right, and the ends of its interval."""
        if not len(y):
            return (np.nan,) * 3
        share = float(accuracy_score(y_true, y))
        return (share, *share_interval(share, len(y), z))

    def pool(self, scores, shares):
        """Return the score of all rows from those of their regions."""
        return _weighted(scores, shares)


class Error:
    """The root mean squared error of values."""

    key, name = "region_rmse", "RMSE"

    def check(self, y_true, predicted, _missing_label):
        """Return known values, which rows have them, and what is predicted there."""
        values, labeled = check_values(y_true)
        kept = {
            name: check_array(
                y,
                dtype=np.float64,
                ensure_2d=False,
                input_name=f"predictions[{name!r}]",
            )[labeled]
            for name, y in predicted.items()
        }
        return values, labeled, kept

    def describe(self, y_true, y, z):
        """Return the error, and the ends of the interval of its square, by the root."""
        if not len(y):
            return (np.nan,) * 3
        squares = (y - y_true) ** 2
        mean, half = squares.mean(), z * squares.std() / np.sqrt(len(y))
        return tuple(np.sqrt([mean, max(0.0, mean - half), mean + half]))

    def pool(self, scores, shares):
        """Return the error of all rows from those of their regions."""
        return np.sqrt(_weighted(scores**2, shares))


ACCURACY, RMSE = Accuracy(), Error()


def _score_by_region(score, y_true, predicted, missing_label):
    """Return what to draw, by the choice of the user."""
    if score not in ("auto", "accuracy", "rmse"):
        msg = f'score={score!r} must be one of ["auto", "accuracy", "rmse"].'
        raise ValueError(msg)
    if score == "auto":
        given = (y_true, *predicted.values())
        is_any = any(are_values(y, missing_label, stratify=True) for y in given)
        score = "rmse" if is_any else "accuracy"
    return RMSE if score == "rmse" else ACCURACY


def _weighted(scores, shares):
    # A region without a row counts for nothing; elsewhere NaN marks a failure.
    return np.where(shares == 0, 0, shares * scores).sum(axis=0)


def _take_folds(results):
    """Return the scores of each fit, and the rows, by column and fold."""
    judge = RMSE if RMSE.key in results else ACCURACY
    shares = np.array([results["region_share"][r] for r in REGIONS])
    has_regions = ~np.isnan(shares).any(axis=0)
    shares = shares[:, has_regions]
    by_fit = {}
    for name in MARKS:
        scores = np.array([results[judge.key][name][r] for r in REGIONS])
        scores = scores[:, has_regions]
        by_fit[name] = np.vstack([scores, judge.pool(scores, shares)])
    shares = np.vstack([shares, np.ones(shares.shape[1])])
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


def _check_named(values, argument, what):
    if not isinstance(values, Mapping) or not values:
        msg = f"{argument}={values!r} must be a dict of names to {what}, not empty."
        raise ValueError(msg)


def _check_folds(scores, shape):
    if scores is None:
        return None
    folds = np.asarray(scores, dtype=np.float64)
    if folds.ndim != 3 or folds.shape[:2] != shape or not folds.shape[2]:
        msg = (
            f"fold_scores has shape {folds.shape}; it must have ({shape[0]}, "
            f"{shape[1]}, n_folds), one column for each of {_COLUMNS}."
        )
        raise ValueError(msg)
    return folds

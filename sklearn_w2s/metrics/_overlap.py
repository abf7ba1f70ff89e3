"""Quantities of the easy, hard and overlap regions."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import accuracy_score, root_mean_squared_error
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.validation import check_consistent_length

from sklearn_w2s._algorithms.overlap import OVERLAP, REGIONS, region_shares
from sklearn_w2s._sklearn import check_weights
from sklearn_w2s._validation import check_labels, check_values, is_class, values_of


def overlap_density(
    regions: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> float:
    r"""Return the share of overlap rows.

    .. math:: \sum_i w_i [r_i = \text{overlap}] / \sum_i w_i

    with the region :math:`r_i` and the weight :math:`w_i` of row :math:`i`.

    Parameters
    ----------
    regions : array-like of shape (n,)
        "easy", "hard" or "overlap".
    sample_weight : array-like of shape (n,), default=None
        Non-negative weights; None counts every row once.

    Returns
    -------
    float
        Share in [0, 1].

    Raises
    ------
    ValueError
        If there is no row or an unknown region, or if the weights are negative, not
        finite, all zero or of another length.

    Examples
    --------
    >>> from sklearn_w2s.metrics import overlap_density
    >>> overlap_density(["easy", "hard", "overlap", "overlap"])
    0.5
    """
    names = check_regions(regions)
    return region_shares(names, check_weights(sample_weight, names))[OVERLAP]


def region_accuracy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    regions: ArrayLike,
    *,
    missing_label: Any = -1,
    sample_weight: ArrayLike | None = None,
) -> dict[str, float]:
    """Return the accuracy within each region.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        True labels.
    y_pred : array-like of shape (n,)
        Predicted labels. A `missing_label` among them is a class.
    regions : array-like of shape (n,)
        "easy", "hard" or "overlap".
    missing_label : scalar, default=-1
        Label of rows without one, which are left out, as are None, NaN, NaT and
        pandas.NA.
    sample_weight : array-like of shape (n,), default=None
        Non-negative weights; None counts every row once.

    Returns
    -------
    dict of str to float
        Accuracy on "easy", "hard" and "overlap" rows, in this order; NaN for a region
        without labeled rows of positive weight.

    Raises
    ------
    ValueError
        If there is no row or an unknown region, if the lengths or the kinds of labels
        differ, or if the weights are negative, not finite or all zero.

    See Also
    --------
    region_rmse : The same for values.

    Examples
    --------
    >>> from sklearn_w2s.metrics import region_accuracy
    >>> region_accuracy([0, 1, 1], [0, 1, 0], ["easy", "hard", "hard"])
    {'easy': 1.0, 'hard': 0.5, 'overlap': nan}
    """
    predicted, names = values_of(y_pred), check_regions(regions)
    check_consistent_length(y_true, predicted, names)
    weights = check_weights(sample_weight, names)
    truth, labeled = check_truth(y_true, [predicted], missing_label)
    if not labeled.any():
        return dict.fromkeys(REGIONS, np.nan)
    predicted, names, weights = predicted[labeled], names[labeled], weights[labeled]
    if isinstance(truth[0], str) != isinstance(predicted[0], str):
        msg = (
            "y_true and y_pred differ in kind: they start with "
            f"{truth[0]!r} and {predicted[0]!r}. Use strings or numbers in both."
        )
        raise ValueError(msg)
    return _by_region(accuracy_score, truth, predicted, names, weights)


def region_rmse(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    regions: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
) -> dict[str, float]:
    """Return the root mean squared error within each region.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        True values; rows with None, NaN, NaT or pandas.NA are left out.
    y_pred : array-like of shape (n,)
        Predicted values.
    regions : array-like of shape (n,)
        "easy", "hard" or "overlap".
    sample_weight : array-like of shape (n,), default=None
        Non-negative weights; None counts every row once.

    Returns
    -------
    dict of str to float
        Error on "easy", "hard" and "overlap" rows, in this order and in the unit of y;
        NaN for a region without labeled rows of positive weight.

    Raises
    ------
    ValueError
        If there is no row or an unknown region, if the lengths differ, if a value is
        infinite or no number, or if the weights are negative, not finite or all zero.

    See Also
    --------
    region_accuracy : The same for classes.

    Examples
    --------
    >>> from sklearn_w2s.metrics import region_rmse
    >>> region_rmse([1.0, 2.0, 3.0], [1.0, 5.0, 7.0], ["easy", "hard", "hard"])
    {'easy': 0.0, 'hard': 3.5355339059327378, 'overlap': nan}
    """
    names = check_regions(regions)
    predicted = check_array(
        y_pred, dtype=np.float64, ensure_2d=False, input_name="y_pred"
    )
    check_consistent_length(y_true, predicted, names)
    weights = check_weights(sample_weight, names)
    truth, labeled = check_values(y_true)
    predicted, names = column_or_1d(predicted)[labeled], names[labeled]
    return _by_region(
        root_mean_squared_error, truth, predicted, names, weights[labeled]
    )


def _by_region(
    score: Callable[..., float],
    truth: NDArray[Any],
    predicted: NDArray[Any],
    names: NDArray[np.str_],
    weights: NDArray[np.float64],
) -> dict[str, float]:
    """Return a score of each region, NaN where no row counts."""
    scores = dict.fromkeys(REGIONS, np.nan)
    for region in REGIONS:
        rows = (names == region) & (weights > 0)
        if rows.any():
            scores[region] = float(
                score(truth[rows], predicted[rows], sample_weight=weights[rows])
            )
    return scores


def check_truth(
    y_true: ArrayLike, predictions: list[Any], missing_label: Any
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return the labels that are known; a marker that is predicted is a class.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        True labels.
    predictions : list of ndarray of shape (n,)
        Predicted labels.
    missing_label : scalar
        Label of rows without one.

    Returns
    -------
    labels : ndarray of shape (n_labeled,)
        Labels.
    labeled : ndarray of shape (n,) of bool
        Which rows have one.
    """
    predicted = [np.unique(values) for values in predictions]
    is_known = any(is_class(missing_label, classes) for classes in predicted)
    labels, labeled = check_labels(y_true, None if is_known else missing_label)
    return labels, labeled


def check_regions(regions: ArrayLike, *, name: str = "regions") -> NDArray[np.str_]:
    """Return region names as an array.

    Parameters
    ----------
    regions : array-like of shape (n,)
        Names.
    name : str, default="regions"
        Argument that they were given as, for messages.

    Returns
    -------
    ndarray of shape (n,) of str
        "easy", "hard" or "overlap".

    Raises
    ------
    ValueError
        If there is no row, or another name.
    """
    names = np.asarray(column_or_1d(regions))
    if not names.size:
        msg = f"{name} is empty: at least one row is required."
        raise ValueError(msg)
    unknown = names[~np.isin(names, REGIONS)].tolist()
    if unknown:
        msg = f"{name} holds {unknown[0]!r}; name each row by one of {REGIONS}."
        raise ValueError(msg)
    return names.astype(str)

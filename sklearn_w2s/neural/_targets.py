"""Targets that carry a distribution and a weight through a skorch net.

A net hands its targets on to the criterion, to the split of the rows and to the
scoring callbacks. Only the criterion understands distributions: the others are shown
the most probable class of each row.
"""

import numpy as np
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.validation import check_consistent_length
from skorch.callbacks import BatchScoring, EpochScoring

from sklearn_w2s._validation import require_distributions
from sklearn_w2s.neural._criteria import SOFT_CRITERIA, WarmUp


def check_distributions(distributions, classes, X):
    """Return target distributions with their columns in the order of the classes.

    Parameters
    ----------
    distributions : array-like of shape (n, n_classes)
        One distribution per row.
    classes : array-like of shape (n_classes,)
        Class label of each column, in any order.
    X : array-like of shape (n, n_features)
        Rows.

    Returns
    -------
    distributions : ndarray of shape (n, n_classes)
        Float64 distributions.
    classes : ndarray of shape (n_classes,)
        Sorted class labels.

    Raises
    ------
    ValueError
        If a row is not a distribution, or if the classes do not name the columns.

    Examples
    --------
    >>> check_distributions([[0.2, 0.8]], ["yes", "no"], [[1.0]])
    (array([[0.8, 0.2]]), array(['no', 'yes'], dtype='<U3'))
    """
    distributions = check_array(
        distributions, dtype=np.float64, input_name="distributions"
    )
    check_consistent_length(X, distributions)
    require_distributions(distributions, name="distributions")
    labels = column_or_1d(classes)
    unique, order = np.unique(labels, return_index=True)
    if not len(unique) == len(labels) == distributions.shape[1]:
        msg = (
            f"distributions has {distributions.shape[1]} columns, but classes is "
            f"{labels.tolist()}. Pass one different class label per column."
        )
        raise ValueError(msg)
    return distributions[:, order], unique


def pack(distributions, weights):
    """Put a distribution and a weight per row into one array of targets.

    Parameters
    ----------
    distributions : ndarray of shape (n, n_classes)
        One distribution per row.
    weights : ndarray of shape (n,)
        Positive weights; only their ratios count.

    Returns
    -------
    ndarray of shape (n, n_classes + 1)
        The distributions and, last, the weights, of which the largest is 1: weights
        of any scale are then safe in single precision.

    Examples
    --------
    >>> pack(np.array([[1.0, 0.0], [0.5, 0.5]]), np.array([4.0, 2.0]))
    array([[1. , 0. , 1. ],
           [0.5, 0.5, 0.5]])
    """
    return np.column_stack([distributions, weights / weights.max()])


def labels_of(targets):
    """Return class codes: of packed targets, the most probable ones.

    Parameters
    ----------
    targets : ndarray or tensor of shape (n, n_classes + 1) or (n,)
        Packed targets, or class codes.

    Returns
    -------
    ndarray or tensor of shape (n,)
        Class codes, of the same kind.

    Examples
    --------
    >>> labels_of(np.array([[0.2, 0.8, 1.0], [0.9, 0.1, 1.0]]))
    array([1, 0])
    """
    return targets if targets.ndim == 1 else targets[:, :-1].argmax(1)


class SplitByLabel:
    """Show a split of the rows the class codes instead of packed targets.

    Parameters
    ----------
    split : callable
        The `train_split` of a net.
    """

    def __init__(self, split):
        self.split = split

    def __call__(self, dataset, y, **params):
        """Return the training and the validation part of the data set."""
        return self.split(dataset, labels_of(y), **params)


class ExtractLabels:
    """Show a scoring callback the class codes instead of packed targets.

    Parameters
    ----------
    extractor : callable
        The `target_extractor` of the callback.
    """

    def __init__(self, extractor):
        self.extractor = extractor

    def __call__(self, targets):
        """Return the targets that the score compares with predictions."""
        return self.extractor(labels_of(targets))


def initialize_net(net, n_classes, *, packed, loss_params=None, warm_up=0.0):
    """Initialize a net, ready for packed targets where these are to come.

    Parameters
    ----------
    net : NeuralNetClassifier or NeuralNetBinaryClassifier instance
        Freshly cloned; changed in place.
    n_classes : int
        Number of classes.
    packed : bool
        Whether the targets are packed. The criterion is then one of `SOFT_CRITERIA`.
    loss_params : dict or None, default=None
        Parameters of the criterion for packed targets; None leaves its defaults.
    warm_up : float, default=0.0
        Share of the training over which the net's own labels gain their weight.

    Returns
    -------
    skorch net instance
        The net.
    """
    if not packed:
        return net.initialize()
    params = {
        f"criterion__{name}": value for name, value in (loss_params or {}).items()
    }
    net.set_params(criterion=SOFT_CRITERIA[net.criterion], **params)
    if net.train_split:
        net.set_params(train_split=SplitByLabel(net.train_split))
    if net.classes is None:
        # skorch would otherwise take every number in the targets for a class.
        net.set_params(classes=list(range(n_classes)))
    net.initialize()
    for _, callback in net.callbacks_:
        if isinstance(callback, EpochScoring | BatchScoring):
            extractor = ExtractLabels(callback.target_extractor)
            callback.set_params(target_extractor=extractor)
    if warm_up > 0:
        net.callbacks_.append(("warm_up_of_loss", WarmUp(warm_up)))
    return net

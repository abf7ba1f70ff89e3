"""Targets that carry a distribution and a weight through a skorch net.

A net passes its targets to the criterion, to the split of the rows and to the scoring
callbacks. Only the criterion uses distributions: the others get the most probable class
of each row.
"""

import numpy as np
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.validation import check_consistent_length
from skorch.callbacks import BatchScoring, EpochScoring

from sklearn_w2s._validation import require_distributions
from sklearn_w2s.neural._losses import SOFT_CRITERIA, WarmUp


def check_distributions(distributions, classes, X):
    """Return float64 distributions with columns in the order of the sorted classes."""
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
    """Return targets (n, n_classes + 1): the distributions and, last, the weights."""
    # Only ratios count, and the largest weight 1 is safe in single precision.
    return np.column_stack([distributions, weights / weights.max()])


def labels_of(targets):
    """Return class codes (n,): of packed targets, the most probable ones."""
    return targets if targets.ndim == 1 else targets[:, :-1].argmax(1)


class OnLabels:
    """A function whose last argument is targets; it gets class codes of packed ones."""

    def __init__(self, function):
        self.function = function

    def __call__(self, *args, **params):
        *others, targets = args
        return self.function(*others, labels_of(targets), **params)


def initialize_net(net, n_classes, *, packed, loss_params, warm_up):
    """Initialize a freshly cloned net in place, for packed targets if `packed`."""
    if not packed:
        return net.initialize()
    params = {f"criterion__{name}": value for name, value in loss_params.items()}
    net.set_params(criterion=SOFT_CRITERIA[net.criterion], **params)
    if net.train_split:
        net.set_params(train_split=OnLabels(net.train_split))
    if net.classes is None:
        # skorch would otherwise take every number in the targets for a class.
        net.set_params(classes=list(range(n_classes)))
    net.initialize()
    for _, callback in net.callbacks_:
        if isinstance(callback, EpochScoring | BatchScoring):
            extractor = OnLabels(callback.target_extractor)
            callback.set_params(target_extractor=extractor)
    if warm_up > 0:
        net.callbacks_.append(("warm_up_of_loss", WarmUp(warm_up)))
    return net

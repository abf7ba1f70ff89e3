"""Rows that carry an easy pattern, a hard pattern, or both."""

import sys
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state

from sklearn_w2s._algorithms.overlap import EASY, HARD, OVERLAP, REGIONS

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def make_overlap_classification(
    n_samples: int | Sequence[int] = 1000,
    *,
    overlap_density: float = 1 / 3,
    n_easy_features: int = 20,
    n_hard_features: int = 20,
    n_classes: int = 2,
    noise: float = 5**0.5,
    absent_noise: float = 0.0,
    class_weights: ArrayLike | None = None,
    shuffle: bool = True,
    random_state: int | np.random.RandomState | None = None,
) -> tuple[FloatArray, IntArray, NDArray[np.str_]]:
    r"""Generate a classification problem with known easy, hard and overlap rows.

    The features are an easy block, which a weak estimator may see, followed by a hard
    block. Overlap rows carry the class in both blocks, easy rows in the easy block
    only, hard rows in the hard block only.

    Parameters
    ----------
    n_samples : int or tuple of three int, default=1000
        Number of rows, or the numbers of easy, hard and overlap rows.
    overlap_density : float, default=1/3
        Share of overlap rows, in [0, 1], rounded to whole rows. The others are half
        easy, half hard, and the odd one is easy. Ignored where `n_samples` gives three
        numbers.
    n_easy_features : int, default=20
        Number of features in the easy block, the first columns of X.
    n_hard_features : int, default=20
        Number of features in the hard block, the last columns of X.
    n_classes : int, default=2
        Number of classes.
    noise : float, default=sqrt(5)
        Standard deviation of the features around the centre of their class, in the
        units of X.
    absent_noise : float, default=0.0
        Standard deviation of the features in the block that a row does not carry; 0
        makes them exact zeros.
    class_weights : array-like of shape (n_classes,), default=None
        Probabilities of the classes; None makes them equal.
    shuffle : bool, default=True
        Whether to mix the rows. Otherwise the easy ones come first, then the hard ones,
        then the overlap ones.
    random_state : int, RandomState instance or None, default=None
        Seed of the centres, the classes, the noise and the order.

    Returns
    -------
    X : ndarray of shape (n_samples, n_easy_features + n_hard_features)
        Features.
    y : ndarray of shape (n_samples,)
        Classes, integers from 0.
    regions : ndarray of shape (n_samples,)
        "easy", "hard" or "overlap".

    Raises
    ------
    ValueError
        If a number is out of its range.

    See Also
    --------
    make_overlap_sources : The same rows in batches, from sources of several densities.

    Notes
    -----
    With :math:`d` features and :math:`\theta \sim U[0, 1]^d` drawn once, a row of class
    :math:`y \in \{0, 1\}` is

    .. math:: x \sim N\bigl((2 y - 1)\, \theta,\; \text{noise}^2 I_d\bigr)

    before the absent block is replaced, which is the synthetic experiment of [1]_ at
    the default `noise`, `absent_noise` and numbers of features. With more classes, each
    feature of each centre is a number from :math:`U[0, 1]` with a random sign.

    Every call draws its own centres. For training, pseudo-labeling and test rows around
    the same centres, draw once and split the rows with
    ``train_test_split(X, y, regions, stratify=regions)``.

    References
    ----------
    .. [1] C. Shin, J. Cooper and F. Sala, "Weak-to-Strong Generalization Through the
       Data-Centric Lens", ICLR 2025. https://arxiv.org/abs/2412.03881

    Examples
    --------
    >>> from sklearn_w2s.datasets import make_overlap_classification
    >>> X, y, regions = make_overlap_classification((2, 1, 1), random_state=0)
    >>> X.shape, sorted(regions.tolist())
    ((4, 40), ['easy', 'easy', 'hard', 'overlap'])
    """
    require_count("n_easy_features", n_easy_features, 1)
    require_count("n_hard_features", n_hard_features, 1)
    require_count("n_classes", n_classes, 2)
    require_number("noise", noise)
    require_number("absent_noise", absent_noise)
    counts = region_counts(n_samples, overlap_density)
    shares = class_shares(class_weights, n_classes)
    rng = check_random_state(random_state)

    n_features = n_easy_features + n_hard_features
    centers = draw_centers(rng, n_classes, n_features)
    regions = np.repeat(REGIONS, counts)
    y = rng.choice(n_classes, size=len(regions), p=shares).astype(np.int64)
    X = centers[y] + rng.normal(scale=noise, size=(len(regions), n_features))

    absent = absent_entries(regions, n_easy_features, n_features)
    X[absent] = rng.normal(scale=absent_noise, size=np.count_nonzero(absent))
    if shuffle:
        order = rng.permutation(len(regions))
        X, y, regions = X[order], y[order], regions[order]
    return X, y, regions


def draw_centers(
    rng: np.random.RandomState, n_classes: int, n_features: int
) -> FloatArray:
    """Draw the centre of each class, of numbers in [-1, 1]."""
    if n_classes == 2:
        theta = rng.uniform(size=n_features)
        return np.stack([-theta, theta])
    # A number from U[0, 1] with a random sign is one from U[-1, 1].
    return rng.uniform(-1, 1, size=(n_classes, n_features))


def absent_entries(
    regions: NDArray[np.str_], n_easy_features: int, n_features: int
) -> NDArray[np.bool_]:
    """Return a mask of the hard block of easy rows and the easy block of hard rows."""
    is_easy_block = np.arange(n_features) < n_easy_features
    is_absent: NDArray[np.bool_] = np.where(
        is_easy_block, (regions == HARD)[:, None], (regions == EASY)[:, None]
    )
    return is_absent


def region_counts(n_samples: Any, overlap_density: float) -> list[int]:
    """Return the numbers of easy, hard and overlap rows, which may be given as such."""
    if isinstance(n_samples, Integral):
        require_count("n_samples", n_samples, 1)
        require_number("overlap_density", overlap_density, 1)
        n_overlap = round(int(n_samples) * overlap_density)
        n_hard = (int(n_samples) - n_overlap) // 2
        return [int(n_samples) - n_overlap - n_hard, n_hard, n_overlap]
    counts = list(n_samples) if np.iterable(n_samples) else []
    are_counts = all(isinstance(n, Integral) and int(n) >= 0 for n in counts)
    if len(counts) != 3 or not are_counts or not any(counts):
        msg = (
            f"n_samples={n_samples!r} must be a positive integer, or a tuple of three "
            f"counts, not all zero: of rows that are {EASY}, {HARD} and {OVERLAP}."
        )
        raise ValueError(msg)
    return counts


def class_shares(class_weights: ArrayLike | None, n_classes: int) -> FloatArray:
    """Return the probability of each class; None makes them equal."""
    if class_weights is None:
        return np.full(n_classes, 1 / n_classes)
    shares = np.asarray(class_weights, dtype=np.float64)
    is_distribution = (shares >= 0).all() and abs(shares.sum() - 1) < 1e-8
    if shares.shape != (n_classes,) or not is_distribution:
        msg = (
            f"class_weights={class_weights!r} must be {n_classes} non-negative numbers "
            "that sum to 1, one per class. Divide them by their sum."
        )
        raise ValueError(msg)
    return shares


def require_count(name: str, value: Any, least: int) -> None:
    """Refuse anything but an integer of at least `least`."""
    if not isinstance(value, Integral) or int(value) < least:
        msg = f"{name}={value!r} must be an integer of at least {least}."
        raise ValueError(msg)


def require_number(name: str, value: Any, most: float = sys.float_info.max) -> None:
    """Refuse anything but a number in [0, `most`]."""
    # A NaN fails every comparison.
    if not isinstance(value, Real) or not 0 <= float(value) <= most:
        limit = "a number in [0, 1]" if most == 1 else "a finite number of at least 0"
        msg = f"{name}={value!r} must be {limit}."
        raise ValueError(msg)

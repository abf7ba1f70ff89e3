"""The gap that is recovered, and what of it theory promises or rules out."""

from collections.abc import Callable
from math import gcd

import numpy as np
from numpy.typing import ArrayLike, NDArray

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]


def recovered_share(
    weak: ArrayLike, weak_to_strong: ArrayLike, ceiling: ArrayLike
) -> FloatArray:
    """Return ``(weak_to_strong - weak) / (ceiling - weak)``, NaN without a gap."""
    floor, student, top = np.broadcast_arrays(
        *(np.asarray(s, dtype=np.float64) for s in (weak, weak_to_strong, ceiling))
    )
    gap = top - floor
    return np.where(gap > 0, (student - floor) / np.where(gap > 0, gap, 1), np.nan)


def squared_misfit(weak: FloatArray, strong: FloatArray) -> FloatArray:
    """Return the squared distance of each row of predictions."""
    distance: FloatArray = ((strong - weak) ** 2).sum(axis=1)
    return distance


def log_misfit(weak: FloatArray, strong: FloatArray) -> FloatArray:
    r"""Return how far strong probabilities of each row diverge from weak ones, in nats.

    .. math:: \mathrm{KL}(s \,\|\, w) = \sum_k s_k \log (s_k / w_k), \qquad
        0 \log 0 = 0
    """
    terms = np.zeros(strong.shape)
    possible = strong > 0
    # A difference of logarithms, as a ratio of probabilities may overflow.
    with np.errstate(divide="ignore"):
        log_weak = np.log(weak[possible])
    terms[possible] = strong[possible] * (np.log(strong[possible]) - log_weak)
    divergence: FloatArray = terms.sum(axis=1)
    return divergence


def smoother(X: FloatArray, alpha: float) -> tuple[FloatArray, FloatArray]:
    r"""Return eigenvectors and eigenvalues of a ridge smoother, without forming it.

    .. math:: K \left(K + \alpha \frac{\operatorname{tr} K}{n} I\right)^{-1}
        = U \operatorname{diag}(d)\, U^\top, \qquad K = X X^\top
    """
    # Only ratios count; a power of two cancels exactly, and squares do not overflow.
    X = np.ldexp(X, -int(np.frexp(np.abs(X).max())[1]))
    vectors, singular, _ = np.linalg.svd(X, full_matrices=False)
    energy = singular**2
    penalty = alpha * energy.sum() / len(X)
    # Zero energy is that of a direction that the rows do not have.
    values = np.divide(
        energy, energy + penalty, out=np.zeros_like(energy), where=energy > 0
    )
    return vectors, values


def gap_of_labels(
    weak: tuple[FloatArray, FloatArray],
    strong: tuple[FloatArray, FloatArray],
    targets: FloatArray,
) -> float:
    r"""Return the share of labels that is lost between two smoothers, in [0, 1].

    .. math:: \|P_s (I - P_w) Y\| / \|Y\|
    """
    (weak_vectors, weak_values), (vectors, values) = weak, strong
    fitted = weak_vectors @ (weak_values[:, None] * (weak_vectors.T @ targets))
    lost = values[:, None] * (vectors.T @ (targets - fitted))
    share = float(np.linalg.norm(lost) / np.linalg.norm(targets))
    return min(share, 1.0)


def largest_gap(
    weak: tuple[FloatArray, FloatArray], strong: tuple[FloatArray, FloatArray]
) -> float:
    r"""Return the largest singular value of :math:`P_s (I - P_w)`, in [0, 1].

    It is the square root of the largest eigenvalue of

    .. math:: D_s (I - C (2 D_w - D_w^2) C^\top) D_s, \qquad C = U_s^\top U_w
    """
    (weak_vectors, weak_values), (vectors, values) = weak, strong
    overlap = vectors.T @ weak_vectors
    kept = np.eye(len(values)) - (overlap * (2 - weak_values) * weak_values) @ overlap.T
    largest = np.linalg.eigvalsh(values[:, None] * kept * values)[-1]
    return float(np.sqrt(np.clip(largest, 0, 1)))


def corner_sets(
    n_rows: int,
    neighbors_of: Callable[[BoolArray], BoolArray],
    cheapest_set: Callable[[BoolArray, BoolArray, int, int], BoolArray],
) -> list[BoolArray]:
    r"""Return the sets of rows at the corners of the envelope of fewest neighbours.

    Each minimises :math:`v |N(U)| - u |U|` for some slope u / v, which
    ``cheapest_set(rows, covered, u, v)`` solves among `rows` and `covered` neighbours,
    and grows with the slope, for N is submodular. Source: G. Gallo, M. D. Grigoriadis,
    R. E. Tarjan, SIAM Journal on Computing 18(1), 1989.
    """
    corners = [np.zeros(n_rows, dtype=bool)]
    waiting = [np.ones(n_rows, dtype=bool)]
    while waiting:
        # Between two corners are only sets of what the smaller lacks of the larger.
        inner, outer = corners[-1], waiting[-1]
        rows = outer & ~inner
        covered = neighbors_of(outer) & ~neighbors_of(inner)
        u, v = int(covered.sum()), int(rows.sum())
        # Nothing is below a flat chord, for larger sets have no fewer neighbours.
        common = gcd(u, v)
        added = cheapest_set(rows, covered, u // common, v // common) if u else rows
        if not u or not added.any():
            corners.append(waiting.pop())
        else:
            waiting.append(inner | added)
    return corners


def expansion_bounds(
    set_mass: FloatArray, neighbor_mass: FloatArray, *, n_rows: int, q: float
) -> tuple[float, float, int]:
    r"""Bound the least ratio of neighbours to rows among sets above a mass, by corners.

    .. math:: \frac{e(p)}{p} \le \min_{P(U) > q} \frac{P(N(U))}{P(U)}
        \le \frac{e(p')}{p'}

    with the envelope e, the smallest mass p above q that a set can have, and the first
    corner p' not below it, whose position is returned last.
    """
    masses = np.arange(n_rows + 1) / n_rows
    mass = masses[np.searchsorted(masses, q, side="right")]
    corner = int(np.searchsorted(set_mass, mass))
    # As e is convex and e(0) = 0, no larger set can fall below this ratio.
    low = np.interp(mass, set_mass, neighbor_mass) / mass
    high = neighbor_mass[corner] / set_mass[corner]
    # Interpolation at a corner may round upwards.
    return float(min(low, high)), float(high), corner

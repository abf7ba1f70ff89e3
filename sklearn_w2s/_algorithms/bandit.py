"""Arms of unknown success rate: their statistics, indices, and the next arm.

An arm is a finite or endless population of rows that are successes or not. A round
draws a batch of rows from one arm, without replacement.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]
BoolArray = NDArray[np.bool_]

# Halvings of [0, 1]: 2 ** -40 < 1e-12.
_BISECTIONS = 40
# Far more than bisection and rounding are off.
_SLACK = 1e-9


@dataclass(frozen=True, eq=False, repr=False)
class ArmStatistics:
    """The state of every arm before a round, in arrays of shape (n_arms,).

    `drawn` counts rows whose reward is known, `found` sums their rewards; `pool` is the
    number of rows before anything was drawn; `pool` and `horizon` are infinite where
    unknown.
    """

    n_pulls: IntArray
    drawn: IntArray
    found: FloatArray
    cost: FloatArray
    sensitivity: FloatArray
    fall_out: FloatArray
    is_open: BoolArray
    pool: FloatArray
    horizon: float
    alpha: float
    rng: np.random.RandomState


def success_rate(found: ArrayLike, drawn: ArrayLike) -> FloatArray:
    """Return the share of successes of each arm, NaN where nothing was drawn."""
    n = np.asarray(drawn, dtype=np.float64)
    return np.asarray(found, dtype=np.float64) / np.where(n > 0, n, np.nan)


def unseen_factor(drawn: ArrayLike, pool: ArrayLike) -> FloatArray:
    r"""Return by how much drawing without replacement narrows squared bounds.

    From n of N rows, in [0, 1]: Bardenet, Maillard, "Concentration inequalities for
    sampling without replacement", Bernoulli 21(3), 2015.
    """
    n = np.asarray(drawn, dtype=np.float64)
    size = np.asarray(pool, dtype=np.float64)
    return np.minimum(1 - (n - 1) / size, (1 - n / size) * (1 + 1 / n)).clip(0, 1)


def fair_share_level(t: float, drawn: ArrayLike, n_arms: int) -> FloatArray:
    r"""Return :math:`\log^+ (t / K n)`, a level of bounds with little exploration.

    Degenne, Perchet, "Anytime Optimal Algorithms in Stochastic Multi-armed Bandits",
    ICML 2016; for kl: Ménard, Garivier, ALT 2017.
    """
    n: FloatArray = np.asarray(drawn, dtype=np.float64)
    level: FloatArray = np.log(np.maximum(t / (n_arms * n), 1))
    return level


def kl_ucb_index(
    found: ArrayLike, drawn: ArrayLike, level: ArrayLike, pool: ArrayLike = np.inf
) -> FloatArray:
    r"""Return the largest success rate that the rows drawn do not rule out.

    It is :math:`\max \{q : n\, \mathrm{kl}(o, q) \le \rho\, l\}` with o the rate among
    n rows, l the `level` and :math:`\rho` the `unseen_factor`: Garivier, Cappé, "The
    KL-UCB Algorithm for Bounded Stochastic Bandits and Beyond", COLT 2011.
    """
    rate, bound = _rate_and_bound(found, drawn, level, pool)
    low = np.zeros_like(bound)
    high = np.broadcast_to(1 - rate, bound.shape)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        inside = _kl_to_the_right(rate, middle) <= bound
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    return _or_first(rate + low, drawn)


def kl_ucb_ceiling(found: ArrayLike, drawn: ArrayLike, level: ArrayLike) -> FloatArray:
    r"""Return :math:`o + \sqrt{l / 2n}`, an upper bound of `kl_ucb_index` (Pinsker)."""
    n = np.maximum(np.asarray(drawn, dtype=np.float64), 1)
    radius = np.sqrt(np.asarray(level, dtype=np.float64) / (2 * n))
    return _or_first(np.asarray(found) / n + radius + _SLACK, drawn)


def kl_ucb_bounds(
    found: ArrayLike,
    drawn: ArrayLike,
    level: ArrayLike,
    pool: ArrayLike = np.inf,
    n_steps: int = 0,
) -> tuple[FloatArray, FloatArray]:
    """Return lower and upper bounds of `kl_ucb_index` that take less time."""
    rate, bound = _rate_and_bound(found, drawn, level, pool)
    rest = 1 - rate
    root = np.sqrt(bound * (bound + 4 * rate * rest))
    # A q is within the bound b on kl(o, q) inside Wilson's interval, (q - o)^2 <=
    # b q (1 - q), and outside where (q - o)^2 exceeds b / 2, 2 b q or 2 b (1 - o).
    low = (bound * (1 - 2 * rate) + root) / (2 * (1 + bound))
    high = np.sqrt(bound * np.minimum(0.5, 2 * rest))
    high = np.minimum(high, bound + np.sqrt(bound * (bound + 2 * rate)))
    low, high = np.clip(low, 0, rest), np.minimum(high, rest)
    for _ in range(n_steps):
        low, high = _narrowed(rate, bound, low, high)
    low, high = rate + low - _SLACK, rate + high + _SLACK
    return _or_first(low, drawn), _or_first(high, drawn)


def ucb1_index(
    found: ArrayLike, drawn: ArrayLike, t: float, alpha: float = 1.0
) -> FloatArray:
    r"""Return :math:`o + \alpha \sqrt{\log t / (2n)}`, with t and n counted in rows.

    Auer, Cesa-Bianchi, Fischer, "Finite-time Analysis of the Multiarmed Bandit
    Problem", Machine Learning 47, 2002.
    """
    n = np.maximum(np.asarray(drawn, dtype=np.float64), 1)
    radius = np.sqrt(np.log(max(t, 1)) / (2 * n))
    rate = np.asarray(found, dtype=np.float64) / n
    return _or_first(rate + alpha * radius, drawn)


def ucb_tuned_index(
    found: ArrayLike, drawn: ArrayLike, t: float, alpha: float = 1.0
) -> FloatArray:
    r"""Return UCB1-tuned, whose radius takes the variance of the arm into account.

    :math:`o + \alpha \sqrt{\log t / n \cdot \min(1/4, o (1 - o) + \sqrt{2 \log t /
    n})}`: section 4 of Auer, Cesa-Bianchi, Fischer, Machine Learning 47, 2002.
    """
    n = np.maximum(np.asarray(drawn, dtype=np.float64), 1)
    rate = np.asarray(found, dtype=np.float64) / n
    log_t = np.log(max(t, 1))
    variance = np.minimum(rate * (1 - rate) + np.sqrt(2 * log_t / n), 0.25)
    return _or_first(rate + alpha * np.sqrt(log_t / n * variance), drawn)


def paper_index(
    found: ArrayLike,
    drawn: ArrayLike,
    n_pulls: ArrayLike,
    horizon: float,
    alpha: float = 1.0,
) -> FloatArray:
    r"""Return :math:`o + \alpha \sqrt{2 \log T / m}`, as in Shin et al., ICLR 2025."""
    m = np.maximum(np.asarray(n_pulls, dtype=np.float64), 1)
    radius = np.sqrt(2 * np.log(horizon) / m)
    return _or_first(success_rate(found, drawn) + alpha * radius, drawn)


def reference_index(
    found: ArrayLike,
    drawn: ArrayLike,
    n_pulls: ArrayLike,
    horizon: float,
    alpha: float = 1.0,
) -> FloatArray:
    r"""Return :math:`o + \alpha \sqrt{2 \log T} / m`, as in the code of the paper.

    It is not a confidence bound: the radius falls with the number of rounds m, not its
    root.
    """
    m = np.maximum(np.asarray(n_pulls, dtype=np.float64), 1)
    radius = np.sqrt(2 * np.log(horizon)) / m
    return _or_first(success_rate(found, drawn) + alpha * radius, drawn)


def anytime_level(n_pulls: ArrayLike, n_arms: int, delta: float) -> FloatArray:
    r"""Return the level at which all bounds hold in all rounds with probability 1 - d.

    A union bound, for the stopping rule of Kaufmann, Kalyanakrishnan, COLT 2013: each
    bound fails after m rounds with probability exp(-level), and 1 / m(m + 1) sums to
    one.
    """
    m = np.maximum(np.asarray(n_pulls, dtype=np.float64), 1)
    level: FloatArray = np.log(2 * n_arms * m * (m + 1) / delta)
    return level


def next_arm(index: ArrayLike, drawn: ArrayLike, available: ArrayLike) -> int:
    """Return the available arm of the largest index and, of those, the fewest rows."""
    usable = np.asarray(available, dtype=bool)
    values = np.where(usable, index, -np.inf)
    best = np.flatnonzero(usable & (values == values.max()))
    return int(best[np.argmin(np.asarray(drawn)[best])])


def _rate_and_bound(
    found: ArrayLike, drawn: ArrayLike, level: ArrayLike, pool: ArrayLike
) -> tuple[FloatArray, FloatArray]:
    """Return the success rate, and the largest kl between it and the index."""
    n = np.maximum(np.asarray(drawn, dtype=np.float64), 1)
    # An arm without rows has nothing drawn either: its radius is not used.
    size = np.maximum(pool, n)
    # The factor is proved for the radius of Hoeffding's inequality, which kl exceeds;
    # for kl it is a heuristic, exact at n = 1 and n = N.
    bound = unseen_factor(n, size) * np.asarray(level, dtype=np.float64) / n
    return np.asarray(found, dtype=np.float64) / n, bound


def _narrowed(
    rate: FloatArray, bound: FloatArray, low: FloatArray, high: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return bounds nearer to the step where kl, which is convex, reaches its bound."""
    # At 1 kl has no slope.
    inside = high < 1 - rate
    at_high = _kl_to_the_right(rate, np.where(inside, high, 0)) - bound
    at_low = _kl_to_the_right(rate, low) - bound
    with np.errstate(divide="ignore", invalid="ignore"):
        newton = high - at_high * (rate + high) * (1 - rate - high) / high
        secant = low - at_low * (high - low) / (at_high - at_low)
    is_better = inside & (at_high > 0) & (at_low < 0)
    high_next = np.where(is_better, np.clip(newton, low, high), high)
    return np.where(is_better, np.clip(secant, low, high), low), high_next


def _kl_to_the_right(rate: FloatArray, step: FloatArray) -> FloatArray:
    """Return kl(rate, rate + step), accurate for small steps."""
    # Two logarithms of nearly one would cancel; log1p keeps the error at the step's.
    rest = 1 - rate
    gain = rate * np.log1p(step / np.where(rate > 0, rate, 1))
    loss = rest * np.log1p(-step / np.where(rest > 0, rest, 1))
    return -gain - loss


def _or_first(index: FloatArray, drawn: ArrayLike) -> FloatArray:
    """Put arms that were never drawn before all others."""
    return np.where(np.asarray(drawn) > 0, index, np.inf)

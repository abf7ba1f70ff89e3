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
    """What is known of every arm before a round.

    Parameters
    ----------
    n_pulls : ndarray of shape (n_arms,)
        Rounds in which the arm was drawn.
    drawn : ndarray of shape (n_arms,)
        Rows drawn whose reward is known.
    found : ndarray of shape (n_arms,)
        Successes among them, or the sum of their rewards.
    cost : ndarray of shape (n_arms,)
        What a row of the arm costs, positive.
    sensitivity, fall_out : ndarray of shape (n_arms,)
        Shares of true successes and of others that are found, the first larger.
    is_open : ndarray of bool of shape (n_arms,)
        Whether the arm can be drawn.
    pool : ndarray of shape (n_arms,)
        Rows in the arm before anything was drawn; infinity where unknown.
    horizon : float
        Rounds in all; infinity where unknown.
    alpha : float
        Exploration coefficient.
    rng : RandomState
        For policies that draw at random.
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
    """Return ``found / drawn``, NaN where nothing was drawn.

    Parameters
    ----------
    found : array-like of shape (n_arms,)
        Successes.
    drawn : array-like of shape (n_arms,)
        Rows drawn.

    Returns
    -------
    ndarray of shape (n_arms,)
        Rate in [0, 1].

    Examples
    --------
    >>> success_rate([1, 0], [4, 0])
    array([0.25,  nan])
    """
    n = np.asarray(drawn, dtype=np.float64)
    return np.asarray(found, dtype=np.float64) / np.where(n > 0, n, np.nan)


def unseen_factor(drawn: ArrayLike, pool: ArrayLike) -> FloatArray:
    r"""Return by how much a finite population shrinks the square of a radius.

    .. math:: \rho = \min\left(1 - \frac{n - 1}{N},
        \left(1 - \frac{n}{N}\right) \left(1 + \frac{1}{n}\right)\right)

    for n rows drawn out of N without replacement: 1 for an endless population, 0 once
    all rows are drawn.

    Parameters
    ----------
    drawn : array-like of shape (n_arms,)
        Rows drawn, n; positive.
    pool : array-like of shape (n_arms,)
        Size of the population, N; infinity where endless.

    Returns
    -------
    ndarray of shape (n_arms,)
        Factor in [0, 1].

    References
    ----------
    R. Bardenet, O.-A. Maillard, "Concentration inequalities for sampling without
    replacement", Bernoulli 21(3), 2015.

    Examples
    --------
    >>> unseen_factor([1, 50, 100, 100], [100, 100, 100, np.inf])
    array([1.  , 0.51, 0.  , 1.  ])
    """
    n = np.asarray(drawn, dtype=np.float64)
    size = np.asarray(pool, dtype=np.float64)
    return np.minimum(1 - (n - 1) / size, (1 - n / size) * (1 + 1 / n)).clip(0, 1)


def fair_share_level(t: float, drawn: ArrayLike, n_arms: int) -> FloatArray:
    r"""Return :math:`\log^+ (t / K n)`, the level of confidence bounds that are fair.

    An arm is granted a bonus only while fewer rows than its even share of all rows were
    drawn of it. Over few rounds that explores far less than the classical log t, which
    it approaches as t grows.

    Parameters
    ----------
    t : float
        Rows drawn of all arms.
    drawn : array-like of shape (n_arms,)
        Rows drawn of each arm, n; positive.
    n_arms : int
        Number of arms that can be drawn, K.

    Returns
    -------
    ndarray of shape (n_arms,)
        Level, 0 or more.

    References
    ----------
    R. Degenne, V. Perchet, "Anytime Optimal Algorithms in Stochastic Multi-armed
    Bandits", ICML 2016; for kl: P. Ménard, A. Garivier, "A Minimax and Asymptotically
    Optimal Algorithm for Stochastic Bandits", ALT 2017.

    Examples
    --------
    >>> fair_share_level(1000, [10, 100, 500], 2).round(3)
    array([3.912, 1.609, 0.   ])
    """
    n: FloatArray = np.asarray(drawn, dtype=np.float64)
    level: FloatArray = np.log(np.maximum(t / (n_arms * n), 1))
    return level


def kl_ucb_index(
    found: ArrayLike, drawn: ArrayLike, level: ArrayLike, pool: ArrayLike = np.inf
) -> FloatArray:
    r"""Return the largest success rate that the rows drawn do not rule out.

    .. math:: \max \left\{ q \in [o, 1] : n\, \mathrm{kl}(o, q) \le \rho\, l \right\},
        \quad \mathrm{kl}(o, q) = o \log\frac{o}{q} + (1 - o) \log\frac{1 - o}{1 - q}

    with o the rate among the n rows drawn of the arm, l the level and :math:`\rho` the
    `unseen_factor`, which is proved for the squared radius of Hoeffding's inequality
    that kl exceeds; taking it over to kl is a heuristic, exact at n = 1 and n = N. The
    lower bound is one minus the index of the failures.

    Parameters
    ----------
    found : array-like of shape (n_arms,)
        Successes.
    drawn : array-like of shape (n_arms,)
        Rows drawn.
    level : float or array-like of shape (n_arms,)
        Logarithm of the odds against being above the index, l; log t in the original
        KL-UCB, 0 returns the rate.
    pool : array-like of shape (n_arms,), default=np.inf
        Size of the population; infinity where endless.

    Returns
    -------
    ndarray of shape (n_arms,)
        Index in [0, 1], to 1e-9; infinity where nothing was drawn.

    References
    ----------
    A. Garivier, O. Cappé, "The KL-UCB Algorithm for Bounded Stochastic Bandits and
    Beyond", COLT 2011.

    Examples
    --------
    >>> pool = [1000, 1000, 100]
    >>> kl_ucb_index([3, 30, 30], [10, 100, 100], np.log(200), pool).round(3)
    array([0.781, 0.451, 0.3  ])
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
    r"""Return :math:`o + \sqrt{l / 2n}`, which `kl_ucb_index` is never above.

    By Pinsker's inequality, whatever the size of the population.

    Parameters
    ----------
    found, drawn, level : array-like of shape (n_arms,)
        As for `kl_ucb_index`.

    Returns
    -------
    ndarray of shape (n_arms,)
        Bound, to 1e-9; infinity where nothing was drawn.

    Examples
    --------
    >>> kl_ucb_ceiling([3, 30], [10, 100], np.log(200)).round(3)
    array([0.815, 0.463])
    """
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
    r"""Return bounds on `kl_ucb_index` that are quicker to find.

    With b the bound on :math:`\mathrm{kl}(o, q)`, a q is within it where it is within
    Wilson's interval, :math:`(q - o)^2 \le b q (1 - q)`, and not where
    :math:`(q - o)^2` exceeds :math:`b / 2`, :math:`2 b q` or :math:`2 b (1 - o)`. Steps
    of Newton's method from above and of the secant from below narrow them.

    Parameters
    ----------
    found, drawn, level, pool : array-like of shape (n_arms,)
        As for `kl_ucb_index`.
    n_steps : int, default=0
        Steps that narrow them.

    Returns
    -------
    low, high : ndarray of shape (n_arms,)
        Bounds, to 1e-9; infinity where nothing was drawn.

    Examples
    --------
    >>> low, high = kl_ucb_bounds([3, 30], [10, 100], np.log(200))
    >>> low.round(3), high.round(3)
    (array([0.648, 0.413]), array([0.815, 0.463]))
    """
    rate, bound = _rate_and_bound(found, drawn, level, pool)
    rest = 1 - rate
    root = np.sqrt(bound * (bound + 4 * rate * rest))
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
    r"""Return :math:`o + \alpha \sqrt{\log t / (2n)}`, counted in rows.

    With `alpha` = 1 it is the radius of Hoeffding's inequality for rates, and never
    below `kl_ucb_index` at the level log t.

    Parameters
    ----------
    found : array-like of shape (n_arms,)
        Successes.
    drawn : array-like of shape (n_arms,)
        Rows drawn, n.
    t : float
        Rows drawn of all arms.
    alpha : float, default=1.0
        Exploration coefficient; 2 is the original UCB1.

    Returns
    -------
    ndarray of shape (n_arms,)
        Index; infinity where nothing was drawn.

    References
    ----------
    P. Auer, N. Cesa-Bianchi, P. Fischer, "Finite-time Analysis of the Multiarmed
    Bandit Problem", Machine Learning 47, 2002.

    Examples
    --------
    >>> ucb1_index([3, 30], [10, 100], 200).round(3)
    array([0.815, 0.463])
    """
    n = np.maximum(np.asarray(drawn, dtype=np.float64), 1)
    radius = np.sqrt(np.log(max(t, 1)) / (2 * n))
    rate = np.asarray(found, dtype=np.float64) / n
    return _or_first(rate + alpha * radius, drawn)


def ucb_tuned_index(
    found: ArrayLike, drawn: ArrayLike, t: float, alpha: float = 1.0
) -> FloatArray:
    r"""Return UCB1-tuned, whose radius takes the variance of the arm into account.

    .. math:: o + \alpha \sqrt{\frac{\log t}{n} \min\left(\frac{1}{4},
        o (1 - o) + \sqrt{\frac{2 \log t}{n}}\right)}

    Parameters
    ----------
    found : array-like of shape (n_arms,)
        Successes.
    drawn : array-like of shape (n_arms,)
        Rows drawn, n.
    t : float
        Rows drawn of all arms.
    alpha : float, default=1.0
        Exploration coefficient.

    Returns
    -------
    ndarray of shape (n_arms,)
        Index; infinity where nothing was drawn.

    References
    ----------
    P. Auer, N. Cesa-Bianchi, P. Fischer, "Finite-time Analysis of the Multiarmed
    Bandit Problem", Machine Learning 47, 2002, section 4.

    Examples
    --------
    >>> ucb_tuned_index([3, 30], [10, 100], 200).round(3)
    array([0.664, 0.415])
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
    r"""Return :math:`o + \alpha \sqrt{2 \log T / m}`, counted in rounds.

    Parameters
    ----------
    found : array-like of shape (n_arms,)
        Successes.
    drawn : array-like of shape (n_arms,)
        Rows drawn.
    n_pulls : array-like of shape (n_arms,)
        Rounds in which the arm was drawn, m.
    horizon : float
        Rounds in all, T.
    alpha : float, default=1.0
        Exploration coefficient.

    Returns
    -------
    ndarray of shape (n_arms,)
        Index; infinity where nothing was drawn.

    References
    ----------
    C. Shin, J. Cooper, F. Sala, "Weak-to-Strong Generalization Through the
    Data-Centric Lens", ICLR 2025, https://arxiv.org/abs/2412.03881

    Examples
    --------
    >>> paper_index([30], [100], [4], 50).round(4)
    array([1.6986])
    """
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
    r"""Return :math:`o + \alpha \sqrt{2 \log T} / m`, counted in rounds.

    The index of the reference implementation of the paper. Its radius falls with the
    number of rounds, not with the root of it, hence is no confidence bound.

    Parameters
    ----------
    found : array-like of shape (n_arms,)
        Successes.
    drawn : array-like of shape (n_arms,)
        Rows drawn.
    n_pulls : array-like of shape (n_arms,)
        Rounds in which the arm was drawn, m.
    horizon : float
        Rounds in all, T.
    alpha : float, default=1.0
        Exploration coefficient.

    Returns
    -------
    ndarray of shape (n_arms,)
        Index; infinity where nothing was drawn.

    Examples
    --------
    >>> reference_index([30], [100], [4], 50).round(4)
    array([0.9993])
    """
    m = np.maximum(np.asarray(n_pulls, dtype=np.float64), 1)
    radius = np.sqrt(2 * np.log(horizon)) / m
    return _or_first(success_rate(found, drawn) + alpha * radius, drawn)


def anytime_level(n_pulls: ArrayLike, n_arms: int, delta: float) -> FloatArray:
    r"""Return :math:`\log(2 K m (m + 1) / \delta)` for arms drawn in m rounds.

    At this level all upper and lower kl bounds of K arms hold in all rounds at once,
    but for a probability of delta: each fails after m rounds with probability
    exp(-level), and 1 / m(m + 1) sums to one.

    Parameters
    ----------
    n_pulls : array-like of shape (n_arms,)
        Rounds in which the arm was drawn, m.
    n_arms : int
        Number of arms, K.
    delta : float
        Probability of an error, in (0, 1).

    Returns
    -------
    ndarray of shape (n_arms,)
        Level, for `kl_ucb_index`.

    References
    ----------
    E. Kaufmann, S. Kalyanakrishnan, "Information Complexity in Bandit Subset
    Selection", COLT 2013, for the rule that stops; the level is a union bound.

    Examples
    --------
    >>> anytime_level([1, 10], 2, 0.05).round(3)
    array([5.075, 9.083])
    """
    m = np.maximum(np.asarray(n_pulls, dtype=np.float64), 1)
    level: FloatArray = np.log(2 * n_arms * m * (m + 1) / delta)
    return level


def next_arm(index: ArrayLike, drawn: ArrayLike, available: ArrayLike) -> int:
    """Return the available arm of the largest index.

    Ties go to the arm with the fewest rows drawn, then to the first.

    Parameters
    ----------
    index : array-like of shape (n_arms,)
        Index of each arm.
    drawn : array-like of shape (n_arms,)
        Rows drawn.
    available : array-like of bool of shape (n_arms,)
        Whether the arm has rows left; one at least.

    Returns
    -------
    int
        Position of the arm.

    Examples
    --------
    >>> next_arm([0.5, 0.5, 0.9], [64, 32, 32], [True, True, False])
    1
    """
    usable = np.asarray(available, dtype=bool)
    values = np.where(usable, index, -np.inf)
    best = np.flatnonzero(usable & (values == values.max()))
    return int(best[np.argmin(np.asarray(drawn)[best])])


def _rate_and_bound(
    found: ArrayLike, drawn: ArrayLike, level: ArrayLike, pool: ArrayLike
) -> tuple[FloatArray, FloatArray]:
    """Return the rate of success, and what kl may be between it and the index."""
    n = np.maximum(np.asarray(drawn, dtype=np.float64), 1)
    # An arm without rows has nothing drawn either: its radius is not used.
    size = np.maximum(pool, n)
    bound = unseen_factor(n, size) * np.asarray(level, dtype=np.float64) / n
    return np.asarray(found, dtype=np.float64) / n, bound


def _narrowed(
    rate: FloatArray, bound: FloatArray, low: FloatArray, high: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return steps nearer to that where kl, which is convex, reaches the bound."""
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

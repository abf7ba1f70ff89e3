"""Teachers that need no label: they smooth the labels of the weak estimator."""

from contextlib import nullcontext
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy import linalg
from sklearn.cluster import KMeans
from sklearn.kernel_approximation import Nystroem
from sklearn.utils import check_random_state
from sklearn.utils.extmath import row_norms

from sklearn_w2s._algorithms.ensemble import stacking_weights
from sklearn_w2s._algorithms.weak_labels import on_grid
from sklearn_w2s._estimators import draw_seed
from sklearn_w2s._sklearn import safe_indexing
from sklearn_w2s.weak_to_strong._members import N_PRIOR, blocks_of
from sklearn_w2s.weak_to_strong._teachers import SMOOTHING, Taught, Teacher
from sklearn_w2s.weak_to_strong._views import View, draw, search_for

# Smoothers learn from a sample of this size; their cost grows with its square.
MAX_SMOOTHED = 10_000
_N_NEIGHBORS = 30
_N_COMPONENTS = 300
_N_PAIRS = 2_000
_KERNEL_PENALTY = 0.1
_LINEAR_PENALTY = 10.0
_MOST_LINEAR = 2_000
_N_STEPS = 20
_N_BAGS = 20
# With more distinct predictions the weak estimator is smooth by itself.
_MOST_DISTINCT = 100
_N_SCALING_STEPS = 5
_DAMPING = 0.8
# Rules are less sure than their votes suggest, which are not independent.
_LEAST_WEAK = 0.1
_PRIOR_SHARE = 0.05
# Boosting diverges on classes that next to no label names.
_LEAST_SHARE = 0.01


class Smooth(Teacher):
    r"""Weak labels, smoothed until rows that resemble each other agree, without labels.

    From the weak probabilities W on, 20 times :math:`A = S(R), R = \mathrm{join}(W, A)`
    with a `Smoother` S; the result is the mean of all A and R. If the weak estimator
    sees the same columns, rows of equal W are `Bags`, which is learning from label
    proportions (Quadrianto et al., JMLR 2009); otherwise the join is a `Product`.
    """

    takes_neighbors = True
    steps = SMOOTHING

    def teach(self, known, *, step=nullcontext, **_):
        """Smooth the weak labels of the unlabeled rows."""
        rng = check_random_state(known.seed)
        n = len(known.weak_proba)
        independent = known.second is not None
        with step(*SMOOTHING):
            view = View(known.others, np.arange(n), rng, known.second)
            proba = _smooth_out(view, known, rng, independent=independent)
        proba = on_grid(proba)
        judged = on_grid(_drop_rare(proba, known.weights))
        return Taught(proba, judged, None, {}, np.empty(0, dtype=np.intp), {})


def _smooth_out(view, known, rng, *, independent):
    weak_proba, n = known.weak_proba, len(known.weak_proba)
    if n < 2:
        return weak_proba
    chosen = draw(n, MAX_SMOOTHED, rng)
    smooth = Smoother(
        view, safe_indexing(known.others, chosen), rng, neighbors=known.neighbors
    )
    own, weights = weak_proba[chosen], known.weights[chosen]
    outside = np.delete(np.arange(n), chosen)
    blocks = blocks_of(outside)
    proba = np.empty(weak_proba.shape)
    n_distinct = len(np.unique(own.round(6), axis=0))
    # A weak estimator that is smooth already is averaged with its smoothed self.
    if not independent and n_distinct > _MOST_DISTINCT:
        proba[chosen] = smooth.own(own)
        for block in blocks:
            proba[block] = smooth.new(safe_indexing(known.others, block), own)
        return (proba + weak_proba) / 2
    join: Product | Bags = Product(weak_proba)
    sharpness = 1.0
    if not independent:
        join = Bags(weak_proba, chosen, weights, rng)
        sharpness = 1 + 0.05 * np.log2(weak_proba.shape[1])
    joint, total = join.start[chosen], 0.0
    for _ in range(_N_STEPS):
        smoothed = smooth.own(joint)
        joint = join.fit(smoothed**sharpness, chosen)
        total = total + smoothed + joint
    proba[chosen] = _normalised(total)
    for block in blocks:
        smoothed = smooth.new(safe_indexing(known.others, block), proba[chosen])
        proba[block] = (smoothed + join.apply(smoothed**sharpness, block)) / 2
    return proba


def _drop_rare(proba, weights):
    """Give the rows of classes that next to no row is of to the next likeliest."""
    judged = proba.copy()
    least = _LEAST_SHARE * weights.sum()
    while True:
        counts = np.bincount(judged.argmax(axis=1), weights, judged.shape[1])
        rare = np.flatnonzero((counts > 0) & (counts < least))
        # One class alone could not be learned.
        if not len(rare) or np.count_nonzero(counts) <= 2:
            return _normalised(judged)
        judged[:, rare[np.argmin(counts[rare])]] = 0


class ValueSmooth(Teacher):
    """Weak values w, smoothed as far as smoothing tells those of rows left out.

    A row gets :math:`w + R^2 (A + m - w)`: A is the mean of smoothers that explains the
    share :math:`R^2` of the variance of w, and m the mean of w - A over similar w.
    """

    takes_neighbors = True
    steps = SMOOTHING

    def teach(self, known, *, step=nullcontext, **_):
        """Smooth the weak values of the unlabeled rows."""
        values = known.weak_proba
        if len(values) > 1:
            with step(*SMOOTHING):
                values = _smooth_values(known)
        return Taught(values, values, None, {}, np.empty(0, dtype=np.intp), {})


def _smooth_values(known):
    weak, n = known.weak_proba, len(known.weak_proba)
    rng = check_random_state(known.seed)
    view = View(known.others, np.arange(n), rng, known.second)
    chosen = draw(n, MAX_SMOOTHED, rng)
    smoother = Smoother(
        view, safe_indexing(known.others, chosen), rng, neighbors=known.neighbors
    )
    own, weights = weak[chosen], known.weights[chosen]
    predicted = smoother.own_predictions(own)[:, :, 0]
    theta = stacking_weights(predicted - own[:, 0], weights=weights, n_prior=N_PRIOR)
    smoothed = np.empty(n)
    smoothed[chosen] = theta @ predicted
    for block in blocks_of(np.delete(np.arange(n), chosen)):
        others = smoother.new_predictions(safe_indexing(known.others, block), own)
        smoothed[block] = theta @ others[:, :, 0]
    left = (weak[:, 0] - smoothed)[chosen]
    mean = np.average(own[:, 0], weights=weights)
    variance = np.average((own[:, 0] - mean) ** 2, weights=weights)
    if not variance > 0:
        return weak
    share = max(0.0, 1 - np.average(left**2, weights=weights) / variance)
    bags = bags_of(weak, chosen, rng)
    total = np.bincount(bags[chosen], weights, bags.max() + 1)
    sums = np.bincount(bags[chosen], weights * left, bags.max() + 1)
    shift = sums / np.where(total > 0, total, 1)
    return weak + share * (smoothed + shift[bags] - weak[:, 0])[:, None]


def _normalised(values):
    return values / values.sum(axis=1, keepdims=True)


class Product:
    """Two predictions from columns of their own, multiplied."""

    def __init__(self, weak_proba):
        self.start = _normalised(np.maximum(weak_proba, _LEAST_WEAK))

    def fit(self, smoothed, rows):
        """Join the smoothed prediction of the rows at given positions."""
        return _normalised(self.start[rows] * smoothed)

    apply = fit


class Bags:
    """Rows of equal, or similar, weak probabilities, which are their class shares."""

    def __init__(self, weak_proba, chosen, weights, rng):
        prior = np.average(weak_proba[chosen], axis=0, weights=weights)
        self.start = (1 - _PRIOR_SHARE) * weak_proba + _PRIOR_SHARE * prior
        self._bags = bags_of(weak_proba, chosen, rng)
        n_bags = self._bags.max() + 1
        places = (self._bags[chosen], np.arange(len(chosen)))
        shape = (n_bags, len(chosen))
        sums = sp.csr_matrix((weights, places), shape=shape)
        sizes = np.asarray(sums.sum(axis=1))
        self._means = sp.diags(1 / np.maximum(sizes, 1e-12).ravel()) @ sums
        self._wanted = np.maximum(self._means @ self.start[chosen], 1e-9)
        # A bag without a row in the sample has no factors.
        self._wanted[sizes.ravel() == 0] = 1.0
        self._is_empty = sizes == 0

    def fit(self, smoothed, rows):
        """Scale the smoothed prediction of the sample to the shares of its bags."""
        self._factors = np.ones_like(self._wanted)
        for _ in range(_N_SCALING_STEPS):
            shares = self._means @ self.apply(smoothed, rows)
            ratios = self._wanted / np.maximum(shares, 1e-9)
            self._factors *= np.where(self._is_empty, 1.0, ratios) ** _DAMPING
        return self.apply(smoothed, rows)

    def apply(self, smoothed, rows):
        """Scale the smoothed prediction of the rows at given positions."""
        return _normalised(smoothed * self._factors[self._bags[rows]])


def bags_of(weak, chosen, rng):
    """Return the bag of each row: rows of equal, or similar, weak predictions."""
    distinct, bags = np.unique(weak.round(6), axis=0, return_inverse=True)
    if len(distinct) <= _N_BAGS:
        return bags.ravel()
    clusters = KMeans(_N_BAGS, n_init=1, random_state=draw_seed(rng))
    return clusters.set_output(transform="default").fit(weak[chosen]).predict(weak)


class Smoother:
    """The mean of nearest neighbours, a kernel ridge and a linear one, in each way."""

    def __init__(self, view, X, rng, *, neighbors=None):
        self._view = view
        self._members = []
        for way in view.ways_:
            rows = view.numbers(X, way)
            kernel = Ridge(_kernel_map(rows, rng), _KERNEL_PENALTY).fit(rows)
            search = search_for(rows, _N_NEIGHBORS, given=neighbors, rng=rng)
            members: list[Any] = [Neighbors(search, rows.shape[0]), kernel]
            if not sp.issparse(rows) and rows.shape[1] <= _MOST_LINEAR:
                members.append(Ridge(None, _LINEAR_PENALTY).fit(rows))
            self._members.append(members)

    def own(self, targets):
        """Return the mean prediction for each row, from the others."""
        return _as_shares(np.mean(self.own_predictions(targets), axis=0))

    def own_predictions(self, targets):
        """Return the prediction of each member for each row, from the others."""
        return np.array([m.own(targets) for members in self._members for m in members])

    def new(self, X, targets):
        """Return the mean prediction for other rows."""
        return _as_shares(np.mean(self.new_predictions(X, targets), axis=0))

    def new_predictions(self, X, targets):
        """Return the prediction of each member for other rows."""
        predicted = []
        for way, members in zip(self._view.ways_, self._members, strict=True):
            rows = self._view.numbers(X, way)
            predicted += [member.new(rows, targets) for member in members]
        return np.array(predicted)


def _as_shares(predicted):
    return _normalised(np.maximum(predicted, 1e-6))


def _kernel_map(rows, rng):
    n = rows.shape[0]
    first, second = rng.randint(n, size=(2, _N_PAIRS))
    width = np.median(row_norms(rows[first] - rows[second], squared=True))
    return Nystroem(
        gamma=0.5 / width if width > 0 else 1.0,
        n_components=min(_N_COMPONENTS, n),
        random_state=draw_seed(rng),
    ).set_output(transform="default")


class Neighbors:
    """The mean of the nearest neighbours, the row itself left out."""

    def __init__(self, search, n):
        self._n = n
        self._search = search
        self._own = self._means(*search.own())

    def own(self, targets):
        """Return the means over the neighbours of each row."""
        return self._own @ targets

    def new(self, rows, targets):
        """Return the means over the neighbours of other rows."""
        return self._means(*self._search.of(rows)) @ targets

    def _means(self, distances, neighbors):
        n, k = neighbors.shape
        starts = np.arange(0, n * k + 1, k)
        found = np.isfinite(distances)
        values = found / np.maximum(found.sum(axis=1, keepdims=True), 1)
        places = (values.ravel(), neighbors.ravel(), starts)
        return sp.csr_matrix(places, shape=(n, self._n))


class Ridge:
    """Ridge regression; `own` predicts each of its rows from the others."""

    def __init__(self, feature_map, penalty):
        self._map = feature_map
        self._penalty = penalty

    def fit(self, rows):
        """Factorise, once for all targets."""
        # A kernel of rows that repeat is singular, which single precision would show.
        features = rows.astype(np.float64)
        if self._map is not None:
            features = self._map.fit_transform(features)
        self._mean = features.mean(axis=0)
        self._features = features - self._mean
        gram = self._features.T @ self._features
        gram[np.diag_indices_from(gram)] += self._penalty
        self._solved = linalg.cho_solve(linalg.cho_factor(gram), self._features.T)
        leverage = np.einsum("ij,ji->i", self._features, self._solved)
        self._leverage = (leverage + 1 / len(features)).clip(0, 0.99)[:, None]
        return self

    def own(self, targets):
        """Return leave-one-out predictions."""
        mean = targets.mean(axis=0)
        predicted = mean + self._features @ (self._solved @ (targets - mean))
        return (predicted - self._leverage * targets) / (1 - self._leverage)

    def new(self, rows, targets):
        """Return predictions of other rows."""
        features = rows.astype(np.float64)
        if self._map is not None:
            features = self._map.transform(features)
        mean = targets.mean(axis=0)
        return mean + (features - self._mean) @ (self._solved @ (targets - mean))

"""Ways of others to use weak values, as those for classes in `_peers.py`.

None of them is a package that trains a strong regressor on weak values: there is none.
"""

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import spsolve
from scipy.spatial.distance import cdist
from sklearn.base import clone
from sklearn.neighbors import KNeighborsRegressor, NearestNeighbors

from benchmarks.tables._peers import (
    catboost,
    fitted_weak,
    has_labels,
    weak_view,
)
from sklearn_w2s._tabular import TabularEncoder

_N_NEIGHBORS = 10
# Of COREG: neighbours, orders of the two distances, rounds, and rows looked at in each.
_K, _ORDERS, _MOST_ROUNDS, _N_LOOKED_AT, _N_POOL = 3, (2, 5), 50, 100, 200


def self_training(situation, strong, *_):
    """Let the strong estimator learn, once, from its own values of unlabeled rows."""
    if not has_labels(situation):
        return None
    known = situation.known
    model = clone(strong).fit(situation.X[known], situation.y[known])
    y = situation.y.copy()
    y[~known] = model.predict(situation.X[~known])
    return clone(strong).fit(situation.X, y).predict(situation.X_test)


def neighbors_of_all(situation, *_):
    """Take the mean of the nearest rows, of labels or of weak values."""
    weak = fitted_weak(situation)
    y, known = situation.y.copy(), situation.known
    y[~known] = weak.predict(weak_view(situation, situation.X[~known]))
    # Labeled rows that lack columns are near to none.
    rows = slice(None) if situation.labels_for_strong else ~known
    encoder = TabularEncoder().fit(situation.X[rows])
    model = KNeighborsRegressor(_N_NEIGHBORS)
    model.fit(encoder.transform(situation.X[rows]), y[rows])
    return model.predict(encoder.transform(situation.X_test))


def graph_regression(situation, *_):
    """Solve for the harmonic function on the graph of nearest neighbours.

    Each unlabeled row is the mean of its neighbours. X. Zhu, Z. Ghahramani, J.
    Lafferty, "Semi-Supervised Learning Using Gaussian Fields and Harmonic Functions",
    ICML 2003. Rows held out are the mean of their nearest rows.
    """
    if not has_labels(situation):
        return None
    encoder = TabularEncoder().fit(situation.X)
    rows, known = encoder.transform(situation.X), situation.known
    search = NearestNeighbors(n_neighbors=_N_NEIGHBORS).fit(rows)
    graph = search.kneighbors_graph()
    graph = graph.maximum(graph.T).tocsr()
    # A weak tie to all labels, for parts of the graph without any.
    mean, tie = situation.y[known].mean(), 1e-3
    degrees = np.asarray(graph.sum(axis=1)).ravel() + tie
    laplacian = (sp.diags(degrees) - graph).tocsr()
    values = situation.y.copy()
    pull = graph[~known][:, known] @ values[known] + tie * mean
    values[~known] = spsolve(laplacian[~known][:, ~known].tocsc(), pull)
    nearest = search.kneighbors(
        encoder.transform(situation.X_test), return_distance=False
    )
    return values[nearest].mean(axis=1)


def co_training(situation, _strong, seed):
    """Let two nearest-neighbour regressors teach each other (COREG).

    Each gives the other, round by round, that of some unlabeled rows whose value makes
    it most consistent with the labels around. Z.-H. Zhou, M. Li, "Semi-Supervised
    Regression with Co-Training", IJCAI 2005.
    """
    if not has_labels(situation):
        return None
    rng = np.random.default_rng(seed)
    known = np.flatnonzero(situation.known)
    others = rng.permutation(np.flatnonzero(~situation.known))[:_N_POOL]
    encoder = TabularEncoder().fit(situation.X)
    rows = encoder.transform(situation.X.iloc[np.concatenate([known, others])])
    distances = [cdist(rows, rows, "minkowski", p=p) for p in _ORDERS]
    ids = [np.arange(len(known))] * 2
    values = [situation.y[known]] * 2
    left = np.arange(len(known), len(rows))
    for _ in range(_MOST_ROUNDS):
        found = []
        for j in (0, 1):
            looked_at = rng.permutation(left)[:_N_LOOKED_AT]
            found.append(_most_consistent(distances[j], ids[j], values[j], looked_at))
        if found == [None, None]:
            break
        for j, chosen in enumerate(found):
            if chosen is not None:
                row, value = chosen
                ids[1 - j] = np.append(ids[1 - j], row)
                values[1 - j] = np.append(values[1 - j], value)
                left = left[left != row]
    X_test = encoder.transform(situation.X_test)
    models = [
        KNeighborsRegressor(_K, p=p).fit(rows[own], y)
        for p, own, y in zip(_ORDERS, ids, values, strict=True)
    ]
    return np.mean([model.predict(X_test) for model in models], axis=0)


def _most_consistent(distances, ids, values, candidates):
    """Return the candidate, and its value, that lowers the error around it most."""
    if not len(candidates):
        return None
    own = distances[np.ix_(ids, ids)]
    nearest = np.argsort(own, axis=1)[:, :_K]
    last = nearest[:, -1]
    reach = np.take_along_axis(own, last[:, None], axis=1)[:, 0]
    sums = values[nearest].sum(axis=1)
    to_known = distances[np.ix_(candidates, ids)]
    around = np.argsort(to_known, axis=1)[:, :_K]
    guesses = values[around].mean(axis=1)
    comes_in = np.take_along_axis(to_known, around, axis=1) < reach[around]
    before = sums[around] / _K
    after = (sums[around] - values[last[around]] + guesses[:, None]) / _K
    after = np.where(comes_in, after, before)
    true = values[around]
    gains = ((true - before) ** 2 - (true - after) ** 2).sum(axis=1)
    best = int(np.argmax(gains))
    return (candidates[best], guesses[best]) if gains[best] > 0 else None


VALUE_PEERS_WITHOUT_STRONG = {
    "kNN regression of all rows": neighbors_of_all,
    "harmonic function on a graph": graph_regression,
    "co-training regression (COREG)": co_training,
    "CatBoost on the labels": catboost,
}
VALUE_PEERS = {
    **VALUE_PEERS_WITHOUT_STRONG,
    "self-training regression": self_training,
}

"""Ways to use weak labels for one situation, ours and those of peers.

Each is a function ``(situation, strong, seed)`` that returns probabilities of the rows
held out, columns by class code, or their values, or None where it does not apply.
"""

from functools import partial

from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.metrics import accuracy_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline

from benchmarks.tables._peers import (
    PEERS,
    PEERS_WITHOUT_STRONG,
    answers,
    fitted_weak,
    has_labels,
    weak_view,
)
from benchmarks.tables._value_peers import VALUE_PEERS, VALUE_PEERS_WITHOUT_STRONG
from sklearn_w2s import (
    OverlapDetector,
    WeakToStrongClassifier,
    WeakToStrongRegressor,
)
from sklearn_w2s._tabular import TabularEncoder
from sklearn_w2s.weak_to_strong._strategies import STRATEGIES

STRONG = {
    "hgb": lambda seed: make_pipeline(
        TabularEncoder(categories="ordinal", impute=False, scale=False),
        HistGradientBoostingClassifier(random_state=seed),
    ),
    "rf": lambda seed: make_pipeline(
        TabularEncoder(scale=False), RandomForestClassifier(random_state=seed)
    ),
    "mlp": lambda seed: make_pipeline(
        TabularEncoder(), MLPClassifier(early_stopping=True, random_state=seed)
    ),
}
STRONG_REGRESSORS = {
    "hgb": lambda seed: make_pipeline(
        TabularEncoder(categories="ordinal", impute=False, scale=False),
        HistGradientBoostingRegressor(random_state=seed),
    ),
    # All columns at each split, which is the default, cost three times as much.
    "rf": lambda seed: make_pipeline(
        TabularEncoder(scale=False),
        RandomForestRegressor(max_features=1 / 3, random_state=seed),
    ),
}


def make_strong(name, situation, seed):
    """Return a strong estimator that sees the columns meant for it."""
    strong = (STRONG_REGRESSORS if situation.is_regression else STRONG)[name](seed)
    if situation.strong_features is None:
        return strong
    chosen = ColumnTransformer(
        [("features", "passthrough", situation.strong_features)],
        verbose_feature_names_out=False,
    )
    return Pipeline([("chosen", chosen.set_output(transform="pandas")), *strong.steps])


def weak(situation, *_):
    """Predict with the weak estimator."""
    X_test = weak_view(situation, situation.X_test)
    return answers(fitted_weak(situation), X_test, situation)


def strong_on_labels(situation, strong, *_):
    """Train the strong estimator on the labeled rows alone."""
    if not has_labels(situation):
        return None
    known = situation.known
    fitted = clone(strong).fit(situation.X[known], situation.y[known])
    return answers(fitted, situation.X_test, situation)


def better_of_both(situation, strong, seed):
    """Choose between weak and strong-on-labels by cross-validation on the labels."""
    if not has_labels(situation):
        return None
    known = situation.known
    X, y = situation.X[known], situation.y[known]
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    accuracy = [
        accuracy_score(y, cross_val_predict(clone(estimator), rows, y, cv=folds))
        for estimator, rows in ((situation.weak, weak_view(situation, X)), (strong, X))
    ]
    choice = weak if accuracy[0] >= accuracy[1] else strong_on_labels
    return choice(situation, strong, seed)


def weak_to_strong(situation, strong, seed, *, naive=False, **params):
    """Train the strong estimator on weak labels, by a strategy of ours."""
    model = WeakToStrongClassifier
    if situation.is_regression:
        model = WeakToStrongRegressor
    else:
        params["overlap_detector"] = OverlapDetector(max_references=2000)
    fitted = model(
        situation.weak,
        strong,
        weak_features=situation.weak_features,
        include_labeled=situation.labels_for_strong and not naive,
        random_state=seed,
        **params,
    ).fit(situation.X, situation.y)
    return answers(fitted, situation.X_test, situation)


def co_training(situation, strong, seed):
    """Train by our strategy for two views, where there are two."""
    if situation.weak_features is None:
        return None
    return weak_to_strong(situation, strong, seed, strategy="co_train")


def ceiling(situation, strong, *_):
    """Train the strong estimator on the true labels of all rows."""
    rows = slice(None) if situation.labels_for_strong else ~situation.known
    fitted = clone(strong).fit(situation.X[rows], situation.truth[rows])
    return answers(fitted, situation.X_test, situation)


CONTESTANTS = {
    "weak": weak,
    "naive, hard labels": partial(
        weak_to_strong, naive=True, strategy="all", pseudo_labels="hard"
    ),
    "naive, soft labels": partial(
        weak_to_strong, naive=True, strategy="all", pseudo_labels="soft"
    ),
    "strong on the labels": strong_on_labels,
    "the better of both, by cross-validation": better_of_both,
    **{
        f"strategy={name}": partial(weak_to_strong, strategy=name)
        for name in [*STRATEGIES, "auto"]
        if name != "all"
    },
    "strategy=co_train": co_training,
    **PEERS,
    "ceiling": ceiling,
}
VALUE_CONTESTANTS = {
    "weak": weak,
    "naive": partial(weak_to_strong, naive=True, strategy="all"),
    "strong on the labels": strong_on_labels,
    "strategy=auto": partial(weak_to_strong, strategy="auto"),
    **VALUE_PEERS,
    "ceiling": ceiling,
}
# What our strategies are to beat. The ceiling and naive labels are none, and neither
# are our own strategies.
RIVALS = [
    "weak",
    "strong on the labels",
    "the better of both, by cross-validation",
    *PEERS,
]
# These give the same for every strong estimator.
WITHOUT_STRONG = {"weak", *PEERS_WITHOUT_STRONG}
VALUES_WITHOUT_STRONG = {"weak", *VALUE_PEERS_WITHOUT_STRONG}


def n_seeds(contestant):
    """Return how often a contestant is run: single strategies are there to be shown."""
    single = contestant.startswith("strategy=") and contestant != "strategy=auto"
    return 2 if single else 5

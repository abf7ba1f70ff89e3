"""Weak-to-strong estimators at the end of a pipeline, and their parts alone."""

from sklearn.base import clone, is_regressor
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_w2s._fitting import adapt
from sklearn_w2s._tabular import default_strong_estimator, default_strong_regressor
from sklearn_w2s._weak import resolve_columns, select_columns


def final_step(estimator):
    """Return the last step of a pipeline, or the estimator itself."""
    return estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator


def before_final(fitted, X):
    """Return rows as the last step of a fitted pipeline receives them."""
    if isinstance(fitted, Pipeline) and len(fitted.steps) > 1:
        return fitted[:-1].transform(X)
    return X


def require_weak_to_strong(estimator):
    """Refuse an estimator without a weak and a strong estimator."""
    final = final_step(estimator)
    needed = ("weak_estimator", "strong_estimator", "missing_label")
    lacking = [name for name in needed if not hasattr(final, name)]
    if lacking:
        msg = (
            f"estimator={estimator!r} has no parameter {lacking[0]!r}. Pass a "
            "WeakToStrongClassifier, a WeakToStrongRegressor, or a pipeline that ends "
            "in one."
        )
        raise TypeError(msg)


def weak_alone(fitted, X):
    """Return the fitted weak estimator as one that takes whole rows."""
    final = final_step(fitted)
    if final.weak_estimator_ is None:
        msg = (
            "There is no weak estimator to judge on test rows: the fit used weak_proba "
            "alone. Put the probabilities into columns of X, and pass weak_estimator="
            "ColumnProbaClassifier(...) instead."
        )
        raise ValueError(msg)
    weak = FrozenEstimator(final.weak_estimator_)
    steps = list(fitted.steps[:-1]) if isinstance(fitted, Pipeline) else []
    columns = getattr(final, "_weak_columns_", None)
    if not hasattr(final, "_weak_columns_"):
        chosen = getattr(final, "weak_features", None)
        columns = resolve_columns(chosen, before_final(fitted, X))
    view = FunctionTransformer(select_columns, kw_args={"columns": columns})
    return Pipeline([*steps, ("view", view), ("weak", weak)])


def strong_alone(estimator):
    """Return an unfitted strong estimator behind the other steps of the pipeline."""
    final = final_step(estimator)
    strong = final.strong_estimator
    if strong is None:
        regresses = is_regressor(final)
        strong = default_strong_regressor() if regresses else default_strong_estimator()
    strong = adapt(strong)
    if not isinstance(estimator, Pipeline):
        return clone(strong)
    return clone(estimator).set_params(**{estimator.steps[-1][0]: clone(strong)})


def default_scoring(estimator):
    """Return the name of the scorer that gaps are measured by."""
    return "neg_root_mean_squared_error" if is_regressor(estimator) else "accuracy"

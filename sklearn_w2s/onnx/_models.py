"""Estimators of this package in a graph: who predicts, and what is put on top."""

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from sklearn_w2s.onnx._graph import DOUBLE, FLOAT, INT, Graph
from sklearn_w2s.weak_to_strong._student import LEAST_PROBA

# Their trees often draw, and predict the first class then.
_VOTERS = (RandomForestClassifier, ExtraTreesClassifier)
# Single precision tells no closer probabilities apart.
_TIE = 1e-6


def convert_classifier(scope, operator, container):
    """Add the estimator that predicts, and the calibration of its probabilities."""
    graph = Graph(scope, operator, container)
    model = operator.raw_operator
    estimator = model.estimator_
    if not hasattr(estimator, "predict_proba"):
        msg = (
            f"{type(estimator).__name__} has no predict_proba, which the converter "
            "needs. Fit with a strong estimator that has."
        )
        raise ValueError(msg)
    label, proba = graph.part(estimator, _seen_inputs(graph, model))
    proba = graph.cast(proba.full_name, DOUBLE)
    if isinstance(_last(estimator), _VOTERS):
        graph.labels(_first_of_best(graph, proba), estimator.classes_, graph.outputs[0])
    else:
        graph.node("Identity", label.full_name, output=graph.outputs[0])
    proba = _calibrate(graph, proba, model.calibration_, len(estimator.classes_))
    if not np.array_equal(estimator.classes_, model.classes_):
        # A class that the estimator never saw has probability zero.
        places = np.isin(model.classes_, estimator.classes_)
        proba = graph.node("MatMul", proba, np.eye(len(places))[places])
    graph.cast(proba, FLOAT, graph.outputs[1])


def convert_regressor(scope, operator, container):
    """Add the estimator that predicts, of each output its own."""
    graph = Graph(scope, operator, container)
    model = operator.raw_operator
    parts = []
    for output in getattr(model, "outputs_", [model]):
        (values,) = graph.part(output.estimator_, _seen_inputs(graph, output))
        values = graph.cast(values.full_name, FLOAT)
        parts.append(graph.node("Reshape", values, [-1, 1]))
    values = graph.node("Concat", *parts, axis=1)
    graph.node("Identity", values, output=graph.outputs[0])


def convert_boosting_of_tables(scope, operator, container):
    """Add the encoder of tables, and the boosting behind it."""
    graph = Graph(scope, operator, container)
    model = operator.raw_operator
    rows = graph.part(model.encoder_, graph.inputs)
    # A label and probabilities, or values.
    parts = graph.part(model.boosting_, rows)
    for inner, own in zip(parts, graph.outputs, strict=True):
        graph.node("Identity", inner.full_name, output=own)


def convert_coded(scope, operator, container):
    """Add the estimator that knows class codes, and labels in their place."""
    graph = Graph(scope, operator, container)
    model = operator.raw_operator
    code, proba = graph.part(model.estimator_, graph.inputs)
    codes = graph.node("Reshape", graph.cast(code.full_name, INT), [-1])
    graph.labels(codes, model.classes_, graph.outputs[0])
    graph.cast(proba.full_name, FLOAT, graph.outputs[1])


def _last(estimator):
    while isinstance(estimator, FrozenEstimator | Pipeline):
        is_frozen = isinstance(estimator, FrozenEstimator)
        estimator = estimator.estimator if is_frozen else estimator.steps[-1][1]
    return estimator


def _first_of_best(graph, proba):
    """Give the code of the first class that has the largest probability."""
    code = graph.node("ArgMax", proba, axis=1, keepdims=1)
    best = graph.node("GatherElements", proba, code, axis=1)
    best = graph.node("Sub", best, _TIE)
    is_best = graph.cast(graph.node("GreaterOrEqual", proba, best), INT)
    return graph.node("ArgMax", is_best, axis=1, keepdims=0)


def _calibrate(graph, proba, calibration, n_classes):
    power, even_share = calibration
    if even_share:
        proba = graph.node("Mul", proba, 1 - even_share)
        proba = graph.node("Add", proba, even_share / n_classes)
    if power == 1 and not even_share:
        return proba
    logs = graph.node("Log", graph.node("Max", proba, LEAST_PROBA))
    return graph.node("Softmax", graph.node("Mul", logs, power), axis=1)


def _seen_inputs(graph, model):
    """Return the inputs that the estimator which predicts sees."""
    inputs, columns = graph.inputs, model._weak_columns_
    if model.strategy_ != "weak" or columns is None:
        return inputs
    names = list(getattr(model, "feature_names_in_", ()))
    if not isinstance(columns, slice) and isinstance(columns[0], str):
        columns = [names.index(name) for name in columns]
    positions = np.arange(model.n_features_in_)[columns].tolist()
    if len(inputs) == 1:
        return [graph.columns(inputs[0], positions)]
    if len(inputs) == model.n_features_in_:
        return [inputs[j] for j in positions]
    msg = (
        f"The weak estimator predicts, from columns {positions}, which cannot be told "
        f"among {len(inputs)} inputs. Name each column, or all in one matrix."
    )
    raise ValueError(msg)

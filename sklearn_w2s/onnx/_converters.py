"""Converters: what each estimator adds to a graph."""

import numpy as np
from onnx import numpy_helper
from skl2onnx.common.data_types import (
    DoubleTensorType,
    FloatTensorType,
    StringTensorType,
)
from skl2onnx.operator_converters.imputer_op import convert_sklearn_imputer
from skl2onnx.shape_calculators.imputer import calculate_sklearn_imputer_output_shapes
from sklearn.base import is_classifier
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from sklearn_w2s.onnx._graph import DOUBLE, FLOAT, INT, Graph, Table, label_type
from sklearn_w2s.weak_to_strong._student import LEAST_PROBA

# Votes of their trees are often tied; the first class wins then.
_VOTERS = (RandomForestClassifier, ExtraTreesClassifier)
# Single precision cannot separate closer probabilities.
_TIE = 1e-6
_DAY = 86_400
# Attributes of a node of a tree.
_COLUMNS = ["treeids", "nodeids", "featureids", "modes", "values"]
_COLUMNS += ["truenodeids", "falsenodeids", "missing_value_tracks_true"]


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
        # A class that was not in the data of the estimator has probability zero.
        places = np.isin(model.classes_, estimator.classes_)
        proba = graph.node("MatMul", proba, np.eye(len(places))[places])
    graph.cast(proba, FLOAT, graph.outputs[1])


def convert_regressor(scope, operator, container):
    """Add the estimators that predict, one for each output."""
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
    """Add the estimator of class codes, and labels in their place."""
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
        f"The weak estimator predicts from columns {positions}, which cannot be found "
        f"among {len(inputs)} inputs. Pass one input per column, or a single matrix."
    )
    raise ValueError(msg)


def convert_encoder(scope, operator, container):
    """Add what `TabularEncoder.transform` does."""
    graph = Graph(scope, operator, container)
    encoder = operator.raw_operator
    table = Table(graph, encoder.n_features_in_)
    parts = []
    if encoder.numeric_columns_:
        numbers = _numbers(graph, table, encoder.columns_)
        fillers, shift, scale = encoder.numeric_map()
        gaps = graph.node("IsNaN", numbers)
        filled = numbers
        if not np.isnan(fillers).all():
            filled = graph.node("Where", gaps, fillers[None], numbers)
        if shift.any():
            filled = graph.node("Sub", filled, shift[None])
        if (scale != 1).any():
            filled = graph.node("Div", filled, scale[None])
        parts.append(filled)
        if encoder.flagged_columns_:
            flagged = np.isin(encoder.numeric_columns_, encoder.flagged_columns_)
            places = np.flatnonzero(flagged)
            parts.append(graph.cast(graph.node("Gather", gaps, places, axis=1), DOUBLE))
    known = encoder.columns_.categories
    for k, rows in enumerate(encoder.category_tables()):
        n = len(known[k])
        values = _plain_categories(known[k], encoder.categorical_columns_[k])
        codes = table.codes(encoder.categorical_columns_[k], values, missing=n + 1)
        coded = graph.node("Gather", rows, codes, axis=0)
        parts.append(graph.node("Reshape", coded, [-1, rows.shape[1]]))
    graph.node("Concat", *parts, axis=1, output=graph.outputs[0])


def convert_imputer(scope, operator, container):
    """Add what `SimpleImputer.transform` does."""
    imputer = operator.raw_operator
    if not _fills_gaps(operator):
        convert_sklearn_imputer(scope, operator, container)
        return
    # In double precision skl2onnx adds a node that runtimes do not have.
    graph = Graph(scope, operator, container)
    table = Table(graph, imputer.n_features_in_)
    fillers = np.asarray(imputer.statistics_, dtype=np.float64)
    rows = table.numbers(np.flatnonzero(~np.isnan(fillers)).tolist())
    fillers = fillers[None, ~np.isnan(fillers)]
    graph.node(
        "Where", graph.node("IsNaN", rows), fillers, rows, output=graph.outputs[0]
    )


def infer_imputer(operator):
    """Set the type of the rows without gaps."""
    if not _fills_gaps(operator):
        calculate_sklearn_imputer_output_shapes(operator)
        return
    n_known = np.count_nonzero(~np.isnan(operator.raw_operator.statistics_))
    operator.outputs[0].type = DoubleTensorType([None, n_known])


def _fills_gaps(operator):
    """Say whether an imputer replaces NaN in numbers, and does nothing else."""
    imputer, gap = operator.raw_operator, operator.raw_operator.missing_values
    are_numbers = not any(isinstance(v.type, StringTensorType) for v in operator.inputs)
    is_plain = not imputer.add_indicator and not imputer.keep_empty_features
    return are_numbers and is_plain and isinstance(gap, float) and np.isnan(gap)


def infer_encoder(operator):
    """Set the type of the encoded rows."""
    n_encoded = operator.raw_operator.n_encoded
    operator.outputs[0].type = DoubleTensorType([None, n_encoded])


def _plain_categories(values, j):
    """Return categories that a graph can compare: texts alone, or numbers alone."""
    are_texts = {isinstance(value, str) for value in values}
    if are_texts == {False} and not any(isinstance(v, tuple) for v in values):
        return values
    if are_texts == {True} and "" not in values:
        return values
    reason = (
        "among them the empty text, which stands for a missing value in ONNX"
        if are_texts == {True}
        else "and categories in ONNX are texts alone, or numbers alone"
    )
    msg = (
        f"Column {j} of X has categories such as {values[:3]}, {reason}. Rename them, "
        "and fit again."
    )
    raise ValueError(msg)


def _numbers(graph, table, columns):
    """Give what `Columns.numbers` gives, calendar parts of dates included."""
    numbers = table.numbers(columns.numeric)
    empty = np.array([not columns.kinds[j] for j in columns.numeric])
    if empty.any():
        numbers = graph.node("Where", empty[None], np.nan, numbers)
    if not columns.parts:
        return numbers
    calendars = {}
    for j, _ in columns.parts:
        if j not in calendars:
            calendars[j] = _calendar(graph, table.numbers([j]))
    parts = [calendars[j][part] for j, part in columns.parts]
    return graph.node("Concat", numbers, *parts, axis=1)


def _calendar(graph, days):
    """Give the calendar parts of days since 1970, each of shape (n, 1).

    Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", 2013.
    """

    def divide(x, by):
        return graph.node("Floor", graph.node("Div", x, float(by)))

    def add(*terms):
        total, *others = terms
        for term in others:
            total = graph.node("Add", total, term)
        return total

    def times(x, factor):
        return graph.node("Mul", x, float(factor))

    # Counted in eras of 400 years from 1 March of the year 0.
    whole = graph.node("Floor", days)
    day_of_epoch = add(whole, 719_468.0)
    era = divide(day_of_epoch, 146_097)
    day_of_era = add(day_of_epoch, times(era, -146_097))
    leaps = add(
        times(divide(day_of_era, 1_460), -1),
        divide(day_of_era, 36_524),
        times(divide(day_of_era, 146_096), -1),
    )
    year = divide(add(day_of_era, leaps), 365)
    start = add(times(year, 365), divide(year, 4), times(divide(year, 100), -1))
    day_of_year = add(day_of_era, times(start, -1))
    month = divide(add(times(day_of_year, 5), 2.0), 153)
    first = divide(add(times(month, 153), 2.0), 5)
    is_early = graph.node("Less", month, 10.0)
    seconds = times(graph.node("Sub", days, whole), _DAY)
    seconds = graph.node("Div", graph.node("Round", times(seconds, 1000)), 1000.0)
    weekday = add(whole, 3.0)
    hour = divide(seconds, 3_600)
    return {
        "month": add(month, graph.node("Where", is_early, 3.0, -9.0)),
        "day": add(day_of_year, times(first, -1), 1.0),
        "weekday": add(weekday, times(divide(weekday, 7), -7)),
        "hour": graph.node("Where", graph.node("Greater", hour, 23.0), 23.0, hour),
    }


def convert_boosting(scope, operator, container):
    """Add the prediction of a histogram gradient boosting classifier or regressor."""
    graph = Graph(scope, operator, container)
    model = operator.raw_operator
    baseline = np.ravel(model._baseline_prediction)
    sums = graph.cast(_sums(graph, model, baseline), DOUBLE)
    if not is_classifier(model):
        link = type(model._loss.link).__name__
        if link == "LogLink":
            sums = graph.node("Exp", sums)
        elif link != "IdentityLink":
            msg = f"A loss with {link} cannot be converted. Fit with another loss."
            raise ValueError(msg)
        graph.cast(sums, FLOAT, graph.outputs[0])
        return
    if len(baseline) == 1:
        last = graph.node("Sigmoid", sums)
        proba = graph.node("Concat", graph.node("Sub", 1.0, last), last, axis=1)
    else:
        proba = graph.node("Softmax", sums, axis=1)
    codes = graph.node("ArgMax", proba, axis=1, keepdims=0)
    graph.labels(codes, model.classes_, graph.outputs[0])
    if container.get_options(model, {"raw_scores": False})["raw_scores"]:
        proba = sums
        if len(baseline) == 1:
            proba = graph.node("Concat", graph.node("Neg", sums), sums, axis=1)
    graph.cast(proba, FLOAT, graph.outputs[1])


def infer_classifier(operator):
    """Set the types of the label and the probabilities."""
    classes = operator.raw_operator.classes_
    label, proba = operator.outputs
    label.type = label_type(classes)([None])
    proba.type = FloatTensorType([None, len(classes)])


def infer_regressor(operator):
    """Set the type of the prediction."""
    n_outputs = len(getattr(operator.raw_operator, "outputs_", [0]))
    operator.outputs[0].type = FloatTensorType([None, n_outputs])


def _sums(graph, model, baseline):
    """Give the sums of the trees, (n, n_outputs), in single precision."""
    table = Table(graph, model.n_features_in_)
    # Features of the trees are the columns, those of categories first.
    categories, order = [], list(range(model.n_features_in_))
    if model._preprocessor is not None:
        positions = np.flatnonzero(model.is_categorical_).tolist()
        encoder = model._preprocessor.named_transformers_["encoder"]
        categories = list(zip(positions, encoder.categories_, strict=True))
        order = positions + [j for j in order if j not in positions]
    parts, n_categories = [], []
    for j, values in categories:
        # Gaps are None or NaN.
        known = [v for v in values.tolist() if v is not None and v == v]
        n_categories.append(len(known))
        codes = table.codes(j, known, missing=len(known))
        parts.append(graph.node("Add", graph.cast(codes, DOUBLE), 1.0))
    rest = order[len(parts) :]
    if rest:
        parts.append(table.numbers(rest))
    rows = parts[0] if len(parts) == 1 else graph.node("Concat", *parts, axis=1)
    known_sets, _ = model._bin_mapper.make_known_categories_bitsets()
    nodes = _Nodes(known_sets, n_categories)
    n_outputs = len(baseline)
    for i, iteration in enumerate(model._predictors):
        for k, tree in enumerate(iteration):
            nodes.add_tree(
                tree.nodes,
                tree.raw_left_cat_bitsets,
                number=i * n_outputs + k,
                output=k,
            )
    return graph.node(
        "TreeEnsembleRegressor",
        rows,
        domain="ai.onnx.ml",
        op_version=3,
        n_targets=n_outputs,
        base_values_as_tensor=_tensor(baseline),
        post_transform="NONE",
        **nodes.attributes(),
    )


def _tensor(values):
    return numpy_helper.from_array(np.asarray(values, dtype=np.float64))


class _Nodes:
    """The nodes of all trees, as the attributes of one operator."""

    def __init__(self, known, n_categories):
        self._known = list(map(_members, known, n_categories))
        self._nodes, self._leaves = [], []

    def add_tree(self, nodes, left_sets, *, number, output):
        """Add a tree of scikit-learn."""
        n_nodes = len(nodes)
        for i, node in enumerate(nodes):
            if node["is_leaf"]:
                self._nodes.append((number, i, 0, "LEAF", 0.0, 0, 0, 0))
                self._leaves.append((number, i, output, node["value"]))
                continue
            column, children = int(node["feature_idx"]), (node["left"], node["right"])
            tracks = int(node["missing_go_to_left"])
            if not node["is_categorical"]:
                split = (column, "BRANCH_LEQ", node["num_threshold"], *children, tracks)
                self._nodes.append((number, i, *split))
                continue
            # Of each code, the last one of unknown and missing, whether it goes left.
            known = self._known[column]
            left = _members(left_sets[node["bitset_idx"]], len(known))
            goes_left = np.append(left | (~known & bool(tracks)), bool(tracks))
            if goes_left.mean() > 0.5:
                goes_left, children = ~goes_left, children[::-1]
            # A chain of equalities that lead to the same child. Codes count from one:
            # the runtime packs those up to 64 in one mask. No row has -1.
            codes = (1 + np.flatnonzero(goes_left)).tolist() or [-1]
            later = [*range(n_nodes, n_nodes + len(codes) - 1), children[1]]
            for code, at, following in zip(codes, [i, *later[:-1]], later, strict=True):
                split = (column, "BRANCH_EQ", code, children[0], following, 0)
                self._nodes.append((number, at, *split))
            n_nodes += len(codes) - 1

    def attributes(self):
        """Return the attributes of the operator."""
        columns = dict(zip(_COLUMNS, zip(*self._nodes, strict=True), strict=True))
        values = columns.pop("values")
        tree, node, output, value = zip(*self._leaves, strict=True)
        modes = columns.pop("modes")
        return {
            **{f"nodes_{name}": list(map(int, v)) for name, v in columns.items()},
            "nodes_modes": list(modes),
            "nodes_values_as_tensor": _tensor(values),
            "target_treeids": list(tree),
            "target_nodeids": list(node),
            "target_ids": list(output),
            "target_weights_as_tensor": _tensor(value),
        }


def _members(bits, n):
    """Return which of n codes are in a set of eight words of 32 bits."""
    codes = np.arange(n)
    return (bits[codes // 32] >> (codes % 32).astype(np.uint32) & 1).astype(bool)

"""The graph of one operator of skl2onnx, and the columns of its inputs."""

import numpy as np
from onnx import TensorProto
from skl2onnx import get_model_alias
from skl2onnx.common.data_types import (
    DoubleTensorType,
    FloatTensorType,
    Int64TensorType,
    StringTensorType,
)
from sklearn.base import is_classifier
from sklearn.compose import ColumnTransformer
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import FeatureUnion, Pipeline

DOUBLE, FLOAT, INT = TensorProto.DOUBLE, TensorProto.FLOAT, TensorProto.INT64
_KINDS = {"f": DOUBLE, "i": INT, "b": TensorProto.BOOL, "U": TensorProto.STRING}
# Precision in which a library compares the values that its trees split, or computes.
_PRECISIONS = {"sklearn": DoubleTensorType, "xgboost": FloatTensorType}
# Each of their inputs keeps its own name and type.
_READ_COLUMNS = (ColumnTransformer, FeatureUnion)


class Graph:
    """Adds nodes to the graph of one operator of skl2onnx, and returns their names."""

    def __init__(self, scope, operator, container):
        self.scope = scope
        self.operator = operator
        self.container = container
        self.inputs = operator.inputs
        self.outputs = [variable.full_name for variable in operator.outputs]

    def node(self, kind, *inputs, output=None, domain="", **attributes):
        """Add a node; inputs are names, or arrays and numbers that become constants."""
        names = [x if isinstance(x, str) else self.constant(x) for x in inputs]
        output = output or self.scope.get_unique_variable_name(kind.lower())
        name = self.scope.get_unique_operator_name(kind)
        self.container.add_node(
            kind, names, output, op_domain=domain, name=name, **attributes
        )
        return output

    def constant(self, value):
        """Add a constant: floats as doubles, whole numbers, truth values or texts."""
        array = np.asarray(value)
        name = self.scope.get_unique_variable_name("constant")
        kind = _KINDS[array.dtype.kind]
        values = array.ravel().tolist()
        if kind == TensorProto.STRING:
            values = [text.encode("utf-8") for text in values]
        self.container.add_initializer(name, kind, array.shape, values)
        return name

    def cast(self, x, to, output=None):
        """Convert numbers to another type."""
        return self.node("Cast", x, to=to, output=output)

    def labels(self, codes, classes, output):
        """Give the class labels of codes, of shape (n,)."""
        self.node("Gather", plain_classes(classes), codes, axis=0, output=output)

    def part(self, estimator, inputs):
        """Add a fitted estimator, and return its outputs."""
        while isinstance(estimator, FrozenEstimator):
            estimator = estimator.estimator
        require_converter(estimator)
        operator = self.scope.declare_local_operator(
            get_model_alias(type(estimator)), estimator
        )
        if not _reads_columns(estimator):
            inputs = self._joined(inputs)
        wanted = _PRECISIONS.get(type(estimator).__module__.split(".")[0])
        operator.inputs = [self._in_precision(wanted, variable) for variable in inputs]
        types = [("prediction", FloatTensorType)]
        if is_classifier(estimator):
            types = [
                ("label", label_type(estimator.classes_)),
                ("probabilities", FloatTensorType),
            ]
        elif not hasattr(estimator, "predict"):
            types = [("rows", DoubleTensorType)]
        for name, kind in types:
            variable = self.scope.declare_local_variable(name, kind())
            operator.outputs.append(variable)
        return operator.outputs

    def columns(self, variable, positions):
        """Take columns of an input."""
        kind = type(variable.type)
        taken = self.scope.declare_local_variable(
            "columns", kind([None, len(positions)])
        )
        self.node(
            "Gather", variable.full_name, positions, axis=1, output=taken.full_name
        )
        return taken

    def _in_precision(self, wanted, variable):
        """Return numbers in another precision, anything else as it is."""
        given = type(variable.type)
        if wanted is None or given == wanted or given not in _PRECISIONS.values():
            return variable
        kind = wanted(variable.type.shape)
        converted = self.scope.declare_local_variable(variable.raw_name, kind)
        to = DOUBLE if wanted == DoubleTensorType else FLOAT
        self.cast(variable.full_name, to, output=converted.full_name)
        return converted

    def _joined(self, inputs):
        """Return several inputs as one matrix of numbers."""
        if len(inputs) == 1:
            return inputs
        kinds = {type(variable.type) for variable in inputs}
        if len(kinds) > 1 or StringTensorType in kinds:
            names = [v.raw_name for v in inputs if isinstance(v.type, StringTensorType)]
            msg = (
                f"Columns {names} are text, which the estimator that predicts does not "
                "read. Put a ColumnTransformer before it, or take a default estimator."
            )
            raise ValueError(msg)
        width = sum(variable.type.shape[1] for variable in inputs)
        rows = self.scope.declare_local_variable("rows", kinds.pop()([None, width]))
        names = [variable.full_name for variable in inputs]
        self.node("Concat", *names, axis=1, output=rows.full_name)
        return [rows]


class Table:
    """The columns of the inputs of an operator, by position."""

    def __init__(self, graph, n_columns):
        self._graph = graph
        self._texts: dict[int, tuple] = {}
        self._places: dict[int, int] = {}
        parts, position = [], 0
        for variable in graph.inputs:
            n = variable.type.shape[1]
            if isinstance(variable.type, StringTensorType):
                self._texts |= {position + k: (variable, k, n) for k in range(n)}
            else:
                start = len(self._places)
                self._places |= {position + k: start + k for k in range(n)}
                parts.append(graph.cast(variable.full_name, DOUBLE))
            position += n
        if position != n_columns:
            msg = (
                f"The inputs have {position} columns, but {n_columns} were fitted. "
                "Pass one input per column, or a single matrix of all."
            )
            raise ValueError(msg)
        self._numbers = parts[0] if len(parts) == 1 else None
        if len(parts) > 1:
            self._numbers = graph.node("Concat", *parts, axis=1)

    def numbers(self, positions):
        """Give columns of numbers, (n, n_positions) in double precision."""
        self._require(positions, self._places, "numbers")
        places = [self._places[j] for j in positions]
        if places == list(range(len(self._places))):
            return self._numbers
        return self._graph.node("Gather", self._numbers, places, axis=1)

    def codes(self, j, values, *, missing):
        """Give positions (n, 1) among values, and `len(values)` for unknown ones."""
        # `missing` is the code of empty texts and of NaN.
        graph, unknown = self._graph, len(values)
        if not all(isinstance(value, str) for value in values):
            self._require([j], self._places, "numbers")
            column = self.numbers([j])
            known = np.array(values, dtype=np.float64)[None]
            hits = graph.cast(graph.node("Equal", column, known), DOUBLE)
            back = np.arange(unknown, dtype=np.float64)[:, None] - unknown
            codes = graph.node("Add", graph.node("MatMul", hits, back), float(unknown))
            codes = graph.cast(codes, INT)
            return graph.node("Where", graph.node("IsNaN", column), missing, codes)
        self._require([j], self._texts, "text")
        variable, k, n = self._texts[j]
        name = variable.full_name
        if n > 1:
            name = graph.node("Gather", name, [k], axis=1)
        return graph.node(
            "LabelEncoder",
            name,
            domain="ai.onnx.ml",
            keys_strings=[*values, ""],
            values_int64s=[*range(unknown), missing],
            default_int64=unknown,
        )

    def _require(self, positions, there, kind):
        others = [j for j in positions if j not in there]
        if others:
            msg = (
                f"Columns {others} were fitted as {kind}, but the inputs are of "
                "another type. Make the graph from rows in which each column has a "
                "value, with to_onnx(estimator, X)."
            )
            raise ValueError(msg)


def require_converter(estimator):
    """Refuse an estimator, or a pipeline with a step, that has no converter."""
    if isinstance(estimator, Pipeline):
        for _, step in estimator.steps:
            if step not in (None, "passthrough"):
                require_converter(step)
    try:
        get_model_alias(type(estimator))
    except RuntimeError as error:
        msg = (
            f"{type(estimator).__name__} cannot be converted: skl2onnx has no "
            "converter for it. Register one with skl2onnx.update_registered_converter, "
            "or fit with an estimator that skl2onnx.supported_converters() lists."
        )
        raise ValueError(msg) from error


def plain_classes(classes):
    """Return class labels as whole numbers or texts, and refuse others."""
    classes = np.asarray(classes)
    are_whole = classes.dtype.kind == "f" and (classes == classes.round()).all()
    if classes.dtype.kind in "iub" or are_whole:
        return classes.astype(np.int64)
    if all(isinstance(label, str) for label in classes.tolist()):
        return classes.astype(str)
    msg = (
        f"classes_ are {classes.tolist()}, but labels in ONNX are whole numbers or "
        "texts. Fit to such labels."
    )
    raise ValueError(msg)


def label_type(classes):
    """Return the type of labels in a graph."""
    is_text = plain_classes(classes).dtype.kind == "U"
    return StringTensorType if is_text else Int64TensorType


def _reads_columns(estimator):
    if isinstance(estimator, Pipeline):
        return _reads_columns(estimator.steps[0][1])
    is_own = type(estimator).__module__.startswith("sklearn_w2s.")
    return is_own or isinstance(estimator, _READ_COLUMNS)

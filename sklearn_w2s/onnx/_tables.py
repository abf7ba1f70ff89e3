"""Tables in a graph: columns by position, and the encoder of mixed ones."""

import numpy as np
from skl2onnx.common.data_types import DoubleTensorType, StringTensorType
from skl2onnx.operator_converters.imputer_op import convert_sklearn_imputer
from skl2onnx.shape_calculators.imputer import calculate_sklearn_imputer_output_shapes

from sklearn_w2s.onnx._graph import DOUBLE, INT, Graph

_DAY = 86_400


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
                "Name each column, or one matrix of so many."
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
    imputer = operator.raw_operator
    are_numbers = not any(isinstance(v.type, StringTensorType) for v in operator.inputs)
    is_plain = not imputer.add_indicator and not imputer.keep_empty_features
    return are_numbers and is_plain and _is_nan(imputer.missing_values)


def _is_nan(value):
    return isinstance(value, float) and np.isnan(value)


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

"""Histogram gradient boosting in a graph, splits by categories included."""

from typing import Any, NamedTuple

import numpy as np
from onnx import numpy_helper
from skl2onnx.common.data_types import FloatTensorType
from sklearn.base import is_classifier

from sklearn_w2s.onnx._graph import DOUBLE, FLOAT, Graph, label_type
from sklearn_w2s.onnx._tables import Table


def convert_boosting(scope, operator, container):
    """Add the prediction of a histogram gradient boosting classifier or regressor."""
    graph = Graph(scope, operator, container)
    model = operator.raw_operator
    learned = boosted_trees(model)
    sums = graph.cast(_sums(graph, model.n_features_in_, learned), DOUBLE)
    if not is_classifier(model):
        _give_prediction(graph, learned.link, sums)
        return
    if len(learned.baseline) == 1:
        last = graph.node("Sigmoid", sums)
        proba = graph.node("Concat", graph.node("Sub", 1.0, last), last, axis=1)
    else:
        proba = graph.node("Softmax", sums, axis=1)
    codes = graph.node("ArgMax", proba, axis=1, keepdims=0)
    graph.labels(codes, model.classes_, graph.outputs[0])
    if container.get_options(model, {"raw_scores": False})["raw_scores"]:
        proba = sums
        if len(learned.baseline) == 1:
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


def _give_prediction(graph, link, sums):
    if link == "LogLink":
        sums = graph.node("Exp", sums)
    elif link != "IdentityLink":
        msg = f"A loss with {link} cannot be converted. Fit with another loss."
        raise ValueError(msg)
    graph.cast(sums, FLOAT, graph.outputs[0])


def _sums(graph, n_columns, learned):
    """Give the sums of the trees, (n, n_outputs), in single precision."""
    table = Table(graph, n_columns)
    parts, n_categories = [], []
    for j, values in learned.categories:
        known = [value for value in values.tolist() if not _is_gap(value)]
        n_categories.append(len(known))
        codes = table.codes(j, known, missing=len(known))
        parts.append(graph.node("Add", graph.cast(codes, DOUBLE), 1.0))
    rest = learned.order[len(parts) :]
    if rest:
        parts.append(table.numbers(rest))
    rows = parts[0] if len(parts) == 1 else graph.node("Concat", *parts, axis=1)
    nodes = _Nodes(learned.known, n_categories)
    n_outputs = len(learned.baseline)
    for i, iteration in enumerate(learned.trees):
        for k, tree in enumerate(iteration):
            nodes.add_tree(*tree, number=i * n_outputs + k, output=k)
    return graph.node(
        "TreeEnsembleRegressor",
        rows,
        domain="ai.onnx.ml",
        op_version=3,
        n_targets=n_outputs,
        base_values_as_tensor=_tensor(learned.baseline),
        post_transform="NONE",
        **nodes.attributes(),
    )


def _is_gap(value):
    return value is None or value != value


def _tensor(values):
    return numpy_helper.from_array(np.asarray(values, dtype=np.float64))


_COLUMNS = ["treeids", "nodeids", "featureids", "modes", "values"]
_COLUMNS += ["truenodeids", "falsenodeids", "missing_value_tracks_true"]


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
            goes_left = self._goes_left(column, left_sets[node["bitset_idx"]], tracks)
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

    def _goes_left(self, column, left_set, tracks):
        """Say of each code, the last one of unknown and missing, where it goes."""
        known = self._known[column]
        left = _members(left_set, len(known)) | (~known & bool(tracks))
        return np.append(left, bool(tracks))

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


class BoostedTrees(NamedTuple):
    """What fitted histogram gradient boosting predicts by.

    `trees` has nodes and left sets by iteration and output, `order` the column of each
    feature, `known` the sets of known categories, of shape (n_categorical, 8).
    """

    baseline: Any
    trees: Any
    link: str
    categories: Any
    order: Any
    known: Any


def boosted_trees(model):
    """Return what fitted histogram gradient boosting predicts by."""
    trees = [
        [(tree.nodes, tree.raw_left_cat_bitsets) for tree in iteration]
        for iteration in model._predictors
    ]
    categories, order = [], list(range(model.n_features_in_))
    if model._preprocessor is not None:
        positions = np.flatnonzero(model.is_categorical_).tolist()
        encoder = model._preprocessor.named_transformers_["encoder"]
        categories = list(zip(positions, encoder.categories_, strict=True))
        order = positions + [j for j in order if j not in positions]
    known, _ = model._bin_mapper.make_known_categories_bitsets()
    baseline = np.ravel(model._baseline_prediction)
    link = type(model._loss.link).__name__
    return BoostedTrees(baseline, trees, link, categories, order, known)

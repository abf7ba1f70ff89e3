"""Public functions: make a graph, and the arrays that it takes."""

from typing import Any

import numpy as np
import scipy.sparse as sp
import skl2onnx
from skl2onnx.common.data_types import (
    DoubleTensorType,
    FloatTensorType,
    StringTensorType,
)
from skl2onnx.common.exceptions import MissingConverter, MissingShapeCalculator
from sklearn.base import is_classifier
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.utils.validation import check_is_fitted

from sklearn_w2s._coded import CodedClassifier
from sklearn_w2s._columns import Columns, values_of
from sklearn_w2s._tabular import TabularBoosting, TabularEncoder, TabularRegressor
from sklearn_w2s._validation import as_table, is_dataframe
from sklearn_w2s.onnx._converters import (
    convert_boosting,
    convert_boosting_of_tables,
    convert_classifier,
    convert_coded,
    convert_encoder,
    convert_imputer,
    convert_regressor,
    infer_classifier,
    infer_encoder,
    infer_imputer,
    infer_regressor,
)
from sklearn_w2s.weak_to_strong import WeakToStrongClassifier, WeakToStrongRegressor

_CONVERTERS = {
    WeakToStrongClassifier: (infer_classifier, convert_classifier),
    WeakToStrongRegressor: (infer_regressor, convert_regressor),
    TabularBoosting: (infer_classifier, convert_boosting_of_tables),
    TabularRegressor: (infer_regressor, convert_boosting_of_tables),
    TabularEncoder: (infer_encoder, convert_encoder),
    CodedClassifier: (infer_classifier, convert_coded),
    HistGradientBoostingClassifier: (infer_classifier, convert_boosting),
    HistGradientBoostingRegressor: (infer_regressor, convert_boosting),
    SimpleImputer: (infer_imputer, convert_imputer),
}
# skl2onnx does not support later tree operators yet, which runtimes do.
_OPSETS = {"": skl2onnx.__max_supported_opset__, "ai.onnx.ml": 3}
_OF_CLASSIFIERS = {
    "zipmap": [True, False, "columns"],
    "nocl": [False],
    "output_class_labels": [False],
}


def register_converters() -> None:
    """Register the estimators of this package with skl2onnx.

    These are :class:`~sklearn_w2s.WeakToStrongClassifier` and
    :class:`~sklearn_w2s.WeakToStrongRegressor`, alone or in a pipeline, and the default
    estimators, which read tables of mixed columns. Converters of skl2onnx are replaced
    for histogram gradient boosting, whose splits by categories it takes for splits by
    numbers, and for SimpleImputer, which runs in single precision only. :func:`to_onnx`
    calls this function itself.

    Examples
    --------
    >>> from sklearn_w2s.onnx import register_converters
    >>> register_converters()
    """
    for known, (infer, convert) in _CONVERTERS.items():
        options = None
        if issubclass(known, HistGradientBoostingClassifier):
            options = {**_OF_CLASSIFIERS, "raw_scores": [True, False]}
        elif infer is infer_classifier:
            options = _OF_CLASSIFIERS
        # Those for Dask exist only if their package was imported.
        over_collections = [
            kind
            for kind in known.__subclasses__()
            if kind.__module__.startswith("sklearn_w2s.dask.")
        ]
        for kind in (known, *over_collections):
            alias = f"SklearnW2S{kind.__name__}"
            skl2onnx.update_registered_converter(
                kind, alias, infer, convert, options=options
            )


def to_onnx(estimator: Any, X: Any) -> Any:
    """Return a fitted estimator as an ONNX graph.

    An array of numbers is one input, ``X``. Of a data frame, or an array of objects,
    each column is a separate input of shape (n, 1), in order, and :func:`as_inputs`
    makes them:

    - numbers, truth values, dates and durations are doubles: dates are days since 1970,
      in UTC where they have a time zone, durations and times of day seconds, and NaN is
      a missing value;
    - text and categories are strings, the empty one being a missing value.

    Outputs are ``label`` and ``probabilities``, of shape (n,) and (n, n_classes) in
    single precision. The graph computes in double precision where skl2onnx lets it, and
    does not check rows as `predict` does.

    Parameters
    ----------
    estimator : estimator instance
        Fitted; of this package, or a pipeline that holds one.
    X : {array-like, data frame} of shape (n, n_features)
        Rows as in `fit`, of which the types and names are read. Each column needs a
        value in one of them.

    Returns
    -------
    onnx.ModelProto
        The graph.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    ValueError
        If a part cannot be converted, such as a net, a rule, or an estimator without a
        converter; if X is sparse; or if categories cannot be distinguished in ONNX,
        as with texts and numbers in one column.

    See Also
    --------
    register_converters : For graphs with other inputs or options, by
        ``skl2onnx.to_onnx``.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_w2s import WeakToStrongClassifier
    >>> from sklearn_w2s.onnx import to_onnx
    >>> X, y = load_iris(return_X_y=True)
    >>> y[::2] = -1
    >>> model = WeakToStrongClassifier(strategy="all").fit(X, y)
    >>> [output.name for output in to_onnx(model, X).graph.output]
    ['label', 'probabilities']
    """
    check_is_fitted(estimator)
    register_converters()
    options = {id(estimator): {"zipmap": False}} if is_classifier(estimator) else None
    try:
        return skl2onnx.to_onnx(
            estimator,
            initial_types=_input_types(X),
            options=options,
            target_opset=_OPSETS,
        )
    except (MissingConverter, MissingShapeCalculator) as error:
        msg = (
            f"{type(estimator).__name__} cannot be converted: skl2onnx has no "
            f"converter for a part of it: {str(error).splitlines()[0]}"
        )
        raise ValueError(msg) from error


def as_inputs(X: Any, session: Any) -> dict[str, Any]:
    """Return rows as the inputs of a graph that `to_onnx` has made.

    Parameters
    ----------
    X : {array-like, data frame} of shape (n, n_features)
        Rows; columns in the order of `fit`.
    session : onnxruntime.InferenceSession
        Anything whose `get_inputs` names inputs and their types.

    Returns
    -------
    dict of str to ndarray
        For ``session.run``.

    Raises
    ------
    ValueError
        If X has another number of columns than the graph has inputs.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from sklearn_w2s.onnx import as_inputs
    >>> inputs = [("age", "tensor(double)"), ("city", "tensor(string)")]
    >>> inputs = [SimpleNamespace(name=name, type=kind) for name, kind in inputs]
    >>> session = SimpleNamespace(get_inputs=lambda: inputs)
    >>> rows = as_inputs([[41, "Rome"], [None, None]], session)
    >>> rows["age"].ravel().tolist(), rows["city"].ravel().tolist()
    ([41.0, nan], ['Rome', ''])
    """
    X, inputs = _plain_table(X), session.get_inputs()
    if _is_matrix(X):
        if len(inputs) == 1:
            kind = np.float32 if inputs[0].type == "tensor(float)" else np.float64
            return {inputs[0].name: X.astype(kind, copy=False)}
        X = X.astype(object)
    if X.shape[1] != len(inputs):
        msg = (
            f"X has {X.shape[1]} columns, but the graph has {len(inputs)} inputs. Pass "
            "the columns of fit, in their order."
        )
        raise ValueError(msg)
    return {
        given.name: values_of(X, j, as_text=given.type == "tensor(string)")[:, None]
        for j, given in enumerate(inputs)
    }


def _plain_table(X):
    if sp.issparse(X):
        msg = "X is a sparse matrix, and inputs in ONNX are dense. Pass X.toarray()."
        raise ValueError(msg)
    return X if is_dataframe(X) else np.asarray(as_table(X))


def _is_matrix(X):
    return not is_dataframe(X) and X.dtype.kind in "biuf"


def _input_types(X):
    X = _plain_table(X)
    if _is_matrix(X):
        kind = FloatTensorType if X.dtype == np.float32 else DoubleTensorType
        return [("X", kind([None, X.shape[1]]))]
    columns = Columns().fit(X)
    names = list(map(str, X.columns)) if is_dataframe(X) else None
    types = [DoubleTensorType([None, 1]) for _ in range(X.shape[1])]
    for j, categories in zip(columns.categorical, columns.categories, strict=True):
        if any(isinstance(category, str) for category in categories):
            types[j] = StringTensorType([None, 1])
    return list(zip(names or [f"x{j}" for j in range(len(types))], types, strict=True))

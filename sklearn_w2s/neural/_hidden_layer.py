"""The activations of a layer of a net, as a space in which rows are compared."""

from contextlib import ExitStack
from functools import partial
from threading import get_ident
from types import MappingProxyType
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    MetaEstimatorMixin,
    TransformerMixin,
    clone,
)
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted
from skorch import NeuralNet, NeuralNetBinaryClassifier, NeuralNetClassifier

from sklearn_w2s._estimators import fit_context, seed_nested
from sklearn_w2s._sklearn import safe_indexing
from sklearn_w2s._validation import check_features, n_rows
from sklearn_w2s.neural._classifier import NetClassifier, array_format
from sklearn_w2s.persistence import VersionStampMixin


class HiddenLayer(
    VersionStampMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    MetaEstimatorMixin,
    BaseEstimator,
):
    """Represent rows by the activations of a layer of a skorch net.

    The net is cloned, never changed, and learns the labels that `fit` is given. With
    weak labels of all rows, its last hidden layer is the representation of the
    weak-supervision experiments of [1]_.

    Parameters
    ----------
    net : NetClassifier, NeuralNetClassifier or NeuralNetBinaryClassifier instance
        The net; those of skorch are fitted as a NetClassifier. A fitted one, or any
        other fitted net of skorch, is used as it is in a
        :class:`~sklearn.frozen.FrozenEstimator`.
    layer : str, default=None
        Layer whose output is wanted, as the module's `named_modules` names it. None is
        the last hidden layer: the input of the `torch.nn.Linear` that is called last.
    random_state : int, RandomState instance or None, default=None
        Seeds every `random_state` of the NetClassifier that is None.

    Attributes
    ----------
    net_ : skorch net instance
        The fitted net.
    classifier_ : NetClassifier or skorch net instance
        The NetClassifier that fitted it; of a frozen net of skorch, `net_` itself.
    layer_ : str
        Name of `layer`, or of the linear layer whose input is read where that is None.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where all of them are strings.

    See Also
    --------
    NetClassifier : The classifier that fits the net.
    sklearn_w2s.OverlapDetector : Compares rows in such a `representation`.

    Notes
    -----
    The activations are those of the net in evaluation mode, without gradients, on its
    own device and in its own batches, so that a batch of them at most is held twice.
    Activations of more than two dimensions are flattened per row. Of a layer that
    returns several tensors the first counts, and of a layer that the module calls
    several times the last call.

    References
    ----------
    .. [1] C. Shin, J. Cooper, F. Sala, "Weak-to-Strong Generalization Through the
       Data-Centric Lens", ICLR 2025, https://arxiv.org/abs/2412.03881

    Examples
    --------
    >>> from skorch import NeuralNetClassifier
    >>> from torch import nn
    >>> from sklearn_w2s.neural import HiddenLayer
    >>> net = NeuralNetClassifier(
    ...     nn.Sequential(nn.Linear(1, 8), nn.ReLU(), nn.Linear(8, 2)),
    ...     criterion=nn.CrossEntropyLoss, train_split=None, verbose=0,
    ... )
    >>> X, weak_labels = [[-2.0], [-1.0], [1.0]], ["cold", "cold", "warm"]
    >>> hidden = HiddenLayer(net, random_state=0).fit(X, weak_labels)
    >>> hidden.layer_
    '2'
    >>> hidden.transform(X).shape
    (3, 8)
    """

    _parameter_constraints = {
        "net": [
            NetClassifier,
            NeuralNetClassifier,
            NeuralNetBinaryClassifier,
            FrozenEstimator,
        ],
        "layer": [str, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        net: Any,
        layer: str | None = None,
        *,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.net = net
        self.layer = layer
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Fit a clone of the net, unless it is frozen, and find the layer.

        Parameters
        ----------
        X : {array-like, data frame} of shape (n, n_features)
            Finite numbers.
        y : array-like of shape (n,), default=None
            Class labels, at least two different ones. A frozen net ignores them.
        sample_weight : array-like of shape (n,), default=None
            Non-negative weights; rows of weight zero are left out. A frozen net
            ignores them.

        Returns
        -------
        HiddenLayer
            The fitted transformer.

        Raises
        ------
        ValueError
            If the data are invalid or do not fit the module, if `y` is None and the
            net is not frozen, or if the module has no such layer, does not call it or
            gives no activations per row there.
        TypeError
            If there are weights and the criterion cannot use them, if the
            FrozenEstimator does not hold a net, or if the layer does not give a tensor.
        NotFittedError
            If the net in the FrozenEstimator is not fitted.
        """
        X = check_features(self, X, reset=True)
        self.classifier_ = self._fit_classifier(X, y, sample_weight)
        self.net_ = getattr(self.classifier_, "net_", self.classifier_)
        self._reads_input = self.layer is None
        first = self._record(safe_indexing(X, [0]), self._candidates())
        self.layer_ = first.name
        self._n_features_out = first.rows.shape[1]
        return self

    def transform(self, X: Any) -> NDArray[Any]:
        """Return the activations of the layer.

        Parameters
        ----------
        X : {array-like, data frame} of shape (n, n_features)
            Finite numbers.

        Returns
        -------
        ndarray of shape (n, n_units)
            Activations in the floating type of the net, float32 as a rule.
        """
        check_is_fitted(self)
        X = check_features(self, X, reset=False)
        return self._record(X, [self.layer_], n_units=self._n_features_out).rows

    def _fit_classifier(self, X, y, sample_weight):
        if isinstance(self.net, FrozenEstimator):
            return _fitted_net_in(self.net)
        if y is None:
            msg = (
                "HiddenLayer requires y to be passed, but the target y is None. Pass "
                "class labels, or net=FrozenEstimator(a fitted net)."
            )
            raise ValueError(msg)
        net = clone(self.net)
        classifier = net if isinstance(net, NetClassifier) else NetClassifier(net)
        seed_nested(classifier, self.random_state)
        return classifier.fit(X, y, sample_weight=sample_weight)

    def _candidates(self):
        """Return the names of the layers of which the last one called is wanted."""
        modules = dict(self.net_.module_.named_modules(remove_duplicate=False))
        names = list(modules)
        if self.layer is None:
            names = [n for n in names if isinstance(modules[n], torch.nn.Linear)]
        elif self.layer in names:
            names = [self.layer]
        else:
            names = []
        if not names:
            wanted = "no torch.nn.Linear" if self.layer is None else "no such layer"
            msg = (
                f"layer={self.layer!r}, but the module of the net has {wanted}. Name "
                f"one of its layers: {[name for name in modules if name]}."
            )
            raise ValueError(msg)
        return names

    def _record(self, X, names, n_units=None):
        """Return a recorder of the activations of the last layer called of several."""
        recorder = _Recorder(n_rows(X), n_units)
        with recorder.attached(self.net_.module_, names, to_input=self._reads_input):
            if isinstance(self.classifier_, NetClassifier):
                self.classifier_.predict_proba(X)
            else:
                X = check_array(X, input_name="X", **array_format(self.net_))
                for _ in self.net_.forward_iter(X):
                    pass
        recorder.require_all_rows()
        return recorder

    def __sklearn_is_fitted__(self):
        return hasattr(self, "layer_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = not isinstance(self.net, FrozenEstimator)
        # The type of the net decides.
        tags.transformer_tags.preserves_dtype = []
        return tags


class _Recorder:
    """Collects what enters or leaves a layer while a module runs batch by batch."""

    def __init__(self, n_rows, n_units):
        self.name = None
        self.rows = None
        self._shape = n_rows, n_units
        self._n_seen = 0
        self._last = None
        # Another thread may run the same module at the same time.
        self._thread = get_ident()

    def attached(self, module, names, *, to_input):
        """Return a context in which the recorder listens to layers of the module."""
        with ExitStack() as hooks:
            for name in names:
                layer = module.get_submodule(name)
                hooks.enter_context(
                    layer.register_forward_pre_hook(
                        partial(self._see_input, name), with_kwargs=True
                    )
                    if to_input
                    else layer.register_forward_hook(partial(self._see_output, name))
                )
            self._names = names
            hooks.enter_context(module.register_forward_hook(self._end_batch))
            return hooks.pop_all()

    def require_all_rows(self):
        """Refuse activations of fewer rows than the module has seen."""
        if self._n_seen != self._shape[0]:
            self._refuse(f"{self._n_seen} rows of activations")

    def _see_input(self, name, layer, args, kwargs=MappingProxyType({})):
        # Another thread may meet the hook before torch has noted that it takes kwargs.
        self._see(name, (*args, *kwargs.values()))

    def _see_output(self, name, layer, args, output):
        self._see(name, output)

    def _see(self, name, value):
        if get_ident() != self._thread:
            return
        if isinstance(value, tuple | list):
            value = next(iter(value), None)
        if not isinstance(value, torch.Tensor):
            msg = (
                f"layer={name!r} gives {type(value).__name__} instead of a tensor. "
                "Name another layer."
            )
            raise TypeError(msg)
        # Layers such as ReLU(inplace=True) would overwrite it.
        self.name, self._last = name, value.clone()

    def _end_batch(self, module, args, output):
        if get_ident() != self._thread:
            return
        if self._last is None:
            msg = (
                f"The module runs without calling any of {self._names}. Pass as layer "
                "the name of a layer that its forward method calls."
            )
            raise ValueError(msg)
        batch, self._last = _as_matrix(self._last), None
        n_all, n_units = self._shape
        if self.rows is None:
            n_units = batch.shape[1] if n_units is None else n_units
            self._shape = n_all, n_units
            self.rows = np.empty(self._shape, dtype=batch.dtype)
        start, self._n_seen = self._n_seen, self._n_seen + len(batch)
        if self._n_seen > n_all or batch.shape[1] != n_units:
            self._refuse(f"activations of shape {batch.shape} in a batch")
        self.rows[start : self._n_seen] = batch

    def _refuse(self, what):
        n_all, n_units = self._shape
        msg = (
            f"layer={self.name!r} gives {what}; expected are {n_all} row(s) of "
            f"{n_units} each. Name a layer whose first dimension is the rows and whose "
            "other dimensions are fixed."
        )
        raise ValueError(msg)


def _as_matrix(activations):
    if activations.dtype is torch.bfloat16:  # unknown to NumPy
        activations = activations.float()
    n_activations = activations.shape[0] if activations.ndim else 1
    return activations.detach().reshape(n_activations, -1).cpu().numpy()


def _fitted_net_in(frozen):
    """Return the NetClassifier or the skorch net that was frozen."""
    inner = frozen.estimator
    if not isinstance(inner, NetClassifier | NeuralNet):
        msg = (
            f"net=FrozenEstimator({type(inner).__name__}) does not hold a net. Freeze "
            "a NetClassifier or a net of skorch."
        )
        raise TypeError(msg)
    net = getattr(inner, "net_", None) if isinstance(inner, NetClassifier) else inner
    if net is None or not net.initialized_:
        msg = (
            f"The {type(inner).__name__} in net=FrozenEstimator is not fitted. Fit it "
            "first, or pass it as net itself."
        )
        raise NotFittedError(msg)
    return inner

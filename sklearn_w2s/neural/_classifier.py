"""NetClassifier: a skorch net that behaves as a scikit-learn classifier."""

from contextlib import contextmanager
from numbers import Real
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.utils import check_array, check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data
from skorch import NeuralNetBinaryClassifier, NeuralNetClassifier

from sklearn_w2s._algorithms.weak_labels import one_hot
from sklearn_w2s._estimators import draw_seed, fit_context
from sklearn_w2s._sklearn import Interval, StrOptions, check_weights
from sklearn_w2s.neural._losses import LOSSES, SOFT_CRITERIA, WARMED_LOSSES
from sklearn_w2s.neural._targets import check_distributions, initialize_net, pack
from sklearn_w2s.persistence import VersionStampMixin


class NetClassifier(
    VersionStampMixin, ClassifierMixin, MetaEstimatorMixin, BaseEstimator
):
    r"""Make a skorch net a scikit-learn classifier, with weights and soft targets.

    The net is cloned, never changed. It receives C-contiguous rows of the floating
    type of its parameters and class codes 0, 1, ...; predictions come back as class
    labels and float64 probabilities. With `sample_weight`, target distributions or a
    `loss` other than the default the criterion becomes

    .. math:: L = \sum_i w_i \, \ell(P_i, q_i) \Big/ \sum_i w_i

    over the rows i of a batch, where w are the weights, P the target distributions
    (one-hot for labels), q the net's probabilities and :math:`\ell` the loss.

    Parameters
    ----------
    net : NeuralNetClassifier or NeuralNetBinaryClassifier instance
        The net. Its module needs at least as many outputs as there are classes, or a
        single one in a NeuralNetBinaryClassifier, which takes two classes.
    loss : str, default="cross_entropy"
        The loss of a row, in nats. :math:`H(P, q) = -\sum_k P_k \log q_k` is the
        cross-entropy, a the `confidence_weight`, K the number of classes.

        - "cross_entropy": :math:`H(P, q)`.
        - "kl": :math:`\mathrm{KL}(P \| q)`. Trains as "cross_entropy" does, but is zero
          where the net equals its targets.
        - "reverse_kl": :math:`\mathrm{KL}(q \| P)`, which spares the net classes of the
          targets but forbids it others [3]_. Target probabilities below 1e-6 count as
          1e-6.
        - "auxiliary_confidence": :math:`(1 - a) H(P, q) + a H(1_{\hat y}, q)` with the
          hard labels :math:`\hat y` of the net itself [1]_.
        - "entropy": :math:`(1 - a) H(P, q) + a H(q, q)`, where the net is its own soft
          target [2]_.
        - "confidence_window": :math:`H(P, q)` for rows whose confidence
          :math:`(K \max_k q_k - 1) / (K - 1)` is at most twice `window_radius`, zero
          for others; two classes: :math:`\max_k q_k \le 1/2` + `window_radius`.
    confidence_weight : float, default=0.5
        Weight a of the net's own labels, from 0 (which is "cross_entropy") to less than
        1, in "auxiliary_confidence" and "entropy".
    warm_up : float, default=0.1
        Share of the training, ``max_epochs`` times the batches of an epoch, over which
        the confidence weight rises from 0 to its value, in proportion to the batches
        done.
    balance : bool, default=True
        Whether the hard labels in "auxiliary_confidence" have the class shares of the
        weighted targets of the batch, as closely as offsets of the classes'
        log-probabilities allow (for two classes: whether they are cut at a quantile).
        Otherwise they are the most probable classes.
    window_radius : float, default=0.15
        Radius of "confidence_window", at most .5, which keeps every row.
    random_state : int, RandomState instance or None, default=None
        Seeds torch's generators (CPU and CUDA) during `fit` and prediction and
        restores them afterwards, and seeds an unseeded `train_split`. None uses
        torch's global generators as they are.

    Attributes
    ----------
    net_ : skorch net instance
        The fitted clone of `net`. It predicts class codes.
    classes_ : ndarray of shape (n_classes,)
        Sorted class labels.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where all of them are strings.

    See Also
    --------
    sklearn.neural_network.MLPClassifier : A network without torch.

    Notes
    -----
    Weights, distributions and a `loss` other than the default need the class
    `torch.nn.CrossEntropyLoss` (the module gives logits) or `torch.nn.NLLLoss` (it
    gives probabilities) as the criterion of a NeuralNetClassifier, without
    ``criterion__`` parameters. Without any of them the net keeps its own criterion,
    whichever that is.

    The loss of [1]_ is for two classes. Here the confidence weight rises without a
    jump, and a batch is cut where the share of a class is closest to that of its
    targets, so that a weight equals repetition. Gradients flow through both places of
    :math:`H(q, q)`: with a constant in the first one the term would have none.

    On held-out rows the confidence weight is not warmed up, so that epochs can be
    compared. Still, ``valid_loss`` falls as the net grows confident in the last three
    losses: early stopping should rather monitor a score.

    A weight of two equals a row given twice if ``batch_size=-1`` and
    ``train_split=None``: with batches, each is normalised on its own. `train_split`
    and scoring callbacks see the most probable class of each row, so that a
    stratified split and the validation accuracy work; other callbacks that read the
    targets receive a column per class and the weight.

    skorch holds out a fifth of the rows unless the net has ``train_split=None``.

    torch's generators belong to the process: fits in several threads at once are not
    reproducible, fits in several processes are. The `threshold` of a
    NeuralNetBinaryClassifier is not used: `predict` gives the most probable class.

    References
    ----------
    .. [1] C. Burns et al., "Weak-to-strong generalization: eliciting strong
       capabilities with weak supervision", ICML 2024.
       https://arxiv.org/abs/2312.09390
    .. [2] Y. Grandvalet and Y. Bengio, "Semi-supervised learning by entropy
       minimization", NeurIPS 2004.
    .. [3] W. Yao et al., "Revisiting weak-to-strong generalization in theory and
       practice: reverse KL vs. forward KL", 2025. https://arxiv.org/abs/2502.11107

    Examples
    --------
    >>> from skorch import NeuralNetClassifier
    >>> from torch import nn
    >>> from sklearn_w2s.neural import NetClassifier
    >>> net = NeuralNetClassifier(
    ...     nn.Linear, module__in_features=1, module__out_features=2,
    ...     criterion=nn.CrossEntropyLoss, train_split=None, lr=1.0, verbose=0,
    ... )
    >>> X, y = [[-2.0], [-1.0], [1.0], [2.0]], ["cold", "cold", "warm", "warm"]
    >>> NetClassifier(net, random_state=0).fit(X, y).predict([[-3.0], [3.0]])
    array(['cold', 'warm'], dtype='<U4')
    """

    _parameter_constraints = {
        "net": [NeuralNetClassifier, NeuralNetBinaryClassifier],
        "loss": [StrOptions(LOSSES)],
        "confidence_weight": [Interval(Real, 0, 1, closed="left")],
        "warm_up": [Interval(Real, 0, 1, closed="both")],
        "balance": ["boolean"],
        "window_radius": [Interval(Real, 0, 0.5, closed="right")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        net: Any,
        *,
        loss: str = "cross_entropy",
        confidence_weight: float = 0.5,
        warm_up: float = 0.1,
        balance: bool = True,
        window_radius: float = 0.15,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.net = net
        self.loss = loss
        self.confidence_weight = confidence_weight
        self.warm_up = warm_up
        self.balance = balance
        self.window_radius = window_radius
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit a clone of the net to class labels.

        Parameters
        ----------
        X : {array-like, data frame} of shape (n, n_features)
            Finite numbers.
        y : array-like of shape (n,)
            Class labels, at least two different ones.
        sample_weight : array-like of shape (n,), default=None
            Non-negative weights; rows of weight zero are left out.

        Returns
        -------
        NetClassifier
            The fitted classifier.

        Raises
        ------
        ValueError
            If the data are invalid, hold one class only, or do not fit the outputs of
            the module.
        TypeError
            If there are weights, or a `loss` other than the default, and the criterion
            cannot use them.
        """
        X, y = validate_data(self, X, y)
        check_classification_targets(y)
        has_own_loss = self.loss != "cross_entropy"
        if sample_weight is None and not has_own_loss:
            classes, codes = np.unique(y, return_inverse=True)
            return self._fit_net(X, codes, classes)
        self._require_soft_criterion(
            f"loss={self.loss!r}" if has_own_loss else "sample_weight"
        )
        weights = check_weights(sample_weight, X)
        kept = np.flatnonzero(weights)
        classes, codes = np.unique(y[kept], return_inverse=True)
        targets = pack(one_hot(codes, len(classes)), weights[kept])
        return self._fit_net(X[kept], targets, classes)

    @fit_context(prefer_skip_nested_validation=False)
    def fit_distributions(
        self, X: Any, distributions: Any, classes: Any, sample_weight: Any = None
    ) -> Self:
        """Fit a clone of the net to a distribution over the classes in every row.

        Parameters
        ----------
        X : {array-like, data frame} of shape (n, n_features)
            Finite numbers.
        distributions : array-like of shape (n, n_classes)
            Target distributions: non-negative rows that sum to one.
        classes : array-like of shape (n_classes,)
            Class label of each column, at least two different ones.
        sample_weight : array-like of shape (n,), default=None
            Non-negative weights; rows of weight zero are left out.

        Returns
        -------
        NetClassifier
            The fitted classifier.

        Raises
        ------
        ValueError
            If the data are invalid, hold one class only, or do not fit the outputs of
            the module.
        TypeError
            If the criterion cannot use distributions.
        """
        self._require_soft_criterion("distributions")
        X = validate_data(self, X)
        distributions, classes = check_distributions(distributions, classes, X)
        weights = check_weights(sample_weight, X)
        kept = np.flatnonzero(weights)
        targets = pack(distributions[kept], weights[kept])
        return self._fit_net(X[kept], targets, classes)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable class of each row.

        Parameters
        ----------
        X : {array-like, data frame} of shape (n, n_features)
            Finite numbers.

        Returns
        -------
        ndarray of shape (n,)
            Class labels.
        """
        proba = self.predict_proba(X)
        return self.classes_[proba.argmax(axis=1)]

    def predict_proba(self, X: Any) -> NDArray[Any]:
        """Return class probabilities.

        Parameters
        ----------
        X : {array-like, data frame} of shape (n, n_features)
            Finite numbers.

        Returns
        -------
        ndarray of shape (n, n_classes)
            Float64 probabilities, columns in the order of `classes_`. Outputs of the
            module beyond the classes are left out and the rest scaled to sum to one.

        Raises
        ------
        ValueError
            If the net's output is not a distribution, as after diverged training.
        """
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, **array_format(self.net_))
        with _torch_seeded(self._seed):
            return _as_probabilities(self.net_.predict_proba(X), len(self.classes_))

    def takes_distributions(self) -> bool:
        """Say whether `fit_distributions`, `sample_weight` and `loss` can be used.

        Returns
        -------
        bool
            Whether the criterion of `net` is the class `torch.nn.CrossEntropyLoss` or
            `torch.nn.NLLLoss`, without parameters, in a NeuralNetClassifier.
        """
        return (
            isinstance(self.net, NeuralNetClassifier)
            and self.net.criterion in SOFT_CRITERIA
            and not any(
                name.startswith("criterion__")
                for name in self.net.get_params(deep=False)
            )
        )

    def _require_soft_criterion(self, argument):
        if not self.takes_distributions():
            msg = (
                f"{type(self.net).__name__} with criterion={self.net.criterion!r} "
                f"cannot use {argument}. Pass a NeuralNetClassifier whose criterion is "
                "the class torch.nn.CrossEntropyLoss or torch.nn.NLLLoss, without "
                "criterion__ parameters, or fit on labels without sample_weight and "
                "with loss='cross_entropy'."
            )
            raise TypeError(msg)

    def _fit_net(self, X, targets, classes):
        """Fit to class codes (n,) or to packed targets (n, n_classes + 1)."""
        self._check_number_of(classes)
        net, seed, loss_params = clone(self.net), None, {}
        if self.random_state is not None:
            seed = draw_seed(check_random_state(self.random_state))
        if self.loss != "cross_entropy":
            names = ["loss", "confidence_weight", "balance", "window_radius"]
            loss_params = {name: getattr(self, name) for name in names}
        _seed_split(net.train_split, seed)
        with _torch_seeded(seed):
            initialize_net(
                net,
                len(classes),
                packed=targets.ndim == 2,
                loss_params=loss_params,
                warm_up=self.warm_up if self.loss in WARMED_LOSSES else 0.0,
            )
            X = check_array(X, input_name="X", **array_format(net))
            _as_probabilities(net.predict_proba(X[:1]), len(classes))
            is_codes = targets.ndim == 1 and isinstance(net, NeuralNetClassifier)
            net.partial_fit(X, targets.astype(np.int64 if is_codes else X.dtype))
        # In place of all numbers in packed targets, several for each row.
        net.classes_inferred_ = np.arange(len(classes))
        self.net_, self.classes_, self._seed = net, classes, seed
        return self

    def _check_number_of(self, classes):
        if len(classes) < 2:
            msg = (
                f"{type(self).__name__} needs at least two classes, but the rows of "
                f"positive weight have one class only: {classes.tolist()}."
            )
            raise ValueError(msg)
        if len(classes) > 2 and isinstance(self.net, NeuralNetBinaryClassifier):
            msg = (
                "Only binary classification is supported by NeuralNetBinaryClassifier, "
                f"but there are {len(classes)} classes: {classes[:5].tolist()}. Use a "
                "NeuralNetClassifier."
            )
            raise ValueError(msg)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "net_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = not isinstance(
            self.net, NeuralNetBinaryClassifier
        )
        return tags


def array_format(net):
    """Return the format of rows that the net's parameters can be multiplied with."""
    types = {parameter.dtype for parameter in net.module_.parameters()}
    dtype = np.float64 if torch.float64 in types else np.float32
    # torch warns of arrays that it could write to although they are read-only.
    return {"dtype": dtype, "order": "C", "force_writeable": True}


@contextmanager
def _torch_seeded(seed):
    if seed is None:
        yield
        return
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        yield


def _seed_split(split, seed):
    """Seed a split of the rows that would draw from numpy's global state, in place."""
    if seed is None:
        return
    for part in (split, getattr(split, "cv", split)):
        if getattr(part, "random_state", seed) is None:
            part.random_state = seed


def _as_probabilities(output, n_classes):
    """Return the probabilities of the first outputs, one per class, in float64."""
    n_outputs = output.shape[1] if output.ndim == 2 else 1
    if n_outputs < n_classes:
        msg = (
            f"The module has {n_outputs} output(s) for {n_classes} classes. Give it at "
            "least one output per class."
        )
        raise ValueError(msg)
    proba = output[:, :n_classes].astype(np.float64)
    totals = proba.sum(axis=1, keepdims=True)
    whole = np.abs(output.sum(axis=1) - 1) < 1e-3
    sound = whole & (output >= 0).all(axis=1) & (totals[:, 0] > 0)
    if not sound.all():
        row = int(np.argmin(sound))
        msg = (
            f"The net's output for row {row} is not a distribution over the classes: "
            f"{output[row].tolist()}. NaN means that training diverged: lower lr. "
            "Otherwise use criterion=torch.nn.CrossEntropyLoss for a module that gives "
            "logits, or set the net's predict_nonlinearity."
        )
        raise ValueError(msg)
    return proba / totals

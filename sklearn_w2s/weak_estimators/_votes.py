"""VoteClassifier: votes of labelling functions, which abstain and err."""

from numbers import Real
from typing import Any, Literal

import numpy as np
import scipy.sparse as sp

from sklearn_w2s._algorithms.weak_labels import one_hot
from sklearn_w2s._sklearn import Interval, StrOptions
from sklearn_w2s._validation import classes_of, is_dataframe, warn_of_namesakes
from sklearn_w2s.weak_estimators._base import (
    GivenClassifier,
    class_codes,
    split_abstentions,
)

_MOST_STEPS = 200
_TOLERANCE = 1e-5
# A rate of zero would let one vote overrule all others.
_LEAST_RATE = 1e-6


class VoteClassifier(GivenClassifier):
    r"""Classify with the votes of labelling functions, one column per function.

    A function votes for a class or abstains. The majority counts every vote alike and
    learns nothing: with `classes` it predicts without `fit`. Naive Bayes weighs votes
    by how often each function casts them in each class, which it estimates from the
    votes alone, and from labels where there are some.

    Parameters
    ----------
    columns : list of str or int, slice, bool mask, callable or None, default=None
        Columns of votes; a callable gets X and returns them. None means all.
    abstain : scalar, default=-1
        Value of an abstention. None, NaN, NaT and pandas.NA are abstentions as well.
    classes : array-like of shape (n_classes,), default=None
        Class labels, as the functions name them. None takes those that occur among the
        votes and labels in `fit`.
    method : {"majority", "naive_bayes"}, default="majority"
        Whether votes count alike, or by estimated rates. As a weak estimator that is
        to learn from unlabeled rows, naive Bayes is fitted first and wrapped in
        :class:`~sklearn.frozen.FrozenEstimator`.
    class_prior : array-like of shape (n_classes,), default=None
        Probabilities of the classes, in the order of `classes`; those of rows without
        a vote. None takes all classes for equally likely.
    smoothing : float, default=1.0
        Rows per class, in (0, inf), that are added to estimate rates, in which every
        function votes as it does overall.
    missing_label : scalar, default=-1
        Label of unlabeled rows in `fit` and `score`. None, NaN, NaT and pandas.NA are
        such labels as well.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Sorted class labels; there before `fit` where `classes` names them.
    vote_rates_ : ndarray of shape (n_functions, n_classes, n_classes)
        Estimated share of the rows of class k on which function j votes for class l.
        Only with naive Bayes.
    accuracies_ : ndarray of shape (n_functions,)
        How often each function is right where it votes, by these rates; NaN for one
        that never votes. Only with naive Bayes.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names, if all are strings.

    See Also
    --------
    FunctionClassifier : A single rule.
    ColumnProbaClassifier : Probabilities that are columns of the table.

    Notes
    -----
    Naive Bayes takes votes :math:`\lambda_j` to be independent within a class,

    .. math:: P(y = k \mid \lambda) \propto
        \pi_k \prod_{j \text{ votes}} \theta_{j k \lambda_j}, \qquad
        \theta_{jkl} = P(\lambda_j = l \mid y = k),

    with the class prior :math:`\pi` held fixed and rates :math:`\theta` estimated by
    expectation-maximisation from the majority on, so that the result is deterministic.
    This is the model of Dawid and Skene [1]_ with two changes. An abstention is not
    evidence: functions that abstain together, as rules of one origin do, would outvote
    those that vote. And :math:`\theta_{jkl} \le \theta_{jll}`: a function is
    no worse than chance, which keeps the classes from swapping names. Where
    abstentions do not depend on the class, the first changes nothing.

    A class prior that is estimated along with the rates tends to one class if functions
    vote for one class only; pass the true one where it is known.

    Functions that copy one another make naive Bayes too sure. Where some rows are
    labeled, ``CalibratedClassifierCV(FrozenEstimator(fitted))`` makes up for it, see
    :class:`ColumnProbaClassifier`.

    References
    ----------
    .. [1] A. P. Dawid, A. M. Skene, "Maximum Likelihood Estimation of Observer
       Error-Rates Using the EM Algorithm", Journal of the Royal Statistical Society C
       28(1), 1979, https://doi.org/10.2307/2346806

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_w2s.weak_estimators import VoteClassifier
    >>> votes = np.array([[0, 0, 1], [1, -1, 1], [0, 1, -1], [-1, -1, -1]])
    >>> VoteClassifier(classes=[0, 1]).predict_proba(votes).round(2)
    array([[0.67, 0.33],
           [0.  , 1.  ],
           [0.5 , 0.5 ],
           [0.5 , 0.5 ]])

    Of three functions that never abstain the first is the best:

    >>> rng = np.random.default_rng(0)
    >>> y = rng.integers(2, size=500)
    >>> is_right = rng.random((500, 3)) < [0.95, 0.7, 0.65]
    >>> votes = np.where(is_right, y[:, None], 1 - y[:, None])
    >>> model = VoteClassifier(method="naive_bayes").fit(votes)
    >>> int(model.accuracies_.argmax())
    0
    >>> majority = VoteClassifier(classes=[0, 1])
    >>> model.score(votes, y) > majority.score(votes, y)
    True
    """

    _parameter_constraints = {
        "columns": "no_validation",
        "abstain": "no_validation",
        "classes": ["array-like", None],
        "method": [StrOptions({"majority", "naive_bayes"})],
        "class_prior": ["array-like", None],
        "smoothing": [Interval(Real, 0, None, closed="neither")],
        "missing_label": "no_validation",
    }

    def __init__(
        self,
        columns: Any = None,
        *,
        abstain: Any = -1,
        classes: Any = None,
        method: Literal["majority", "naive_bayes"] = "majority",
        class_prior: Any = None,
        smoothing: float = 1.0,
        missing_label: Any = -1,
    ) -> None:
        self.columns = columns
        self.abstain = abstain
        self.classes = classes
        self.method = method
        self.class_prior = class_prior
        self.smoothing = smoothing
        self.missing_label = missing_label

    def _find_classes(self, X, labels):
        voted = [
            split_abstentions(values, self.abstain, name=name)[0]
            for name, values in self._ballots(X)
        ]
        kinds = {a.dtype.kind in "US" for a in (labels, *voted) if len(a)}
        if len(kinds) > 1:
            msg = (
                "Votes and y name classes by strings and by numbers; name them alike, "
                f"and abstentions by abstain={self.abstain!r}."
            )
            raise ValueError(msg)
        warn_of_namesakes(classes_of(*voted), self.abstain, name="abstain")
        return classes_of(labels, *voted)

    def _learn(self, X, y, weights):
        votes, prior = self._votes(X), self._prior()
        if self.method == "majority":
            return
        known = np.full((votes.shape[0], len(prior)), np.nan)
        if y is not None:
            codes = class_codes(y, self.missing_label, self.classes_, name="y")
            known[codes >= 0] = one_hot(codes[codes >= 0], len(prior))
        self.vote_rates_ = estimate_rates(
            votes, prior, known, weights, smoothing=self.smoothing
        )
        self.accuracies_ = expected_accuracies(self.vote_rates_, prior)

    def _proba(self, X):
        votes = self._votes(X)
        if self.method == "majority":
            return vote_shares(votes, self._prior())
        return vote_posterior(votes, self.vote_rates_, self._prior())

    def _votes(self, X):
        codes = [
            class_codes(values, self.abstain, self.classes_, name=name)
            for name, values in self._ballots(X)
        ]
        return vote_indicators(np.column_stack(codes), len(self.classes_))

    def _ballots(self, X):
        """Yield the name of each column of votes, for messages, and its values."""
        view = self._view(X)
        for position in range(view.shape[1]):
            if is_dataframe(view):
                column = view.columns[position]
                yield f"column {column!r}", view[column]
            else:
                yield f"column {position} of the votes", view[:, position]

    def __sklearn_is_fitted__(self):
        if self.method == "naive_bayes":
            return hasattr(self, "vote_rates_")
        return super().__sklearn_is_fitted__()

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = False
        return tags


def vote_indicators(codes, n_classes):
    """Return votes as a sparse matrix (n, n_functions * n_classes) of zeros and ones.

    Column ``j * n_classes + k`` is one where function j votes for class k.
    """
    rows, functions = np.nonzero(codes >= 0)
    columns = functions * n_classes + codes[rows, functions]
    shape = len(codes), codes.shape[1] * n_classes
    return sp.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=shape)


def vote_shares(votes, prior):
    """Return the share of votes of each class, and the prior where there is no vote."""
    n_classes = len(prior)
    counts = votes @ np.tile(np.eye(n_classes), (votes.shape[1] // n_classes, 1))
    total = counts.sum(axis=1, keepdims=True)
    return np.where(total > 0, counts / np.maximum(total, 1), prior)


def estimate_rates(votes, prior, known, weights, *, smoothing):
    r"""Estimate how often each function casts each vote in each class, by EM.

    Returns shape (n_functions, n_classes, n_classes): share of the rows of class k on
    which function j votes for class l. Source: Dawid and Skene, 1979, with
    :math:`\theta_{jkl} \le \theta_{jll}`, so that the classes keep their names.
    """
    # Rows of NaN in `known`, of shape (n, n_classes), are estimated.
    is_known = ~np.isnan(known).any(axis=1)
    proba = np.where(is_known[:, None], known, vote_shares(votes, prior))
    for _ in range(_MOST_STEPS):
        rates = _rates(votes, weights[:, None] * proba, smoothing)
        previous, proba = proba, vote_posterior(votes, rates, prior)
        proba[is_known] = known[is_known]
        if np.abs(proba - previous).max() < _TOLERANCE:
            break
    return rates


def vote_posterior(votes, rates, prior):
    """Return class probabilities for votes that are independent within a class."""
    n_classes = len(prior)
    log_rates = np.log(rates).transpose(0, 2, 1).reshape(-1, n_classes)
    scores = votes @ log_rates + np.log(np.maximum(prior, _LEAST_RATE))
    scores -= scores.max(axis=1, keepdims=True)
    joint = np.exp(scores)
    return joint / joint.sum(axis=1, keepdims=True)


def expected_accuracies(rates, prior):
    """Return how often each function is right where it votes, NaN if it never does."""
    right = np.einsum("jkk,k->j", rates, prior)
    cast = np.einsum("jkl,k->j", rates, prior)
    silent = cast <= len(prior) * _LEAST_RATE
    return np.where(silent, np.nan, right / cast)


def _rates(votes, mass, smoothing):
    shape = -1, mass.shape[1], mass.shape[1]
    cast = (votes.T @ mass).reshape(shape).transpose(0, 2, 1)
    # `smoothing` rows per class are added, with the votes of all rows.
    overall = cast.sum(axis=1, keepdims=True) / mass.sum()
    rows = mass.sum(axis=0)[None, :, None]
    rates = (cast + smoothing * overall) / (rows + smoothing)
    own = np.diagonal(rates, axis1=1, axis2=2)[:, None, :]
    return np.clip(np.minimum(rates, own), _LEAST_RATE, None)

"""Score the labeled rows only."""

from collections.abc import Callable
from inspect import signature
from typing import Any

import numpy as np
from sklearn.base import is_regressor
from sklearn.metrics import check_scoring
from sklearn.utils import indexable
from sklearn.utils.metadata_routing import get_routing_for_object

from sklearn_w2s._fitting import take_metadata
from sklearn_w2s._sklearn import safe_indexing
from sklearn_w2s._validation import (
    check_target,
    classes_of,
    require_rows,
)


class LabeledScorer:
    """Drop the unlabeled rows, then score as another scorer does.

    For splitters other than `LabeledSplit`, whose test sets hold unlabeled rows that
    scorers such as "accuracy" would count as errors.

    Parameters
    ----------
    scoring : str or callable, default="accuracy"
        Name of a scorer of scikit-learn, or ``callable(estimator, X, y)``.
    missing_label : scalar, default=-1
        Marker of an unlabeled row in y. None, NaN, NaT and pandas.NA are such markers
        as well, and the only ones of regressors: to them any number is a value.

    Raises
    ------
    ValueError
        If `scoring` is neither a known name nor a scorer.

    See Also
    --------
    LabeledSplit : Keeps unlabeled rows out of the test sets.

    Notes
    -----
    With metadata routing, arguments are requested by the inner scorer, for example
    ``LabeledScorer(get_scorer("roc_auc").set_score_request(sample_weight=True))``.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> from sklearn_w2s.model_selection import LabeledScorer
    >>> X, y = [[0], [1], [2], [3]], [0, 0, 1, -1]
    >>> always_zero = DummyClassifier(strategy="constant", constant=0).fit(X[:3], y[:3])
    >>> round(LabeledScorer("accuracy")(always_zero, X, y), 2)
    0.67
    """

    def __init__(
        self, scoring: str | Callable[..., Any] = "accuracy", *, missing_label: Any = -1
    ) -> None:
        if not isinstance(scoring, str) and not callable(scoring):
            msg = (
                f"scoring={scoring!r} must be the name of a scorer, or a callable that "
                "takes an estimator, X and y. For several, pass several LabeledScorer."
            )
            raise ValueError(msg)
        self.scoring = scoring
        self.missing_label = missing_label
        check_scoring(scoring=scoring)

    @property
    def _scorer(self):
        # Made anew, so that a saved file holds the name alone, and no function.
        return check_scoring(scoring=self.scoring)

    def __call__(self, estimator, X, y, sample_weight=None, **kwargs):
        """Score an estimator on the labeled rows.

        Parameters
        ----------
        estimator : fitted estimator instance
            Estimator to score.
        X : {array-like, sparse matrix, data frame} of shape (n, n_features)
            Rows.
        y : array-like of shape (n,)
            Class labels, with the missing label where a row has none.
        sample_weight : array-like of shape (n,), default=None
            Weights; None passes none.
        **kwargs : dict
            Further arguments of the inner scorer; those with one value per row are cut
            to the labeled rows.

        Returns
        -------
        float
            What the inner scorer returns.

        Raises
        ------
        ValueError
            If X or y is None, if y has no label or labels of another kind than the
            classes of the estimator, or if the lengths differ.
        """
        require_rows(X)
        X, y = indexable(X, y)
        classes = getattr(estimator, "classes_", None)
        labels, labeled = check_target(
            y, self.missing_label, of_values=is_regressor(estimator), classes=classes
        )
        if classes is not None:
            # Some versions of scikit-learn compare strings with numbers, and call it
            # wrong.
            classes_of(classes, labels)
        positions = np.flatnonzero(labeled)
        if not len(positions):
            msg = (
                f"There is nothing to score: all {len(labeled)} values of y are the "
                f"missing label {self.missing_label!r}. Use LabeledSplit, which keeps "
                "labeled rows in every test set."
            )
            raise ValueError(msg)
        if sample_weight is not None:
            kwargs["sample_weight"] = sample_weight
        metadata = take_metadata(kwargs, positions, len(labeled))
        return self._scorer(estimator, safe_indexing(X, positions), labels, **metadata)

    def __repr__(self):
        return f"LabeledScorer({self.scoring!r}, missing_label={self.missing_label!r})"

    def _accept_sample_weight(self):
        """Tell searches, which ask scorers by this name, whether to pass weights on."""
        ask = getattr(self._scorer, "_accept_sample_weight", None)
        return ask() if ask else "sample_weight" in signature(self._scorer).parameters

    def get_metadata_routing(self) -> Any:
        """Return the metadata that the inner scorer requests.

        Returns
        -------
        MetadataRequest
            Requests of the inner scorer.
        """
        return get_routing_for_object(self._scorer)

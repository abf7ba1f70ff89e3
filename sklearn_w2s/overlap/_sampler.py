"""OverlapSampler: the rows of some regions, with labels, for resampling pipelines."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone

from sklearn_w2s._algorithms.overlap import REGIONS
from sklearn_w2s._estimators import fit_context
from sklearn_w2s._sklearn import HasMethods, safe_indexing
from sklearn_w2s._validation import check_new_rows, check_target
from sklearn_w2s.overlap._detector import OverlapDetector
from sklearn_w2s.persistence import VersionStampMixin


class OverlapSampler(VersionStampMixin, BaseEstimator):
    """Keep the rows of some regions, unlabeled ones with their weak labels.

    A step for pipelines of imbalanced-learn: what follows it, a sampler or the last
    estimator, sees labeled rows only and need not support missing labels. With
    a detector whose weak estimator is a regressor, labels are values, NaN where there
    is none.

    Parameters
    ----------
    overlap_detector : OverlapDetector, default=None
        Finds the regions and the weak labels. None takes its defaults.
    regions : list of str, default=("overlap",)
        Regions to keep, of "easy", "hard" and "overlap".
    include_labeled : bool, default=True
        Whether to keep all labeled rows as well, with their true labels.

    Attributes
    ----------
    overlap_detector_ : OverlapDetector
        The fitted detector.
    sample_indices_ : ndarray of shape (n_kept,)
        Positions of the rows kept, in their order.

    See Also
    --------
    OverlapDetector : Finds the regions.
    WeakToStrongClassifier : Trains on them, and weighs rows instead of dropping them.

    Notes
    -----
    imbalanced-learn refuses steps that have both `transform` and `fit_resample`, hence
    a separate class. Rows that are dropped are those that a strong estimator
    misses on most real tables, see the user guide.

    Examples
    --------
    >>> from sklearn_w2s import OverlapDetector, OverlapSampler
    >>> from sklearn_w2s.datasets import make_overlap_classification
    >>> X, y, _ = make_overlap_classification(600, random_state=0)
    >>> y[100:] = -1
    >>> sampler = OverlapSampler(OverlapDetector(weak_features=slice(0, 20)))
    >>> X_kept, y_kept = sampler.fit_resample(X, y)
    >>> len(X_kept) == len(y_kept) < 600, sorted(set(y_kept.tolist()))
    (True, [0, 1])
    """

    _parameter_constraints = {
        "overlap_detector": [HasMethods(["fit", "predict"]), None],
        "regions": ["array-like"],
        "include_labeled": ["boolean"],
    }

    def __init__(
        self,
        overlap_detector: Any = None,
        *,
        regions: Sequence[str] = ("overlap",),
        include_labeled: bool = True,
    ) -> None:
        self.overlap_detector = overlap_detector
        self.regions = regions
        self.include_labeled = include_labeled

    @fit_context(prefer_skip_nested_validation=False)
    def fit_resample(self, X: Any, y: Any) -> tuple[Any, ...]:
        """Fit the detector and keep the rows of the regions.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Rows, labeled and unlabeled.
        y : array-like of shape (n_samples,)
            Labels, the detector's `missing_label` where there is none, or values, NaN
            where there is none.

        Returns
        -------
        X_resampled : {array-like, sparse matrix, data frame} of shape \
                (n_kept, n_features)
            Rows kept.
        y_resampled : array-like of shape (n_kept,)
            Their labels: true ones where there are, else weak ones. A list or a series
            where y is one, else an ndarray.

        Raises
        ------
        ValueError
            If a region is unknown, or if no row lies in the regions.
        """
        regions = list(self.regions)
        if not regions or not set(regions) <= set(REGIONS):
            msg = f"regions={self.regions!r} must be a list of some of {list(REGIONS)}."
            raise ValueError(msg)
        detector = (
            OverlapDetector()
            if self.overlap_detector is None
            else clone(self.overlap_detector)
        )
        detector.fit(X, y)
        labels, labeled = check_target(
            y,
            detector.missing_label,
            of_values=detector.weak_predictor_.classes is None,
            classes=detector.weak_predictor_.classes,
        )
        kept = np.isin(detector.regions_, regions)
        # Labeled rows are kept all or not at all, whatever their regions.
        kept[labeled] = self.include_labeled
        if not kept.any():
            msg = f"No row lies in regions={self.regions!r}. Name more of them."
            raise ValueError(msg)
        self.sample_indices_ = np.flatnonzero(kept)
        self.overlap_detector_ = detector
        X_kept, y_kept = (safe_indexing(a, self.sample_indices_) for a in (X, y))
        return X_kept, _as_given(self._labels(X, labels, labeled)[kept], y_kept)

    def _labels(self, X, labels, labeled):
        """Return true labels where there are, and weak ones elsewhere."""
        weak = self.overlap_detector_.weak_predictor_
        X = check_new_rows(self.overlap_detector_, X)
        proba = weak.proba(X)
        if weak.classes is None:
            weak_labels = proba[:, 0].copy()
        else:
            weak_labels = weak.classes[weak.codes(X, proba)]
        weak_labels[labeled] = labels
        return weak_labels


def _as_given(labels, y):
    """Return labels as a list or a series where y is one, with its index and name."""
    if isinstance(y, list):
        return labels.tolist()
    dtype = getattr(y, "dtype", None)
    # Objects were needed for gaps or markers, and many classifiers refuse such targets.
    # Weak values need not be whole where those of y are.
    is_whole = "int" in str(dtype).lower()
    if str(dtype).lower() == "object" or (is_whole and labels.dtype.kind == "f"):
        dtype = None
    if hasattr(y, "iloc"):
        return type(y)(labels.tolist(), index=y.index, name=y.name, dtype=dtype)
    if hasattr(y, "is_null") and hasattr(y, "name"):  # polars
        return type(y)(y.name, labels.tolist(), dtype=dtype)
    return labels

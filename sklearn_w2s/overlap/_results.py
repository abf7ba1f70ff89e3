"""What a fitted OverlapDetector knows of the rows of its fit."""

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from sklearn_w2s._algorithms.interval import share_interval
from sklearn_w2s._algorithms.overlap import OVERLAP, REGIONS, density_regime

# Normal quantile of a two-sided level of 95%.
_Z = 1.959964


class ResultsMixin(BaseEstimator):
    """Regions by name, thresholds and references."""

    def get_support(self, region=OVERLAP, indices=False):
        """Say which rows of `fit` lie in a region.

        Parameters
        ----------
        region : {"easy", "hard", "overlap"}, default="overlap"
            Region.
        indices : bool, default=False
            Return positions instead of a mask.

        Returns
        -------
        ndarray
            Mask of shape (n_samples,), or positions.

        Raises
        ------
        ValueError
            If there is no such region.
        AttributeError
            After `partial_fit`, and in a classifier, where rows are not kept: use
            `predict`.
        """
        check_is_fitted(self)
        if region not in REGIONS:
            msg = f"region={region!r} is not one of {list(REGIONS)}."
            raise ValueError(msg)
        if not hasattr(self, "regions_"):
            msg = (
                "partial_fit keeps no regions of the rows it has seen, nor does the "
                f"detector of a classifier. Call predict(X) == {region!r} on the rows "
                "of interest."
            )
            raise AttributeError(msg)
        support = self.regions_ == region
        return np.flatnonzero(support) if indices else support

    def forget_rows(self):
        """Drop what is known of each row of `fit`; other rows can still be judged.

        Returns
        -------
        OverlapDetector
            The estimator.
        """
        for name in ("regions_", "confidence_", "overlap_score_"):
            delattr(self, name)
        return self

    def _set_density(self, density, n_rows):
        """Set the overlap density, and what follows from it and the number of rows."""
        self.overlap_density_ = density
        self.overlap_density_interval_ = share_interval(density, n_rows, _Z)
        self.overlap_regime_ = density_regime(density)

    @property
    def references_(self):
        """Hard rows that others are compared with."""
        return self.partition_.measure.references

    @property
    def representation_(self):
        """The fitted representation."""
        return self.views_.transformer

    @property
    def confidence_threshold_(self):
        """Smallest confidence that is not hard."""
        return self.partition_.hard_rows.confidence_threshold

    @property
    def easy_threshold_(self):
        """Smallest similarity to the easy rows that is not hard."""
        return self.partition_.hard_rows.easy_threshold

    @property
    def overlap_threshold_(self):
        """Smallest overlap score of an overlap row."""
        return self.partition_.overlap_threshold

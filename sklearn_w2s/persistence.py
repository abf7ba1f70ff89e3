"""Saving estimators and loading them without running the code of others."""

import os
import tempfile
from pathlib import Path
from pkgutil import resolve_name

from sklearn.base import BaseEstimator

from sklearn_w2s._version import __version__
from sklearn_w2s._warnings import warn

__all__ = ["trusted_types"]

_STAMP = "_sklearn_w2s_version"

_OWN = {
    "_coded": ["CodedClassifier"],
    "_columns": ["Columns"],
    "_tabular": ["TabularBoosting", "TabularEncoder", "TabularRegressor"],
    "_uncertainty": ["Uncertainty", "ValuePredictor"],
    "_weak": ["WeakPredictor"],
    "dask._classifier": ["WeakToStrongClassifier"],
    "dask._detector": ["OverlapDetector"],
    "dask._regressor": ["WeakToStrongRegressor"],
    "model_selection._split": ["LabeledScorer", "LabeledSplit"],
    "overlap._detector": ["OverlapDetector"],
    "overlap._measures": [
        "Agreement",
        "FunctionMeasure",
        "NeighborsMeasure",
        "Similarity",
        "Unexplained",
    ],
    "overlap._partition": ["HardRows", "Partition"],
    "overlap._representations": [
        "DeviationEncoder",
        "LeafEncoder",
        "PrincipalDeviations",
        "Views",
    ],
    "overlap._reservoir": ["Reservoir"],
    "overlap._sampler": ["OverlapSampler"],
    "sources._bandit": ["Limits", "SourceBandit"],
    "sources._run": ["SelectionRun", "DrawnRows", "Rater"],
    "sources._selector": ["UCBSourceSelector"],
    "weak_estimators._column_proba": ["ColumnProbaClassifier"],
    "weak_estimators._function": ["FunctionClassifier"],
    "weak_estimators._votes": ["VoteClassifier"],
    "weak_to_strong._classifier": ["WeakToStrongClassifier"],
    "weak_to_strong._regressor": ["OutputOf", "WeakToStrongRegressor"],
}
# Of the defaults and helpers, as far as skops does not trust them by itself.
_OTHERS = [
    "collections.deque",
    # Of gradient boosting with categories.
    "functools.partial",
    "scipy.sparse._csr.csr_array",
    "scipy.sparse._csr.csr_matrix",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.model_selection._split._CVIterableWrapper",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.tree._tree.Tree",
    "sklearn.utils.validation.check_array",
]
# Of some versions of scikit-learn.
_OLD = ["sklearn.compose._column_transformer._RemainderColsList"]


def trusted_types() -> list[str]:
    """Name the types that a saved estimator of this package is made of.

    skops loads a file only if every type in it is trusted; what is not on the list runs
    no code. Types of estimators that you brought yourself are yours to add.

    Returns
    -------
    list of str
        Full names, sorted, for the argument `trusted` of `skops.io.load`.

    Examples
    --------
    >>> from sklearn_w2s.persistence import trusted_types
    >>> "sklearn_w2s.overlap._detector.OverlapDetector" in trusted_types()
    True
    """
    own = [
        f"sklearn_w2s.{module}.{name}"
        for module, names in _OWN.items()
        for name in names
    ]
    return sorted([*own, *_OTHERS, *filter(_exists, _OLD)])


def _exists(name):
    try:
        resolve_name(name)
    except AttributeError:
        return False
    return True


class VersionStampMixin(BaseEstimator):
    """Warn if an estimator was saved by another version of the package."""

    def __getstate__(self):
        return {**super().__getstate__(), _STAMP: __version__}

    def __setstate__(self, state):
        state = dict(state)
        saved_by = state.pop(_STAMP, "an older version")
        super().__setstate__(state)
        if saved_by != __version__:
            warn(
                f"This {type(self).__name__} was saved by sklearn_w2s {saved_by} and "
                f"is loaded by {__version__}: it may fail, or predict differently. "
                "Fit it again, or load it with the version that saved it.",
            )


# Prefix of the files that a killed process leaves.
UNFINISHED = "unfinished-"


def replace_file(path, content):
    """Write `content` as a file that only its owner may read; replace a link, too."""
    # The name cannot be guessed, so that no link can wait there.
    number, name = tempfile.mkstemp(prefix=UNFINISHED, dir=path.parent)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink()
        raise

"""Saved estimators know the version that saved them."""

from sklearn.base import BaseEstimator

from sklearn_w2s._version import __version__
from sklearn_w2s._warnings import warn

_STAMP = "_sklearn_w2s_version"


class VersionStampMixin(BaseEstimator):
    """Warn where an estimator was saved by another version of the package."""

    def __getstate__(self):
        return {**super().__getstate__(), _STAMP: __version__}

    def __setstate__(self, state):
        state = dict(state)
        saved_by = state.pop(_STAMP, "an older version")
        super().__setstate__(state)
        if saved_by != __version__:
            warn(
                f"This {type(self).__name__} was saved by sklearn_w2s {saved_by} and "
                f"is loaded by {__version__}: it may fail, or predict otherwise. Fit "
                f"it again, or load it with the version that saved it.",
            )

"""Check that X is texts: one sequence of them, or a single column."""

import numpy as np
from sklearn.utils.validation import validate_data

from sklearn_w2s._validation import is_dataframe

# Longest value that a message shows, in characters.
_LONGEST = 40


def check_texts(estimator, X, *, reset):
    """Return texts as a list; record the single feature, or compare it."""
    if isinstance(X, str | bytes):
        msg = f"X={_shown(X)} is a single text. Pass a list of texts: [X]."
        raise ValueError(msg)
    if is_dataframe(X):
        validate_data(estimator, X, reset=reset, skip_check_array=True)
    elif reset:
        estimator.n_features_in_ = 1
        # A former fit may have been on a data frame.
        vars(estimator).pop("feature_names_in_", None)
    return texts_of(X, "X")


def texts_of(values, name):
    """Return a sequence or a single column of texts as a list, and refuse others."""
    array = np.asarray(values, dtype=object)
    if array.ndim != 1 and not (array.ndim == 2 and array.shape[1] == 1):
        what = f"shape {array.shape}" if array.ndim else f"type {type(values).__name__}"
        msg = f"{name} has {what}. Pass a list of texts, or a single column of them."
        raise ValueError(msg)
    texts = array.ravel().tolist()
    if not texts:
        msg = f"{name} has 0 texts (shape {array.shape}); at least one is required."
        raise ValueError(msg)
    for position, text in enumerate(texts):
        if not isinstance(text, str):
            msg = (
                f"{name} holds {_shown(text)} at position {position}, which is of type "
                f"{type(text).__name__} and no text. Pass str alone: drop missing "
                "texts or write '', decode bytes, and convert numbers with str()."
            )
            raise ValueError(msg)
    return texts


def _shown(value):
    shown = repr(value)
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"

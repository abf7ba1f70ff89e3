"""Files of the report: a bad path is refused early, and all is written whole."""

import csv
import io
import os
import tempfile
from importlib import import_module
from pathlib import Path

import numpy as np

from sklearn_w2s._files import replace_file
from sklearn_w2s.report._errors import InputError

_NEEDED = {"html": ["matplotlib.pyplot"], "save": ["skops.io"]}


def check_target(option, path, source):
    """Refuse a path that cannot be written to, and a lack of what writes it.

    Parameters
    ----------
    option : {"html", "predict", "save"}
        Which file it is to be.
    path : str
        Where it is to be.
    source : str or None
        File that is read, which must not be overwritten.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        If it cannot be written, or if a package is missing.
    """
    for module in _NEEDED.get(option, ()):
        try:
            import_module(module)
        except ImportError as error:
            package = module.partition(".")[0]
            msg = f'--{option} needs {package}: pip install "sklearn-w2s[report]"'
            raise InputError(msg) from error
    if option == "save" and Path(path).suffix != ".skops":
        msg = f"--save {path}: the name of the file must end in .skops."
        raise InputError(msg)
    try:
        return _check_writable(option, path, source)
    except (OSError, RuntimeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        msg = f"--{option} {path}: cannot write there: {error}"
        raise InputError(msg) from error


def _check_writable(option, path, source):
    target = Path(path).absolute()
    if target.is_symlink():
        msg = (
            f"--{option} {path} is a symbolic link, which is not followed: name the "
            f"file itself, {target.resolve()}, or another one."
        )
        raise InputError(msg)
    if target.exists() and not target.is_file():
        msg = f"--{option} {path} is no regular file: name another one."
        raise InputError(msg)
    if not target.parent.is_dir():
        msg = f"--{option} {path}: there is no folder {target.parent}: make it first."
        raise InputError(msg)
    is_read = source is not None and Path(source).exists()
    if is_read and target.exists() and target.samefile(source):
        msg = f"--{option} {path} is the file to read: name another one."
        raise InputError(msg)
    if target.exists() and not os.access(target, os.W_OK):
        msg = f"--{option} {path} is read-only: name another file."
        raise InputError(msg)
    with tempfile.NamedTemporaryFile(prefix=target.name, dir=target.parent):
        return target


def write_whole(target, content):
    """Write a file, which never holds a part of it and is the owner's alone.

    Parameters
    ----------
    target : Path
        As from `check_target`.
    content : bytes
        Content.

    Raises
    ------
    InputError
        If the file cannot be written; one that was there before stays.
    """
    try:
        replace_file(target, content)
    except OSError as error:
        msg = f"{target}: cannot write there: {error}"
        raise InputError(msg) from error


def predictions_as_csv(fitted, X, rows, target):
    """Return what is predicted of rows, and the probability of each class, as CSV."""
    classes, proba = [], np.empty((len(rows), 0))
    if hasattr(fitted, "classes_"):
        classes, proba = fitted.classes_.tolist(), fitted.predict_proba(X)
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    heads = [f"probability of {label}" for label in classes]
    writer.writerow(["row", target, *heads])
    said = fitted.predict(X).tolist()
    for row, label, shares in zip(rows.tolist(), said, proba, strict=True):
        writer.writerow([row, label, *(f"{share:.6g}" for share in shares)])
    return text.getvalue()


def model_as_skops(fitted):
    """Return a fitted estimator in the format of skops, which holds no code."""
    import skops.io

    return skops.io.dumps(fitted)

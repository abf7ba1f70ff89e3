"""A page on disk: a bad path is refused early, and the file is written whole."""

import os
import tempfile
from pathlib import Path

from sklearn_w2s._files import replace_file
from sklearn_w2s.plotting._style import import_pyplot
from sklearn_w2s.report._errors import InputError


def check_target(path, source):
    """Refuse a path that the page cannot be written to, and a lack of matplotlib.

    Parameters
    ----------
    path : str
        Where the page is to be.
    source : str or None
        File that is read, which must not be overwritten.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        If it cannot be written, or if matplotlib is missing.
    """
    try:
        import_pyplot("--html")
    except ImportError as error:
        msg = '--html needs matplotlib: pip install "sklearn-w2s[report]"'
        raise InputError(msg) from error
    try:
        return _check_writable(path, source)
    except (OSError, RuntimeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        msg = f"--html {path}: cannot write there: {error}"
        raise InputError(msg) from error


def _check_writable(path, source):
    target = Path(path).absolute()
    if target.is_symlink():
        msg = (
            f"--html {path} is a symbolic link, which is not followed: name the file "
            f"itself, {target.resolve()}, or another one."
        )
        raise InputError(msg)
    if target.exists() and not target.is_file():
        msg = f"--html {path} is no regular file: name another one."
        raise InputError(msg)
    if not target.parent.is_dir():
        msg = f"--html {path}: there is no folder {target.parent}: make it first."
        raise InputError(msg)
    is_read = source is not None and Path(source).exists()
    if is_read and target.exists() and target.samefile(source):
        msg = f"--html {path} is the file to read: name another one."
        raise InputError(msg)
    if target.exists() and not os.access(target, os.W_OK):
        msg = f"--html {path} is read-only: name another file."
        raise InputError(msg)
    with tempfile.NamedTemporaryFile(prefix=target.name, dir=target.parent):
        return target


def write_whole(target, text):
    """Write a text to a file, which never holds a part of it and is the owner's alone.

    Parameters
    ----------
    target : Path
        As from `check_target`.
    text : str
        Content.

    Raises
    ------
    InputError
        If the file cannot be written; one that was there before stays.
    """
    try:
        replace_file(target, text.encode())
    except OSError as error:
        msg = f"--html {target}: cannot write there: {error}"
        raise InputError(msg) from error

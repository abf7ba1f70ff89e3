"""Activations on disk, found by what was encoded and how."""

import hashlib
import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np

FILE_NAME = "activations.sqlite3"
# SQLite before 3.32 takes at most 999 values in a statement.
_MOST_VALUES = 500
# Another process may be writing.
_SECONDS_TO_WAIT = 300
_WEIGHT_SUFFIXES = {
    *(".bin", ".ckpt", ".gguf", ".h5", ".msgpack", ".onnx", ".pt", ".pth"),
    ".safetensors",
}


class ActivationCache:
    """Vectors of texts in an SQLite file, which several processes may share.

    Parameters
    ----------
    folder : str or path
        Where the file lies; made if need be.
    fingerprint : str
        Everything but the text that a vector depends on.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from sklearn_w2s.text._cache import ActivationCache
    >>> with TemporaryDirectory() as folder:
    ...     cache = ActivationCache(folder, "a model, pooled at the last token")
    ...     cache.write(["a text"], np.array([[1.0, 2.0]]))
    ...     cache.read(["a text", "another"])
    {'a text': array([1., 2.], dtype=float32)}
    """

    def __init__(self, folder, fingerprint):
        Path(folder).mkdir(parents=True, exist_ok=True)
        self._path = Path(folder, FILE_NAME)
        self._fingerprint = fingerprint.encode()

    def read(self, texts):
        """Return the vectors of the texts that are known.

        Parameters
        ----------
        texts : list of str
            Texts, each once.

        Returns
        -------
        dict of str to ndarray of shape (n_features_out,)
            Read-only float32 vectors.
        """
        by_key = {self._key(text): text for text in texts}
        keys = list(by_key)
        known = {}
        with self._open() as connection:
            for start in range(0, len(keys), _MOST_VALUES):
                some = keys[start : start + _MOST_VALUES]
                marks = ", ".join("?" * len(some))
                found = connection.execute(
                    f"SELECT key, vector FROM activations WHERE key IN ({marks})", some
                )
                for key, vector in found:
                    known[by_key[key]] = np.frombuffer(vector, dtype="<f4")
        return known

    def write(self, texts, vectors):
        """Keep vectors, all of them or none.

        Parameters
        ----------
        texts : list of str
            Texts; those that another process has kept meanwhile are passed over.
        vectors : ndarray of shape (n_texts, n_features_out)
            Their vectors, kept as float32.
        """
        rows = [
            (self._key(text), vector.tobytes())
            for text, vector in zip(texts, vectors.astype("<f4"), strict=True)
        ]
        # The inner context ends the transaction, the outer one the connection.
        with self._open() as connection, connection:
            connection.executemany(
                "INSERT OR IGNORE INTO activations VALUES (?, ?)", rows
            )

    @contextmanager
    def _open(self):
        # Per call, since neither processes nor pickles can share a connection.
        connection = sqlite3.connect(self._path, timeout=_SECONDS_TO_WAIT)
        with closing(connection):
            connection.execute(
                "CREATE TABLE IF NOT EXISTS activations "
                "(key BLOB PRIMARY KEY, vector BLOB)"
            )
            yield connection

    def _key(self, text):
        content = hashlib.sha256(self._fingerprint)
        content.update(b"\0")
        content.update(text.encode("utf-8", "surrogatepass"))
        return content.digest()


def model_fingerprint(model, revision):
    """Return what identifies a model: the content of its folder, or its name.

    Parameters
    ----------
    model : str or path
        Folder, or name on the Hugging Face hub.
    revision : str or None
        Revision of the latter.

    Returns
    -------
    str
        Of a folder, wherever it lies, the hashes of its files, but size and time of
        change of weights, which would take long to read.
    """
    folder = Path(model)
    if not folder.is_dir():
        return repr((str(model), revision))
    files = sorted(path for path in folder.iterdir() if path.is_file())
    return repr([(path.name, *_file_fingerprint(path)) for path in files])


def _file_fingerprint(path):
    if path.suffix not in _WEIGHT_SUFFIXES:
        return (hashlib.sha256(path.read_bytes()).hexdigest(),)
    status = path.stat()
    return status.st_size, status.st_mtime_ns

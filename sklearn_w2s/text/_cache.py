"""Activations on disk, by text, model and settings."""

import hashlib
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np

from sklearn_w2s._warnings import warn

FILE_NAME = "activations.sqlite3"
# What a damaged file is renamed to.
DAMAGED_NAME = "activations.damaged"
# Failures that do not mean damage.
_CIRCUMSTANCES = {
    *(sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PERM),
    *(sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN),
}
_N_CHECK_BYTES = 16
# SQLite before 3.32 takes at most 999 values in a statement.
_MOST_VALUES = 500
# Another process may be writing.
_SECONDS_TO_WAIT = 300
_WEIGHT_SUFFIXES = {
    *(".bin", ".ckpt", ".gguf", ".h5", ".msgpack", ".onnx", ".pt", ".pth"),
    ".safetensors",
}


class ActivationCache:
    """Vectors of texts in an SQLite file, which several processes may share."""

    def __init__(self, folder, fingerprint):
        Path(folder).mkdir(parents=True, exist_ok=True)
        self._path = Path(folder, FILE_NAME)
        # Everything that a vector depends on, except the text.
        self._fingerprint = fingerprint.encode()

    def read(self, texts):
        """Return known vectors by text; warn of damaged ones, and remove them."""
        by_key = {self._key(text): text for text in texts}
        found = self._use(lambda connection: _select(connection, list(by_key)))
        vectors = {key: _unpack(key, content) for key, content in found}
        damaged = [(key,) for key, vector in vectors.items() if vector is None]
        if damaged:
            self._use(
                lambda connection: connection.executemany(
                    "DELETE FROM activations WHERE key = ?", damaged
                )
            )
            warn(
                f"{len(damaged)} of {len(vectors)} vectors read from "
                f"{str(self._path)!r} are damaged. They are computed again."
            )
        return {
            by_key[key]: vector for key, vector in vectors.items() if vector is not None
        }

    def write(self, texts, vectors):
        """Store finite vectors as float32, all of them or none."""
        keys = [self._key(text) for text in texts]
        rows = [
            (key, _checksum(key, vector.tobytes()) + vector.tobytes())
            for key, vector in zip(keys, vectors.astype("<f4"), strict=True)
            if np.isfinite(vector).all()
        ]
        # Another process may have written some of them in the meantime.
        self._use(
            lambda connection: connection.executemany(
                "INSERT OR IGNORE INTO activations (key, vector) VALUES (?, ?)", rows
            )
        )

    def _use(self, work):
        """Return the result of a function of a connection; replace a damaged file."""
        try:
            return self._connect(work)
        # Messages of SQLite contain what it read, which may not be text.
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            if not self._is_damage(error):
                raise
        self._path.replace(self._path.with_name(DAMAGED_NAME))
        warn(
            f"cache {str(self._path)!r} is damaged. A new file is started; the damaged "
            f"one is kept beside it as {DAMAGED_NAME!r}."
        )
        return self._connect(work)

    def _is_damage(self, error):
        # The lowest byte is the kind, the others give details.
        kind = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
        if kind == sqlite3.SQLITE_READONLY:
            # A writable file that SQLite takes for read-only has a damaged header.
            return os.access(self._path, os.W_OK)
        return kind not in _CIRCUMSTANCES

    def _connect(self, work):
        # Per call, since neither processes nor pickles can share a connection.
        connection = sqlite3.connect(self._path, timeout=_SECONDS_TO_WAIT)
        # The inner context ends the transaction, the outer one the connection.
        with closing(connection), connection:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS activations "
                "(key BLOB PRIMARY KEY, vector BLOB)"
            )
            return work(connection)

    def _key(self, text):
        content = hashlib.sha256()
        # With its length, so that no part runs into the next.
        for part in (self._fingerprint, text.encode("utf-8", "surrogatepass")):
            content.update(len(part).to_bytes(8, "big"))
            content.update(part)
        return content.digest()


def _select(connection, keys):
    """Return the keys that are in the file, each with its content."""
    found = []
    for start in range(0, len(keys), _MOST_VALUES):
        some = keys[start : start + _MOST_VALUES]
        marks = ", ".join("?" * len(some))
        found += connection.execute(
            f"SELECT key, vector FROM activations WHERE key IN ({marks})", some
        )
    return found


def _unpack(key, content):
    """Return the vector behind its checksum, None if it is damaged."""
    if not isinstance(content, bytes):
        return None
    checksum, values = content[:_N_CHECK_BYTES], content[_N_CHECK_BYTES:]
    if not values or len(values) % 4 or checksum != _checksum(key, values):
        return None
    vector = np.frombuffer(values, dtype="<f4")
    return vector if np.isfinite(vector).all() else None


def _checksum(key, values):
    return hashlib.blake2b(values, key=key, digest_size=_N_CHECK_BYTES).digest()


def model_fingerprint(model, revision):
    """Return what identifies a model: the files of its folder, or its name."""
    folder = Path(model)
    if not folder.is_dir():
        return repr((str(model), revision))
    files: list[tuple] = []
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        # The size and time of change of weights, which would take long to read.
        if path.suffix in _WEIGHT_SUFFIXES:
            status = path.stat()
            files.append((path.name, status.st_size, status.st_mtime_ns))
        else:
            files.append((path.name, hashlib.sha256(path.read_bytes()).hexdigest()))
    return repr(files)

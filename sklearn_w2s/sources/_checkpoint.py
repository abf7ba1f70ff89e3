"""Checkpoints: values packed without pickles, the journal of a run, and its rules."""

import json
import os
import re
import socket
import sys
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from functools import partial
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from types import CodeType
from typing import Any
from uuid import UUID

import numpy as np
import scipy.sparse as sp

from sklearn_w2s._validation import n_rows
from sklearn_w2s._warnings import warn
from sklearn_w2s.persistence import UNFINISHED, replace_file

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_MARK = b"sklearn_w2s checkpoint 1 "
_HEADER = re.compile(re.escape(_MARK) + rb"([0-9a-f]{64}) ([0-9]{16})\n")
_HEADER_SIZE = len(_MARK) + 64 + 1 + 16 + 1
_STEP = re.compile(r"step-([0-9]{8,})\.bin")


@contextmanager
def held(folder):
    """Lock a checkpoint folder, created if it is missing; None locks nothing."""
    if folder is None:
        yield
        return
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        msg = f"checkpoint={str(folder)!r} is a file. Name a folder, or a new one."
        raise ValueError(msg)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    try:
        lock = os.open(folder / "lock", flags, 0o600)
    except OSError as error:
        msg = (
            f"checkpoint={str(folder)!r} cannot be locked: {error}. Remove what stands "
            "there, or name another checkpoint."
        )
        raise ValueError(msg) from error
    try:
        # The system lets go of it with the process, however that ends.
        if not _try_to_lock(lock):
            owner = os.read(lock, 1000).decode(errors="replace") or "another process"
            msg = (
                f"checkpoint={str(folder)!r} is in use by {owner}. Wait for its end, "
                "or name another checkpoint."
            )
            raise RuntimeError(msg)
        os.ftruncate(lock, 0)
        os.write(lock, f"process {os.getpid()} on {socket.gethostname()}".encode())
        for path in folder.glob(f"{UNFINISHED}*"):
            if not path.is_dir():
                path.unlink()
        yield
    finally:
        os.close(lock)


def _try_to_lock(lock):
    try:
        if sys.platform == "win32":
            # A byte far after the text, which others may read.
            os.lseek(lock, 2**30, os.SEEK_SET)
            msvcrt.locking(lock, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    finally:
        os.lseek(lock, 0, os.SEEK_SET)
    return True


class Journal:
    """Keep one file per step, written before the next step begins.

    Files hold data only and are moved into place whole, so that the process can be
    killed at any time; each carries a checksum of its content and of all files before
    it.
    """

    def __init__(self, folder):
        self.folder = Path(folder)
        self._n_steps = 0
        self._seal = ""

    def open(self, start):
        """Return what the run began with; write `start` if there is no run yet."""
        path = self.folder / "start.bin"
        if path.exists() or self._numbers():
            return self._take(path, self._content(path))
        self._save(start, path)
        return start

    def read(self):
        """Yield the steps in order, without a last one that was written in part."""
        numbers = self._numbers()
        for number in range(numbers[-1] + 1 if numbers else 0):
            path = self._path(number)
            content = self._content(path)
            if number == numbers[-1] and _is_torn(content):
                warn(f"{path} was written in part. This step is done again.")
                return
            step = self._take(path, content)
            self._n_steps += 1
            yield step

    def write(self, step):
        """Add a step."""
        self._save(step, self._path(self._n_steps))
        self._n_steps += 1

    def require_own(self):
        """Refuse to continue in a folder that another run has changed."""
        path = self._path(self._n_steps - 1)
        if not self._n_steps:
            path = self.folder / "start.bin"
        content = self._content(path)
        match = _HEADER.match(content)
        is_own = match is not None and match[1].decode() == self._seal
        if not is_own or self._path(self._n_steps).exists():
            msg = (
                f"checkpoint={str(self.folder)!r} was changed by another run since "
                "this one stopped. Set warm_start=False to continue the run in it."
            )
            raise ValueError(msg)

    def _numbers(self):
        names = (path.name for path in self.folder.iterdir())
        return sorted(int(match[1]) for match in map(_STEP.fullmatch, names) if match)

    def _path(self, number):
        return self.folder / f"step-{number:08d}.bin"

    def _save(self, value, path):
        content = pack(value)
        seal = self._sealed(content)
        header = b"%s%s %016d\n" % (_MARK, seal.encode(), len(content))
        replace_file(path, header + content)
        self._seal = seal

    def _content(self, path):
        try:
            return path.read_bytes()
        except OSError as error:
            raise self._unusable(path, f"cannot be read ({error})") from error

    def _take(self, path, content):
        """Return the content of a file, if it was written after those before it."""
        match = _HEADER.match(content)
        if match is None:
            raise self._unusable(path, "is not part of a checkpoint of this version")
        content = content[match.end() :]
        seal, length = match[1].decode(), int(match[2])
        if length != len(content) or seal != self._sealed(content):
            raise self._unusable(path, "is damaged, or belongs to another run")
        try:
            value = unpack(content)
        # A valid checksum may come with any content.
        except Exception as error:
            raise self._unusable(path, f"cannot be read ({error})") from error
        self._seal = seal
        return value

    def _sealed(self, content):
        return sha256(self._seal.encode() + content).hexdigest()

    def _unusable(self, path, what):
        ways = "name another checkpoint to start a new run"
        if _STEP.fullmatch(path.name):
            ways = f"delete it and all later steps to continue before it, or {ways}"
        return ValueError(f"{path} {what}. Restore it from a copy, {ways}.")


def _is_torn(content):
    """Return whether a file is the beginning of one that was not written in full."""
    if not content.strip(b"\0"):
        return True
    match = _HEADER.match(content)
    if match is None:
        is_begun = _MARK.startswith(content[: len(_MARK)])
        return is_begun and len(content) < _HEADER_SIZE
    return len(content) < _HEADER_SIZE + int(match[2])


_PLAIN = ("batch_size", "burn_in", "detection", "missing_label", "random_state")
# Where, how fast and how loudly something is computed changes nothing that is found.
_WITHOUT_EFFECT = {
    "memory",
    "n_jobs",
    "nthread",
    "num_threads",
    "thread_count",
    "timeout",
    "verbose",
    "verbosity",
}
_HASHED = "#"


def rules_of(selector, detector, X, y):
    """Return, by name, what must be the same in all rounds: a value or its checksum."""
    rules = {name: _described(getattr(selector, name)) for name in _PLAIN}
    others = {
        "reward": selector.reward,
        "overlap_detector": detector,
        "X": X,
        "y": y,
    }
    for name, value in others.items():
        text = _described(value)
        rules[name] = _HASHED + sha256(text.encode()).hexdigest()
    return rules


def require_same_rules(rules, former, where):
    """Refuse to continue a run by other rules than those it began with."""
    for name, value in rules.items():
        if value == former[name]:
            continue
        is_hashed = value.startswith(_HASHED)
        what = f"another {name}" if is_hashed else f"{name}={former[name]}, not {value}"
        msg = (
            f"{where} continues a run with {what}. Use the same to continue it, or "
            "start a new run with another checkpoint or warm_start=False."
        )
        raise ValueError(msg)


def _described(value, seen=()):
    """Return a text that differs where values do, the same in every process."""
    if isinstance(value, np.random.RandomState | np.random.Generator):
        return type(value).__name__  # Its state changes with every use.
    if id(value) in seen:
        return "itself"
    seen = (*seen, id(value))
    if isinstance(value, list | tuple | set | frozenset):
        parts = [_described(part, seen) for part in value]
        ordered = sorted(parts) if isinstance(value, set | frozenset) else parts
        return f"{type(value).__name__}({', '.join(ordered)})"
    if isinstance(value, dict):
        pairs = [
            f"{_described(key, seen)}: {_described(part, seen)}"
            for key, part in value.items()
            if not (isinstance(key, str) and key in _WITHOUT_EFFECT)
        ]
        return f"{{{', '.join(sorted(pairs))}}}"
    if isinstance(value, str | bool | int | float | None | slice | range):
        return repr(value)
    return _described_object(value, seen)


def _described_object(value, seen):
    kind = type(value)
    name = f"{kind.__module__}.{kind.__qualname__}"
    try:
        return f"{name} {digest(value)}"
    except TypeError:
        if hasattr(value, "shape"):
            return f"{name} of {n_rows(value)} rows"
    parts: Any
    if isinstance(value, CodeType):
        parts = (value.co_code, value.co_names, value.co_consts)
    elif isinstance(value, partial):
        parts = (value.func, value.args, value.keywords)
    elif hasattr(value, "__code__"):
        # Without lists and the like, in which a function may count its calls.
        cells = [cell.cell_contents for cell in value.__closure__ or ()]
        cells = [part for part in cells if not isinstance(part, list | dict | set)]
        parts = (value.__qualname__, value.__code__, value.__defaults__, cells)
    elif hasattr(value, "__self__") and hasattr(value, "__func__"):
        parts = (value.__func__, value.__self__)
    elif isinstance(value, type) or hasattr(value, "__qualname__"):
        parts = (value.__module__, value.__qualname__)
    elif hasattr(value, "get_params"):
        parts = (value.get_params(deep=False),)
    else:
        parts = (getattr(value, "__dict__", {}),)
    return f"{name}{_described(parts, seen)}"


_PLAIN_TYPES = (type(None), bool, int, float, str)


def pack(value):
    """Return plain data, arrays and tables as a NumPy archive without pickles."""
    arrays: list[np.ndarray] = []
    text = json.dumps(_packed(value, arrays))
    file = BytesIO()
    np.savez(file, np.frombuffer(text.encode(), dtype=np.uint8), *arrays)
    return file.getvalue()


def unpack(content):
    """Return what was packed; other content raises any error, but runs no code."""
    with np.load(BytesIO(content), allow_pickle=False) as archive:
        arrays = [archive[f"arr_{i}"] for i in range(len(archive.files))]
    return _unpacked(json.loads(arrays[0].tobytes()), arrays)


def digest(value):
    """Return a checksum that is equal for equal values, whatever their memory order."""
    arrays: list[np.ndarray] = []
    parts = sha256(json.dumps(_packed(value, arrays)).encode())
    for array in arrays:
        parts.update(f"{array.dtype.str} {array.shape}".encode())
        parts.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return parts.hexdigest()


def _packed(value, arrays):
    """Return what JSON can hold: plain values, lists, and {type: content}."""
    if type(value) in _PLAIN_TYPES:
        return value
    if type(value) is list:
        return [_packed(part, arrays) for part in value]
    kind = type(value)
    name = f"{kind.__module__.partition('.')[0]}.{kind.__qualname__}"
    if isinstance(value, np.generic):
        name = "numpy.generic"
    if name not in _KINDS:
        msg = f"holds a value of type {kind.__module__}.{kind.__qualname__}"
        raise TypeError(msg)
    return {name: _KINDS[name][0](value, arrays)}


def _unpacked(value, arrays):
    if isinstance(value, list):
        return [_unpacked(part, arrays) for part in value]
    if not isinstance(value, dict):
        return value
    [(name, content)] = value.items()
    return _KINDS[name][1](content, arrays)


def _pack_tuple(value, arrays):
    return [_packed(part, arrays) for part in value]


def _unpack_tuple(parts, arrays):
    return tuple(_unpacked(part, arrays) for part in parts)


def _pack_dict(value, arrays):
    return [_pack_tuple(pair, arrays) for pair in value.items()]


def _unpack_dict(pairs, arrays):
    return dict(_unpack_tuple(pair, arrays) for pair in pairs)


def _pack_array(value, arrays):
    if value.dtype.hasobject:
        return [list(value.shape), _pack_objects(value, arrays)]
    arrays.append(value)
    return len(arrays)


def _pack_objects(array, arrays):
    packed = []
    for i, value in enumerate(array.ravel().tolist()):
        try:
            packed.append(_packed(value, arrays))
        except TypeError as error:
            where = f"column {i % array.shape[1]} " if array.ndim == 2 else ""
            msg = f"{where}{error}"
            raise TypeError(msg) from error
    return packed


def _unpack_array(content, arrays):
    if isinstance(content, int):
        return arrays[content]
    shape, values = content
    array = np.empty(len(values), dtype=object)
    for i, value in enumerate(values):
        array[i] = _unpacked(value, arrays)
    return array.reshape(shape)


def _pack_scalar(value, _):
    return [value.dtype.str, value.tobytes().hex()]


def _unpack_scalar(content, _):
    dtype, data = content
    return np.frombuffer(bytes.fromhex(data), dtype=dtype)[0]


def _pack_sparse(X, arrays):
    parts = (X.data, X.indices, X.indptr)
    return [list(X.shape), *(_pack_array(part, arrays) for part in parts)]


def _unpack_sparse(kind):
    def unpack_sparse(content, arrays):
        shape, *parts = content
        return kind(tuple(arrays[i] for i in parts), shape=tuple(shape))

    return unpack_sparse


def _pack_moment(value, _):
    # Named by `zoneinfo`, or by pytz, as in old pandas.
    zone = getattr(value.tzinfo, "key", getattr(value.tzinfo, "zone", None))
    if zone is None and not isinstance(value.tzinfo, timezone | None):
        msg = f"holds a time in the zone {value.tzinfo!r}"
        raise TypeError(msg)
    return [value.isoformat(), zone]


def _unpack_moment(content, _):
    from zoneinfo import ZoneInfo  # which importing the package need not load

    text, zone = content
    moment = datetime.fromisoformat(text)
    return moment if zone is None else moment.astimezone(ZoneInfo(zone))


def _unpack_timestamp(content, _):
    import pandas as pd

    text, zone = content
    moment = pd.Timestamp(text)
    return moment if zone is None else moment.tz_convert(zone)


def _pack_frame(X, arrays):
    columns = []
    for j, name in enumerate(X.columns):
        try:
            columns.append(_pack_series(X.iloc[:, j], arrays))
        except TypeError as error:
            msg = f"column {name!r} {error}"
            raise TypeError(msg) from error
    return [_pack_index(X.index, arrays), _pack_index(X.columns, arrays), columns]


def _unpack_frame(content, arrays):
    import pandas as pd

    index, names, columns = content
    index = _unpack_index(index, arrays)
    series = {j: _unpack_series(column, arrays) for j, column in enumerate(columns)}
    X = pd.DataFrame(series, index=pd.RangeIndex(len(index)))
    X.index, X.columns = index, _unpack_index(names, arrays)
    return X


def _pack_index(index, arrays):
    import pandas as pd

    name = _packed(index.name, arrays)
    if isinstance(index, pd.RangeIndex):
        return [name, index.start, index.stop, index.step]
    if isinstance(index, pd.MultiIndex):
        msg = "holds an index of several levels"
        raise TypeError(msg)
    return [name, _pack_series(index.to_series(), arrays)]


def _unpack_index(content, arrays):
    import pandas as pd

    name, *parts = content
    name = _unpacked(name, arrays)
    if len(parts) > 1:
        return pd.RangeIndex(*parts, name=name)
    series = _unpack_series(parts[0], arrays)
    return pd.Index(series, dtype=series.dtype, name=name)


def _pack_series(series, arrays):
    import pandas as pd

    dtype = series.dtype
    if isinstance(dtype, np.dtype):
        return [None, _pack_array(series.to_numpy(), arrays)]
    if isinstance(dtype, pd.CategoricalDtype):
        categories = _pack_series(dtype.categories.to_series(), arrays)
        codes = _pack_array(series.cat.codes.to_numpy(), arrays)
        return ["category", codes, categories, bool(dtype.ordered)]
    for name in (str(dtype), repr(dtype)):
        if _names_dtype(name, dtype):
            break
    else:
        msg = f"is of type {dtype!r}"
        raise TypeError(msg)
    if isinstance(dtype, pd.DatetimeTZDtype):
        return [name, _pack_array(series.dt.tz_convert(None).to_numpy(), arrays)]
    return [name, _pack_array(series.to_numpy(dtype=object), arrays)]


def _names_dtype(name, dtype):
    import pandas as pd

    try:
        return pd.api.types.pandas_dtype(name) == dtype
    except (TypeError, NotImplementedError):
        return False


def _unpack_series(content, arrays):
    import pandas as pd

    name, values, *others = content
    values = _unpack_array(values, arrays)
    if name is None:
        return pd.Series(values, dtype=values.dtype)
    if others:
        categories = pd.Index(_unpack_series(others[0], arrays))
        kind = pd.CategoricalDtype(categories, ordered=others[1])
        return pd.Series(pd.Categorical.from_codes(values, dtype=kind))
    dtype = pd.api.types.pandas_dtype(name)
    if isinstance(dtype, pd.DatetimeTZDtype):
        return pd.Series(values).dt.tz_localize("UTC").astype(dtype)
    return pd.Series(pd.array(values, dtype=dtype))


def _pack_polars(X, arrays):
    for name, dtype in X.schema.items():
        if "Object" in str(dtype):
            msg = f"column {name!r} is of type {dtype}"
            raise TypeError(msg)
    file = BytesIO()
    X.rechunk().write_ipc(file)
    return _pack_array(np.frombuffer(file.getvalue(), dtype=np.uint8), arrays)


def _unpack_polars(content, arrays):
    import polars as pl

    return pl.read_ipc(BytesIO(arrays[content].tobytes()))


def _of_pandas(name):
    def unpack_constant(*_):
        import pandas as pd

        return getattr(pd, name)

    return unpack_constant


def _simple(write, read):
    return lambda value, _: write(value), lambda content, _: read(content)


# How values of a type are written, and read.
_KINDS = {
    "builtins.tuple": (_pack_tuple, _unpack_tuple),
    "builtins.dict": (_pack_dict, _unpack_dict),
    "builtins.bytes": _simple(bytes.hex, bytes.fromhex),
    "builtins.complex": _simple(lambda z: [z.real, z.imag], lambda z: complex(*z)),
    "datetime.date": _simple(date.isoformat, date.fromisoformat),
    "datetime.datetime": (_pack_moment, _unpack_moment),
    "datetime.time": _simple(time.isoformat, time.fromisoformat),
    "datetime.timedelta": _simple(
        lambda t: [t.days, t.seconds, t.microseconds], lambda t: timedelta(*t)
    ),
    "decimal.Decimal": _simple(str, Decimal),
    "uuid.UUID": _simple(str, UUID),
    "numpy.generic": (_pack_scalar, _unpack_scalar),
    "numpy.ndarray": (_pack_array, _unpack_array),
    "numpy.memmap": (_pack_array, _unpack_array),
    "scipy.csr_matrix": (_pack_sparse, _unpack_sparse(sp.csr_matrix)),
    "scipy.csr_array": (_pack_sparse, _unpack_sparse(sp.csr_array)),
    "pandas.DataFrame": (_pack_frame, _unpack_frame),
    "pandas.Timestamp": (_pack_moment, _unpack_timestamp),
    "pandas.NAType": (lambda *_: None, _of_pandas("NA")),
    "pandas.NaTType": (lambda *_: None, _of_pandas("NaT")),
    "polars.DataFrame": (_pack_polars, _unpack_polars),
}

"""Tables and plain values as bytes that hold data only: reading them runs no code."""

import json
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from hashlib import sha256
from io import BytesIO
from uuid import UUID

import numpy as np
import scipy.sparse as sp

_PLAIN = (type(None), bool, int, float, str)


def pack(value):
    """Return a value as bytes.

    Parameters
    ----------
    value : object
        A table, array, number, text, date or other plain value; lists, tuples and
        dictionaries of them.

    Returns
    -------
    bytes
        An archive of NumPy without pickles, whose first array is JSON.

    Raises
    ------
    TypeError
        If a part is something else; the column is named.

    Examples
    --------
    >>> from sklearn_w2s.sources._packing import pack, unpack
    >>> unpack(pack({"rows": (1.5, None)}))
    {'rows': (1.5, None)}
    """
    arrays: list[np.ndarray] = []
    text = json.dumps(_packed(value, arrays))
    file = BytesIO()
    np.savez(file, np.frombuffer(text.encode(), dtype=np.uint8), *arrays)
    return file.getvalue()


def unpack(content):
    """Return what was packed.

    Parameters
    ----------
    content : bytes
        As from `pack`; others raise errors of any kind, and run no code.

    Returns
    -------
    object
        The same value; subclasses of arrays come back as arrays.
    """
    with np.load(BytesIO(content), allow_pickle=False) as archive:
        arrays = [archive[f"arr_{i}"] for i in range(len(archive.files))]
    return _unpacked(json.loads(arrays[0].tobytes()), arrays)


def digest(value):
    """Return a checksum of what would be packed.

    Parameters
    ----------
    value : object
        As for `pack`.

    Returns
    -------
    str
        Equal for equal values, whatever the order of their memory.

    Raises
    ------
    TypeError
        If a part cannot be packed.
    """
    arrays: list[np.ndarray] = []
    parts = sha256(json.dumps(_packed(value, arrays)).encode())
    for array in arrays:
        parts.update(f"{array.dtype.str} {array.shape}".encode())
        parts.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return parts.hexdigest()


def _packed(value, arrays):
    """Return what JSON takes: plain values, lists, and {type: content} for the rest."""
    if type(value) in _PLAIN:
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

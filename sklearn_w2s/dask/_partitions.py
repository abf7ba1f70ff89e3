"""Partitions of a Dask collection as sources."""

from typing import Any

from sklearn_w2s.dask._blocks import aligned, as_rows


def partition_sources(X: Any, y: Any = None, *, names: Any = None) -> dict[str, Any]:
    """Return the partitions of a collection as sources to draw from.

    Nothing is computed here. A partition is computed when a row of it is drawn for the
    first time, one at a time.

    Parameters
    ----------
    X : {dask data frame, dask array} of shape (n, n_features)
        Rows.
    y : {dask series, dask array} of shape (n,), default=None
        Labels, with the partitions of X.
    names : list of str, default=None
        Name of the source of each partition; partitions of one name are one source,
        read in their order. None makes each partition a source of its own, named by
        its number.

    Returns
    -------
    dict of str to list
        Sources for :meth:`~sklearn_w2s.UCBSourceSelector.fit_sources`.

    Raises
    ------
    TypeError
        If X or y is no collection of Dask.
    ValueError
        If y has other partitions than X, or `names` is not one per partition.

    See Also
    --------
    sklearn_w2s.UCBSourceSelector : Draws from the source with the highest density.

    Examples
    --------
    >>> import dask.array as da
    >>> from sklearn_w2s.dask import partition_sources
    >>> X = da.ones((90, 2), chunks=(30, 2))
    >>> sources = partition_sources(X, names=["web", "shop", "web"])
    >>> {name: len(partitions) for name, partitions in sources.items()}
    {'web': 2, 'shop': 1}
    """
    X = as_rows(X)
    parts = _parts(X)
    if y is not None:
        parts = list(zip(parts, _parts(aligned("y", y, X)), strict=True))
    names = range(len(parts)) if names is None else list(names)
    if len(names) != len(parts):
        msg = (
            f"names has {len(names)} names for {len(parts)} partitions of X; give one "
            "per partition."
        )
        raise ValueError(msg)
    sources: dict[str, list[Any]] = {}
    for name, part in zip(names, parts, strict=True):
        sources.setdefault(str(name), []).append(part)
    return sources


def _parts(column):
    return [column.partitions[i] for i in range(column.npartitions)]

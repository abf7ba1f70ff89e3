"""Neighbour searches that the user passes, such as KNeighborsTransformer."""

import scipy.sparse as sp
from sklearn import config_context


def require_distances(transformer, *, name):
    """Refuse a transformer with mode="connectivity", which returns no distances."""
    parameters = transformer.get_params().items()
    if "connectivity" in [v for k, v in parameters if k.split("__")[-1] == "mode"]:
        msg = (
            f"{name}={transformer!r} says which rows are neighbours, but not how near "
            'they are. Pass mode="distance".'
        )
        raise ValueError(msg)


def require_enough(transformer, n_rows, *, name, rows="rows", fix="Lower n_neighbors."):
    """Refuse a transformer that searches more neighbours than there are."""
    n_neighbors = transformer.get_params().get("n_neighbors")
    # By convention, transformers return one neighbour more than `n_neighbors`.
    if n_neighbors is not None and n_rows <= n_neighbors:
        msg = (
            f"{name}={transformer!r} needs more than n_neighbors={n_neighbors} {rows} "
            f"to search, but there are {n_rows}. {fix}"
        )
        raise ValueError(msg)


def distances_to(transformer, method, rows, n_indexed, *, name, columns="indexed row"):
    """Return the CSR matrix of distances (n, n_indexed) that a transformer finds.

    Entries that are not stored are unknown, whereas a stored zero is a distance.
    """
    # A sparse graph does not fit into a data frame.
    with config_context(transform_output="default"):
        graph = getattr(transformer, method)(rows)
    if not sp.issparse(graph) or graph.shape != (rows.shape[0], n_indexed):
        shape = getattr(graph, "shape", None)
        msg = (
            f"{name}={transformer!r} returned {type(graph).__name__} of shape {shape}; "
            "it must return a sparse matrix of distances of shape "
            f"({rows.shape[0]}, {n_indexed}), one column per {columns}. Pass a "
            "neighbours transformer such as KNeighborsTransformer."
        )
        raise ValueError(msg)
    return graph.tocsr()

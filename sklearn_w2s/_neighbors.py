"""Neighbour searches that the user passes, such as KNeighborsTransformer."""

import scipy.sparse as sp
from sklearn import config_context


def require_distances(transformer, *, name):
    """Refuse a transformer that says which rows are neighbours, but not how near.

    Raises
    ------
    ValueError
        If it has a parameter `mode` that is "connectivity".
    """
    parameters = transformer.get_params().items()
    if "connectivity" in [v for k, v in parameters if k.split("__")[-1] == "mode"]:
        msg = (
            f"{name}={transformer!r} says which rows are neighbours, but not how near "
            'they are. Pass mode="distance".'
        )
        raise ValueError(msg)


def require_enough(transformer, n_rows, *, name, rows="rows", fix="Lower n_neighbors."):
    """Refuse a transformer that asks for more neighbours than there are.

    Raises
    ------
    ValueError
        If its `n_neighbors` are not fewer than the rows: by convention, transformers
        return one neighbour more than they are asked for.
    """
    n_neighbors = transformer.get_params().get("n_neighbors")
    if n_neighbors is not None and n_rows <= n_neighbors:
        msg = (
            f"{name}={transformer!r} needs more than n_neighbors={n_neighbors} {rows} "
            f"to search, but there are {n_rows}. {fix}"
        )
        raise ValueError(msg)


def distances_to(transformer, method, rows, n_indexed, *, name, columns="indexed row"):
    """Return the distances of rows to the neighbours that a transformer finds.

    Parameters
    ----------
    transformer : transformer instance
        Fitted on `n_indexed` rows, or about to be.
    method : {"transform", "fit_transform"}
        What is called.
    rows : {ndarray, sparse matrix} of shape (n, n_features)
        Rows.
    n_indexed : int
        Number of rows that are searched.
    name : str
        Parameter that the transformer was given as, for messages.
    columns : str, default="indexed row"
        What a column stands for, for messages.

    Returns
    -------
    csr matrix or array of shape (n, n_indexed)
        Distances; what is not stored is unknown, and a stored zero is a distance.

    Raises
    ------
    ValueError
        If the transformer returns something else.
    """
    # A sparse graph fits no data frame.
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

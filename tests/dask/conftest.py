"""Rows in memory, and the same as collections."""

import dask
import dask.array as da
import dask.dataframe as dd
import distributed
import numpy as np
import pandas as pd
import pytest

from sklearn_w2s.datasets import make_overlap_classification


@pytest.fixture(autouse=True)
def one_process():
    """Compute where the test runs, unless it has a cluster."""
    with dask.config.set(scheduler="synchronous"):
        yield


@pytest.fixture(scope="session")
def problem():
    """600 rows, of which every fourth is labeled."""
    X, y, _ = make_overlap_classification(
        600, n_easy_features=4, n_hard_features=5, noise=0.8, random_state=0
    )
    return X, np.where(np.arange(600) % 4 == 0, y, -1), y


@pytest.fixture(scope="session")
def long_problem():
    """10,000 rows, of which some of the first are labeled."""
    X, y, _ = make_overlap_classification(10_000, noise=1.0, random_state=0)
    return X, np.where(np.arange(10_000) < 500, y, -1)


def as_array(X, y, *others, chunk=130):
    """Return arrays of blocks of unequal length."""
    X = da.from_array(X, chunks=(chunk, 5))
    return X, *(da.from_array(column, chunks=chunk) for column in (y, *others))


def as_frame(X, y, *others, chunk=130):
    """Return a data frame and series with partitions of unequal length."""
    names = [f"c{i}" for i in range(X.shape[1])]
    frame = pd.DataFrame(X, columns=names)
    for i, column in enumerate((y, *others)):
        frame[f"extra{i}"] = column
    frame.index = frame.index[::-1] * 2
    cuts = range(0, len(X), chunk)
    parts = [frame.iloc[cut : cut + chunk] for cut in cuts]
    frame = dd.from_map(lambda part: part, parts, meta=frame.iloc[:0])
    return frame[names], *(frame[f"extra{i}"] for i in range(1 + len(others)))


@pytest.fixture(params=[as_array, as_frame], ids=["array", "frame"])
def collect(request):
    """Return the function that makes collections."""
    return request.param


@pytest.fixture(scope="module")
def client():
    """Return a client of two workers that are processes."""
    # A cluster gives up a worker that is not there so long after it was lost, also if
    # it came back meanwhile and was lost once more.
    patient = dask.config.set({"distributed.deploy.lost-worker-timeout": "1h"})
    with (
        patient,
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            memory_limit="1GiB",
            dashboard_address=":0",
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.fixture
def on_cluster(client):
    """Compute on the cluster."""
    # By name: the configuration is sent to workers that are started again.
    with dask.config.set(scheduler="distributed"):
        yield client

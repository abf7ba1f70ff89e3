"""Time blockwise similarity against the bare product and against exact searches."""

import os
import platform
from functools import partial
from operator import truediv
from statistics import median

import faiss
import numpy as np
import sklearn
from sklearn.metrics import pairwise_distances_argmin_min
from threadpoolctl import threadpool_limits

import sklearn_w2s
import sklearn_w2s._algorithms.similarity as similarity
from benchmarks.tables._results import RESULTS, peak_mib, seconds, write

REPETITIONS = 5
N_ROWS, N_REFERENCES, N_COLUMNS = 20_000, 5_000, 128
MANY_ROWS = 100_000
WORKING_BYTES = 2**30  # scikit-learn's default working_memory
RESULT = RESULTS / "similarity.csv"


def product_in_blocks(rows, references):
    """Compute the similarities in the blocks of this package and forget them."""
    for _ in similarity._similarities(rows, references, WORKING_BYTES, unit=False):
        pass


def whole_matrix(rows, references):
    """Reduce the matrix of all similarities at once."""
    return np.abs(rows @ references.T).max(axis=1)


def nearest(rows, references):
    """Return the largest inner product of unit vectors by the smallest distance."""
    _, distances = pairwise_distances_argmin_min(rows, references)
    return 1 - distances**2 / 2


def faiss_search(rows, references, *, absolute):
    """Return the largest inner product; of either sign takes a second search."""
    index = faiss.IndexFlatIP(references.shape[1])
    index.add(references)
    largest = index.search(rows, 1)[0][:, 0]
    if absolute:
        largest = np.maximum(largest, index.search(-rows, 1)[0][:, 0])
    return largest


def largest(rows, references, *, absolute=True):
    """Score as "max_abs_cosine" and "max_dot" do."""
    return similarity.largest_similarity(
        rows, references, WORKING_BYTES, absolute=absolute
    )


def mean(rows, references):
    """Score as "mean_abs_cosine" does."""
    weights = np.ones(len(references))
    return similarity.mean_similarity(rows, references, weights, WORKING_BYTES)


def contestants(dtype):
    """Return calls by measure, the own first, then peers that compute the same."""
    either_sign = {
        "sklearn_w2s": largest,
        "product in the same blocks": product_in_blocks,
        "abs(A @ B.T).max(1)": whole_matrix,
    }
    signed = {
        "sklearn_w2s": partial(largest, absolute=False),
        "product in the same blocks": product_in_blocks,
        "pairwise_distances_argmin_min": nearest,
    }
    if dtype == np.float32:  # the only precision of faiss
        either_sign["faiss.IndexFlatIP, two searches"] = partial(
            faiss_search, absolute=True
        )
        signed["faiss.IndexFlatIP"] = partial(faiss_search, absolute=False)
    average = {"sklearn_w2s": mean, "product in the same blocks": product_in_blocks}
    return {
        "largest absolute": either_sign,
        "largest": signed,
        "mean absolute": average,
    }


def unit_vectors(seed, n, dtype):
    """Draw directions evenly."""
    rows = np.random.default_rng(seed).normal(size=(n, N_COLUMNS))
    return similarity.unit_rows(rows).astype(dtype)


def compare(calls, rows, references):
    """Return seconds by name; all run in turn and in alternating order."""
    times = {name: [] for name in calls}
    for repetition in range(REPETITIONS + 1):
        for name in list(calls)[:: 1 if repetition % 2 else -1]:
            times[name].append(seconds(calls[name], rows, references))
    # The first round meets cold memory and is left out.
    return {name: values[1:] for name, values in times.items()}


def largest_difference(call, own, arrays):
    """Return by how much the scores of a peer differ; the product has none."""
    if call is product_in_blocks:
        return ""
    return f"{np.abs(call(*arrays) - own(*arrays)).max():.1e}"


def table(dtype, n_threads):
    """Yield the rows of the table for a precision and a number of threads."""
    arrays = unit_vectors(0, N_ROWS, dtype), unit_vectors(1, N_REFERENCES, dtype)
    many = unit_vectors(2, MANY_ROWS, dtype)
    for measure, calls in contestants(dtype).items():
        times = compare(calls, *arrays)
        own = times["sklearn_w2s"]
        for name, call in calls.items():
            is_own = name == "sklearn_w2s"
            yield {
                "measure": measure,
                "dtype": np.dtype(dtype).name,
                "n_threads": n_threads,
                "call": name,
                "median_seconds": f"{median(times[name]):.4f}",
                "own_seconds_per_second": f"{ratio(own, times[name]):.3f}",
                "own_times_faster": f"{ratio(times[name], own):.3f}",
                "largest_difference": largest_difference(
                    call, calls["sklearn_w2s"], arrays
                ),
                "numpy_peak_mib": f"{peak_mib(call, *arrays):.1f}",
                "numpy_peak_mib_100000_rows": (
                    f"{peak_mib(call, many, arrays[1]):.1f}" if is_own else ""
                ),
            }


def ratio(ours, theirs):
    """Return the median ratio of calls that ran next to one another."""
    return median(map(truediv, ours, theirs))


def main():
    """Write the table."""
    shared = {
        "n_rows": N_ROWS,
        "n_references": N_REFERENCES,
        "n_columns": N_COLUMNS,
        "n_repetitions": REPETITIONS,
        "sklearn_w2s_version": sklearn_w2s.__version__,
        "numpy_version": np.__version__,
        "sklearn_version": sklearn.__version__,
        "faiss_version": faiss.__version__,
        "python_version": platform.python_version(),
    }
    rows = []
    for n_threads in sorted({1, os.cpu_count() or 1}):
        faiss.omp_set_num_threads(n_threads)
        with threadpool_limits(n_threads):
            for dtype in (np.float32, np.float64):
                rows += [row | shared for row in table(dtype, n_threads)]
    write(RESULT, rows)
    for row in rows:
        print(
            f"{row['median_seconds']} s  own/it {row['own_seconds_per_second']}"
            f"  {row['numpy_peak_mib']} MiB  {row['measure']}  {row['dtype']}"
            f"  {row['n_threads']} threads  {row['call']}"
            f"  differs {row['largest_difference']}"
        )


if __name__ == "__main__":
    main()

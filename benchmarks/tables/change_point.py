"""Time the change point against ruptures and against sorting alone, on one thread."""

import platform
from importlib.metadata import version
from operator import truediv
from statistics import median

import numpy as np
from threadpoolctl import threadpool_limits

import sklearn_w2s
from benchmarks.tables._results import RESULTS, peak_mib, seconds, write
from sklearn_w2s._algorithms.thresholds import change_point

REPETITIONS = 15
RUPTURES_REPETITIONS = 3
RESULT = RESULTS / "change_point.csv"


def binary_segmentation(values):
    """Return the threshold that ruptures finds where it looks at every score."""
    import ruptures

    ordered = np.sort(values)
    search = ruptures.Binseg(model="l2", jump=1).fit(ordered)
    n_below, _ = search.predict(n_bkps=1)
    return (ordered[n_below - 1] + ordered[n_below]) / 2


def cases():
    """Yield number and kind of scores, weights, name and call of the peer, runs."""
    rng = np.random.default_rng(0)
    few, many = rng.random(20_000), rng.random(1_000_000)
    name = 'ruptures.Binseg(model="l2", jump=1)'
    yield few, "random", None, name, binary_segmentation, RUPTURES_REPETITIONS
    yield many, "random", None, "numpy.sort", np.sort, REPETITIONS
    tied = many.round(3)
    yield tied, "three digits", None, "numpy.sort", np.sort, REPETITIONS
    single = many.astype(np.float32)
    yield single, "float32", None, "numpy.sort", np.sort, REPETITIONS
    weights = rng.random(many.size)
    yield many, "random", weights, "numpy.argsort", np.argsort, REPETITIONS


def compare(values, kind, weights, peer_name, peer, repetitions):
    """Return a row of the table; the two run in turn and in alternating order."""
    calls = {"own": (change_point, values, weights), "peer": (peer, values)}
    times = {name: [] for name in calls}
    for repetition in range(repetitions + 1):
        for name in list(calls)[:: 1 if repetition % 2 else -1]:
            times[name].append(seconds(*calls[name]))
    # The first pair meets cold memory and is left out.
    own, other = times["own"][1:], times["peer"][1:]
    same = ""
    if peer is binary_segmentation:
        same = bool(change_point(values, weights) == peer(values))
    return {
        "n_scores": values.size,
        "scores": kind,
        "weights": "none" if weights is None else "random",
        "peer": peer_name,
        "median_seconds": f"{median(own):.6f}",
        "peer_median_seconds": f"{median(other):.6f}",
        "seconds_per_peer_second": f"{median(map(truediv, own, other)):.5f}",
        "times_faster": f"{median(map(truediv, other, own)):.2f}",
        "same_threshold": same,
        "peak_mib": f"{peak_mib(*calls['own']):.1f}",
        "n_repetitions": repetitions,
        "n_threads": 1,
        "sklearn_w2s_version": sklearn_w2s.__version__,
        "numpy_version": np.__version__,
        "ruptures_version": version("ruptures"),
        "python_version": platform.python_version(),
    }


def main():
    """Write the table."""
    with threadpool_limits(1):
        rows = [compare(*case) for case in cases()]
    write(RESULT, rows)
    for row in rows:
        print(
            f"{row['median_seconds']} s  {row['seconds_per_peer_second']} of"
            f" {row['peer']}, {row['n_scores']} scores ({row['scores']}, weights"
            f" {row['weights']}), {row['peak_mib']} MiB, same: {row['same_threshold']}"
        )


if __name__ == "__main__":
    main()

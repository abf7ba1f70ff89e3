"""Errors in what live sources, pull and update are given."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

TABLE = np.eye(40, 2)
ONE_TABLE = {"a": TABLE}


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda s: s.fit_sources([TABLE]),
            TypeError,
            "list object is no mapping",
        ),
        (lambda s: s.fit_sources({"a": 3}), TypeError, "source 'a' is a int"),
        (lambda s: s.fit_sources({}), ValueError, r"sources=\[\] gave no rows"),
        (
            lambda s: s.fit_sources({"a": iter(())}),
            ValueError,
            r"sources=\['a'\] gave no rows",
        ),
        (
            lambda s: s.fit_sources(ONE_TABLE, None, [0, 1]),
            ValueError,
            "y holds labels of X, but X is None",
        ),
        (
            lambda s: s.fit_sources(ONE_TABLE, TABLE, [0, 1]),
            ValueError,
            "inconsistent numbers of samples",
        ),
        (lambda s: s.pull(), ValueError, r"sources=None is no list of names"),
        (lambda s: s.pull([]), ValueError, r"sources=\[\] is no list of names"),
        (lambda s: s.pull("web"), ValueError, "sources='web' is no list of names"),
        (lambda s: s.update("a"), ValueError, r"update\('a'\) takes X, or n_drawn"),
        (
            lambda s: s.update("a", n_drawn=3),
            ValueError,
            r"update\('a'\) takes X, or n_drawn",
        ),
        (
            lambda s: s.update("a", TABLE, error="late"),
            ValueError,
            "one of the three",
        ),
        (
            lambda s: s.update("a", n_drawn=3, n_overlap=4),
            ValueError,
            "n_overlap=4 of n_drawn=3 rows is impossible",
        ),
        (
            lambda s: s.update("a", n_drawn=0, n_overlap=0),
            ValueError,
            "n_overlap=0 of n_drawn=0 rows is impossible",
        ),
        (
            lambda s: s.update("a", TABLE),
            ValueError,
            "overlap_detector=KnownRegions.* is to be fitted",
        ),
        (lambda s: s.drawn_samples(), NotFittedError, "call fit_sources first"),
        (
            lambda s: s.update("a", n_drawn=1, n_overlap=0).drawn_samples(),
            NotFittedError,
            "call fit_sources first",
        ),
        (
            lambda s: s.fit(TABLE).drawn_samples(),
            ValueError,
            r"X\[drawn_indices_\]",
        ),
        (
            lambda s: s.set_params(detection="history").pull(["a"]),
            ValueError,
            "detection='history' fits the detector",
        ),
        (
            lambda s: s.set_params(policy="paper").fit_sources(ONE_TABLE),
            ValueError,
            "policy='paper' needs the number of rounds",
        ),
        (
            lambda s: s.set_params(policy="paper").pull(["a"]),
            ValueError,
            "policy='paper' needs the number of rounds",
        ),
        (
            lambda s: s.set_params(costs={"b": 1}).fit_sources(ONE_TABLE),
            ValueError,
            "costs has no entry for source 'a'",
        ),
        (
            lambda s: s.set_params(timeout=0).fit_sources(ONE_TABLE),
            ValueError,
            "'timeout' parameter",
        ),
        (
            lambda s: s.fit(TABLE).set_params(warm_start=True).fit_sources(ONE_TABLE),
            ValueError,
            "warm_start=True goes on with a run of fit_sources",
        ),
    ],
)
def test_one_clear_error_for_what_does_not_fit(known_selector, call, error, message):
    with pytest.raises(error, match=message):
        call(known_selector())

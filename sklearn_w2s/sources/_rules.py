"""What a run depends on from its first round, as texts that can be compared."""

from functools import partial
from hashlib import sha256
from types import CodeType
from typing import Any

import numpy as np

from sklearn_w2s._validation import n_rows
from sklearn_w2s.sources._packing import digest
from sklearn_w2s.sources._setup import make_detector

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


def rules_of(selector, X, y):
    """Return what rounds to come must have in common with those before.

    Parameters
    ----------
    selector : UCBSourceSelector
        Its parameters are read.
    X : {array-like, sparse matrix, data frame} of shape (n, n_features) or None
        Rows at hand.
    y : ndarray of shape (n,) or None
        Their labels.

    Returns
    -------
    dict of str to str
        By name, a value or the checksum of one.
    """
    rules = {name: _described(getattr(selector, name)) for name in _PLAIN}
    others = {
        "reward": selector.reward,
        "overlap_detector": make_detector(selector),
        "X": X,
        "y": y,
    }
    for name, value in others.items():
        text = _described(value)
        rules[name] = _HASHED + sha256(text.encode()).hexdigest()
    return rules


def require_same_rules(rules, former, where):
    """Refuse a run that would go on by other rules.

    Parameters
    ----------
    rules, former : dict of str to str
        As from `rules_of`.
    where : str
        What holds the run before.

    Raises
    ------
    ValueError
        If they differ; the first is named.
    """
    for name, value in rules.items():
        if value == former[name]:
            continue
        is_hashed = value.startswith(_HASHED)
        what = f"another {name}" if is_hashed else f"{name}={former[name]}, not {value}"
        msg = (
            f"{where} holds a run with {what}. Use the same to go on with it, or begin "
            "anew, with another checkpoint or warm_start=False."
        )
        raise ValueError(msg)


def _described(value, seen=()):
    """Return a text that differs where values do, the same in every process."""
    if isinstance(value, np.random.RandomState | np.random.Generator):
        return type(value).__name__  # Its state goes on with every use.
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

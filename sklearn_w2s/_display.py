"""What estimators show: diagrams of their parts, and the progress of their fits."""

import sys
import time
from contextlib import contextmanager, nullcontext
from functools import cache
from inspect import isclass, signature
from math import isnan

from sklearn.base import BaseEstimator

from sklearn_w2s._delegation import take_labeled
from sklearn_w2s._sklearn import CallbackSupportMixin, message_with_time, visual_block
from sklearn_w2s._weak import is_fitted

# Longest names shown, in characters.
_LONGEST = 40
# The estimators that are compared: names for tables and figures, and for sentences.
SHORT_NAMES = {
    "weak": "weak",
    "strong_on_labels": "strong on labels",
    "weak_to_strong": "weak-to-strong",
    "ceiling": "ceiling",
}
FULL_NAMES = {
    "weak": "the weak estimator",
    "weak_to_strong": "weak-to-strong",
    "strong_on_labels": "the strong estimator trained on the labels alone",
}


class DiagramMixin(BaseEstimator):
    """Show the estimators in use, and the line of `_findings` once fitted."""

    # From 1.9 on, scikit-learn lists fitted attributes, but folded away, abridged, and
    # not for an estimator that is part of another.
    def _sk_visual_block_(self):
        parts = {name: _part(self, name) for name in signature(type(self)).parameters}
        parts = {
            f"{name}: {type(part).__name__}": part
            for name, part in parts.items()
            if _is_estimator(part)
        }
        blocks = []
        if is_fitted(self):
            blocks.append(visual_block("single", None, names=self._findings()))
        if parts:
            used = visual_block(
                "parallel",
                list(parts.values()),
                names=list(parts),
                name_details=[str(part) for part in parts.values()],
                dash_wrapped=False,
            )
            blocks.append(used)
        if blocks:
            return visual_block("serial", blocks)
        details = {"names": type(self).__name__, "name_details": str(self)}
        return visual_block("single", self, **details)


def ranked(names, sources, densities, n_shown=3):
    """Return a line with the best sources of known overlap density."""
    density = dict(zip(sources.tolist(), densities.tolist(), strict=True))
    known = [name for name in names.tolist() if not isnan(density[name])]
    if not known:
        return "no overlap density known yet"
    shown = [f"{name_of(name)} ({density[name]:.2f})" for name in known[:n_shown]]
    n_more = len(known) - len(shown)
    more = f" and {n_more} more" if n_more else ""
    return f"best sources by overlap density: {', '.join(shown)}{more}"


def visible(text):
    """Return a text with invisible characters escaped, as in its `repr`."""
    # Names may come from files of strangers: escape sequences would control a terminal,
    # and direction marks would show another text.
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode() for c in text
    )


def name_of(value):
    """Return a short name of a source or of a function."""
    name = visible(str(getattr(value, "__name__", value)))
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


def _part(estimator, name):
    """Return the fitted part, the parameter where there is none, or None."""
    given = getattr(estimator, name)
    fitted = getattr(estimator, f"{name}_", given)
    # An attribute may also be the number that a part has found.
    return fitted if fitted is None or _is_estimator(fitted) else given


def _is_estimator(value):
    return hasattr(value, "get_params") and hasattr(value, "fit") and not isclass(value)


class Silence:
    """Context of tasks where scikit-learn has no callbacks."""

    def subcontext(self, **_):
        return self

    call_on_fit_task_begin = call_on_fit_task_end = subcontext

    def propagate_callback_context(self, _):
        return nullcontext()


class ProgressMixin(CallbackSupportMixin):
    """Report the tasks of `fit` to callbacks, which cannot change its results."""

    def _begin_tasks(self, n_tasks):
        """Report the beginning of `fit` and return the context of its tasks."""
        context = self._init_callback_context(max_subtasks=n_tasks) or Silence()
        context.call_on_fit_task_begin(estimator=self)
        return context

    @contextmanager
    def _task(self, context, name, *, part=None, n_tasks=0):
        """Report a task when it begins, and when it ends unless it fails.

        `part` is the estimator that it fits; None for `n_tasks` is an unknown number.
        """
        task = context.subcontext(task_name=name, max_subtasks=n_tasks)
        reports = isinstance(part, CallbackSupportMixin)
        with task.propagate_callback_context(part) if reports else nullcontext():
            task.call_on_fit_task_begin(estimator=self)
            yield task
            task.call_on_fit_task_end(estimator=self)

    def _end_tasks(self, context, X, y, sample_weight=None):
        """Report the end of `fit`, with the labeled rows, which can be scored."""

        # Rows are taken when a callback asks for them, and once.
        @cache
        def labeled():
            found = None if y is None else take_labeled(self, X, y)
            return found if found is not None and len(found[2]) else (None, None, None)

        def metadata():
            if sample_weight is None or labeled()[2] is None:
                return None
            return {"sample_weight": sample_weight[labeled()[2]]}

        context.call_on_fit_task_end(
            estimator=self,
            X=lambda: labeled()[0],
            y=lambda: labeled()[1],
            metadata=metadata,
            # Without it there is nothing to score.
            reconstruction_attributes=lambda: None if labeled()[0] is None else {},
        )


class Steps:
    """Write one line after each step of a fit if the estimator is verbose.

    `costs` holds steps in order, and about how long each takes beside the others; the
    line of a step that it does not hold has no number.
    """

    def __init__(self, owner, costs):
        self._owner = owner
        self._costs = costs
        self._start = time.perf_counter()

    @contextmanager
    def step(self, name):
        """Time a step, and write its line unless it fails."""
        start = time.perf_counter()
        yield
        if not self._owner.verbose:
            return
        now, message, left = time.perf_counter(), name, 0
        if name in self._costs:
            number, costs = list(self._costs).index(name) + 1, [*self._costs.values()]
            message = f"(step {number} of {len(costs)}) {name}"
            left = (now - self._start) / sum(costs[:number]) * sum(costs[number:])
        line = message_with_time(type(self._owner).__name__, message, now - start)
        sys.stdout.write(f"{line}, about {left:.0f} s left\n" if left else f"{line}\n")
        sys.stdout.flush()


def countdown(n_folds):
    """Return a function that writes to stderr how many folds are done, and the time."""
    start = time.perf_counter()

    def report(folds):
        n_done, n_left = len(folds), n_folds - len(folds)
        took = time.perf_counter() - start
        left = f", about {took / n_done * n_left:.0f} s left" if n_left else ""
        sys.stderr.write(f"{n_done} of {n_folds} folds done in {took:.0f} s{left}\n")

    return report

"""Tasks of a fit: callbacks of scikit-learn, and lines about its progress."""

import sys
import time
from contextlib import contextmanager, nullcontext
from functools import cache

from sklearn_w2s._delegation import take_labeled
from sklearn_w2s._sklearn import CallbackSupportMixin, message_with_time


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
        is_telling = isinstance(part, CallbackSupportMixin)
        with task.propagate_callback_context(part) if is_telling else nullcontext():
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

    `costs` holds all steps in order, and about how long each takes beside the others.
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
        now, number = time.perf_counter(), list(self._costs).index(name) + 1
        costs = list(self._costs.values())
        message = f"(step {number} of {len(costs)}) {name}"
        line = message_with_time(type(self._owner).__name__, message, now - start)
        left = (now - self._start) / sum(costs[:number]) * sum(costs[number:])
        sys.stdout.write(f"{line}, about {left:.0f} s left\n" if left else f"{line}\n")
        sys.stdout.flush()


class Countdown:
    """Write the remaining time to stderr after each of several similar folds."""

    def __init__(self, n_folds):
        self._n_folds = n_folds
        self._start = time.perf_counter()

    def tell(self, folds):
        """Write how many folds are done, what they took, and what is left."""
        n_done, n_left = len(folds), self._n_folds - len(folds)
        took = time.perf_counter() - self._start
        left = f", about {took / n_done * n_left:.0f} s left" if n_left else ""
        sys.stderr.write(
            f"{n_done} of {self._n_folds} folds done in {took:.0f} s{left}\n"
        )


class Rounds:
    """Report rounds to callbacks, given their count and whether another follows."""

    def __init__(self, estimator, context, count, goes_on):
        self._estimator = estimator
        self._context = context
        self._count = count
        self._goes_on = goes_on
        self._n_told = count()
        self._round = None

    def tell(self):
        """Report the end of the last round and the beginning of the next, if any."""
        if self._round is not None and self._count() > self._n_told:
            self._round.call_on_fit_task_end(estimator=self._estimator)
            self._round = None
        self._n_told = self._count()
        if self._round is None and self._goes_on():
            self._round = self._context.subcontext(task_name="round")
            self._round.call_on_fit_task_begin(estimator=self._estimator)

"""Fits as trees of tasks, of which the callbacks of scikit-learn are told."""

import sys
import time
from contextlib import contextmanager, nullcontext
from functools import cache

from sklearn_w2s._delegation import take_labeled
from sklearn_w2s._sklearn import CallbackSupportMixin, message_with_time


class Silence:
    """Context of tasks where scikit-learn has no callbacks."""

    def subcontext(self, **_):
        """Return a context as silent as this one."""
        return self

    call_on_fit_task_begin = call_on_fit_task_end = subcontext

    def propagate_callback_context(self, _):
        """Return a context manager that does nothing."""
        return nullcontext()


class ProgressMixin(CallbackSupportMixin):
    """Tell the callbacks of an estimator of the tasks of its `fit`.

    They are told and not asked: what `fit` comes to does not depend on them. The
    decorator `fit_context` ends their run, after an error as well.
    """

    def _begin_tasks(self, n_tasks):
        """Tell of the beginning of `fit`.

        Parameters
        ----------
        n_tasks : int
            Tasks to come.

        Returns
        -------
        CallbackContext or Silence
            Context of these tasks.
        """
        context = self._init_callback_context(max_subtasks=n_tasks) or Silence()
        context.call_on_fit_task_begin(estimator=self)
        return context

    @contextmanager
    def _task(self, context, name, *, part=None, n_tasks=0):
        """Tell of a task when it begins, and again unless it fails.

        Parameters
        ----------
        context : CallbackContext
            Context of the task that it is part of.
        name : str
            Name of the task.
        part : estimator instance, default=None
            The estimator whose `fit` the task is; it tells of tasks of its own if it
            can.
        n_tasks : int or None, default=0
            Tasks that this one consists of, at most; None if that is unknown.

        Yields
        ------
        CallbackContext
            Context of the task.
        """
        task = context.subcontext(task_name=name, max_subtasks=n_tasks)
        is_telling = isinstance(part, CallbackSupportMixin)
        with task.propagate_callback_context(part) if is_telling else nullcontext():
            task.call_on_fit_task_begin(estimator=self)
            yield task
            task.call_on_fit_task_end(estimator=self)

    def _end_tasks(self, context, X, y, sample_weight=None):
        """Tell of the end of `fit`, with the labeled rows, which can be scored.

        Parameters
        ----------
        context : CallbackContext
            What `_begin_tasks` returned.
        X : {ndarray, sparse matrix, data frame} of shape (n, n_features)
            Rows of the fit.
        y : array-like of shape (n,) or None
            Their labels.
        sample_weight : ndarray of shape (n,), default=None
            Their weights.
        """

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
    """Lines on stdout, as those of pipelines, one after each step of a fit.

    Parameters
    ----------
    owner : estimator instance
        Its `verbose` says whether anything is written.
    costs : dict of str to float
        What each step does, in order, and about how long it takes beside the others.
        A step that does not take place is passed over.
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
    """Time that is left, told on stderr, of folds that take about as long each.

    Parameters
    ----------
    n_folds : int
        Folds to come.
    """

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
    """Rounds of a task, told one by one.

    Parameters
    ----------
    estimator : estimator instance
        Its callbacks are told.
    context : CallbackContext
        Context of the task.
    count : callable
        Returns the number of rounds that are over.
    goes_on : callable
        Says whether there is another.
    """

    def __init__(self, estimator, context, count, goes_on):
        self._estimator = estimator
        self._context = context
        self._count = count
        self._goes_on = goes_on
        self._n_told = count()
        self._round = None

    def tell(self):
        """Tell of the round that is over, if any, and of the next, if any."""
        if self._round is not None and self._count() > self._n_told:
            self._round.call_on_fit_task_end(estimator=self._estimator)
            self._round = None
        self._n_told = self._count()
        if self._round is None and self._goes_on():
            self._round = self._context.subcontext(task_name="round")
            self._round.call_on_fit_task_begin(estimator=self._estimator)

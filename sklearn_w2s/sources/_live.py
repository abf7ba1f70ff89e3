"""Sources that are read while the run goes on, or by somebody else."""

from collections.abc import Mapping
from contextlib import contextmanager
from functools import partial
from numbers import Integral, Real
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.utils import check_random_state, column_or_1d, get_tags

from sklearn_w2s._fitting import adapt, forget_fit
from sklearn_w2s._progress import ProgressMixin, Rounds
from sklearn_w2s._representation import ranked
from sklearn_w2s._sklearn import fit_context, seed_nested
from sklearn_w2s._validation import (
    check_features,
    is_class,
    is_marker_a_class,
    n_rows,
)
from sklearn_w2s.sources._batches import require_alike, require_finite
from sklearn_w2s.sources._journal import Journal, held
from sklearn_w2s.sources._readers import open_reader
from sklearn_w2s.sources._rewards import DrawnRows
from sklearn_w2s.sources._rules import require_same_rules, rules_of
from sklearn_w2s.sources._setup import (
    describe_arm,
    make_detector,
    new_drawing,
    require_horizon,
    tune,
)

# Counts beyond it would not add up.
_MOST_ROWS = 10**12


class LiveSources(ProgressMixin, BaseEstimator):
    """The entrances of `UCBSourceSelector` for rows that are not in memory."""

    _indices_ = None
    _is_told_ = False

    @fit_context(prefer_skip_nested_validation=False)
    def fit_sources(self, sources, X=None, y=None):
        """Draw rows from live sources, then fit `estimator` on the selection.

        Nothing is read of a source before a batch of it is drawn. A source that raises,
        stalls for longer than `timeout`, or gives an empty batch or one that does not
        fit the rows before it, warns and rests; after `max_failures` failures in a row
        no more is drawn of it. Rows drawn before are kept, what was refused is in
        `refused_`, and what happened in `history_`.

        Parameters
        ----------
        sources : dict of str to source
            By name: a table (array, sparse matrix, data frame), whose rows come in
            random order, or a tuple (X, y) of one with its labels; a callable that
            returns a batch for ``source(n)``, and None at its end; a Dask collection; a
            pyarrow table, file or reader; any other iterable of batches, such as a
            generator or the chunks of ``pandas.read_sql``. A batch is a table or a
            tuple (X, y). The mapping is looked at in every round: a source that was
            added takes part from then on, one that was removed fails.
        X : {array-like, sparse matrix, data frame} of shape (n, n_features), \
                default=None
            Rows at hand, always part of the selection.
        y : array-like of shape (n,), default=None
            Their labels, `missing_label` where there is none.

        Returns
        -------
        UCBSourceSelector
            The fitted estimator.

        Raises
        ------
        RuntimeError
            If another run uses the `checkpoint`.
        TypeError
            If a source is nothing that can be read, or a batch is nothing that a
            `checkpoint` can keep; the column is named.
        ValueError
            If no source gave a row, or an argument does not fit; with `warm_start`, if
            the run before was that of `fit`, or `update` told of some of it; if a run
            would go on by other rules, see Notes; if a file of the `checkpoint` is
            missing, damaged, or of another run; the file is named.

        Warns
        -----
        UserWarning
            If a source fails; it is named. If the last step of a `checkpoint` was
            written in part; it is done again.

        Notes
        -----
        Batches have to be like X in their library and columns, and without X like the
        first batch that came.

        With `checkpoint`, or with `warm_start` and after pickling in the middle of a
        run, a run goes on where it stopped and comes to the same history. Tables,
        collections and iterables that start anew are then read again from their
        beginning, and what was drawn is passed over; a callable with a parameter
        `offset` is told the number of rows it has given; other callables, generators
        and iterators are taken to go on by themselves. A checkpoint holds rows, random
        numbers and decisions and no code: detector and estimator are those of this
        selector, fitted again.

        When a run goes on, other limits, `policy`, `alpha`, `costs` and `max_failures`
        hold from the next round on, and sources may come and leave. The rows at hand,
        `overlap_detector` with its parameters, `reward`, `detection`,
        `detection_rates`, `missing_label`, `batch_size`, `burn_in` and `random_state`
        must be the same. A frozen detector is known by its parameters, a function by
        its code.
        """
        if not (self.warm_start and "_drawing_" in vars(self)):
            forget_fit(self)
        self._require_live_run()
        require_horizon(self)
        rows = self._rows_at_hand(X, y)
        rng = check_random_state(self.random_state)
        tasks = self._begin_drawing_tasks()
        with held(self.checkpoint):
            drawing = self._take_up(rows, rng)
            with self._task_of_rounds(tasks, drawing.bandit) as rounds:
                look_for_sources = partial(self._look_for, sources, drawing, rounds)
                self.stop_reason_ = drawing.play(look_for_sources)
        if not drawing.batches:
            msg = (
                f"sources={list(sources)} gave no rows. Pass sources that have some; "
                "history_ says what happened."
            )
            raise ValueError(msg)
        if not self.warm_start:
            drawing.close()
        self.overlap_detector_ = drawing.rater.detector
        # The rows drawn are kept, for `drawn_samples`; those at hand are the user's.
        drawing.rater.forget_rows()
        self._fit_on_selection(rows, drawing, tasks)
        return self

    def drawn_samples(self):
        """Return the rows drawn from live sources.

        Returns
        -------
        X : {ndarray, sparse matrix, data frame} of shape (n_drawn, n_features)
            Rows, in the order drawn.
        y : ndarray of shape (n_drawn,) or None
            Their labels, None if no source gave any.
        sample_source : ndarray of shape (n_drawn,)
            Name of the source of each.

        Raises
        ------
        NotFittedError
            If no rows were drawn.
        ValueError
            If the rows are those of `fit`.
        """
        if hasattr(self, "drawn_indices_"):
            msg = (
                "fit drew rows of its own X; they are X[drawn_indices_]. drawn_samples "
                "is for fit_sources."
            )
            raise ValueError(msg)
        batches = self._drawing_.batches if "_drawing_" in vars(self) else []
        if not batches:
            msg = f"{type(self).__name__} keeps no rows yet; call fit_sources first."
            raise NotFittedError(msg)
        tables = [batch for _, batch in batches]
        X, y, places = DrawnRows(None, None, self.missing_label).together(tables)
        positions = np.repeat(
            [source for source, _ in batches], [len(place) for place in places]
        )
        return X, y, self.sources_[positions]

    @property
    def refused_(self):
        """Source and content of every batch that could not be used.

        Tables and plain values are copies; anything else is there as its description.
        """
        names = self._bandit.names
        return [(names[source], item) for source, item in self._drawing_.refused]

    @fit_context(prefer_skip_nested_validation=False)
    def pull(self, sources=None):
        """Say from which source to draw next; `update` then says what came of it.

        Parameters
        ----------
        sources : list of str, default=None
            Names of the sources that can be drawn now, new ones among them. None means
            all that are known and not retired.

        Returns
        -------
        str or None
            Name of the source, or None where `n_rounds`, `budget`, `cost_budget` or
            `confidence` is reached, or no source is left.

        Raises
        ------
        ValueError
            If there is no source, or `detection` is not "frozen".
        """
        bandit = self._asked()
        names = list(bandit.names if sources is None else sources)
        if not names or isinstance(sources, str):
            msg = (
                f"sources={sources!r} is no list of names. Name those that can be "
                "drawn, in a list."
            )
            raise ValueError(msg)
        among = None
        if names != bandit.names:
            for name in names:
                self._know(bandit, name)
            among = np.zeros(len(bandit.names), dtype=bool)
            among[[bandit.positions[name] for name in names]] = True
        if bandit.stop_reason() is not None:
            return None
        if among is not None and not (among & bandit.can_be_drawn()).any():
            return None
        position, self._indices_ = bandit.choose(among)
        return bandit.names[position]

    @fit_context(prefer_skip_nested_validation=False)
    def update(
        self, source, X=None, y=None, *, n_drawn=None, n_overlap=None, error=None
    ):
        """Say what came of a draw: rows, counts, or an error.

        Rows are rated and not kept; what a call costs does not depend on the calls
        before it.

        Parameters
        ----------
        source : str
            Name of the source, whether `pull` named it or not; a new name is a new
            source. Of one that is retired or exhausted nothing can be told.
        X : {array-like, sparse matrix, data frame} of shape (n, n_features), \
                default=None
            Rows drawn. They take a fitted detector, wrapped in
            :class:`~sklearn.frozen.FrozenEstimator`, or a `reward`.
        y : array-like of shape (n,), default=None
            Their labels, for `reward`.
        n_drawn : int, default=None
            Number of rows drawn, in place of `X`.
        n_overlap : float, default=None
            Overlap rows among them, or the sum of their rewards, in place of `X`.
        error : str, default=None
            What happened where no rows came, in place of rows and counts.

        Returns
        -------
        UCBSourceSelector
            This object.

        Raises
        ------
        ValueError
            If nothing, or more than one of rows, counts and error is given, they do
            not fit, or no more is drawn of the source.
        """
        given = [X is not None, n_drawn is not None, error is not None]
        if sum(given) != 1 or (n_drawn is None) != (n_overlap is None):
            msg = (
                f"update({source!r}) takes X, or n_drawn with n_overlap, or error; one "
                "of the three."
            )
            raise ValueError(msg)
        if n_drawn is not None:
            _require_counts(n_drawn, n_overlap)
        if error is not None and not (isinstance(error, str) and error.strip()):
            msg = f"error={error!r} is no text. Say what happened."
            raise ValueError(msg)
        bandit = self._asked()
        position, _ = bandit.position(source)
        if position < len(bandit.names) and not bandit.is_open[position]:
            msg = (
                f"source {source!r} is exhausted_: it was retired, or no row of it is "
                "left. Tell of other sources, or call it by another name."
            )
            raise ValueError(msg)
        self._know(bandit, source)
        indices = self._indices_
        if indices is not None and 0 < len(indices) < len(bandit.names):
            new = np.full(len(bandit.names) - len(indices), np.nan)
            indices = np.append(indices, new)
        if error is not None:
            bandit.fail(position, f"source {source!r} {error}", indices)
            self._indices_, self._is_told_ = None, True
            return self
        if X is not None:
            is_first = not hasattr(self, "n_features_in_")
            X = check_features(self, X, reset=is_first, allow_nan=True)
            n_drawn, n_overlap = n_rows(X), self._rate_alone(X, y)
        bandit.draw(position, n_drawn, indices)
        bandit.rate([n_overlap])
        self._indices_, self._is_told_ = None, True
        return self

    def _asked(self):
        """Return the bandit of pull and update, which no drawing feeds."""
        if self.detection != "frozen":
            msg = (
                f"detection={self.detection!r} fits the detector on the rows drawn, "
                "which pull and update do not keep. Use 'frozen', or fit_sources."
            )
            raise ValueError(msg)
        require_horizon(self)
        if "_drawing_" not in vars(self):
            rng = check_random_state(self.random_state)
            rows = DrawnRows(None, None, self.missing_label)
            self._drawing_ = new_drawing(self, rows, rng)
        tune(self, self._drawing_.bandit)
        return self._drawing_.bandit

    def _know(self, bandit, name):
        if name not in bandit.positions:
            bandit.add(name, **describe_arm(self, name))

    def _rate_alone(self, X, y):
        rater = self._drawing_.rater
        if rater.detector is None:
            detector = make_detector(self)
            if self.reward is None and not isinstance(detector, FrozenEstimator):
                msg = (
                    f"overlap_detector={detector!r} is to be fitted, and update keeps "
                    "no rows to fit it on. Pass FrozenEstimator(fitted detector), give "
                    "counts, or use fit_sources."
                )
                raise ValueError(msg)
            rater.detector = detector
            self.overlap_detector_ = detector
        return rater.rate((X, y))

    def _require_live_run(self):
        if hasattr(self, "drawn_indices_"):
            msg = (
                "warm_start=True goes on with a run of fit_sources, but the run before "
                "was that of fit. Set warm_start=False to begin anew."
            )
            raise ValueError(msg)
        if self._is_told_:
            msg = (
                "warm_start=True goes on with a run of fit_sources, but update told of "
                "rows that were not kept. Go on with pull and update, or set "
                "warm_start=False to begin anew."
            )
            raise ValueError(msg)
        if "_drawing_" in vars(self) and not self._bandit.n_rounds:
            # Names alone were given, to pull.
            forget_fit(self)
        if "_drawing_" in vars(self):
            journal = self._drawing_.journal
            former = None if journal is None else journal.folder
            if former != (None if self.checkpoint is None else Path(self.checkpoint)):
                msg = (
                    f"checkpoint={self.checkpoint!r} is not that of the run before, "
                    f"{former and str(former)!r}. Use the same, or set "
                    "warm_start=False to go on with what a checkpoint holds."
                )
                raise ValueError(msg)

    def _rows_at_hand(self, X, y):
        if X is None and y is not None:
            msg = "y holds labels of X, but X is None. Pass X, or leave out y."
            raise ValueError(msg)
        if X is None:
            return DrawnRows(None, None, self.missing_label)
        X = check_features(self, X, reset=True, allow_nan=True)
        y, _ = self._check_target(X, y)
        return DrawnRows(X, y, self.missing_label)

    def _take_up(self, rows, rng):
        """Return the run before, or a new one, ready to go on."""
        rules = rules_of(self, *rows.at_hand)
        if "_drawing_" not in vars(self):
            self._drawing_ = self._begin(rows, rng, rules)
        elif self._drawing_.rules:
            require_same_rules(rules, self._drawing_.rules, "warm_start=True")
            if self._drawing_.journal is not None:
                self._drawing_.journal.require_own()
        self._drawing_.rules = rules
        drawing = self._drawing_
        if drawing.batches:
            first = drawing.batches[0][1][0]
            if rows.like is None:
                rows.like = check_features(self, first, reset=True, allow_nan=True)
            require_alike(first, None, rows.like, None)
        drawing.rater.rows = rows
        tune(self, drawing.bandit)
        return drawing

    def _begin(self, rows, rng, rules):
        # A generator of its own, whose state can be kept and set.
        own = np.random.RandomState(rng.randint(np.iinfo(np.int32).max))
        seed = int(own.randint(np.iinfo(np.int32).max))
        journal = None
        if self.checkpoint is not None:
            journal = Journal(self.checkpoint)
            former = journal.open({"rules": rules, "seed": seed})
            where = f"checkpoint={str(self.checkpoint)!r}"
            require_same_rules(rules, former["rules"], where)
            seed = former["seed"]
        drawing = new_drawing(self, rows, own, seed=seed, journal=journal)
        drawing.replay()
        return drawing

    def _look_for(self, sources, drawing, rounds):
        if not isinstance(sources, Mapping):
            msg = (
                f"sources={type(sources).__name__} object is no mapping. Pass a "
                "dictionary of names and sources."
            )
            raise TypeError(msg)
        drawing.forget_absent(sources)
        # A list, since a source that runs in a thread may add another meanwhile.
        for name, source in list(sources.items()):
            if not drawing.reads(name, source):
                reader = self._open(name, source, drawing)
                drawing.add(source, reader, **describe_arm(self, name))
        rounds.tell()

    def _open(self, name, source, drawing):
        position, n_drawn = drawing.bandit.position(name)
        return open_reader(
            name,
            source,
            rng=np.random.default_rng([drawing.seed, position]),
            offset=n_drawn,
            timeout=self.timeout,
            check=partial(self._check_batch, drawing.rater),
        )

    def _check_batch(self, rater, X, y):
        rows = rater.rows
        if rows.like is not None:
            require_alike(X, None, rows.like, None)
        if not get_tags(self).input_tags.allow_nan:
            require_finite(X)
        if y is not None:
            column_or_1d(y)
        if rows.like is None:
            rows.like = check_features(self, X, reset=True, allow_nan=True)

    def _fit_on_selection(self, rows, drawing, tasks):
        if self.estimator is None:
            self._end_drawing_tasks(tasks, None, None)
            return
        X, y, _ = rows.together([batch for _, batch in drawing.batches])
        # Seeds of their own, so that a run that goes on draws as if it never stopped.
        is_seeded = drawing.rater.seeds is not None
        seeds = np.random.RandomState(drawing.seed) if is_seeded else None
        self._fit_estimator(tasks, X, y, {}, seeds)
        self._require_unlearned(y)
        self._end_drawing_tasks(tasks, X, y)

    def _fit_estimator(self, tasks, X, y, params, seeds):
        if self.estimator is None:
            return
        estimator = seed_nested(clone(adapt(self.estimator)), seeds)
        with self._task(tasks, "estimator", part=estimator):
            estimator.fit(X, y, **params)
        self.estimator_ = estimator
        if hasattr(self.estimator_, "classes_"):
            self.classes_ = self.estimator_.classes_

    def _require_unlearned(self, y):
        """Refuse a part that took unlabeled rows for a class of their own."""
        for name in ("overlap_detector", "estimator"):
            fitted = getattr(self, f"{name}_", None)
            classes = np.asarray(getattr(fitted, "classes_", ())).tolist()
            if not is_class(self.missing_label, classes):
                continue
            # All of y is read only where it comes to that.
            if y is None or not is_marker_a_class(y, self.missing_label):
                msg = (
                    f"{name}={fitted!r} learned missing_label={self.missing_label!r} "
                    f"as one of its classes {classes}. Pass one that takes unlabeled "
                    "rows, as WeakToStrongClassifier does, with the same missing_label."
                )
                raise ValueError(msg)

    def _findings(self):
        return ranked(self.ranking_, self.sources_, self.overlap_density_)

    def _begin_drawing_tasks(self):
        return self._begin_tasks(1 if self.estimator is None else 2)

    @contextmanager
    def _task_of_rounds(self, tasks, bandit):
        left = bandit.limits.n_rounds - bandit.n_rounds
        n_rounds = max(0, left) if np.isfinite(left) else None
        with self._task(tasks, "draw", n_tasks=n_rounds) as task:
            yield Rounds(
                self,
                task,
                count=lambda: bandit.n_rounds,
                goes_on=lambda: bandit.stop_reason() is None,
            )

    def _end_drawing_tasks(self, tasks, X, y):
        # Without an estimator there is nobody whose predictions could be scored.
        self._end_tasks(tasks, X, None if self.estimator is None else y)


def _require_counts(n_drawn, n_overlap):
    """Require a number of rows, and a number of overlap rows among them."""
    is_whole = isinstance(n_drawn, Integral) and not isinstance(
        n_drawn, bool | np.bool_
    )
    is_number = isinstance(n_overlap, Real) and not isinstance(n_overlap, bool)
    if not is_whole or not is_number or not 1 <= n_drawn <= _MOST_ROWS:
        msg = (
            f"n_drawn={n_drawn!r} must be a whole number from 1 to {_MOST_ROWS:g}, and "
            f"n_overlap={n_overlap!r} a number."
        )
        raise ValueError(msg)
    if not 0 <= n_overlap <= n_drawn:
        msg = (
            f"n_overlap={n_overlap} of n_drawn={n_drawn} rows is impossible. Count "
            "each row at most once."
        )
        raise ValueError(msg)

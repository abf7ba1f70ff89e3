"""UCBSourceSelector: draw rows from the sources of the highest overlap density."""

from collections.abc import Callable, Mapping, Sequence
from numbers import Integral, Real
from os import PathLike
from typing import Any, Literal, Self

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.utils import check_random_state, get_tags
from sklearn.utils.metadata_routing import MetadataRouter
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from sklearn_w2s._delegation import (
    PredictionDelegate,
    prediction_mapping,
    take_labeled,
)
from sklearn_w2s._display import DiagramMixin, ProgressMixin, ranked
from sklearn_w2s._estimators import (
    NestedParamsMixin,
    fit_context,
    forget_fit,
    seed_nested,
)
from sklearn_w2s._fitting import adapt, take_metadata
from sklearn_w2s._sklearn import (
    HasMethods,
    Interval,
    StrOptions,
    available_if,
    safe_indexing,
)
from sklearn_w2s._validation import (
    accepts_missing,
    check_features,
    check_new_rows,
    check_sources,
    check_target,
    is_class,
    is_marker_a_class,
    mark_unlabeled,
    n_rows,
    strict_readers,
)
from sklearn_w2s.persistence import VersionStampMixin
from sklearn_w2s.sources._bandit import POLICIES
from sklearn_w2s.sources._checkpoint import held
from sklearn_w2s.sources._run import DrawnRows, PoolRows
from sklearn_w2s.sources._setup import (
    add_new,
    asked_bandit,
    label_rules,
    make_detector,
    new_run,
    open_pool,
    open_sources,
    rate_alone,
    require_counts,
    require_horizon,
    require_live_run,
    take_up,
)


class UCBSourceSelector(
    DiagramMixin,
    NestedParamsMixin,
    VersionStampMixin,
    ProgressMixin,
    PredictionDelegate,
    MetaEstimatorMixin,
    BaseEstimator,
):
    r"""Draw rows from the sources with the highest overlap density, then fit on them.

    Unlabeled rows come from several sources, and a strong estimator gains most from
    rows in which both patterns overlap. The share of such rows in a source is unknown
    until rows are drawn from it, which makes this a bandit problem. Every round draws
    one batch from the source whose upper confidence bound on the overlap density is
    largest [1]_. Labeled rows are at hand: they train the overlap detector's weak
    estimator and are always part of the selection, on which `estimator` is fitted.

    If every row has a label, all rows are in the pool, and labels come with the rows
    drawn.

    Parameters
    ----------
    estimator : estimator instance, default=None
        Fitted on the selected rows and used for predictions. If rows are unlabeled, it
        has to support `missing_label`, as :class:`~sklearn_w2s.WeakToStrongClassifier`
        does. None only selects rows.
    overlap_detector : estimator instance, default=None
        Its `predict` returns the region of each row. It is cloned and fitted once, on
        the rows at hand and those of the burn-in, whose regions are its `regions_`; a
        fitted one, wrapped in :class:`~sklearn.frozen.FrozenEstimator`, is used as it
        is. None is an :class:`~sklearn_w2s.OverlapDetector` with default parameters,
        whose weak estimator is a regressor if `estimator` is one.
    n_rounds : int, default=None
        Largest number of rounds, including the burn-in and failures. None sets no
        limit.
    batch_size : int, default=32
        Rows drawn per round; fewer if the source or a budget runs out.
    budget : int, default=None
        Largest number of rows drawn. Without any limit, all sources are drawn from
        until they are empty.
    cost_budget : float, default=None
        Largest total cost of the rows drawn, in the unit of `costs`. None sets no
        limit.
    confidence : float, default=None
        Stop when the best source is known with this probability, in (0, 1), see Notes.
        `policy="kl_lucb"` needs the fewest rows for that; the default, which collects
        overlap on the way, may need many times as many. None never stops early.
    policy : str or callable, default="kl_ucb"
        Index of the sources: "kl_ucb", "kl_lucb", "ucb1", "ucb_tuned", "thompson",
        "paper", "reference", "greedy" or "random", see Notes. A callable receives the
        statistics, an object with the arrays `n_pulls` (rounds), `drawn` and `found`
        (rows rated, overlap rows), `cost`, `is_open`, `pool` (rows at the start), each
        of shape (n_sources,), with `horizon` (rounds in all), `alpha` and `rng`; it
        returns one number per source.
    alpha : float, default=1.0
        Exploration coefficient, 0 or more. "greedy" and "random" ignore it.
    costs : dict of str to float, default=None
        Cost of a row by name of the source; positive. Indices and ranking are per unit
        of cost. None is 1 for all sources.
    reward : callable, default=None
        ``reward(detector, X, y)`` returns the reward of each row of a batch, in [0, 1].
        None is 1 for overlap rows and 0 for others.
    detection_rates : tuple of two float or dict of str to such, default=None
        Sensitivity and false positive rate of the detector: the shares of overlap rows
        and of other rows that it marks as overlap, as found in an audit; common to all
        sources, or by name. Indices and densities are corrected by them. None applies
        no correction.
    detection : {"frozen", "history"}, default="frozen"
        "frozen" fits the detector once, after the burn-in, so that rewards are
        comparable between rounds. "history" fits it in every round on all rows drawn so
        far and rates them all again, which becomes more expensive with every round.
    burn_in : int, default=1
        Number of draws from every source before the policy chooses.
    max_failures : int, default=3
        Number of consecutive failures after which a live source is retired.
    timeout : float, default=None
        Seconds after which a live source that has returned nothing counts as failed.
        None waits forever.
    warm_start : bool, default=False
        Whether `fit_sources` continues the previous run instead of starting a new one.
    checkpoint : path-like, default=None
        Folder in which `fit_sources` saves every step, one file each, without pickles.
        If it already contains a run, that run is resumed. None saves nothing.
    missing_label : scalar, default=-1
        Label of unlabeled rows. None, NaN, NaT and pandas.NA always mark unlabeled
        rows, too; if `estimator` or the detector's `weak_estimator` is a regressor,
        only these do.
    random_state : int, RandomState instance or None, default=None
        Shuffles the rows of each source, draws for "random", and seeds every
        `random_state` of detector and estimator that is None.

    Attributes
    ----------
    estimator_ : estimator
        Fitted on ``X[sample_indices_]``. Only if `estimator` is given. An XGBoost model
        is its attribute `estimator_`, a skorch net its attribute `net_`.
    overlap_detector_ : estimator
        The fitted overlap detector.
    classes_ : ndarray of shape (n_classes,)
        Class labels of `estimator_`, if it has any.
    sources_ : ndarray of shape (n_sources,)
        Names of the sources: sorted, or in the order passed to `fit_sources` and
        `pull`.
    ranking_ : ndarray of shape (n_sources,)
        Names of the sources, by decreasing estimated density per cost; sources from
        which nothing was drawn come last.
    overlap_density_ : ndarray of shape (n_sources,)
        Share of overlap rows among the rows drawn, or mean reward, corrected by
        `detection_rates`; NaN if nothing was drawn.
    overlap_density_interval_ : ndarray of shape (n_sources, 2)
        Their 95% intervals (Wilson), which become narrower as a finite source is used
        up.
    ucb_ : ndarray of shape (n_sources,)
        Index of each source after the last round; NaN if nothing was drawn.
    n_pulls_ : ndarray of shape (n_sources,)
        Rounds in which the source was drawn.
    n_samples_drawn_ : ndarray of shape (n_sources,)
        Rows drawn.
    exhausted_ : ndarray of shape (n_sources,) of bool
        Whether the source cannot be drawn from any more: it has no rows left, or was
        retired.
    stop_reason_ : str
        What ended the drawing: "exhausted" (no source is left), "n_rounds", "budget",
        "cost_budget" or "confidence".
    drawn_indices_ : ndarray of shape (n_drawn,)
        Rows of X drawn by `fit`, in the order drawn.
    sample_indices_ : ndarray of shape (n_selected,)
        Rows of X at hand or drawn by `fit`, ascending.
    refused_ : list of (str, object)
        Source and content of every batch that `fit_sources` could not use.
    history_ : dict of str to ndarray of shape (n_rounds,)
        One entry per round, for ``pandas.DataFrame(history_)``: "round" from 0,
        "source" (its name), "n_drawn", "n_overlap" (rows), "overlap_density",
        "density_low" and "density_high" (estimate for this source after the round),
        "index" (by which it was chosen; NaN in the burn-in), "cost", "error" (empty
        where rows came).
    index_history_ : ndarray of shape (n_rounds, n_sources)
        Index of every source before each round; NaN where it had none. Of more than
        1,000 sources, only that of the source drawn.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names, if all are strings.

    See Also
    --------
    OverlapDetector : Says which rows are easy, hard or overlap.
    WeakToStrongClassifier : Trains a strong estimator on weak labels.

    Notes
    -----
    With o the share of overlap rows among the n rows drawn of a source in m rounds, t
    the rows drawn of all sources, K the number of sources that can be drawn, N the rows
    of the source and T the rounds in all, the source of the largest index is drawn
    next:

    - "kl_ucb": :math:`\max\{q : n\,\mathrm{kl}(o, q) \le \alpha \rho \log^+ (t/Kn)\}`
      with :math:`\mathrm{kl}` the divergence of Bernoulli distributions [2]_,
      :math:`\rho` from 1 down to 0 as n goes to N, for drawing without replacement, and
      the anytime level of [4]_, which explores less than log t in few rounds and like
      it in many;
    - "kl_lucb": the leader or its strongest challenger, whichever has fewer rows [5]_;
      to find the best source, not to collect overlap on the way;
    - "ucb1": :math:`o + \alpha \sqrt{\log t / (2n)}` [3]_;
    - "ucb_tuned": the same with the variance of the source [3]_;
    - "thompson": a draw from the Beta distribution of the density, given o and n;
    - "paper": :math:`o + \alpha \sqrt{2 \log T / m}` [1]_;
    - "reference": :math:`o + \alpha \sqrt{2 \log T} / m`, as in the published code;
    - "greedy": o;
    - "random": a uniform choice among the sources that are not empty.

    T is the least of `n_rounds`, the full batches in the budgets and the batches in the
    pool. Ties go to the source with the fewest rows drawn, then to the first. Empty
    sources drop out. With `detection_rates` s and f an index u, as a density o, becomes
    :math:`(u - f) / (s - f)`, and with `costs` it is divided by the cost of a row.

    With `confidence` = 1 - d drawing stops when the lower kl bound of one source is not
    below the upper bound of any other that is left, all at the level
    :math:`\log (2 K m (m + 1) / d)`, at which they hold at all times at once with
    probability 1 - d.

    With scikit-learn 1.9 or later, callbacks set by ``set_callbacks`` are notified of
    the tasks "draw", with every "round", and "estimator", and of the tasks of an
    estimator that supports callbacks. They cannot stop the drawing; at the end they see
    the labeled rows of the selection only.

    Deviations from the paper: by default *rows* are counted, not rounds, since a batch
    of b rows counts b times as much as one row; thresholds and references of the
    detector are fixed after the burn-in, so that rewards are comparable between rounds,
    where the published code finds new thresholds for every batch; pools are finite.
    The regions of burn-in rows are those that the detector gives to its own training
    rows, out-of-fold where they are labeled.

    References
    ----------
    .. [1] C. Shin, J. Cooper, F. Sala, "Weak-to-Strong Generalization Through the
       Data-Centric Lens", ICLR 2025, https://arxiv.org/abs/2412.03881
    .. [2] A. Garivier, O. Cappé, "The KL-UCB Algorithm for Bounded Stochastic Bandits
       and Beyond", COLT 2011.
    .. [3] P. Auer, N. Cesa-Bianchi, P. Fischer, "Finite-time Analysis of the
       Multiarmed Bandit Problem", Machine Learning 47, 2002.
    .. [4] R. Degenne, V. Perchet, "Anytime Optimal Algorithms in Stochastic Multi-armed
       Bandits", ICML 2016.
    .. [5] E. Kaufmann, S. Kalyanakrishnan, "Information Complexity in Bandit Subset
       Selection", COLT 2013.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_w2s import OverlapDetector, UCBSourceSelector
    >>> from sklearn_w2s.datasets import make_overlap_classification
    >>> X, y, regions = make_overlap_classification(2000, random_state=0)
    >>> y[300:] = -1
    >>> is_rich = (regions == "overlap") | (np.arange(len(X)) % 4 == 0)
    >>> selector = UCBSourceSelector(
    ...     overlap_detector=OverlapDetector(weak_features=slice(0, 20)),
    ...     budget=500,
    ...     random_state=0,
    ... ).fit(X, y, sample_source=np.where(is_rich, "rich", "poor"))
    >>> selector.ranking_.tolist()
    ['rich', 'poor']
    >>> int(selector.n_samples_drawn_.sum())
    500
    """

    _indices_ = None
    _has_counts_ = False

    __metadata_request__fit = {"sample_source": True}

    _parameter_constraints = {
        "estimator": [HasMethods(["fit"]), None],
        "overlap_detector": [HasMethods(["fit", "predict"]), None],
        "n_rounds": [Interval(Integral, 1, None, closed="left"), None],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "budget": [Interval(Integral, 1, None, closed="left"), None],
        "cost_budget": [Interval(Real, 0, None, closed="neither"), None],
        "confidence": [Interval(Real, 0, 1, closed="neither"), None],
        "policy": [StrOptions(POLICIES.keys()), callable],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "costs": [Mapping, None],
        "reward": [callable, None],
        "detection_rates": [tuple, Mapping, None],
        "detection": [StrOptions({"frozen", "history"})],
        "burn_in": [Interval(Integral, 1, None, closed="left")],
        "max_failures": [Interval(Integral, 1, None, closed="left")],
        "timeout": [Interval(Real, 0, None, closed="neither"), None],
        "warm_start": ["boolean"],
        "checkpoint": [str, PathLike, None],
        "missing_label": "no_validation",
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        overlap_detector: Any = None,
        n_rounds: int | None = None,
        batch_size: int = 32,
        budget: int | None = None,
        cost_budget: float | None = None,
        confidence: float | None = None,
        policy: str | Callable[..., Any] = "kl_ucb",
        alpha: float = 1.0,
        costs: Any = None,
        reward: Callable[..., Any] | None = None,
        detection_rates: Any = None,
        detection: Literal["frozen", "history"] = "frozen",
        burn_in: int = 1,
        max_failures: int = 3,
        timeout: float | None = None,
        warm_start: bool = False,
        checkpoint: Any = None,
        missing_label: Any = -1,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.estimator = estimator
        self.overlap_detector = overlap_detector
        self.n_rounds = n_rounds
        self.batch_size = batch_size
        self.budget = budget
        self.cost_budget = cost_budget
        self.confidence = confidence
        self.policy = policy
        self.alpha = alpha
        self.costs = costs
        self.reward = reward
        self.detection_rates = detection_rates
        self.detection = detection
        self.burn_in = burn_in
        self.max_failures = max_failures
        self.timeout = timeout
        self.warm_start = warm_start
        self.checkpoint = checkpoint
        self.missing_label = missing_label
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(
        self, X: Any, y: Any = None, *, sample_source: Any = None, **params: Any
    ) -> Self:
        """Draw rows source by source, then fit `estimator` on the selection.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Rows at hand and rows of the pool.
        y : array-like of shape (n_samples,), default=None
            Labels, `missing_label` where there is none. None means that no row has a
            label, which takes a detector that needs none.
        sample_source : array-like of shape (n_samples,), default=None
            Source of each row, a text or a number. None means that all come from one
            source, "all".
        **params : dict
            Metadata for `estimator.fit`, with metadata routing switched on; what is as
            long as X is cut down to the selected rows.

        Returns
        -------
        UCBSourceSelector
            The fitted estimator.

        Raises
        ------
        ValueError
            If `n_rounds` or `budget` does not cover the burn-in, if `estimator` or the
            detector takes `missing_label` for a class, if one of the two learns classes
            and the other values, or if an argument does not fit.
        """
        own = {} if sample_source is None else {"sample_source": sample_source}
        routed = self._route("fit", params, **own)
        # The parts refuse what they do not take.
        X = check_features(self, X, reset=True, allow_nan=True)
        y, labeled = self._check_target(X, y)
        in_pool = labeled if labeled.all() else ~labeled
        names, codes = check_sources(sample_source, X)
        rng = check_random_state(self.random_state)
        seeds = None if self.random_state is None else rng

        at_hand = np.flatnonzero(~in_pool)
        run = new_run(self, PoolRows(X, y, at_hand), rng)
        open_pool(self, run, np.flatnonzero(in_pool), names, codes, rng)
        tasks = self._begin_tasks(1 if self.estimator is None else 2)
        for _ in self._rounds(run, tasks):
            pass
        run.close()
        self.overlap_detector_ = run.rater.detector
        drawn = np.concatenate([rows for _, rows in run.batches])
        # The counts are kept, and not the table in which they were counted.
        run.rater.rows = None
        run.batches.clear()

        selected = np.sort(np.concatenate([at_hand, drawn]))
        X, y = safe_indexing(X, selected), None if y is None else y[selected]
        routed = take_metadata(routed, selected, len(labeled))
        self._fit_estimator(tasks, X, y, routed, seeds)
        if not labeled.all():
            self._require_unlearned(y)
        self.drawn_indices_ = drawn
        self.sample_indices_ = selected
        self._drawing_ = run
        # Without an estimator no predictions can be scored.
        self._end_tasks(tasks, X, None if self.estimator is None else y)
        return self

    @fit_context(prefer_skip_nested_validation=False)
    def fit_sources(self, sources: Any, X: Any = None, y: Any = None) -> Self:
        """Draw rows from live sources, then fit `estimator` on the selection.

        Nothing is read from a source before a batch is drawn. A source that raises,
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
            If a source cannot be read, or a batch cannot be kept in a `checkpoint`;
            the column is named.
        ValueError
            If no source gave a row, or an argument does not fit; with `warm_start`, if
            the run before was that of `fit`, or `update` added counts to it; if a run
            would continue by other rules, see Notes; if a file of the `checkpoint` is
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
        run, a run continues where it stopped and has the same history as if it had not
        stopped. Tables, collections and iterables that can be read again are then read
        from their beginning, without the rows that were drawn; a callable with a
        parameter `offset` gets the number of rows drawn from it; other callables,
        generators and iterators are expected to continue by themselves. A checkpoint
        contains rows, random states and decisions, but no code: detector and estimator
        are those of this selector, fitted again.

        When a run continues, other limits, `policy`, `alpha`, `costs` and
        `max_failures` apply from the next round on, and sources may be added and
        removed. The rows at hand,
        `overlap_detector` with its parameters, `reward`, `detection`,
        `detection_rates`, `missing_label`, `batch_size`, `burn_in` and `random_state`
        must be the same. A frozen detector is compared by its parameters, a function by
        its code.
        """
        if not (self.warm_start and "_drawing_" in vars(self)):
            forget_fit(self)
        require_live_run(self)
        require_horizon(self)
        if X is None and y is not None:
            msg = "y holds labels of X, but X is None. Pass X, or leave out y."
            raise ValueError(msg)
        if X is not None:
            X = check_features(self, X, reset=True, allow_nan=True)
            y, _ = self._check_target(X, y)
        marker, _ = label_rules(self)
        rows = DrawnRows(X, y, marker)
        rng = check_random_state(self.random_state)

        tasks = self._begin_tasks(1 if self.estimator is None else 2)
        with held(self.checkpoint):
            run = take_up(self, rows, rng)
            for _ in self._rounds(run, tasks):
                open_sources(self, run, sources)
        if not run.batches:
            msg = (
                f"sources={list(sources)} gave no rows. Pass sources that have some; "
                "history_ lists their errors."
            )
            raise ValueError(msg)
        if not self.warm_start:
            run.close()
        self.overlap_detector_ = run.rater.detector
        # The rows drawn are kept, for `drawn_samples`; those at hand are the user's.
        run.rater.rows = None

        if self.estimator is None:
            self._end_tasks(tasks, None, None)
            return self
        X, y, _ = rows.together([batch for _, batch in run.batches])
        # Separate seeds, so that a run that continues draws as if it never stopped.
        is_seeded = run.rater.seeds is not None
        seeds = np.random.RandomState(run.seed) if is_seeded else None
        self._fit_estimator(tasks, X, y, {}, seeds)
        self._require_unlearned(y)
        self._end_tasks(tasks, X, y)
        return self

    def drawn_samples(self) -> tuple[Any, ...]:
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
                "fit drew rows of X; they are X[drawn_indices_]. drawn_samples "
                "is for fit_sources."
            )
            raise ValueError(msg)
        batches = self._drawing_.batches if "_drawing_" in vars(self) else []
        if not batches:
            msg = f"{type(self).__name__} keeps no rows yet; call fit_sources first."
            raise NotFittedError(msg)
        tables = [batch for _, batch in batches]
        marker, _ = label_rules(self)
        X, y, places = DrawnRows(None, None, marker).together(tables)
        positions = np.repeat(
            [source for source, _ in batches], [len(place) for place in places]
        )
        return X, y, self.sources_[positions]

    @property
    def refused_(self) -> Any:
        """Source and content of every batch that could not be used.

        Tables and plain values are copies; anything else is there as its description.
        """
        names = self._bandit.names
        return [(names[source], item) for source, item in self._drawing_.refused]

    @fit_context(prefer_skip_nested_validation=False)
    def pull(self, sources: Sequence[str] | None = None) -> Any:
        """Return the source to draw from next; `update` then takes the result.

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
        bandit = asked_bandit(self)
        names = list(bandit.names if sources is None else sources)
        if not names or isinstance(sources, str):
            msg = (
                f"sources must be a list of names, got {sources!r}. List the sources "
                "that can be drawn."
            )
            raise ValueError(msg)
        among = None
        if names != bandit.names:
            for name in names:
                add_new(self, bandit, name)
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
        self,
        source: str,
        X: Any = None,
        y: Any = None,
        *,
        n_drawn: int | None = None,
        n_overlap: float | None = None,
        error: str | None = None,
    ) -> Self:
        """Add the result of a draw: rows, counts, or an error.

        Rows are rated and not kept; what a call costs does not depend on the calls
        before it.

        Parameters
        ----------
        source : str
            Name of the source, whether `pull` named it or not; a new name is a new
            source. A source that is retired or exhausted cannot be updated.
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
                f"update({source!r}) takes exactly one of X, n_drawn with n_overlap, "
                "and error."
            )
            raise ValueError(msg)
        if n_drawn is not None:
            require_counts(n_drawn, n_overlap)
        if error is not None and not (isinstance(error, str) and error.strip()):
            msg = (
                f"error must be a description of the failure, got {error!r}. Pass "
                "a str."
            )
            raise ValueError(msg)
        bandit = asked_bandit(self)
        position = bandit.positions.get(source, len(bandit.names))
        if position < len(bandit.names) and not bandit.is_open[position]:
            msg = (
                f"source {source!r} is exhausted_: it was retired, or no row of it is "
                "left. Update other sources, or pass another name."
            )
            raise ValueError(msg)
        add_new(self, bandit, source)
        indices = self._indices_
        if indices is not None and 0 < len(indices) < len(bandit.names):
            new = np.full(len(bandit.names) - len(indices), np.nan)
            indices = np.append(indices, new)
        if error is not None:
            bandit.fail(position, f"source {source!r} {error}", indices)
            self._indices_, self._has_counts_ = None, True
            return self
        if X is not None:
            is_first = not hasattr(self, "n_features_in_")
            X = check_features(self, X, reset=is_first, allow_nan=True)
            n_drawn, n_overlap = n_rows(X), rate_alone(self, X, y)
        bandit.draw(position, n_drawn, indices)
        bandit.rate([n_overlap])
        self._indices_, self._has_counts_ = None, True
        return self

    @available_if(lambda self: hasattr(self.estimator, "score"))
    def score(self, X: Any, y: Any, **params: Any) -> float:
        """Score the fitted estimator on the labeled rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,)
            Labels; rows with `missing_label` are left out.
        **params : dict
            Metadata for `estimator.score`, with metadata routing switched on.

        Returns
        -------
        float
            Its score; NaN where no row has a label.
        """
        check_is_fitted(self)
        routed = self._route("score", params)
        X = self._check_new(X)
        rows, labels, positions = take_labeled(self, X, y)
        if not len(positions):
            return np.nan
        metadata = take_metadata(routed, positions, n_rows(X))
        return self.estimator_.score(rows, labels, **metadata)

    @property
    def sources_(self) -> Any:
        """Names of the sources."""
        return np.array(self._bandit.names)

    @property
    def n_pulls_(self) -> Any:
        """Rounds in which each source was drawn."""
        return self._bandit.n_pulls.copy()

    @property
    def n_samples_drawn_(self) -> Any:
        """Rows drawn of each source."""
        return self._bandit.drawn.copy()

    @property
    def overlap_density_(self) -> Any:
        """Share of overlap rows in each source, as far as is known."""
        return self._bandit.density

    @property
    def overlap_density_interval_(self) -> Any:
        """Its 95% interval."""
        estimates = [self._bandit.estimate(k) for k in range(len(self._bandit.names))]
        return np.array(estimates).reshape(-1, 3)[:, 1:]

    @property
    def ucb_(self) -> Any:
        """Index of each source."""
        return self._bandit.index()

    @property
    def ranking_(self) -> Any:
        """Names of the sources, the best first."""
        worth = self._bandit.density / self._bandit.cost
        return self.sources_[np.argsort(-worth, kind="stable")]

    @property
    def exhausted_(self) -> Any:
        """Whether no more is drawn of each source."""
        return ~self._bandit.is_open

    @property
    def history_(self) -> Any:
        """One entry per round."""
        return self._bandit.history()

    @property
    def index_history_(self) -> Any:
        """Index of each source before each round."""
        return self._bandit.index_history()

    def _unfitted_part(self):
        return self.estimator

    def _check_target(self, X, y):
        if y is None:
            return None, np.zeros(n_rows(X), dtype=bool)
        marker, of_values = label_rules(self)
        labels, labeled = check_target(y, marker, of_values=of_values)
        check_consistent_length(X, labeled)
        return mark_unlabeled(labels, labeled, marker), labeled

    @property
    def _bandit(self):
        if "_drawing_" not in vars(self):
            msg = (
                f"{type(self).__name__} has drawn nothing yet; call fit or pull first."
            )
            raise AttributeError(msg)
        return self._drawing_.bandit

    def _rounds(self, run, tasks):
        """Yield before every round of a run, with callbacks notified of the rounds."""
        bandit = run.bandit
        left = bandit.limits.n_rounds - bandit.n_rounds
        n_rounds = max(0, left) if np.isfinite(left) else None
        with self._task(tasks, "draw", n_tasks=n_rounds) as task:
            current, n_before = None, bandit.n_rounds
            for _ in run.rounds():
                yield
                # A source that merely ended made no round.
                if current is not None and bandit.n_rounds > n_before:
                    current.call_on_fit_task_end(estimator=self)
                    current = None
                n_before = bandit.n_rounds
                if current is None and bandit.stop_reason() is None:
                    current = task.subcontext(task_name="round")
                    current.call_on_fit_task_begin(estimator=self)
        self.stop_reason_ = run.stop_reason

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
        """Refuse a part that learned the marker of unlabeled rows as a class."""
        for name in ("overlap_detector", "estimator"):
            fitted = getattr(self, f"{name}_", None)
            classes = np.asarray(getattr(fitted, "classes_", ())).tolist()
            if not is_class(self.missing_label, classes):
                continue
            # All of y is read only where that is needed.
            if y is None or not is_marker_a_class(y, self.missing_label):
                msg = (
                    f"{name}={fitted!r} learned missing_label={self.missing_label!r} "
                    f"as one of its classes {classes}. Pass one that takes unlabeled "
                    "rows, as WeakToStrongClassifier does, with the same missing_label."
                )
                raise ValueError(msg)

    def _findings(self):
        return ranked(self.ranking_, self.sources_, self.overlap_density_)

    def get_metadata_routing(self) -> Any:
        """Return the metadata routing of this object.

        Returns
        -------
        MetadataRouter
            `sample_source` is used here; the rest goes to `estimator`.
        """
        router = MetadataRouter(owner=self).add_self_request(self)
        if self.estimator is None:
            return router
        mapping = prediction_mapping("fit", "score")
        return router.add(estimator=self.estimator, method_mapping=mapping)

    def _default_parts(self):
        return {"overlap_detector": make_detector(self)}

    def _check_new(self, X):
        return check_new_rows(self, X)

    @property
    def _strict_readers_(self):
        """Who takes no missing values, and in which columns."""
        readers = []
        for name in ("overlap_detector", "estimator"):
            part: Any = getattr(self, f"{name}_", None)
            if hasattr(part, "_strict_readers_"):
                readers += part._strict_readers_
            elif part is not None:
                readers += strict_readers([(name, part, None)])
        return readers

    def __sklearn_is_fitted__(self):
        return "_drawing_" in vars(self) and (
            self.estimator is None or hasattr(self, "estimator_")
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        parts = [make_detector(self)]
        if self.estimator is not None:
            parts.append(self.estimator)
            # Field by field: the tags of a frozen estimator would skip every check.
            nested = get_tags(self.estimator)
            tags.estimator_type = nested.estimator_type
            tags.classifier_tags = nested.classifier_tags
            tags.regressor_tags = nested.regressor_tags
            tags.input_tags.positive_only = nested.input_tags.positive_only
        tags.input_tags.sparse = all(get_tags(p).input_tags.sparse for p in parts)
        tags.input_tags.allow_nan = all(accepts_missing(part) for part in parts)
        tags.target_tags.required = any(
            get_tags(part).target_tags.required
            for part in parts
            if not isinstance(part, FrozenEstimator)
        )
        return tags

"""UCBSourceSelector: draw rows from the sources of the highest overlap density."""

from collections.abc import Mapping
from numbers import Integral, Real
from os import PathLike
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin
from sklearn.frozen import FrozenEstimator
from sklearn.utils import check_random_state, get_tags
from sklearn.utils.metadata_routing import MetadataRouter
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from sklearn_w2s._delegation import (
    PredictionDelegate,
    prediction_mapping,
    take_labeled,
)
from sklearn_w2s._fitting import forget_fit, take_metadata
from sklearn_w2s._missing import accepts_missing, check_new_rows, strict_readers
from sklearn_w2s._parameters import NestedParamsMixin
from sklearn_w2s._persistence import VersionStampMixin
from sklearn_w2s._representation import DiagramMixin
from sklearn_w2s._sklearn import (
    HasMethods,
    Interval,
    StrOptions,
    fit_context,
    routing_enabled,
    safe_indexing,
)
from sklearn_w2s._validation import (
    check_features,
    check_labels,
    check_sources,
    mark_unlabeled,
    n_rows,
)
from sklearn_w2s.sources._live import LiveSources
from sklearn_w2s.sources._policies import POLICIES
from sklearn_w2s.sources._pool import PoolReader
from sklearn_w2s.sources._rewards import PoolRows
from sklearn_w2s.sources._setup import (
    describe_arm,
    make_detector,
    new_drawing,
    require_burn_in,
)
from sklearn_w2s.sources._state import SelectionState


class UCBSourceSelector(
    DiagramMixin,
    NestedParamsMixin,
    VersionStampMixin,
    LiveSources,
    SelectionState,
    PredictionDelegate,
    MetaEstimatorMixin,
    BaseEstimator,
):
    r"""Draw rows from the sources of the highest overlap density, then fit on them.

    Unlabeled rows come from several sources, and a strong estimator gains most from
    rows in which both patterns overlap. How dense they are in a source is unknown
    before rows are drawn from it: a bandit. Every round draws one batch from the source
    whose upper confidence bound on the overlap density is largest [1]_. Rows with a
    label are at hand: they train the overlap detector's weak estimator and are always
    part of the selection, on which `estimator` is fitted.

    Where every row has a label, all rows are in the pool, and labels come with the rows
    drawn.

    Parameters
    ----------
    estimator : estimator instance, default=None
        Fitted on the selected rows, asked for predictions. It has to understand
        `missing_label` where rows are unlabeled, as
        :class:`~sklearn_w2s.WeakToStrongClassifier` does. None selects only.
    overlap_detector : estimator instance, default=None
        Its `predict` names the region of each row. It is cloned and fitted once, on the
        rows at hand and those of the burn-in, whose regions are its `regions_`; a
        fitted one, wrapped in :class:`~sklearn.frozen.FrozenEstimator`, is used as it
        is. None is an :class:`~sklearn_w2s.OverlapDetector` with its defaults.
    n_rounds : int, default=None
        Rounds at most, the burn-in and failures included. None sets no limit.
    batch_size : int, default=32
        Rows drawn per round; fewer where the source or a budget runs out.
    budget : int, default=None
        Rows drawn at most. Without any limit all sources are drawn until they are
        empty.
    cost_budget : float, default=None
        Cost of the rows at most, in the unit of `costs`.
    confidence : float, default=None
        Stop when the best source is known with this probability, in (0, 1), see Notes.
        `policy="kl_lucb"` gets there with the fewest rows; the default, which collects
        overlap on the way, may need many times as many.
    policy : str or callable, default="kl_ucb"
        Index of the sources: "kl_ucb", "kl_lucb", "ucb1", "ucb_tuned", "thompson",
        "paper", "reference", "greedy" or "random", see Notes. A callable gets the
        statistics, an object with the arrays `n_pulls` (rounds), `drawn` and `found`
        (rows rated, overlap rows), `cost`, `is_open`, `pool` (rows at the start), each
        of shape (n_sources,), with `horizon` (rounds in all), `alpha` and `rng`; it
        returns one number per source.
    alpha : float, default=1.0
        Exploration coefficient, 0 or more. "greedy" and "random" ignore it.
    costs : dict of str to float, default=None
        Cost of a row by name of the source, positive. Indices and ranking are per unit
        of cost. None is 1 for all.
    reward : callable, default=None
        ``reward(detector, X, y)`` returns what each row of a batch is worth, in [0, 1].
        None is 1 for overlap rows and 0 for others.
    detection_rates : tuple of two float or dict of str to such, default=None
        Sensitivity and fall-out of the detector, the shares of overlap rows and of
        others that it calls overlap, as an audit finds them; of all sources or by name.
        Indices and densities are corrected by them. None leaves them uncorrected.
    detection : {"frozen", "history"}, default="frozen"
        "frozen" fits the detector once, after the burn-in, so that rewards of all
        rounds are alike. "history" fits it in every round on all rows drawn so far and
        rates them all again, which costs more from round to round.
    burn_in : int, default=1
        Draws of every source before the policy chooses it.
    max_failures : int, default=3
        Failures in a row after which a live source is retired.
    timeout : float, default=None
        Seconds after which a live source that gives nothing has failed. None waits.
    warm_start : bool, default=False
        Whether `fit_sources` goes on with the run before, in place of a new one.
    checkpoint : path-like, default=None
        Folder in which `fit_sources` keeps every step, one file each, without pickles.
        If it holds a run, that goes on. None keeps nothing on disk.
    missing_label : scalar, default=-1
        Label of unlabeled rows. None, NaN, NaT and pandas.NA are such labels as well.
    random_state : int, RandomState instance or None, default=None
        Shuffles the rows of each source, draws for "random", and seeds every
        `random_state` of detector and estimator that is None.

    Attributes
    ----------
    estimator_ : estimator
        Fitted on ``X[sample_indices_]``. Only where `estimator` is given. An XGBoost
        model is found in its attribute `estimator_`, a skorch net in `net_`.
    overlap_detector_ : estimator
        The fitted overlap detector.
    classes_ : ndarray of shape (n_classes,)
        Class labels of `estimator_`, if it has any.
    sources_ : ndarray of shape (n_sources,)
        Names of the sources: sorted, or as they came to `fit_sources` and `pull`.
    ranking_ : ndarray of shape (n_sources,)
        Names of the sources, highest estimated density per cost first, those of which
        nothing was drawn last.
    overlap_density_ : ndarray of shape (n_sources,)
        Share of overlap rows among the rows drawn, or mean reward, corrected by
        `detection_rates`; NaN where nothing was drawn.
    overlap_density_interval_ : ndarray of shape (n_sources, 2)
        Their 95% intervals (Wilson), shorter the more of a finite source was drawn.
    ucb_ : ndarray of shape (n_sources,)
        Index of each source after the last round; NaN where nothing was drawn.
    n_pulls_ : ndarray of shape (n_sources,)
        Rounds in which the source was drawn.
    n_samples_drawn_ : ndarray of shape (n_sources,)
        Rows drawn.
    exhausted_ : ndarray of shape (n_sources,) of bool
        Whether no more is drawn: no row is left, or the source was retired.
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
        One entry per round, ready for a data frame: "round" from 0, "source" (its
        name), "n_drawn", "n_overlap" (rows), "overlap_density", "density_low" and
        "density_high" (estimate for this source after the round), "index" (by which it
        was chosen; NaN in the burn-in), "cost", "error" (empty where rows came).
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
      to tell which source is best, not to collect overlap on the way;
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

    With scikit-learn 1.9 or later, callbacks given to ``set_callbacks`` are told of the
    tasks "draw", with every "round", and "estimator", and of what an estimator that
    supports callbacks tells itself. They cannot stop the drawing, and see the labeled
    rows of the selection only, at the end.

    Deviations from the paper: by default *rows* are counted, not rounds, since a batch
    of b rows says b times as much as one row; thresholds and references of the detector
    are fixed after the burn-in, so that rewards are comparable between rounds, where
    the published code finds new thresholds for every batch; pools are finite.
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
        estimator=None,
        *,
        overlap_detector=None,
        n_rounds=None,
        batch_size=32,
        budget=None,
        cost_budget=None,
        confidence=None,
        policy="kl_ucb",
        alpha=1.0,
        costs=None,
        reward=None,
        detection_rates=None,
        detection="frozen",
        burn_in=1,
        max_failures=3,
        timeout=None,
        warm_start=False,
        checkpoint=None,
        missing_label=-1,
        random_state=None,
    ):
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
    def fit(self, X, y=None, *, sample_source=None, **params):
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
            detector takes `missing_label` for a class, or if an argument does not fit.
        """
        forget_fit(self)
        routed = self._route_fit(params, sample_source)
        # The parts refuse what they do not take.
        X = check_features(self, X, reset=True, allow_nan=True)
        y, labeled = self._check_target(X, y)
        in_pool = labeled if labeled.all() else ~labeled
        sources, codes = check_sources(sample_source, X)
        rng = check_random_state(self.random_state)
        seeds = None if self.random_state is None else rng

        at_hand = np.flatnonzero(~in_pool)
        drawing = new_drawing(self, PoolRows(X, y, at_hand), rng)
        self._open_pool(drawing, in_pool, codes, sources, rng)
        tasks = self._begin_drawing_tasks()
        with self._task_of_rounds(tasks, drawing.bandit) as rounds:
            self.stop_reason_ = drawing.play(rounds.tell)
        drawing.close()

        self.overlap_detector_ = drawing.rater.detector
        drawn = np.concatenate([rows for _, rows in drawing.batches])
        # What was counted is kept, and not the table that it was counted of.
        drawing.rater.forget_rows()
        drawing.batches.clear()
        selected = np.sort(np.concatenate([at_hand, drawn]))
        X, y = safe_indexing(X, selected), None if y is None else y[selected]
        routed = take_metadata(routed, selected, len(labeled))
        self._fit_estimator(tasks, X, y, routed, seeds)
        if not labeled.all():
            self._require_unlearned(y)
        self.drawn_indices_ = drawn
        self.sample_indices_ = selected
        self._drawing_ = drawing
        self._end_drawing_tasks(tasks, X, y)
        return self

    @available_if(lambda self: hasattr(self.estimator, "score"))
    def score(self, X, y, **params):
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

    def _unfitted_part(self):
        return self.estimator

    def _check_target(self, X, y):
        if y is None:
            return None, np.zeros(n_rows(X), dtype=bool)
        labels, labeled = check_labels(y, self.missing_label)
        check_consistent_length(X, labeled)
        return mark_unlabeled(labels, labeled, self.missing_label), labeled

    def _open_pool(self, drawing, in_pool, codes, sources, rng):
        rows = np.flatnonzero(in_pool)
        by_source = rows[np.argsort(codes[rows], kind="stable")]
        ends = np.cumsum(np.bincount(codes[rows], minlength=len(sources)))
        pools = np.split(by_source, ends[:-1])
        require_burn_in(self, np.array([len(pool) for pool in pools]))
        for position, (name, pool) in enumerate(
            zip(sources.tolist(), pools, strict=True)
        ):
            reader = PoolReader(name, rng.permutation(pool))
            drawing.add(pool, reader, **describe_arm(self, name))
            if reader.has_ended:
                drawing.bandit.close(position)

    def _route_fit(self, params, sample_source):
        if sample_source is None or not routing_enabled():
            return self._route("fit", params)
        return self._route("fit", params, sample_source=sample_source)

    def get_metadata_routing(self):
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
            tags.input_tags.positive_only = nested.input_tags.positive_only
        tags.input_tags.sparse = all(get_tags(p).input_tags.sparse for p in parts)
        tags.input_tags.allow_nan = all(accepts_missing(part) for part in parts)
        tags.target_tags.required = any(
            get_tags(part).target_tags.required
            for part in parts
            if not isinstance(part, FrozenEstimator)
        )
        return tags

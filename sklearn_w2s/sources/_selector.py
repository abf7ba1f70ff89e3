"""UCBSourceSelector: draw rows from the sources of the highest overlap density."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import check_random_state, column_or_1d, get_tags
from sklearn.utils.metadata_routing import MetadataRouter
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from sklearn_w2s._algorithms.overlap import OVERLAP
from sklearn_w2s._delegation import (
    PredictionDelegate,
    prediction_mapping,
    take_labeled,
)
from sklearn_w2s._fitting import forget_fit, take_metadata
from sklearn_w2s._sklearn import (
    HasMethods,
    Interval,
    StrOptions,
    fit_context,
    routing_enabled,
    safe_indexing,
    seed_nested,
)
from sklearn_w2s._validation import (
    accepts,
    check_features,
    check_labels,
    check_sources,
    is_class,
    n_rows,
)
from sklearn_w2s.overlap import OverlapDetector
from sklearn_w2s.sources._engine import RowPool, SourceBandit, draw_each, play
from sklearn_w2s.sources._policies import POLICIES


class UCBSourceSelector(PredictionDelegate, MetaEstimatorMixin, BaseEstimator):
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
        Rounds at most, the burn-in included. None sets no limit.
    batch_size : int, default=32
        Rows drawn per round; fewer where the source or the budget runs out.
    budget : int, default=None
        Rows drawn at most. With neither `n_rounds` nor `budget` all sources are drawn
        until they are empty.
    policy : str or callable, default="kl_ucb"
        Index of the sources: "kl_ucb", "ucb1", "paper", "reference" or "random", see
        Notes. A callable gets the statistics, an object with the arrays `n_pulls`
        (rounds), `drawn` and `found` (rows, overlap rows), `pool` (rows at the start),
        each of shape (n_sources,), with `horizon` (rounds in all), `alpha` and `rng`;
        it returns one number per source.
    alpha : float, default=1.0
        Exploration coefficient, 0 or more. "random" ignores it.
    burn_in : int, default=1
        Draws of every source, in the order of `sources_`, before the detector is fitted
        and the policy chooses.
    missing_label : scalar, default=-1
        Label of unlabeled rows.
    random_state : int, RandomState instance or None, default=None
        Shuffles the rows of each source, draws for "random", and seeds every
        `random_state` of detector and estimator that is None.

    Attributes
    ----------
    estimator_ : estimator
        Fitted on ``X[sample_indices_]``. Only where `estimator` is given.
    overlap_detector_ : estimator
        The fitted overlap detector.
    classes_ : ndarray of shape (n_classes,)
        Class labels of `estimator_`, if it has any.
    sources_ : ndarray of shape (n_sources,)
        Sorted names of the sources.
    ranking_ : ndarray of shape (n_sources,)
        Names of the sources, highest estimated density first, those of which nothing
        was drawn last.
    overlap_density_ : ndarray of shape (n_sources,)
        Share of overlap rows among the rows drawn; NaN where nothing was drawn.
    ucb_ : ndarray of shape (n_sources,)
        Index of each source after the last round; NaN where nothing was drawn.
    n_pulls_ : ndarray of shape (n_sources,)
        Rounds in which the source was drawn.
    n_samples_drawn_ : ndarray of shape (n_sources,)
        Rows drawn.
    exhausted_ : ndarray of shape (n_sources,) of bool
        Whether no row is left.
    drawn_indices_ : ndarray of shape (n_drawn,)
        Rows of X drawn from the pool, in the order drawn.
    sample_indices_ : ndarray of shape (n_selected,)
        Rows of X at hand or drawn, ascending.
    history_ : dict of str to ndarray of shape (n_rounds,)
        One entry per round, ready for a data frame: "round" from 0, "source" (its
        name), "n_drawn", "n_overlap" (rows), "overlap_density" (estimate for this
        source after the round), "index" (by which it was chosen; NaN in the burn-in).
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
    the rows drawn of all sources, N the rows of the source and T the rounds in all, the
    source of the largest index is drawn next:

    - "kl_ucb": :math:`\max\{q : n\,\mathrm{kl}(o, q) \le \alpha \rho \log t\}` with
      :math:`\mathrm{kl}` the divergence of Bernoulli distributions [2]_ and
      :math:`\rho` from 1 down to 0 as n goes to N, for drawing without replacement;
    - "ucb1": :math:`o + \alpha \sqrt{\log t / (2n)}` [3]_;
    - "paper": :math:`o + \alpha \sqrt{2 \log T / m}` [1]_;
    - "reference": :math:`o + \alpha \sqrt{2 \log T} / m`, as in the published code;
    - "random": a uniform choice among the sources that are not empty.

    T is the least of `n_rounds`, the full batches in `budget` and the batches in the
    pool. Ties go to the source with the fewest rows drawn, then to the first. Empty
    sources drop out.

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
        "policy": [StrOptions(set(POLICIES)), callable],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "burn_in": [Interval(Integral, 1, None, closed="left")],
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
        policy="kl_ucb",
        alpha=1.0,
        burn_in=1,
        missing_label=-1,
        random_state=None,
    ):
        self.estimator = estimator
        self.overlap_detector = overlap_detector
        self.n_rounds = n_rounds
        self.batch_size = batch_size
        self.budget = budget
        self.policy = policy
        self.alpha = alpha
        self.burn_in = burn_in
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
            Source of each row. None means that all come from one source, "all".
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
        X = check_features(self, X, reset=True)
        y, labeled = self._check_target(X, y)
        in_pool = labeled if labeled.all() else ~labeled
        sources, codes = check_sources(sample_source, X)
        rng = check_random_state(self.random_state)
        seeds = None if self.random_state is None else rng

        pool = self._open_pool(in_pool, codes, len(sources), rng)
        bandit = SourceBandit(
            pool.sizes, self.policy, horizon=pool.horizon, alpha=self.alpha, rng=rng
        )
        at_hand = np.flatnonzero(~in_pool)
        batches = self._burn_in(X, y, at_hand, pool, bandit, seeds)
        batches += play(
            pool, bandit, lambda _, rows: _count_overlap(self._predict_regions(X, rows))
        )

        drawn = np.concatenate(batches)
        selected = np.sort(np.concatenate([at_hand, drawn]))
        self._fit_estimator(X, y, selected, routed, seeds)
        if not labeled.all():
            self._require_unlearned()
        self.sources_ = sources
        self.drawn_indices_ = drawn
        self.sample_indices_ = selected
        self._store(pool, bandit)
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
        X = check_features(self, X, reset=False)
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
        _, labeled = check_labels(y, self.missing_label)
        check_consistent_length(X, y)
        return column_or_1d(y), labeled

    def _open_pool(self, in_pool, codes, n_sources, rng):
        rows = np.flatnonzero(in_pool)
        by_source = rows[np.argsort(codes[rows], kind="stable")]
        ends = np.cumsum(np.bincount(codes[rows], minlength=n_sources))
        pool = RowPool(
            np.split(by_source, ends[:-1]),
            batch_size=self.batch_size,
            n_rounds=self.n_rounds,
            budget=self.budget,
            rng=rng,
        )
        limits = {"n_rounds": self.n_rounds, "budget": self.budget}
        needs = dict(zip(limits, pool.burn_in_needs(self.burn_in), strict=True))
        for name, limit in limits.items():
            if limit is not None and limit < needs[name]:
                msg = (
                    f"{name}={limit} does not cover the burn-in, which needs "
                    f"{needs[name]}: {n_sources} sources, burn_in={self.burn_in}, "
                    f"batch_size={self.batch_size}. Raise {name}, or lower batch_size "
                    "or burn_in."
                )
                raise ValueError(msg)
        return pool

    def _burn_in(self, X, y, at_hand, pool, bandit, seeds):
        """Draw every source, fit the detector on it all, and count the rounds."""
        rounds = draw_each(pool, self.burn_in)
        batches = [rows for _, rows in rounds]
        rows = np.sort(np.concatenate([at_hand, *batches]))
        detector = seed_nested(clone(self._detector()), seeds)
        detector.fit(safe_indexing(X, rows), None if y is None else y[rows])
        self.overlap_detector_ = detector
        for source, batch in rounds:
            if isinstance(detector, FrozenEstimator):
                regions = self._predict_regions(X, batch)
            else:
                regions = detector.regions_[np.searchsorted(rows, batch)]
            bandit.record(source, len(batch), _count_overlap(regions))
        return batches

    def _predict_regions(self, X, rows):
        return self.overlap_detector_.predict(safe_indexing(X, rows))

    def _fit_estimator(self, X, y, rows, routed, seeds):
        if self.estimator is None:
            return
        estimator = seed_nested(clone(self.estimator), seeds)
        estimator.fit(
            safe_indexing(X, rows),
            None if y is None else y[rows],
            **take_metadata(routed, rows, n_rows(X)),
        )
        self.estimator_ = estimator
        if hasattr(estimator, "classes_"):
            self.classes_ = estimator.classes_

    def _require_unlearned(self):
        """Refuse a part that took unlabeled rows for a class of their own."""
        for name in ("overlap_detector", "estimator"):
            fitted = getattr(self, f"{name}_", None)
            classes = np.asarray(getattr(fitted, "classes_", ())).tolist()
            if is_class(self.missing_label, classes):
                msg = (
                    f"{name}={fitted!r} learned missing_label={self.missing_label!r} "
                    f"as one of its classes {classes}. Pass one that takes unlabeled "
                    "rows, as WeakToStrongClassifier does, with the same missing_label."
                )
                raise ValueError(msg)

    def _store(self, pool, bandit):
        self.n_pulls_ = bandit.n_pulls
        self.n_samples_drawn_ = bandit.drawn
        self.overlap_density_ = bandit.density
        self.ucb_ = bandit.index()
        self.ranking_ = self.sources_[np.argsort(-bandit.density, kind="stable")]
        self.exhausted_ = pool.remaining == 0
        self.history_ = bandit.history(self.sources_)

    def _detector(self):
        if self.overlap_detector is None:
            return OverlapDetector(missing_label=self.missing_label)
        return self.overlap_detector

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

    def __sklearn_is_fitted__(self):
        return hasattr(self, "history_") and (
            self.estimator is None or hasattr(self, "estimator_")
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        parts = [self._detector()]
        if self.estimator is not None:
            parts.append(self.estimator)
            # Field by field: the tags of a frozen estimator would skip every check.
            nested = get_tags(self.estimator)
            tags.estimator_type = nested.estimator_type
            tags.classifier_tags = nested.classifier_tags
            tags.input_tags.positive_only = nested.input_tags.positive_only
        for kind in ("sparse", "allow_nan"):
            setattr(tags.input_tags, kind, all(accepts(part, kind) for part in parts))
        tags.target_tags.required = any(
            get_tags(part).target_tags.required
            for part in parts
            if not isinstance(part, FrozenEstimator)
        )
        return tags


def _count_overlap(regions):
    return int(np.count_nonzero(np.asarray(regions) == OVERLAP))

"""What weak-to-strong classifiers and regressors share: the steps of a fit."""

from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import check_scoring
from sklearn.utils import check_random_state, get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping
from sklearn.utils.validation import check_is_fitted

from sklearn_w2s._algorithms.weak_labels import as_counts
from sklearn_w2s._cross_fit import held_out_folds, split_arguments
from sklearn_w2s._delegation import prediction_mapping
from sklearn_w2s._display import DiagramMixin, ProgressMixin, Steps, name_of
from sklearn_w2s._early_stopping import stops_early
from sklearn_w2s._estimators import NestedParamsMixin, draw_seed, seed_nested
from sklearn_w2s._fitting import adapt, fit_arguments, splits_inside
from sklearn_w2s._sklearn import HasMethods, StrOptions, raise_for_params, safe_indexing
from sklearn_w2s._validation import (
    accepts_missing,
    check_features,
    check_new_rows,
    refuse_missing,
    strict_readers,
)
from sklearn_w2s._warnings import warn
from sklearn_w2s._weak import (
    fit_weak,
    give_weak_view,
    is_given,
    resolve_columns,
    select_columns,
)
from sklearn_w2s.overlap import OverlapDetector
from sklearn_w2s.persistence import VersionStampMixin
from sklearn_w2s.weak_to_strong._batches import BatchMixin
from sklearn_w2s.weak_to_strong._rows import gather
from sklearn_w2s.weak_to_strong._strategies import N_NEIGHBORS
from sklearn_w2s.weak_to_strong._student import NO_ROWS, PLAIN, Pupil, Student
from sklearn_w2s.weak_to_strong._views import View, search_for

# Of fewer true labels, the loss says too little about when to stop.
LEAST_TO_STOP_ON = 100

# Of the parameters that both have.
CONSTRAINTS = {
    "weak_estimator": "no_validation",
    "strong_estimator": "no_validation",
    "weak_features": "no_validation",
    "overlap_detector": [HasMethods(["fit", "get_support"]), None],
    "neighbors": [HasMethods(["fit_transform", "transform"]), None],
    "scoring": [str, callable, None],
    "fallback": [StrOptions({"warn", "raise"})],
    "include_labeled": ["boolean"],
    "store_rows": ["boolean"],
    "memory": [str, HasMethods(["cache"]), None],
    "n_jobs": [Integral, None],
    "verbose": ["verbose"],
    "random_state": ["random_state"],
}


class WeakToStrong(
    BatchMixin,
    DiagramMixin,
    NestedParamsMixin,
    VersionStampMixin,
    ProgressMixin,
    MetaEstimatorMixin,
    BaseEstimator,
):
    """Fit the weak estimator, label the unlabeled rows, fit the strong estimator.

    Subclasses define what labels are: `_check_target`, `_choose`, `_lesson` and others.
    """

    _are_values = False

    def _fit(self, X, y, given, sample_weight, params):
        """Fit; `given` are weak labels of an estimator that is not at hand, or None."""
        raise_for_params(params, self, "fit")
        X = self._check_rows(X, asks_weak=given is None)
        rows = self._check_target(X, y, sample_weight)
        rng = check_random_state(self.random_state)
        seeds = None if self.random_state is None else rng
        weak_fit, strong_fit = fit_arguments(
            self, ["weak_estimator", "strong_estimator"], rows.sample_weight, params
        )
        pupil, folds = self._hold_out_to_stop(
            rows, Pupil(clone(self._strong()), *strong_fit), rng, params
        )
        # Without one, members are weighed by the likelihood.
        scorer = self.scoring and check_scoring(self, scoring=self.scoring)
        strategy = self._choose(rows, pupil)
        self._require_use_of_neighbors(strategy)
        needs_regions = strategy.needs_regions or self.overlap_detector is not None
        is_taught = strategy.teacher is not None
        tasks = self._begin_tasks(2 + needs_regions + is_taught)
        # With the per cent of a fit that each takes, about, with default estimators.
        costs = (
            {"Fitting weak_estimator": 3}
            | ({"Fitting overlap_detector": 1} if needs_regions else {})
            | (strategy.teacher.steps if is_taught else {})
            | {"Fitting strong_estimator": 40}
        )
        step = Steps(self, costs).step
        with self._task(tasks, "weak"), step("Fitting weak_estimator"):
            needs_folds = (
                needs_regions
                or strategy.needs_errors
                or getattr(strategy.teacher, "needs_labels", False)
            )
            folds = (
                (folds or self._hold_out(rows, rng, params)) if needs_folds else None
            )
            weak, proba = self._fit_weak(rows, given, weak_fit, folds, seeds)
            self._heed_decisions(weak, strategy)
        regions = taught = None
        if needs_regions:
            with self._task(tasks, "regions"), step("Fitting overlap_detector"):
                regions = self._find_regions(rows, weak, proba, given, seeds)
                self._require_use_of_regions(strategy)
        if is_taught:
            with self._task(tasks, "lesson"):
                known, places = gather(
                    rows,
                    weak,
                    proba,
                    pupil,
                    folds,
                    teacher=strategy.teacher,
                    keeps_folds=not isinstance(self._detector().cv, Real | None),
                    is_given_weak=given is not None or is_given(self._weak()),
                    has_own_proba=given is not None,
                    include_labeled=self.include_labeled,
                    neighbors=self.neighbors,
                    seed=None if self.random_state is None else draw_seed(rng),
                )
                taught, lesson = self._ask_teacher(
                    strategy.teacher, known, places, regions, scorer, rows, step
                )
        pupil = pupil._replace(estimator=seed_nested(pupil.estimator, seeds))
        with (
            self._task(tasks, "strong", part=pupil.estimator),
            step("Fitting strong_estimator"),
        ):
            if is_taught:
                student = self._teach(rows, pupil, lesson, taught, proba, rng)
            else:
                student = self._imitate(
                    rows, pupil, strategy, weak, proba, regions, rng
                )
        self._keep(rows, student, weak, proba, taught)
        self._end_tasks(tasks, X, y, rows.sample_weight)
        return self

    def _check_rows(self, X, *, asks_weak):
        """Check the rows of a fit, and keep which estimators refuse missing values."""
        X = check_features(self, X, reset=True, allow_nan=True)
        self._weak_columns_ = resolve_columns(self.weak_features, X)
        readers = [("strong_estimator", self._strong(), None)]
        if asks_weak:
            readers.insert(0, ("weak_estimator", self._weak(), self._weak_columns_))
        representation = getattr(self.overlap_detector, "representation", None)
        if hasattr(representation, "fit"):
            readers.append(("overlap_detector.representation", representation, None))
        self._strict_readers_ = strict_readers(readers)
        refuse_missing(X, self._strict_readers_)
        return X

    def _require_use_of_regions(self, strategy):
        """Warn about thresholds that the user has set, and "auto" does not use."""
        detector = self.overlap_detector
        takes = getattr(strategy.teacher, "takes_regions", strategy.needs_regions)
        if self.strategy != "auto" or takes:
            return
        names = ("confidence_threshold", "overlap_threshold")
        thresholds = {name: getattr(detector, name, "auto") for name in names}
        chosen = [
            n for n, t in thresholds.items() if not isinstance(t, str) or t != "auto"
        ]
        if chosen:
            warn(
                f"{chosen} of overlap_detector change no prediction: "
                f'strategy="auto" is "{self.strategy_}" here, which uses no regions. '
                '"confident" and "overlap" do, and with labels enough "mix" and '
                '"blend".',
            )

    def _require_use_of_neighbors(self, strategy):
        """Warn about a neighbour search that the strategy does not need."""
        takes = getattr(strategy.teacher, "takes_neighbors", strategy.needs_neighbors)
        if self.neighbors is not None and not takes:
            warn(
                f"neighbors={self.neighbors!r} changes nothing: "
                f"strategy={name_of(self.strategy_)!r} looks for no neighbours. "
                '"cut_statistic", "smooth", "blend" and "co_train" do.',
            )

    def _fall_back(self, message):
        """Warn about a fall back to another strategy, or refuse it."""
        if self.fallback == "raise":
            raise ValueError(message)
        warn(message)

    def _hold_out(self, rows, rng, params):
        """Return the folds of labeled rows, which all parts that need them share."""
        return held_out_folds(
            self._detector().cv,
            rows.X,
            rows.labels,
            rows.labeled,
            rows.weights,
            rng=rng,
            split_params=split_arguments(self, params),
            are_values=self._are_values,
        )

    def _hold_out_to_stop(self, rows, pupil, rng, params):
        """Return the pupil with the rows that it may stop on, and the folds, if any.

        They are the labeled rows that the first fold holds out, if they are enough.
        """
        may_stop = stops_early(pupil.estimator, len(rows.labeled), pupil.params)
        if not may_stop or len(rows.known) < LEAST_TO_STOP_ON or rows.unknown_columns:
            return pupil, None
        folds = self._hold_out(rows, rng, params)
        if not folds:
            return pupil, folds
        train, test = folds[0]
        if not self._are_values:
            test = test[np.isin(rows.labels[test], rows.labels[train])]
        held = np.intersect1d(np.flatnonzero(rows.labeled)[test], rows.known)
        if as_counts(rows.weights[held]).sum() >= LEAST_TO_STOP_ON:
            pupil = pupil._replace(stop_on=held)
        return pupil, folds

    def _fit_weak(self, rows, given, arguments, folds, seeds):
        """Set the weak estimator; return it and its labels of all rows."""
        weights, params = arguments
        weak, proba = fit_weak(
            self._weak(),
            rows.X,
            rows.labels,
            rows.labeled,
            columns=self._weak_columns_,
            weak_proba=given,
            sample_weight=weights,
            params=params,
            folds=folds,
            memory=self.memory,
            n_jobs=self.n_jobs,
            seeds=seeds,
            are_values=self._are_values,
        )
        self.weak_estimator_ = weak.estimator
        if not self._are_values:
            self.classes_ = weak.classes
        return weak, proba

    def _find_regions(self, rows, weak, proba, given, seeds):
        """Fit the detector to the weak labels; return the regions of all rows."""
        detector, estimator = clone(self._detector()), weak.estimator
        if estimator is not None and not isinstance(estimator, FrozenEstimator):
            estimator = FrozenEstimator(estimator)
        give_weak_view(
            detector,
            estimator,
            weak_features=self.weak_features,
            missing_label=self.missing_label,
        )
        seed_nested(detector, seeds).fit(
            rows.X,
            sample_weight=rows.sample_weight,
            **self._for_detector(rows, weak, proba, given),
        )
        self.overlap_detector_ = detector
        self.overlap_density_ = detector.overlap_density_
        return np.asarray(detector.regions_)

    def _ask_teacher(self, teacher, known, places, regions, scorer, rows, step):
        """Return what the teacher finds, and what the strong estimator is to learn."""
        if regions is not None:
            labeled = places.labeled[places.first]
            regions = regions[labeled], regions[places.others]
        taught = teacher.teach(
            known,
            regions=regions,
            scorer=scorer,
            memory=self.memory,
            n_jobs=self.n_jobs,
            step=step,
        )
        self.evidence_, taught = taught.evidence, places.spread(taught)
        return taught, self._lesson(teacher, known, taught, rows)

    def _teach(self, rows, pupil, lesson, taught, weak_proba, rng):
        """Teach the strong estimator, or let one parent predict alone."""
        may_abstain = self.strategy == "auto"
        if may_abstain and taught.alone == "strong":
            return self._learn_labels(rows, pupil, lesson)
        student = self._train_student(rows, pupil, lesson, rng)
        alone = None
        # Without labels there is no evidence for either.
        if may_abstain and taught.evidence:
            alone = self._better_parent(rows, student, lesson, taught, weak_proba)
        if alone == "strong":
            pupil = pupil._replace(estimator=clone(pupil.estimator))
            return self._learn_labels(rows, pupil, lesson)
        if alone == "weak" and self.weak_estimator_ is not None:
            self.strategy_ = "weak"
        else:
            self._warn_if_behind(student)
        return student

    def _learn_labels(self, rows, pupil, lesson):
        """Let the strong estimator learn from the labels alone."""
        self.strategy_ = "strong_on_labels"
        return self._train(rows, pupil, lesson.proba, rows.labeled.astype(np.float64))

    def _represent(self, rows, strategy, rng):
        """Return the rows that a strategy may use, by position, and what they are."""
        # Rows of weight zero are not neighbours of any row.
        kept = np.flatnonzero(
            rows.weights if strategy.needs_neighbors else np.ones_like(rows.weights)
        )
        if callable(self.strategy):
            return kept, self.overlap_detector_.represent(rows.X)
        if not strategy.needs_neighbors or len(kept) < 2:
            return kept, None
        view = View(rows.X, kept, rng)
        numbers = view.numbers(safe_indexing(rows.X, kept), "ranked")
        search = search_for(
            numbers, N_NEIGHBORS, given=self.neighbors, rng=rng, n_jobs=self.n_jobs
        )
        return kept, search.own()

    def _train(self, rows, pupil, targets, train_weight):
        """Train the strong estimator on targets as they are."""
        if not (train_weight * rows.weights).any():
            msg = (
                "No row is left to train the strong estimator on: "
                f"{rows.labeled.sum()} of {len(rows.labeled)} rows are labeled and "
                f"include_labeled={self.include_labeled}. Pass unlabeled rows, or "
                "include the labeled."
            )
            raise ValueError(msg)
        if self.strategy_ == "strong_on_labels" and splits_inside(
            pupil.estimator, len(rows.known)
        ):
            # It holds out true labels by itself, and fewer.
            pupil = pupil._replace(stop_on=NO_ROWS)
        classes = None if self._are_values else self.classes_
        weights = pupil.learn(rows.X, targets, classes, train_weight, rows.weights)
        return Student(pupil.estimator, PLAIN, targets, weights, False, NO_ROWS, np.nan)

    def _keep(self, rows, student, weak, proba, taught):
        """Keep the estimator that predicts, and a table of the rows if asked for."""
        self.strong_estimator_ = student.estimator
        self.estimator_ = student.estimator
        if self.strategy_ == "weak":
            self.estimator_ = weak.estimator
        detector = getattr(self, "overlap_detector_", None)
        if self.store_rows:
            self.rows_ = self._table(rows, weak, student, proba, taught, detector)
        if detector is not None:
            detector.forget_rows()

    def _input(self, method, X, params):
        """Return rows and metadata as the estimator that predicts takes them."""
        check_is_fitted(self)
        params = self._route(method, params)
        X = check_new_rows(self, X)
        if self.strategy_ == "weak":
            return select_columns(X, self._weak_columns_), {}
        return X, params

    def _unfitted_part(self):
        return self._strong()

    def _weak(self):
        if self.weak_estimator is None:
            return self._default_weak()
        return adapt(self.weak_estimator)

    def _strong(self):
        if self.strong_estimator is None:
            return self._default_strong()
        return adapt(self.strong_estimator)

    def _detector(self):
        if self.overlap_detector is None:
            return OverlapDetector()
        return self.overlap_detector

    def _default_parts(self):
        return {"overlap_detector": OverlapDetector()}

    def _findings(self):
        found = f"strategy: {name_of(self.strategy_)}"
        weights = getattr(self, "evidence_", {}).get("weights", {})
        shown = [f"{name} {weight:.2f}" for name, weight in weights.items() if weight]
        if shown:
            found += f" of {', '.join(shown)}"
        if hasattr(self, "overlap_density_"):
            found += f", overlap density: {self.overlap_density_:.2f}"
        return f"{found}; predicts: {type(self.estimator_).__name__}"

    def get_metadata_routing(self) -> Any:
        """Say which metadata this estimator uses and what it passes on.

        Returns
        -------
        MetadataRouter
            Routing information.
        """
        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(
                weak_estimator=self._weak(),
                method_mapping=MethodMapping()
                .add(caller="fit", callee="fit")
                .add(caller="partial_fit", callee="partial_fit"),
            )
            .add(
                strong_estimator=self._strong(),
                method_mapping=prediction_mapping("fit", "partial_fit"),
            )
            .add(
                # Any object with `fit` and `get_support` may find regions.
                splitter=getattr(self._detector(), "cv", None),
                method_mapping=MethodMapping().add(caller="fit", callee="split"),
            )
        )

    def __sklearn_is_fitted__(self):
        return hasattr(self, "estimator_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        weak, strong = self._weak(), self._strong()
        parts = [weak, strong]
        if self.overlap_detector is not None:
            parts.append(self.overlap_detector)
        readers = parts if self.neighbors is None else [*parts, self.neighbors]
        tags.input_tags.sparse = all(get_tags(p).input_tags.sparse for p in readers)
        tags.input_tags.allow_nan = all(accepts_missing(p) for p in parts)
        tags.input_tags.positive_only = any(
            get_tags(part).input_tags.positive_only for part in (weak, strong)
        )
        return tags

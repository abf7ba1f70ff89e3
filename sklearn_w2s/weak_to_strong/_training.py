"""The phases of a fit: weak estimator, regions, lesson, targets, strong estimator."""

import numpy as np
from sklearn.base import BaseEstimator, clone

from sklearn_w2s._algorithms.weak_labels import one_hot, unit_mean
from sklearn_w2s._fitting import fit_on_targets, learns_softly
from sklearn_w2s._progress import ProgressMixin
from sklearn_w2s._sklearn import safe_indexing, seed_nested
from sklearn_w2s._weak import fit_weak, resolve_columns
from sklearn_w2s.weak_to_strong._committee import Committee, may_vote
from sklearn_w2s.weak_to_strong._lessons import teach
from sklearn_w2s.weak_to_strong._regions import fit_detector
from sklearn_w2s.weak_to_strong._strategies import STRATEGIES
from sklearn_w2s.weak_to_strong._targets import keep_true_labels, weak_targets
from sklearn_w2s.weak_to_strong._views import fit_view


class TrainingMixin(ProgressMixin, BaseEstimator):
    """Train a weak estimator, then a strong one on what is made of its labels."""

    def _train(self, setting, strategy, weak_arguments):
        if strategy.teacher is not None and not setting.unlabeled.any():
            # There is nothing to teach.
            strategy = STRATEGIES["all"]
            self.strategy_ = "strong_on_labels"
        needs_regions = strategy.needs_regions or self.overlap_detector is not None
        is_taught = strategy.teacher is not None
        tasks = self._begin_tasks(2 + needs_regions + is_taught)
        with self._task(tasks, "weak"):
            held_out = needs_regions or is_taught
            self._fit_weak(setting, weak_arguments, cross_fit=held_out)
        if needs_regions:
            with self._task(tasks, "regions"):
                self._find_regions(setting)
        lesson = None
        if is_taught:
            with self._task(tasks, "lesson"):
                lesson = teach(
                    strategy.teacher,
                    setting,
                    with_students=strategy.with_students,
                    may_abstain=self.strategy == "auto",
                )
        self._set_targets(setting, strategy, lesson)
        strong = seed_nested(clone(setting.strong), setting.seeds)
        with self._task(tasks, "strong", part=strong):
            self._fit_strong(setting, strong)
        if lesson is not None:
            self._form_committee(setting, lesson)
        self._end_tasks(tasks, setting.X, setting.y, setting.sample_weight)

    def _fit_weak(self, setting, arguments, *, cross_fit):
        weights, params = arguments
        setting.weak, setting.weak_proba = fit_weak(
            self._weak(),
            setting.X,
            setting.labels,
            setting.labeled,
            columns=resolve_columns(self.weak_features, setting.X),
            weak_proba=setting.given_proba,
            sample_weight=weights,
            params=params,
            cross_fit=cross_fit,
            cv=setting.cv,
            memory=self.memory,
            n_jobs=setting.n_jobs,
            seeds=setting.seeds,
            rng=setting.rng,
        )
        self.weak_estimator_ = setting.weak.estimator
        self.weak_proba_ = setting.weak_proba
        self.classes_ = setting.weak.classes

    def _find_regions(self, setting):
        self.overlap_detector_ = fit_detector(
            clone(self._detector()),
            setting,
            weak_features=self.weak_features,
            missing_label=self.missing_label,
        )
        self.overlap_density_ = self.overlap_detector_.overlap_density_

    def _evidence(self, setting, strategy, rows):
        """Return what a strategy function gets beside the probabilities of rows."""
        regions = representation = None
        if strategy.needs_regions:
            regions = self.overlap_detector_.regions_
        if callable(self.strategy):
            representation = self.overlap_detector_.represent(setting.X)
        if strategy.needs_rows:
            view = fit_view(setting.X, None, rows, setting.rng)
            representation = view.rows(safe_indexing(setting.X, rows))
        return {
            "regions": regions,
            "representation": representation,
            "labeled": setting.labeled[rows],
            "rng": setting.rng,
        }

    def _set_targets(self, setting, strategy, lesson):
        """Set targets and weights of all rows, true labels where there are any."""
        targets = (setting.weak_proba if lesson is None else lesson.proba).copy()
        train_weight = np.zeros(len(targets))
        # Rows of weight zero are nobody's neighbours.
        rows = np.flatnonzero(
            setting.weights if strategy.needs_rows else np.ones_like(setting.weights)
        )
        targets[rows], train_weight[rows], self.strategy_ = weak_targets(
            self.strategy_,
            strategy,
            targets[rows],
            setting.unlabeled[rows],
            **self._evidence(setting, strategy, rows),
        )
        labeled, weights = setting.labeled, setting.weights
        include = self.include_labeled if lesson is None else lesson.includes_labeled
        keep_true_labels(
            targets, train_weight, setting.codes, labeled, include_labeled=include
        )
        if not (train_weight * weights).any():
            msg = (
                f"No row is left to train the strong estimator on: {labeled.sum()} of "
                f"{len(labeled)} rows are labeled and include_labeled="
                f"{self.include_labeled}. Pass unlabeled rows, or include the labeled."
            )
            raise ValueError(msg)
        if self.pseudo_labels_ == "hard":
            targets = self._harden(setting, targets, train_weight * weights > 0)
        self.label_distributions_ = targets
        self.transduction_ = self._name(targets.argmax(axis=1), setting)
        self.train_weight_ = unit_mean(train_weight * (weights > 0), weights)

    def _harden(self, setting, targets, used):
        """Return hard targets, but soft ones where those would be all of one class."""
        codes = targets.argmax(axis=1)
        is_one_class = (codes[used] == codes[used][0]).all()
        may_soften = self.pseudo_labels == "auto" and learns_softly(setting.strong)
        if is_one_class and may_soften:
            self.pseudo_labels_ = "soft"
            return targets
        return one_hot(codes, len(self.classes_))

    def _name(self, codes, setting):
        names = self.classes_[codes]
        if len(setting.labels):
            names = names.astype(np.result_type(names, setting.labels))
        names[setting.labeled] = setting.labels
        return names

    def _fit_strong(self, setting, strong):
        weighted = setting.strong_weights is not None
        if weighted:
            self.train_weight_ = self.train_weight_ * setting.strong_weights
        self.strong_estimator_ = fit_on_targets(
            strong,
            setting.X,
            self.label_distributions_,
            self.classes_,
            self.train_weight_,
            weighted=weighted,
            params=setting.strong_params,
        )

    def _form_committee(self, setting, lesson):
        """Set who predicts: all together, or one that is better alone."""
        self.evidence_ = lesson.evidence
        if lesson.alone is not None:
            self.strategy_ = lesson.alone
        votes = lesson.alone is None and may_vote(
            self.strong_estimator_, setting.X, self.transduction_, self.train_weight_
        )
        nobody_else = lesson.teacher is None and lesson.students is None
        self.committee_ = Committee(
            self.strong_estimator_ if votes or nobody_else else None,
            lesson.students,
            lesson.teacher,
            self.classes_,
        )

"""The estimator and the detector that are fitted on live sources."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

from sklearn_w2s.datasets import make_overlap_classification, make_overlap_sources
from sklearn_w2s.overlap import OverlapDetector
from sklearn_w2s.sources import UCBSourceSelector
from sklearn_w2s.weak_to_strong import WeakToStrongClassifier


def test_an_estimator_fitted_by_hand_on_the_same_rows_is_the_same():
    X, y, _ = make_overlap_classification(300, random_state=0)
    sources = make_overlap_sources((0.1, 0.5), n_samples=300, random_state=0)
    selector = UCBSourceSelector(
        LogisticRegression(),
        overlap_detector=OverlapDetector(weak_features=slice(0, 20)),
        budget=200,
        random_state=0,
    ).fit_sources(sources, X, y)
    drawn, labels, _ = selector.drawn_samples()
    by_hand = LogisticRegression().fit(
        np.concatenate([X, drawn]), np.concatenate([y, labels])
    )
    assert_allclose(selector.estimator_.coef_, by_hand.coef_)
    assert_array_equal(selector.predict(X), by_hand.predict(X))
    assert_array_equal(selector.classes_, by_hand.classes_)
    assert selector.score(X, y) == by_hand.score(X, y)


def test_unlabeled_rows_are_for_an_estimator_that_takes_them():
    X, y, _ = make_overlap_classification(300, random_state=0)
    sources = {
        name: (lambda n, source=source: source(n)[0])
        for name, source in make_overlap_sources((0.1, 0.5), random_state=0).items()
    }
    params = {
        "overlap_detector": OverlapDetector(weak_features=slice(0, 20)),
        "budget": 100,
        "random_state": 0,
    }
    strong = WeakToStrongClassifier(weak_features=slice(0, 20))
    selector = UCBSourceSelector(strong, **params).fit_sources(sources, X, y)
    assert_array_equal(selector.classes_, np.unique(y))
    with pytest.raises(ValueError, match="learned missing_label=-1"):
        UCBSourceSelector(LogisticRegression(), **params).fit_sources(sources, X, y)


def test_the_detector_is_fitted_once_on_the_rows_at_hand_and_the_first_draws(
    table, known_regions
):
    class Rows(known_regions):
        def fit(self, X, y=None):
            fits.append(len(X))
            return super().fit(X, y)

    fits = []
    UCBSourceSelector(
        overlap_detector=Rows(), batch_size=5, burn_in=2, n_rounds=20, random_state=0
    ).fit_sources(
        {"a": table(200, 0.5, 1), "b": table(200, 0.5, 2)}, table(11, 0.5), None
    )
    assert fits == [11 + 2 * 2 * 5]


def test_a_fitted_selector_keeps_the_rows_drawn_and_not_those_at_hand(
    table, known_selector
):
    sources = {"a": table(100, 0.5, 1, 300), "b": table(100, 0.1, 2, 300)}
    params = {"n_rounds": 4, "batch_size": 5, "warm_start": True}
    selector = known_selector(**params).fit_sources(sources, table(3000, 0.5, 3, 300))
    drawn, _, _ = selector.drawn_samples()
    assert len(drawn) == 20
    assert len(pickle.dumps(selector)) < drawn.nbytes + 200_000
    # A run that goes on is given the rows at hand again.
    selector.set_params(n_rounds=6).fit_sources(sources, table(3000, 0.5, 3, 300))
    assert_array_equal(selector.drawn_samples()[0][:20], drawn)
    assert selector.n_samples_drawn_.sum() == 30


def test_a_frozen_detector_is_not_fitted(table, known_regions):
    detector = known_regions().fit(table(5, 0.5))
    selector = UCBSourceSelector(
        overlap_detector=FrozenEstimator(detector), budget=40, random_state=0
    ).fit_sources({"a": table(60, 0.5, 1)})
    assert selector.overlap_detector_.estimator.n_fits_ == 1


def test_a_fitted_detector_of_the_history_rates_all_rows_by_its_last_fit(
    known_selector,
):
    class AboveMean(BaseEstimator):
        """What is overlap depends on all rows that were there to fit on."""

        def fit(self, X, y=None):
            self.mean_ = X[:, 0].mean()
            self.regions_ = self.predict(X)
            return self

        def predict(self, X):
            return np.where(X[:, 0] > self.mean_, "overlap", "easy")

    rng = np.random.RandomState(0)
    sources = {"a": rng.normal(0, 1, (300, 2)), "b": rng.normal(1, 2, (300, 2))}
    selector = known_selector(
        overlap_detector=AboveMean(), detection="history", n_rounds=12, batch_size=9
    ).fit_sources(sources)
    X, _, source = selector.drawn_samples()
    by_hand = AboveMean().fit(X)
    found = by_hand.predict(X) == "overlap"
    assert selector.overlap_detector_.mean_ == by_hand.mean_
    assert_allclose(
        selector.overlap_density_, [found[source == name].mean() for name in "ab"]
    )
    ends = np.cumsum(selector.history_["n_drawn"])
    per_round = [part.sum() for part in np.split(found, ends[:-1])]
    assert_array_equal(selector.history_["n_overlap"], per_round)

    frozen = known_selector(
        overlap_detector=AboveMean(), n_rounds=12, batch_size=9
    ).fit_sources(sources)
    assert frozen.overlap_detector_.mean_ != by_hand.mean_


# A batch of one region has no threshold.
@pytest.mark.filterwarnings("ignore::sklearn_w2s.overlap.NoChangePointWarning")
@pytest.mark.parametrize("seed", [0, 1])
def test_new_thresholds_for_every_batch_bring_the_densities_together(seed):
    detector = OverlapDetector(weak_features=slice(0, 20), random_state=0)

    def rate_by_thresholds_of_the_batch(fitted, X, _):
        weak = FrozenEstimator(fitted.weak_estimator_)
        own = clone(detector).set_params(weak_estimator=weak)
        return own.fit(X, np.full(len(X), -1)).regions_ == "overlap"

    def densities(reward):
        sources = make_overlap_sources((0.08, 0.44), noise=4, random_state=seed)
        selector = UCBSourceSelector(
            overlap_detector=detector,
            policy="random",
            batch_size=16,
            n_rounds=30,
            reward=reward,
            random_state=0,
        )
        unlabeled = {
            name: (lambda n, source=source: source(n)[0])
            for name, source in sources.items()
        }
        return selector.fit_sources(unlabeled, X, y).overlap_density_

    X, y, _ = make_overlap_classification(400, noise=4, random_state=seed)
    poor, rich = densities(None)
    assert rich - poor > 0.8 * (0.44 - 0.08)
    poor_by_batch, rich_by_batch = densities(rate_by_thresholds_of_the_batch)
    assert 0 < rich_by_batch - poor_by_batch < rich - poor - 0.05


def test_fit_and_fit_sources_find_the_same_densities(known_pool, known_selector):
    X, y, source = known_pool(n=3000, n_labeled=60)
    names = np.unique(source)
    drawn = known_selector(budget=1500, policy="random").fit(X, y, sample_source=source)
    tables = {name: X[60:][source[60:] == name] for name in names}
    live = known_selector(budget=1500, policy="random").fit_sources(
        tables, X[:60], y[:60]
    )
    assert_array_equal(live.sources_, drawn.sources_)
    assert_array_equal(live.ranking_, drawn.ranking_)
    assert_allclose(live.overlap_density_, drawn.overlap_density_, atol=0.08)
    assert live.stop_reason_ == drawn.stop_reason_ == "budget"

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from sklearn_w2s._algorithms.indicators import class_coverage, neighbor_consistency

labels = st.lists(st.integers(0, 3), min_size=1, max_size=30)


@given(labels, labels)
def test_coverage_is_symmetric_and_within_zero_and_one(first, second):
    coverage = class_coverage(first, second)
    assert -1e-12 <= coverage <= 1 + 1e-12
    assert coverage == pytest.approx(class_coverage(second, first))


@given(labels)
def test_coverage_is_one_for_the_same_shares_and_zero_for_other_classes(known):
    assert class_coverage(known * 2, known) == pytest.approx(1)
    assert class_coverage([9], known) == pytest.approx(0)


def test_a_lost_class_costs_its_share():
    assert class_coverage(["a"] * 10, ["a"] * 8 + ["b"] * 2) == pytest.approx(0.8)


def test_consistency_is_zero_for_labels_dealt_at_random():
    rng = np.random.default_rng(0)
    dealt = rng.integers(3, size=20_000)
    neighbors = rng.integers(20_000, size=(20_000, 5))
    assert abs(neighbor_consistency(dealt, neighbors)) < 0.02


def test_consistency_of_one_partner_each_is_cohens_kappa():
    rng = np.random.default_rng(0)
    names = rng.integers(3, size=60)
    partner = rng.permutation(60)
    # Partners are dealt to all rows, so that both sides have the same shares.
    kappa = cohen_kappa_score(names, names[partner])
    assert neighbor_consistency(names, partner[:, None]) == pytest.approx(kappa)


def test_consistency_of_a_single_label_is_not_defined():
    assert np.isnan(neighbor_consistency([1, 1], [[1], [0]]))

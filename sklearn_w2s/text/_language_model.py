"""A language model that pools the activations of its last layer, text by text."""

from contextlib import contextmanager, nullcontext
from typing import NamedTuple

import numpy as np

# Texts whose tokens are held at the same time.
_N_TOKENIZED = 10_000


class Settings(NamedTuple):
    """What a loaded model depends on, named as the parameters of the encoder are."""

    model: str
    revision: str | None
    local_files_only: bool
    n_layers: int | None
    pooling: str
    max_length: int | None
    device: str | None
    dtype: str


class LanguageModel:
    """A loaded model, in evaluation mode on its device."""

    def __init__(self, settings):
        torch, transformers = _import_extra()
        config = _load(transformers.AutoConfig, settings)
        tokenizer = _load(transformers.AutoTokenizer, settings)
        _limit_layers(config, settings)
        _pad_at_the_end(tokenizer, settings.model)
        _limit_length(tokenizer, config, settings)
        # Unused weights of layers that are left out are not a mistake.
        left_out = settings.n_layers is not None
        with _errors_only(transformers) if left_out else nullcontext():
            model = _load(
                transformers.AutoModel, settings, config=config, dtype=settings.dtype
            )
        if config.is_encoder_decoder:
            model = model.get_encoder()
        self._model = model.eval().to(settings.device or _best_device(torch))
        self._tokenizer = tokenizer
        self._pooling = settings.pooling

    def encode(self, texts, *, batch_size, verbose):
        """Return the pooled activations (n_texts, n_features_out) in float32."""
        from tqdm.auto import tqdm

        vectors = []
        with tqdm(total=len(texts), unit="texts", disable=not verbose) as bar:
            for start in range(0, len(texts), _N_TOKENIZED):
                some = texts[start : start + _N_TOKENIZED]
                vectors.append(self._encode(some, batch_size, bar))
        return np.concatenate(vectors)

    def _encode(self, texts, batch_size, bar):
        tokens = self._tokenizer(
            texts, truncation=True, padding=False, return_attention_mask=False
        )
        lengths = np.array([len(own) for own in tokens["input_ids"]])
        empty = np.flatnonzero(lengths == 0)
        if len(empty):
            msg = (
                f"The tokenizer of the model gives no token for {texts[empty[0]]!r}, "
                "so that there is nothing to pool. Leave such texts out, or begin "
                "every text with the same words."
            )
            raise ValueError(msg)
        # The longest come first, so that a lack of memory shows at once.
        order = np.argsort(-lengths, kind="stable")
        vectors = None
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            own = {name: [values[i] for i in rows] for name, values in tokens.items()}
            pooled = self._pool(own, lengths[rows])
            if vectors is None:
                vectors = np.empty((len(texts), pooled.shape[1]), dtype=np.float32)
            vectors[rows] = pooled
            bar.update(len(rows))
        return vectors

    def _pool(self, tokens, lengths):
        """Return the pooled activations of a batch, the longest text of it first."""
        import torch

        padding = {
            "input_ids": self._tokenizer.pad_token_id,
            "token_type_ids": self._tokenizer.pad_token_type_id,
        }
        width, device = lengths[0], self._model.device
        inputs = {
            name: torch.tensor(
                [own + [padding[name]] * (width - len(own)) for own in values],
                device=device,
            )
            for name, values in tokens.items()
        }
        length = torch.tensor(lengths, device=device)[:, None]
        is_token = torch.arange(width, device=device) < length
        with torch.inference_mode():
            layer = self._model(
                **inputs, attention_mask=is_token.long()
            ).last_hidden_state.float()
            if self._pooling == "first":
                pooled = layer[:, 0]
            elif self._pooling == "last":
                pooled = layer[
                    torch.arange(len(layer), device=device), length[:, 0] - 1
                ]
            else:
                pooled = (layer * is_token[:, :, None]).sum(dim=1) / length
        return pooled.cpu().numpy()


def _import_extra():
    try:
        import torch
        import transformers
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] not in {
            "transformers",
            "torch",
        }:
            raise
        msg = (
            f"LanguageModelEncoder needs {error.name}, which is not installed. Install "
            "it with: pip install sklearn-w2s[text]"
        )
        raise ImportError(msg) from error
    return torch, transformers


def _load(kind, settings, **options):
    try:
        return kind.from_pretrained(
            settings.model,
            revision=settings.revision,
            local_files_only=settings.local_files_only,
            **options,
        )
    except OSError as error:
        msg = (
            f"model={settings.model!r}, revision={settings.revision!r} cannot be "
            "loaded. Pass the folder of a saved model, a name on the Hugging Face hub "
            "that can be reached or was downloaded before, or 'package:NAME' for a "
            f"model that an installed package contains. {error}"
        )
        raise OSError(msg) from error


@contextmanager
def _errors_only(transformers):
    """Let transformers log errors only."""
    before = transformers.logging.get_verbosity()
    transformers.logging.set_verbosity_error()
    try:
        yield
    finally:
        transformers.logging.set_verbosity(before)


def _best_device(torch):
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _limit_layers(config, settings):
    n_layers = settings.n_layers
    if n_layers is None:
        return
    if n_layers > config.num_hidden_layers:
        msg = (
            f"n_layers={n_layers}, but model={settings.model!r} has "
            f"{config.num_hidden_layers} layers. Lower it, or pass None for all."
        )
        raise ValueError(msg)
    config.num_hidden_layers = n_layers


def _pad_at_the_end(tokenizer, name):
    """Pad on the right, where no token before the padding can see it."""
    # Models that count positions from the first column count padding on the left.
    tokenizer.padding_side = "right"
    if tokenizer.pad_token is None:
        # Masked, so that any token will do.
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token
    if tokenizer.pad_token is None:
        msg = (
            f"The tokenizer of model={name!r} has none of the tokens for padding, end "
            "of text or unknown text. Add one of them to the saved tokenizer."
        )
        raise ValueError(msg)


def _limit_length(tokenizer, config, settings):
    # Some tokenizers have no limit where their model has one.
    longest = min(
        tokenizer.model_max_length,
        getattr(config, "max_position_embeddings", tokenizer.model_max_length),
    )
    if settings.max_length is not None and settings.max_length > longest:
        msg = (
            f"max_length={settings.max_length}, but model={settings.model!r} reads "
            f"{longest} tokens at most. Lower it, or pass None."
        )
        raise ValueError(msg)
    tokenizer.model_max_length = settings.max_length or longest

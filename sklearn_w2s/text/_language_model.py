"""A language model that pools the activations of its last layer, text by text."""

from typing import NamedTuple

import numpy as np

_POOLING_MODES = {"first": "cls", "last": "lasttoken", "mean": "mean"}
# Unless told so, texts for a model with a chat template would be taken for messages.
_PLAIN_TEXT = {
    "modality_config": {
        "text": {"method": "forward", "method_output_name": "last_hidden_state"}
    },
    "module_output_name": "token_embeddings",
}
# Texts whose tokens are counted at the same time.
_N_COUNTED = 1_000


class Settings(NamedTuple):
    """What a loaded model depends on, named as the parameters of the encoder are."""

    model: str
    revision: str | None
    local_files_only: bool
    pooling: str
    max_length: int | None
    device: str | None
    dtype: str


class LanguageModel:
    """A loaded model.

    Parameters
    ----------
    settings : Settings
        What to load, and how.
    """

    def __init__(self, settings):
        sentence_transformer, transformer, pooling = _import_extra()
        name = settings.model
        reader = _load(transformer, settings)
        self._tokenizer = reader.tokenizer
        _pad_at_the_end(self._tokenizer, name)
        _limit_length(self._tokenizer, settings.max_length, name)
        mode = _POOLING_MODES[settings.pooling]
        width = reader.get_embedding_dimension()
        self._model = sentence_transformer(
            modules=[reader, pooling(width, pooling_mode=mode)], device=settings.device
        )

    @property
    def device(self):
        """Device that it computes on."""
        return str(self._model.device)

    def encode(self, texts, *, batch_size, verbose):
        """Return the pooled activations of texts.

        Parameters
        ----------
        texts : list of str
            Texts.
        batch_size : int
            Texts that pass through the model at the same time.
        verbose : bool
            Whether to show a progress bar.

        Returns
        -------
        ndarray of shape (n_texts, n_features_out)
            Float32.

        Raises
        ------
        ValueError
            If the tokenizer makes no token of a text.
        """
        self._require_tokens(texts)
        vectors = self._model.encode(
            texts, batch_size=batch_size, show_progress_bar=verbose
        )
        return np.asarray(vectors, dtype=np.float32)

    def _require_tokens(self, texts):
        for start in range(0, len(texts), _N_COUNTED):
            some = texts[start : start + _N_COUNTED]
            tokens = self._tokenizer(some, truncation=True, padding=False)["input_ids"]
            for text, own in zip(some, tokens, strict=True):
                if not own:
                    msg = (
                        f"The tokenizer of the model makes no token of {text!r}, so "
                        "that there is nothing to pool. Leave such texts out, or "
                        "begin every text with the same words."
                    )
                    raise ValueError(msg)


class ModelHolder:
    """Loads a model when it is first needed, keeps it, and leaves it out of pickles.

    Examples
    --------
    >>> import pickle
    >>> from sklearn_w2s.text._language_model import ModelHolder
    >>> vars(pickle.loads(pickle.dumps(ModelHolder())))
    {'_settings': None, '_model': None}
    """

    def __init__(self):
        self._settings = None
        self._model = None

    def get(self, settings):
        """Return the model of these settings.

        Parameters
        ----------
        settings : Settings
            What to load; the model held is replaced where it had others.

        Returns
        -------
        LanguageModel
            The model.
        """
        if settings != self._settings:
            # Two models at a time may be more than memory holds.
            self._settings = self._model = None
            self._model = LanguageModel(settings)
            self._settings = settings
        return self._model

    def __reduce__(self):
        return ModelHolder, ()


def _import_extra():
    try:
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.sentence_transformer.modules import (
            Pooling,
            Transformer,
        )
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] not in {
            "sentence_transformers",
            "transformers",
            "torch",
        }:
            raise
        msg = (
            f"LanguageModelEncoder needs {error.name}, which is not installed. Install "
            "it with: pip install sklearn-w2s[text]"
        )
        raise ImportError(msg) from error
    return SentenceTransformer, Transformer, Pooling


def _load(transformer, settings):
    where = {
        "revision": settings.revision,
        "local_files_only": settings.local_files_only,
    }
    try:
        return transformer(
            settings.model,
            model_kwargs={"dtype": settings.dtype, **where},
            processor_kwargs=dict(where),
            config_kwargs=dict(where),
            **_PLAIN_TEXT,
        )
    except OSError as error:
        msg = (
            f"model={settings.model!r}, revision={settings.revision!r} cannot be "
            "loaded. Pass the folder of a saved model, or a name on the Hugging Face "
            f"hub that can be reached or was downloaded before. {error}"
        )
        raise OSError(msg) from error


def _pad_at_the_end(tokenizer, name):
    """Pad where no token before the padding can see it.

    Models that count positions from the first column would count padding on the left.
    """
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


def _limit_length(tokenizer, max_length, name):
    if max_length is None:
        return
    if max_length > tokenizer.model_max_length:
        msg = (
            f"max_length={max_length}, but model={name!r} reads "
            f"{tokenizer.model_max_length} tokens at most. Lower it, or pass None."
        )
        raise ValueError(msg)
    tokenizer.model_max_length = max_length

"""LanguageModelEncoder: frozen activations of a language model as features."""

import os
from numbers import Integral
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils.validation import check_is_fitted

from sklearn_w2s._estimators import fit_context
from sklearn_w2s._sklearn import Interval, StrOptions
from sklearn_w2s.persistence import VersionStampMixin
from sklearn_w2s.text import _language_model
from sklearn_w2s.text._cache import ActivationCache, model_fingerprint
from sklearn_w2s.text._inputs import PREFIX, Holder, check_texts, model_folder

# Vectors are written this often, so that an interrupted run can continue.
_BATCHES_BETWEEN_WRITES = 50
# Settings that the activations of a text depend on, in addition to the model.
_OF_ACTIVATIONS = ["n_layers", "pooling", "max_length", "dtype"]


class LanguageModelEncoder(
    VersionStampMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator
):
    """Represent texts by the activations of the last layer of a language model.

    The model is frozen: it is read and never trained. A classifier on top of it is a
    probe, as in the experiments of [1]_ where a logistic regression on a small model
    supervises one on a large model. It needs the extra ``text`` of this package.

    Read more in the :ref:`user guide <text>`.

    Parameters
    ----------
    model : str or path
        Folder of a saved model; "package:NAME" for the model that an installed package
        contains, whose files are found by the name of the package; or its name on the
        Hugging Face hub, from which it is downloaded once. Any causal, encoder or
        encoder-decoder model of transformers, of the last the encoder.
    n_layers : int, default=None
        Layers of the model that are read: the first ones, as if there were no others.
        None is all of them. Fewer make a weaker and faster model, so that one model is
        a ladder of them.
    pooling : {"last", "first", "mean"}, default="last"
        Which activations represent a text: those of its last token, as in the paper and
        for causal models, of its first token, or the mean over its tokens. Special
        tokens that the tokenizer adds are tokens, padding is not.
    max_length : int, default=None
        Tokens read of each text; the rest is left out. None is what the model can read.
    batch_size : int, default=32
        Texts that pass through the model at the same time, those of similar length
        together.
    device : str, default=None
        Device of the model, such as "cpu" or "cuda:1". None is an accelerator where
        there is one.
    dtype : {"float32", "float16", "bfloat16", "auto"}, default="float32"
        Floating type of the model; "auto" is that of its saved weights.
    revision : str, default=None
        Branch, tag or commit of a model on the hub. None is its newest state.
    local_files_only : bool, default=False
        Whether to refuse to download a model.
    cache : str or path, default=None
        Folder in which activations are kept from one use to the next, in one SQLite
        file for all models, which several processes may use at the same time. Texts
        known there are not encoded again, and with nothing else to encode the model is
        not loaded. None keeps nothing.
    verbose : bool, default=False
        Whether to show a progress bar.

    Attributes
    ----------
    n_features_in_ : int
        1, the column of texts.
    feature_names_in_ : ndarray of shape (1,)
        Its name, where `fit` was given a data frame.

    See Also
    --------
    multiple_choice_to_binary : Questions with several answers as texts with two
        classes.
    sklearn_w2s.neural.HiddenLayer : The same for nets that learn from a table.
    sklearn_w2s.OverlapDetector : Compares rows in such a `representation`.

    Notes
    -----
    Batches are padded on the right whatever the tokenizer's setting, since models with
    absolute positions would count padding on the left. So the activations of a text
    depend on no other text, nor on `batch_size`, but for the rounding of floats: a
    cache returns what was computed first. A tokenizer without padding token pads with
    its end of text, masked.

    A cached activation belongs to the text, the model, `n_layers`, `pooling`,
    `max_length` and `dtype`. A model in a folder is identified by the content of its
    files, and by size and time of change of those with weights; one on the hub by name
    and `revision`: name a commit where its newest state may change. A damaged file is
    put aside, and damaged vectors are computed again, with a warning; vectors that are
    not finite are not kept.

    The loaded model stays with the fitted estimator, and is left out of clones, copies
    and pickles.

    Scikit-learn has no such features. `TextEncoder` of skrub pools as the saved model
    prescribes, which for causal models is the mean, reduces the result by a principal
    component analysis of the training rows, and keeps no activations.

    References
    ----------
    .. [1] C. Shin, J. Cooper, F. Sala, "Weak-to-Strong Generalization Through the
       Data-Centric Lens", ICLR 2025, https://arxiv.org/abs/2412.03881

    Examples
    --------
    Nothing is loaded before `fit`:

    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_w2s.text import LanguageModelEncoder
    >>> probe = make_pipeline(
    ...     LanguageModelEncoder("Qwen/Qwen1.5-0.5B", cache="activations"),
    ...     LogisticRegression(max_iter=10_000),
    ... )
    >>> probe[0].get_params()["pooling"]
    'last'
    """

    _parameter_constraints = {
        "model": [str, os.PathLike],
        "n_layers": [Interval(Integral, 1, None, closed="left"), None],
        "pooling": [StrOptions({"last", "first", "mean"})],
        "max_length": [Interval(Integral, 1, None, closed="left"), None],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "device": [str, None],
        "dtype": [StrOptions({"float32", "float16", "bfloat16", "auto"})],
        "revision": [str, None],
        "local_files_only": ["boolean"],
        "cache": [str, os.PathLike, None],
        "verbose": ["boolean"],
    }

    def __init__(
        self,
        model: Any,
        *,
        n_layers: int | None = None,
        pooling: Literal["last", "first", "mean"] = "last",
        max_length: int | None = None,
        batch_size: int = 32,
        device: str | None = None,
        dtype: Literal["float32", "float16", "bfloat16", "auto"] = "float32",
        revision: str | None = None,
        local_files_only: bool = False,
        cache: Any = None,
        verbose: bool = False,
    ) -> None:
        self.model = model
        self.n_layers = n_layers
        self.pooling = pooling
        self.max_length = max_length
        self.batch_size = batch_size
        self.device = device
        self.dtype = dtype
        self.revision = revision
        self.local_files_only = local_files_only
        self.cache = cache
        self.verbose = verbose

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: None = None) -> Self:
        """Check the texts, and try the model on the first of them.

        Parameters
        ----------
        X : {array-like of shape (n,), array-like or data frame of shape (n, 1)} of str
            Texts.
        y : None
            Ignored.

        Returns
        -------
        LanguageModelEncoder
            The fitted transformer.

        Raises
        ------
        ValueError
            If X is not a sequence or single column of texts, if the model is a folder
            that does not exist or reads fewer tokens than `max_length`, or if its
            tokenizer cannot pad or gives no token for a text.
        ImportError
            If the extra ``text`` is not installed.
        OSError
            If there is no such model.
        """
        # After a failed fit, the former one must not be used.
        self.__dict__.pop("_n_features_out", None)
        texts = check_texts(self, X, reset=True)
        self._holder = Holder()
        self._n_features_out = self._encode(texts[:1]).shape[1]
        return self

    def transform(self, X: Any) -> NDArray[Any]:
        """Return the pooled activations of texts.

        Parameters
        ----------
        X : {array-like of shape (n,), array-like or data frame of shape (n, 1)} of str
            Texts.

        Returns
        -------
        ndarray of shape (n, n_features_out)
            Float32.
        """
        check_is_fitted(self)
        return self._encode(check_texts(self, X, reset=False))

    def _encode(self, texts):
        settings, cache, known = self._settings(), None, {}
        # In order of appearance, each once.
        missing = list(dict.fromkeys(texts))
        if self.cache is not None:
            model = model_fingerprint(settings.model, settings.revision)
            own = [getattr(settings, name) for name in _OF_ACTIVATIONS]
            cache = ActivationCache(self.cache, repr((model, *own)))
            known = cache.read(missing)
            missing = [text for text in missing if text not in known]
        size = self.batch_size * _BATCHES_BETWEEN_WRITES if cache else len(missing)
        for start in range(0, len(missing), size):
            some = missing[start : start + size]
            # Looked up in its module, where tests replace it.
            model = self._holder.get(_language_model.LanguageModel, settings)
            vectors = model.encode(
                some, batch_size=self.batch_size, verbose=self.verbose
            )
            if cache is not None:
                cache.write(some, vectors)
            known.update(zip(some, vectors, strict=True))
        return np.stack([known[text] for text in texts])

    def _settings(self):
        if isinstance(self.model, os.PathLike) and not Path(self.model).is_dir():
            msg = (
                f"model={self.model!r} is not a folder. Pass the folder of a saved "
                "model, or a name on the Hugging Face hub as str."
            )
            raise ValueError(msg)
        model = os.fspath(self.model)
        if model.startswith(PREFIX):
            model = str(model_folder(model.removeprefix(PREFIX)))
        return _language_model.Settings(
            model=model,
            revision=self.revision,
            local_files_only=self.local_files_only,
            n_layers=self.n_layers,
            pooling=self.pooling,
            max_length=self.max_length,
            device=self.device,
            dtype=self.dtype,
        )

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_n_features_out")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        # Activations are float32 whatever the texts are.
        tags.transformer_tags.preserves_dtype = []
        return tags

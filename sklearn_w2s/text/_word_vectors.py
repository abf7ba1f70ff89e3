"""WordVectorEncoder: means of word vectors as features."""

import os
import re
from collections import Counter
from collections.abc import Callable
from numbers import Real
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
from sklearn_w2s._sklearn import HasMethods, Interval, StrOptions
from sklearn_w2s.persistence import VersionStampMixin
from sklearn_w2s.text._inputs import (
    PREFIX,
    Holder,
    check_texts,
    package_files,
    the_only,
)

# As the Penn Treebank splits words, which most word vectors were trained on.
_TOKEN = re.compile(r"\w+?(?=n't\b)|n't\b|'(?:s|m|d|re|ve|ll)\b|\w+|[^\w\s]")


def split_words(text):
    """Return the lowercase words and punctuation marks of an English text."""
    return _TOKEN.findall(text.lower())


class WordVectorEncoder(
    VersionStampMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator
):
    r"""Represent texts by the mean of the vectors of their words.

    The representation ignores the order of words, which makes it a natural weak one
    beside a language model. It needs no extra, except for an index of words in
    a Parquet file, which pyarrow reads.

    Read more in the :ref:`user guide <text>`.

    Parameters
    ----------
    vectors : mapping of str to array-like of shape (n_features_out,), str or path
        Vectors by word, a dict or such as gensim has; "package:NAME" for those that an
        installed package contains; or a folder. Packages and folders hold a .npy file
        of shape (n_words, n_features_out), and the words of its rows: one a line in a
        .txt file, or in the first column of a .parquet file.
    weighting : {"mean", "sif"}, default="mean"
        How words count: all the same, or by smooth inverse frequency [1]_, see Notes.
    smoothing : float, default=1e-3
        Frequency a at which "sif" gives a word half the weight; above 0.
    tokenizer : callable, default=None
        Returns the words of a text. None splits it into lowercase words and punctuation
        marks, as the Penn Treebank does ("does", "n't").

    Attributes
    ----------
    n_features_in_ : int
        1, the column of texts.
    feature_names_in_ : ndarray of shape (1,)
        Its name, where `fit` was given a data frame.
    word_frequencies_ : dict of str to float
        Shares of the words of the training texts, those with vectors; with "sif" only.
    common_component_ : ndarray of shape (n_features_out,)
        Direction that is taken out of every row; with "sif" only.

    See Also
    --------
    LanguageModelEncoder : Activations of a language model, which reads words in order.

    Notes
    -----
    Words without a vector are left out, and a text that has no others becomes a row of
    zeros. With weights :math:`w`, a row is

    .. math:: \frac{1}{n} \sum_{i=1}^n w(t_i) \, v(t_i)

    over the n words of the text that have a vector. "mean" has w = 1. "sif" has
    :math:`w(t) = a / (a + p(t))` with the share p of the word among those of the
    training texts, and takes out of all rows their projection on the first right
    singular vector of the training rows, the common component.

    Vectors that are named, and not passed, are read when they are first needed and left
    out of pickles.

    References
    ----------
    .. [1] S. Arora, Y. Liang, T. Ma, "A Simple but Tough-to-Beat Baseline for Sentence
       Embeddings", ICLR 2017, https://openreview.net/forum?id=SyK00v5xx

    Examples
    --------
    >>> from sklearn_w2s.text import WordVectorEncoder
    >>> vectors = {"good": [1, 0], "bad": [-1, 0], "film": [0, 2]}
    >>> WordVectorEncoder(vectors).fit_transform(["A good film.", "bad", "So?"])
    array([[ 0.5,  1. ],
           [-1. ,  0. ],
           [ 0. ,  0. ]], dtype=float32)
    """

    _parameter_constraints = {
        "vectors": [HasMethods(["__contains__", "__getitem__"]), os.PathLike],
        "weighting": [StrOptions({"mean", "sif"})],
        "smoothing": [Interval(Real, 0, None, closed="neither")],
        "tokenizer": [callable, None],
    }

    def __init__(
        self,
        vectors: Any,
        *,
        weighting: Literal["mean", "sif"] = "mean",
        smoothing: float = 1e-3,
        tokenizer: Callable[..., Any] | None = None,
    ) -> None:
        self.vectors = vectors
        self.weighting = weighting
        self.smoothing = smoothing
        self.tokenizer = tokenizer

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: None = None) -> Self:
        """Check the texts and the vectors; with "sif", learn how frequent words are.

        Parameters
        ----------
        X : {array-like of shape (n,), array-like or data frame of shape (n, 1)} of str
            Texts.
        y : None
            Ignored.

        Returns
        -------
        WordVectorEncoder
            The fitted transformer.

        Raises
        ------
        ValueError
            If X is not a sequence or single column of texts, if no word of it has a
            vector, or if vectors differ in shape, are not finite, or are more or fewer
            than their words.
        ImportError
            If the package that is named, or pyarrow for its index, is not installed.
        """
        # After a failed fit, the former one must not be used.
        for name in ("_n_features_out", "word_frequencies_", "common_component_"):
            self.__dict__.pop(name, None)
        texts = check_texts(self, X, reset=True)
        self._holder = Holder()
        parts = self._words_with_vectors(texts)
        counts = Counter(word for words in parts for word in words)
        if not counts:
            msg = (
                "No word of X has a vector. Pass vectors of the language of the texts, "
                "or a tokenizer that splits words as the vectors do: the first text "
                f"becomes {self._split(texts[0])[:5]}."
            )
            raise ValueError(msg)
        if self.weighting == "sif":
            total = counts.total()
            self.word_frequencies_ = {word: n / total for word, n in counts.items()}
        rows = self._pool(parts)
        if self.weighting == "sif":
            self.common_component_ = np.linalg.svd(rows, full_matrices=False)[2][0]
        self._n_features_out = rows.shape[1]
        return self

    def transform(self, X: Any) -> NDArray[Any]:
        """Return the pooled word vectors of texts.

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
        texts = check_texts(self, X, reset=False)
        rows = self._pool(self._words_with_vectors(texts))
        if self.weighting == "sif":
            rows -= np.outer(rows @ self.common_component_, self.common_component_)
        return rows

    def _split(self, text):
        return list((self.tokenizer or split_words)(text))

    def _words_with_vectors(self, texts):
        """Return the words of each text that have a vector."""
        vectors = self._vectors()
        return [
            [word for word in self._split(text) if word in vectors] for text in texts
        ]

    def _pool(self, parts):
        """Return the weighted mean of the vectors of the words of each text."""
        words = list(dict.fromkeys(word for part in parts for word in part))
        position = {word: i for i, word in enumerate(words)}
        if not words:
            return np.zeros((len(parts), self._n_features_out), dtype=np.float32)
        table = _stack(self._vectors(), words)
        if self.weighting == "sif":
            frequencies = [self.word_frequencies_.get(word, 0.0) for word in words]
            shares = np.array(frequencies, dtype=np.float32)
            table = table * (self.smoothing / (self.smoothing + shares))[:, None]
        rows = np.zeros((len(parts), table.shape[1]), dtype=np.float32)
        for row, part in zip(rows, parts, strict=True):
            if part:
                row[:] = table[[position[word] for word in part]].mean(axis=0)
        return rows

    def _vectors(self):
        if isinstance(self.vectors, str | os.PathLike):
            return self._holder.get(_read, os.fspath(self.vectors))
        return self.vectors

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_n_features_out")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        tags.transformer_tags.preserves_dtype = []
        return tags


class _Table:
    """Vectors in the rows of a matrix, by word."""

    def __init__(self, words, matrix):
        self._row = {word: i for i, word in enumerate(words)}
        self._matrix = matrix

    def __contains__(self, word):
        return word in self._row

    def __getitem__(self, word):
        return self._matrix[self._row[word]]


def _stack(vectors, words):
    """Return the vectors of some words as rows."""
    try:
        table = np.stack(
            [np.asarray(vectors[word], dtype=np.float32) for word in words]
        )
    except ValueError as error:
        msg = f"Vectors must be rows of numbers, of the same length. {error}"
        raise ValueError(msg) from error
    if table.ndim != 2 or not np.isfinite(table).all():
        msg = (
            f"Vectors must be finite and of one dimension; that of {words[0]!r} has "
            f"the shape {table.shape[1:]}."
        )
        raise ValueError(msg)
    return table


def _read(source):
    """Return the vectors of a package or of a folder."""
    if source.startswith(PREFIX):
        name = source.removeprefix(PREFIX)
        files, where = package_files(name), f"package {name!r}"
    else:
        folder = Path(source)
        if not folder.is_dir():
            msg = (
                f"vectors={source!r} is not a folder. Pass one with a .npy file and "
                f"its words, '{PREFIX}NAME' for an installed package, or a mapping."
            )
            raise ValueError(msg)
        files, where = sorted(folder.iterdir()), f"folder {source!r}"
    arrays = [path for path in files if path.suffix == ".npy"]
    array = the_only(arrays, where, ".npy files", "vectors")
    beside = [
        path
        for path in files
        if path.parent == array.parent and path.suffix in {".parquet", ".txt"}
    ]
    index = the_only(beside, where, ".parquet or .txt files", "vectors")
    words, matrix = _read_words(index), np.load(array, mmap_mode="r")
    if matrix.ndim != 2 or len(matrix) != len(words):
        msg = (
            f"{array.name} has the shape {matrix.shape}, and {index.name} has "
            f"{len(words)} words. There must be a row for each word."
        )
        raise ValueError(msg)
    return _Table(words, matrix)


def _read_words(path):
    if path.suffix == ".txt":
        return path.read_text("utf-8").removesuffix("\n").split("\n")
    try:
        from pyarrow.parquet import read_table
    except ModuleNotFoundError as error:
        msg = f"{path.name} needs pyarrow. Install it with: pip install pyarrow"
        raise ImportError(msg) from error
    return read_table(path).column(0).to_pylist()

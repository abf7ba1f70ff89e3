"""The experiment of the paper on texts: probes on two frozen language models.

A logistic regression on the activations of a small model, the weak estimator, learns
from half of the training texts and labels the other half for one on the activations of
a large model. --weak MODEL --strong MODEL name the two, as folders or on the Hugging
Face hub. Without them two models of random weights are made: that shows the pipeline
and its speed, and nothing about language models. Rows of other models in the table
stay as they are.
"""

import argparse
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import torch
from sentence_transformers.util import get_device_name
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupShuffleSplit
from sklearn.pipeline import FeatureUnion, make_pipeline
from tokenizers import Tokenizer, pre_tokenizers, trainers
from tokenizers.models import BPE
from transformers import GPT2Config, GPT2Model, PreTrainedTokenizerFast

from benchmarks.tables._problems import data_folder
from benchmarks.tables._results import options, read, write
from sklearn_w2s import OverlapDetector, WeakToStrongClassifier
from sklearn_w2s.metrics import performance_gap_recovered
from sklearn_w2s.text import LanguageModelEncoder, multiple_choice_to_binary

KEYS = ["data_set", "models", "pooling"]
RANDOM = "random weights"
# Layers and width.
RANDOM_SIZES = {"weak": (2, 32), "strong": (4, 128)}
QUICK_SIZES = {"weak": (1, 16), "strong": (2, 64)}
# Random weights deserve no more; named models get all texts.
N_RANDOM_TEXTS = 1_000
N_SEEDS = 3
MAX_LENGTH = 256
PENALTY = 1e-3
# "auto" learns from the labeled half too, as it does by default.
STUDENTS = {"naive": "all", "overlap_only": "overlap", "auto": "auto"}


@dataclass
class Texts:
    """Texts, their classes, and what they have in common."""

    texts: Any
    y: Any
    groups: Any


def cosmos_qa(n):
    """Return questions with a candidate answer, right or wrong."""
    table = pd.read_csv(data_folder() / "text_cosmosqa_valid.csv.gz")[:n]
    texts, y, groups = multiple_choice_to_binary(
        "Context: " + table["context"] + "\nQuestion: " + table["question"],
        table[[f"answer{i}" for i in range(4)]],
        table["target"],
        template="{question}\nAnswer: {choice}",
        groups=table["context"],
        random_state=0,
    )
    return Texts(texts, y, np.asarray(groups, dtype=object))


def youtube_spam(n):
    """Return comments, spam or not; equal ones are a group."""
    texts = pd.read_csv(data_folder() / "youtube_spam.text.csv.gz")["text"][:n]
    table = pd.read_csv(data_folder() / "youtube_spam.csv.gz")[:n]
    y = (table["target"] == "spam").to_numpy().astype(int)
    return Texts(texts.to_numpy(dtype=object), y, texts.to_numpy(dtype=object))


DATA_SETS = {"cosmos_qa": cosmos_qa, "youtube_spam": youtube_spam}


def save_random_model(folder, texts, n_layers, width):
    """Save a causal model of random weights, with a tokenizer trained on the texts."""
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=4_000,
        special_tokens=["<end>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    saved = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<end>", model_max_length=MAX_LENGTH
    )
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=len(saved),
        n_positions=MAX_LENGTH,
        n_embd=width,
        n_layer=n_layers,
        n_head=4,
        bos_token_id=0,
        eos_token_id=0,
    )
    GPT2Model(config).save_pretrained(folder)
    saved.save_pretrained(folder)
    return str(folder)


def timed_encoder(texts, **parameters):
    """Return an encoder that knows the texts, and how many it encoded per second."""
    encoder = LanguageModelEncoder(**parameters)
    # Loading the model is not what is measured.
    encoder.fit(texts)
    start = time.perf_counter()
    encoder.transform(texts)
    return encoder, len(set(texts)) / (time.perf_counter() - start)


def probe(n, columns=None):
    """Return a logistic regression on some columns, penalised as in the paper."""
    classifier = LogisticRegression(C=1 / (PENALTY * n), max_iter=10_000)
    return classifier if columns is None else make_pipeline(take(columns), classifier)


def take(columns):
    """Return a transformer that leaves out all other columns."""
    return ColumnTransformer([("activations", "passthrough", columns)])


def experiment(encoders, strategy, n, seed):
    """Return the whole experiment: texts and labels in, a classifier of texts out."""
    width = encoders["weak"].get_feature_names_out().size
    weak, strong = slice(0, width), slice(width, None)
    return make_pipeline(
        FeatureUnion(list(encoders.items())),
        WeakToStrongClassifier(
            probe(n),
            probe(n, strong),
            weak_features=weak,
            overlap_detector=OverlapDetector(representation=take(strong)),
            strategy=strategy,
            pseudo_labels="soft",
            include_labeled=strategy == "auto",
            random_state=seed,
        ),
    )


def part(groups, share, seed):
    """Return the positions of most groups, and those of a share of the groups."""
    split = GroupShuffleSplit(n_splits=1, test_size=share, random_state=seed)
    return next(split.split(groups, groups=groups))


def judge(data, encoders, seed):
    """Return the accuracy of the weak estimator, of each student and of the ceiling."""
    train, test = part(data.groups, 0.3, seed)
    labeled, hidden = part(data.groups[train], 0.5, seed)
    texts, y, n = data.texts[train], data.y[train], len(hidden)
    y_train = y.copy()
    y_train[hidden] = -1
    models = {
        name: experiment(encoders, strategy, n, seed).fit(texts, y_train)
        for name, strategy in STUDENTS.items()
    }
    for name, encoder, rows in (
        ("weak", "weak", labeled),
        ("ceiling", "strong", hidden),
    ):
        model = make_pipeline(encoders[encoder], probe(n))
        models[name] = model.fit(texts[rows], y[rows])
    return {
        name: model.score(data.texts[test], data.y[test])
        for name, model in models.items()
    }


def summarise(scores):
    """Return mean accuracies in percent, and the share of the gap of each student.

    There is no share where the gap is within its noise over seeds.
    """
    table = pd.DataFrame(scores)
    mean, gaps = table.mean(), table["ceiling"] - table["weak"]
    order = ["weak", *STUDENTS, "ceiling"]
    row = {"n_seeds": len(table)} | {name: f"{100 * mean[name]:.1f}" for name in order}
    is_clear = gaps.mean() > 2 * gaps.sem()
    for name in STUDENTS:
        share = performance_gap_recovered(mean["weak"], mean[name], mean["ceiling"])
        row[f"gap_recovered_{name}"] = f"{share:.2f}" if is_clear else ""
    return row


def evaluate(data, named, pooling, n_seeds, sizes):
    """Return a row of the table, without its keys."""
    row, encoders = {"n_texts": len(data.texts)}, {}
    with TemporaryDirectory() as folder:
        for role in ("weak", "strong"):
            model = named[role] or save_random_model(
                Path(folder, role), data.texts, *sizes[role]
            )
            encoders[role], speed = timed_encoder(
                data.texts.tolist(),
                model=model,
                pooling=pooling,
                max_length=MAX_LENGTH,
                cache=Path(folder, "cache"),
            )
            row[f"{role}_texts_per_second"] = f"{speed:.0f}"
        row["device"] = device_name()
        return row | summarise([judge(data, encoders, seed) for seed in range(n_seeds)])


def device_name():
    """Return the device that encoders choose, and which one that is."""
    device = get_device_name()
    name = torch.cuda.get_device_name() if device.startswith("cuda") else ""
    return f"{device} {name}".strip()


def main(arguments=None):
    """Write the table."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--weak")
    parser.add_argument("--strong")
    named, others = parser.parse_known_args(arguments)
    chosen = options(__doc__, others)
    named = vars(named)
    if (named["weak"] is None) != (named["strong"] is None):
        parser.error("name both models, --weak and --strong, or none")
    # What is said of strategies that give way is not what the table is about.
    warnings.simplefilter("ignore", UserWarning)
    path = chosen.out / "paper_text.csv"
    label = RANDOM if named["weak"] is None else f"{named['weak']}, {named['strong']}"
    n_texts, n_seeds = N_RANDOM_TEXTS if label == RANDOM else None, N_SEEDS
    if chosen.quick:
        n_texts, n_seeds = 200, 1
    sizes = QUICK_SIZES if chosen.quick else RANDOM_SIZES
    for name, load in DATA_SETS.items():
        data = load(n_texts)
        for pooling in ("last", "mean"):
            key = dict(zip(KEYS, (name, label, pooling), strict=True))
            row = key | evaluate(data, named, pooling, n_seeds, sizes)
            kept = [r for r in read(path) if any(r[k] != key[k] for k in KEYS)]
            write(path, sorted([*kept, row], key=lambda r: [r[k] for k in KEYS]))
            print(row, flush=True)


if __name__ == "__main__":
    main()

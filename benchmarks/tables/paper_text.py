"""The experiment of the paper on texts: probes on frozen language models.

A logistic regression on a weak representation of texts learns from some labels, and
labels the pool for one on a strong representation. As in the paper half of the training
texts are the pool; of the other half, the labels of 200, 500 or all texts are known.
Students differ in how they are regularised and, where all are known, in their loss.
Weak estimator, strong estimator on the same labels and ceiling choose their
regularisation by cross-validation. The pair of random weights is the control.

The weights come with the packages of the dependency group "weights". Activations are
computed once and kept in the folder --cache. Runs that the table has already are not
computed again, so that a run that was stopped goes on. --texts FILE.csv runs the same
on texts of your own, with the columns text and target.
"""

import warnings
from functools import partial

import numpy as np
import pandas as pd
import torch
from scipy.stats import t
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from skorch import NeuralNetClassifier
from threadpoolctl import threadpool_limits
from tokenizers import Tokenizer, pre_tokenizers, trainers
from tokenizers.models import BPE
from transformers import GPT2Config, GPT2Model, PreTrainedTokenizerFast

from benchmarks.tables._results import as_they_end, read, write
from benchmarks.tables._texts import (
    PAIRS,
    Texts,
    load,
    name_of,
    options,
    representations,
    scaled,
    splits,
)
from sklearn_w2s import WeakToStrongClassifier
from sklearn_w2s.metrics import performance_gap_recovered
from sklearn_w2s.neural import NetClassifier
from sklearn_w2s.text import LanguageModelEncoder

RUN = ["data_set", "pair", "n_labeled", "seed"]
KEYS = [*RUN, "model"]
CELL = ["data_set", "pair", "n_labeled"]
RANDOM, RANDOM_PAIR = "random weights", ("weak", "strong")
# Layers and width.
RANDOM_SIZES = {"weak": (2, 32), "strong": (4, 128)}
N_RANDOM_TEXTS, N_POSITIONS = 1_000, 256
N_LABELED = {"200": 200, "500": 500, "half": None}
# Of half the squared norm, beside the mean loss; the first is that of the paper.
PENALTIES = [0.001, 0.01, 0.1, 1.0]
# Students that are compared by other things than this are regularised so.
PENALTY = 0.1
LOSSES = [
    *("cross_entropy", "reverse_kl", "auxiliary_confidence", "entropy"),
    "confidence_window",
]
HEADLINE, PAPER = (f"student, penalty {p:g}" for p in (PENALTY, PENALTIES[0]))
BASES = ["weak", "strong on labels", "ceiling"]


def probe(penalty, n):
    """Return a logistic regression of so many rows."""
    return LogisticRegression(C=1 / (penalty * n), max_iter=1_000)


def tuned_probe(rows, y, seed):
    """Return a logistic regression whose penalty cross-validation has chosen."""
    # Sparse rows of words have length 1, others variance 1 in each column.
    penalties = PENALTIES if isinstance(rows, np.ndarray) else [1e-5, 1e-4, *PENALTIES]
    search = GridSearchCV(
        probe(PENALTY, len(y)),
        {"C": [1 / (penalty * len(y)) for penalty in penalties]},
        cv=StratifiedKFold(3, shuffle=True, random_state=seed),
    )
    return search.fit(rows, y)


def students(n_columns, n_classes, n, seed):
    """Return students of n weak labels that differ in what they minimise, by name."""
    teach = partial(WeakToStrongClassifier, strategy="all", random_state=seed)
    strong = probe(PENALTY, n)
    found = {
        "student, soft labels": teach(strong_estimator=strong, pseudo_labels="soft"),
        "student, weighted": teach(strong_estimator=strong, strategy="confidence"),
    }
    for loss in LOSSES:
        linear = net(n_columns, n_classes)
        strong = NetClassifier(linear, loss=loss, random_state=seed)
        found[f"net, {loss}"] = teach(strong_estimator=strong, pseudo_labels="soft")
    return found


def net(n_columns, n_classes):
    """Return a logistic regression that gradients fit."""
    return NeuralNetClassifier(
        torch.nn.Linear(n_columns, n_classes),
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        optimizer__weight_decay=PENALTY,
        lr=0.01,
        max_epochs=20,
        batch_size=512,
        train_split=None,
        verbose=0,
    )


def judge(known, y, pair, parts, common):
    """Return the accuracy of each model on the test rows, for a number of labels.

    What does not depend on the weak representation is in `common`, or is put there.
    """
    weak_rows, strong_rows = (known[name] for name in PAIRS.get(pair, RANDOM_PAIR))
    test, labeled, pool, seed = parts
    n_classes = y.max() + 1
    weak = tuned_probe(weak_rows[labeled], y[labeled], seed)
    weak_proba = np.zeros((len(y), n_classes))
    weak_proba[:, weak.classes_] = weak.predict_proba(weak_rows)
    fit = {
        ("strong on labels", len(labeled)): labeled,
        ("ceiling", None): pool,
    }
    for key, rows in fit.items():
        if key not in common:
            common[key] = tuned_probe(strong_rows[rows], y[rows], seed).score(
                strong_rows[test], y[test]
            )
    scores = {name: common[name, n] for name, n in fit}
    scores["weak"] = np.mean(weak_proba[test].argmax(axis=1) == y[test])
    scores["weak labels"] = np.mean(weak_proba[pool].argmax(axis=1) == y[pool])
    labels = weak_proba[pool].argmax(axis=1)
    if len(np.unique(labels)) == 1:
        # All that can be learned is this class.
        score = np.mean(y[test] == labels[0])
        return scores | {
            f"student, penalty {penalty:g}": score for penalty in PENALTIES
        }
    for penalty in PENALTIES:
        # Which is what the strategy "all" does, at less cost.
        student = probe(penalty, len(pool)).fit(strong_rows[pool], labels)
        score = student.score(strong_rows[test], y[test])
        scores[f"student, penalty {penalty:g}"] = score
    # Others cost more: as many labels as the pool has rows are the paper's protocol.
    if pair in PAIRS and len(labeled) >= len(pool) - 1:
        # Named columns name the classes: no row of the pool has a label.
        told, hidden = pd.DataFrame(weak_proba[pool]), np.full(len(pool), -1)
        rows, new = (strong_rows[part].astype(np.float32) for part in (pool, test))
        shape = rows.shape[1], n_classes, len(pool)
        for name, model in students(*shape, seed).items():
            model.fit(rows, hidden, weak_proba=told)
            scores[name] = np.mean(model.predict(new) == y[test])
    return scores


def run(name, data, known, pairs, seed, done):
    """Return rows of the table, for the pairs and numbers of labels not done yet."""
    # Classes with fewer labels than folds, and whatever strategies say.
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    with threadpool_limits(1):
        test, labeled, pool = splits(data, seed)
        common, rows = {}, []
        for pair in pairs:
            for n_labeled, n in N_LABELED.items():
                key = dict(zip(RUN, (name, pair, n_labeled, str(seed)), strict=True))
                if tuple(key.values()) in done or (n or 0) >= len(labeled):
                    continue
                parts = test, labeled[:n], pool, seed
                scores = judge(known, data.y, pair, parts, common)
                rows += [
                    key | {"model": model, "accuracy": f"{score:.4f}"}
                    for model, score in scores.items()
                ]
    return rows


def random_weights(texts, folder, cache):
    """Return what two models of random weights make of texts."""
    found = {}
    for role, sizes in RANDOM_SIZES.items():
        if not (folder / role).is_dir():
            save_random_model(folder / role, texts, *sizes)
        encoder = LanguageModelEncoder(
            folder / role, pooling="mean", device="cpu", cache=cache
        )
        found[role] = scaled(encoder, list(texts))
    return found


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
        tokenizer_object=tokenizer, eos_token="<end>", model_max_length=N_POSITIONS
    )
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=len(saved),
        n_positions=N_POSITIONS,
        n_embd=width,
        n_layer=n_layers,
        n_head=4,
        bos_token_id=0,
        eos_token_id=0,
    )
    GPT2Model(config).save_pretrained(folder)
    saved.save_pretrained(folder)


def by_cell(table):
    """Return a row per data set, pair and number of labels: accuracies and gaps."""
    wide = table.pivot_table(
        index=[*CELL, "seed"], columns="model", values="accuracy", sort=False
    )
    rows = []
    for key, runs in wide.groupby(level=CELL, sort=False):
        row = dict(zip(CELL, key, strict=True)) | {"n_seeds": len(runs)}
        means = runs.mean()
        # In percent.
        row |= {
            model: "" if np.isnan(mean) else f"{100 * mean:.1f}"
            for model, mean in means.items()
        }
        for base in ("weak", "strong on labels"):
            row[f"student over {base}"] = interval(runs[HEADLINE] - runs[base])
        share = partial(gap_recovered, runs)
        row |= {
            "gap recovered": share(HEADLINE),
            f"gap recovered, penalty {PENALTIES[0]:g}": share(PAPER),
            "gap recovered, strong on labels": share("strong on labels"),
        }
        rows.append(row)
    return rows


def interval(values):
    """Return a mean in points with its 95% interval over seeds."""
    values = 100 * values
    error = t.ppf(0.975, len(values) - 1) * values.sem() if len(values) > 1 else np.nan
    mean = values.mean()
    return f"{mean:+.1f} [{mean - error:+.1f}, {mean + error:+.1f}]"


def gap_recovered(runs, model, n_draws=2_000):
    """Return the share of the gap between mean accuracies, with a bootstrap interval.

    There is none where the gap is within its noise over seeds.
    """
    gaps = runs["ceiling"] - runs["weak"]
    if not gaps.mean() > 2 * gaps.sem():
        return ""
    rows = np.random.default_rng(0).integers(len(runs), size=(n_draws, len(runs)))
    drawn = {
        name: runs[name].to_numpy()[rows].mean(axis=1)
        for name in ("weak", model, "ceiling")
    }
    gains, gaps = drawn[model] - drawn["weak"], drawn["ceiling"] - drawn["weak"]
    # Draws without a gap have no share of it.
    has_gap = gaps > 0
    low, high = np.quantile(gains[has_gap] / gaps[has_gap], [0.025, 0.975])
    share = performance_gap_recovered(*(runs[n].mean() for n in drawn))
    return f"{share:.2f} [{low:.2f}, {high:.2f}]"


def by_data_set(table):
    """Return a row per data set and pretrained pair or all, over numbers of labels."""
    table = table[table["pair"] != RANDOM]
    return [
        {"data_set": name, "pair": pair} | pooled(own)
        for name, of_set in table.groupby("data_set", sort=False)
        for pair, own in [*of_set.groupby("pair", sort=False), ("all", of_set)]
    ]


def pooled(own):
    """Return means of the seeds, each the mean of its cells, and what follows."""
    runs = own.groupby(["seed", "model"])["accuracy"].mean().unstack()
    return {
        "n_seeds": len(runs),
        **{model: f"{100 * runs[model].mean():.1f}" for model in [*BASES, HEADLINE]},
        "student over weak": interval(runs[HEADLINE] - runs["weak"]),
        "student over strong on labels": interval(
            runs[HEADLINE] - runs["strong on labels"]
        ),
        "gap recovered": gap_recovered(runs, HEADLINE),
    }


def prepare(texts, chosen):
    """Return what runs of the pretrained pairs and of the control are given."""
    name, data = name_of(texts), load(texts, quick=chosen.quick)
    known = representations(data.texts, chosen.cache)
    few = slice(N_RANDOM_TEXTS)
    some = Texts(data.texts[few], data.y[few], data.groups[few])
    random = random_weights(some.texts, chosen.cache / "random" / name, chosen.cache)
    return (name, data, known, list(PAIRS)), (name, some, random, [RANDOM])


def main(arguments=None):
    """Compute the runs that are missing, then the tables that follow from them."""
    chosen = options(__doc__, arguments)
    path = chosen.out / "paper_text_runs.csv"
    rows = read(path)
    done = {tuple(row[key] for key in RUN) for row in rows}
    prepared = [prepare(texts, chosen) for texts in chosen.texts]
    # Seed by seed, so that a run that was stopped has all data sets.
    tasks = [
        (*arguments, seed, done)
        for seed in range(chosen.seeds)
        for of_texts in prepared
        for arguments in of_texts
    ]
    for found in as_they_end(run, tasks, jobs=chosen.jobs):
        rows += found
        if found:
            write(path, rows)
    rows.sort(key=lambda row: [row[key] for key in KEYS])
    write(path, rows)
    table = pd.DataFrame(rows)
    table["accuracy"] = table["accuracy"].astype(float)
    write(chosen.out / "paper_text.csv", by_cell(table))
    write(chosen.out / "paper_text_by_data_set.csv", by_data_set(table))


if __name__ == "__main__":
    main()

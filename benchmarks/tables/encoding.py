"""Texts per second that are encoded, beside sentence-transformers on the same model.

One thread of the processor, and its own time, so that what else the machine does counts
little; the contestants take turns and the best of the rounds counts. The probe is a
logistic regression on the activations, its accuracy that of 5-fold cross-validation.
The weights come with the packages of the dependency group "weights".
"""

import time

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.tables._results import write
from benchmarks.tables._texts import MAX_LENGTH, MINILM, load, options
from sklearn_w2s.text import LanguageModelEncoder
from sklearn_w2s.text._inputs import model_folder

DATA_SETS = ["text_customer_reviews", "text_trec"]
N_TEXTS, N_QUICK_TEXTS, N_ROUNDS = 400, 50, 2
BATCH_SIZE = 32


def contestants():
    """Return functions of texts that return activations, by name."""
    library = SentenceTransformer(str(model_folder(MINILM)), device="cpu")
    # Without the normalisation to unit length.
    library = SentenceTransformer(modules=[library[0], library[1]], device="cpu")
    library.max_seq_length = MAX_LENGTH
    found = {
        "SentenceTransformer.encode": lambda texts: library.encode(
            texts, batch_size=BATCH_SIZE
        )
    }
    for dtype in ("float32", "bfloat16"):
        encoder = LanguageModelEncoder(
            f"package:{MINILM}",
            pooling="mean",
            max_length=MAX_LENGTH,
            batch_size=BATCH_SIZE,
            device="cpu",
            dtype=dtype,
        ).fit(["Load it."])
        found[f"LanguageModelEncoder, {dtype}"] = encoder.transform
    return found


def compare(name, texts, y, encoders):
    """Return a row for each contestant."""
    seconds, rows = {contestant: [] for contestant in encoders}, {}
    for _ in range(N_ROUNDS):
        for contestant, encode in encoders.items():
            start = time.process_time()
            rows[contestant] = encode(texts)
            seconds[contestant].append(time.process_time() - start)
    library, *_ = rows
    best = {contestant: min(times) for contestant, times in seconds.items()}
    table = []
    for contestant, found in rows.items():
        difference = abs(found - rows[library]).max()
        table.append(
            {
                "data_set": name,
                "contestant": contestant,
                "n_texts": len(texts),
                "texts_per_second": f"{len(texts) / best[contestant]:.0f}",
                "times_as_fast": f"{best[library] / best[contestant]:.2f}",
                "largest_difference": f"{difference:.0e}",
                "accuracy_of_probe": f"{100 * accuracy(found, y):.1f}",
            }
        )
    return table


def accuracy(rows, y):
    """Return the cross-validated accuracy of a probe."""
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1_000))
    return cross_val_score(probe, rows.astype(float), y, cv=5).mean()


def main(arguments=None):
    """Write the table."""
    chosen = options(__doc__, arguments)
    torch.set_num_threads(1)
    encoders, table = contestants(), []
    for name in DATA_SETS:
        data = load(name)
        # Equal texts are encoded once by one of them.
        texts = list(dict.fromkeys(data.texts))[
            : N_QUICK_TEXTS if chosen.quick else N_TEXTS
        ]
        y = data.y[[np.flatnonzero(data.texts == text)[0] for text in texts]]
        table += compare(name, texts, y, encoders)
    write(chosen.out / "encoding.csv", table)


if __name__ == "__main__":
    main()

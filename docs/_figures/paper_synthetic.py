"""Accuracy against the number of overlap rows, ours and that of the authors."""

import matplotlib.pyplot as plt
import pandas as pd

COLORS = {"weak": "C0", "overlap rows, C=0.01": "C1", "ceiling": "C2"}
NAMES = {"overlap rows, C=0.01": "weak-to-strong"}
MIXTURES = {"paper": "test rows as the training rows", "equal": "a fixed test mixture"}

table = pd.read_csv("paper_synthetic_overlap.csv")
table = table[table["n_overlap"] <= 95]
figure, axes = plt.subplots(1, 2, sharey=True)
for ax, (mixture, title) in zip(axes, MIXTURES.items(), strict=True):
    for model, color in COLORS.items():
        own = table[(table["model"] == model) & (table["test_mixture"] == mixture)]
        name = NAMES.get(model, model)
        ax.plot(own["n_overlap"], own["accuracy"], color=color, label=name)
        ax.plot(own["n_overlap"], own["historical"], "o", color=color, mfc="none")
    ax.set(title=title, xlabel="overlap rows")
    ax.title.set_fontsize("medium")
axes[0].set_ylabel("accuracy")
axes[0].plot([], [], "ko", mfc="none", label="authors' results")
axes[0].legend()

"""Accuracy against the number of overlap rows, ours and that of the authors."""

import matplotlib.pyplot as plt
import pandas as pd

MODELS = {
    "weak": ("weak", "#000000", "--"),
    "overlap rows, C=0.01": ("weak-to-strong", "#D55E00", "-"),
    "ceiling": ("ceiling", "#0072B2", "-."),
}
MIXTURES = {"paper": "test rows as the training rows", "equal": "a fixed test mixture"}

table = pd.read_csv("paper_synthetic_overlap.csv")
table = table[table["n_overlap"] <= 95]
figure, axes = plt.subplots(1, 2, sharey=True, layout="constrained")
for ax, (mixture, title) in zip(axes, MIXTURES.items(), strict=True):
    for model, (name, color, dashes) in MODELS.items():
        own = table[(table["model"] == model) & (table["test_mixture"] == mixture)]
        ax.plot(own["n_overlap"], own["accuracy"], dashes, color=color, label=name)
        ax.plot(own["n_overlap"], own["historical"], "o", color=color, mfc="none")
    ax.set(title=title, xlabel="overlap rows")
    ax.title.set_fontsize("medium")
axes[0].set_ylabel("accuracy")
axes[0].plot([], [], "ko", mfc="none", label="authors' results")
lines, labels = axes[0].get_legend_handles_labels()
figure.legend(lines, labels, loc="outside upper center", ncols=4, frameon=False)

"""Weak estimator, student, strong estimator on the labels and ceiling, text by text."""

import matplotlib.pyplot as plt
import pandas as pd

MODELS = {
    "weak": ("weak estimator", "#888888", "o"),
    "student, penalty 0.1": ("student of weak labels", "#D55E00", "D"),
    "strong on labels": ("strong estimator on the labels", "#0072B2", "s"),
    "ceiling": ("ceiling", "#000000", "|"),
}

table = pd.read_csv("paper_text_by_data_set.csv")
table = table[table["pair"] != "all"]
table["name"] = table["data_set"].str.replace("text_", "").str.replace(".text", "")
pairs = table["pair"].unique()
shape = {"sharey": True, "figsize": (6.8, 3.6), "layout": "constrained"}
figure, axes = plt.subplots(1, len(pairs), **shape)
for ax, pair in zip(axes, pairs, strict=True):
    own = table[table["pair"] == pair].iloc[::-1]
    for model, (label, color, marker) in MODELS.items():
        style = {"color": color, "marker": marker, "ls": "", "label": label}
        ax.plot(own[model], own["name"], **style)
    ax.grid(axis="y", lw=0.4)
    ax.set_title(pair.replace(", ", ",\n"), fontsize="medium")
    ax.set_xlabel("accuracy in percent")
lines, labels = axes[0].get_legend_handles_labels()
figure.legend(lines, labels, loc="outside upper center", ncols=2, frameon=False)

"""Weak, student, strong on the labels and ceiling, by text and pair."""

import matplotlib.pyplot as plt
import pandas as pd

MODELS = {
    "weak": "o",
    "student, penalty 0.1": "D",
    "strong on labels": "s",
    "ceiling": "|",
}

table = pd.read_csv("paper_text_by_data_set.csv")
table = table[table["pair"] != "all"]
pairs = table["pair"].unique()
figure, axes = plt.subplots(1, len(pairs), sharey=True, figsize=(8, 3.2))
for ax, pair in zip(axes, pairs, strict=True):
    own = table[table["pair"] == pair].iloc[::-1]
    names = own["data_set"].str.replace("text_", "").str.replace(".text", "")
    for k, (model, marker) in enumerate(MODELS.items()):
        style = {"color": f"C{k}", "marker": marker, "ls": "", "label": model}
        ax.plot(own[model], names, **style)
    ax.grid(axis="y", lw=0.4)
    ax.set(title=pair.replace(", ", ",\n"), xlabel="accuracy in percent")
    ax.title.set_fontsize("medium")
axes[0].legend(fontsize="x-small")

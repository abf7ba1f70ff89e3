"""Gain over the weak estimator against the share of overlap rows, text by text."""

import matplotlib.pyplot as plt
import pandas as pd

CURVES = {"plain, as few": "as they are", "matched": "weak labels equally good"}

table = pd.read_csv("paper_text_mixing_curves.csv")
table = table[table["detector"] == "paper"]
table["gain"] = 100 * (table["weak_to_strong"] - table["weak"])
keys = ["pair", "data_set", "curve", "overlap_share"]
means = table.groupby(keys)["gain"].mean()
pairs = table["pair"].unique()
figure, axes = plt.subplots(1, len(pairs), sharey=True, figsize=(8, 3.2))
for ax, pair in zip(axes, pairs, strict=True):
    for k, (curve, label) in enumerate(CURVES.items()):
        lines = means[pair].xs(curve, level="curve").unstack("data_set")
        ax.plot(lines.index, lines, color=f"C{k}", lw=0.8, alpha=0.35)
        ax.plot(lines.index, lines.mean(axis=1), color=f"C{k}", lw=2, label=label)
    ax.axhline(0, color="0.5", lw=0.8)
    ax.set(title=pair.replace(", ", ",\n"), xlabel="share of overlap rows")
    ax.title.set_fontsize("medium")
axes[0].set_ylabel("points of accuracy over weak")
axes[1].legend(fontsize="x-small", loc="lower center")

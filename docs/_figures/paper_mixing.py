"""Gain over the weak estimator against the share of overlap rows, mean of tables."""

import matplotlib.pyplot as plt
import pandas as pd

CURVES = {"plain, as few": "as they are", "matched": "weak labels equally good"}

table = pd.read_csv("paper_mixing_curves.csv")
table = table[table["status"] == "ok"]
table["gain"] = 100 * (table["weak_to_strong"] - table["weak"])
# A table that has one of the curves only would shift it.
sets = ["pair", "data_set"]
complete = table.groupby(sets)["curve"].transform("nunique") == table["curve"].nunique()
means = table[complete].groupby([*sets, "curve", "overlap_share"])["gain"].mean()
figure, axes = plt.subplots(1, 3, sharey=True, figsize=(8, 3.2))
for ax, (pair, own) in zip(axes, means.groupby(level="pair"), strict=True):
    for curve, label in CURVES.items():
        line = own.xs(curve, level="curve").groupby(level="overlap_share")
        mean, error = line.mean(), line.sem()
        ax.plot(mean.index, mean, label=label)
        ax.fill_between(mean.index, mean - error, mean + error, alpha=0.2, lw=0)
    ax.axhline(0, color="0.5", lw=0.8)
    ax.set(title=pair.replace(", ", ",\n"), xlabel="share of overlap rows")
    ax.title.set_fontsize("medium")
axes[0].set_ylabel("points of accuracy over weak")
axes[1].legend(fontsize="x-small", loc="lower center")

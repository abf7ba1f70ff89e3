"""Gain over the weak estimator against the share of overlap rows, mean of texts."""

import matplotlib.pyplot as plt
import pandas as pd

CURVES = {
    "plain, as few": ("weak labels as they are", "#0072B2", "-"),
    "matched": ("weak labels equally good", "#D55E00", "--"),
}

table = pd.read_csv("paper_text_mixing_curves.csv")
table = table[table["detector"] == "paper"]
table["gain"] = 100 * (table["weak_to_strong"] - table["weak"])
sets = ["pair", "data_set"]
means = table.groupby([*sets, "curve", "overlap_share"])["gain"].mean()
figure, axes = plt.subplots(1, 3, sharey=True, figsize=(8, 3.6), layout="constrained")
for ax, (pair, own) in zip(axes, means.groupby(level="pair"), strict=True):
    for curve, (label, color, dashes) in CURVES.items():
        line = own.xs(curve, level="curve").groupby(level="overlap_share")
        mean, error = line.mean(), line.sem()
        ax.plot(mean.index, mean, dashes, color=color, lw=2, label=label)
        band = mean - error, mean + error
        ax.fill_between(mean.index, *band, color=color, alpha=0.2, lw=0)
    ax.axhline(0, color="0.5", lw=0.8)
    ax.set_title(pair.replace(", ", ",\n"), fontsize="medium")
    ax.set_xlabel("share of overlap rows")
axes[0].set_ylabel("points over the weak estimator")
lines, labels = axes[0].get_legend_handles_labels()
figure.legend(lines, labels, loc="outside upper center", ncols=2, frameon=False)

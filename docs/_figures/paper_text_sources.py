"""Density and accuracy by round, of sources of texts."""

import matplotlib.pyplot as plt
import pandas as pd

POLICIES = {
    "oracle": ("oracle", "#000000", ":"),
    "kl_ucb": ("kl_ucb, the default", "#D55E00", "-"),
    "reference": ("the authors' code", "#0072B2", "--"),
    "paper": ("the paper", "#56B4E9", "-."),
    "random": ("random", "#888888", "-"),
}
# More of them would hide each other.
BANDS = ("kl_ucb", "random")

table = pd.read_csv("paper_text_sources_rounds.csv")
problems = table["problem"].unique()
shape = {"sharex": True, "figsize": (8, 5.4), "layout": "constrained"}
figure, axes = plt.subplots(2, len(problems), **shape)
for column, problem in zip(axes.T, problems, strict=True):
    for policy, (label, color, dashes) in POLICIES.items():
        own = table[(table["problem"] == problem) & (table["policy"] == policy)]
        for ax, score in zip(column, ["density", "accuracy"], strict=True):
            style = {"color": color, "ls": dashes, "lw": 1.8, "label": label}
            ax.plot(own["round"], own[score], **style)
            if policy not in BANDS:
                continue
            band = own[f"{score}_low"], own[f"{score}_high"]
            ax.fill_between(own["round"], *band, color=color, alpha=0.15, lw=0)
    column[0].set_title(problem, fontsize="medium")
    column[1].set_xlabel("round")
axes[0, 0].set_ylabel("overlap density so far")
axes[1, 0].set_ylabel("accuracy")
lines, labels = axes[0, 0].get_legend_handles_labels()
figure.legend(lines, labels, loc="outside upper center", ncols=3, frameon=False)

"""Density and accuracy by round, of sources of texts."""

import matplotlib.pyplot as plt
import pandas as pd

POLICIES = ["oracle", "kl_ucb", "paper", "random"]

table = pd.read_csv("paper_text_sources_rounds.csv")
problems = table["problem"].unique()
figure, axes = plt.subplots(2, len(problems), sharex=True, figsize=(8, 5))
for column, problem in zip(axes.T, problems, strict=True):
    for k, policy in enumerate(POLICIES):
        own = table[(table["problem"] == problem) & (table["policy"] == policy)]
        for ax, score in zip(column, ["density", "accuracy"], strict=True):
            ax.plot(own["round"], own[score], color=f"C{k}", label=policy)
            band = own[f"{score}_low"], own[f"{score}_high"]
            ax.fill_between(own["round"], *band, color=f"C{k}", alpha=0.15, lw=0)
    column[0].set_title(problem, fontsize="medium")
    column[1].set_xlabel("round")
axes[0, 0].set_ylabel("overlap density so far")
axes[1, 0].set_ylabel("accuracy")
axes[0, 0].legend(fontsize="small", ncols=2)

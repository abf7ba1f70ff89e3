"""Accuracy of students of votes against the share of overlap rows, and their labels."""

import matplotlib.pyplot as plt
import pandas as pd

table = pd.read_csv("paper_votes.csv")
students = [name for name in table if name.startswith("student_")]
shares = [float(name.removeprefix("student_")) for name in students]
former = table[table["origin"] == "historical"].set_index("data_set")
ours = table[table["classes"] == "as they are"].set_index("data_set")
figure, axes = plt.subplots(
    1, len(ours), sharey=True, figsize=(7, 3.2), layout="constrained"
)
for ax, (name, row) in zip(axes, ours.iterrows(), strict=True):
    ax.plot(shares, row[students], color="#D55E00", lw=2, label="student")
    ax.axhline(row["label_model"], color="#000000", ls="--", label="label model")
    ax.axhline(row["gold"], color="#0072B2", ls="-.", label="true labels")
    if name in former.index:
        own = former.loc[name, students]
        ax.plot(shares, own, "o", color="#D55E00", mfc="none", label="authors' student")
    ax.set_title(name, fontsize="medium")
axes[0].set_ylabel("accuracy")
figure.supxlabel("share of overlap rows", fontsize="medium")
shown = {}
for ax in axes:
    lines, labels = ax.get_legend_handles_labels()
    shown |= dict(zip(labels, lines, strict=True))
figure.legend(shown.values(), shown, loc="outside upper center", ncols=4, frameon=False)

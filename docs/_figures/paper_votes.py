"""Accuracy of students of votes against the share of overlap rows, and their labels."""

import matplotlib.pyplot as plt
import pandas as pd

table = pd.read_csv("paper_votes.csv")
students = [name for name in table if name.startswith("student_")]
shares = [float(name.removeprefix("student_")) for name in students]
former = table[table["origin"] == "historical"].set_index("data_set")
ours = table[table["classes"] == "as they are"].set_index("data_set")
figure, axes = plt.subplots(1, len(ours), sharey=True, figsize=(8.5, 2.8))
for ax, (name, row) in zip(axes, ours.iterrows(), strict=True):
    ax.plot(shares, row[students], "C1", label="student")
    ax.axhline(row["label_model"], color="C0", label="label model")
    ax.axhline(row["gold"], color="C2", label="true labels")
    if name in former.index:
        own = former.loc[name, students]
        ax.plot(shares, own, "ko", mfc="none", label="authors' student")
    ax.set_title(name, fontsize="medium")
    ax.set_xlabel("share of overlap rows", fontsize="small")
axes[1].legend(fontsize="x-small", loc="lower center")
axes[0].set_ylabel("accuracy")

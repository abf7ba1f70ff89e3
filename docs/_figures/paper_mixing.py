"""Gain over the weak estimator against the share of overlap rows, mean of tables."""

import pandas as pd
from finding_figures import draw_mixing

table = pd.read_csv("paper_mixing_curves.csv")
table = table[table["status"] == "ok"]
table["gain"] = 100 * (table["weak_to_strong"] - table["weak"])
# A table that has one of the curves only would shift it.
sets = ["pair", "data_set"]
complete = table.groupby(sets)["curve"].transform("nunique") == table["curve"].nunique()
means = table[complete].groupby([*sets, "curve", "overlap_share"])["gain"].mean()
draw_mixing(means)

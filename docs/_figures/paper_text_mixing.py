"""Gain over the weak estimator against the share of overlap rows, mean of texts."""

import pandas as pd
from finding_figures import draw_mixing

table = pd.read_csv("paper_text_mixing_curves.csv")
table = table[table["detector"] == "paper"]
table["gain"] = 100 * (table["weak_to_strong"] - table["weak"])
means = table.groupby(["pair", "data_set", "curve", "overlap_share"])["gain"].mean()
draw_mixing(means)

"""Density and accuracy by round, of the paper's policies and ours."""

import pandas as pd
from finding_figures import draw_rounds

HORIZON = 50

table = pd.read_csv("paper_sources_rounds.csv")
draw_rounds(table[table["horizon"] == HORIZON], ["paper's generator", "electricity"])

"""Density and accuracy by round, of sources of texts."""

import pandas as pd
from finding_figures import draw_rounds

table = pd.read_csv("paper_text_sources_rounds.csv")
draw_rounds(table, table["problem"].unique())

"""
How much overlap is needed, and is it the overlap?
==================================================

With the number of rows fixed, does a strong estimator gain more if more of them are
overlap rows? And if so, is it because of their patterns, or only because their weak
labels are right more often?
"""

# %%
# The mixing experiment
# ---------------------
#
# :func:`~sklearn_w2s.model_selection.overlap_curve` draws the same number of rows at
# each share of overlap rows, and trains on their weak labels.

import numpy as np
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sklearn_w2s.datasets import make_overlap_classification
from sklearn_w2s.model_selection import overlap_curve
from sklearn_w2s.plotting import OverlapCurveDisplay

X, y, regions = make_overlap_classification(3000, random_state=0)
easy_columns = make_column_transformer(("passthrough", slice(0, 20)))
weak = make_pipeline(easy_columns, LogisticRegression())
strong = LogisticRegression(C=0.01)
shares = np.linspace(0, 1, 11)

curve = overlap_curve(
    weak, strong, X, y, regions, overlap_shares=shares, n_repeats=10, random_state=0
)
display = OverlapCurveDisplay.from_cv_results(curve, score_name="accuracy")

# %%
# If more than half are overlap rows, the strong estimator is better than the weak one.
# But the lower panel rises as well: weak labels of overlap rows are right more often.
#
# The same with equally good labels
# ---------------------------------
#
# With ``matched=True`` the rows are drawn so that the accuracy of the weak labels and
# the class balance are the same at all shares:

matched = overlap_curve(
    weak,
    strong,
    X,
    y,
    regions,
    overlap_shares=shares,
    matched=True,
    n_repeats=10,
    random_state=0,
)
matched_display = OverlapCurveDisplay.from_cv_results(matched, score_name="accuracy")

# %%
# The curve is nearly flat. On these data, most of the gain comes from correct labels
# for rows with the hard pattern. Overlap rows are a way to get such rows without
# knowing which labels are right; if that were known, hard rows would do as well.

for name, result in (("as drawn", curve), ("matched", matched)):
    mean = result["weak_to_strong_score"].mean(axis=1)
    print(f"{name}: from {mean[0]:.3f} without overlap rows to {mean[-1]:.3f}")

"""
Regression: values instead of classes
=====================================

A weak regressor labels plenty of rows cheaply. How much of its error can a strong one
that learns from these labels remove, and with how many true labels?
"""

# %%
# The table
# ---------
#
# The target depends on five of ten columns, and not linearly. The weak estimator is a
# linear regression fitted on few labels. Rows without a value would be NaN; here the
# values are only hidden, so that the results can be scored.

import numpy as np
from sklearn.datasets import make_friedman1
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression

from sklearn_w2s import OverlapDetector, WeakToStrongRegressor
from sklearn_w2s.metrics import region_rmse
from sklearn_w2s.model_selection import gap_learning_curve
from sklearn_w2s.plotting import GapLearningCurveDisplay

X, y = make_friedman1(1500, noise=1.0, random_state=0)
model = WeakToStrongRegressor(LinearRegression(), HistGradientBoostingRegressor())
curve = gap_learning_curve(
    model, X, y, labeled_sizes=[50, 100, 300], cv=3, random_state=0
)
display = GapLearningCurveDisplay.from_cv_results(curve, score_name="negative RMSE")

# %%
# The score is the negative error in the unit of y, so greater is better. The share of
# the gap has no unit:

for i, n_labels in enumerate(curve["labeled_sizes"]):
    rmse = {
        name: -curve[f"{name}_score"][i].mean()
        for name in ("weak", "strong_on_labels", "weak_to_strong", "ceiling")
    }
    shown = ", ".join(f"{name} {error:.2f}" for name, error in rmse.items())
    print(f"{n_labels:4} labels, RMSE: {shown}")
print("share of the gap:", np.round(curve["gap_recovered"], 2))

# %%
# How the teacher weights its members
# -----------------------------------
#
# The student learns the weighted mean of the members. These are their weights, and
# their errors on held-out labels:

y_train = np.where(np.arange(len(y)) < 100, y, np.nan)
model.set_params(random_state=0).fit(X, y_train)
for name, weight in model.evidence_["weights"].items():
    error = model.evidence_["rmse"].get(name)
    print(f"{name:8} {weight:.2f}", "" if error is None else f"RMSE {error:.2f}")

# %%
# Where is the error?
# -------------------
#
# A detector finds regions for values, too. :func:`~sklearn_w2s.metrics.region_rmse`
# gives the error in each of them, here on the rows whose values were hidden:

hidden = slice(100, None)
detector = OverlapDetector(LinearRegression(), random_state=0).fit(X, y_train)
regions = detector.predict(X[hidden])
for name, fitted in (("weak", model.weak_estimator_), ("weak-to-strong", model)):
    rmse = region_rmse(y[hidden], fitted.predict(X[hidden]), regions)
    print(f"{name:14}", ", ".join(f"{region} {e:.2f}" for region, e in rmse.items()))

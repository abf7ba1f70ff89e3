"""
How many labels?
================

Weak-to-strong competes with an alternative that needs no unlabeled rows: training the
strong estimator on the existing labels. How many labels does it take for that to win?
"""

# %%
# The curve
# ---------
#
# :func:`~sklearn_w2s.model_selection.gap_learning_curve` keeps increasing numbers of
# labels, in the same folds.

import numpy as np
from sklearn.datasets import load_digits
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression

from sklearn_w2s import WeakToStrongClassifier
from sklearn_w2s.model_selection import gap_learning_curve
from sklearn_w2s.plotting import GapLearningCurveDisplay

X, y = load_digits(return_X_y=True)
X /= 16
model = WeakToStrongClassifier(LogisticRegression(), ExtraTreesClassifier(30))
curve = gap_learning_curve(
    model, X, y, labeled_sizes=[30, 120, 480], cv=3, random_state=0
)
display = GapLearningCurveDisplay.from_cv_results(curve, score_name="accuracy")

# %%
# Each line is the mean over folds, with bars for its interval. With few labels,
# weak-to-strong is far ahead; the more there are, the less it gains over the forest
# that learns from them alone. Each size also has its share of the gap, with a
# confidence interval:

for i, n_labels in enumerate(curve["labeled_sizes"]):
    low, high = curve["gap_recovered_interval"][i]
    share = curve["gap_recovered"][i]
    print(f"{n_labels:4} labels: {share:4.0%} of the gap, [{low:.0%}, {high:.0%}]")
gain = curve["weak_to_strong_score"] - curve["strong_on_labels_score"]
print("points gained over the labels alone:", np.round(100 * gain.mean(axis=1), 1))

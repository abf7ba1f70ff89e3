"""
Where is the student better?
============================

A strong estimator trained on weak labels is better than the weak estimator by a few
points overall. On which rows did it gain?
"""

# %%
# Train on weak labels
# --------------------
#
# :func:`~sklearn_w2s.model_selection.weak_strong_split` holds out test rows, and hides
# most training labels. Further arrays, here the true regions, are split in the same
# way.

from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from sklearn_w2s import WeakToStrongClassifier
from sklearn_w2s.datasets import make_overlap_classification
from sklearn_w2s.model_selection import weak_strong_split

X, y, regions = make_overlap_classification(
    4000, overlap_density=0.3, absent_noise=0.5, random_state=0
)
X_train, X_test, y_train, y_test, _, regions_test, y_true_train = weak_strong_split(
    X, y, regions, labeled_size=200, random_state=0
)

strong = LogisticRegression(C=0.01)
model = WeakToStrongClassifier(
    LogisticRegression(), strong, weak_features=slice(0, 20), random_state=0
)
model.fit(X_train, y_train)
ceiling = clone(strong).fit(X_train, y_true_train)

# %%
# By region
# ---------

from sklearn_w2s.plotting import RegionScoreDisplay

predictions = {
    "weak": model.weak_estimator_.predict(X_test[:, :20]),
    "weak-to-strong": model.predict(X_test),
    "ceiling": ceiling.predict(X_test),
}
display = RegionScoreDisplay.from_predictions(y_test, regions_test, predictions)

# %%
# The weak estimator can only guess on the hard rows, and there the student gains most.
# It has learned the hard pattern from overlap rows and from the few true labels, so it
# also gains on the overlap rows, where one pattern confirms the other. On the easy rows
# there is little to gain.
#
# The numbers
# -----------
#
# :func:`~sklearn_w2s.metrics.region_accuracy` gives the numbers of one predictor, and
# :func:`~sklearn_w2s.metrics.performance_gap_recovered_score` compares the three.

from sklearn_w2s.metrics import performance_gap_recovered_score, region_accuracy

for name, predicted in predictions.items():
    accuracy = region_accuracy(y_test, predicted, regions_test)
    print(f"{name:14}", *(f"{region} {a:.2f}" for region, a in accuracy.items()))
share = performance_gap_recovered_score(y_test, *predictions.values())
print(f"gap recovered: {share:.0%}")

# %%
# Without true regions
# --------------------
#
# On real data the regions are unknown. A fitted :class:`~sklearn_w2s.OverlapDetector`
# finds them without any true labels of the test rows. The result is much the same:

from sklearn_w2s import OverlapDetector

detector = OverlapDetector(LogisticRegression(), weak_features=slice(0, 20))
detector.fit(X_train, y_train)
found = RegionScoreDisplay.from_predictions(
    y_test, detector.predict(X_test), predictions
)
found.ax_.set_ylim(display.ax_.get_ylim())

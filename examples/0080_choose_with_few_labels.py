"""
How to choose a strategy when most rows have no label?
======================================================

A grid search splits rows into folds, and scores each fold. Both go wrong if most rows
have no label: a scorer counts each of them as an error. What is the right way to
search?
"""

# %%
# The mistake
# -----------
#
# To a scikit-learn scorer, -1 is a class like any other, but one that the model never
# predicts. Every unlabeled test row counts as an error:

from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score

from sklearn_w2s import WeakToStrongClassifier
from sklearn_w2s.datasets import make_overlap_classification
from sklearn_w2s.model_selection import (
    LabeledScorer,
    LabeledSplit,
    weak_strong_split,
)

X, y, _ = make_overlap_classification(
    3000, overlap_density=0.3, absent_noise=0.5, random_state=0
)
X, X_test, y, y_test, _ = weak_strong_split(X, y, labeled_size=0.1, random_state=0)
model = WeakToStrongClassifier(
    LogisticRegression(),
    LogisticRegression(C=0.01),
    weak_features=slice(0, 20),
    random_state=0,
)
folds = KFold(5, shuffle=True, random_state=0)
wrong = cross_val_score(model, X, y, cv=folds, scoring="accuracy")
print(f"scored on all rows: {wrong.mean():.3f}")

# %%
# :class:`~sklearn_w2s.model_selection.LabeledScorer` drops the unlabeled rows of a test
# set. :class:`~sklearn_w2s.model_selection.LabeledSplit` splits the labeled rows only,
# and adds all unlabeled ones to every training set, so that any scorer works:

scored = cross_val_score(model, X, y, cv=folds, scoring=LabeledScorer("accuracy"))
split = cross_val_score(model, X, y, cv=LabeledSplit(folds))
print(f"LabeledScorer: {scored.mean():.3f}")
print(f"LabeledSplit:  {split.mean():.3f}")

# %%
# Both estimate the same quantity; they differ by chance, since only one row in ten has
# a label.
#
# The search
# ----------

grid = {"strategy": ["auto", "all", "confidence", "overlap", "mix"]}
search = GridSearchCV(model, grid, cv=LabeledSplit(folds)).fit(X, y)
print(search.best_params_)

# %%
# How far can the estimates of the search be trusted? Rows that were in no fold show it:

import matplotlib.pyplot as plt

names = grid["strategy"]
estimated = search.cv_results_["mean_test_score"]
spread = search.cv_results_["std_test_score"]
true_scores = [
    model.set_params(strategy=name).fit(X, y).score(X_test, y_test) for name in names
]

figure, ax = plt.subplots(figsize=(6, 3.4), layout="constrained")
heights = range(len(names))
ax.errorbar(
    estimated,
    heights,
    xerr=spread,
    fmt="o",
    color="#0072B2",
    capsize=4,
    label="search, with deviation of folds",
)
ax.plot(true_scores, heights, "D", color="#D55E00", label="test rows")
ax.set_yticks(heights, names)
ax.set(xlabel="accuracy", ylim=(-0.5, len(names) - 0.5))
figure.legend(loc="outside upper center", ncols=2, frameon=False)
plt.show()

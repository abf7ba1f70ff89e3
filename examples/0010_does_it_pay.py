"""
Does it pay?
============

We have a hundred labeled handwritten digits, and many unlabeled ones. A logistic
regression learns from the labels. A forest could do better if it had more of them. Does
it help to train the forest on the logistic regression's labels for the other digits?
"""

# %%
# Four fits, compared on the same rows
# ------------------------------------
#
# Here all labels are known, so we can measure the answer: in every fold,
# :func:`~sklearn_w2s.model_selection.cross_validate_gap` keeps a hundred labels of the
# training rows and hides the others. The *ceiling* is the forest trained on all labels,
# including the hidden ones.

from sklearn.datasets import load_digits
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression

from sklearn_w2s import WeakToStrongClassifier
from sklearn_w2s.model_selection import cross_validate_gap
from sklearn_w2s.plotting import GapDisplay

X, y = load_digits(return_X_y=True)
X /= 16

model = WeakToStrongClassifier(LogisticRegression(), ExtraTreesClassifier(30))
results = cross_validate_gap(model, X, y, labeled_size=100, random_state=0)
display = GapDisplay.from_cv_results(results, score_name="accuracy")

# %%
# A teacher pools the logistic regression, the forest trained on the labels, and the
# labels of similar digits. Trained on the teacher's labels for the other digits, the
# forest recovers part of the gap between the dashed lines. The interval accounts for
# how much the folds differ.

for name in ("weak", "strong_on_labels", "weak_to_strong", "ceiling"):
    print(f"{name:16} {results[f'{name}_score'].mean():.3f}")
low, high = results["gap_recovered_interval"]
print(f"gap recovered: {results['gap_recovered']:.0%}, from {low:.0%} to {high:.0%}")

# %%
# One fold at a time
# ------------------
#
# :func:`~sklearn_w2s.metrics.performance_gap_recovered` computes this share from given
# scores, and :func:`~sklearn_w2s.metrics.gap_regime` summarises it in a word.

from sklearn_w2s.metrics import gap_regime, performance_gap_recovered

shares = performance_gap_recovered(
    results["weak_score"], results["weak_to_strong_score"], results["ceiling_score"]
)
for share, regime in zip(shares, gap_regime(shares), strict=True):
    print(f"{share:4.0%} {regime}")

# %%
# Before the labels are known
# ---------------------------
#
# In practice, the labels used in the comparison above are not available.
# :func:`~sklearn_w2s.advice.advise` makes do with a hundred: it compares the estimators
# on held-out labeled rows, and looks at their predictions for the unlabeled ones.

from sklearn_w2s.advice import advise
from sklearn_w2s.model_selection import weak_strong_split

X, X_test, y, y_test, _ = weak_strong_split(X, y, labeled_size=100, random_state=0)
advice = advise(model, X, y, cv=3, random_state=0)
print(advice)

# %%
# The test rows, which the advice has not seen, show whether it was right. The advice
# keeps the fitted estimator:

weak_score = advice.estimator.weak_estimator_.score(X_test, y_test)
gain = advice.estimator.score(X_test, y_test) - weak_score
print(f"predicted gain {100 * advice.predicted_gain:.1f} points, true {100 * gain:.1f}")

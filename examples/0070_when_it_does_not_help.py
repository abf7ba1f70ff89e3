"""
When it does not help
=====================

Three tables on which weak-to-strong is the wrong tool, each for a different reason. How
can each case be recognised?
"""

# %%
# No gap
# ------
#
# On scikit-learn's breast cancer data, a logistic regression trained on a hundred
# labels is about as good as a forest trained on all of them. There is nothing to
# recover, and the share of the gap recovered is undefined: a share of a difference that
# may be due to chance is meaningless.

from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_w2s import WeakToStrongClassifier
from sklearn_w2s.plotting import GapDisplay

X, y = load_breast_cancer(return_X_y=True)
model = WeakToStrongClassifier(
    make_pipeline(StandardScaler(), LogisticRegression()), ExtraTreesClassifier(30)
)
# sphinx_gallery_thumbnail_number = 3
no_gap = GapDisplay.from_estimator(model, X, y, labeled_size=100, random_state=0)

# %%
# The right choice is the weak estimator, the simplest of the three. The advice, which
# has only the hundred labels, finds no clear difference either: its intervals contain
# zero.

from sklearn_w2s.advice import advise
from sklearn_w2s.model_selection import weak_strong_split

X_train, _, y_train, _, _ = weak_strong_split(X, y, labeled_size=100, random_state=0)
print(advise(model, X_train, y_train, cv=3, random_state=0))

# %%
# No overlap
# ----------
#
# Here there is a gap, but no row carries both patterns. The weak estimator is an older
# model that sees the easy columns only, and there are no labels. Its labels for the
# hard rows are guesses, and the other rows do not contain the hard pattern: next to
# nothing is recovered.

from sklearn.compose import make_column_transformer
from sklearn.frozen import FrozenEstimator

from sklearn_w2s.datasets import make_overlap_classification

X, y, _ = make_overlap_classification(
    3000, overlap_density=0, absent_noise=0.5, random_state=0
)
easy_columns = make_column_transformer(("passthrough", slice(0, 20)))
older = make_pipeline(easy_columns, LogisticRegression()).fit(X[:1000], y[:1000])
model = WeakToStrongClassifier(FrozenEstimator(older), LogisticRegression(C=0.01))
no_overlap = GapDisplay.from_estimator(
    model, X[1000:], y[1000:], labeled_size=0, random_state=0
)

# %%
# The remedy is to label some rows, or to find a source with overlap.
#
# Enough labels
# -------------
#
# With 200 labels for such rows, the strong estimator learns the hard pattern from them.
# Weak-to-strong is as good, but the unlabeled rows add nothing.

model = WeakToStrongClassifier(
    LogisticRegression(), LogisticRegression(C=0.01), weak_features=slice(0, 20)
)
enough = GapDisplay.from_estimator(model, X, y, labeled_size=200, random_state=0)

# %%
# The right choice is to train the strong estimator on the labels, which is simpler. The
# advice finds that the two hardly differ:

X_train, _, y_train, _, _ = weak_strong_split(X, y, labeled_size=200, random_state=0)
print(advise(model, X_train, y_train, cv=3, random_state=0))

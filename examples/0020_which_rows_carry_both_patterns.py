"""
Which rows carry both patterns?
===============================

A weak estimator sees half of the columns. Some rows show their class there, some show
it in the other columns only, and some in both: these *overlap* rows teach a strong
estimator what the weak one cannot see. How are they found without true labels?
"""

# %%
# The detector
# ------------
#
# The generator tells the true regions, with which the result is compared below. The
# detector gets 500 labels and no region.

from sklearn.linear_model import LogisticRegression

from sklearn_w2s import OverlapDetector
from sklearn_w2s.datasets import make_overlap_classification
from sklearn_w2s.plotting import OverlapDisplay

X, y_true, true_regions = make_overlap_classification(
    1500, overlap_density=0.3, absent_noise=0.5, random_state=0
)
y = y_true.copy()
y[500:] = -1

detector = OverlapDetector(LogisticRegression(), weak_features=slice(0, 20))
detector.fit(X, y)
display = OverlapDisplay.from_estimator(detector, X)

# %%
# Rows of little confidence that do not resemble the easy ones are hard. Of the others,
# those that resemble the hard ones are overlap rows: in the third picture they stand
# apart, at the top.
#
# How many there are
# ------------------
#
# The overlap density is the share of overlap rows; its interval covers the chance of
# having drawn these rows and no others.

from sklearn_w2s.metrics import (
    overlap_density,
    overlap_density_interval,
    overlap_regime,
)

regions = detector.regions_
density = overlap_density(regions)
low, high = overlap_density_interval(regions)
print(f"density found: {density:.3f}, from {low:.3f} to {high:.3f}")
print(f"true density:  {overlap_density(true_regions):.3f}")
print(f"regime:        {overlap_regime(density)}")

# %%
# Corrected by an audit
# ---------------------
#
# With more noise in the columns that a row does not use, the detector errs. Where
# someone has looked at some rows, their true regions correct the density by its error
# rates. The audited rows must be rows that it has not learned from, here the last 500:

from sklearn_w2s.metrics import corrected_overlap_density

X, y_true, true_regions = make_overlap_classification(
    2000, overlap_density=0.3, absent_noise=1, random_state=0
)
y = y_true.copy()
y[500:] = -1
detector.fit(X[:1500], y[:1500])
corrected, (low, high) = corrected_overlap_density(
    detector.regions_,
    audited_regions=detector.predict(X[1500:]),
    audited_true_regions=true_regions[1500:],
)
print(f"density found: {overlap_density(detector.regions_):.3f}")
print(f"corrected:     {corrected:.3f}, from {low:.3f} to {high:.3f}")
print(f"true density:  {overlap_density(true_regions[:1500]):.3f}")

"""
Which rows carry both patterns?
===============================

A weak estimator sees half of the columns. Some rows show their class there, some show
it in the other columns only, and some in both: these *overlap* rows teach a strong
estimator what the weak one cannot see. How can they be found without true labels?
"""

# %%
# The detector
# ------------
#
# The generator returns the true regions, which we use only for comparison below. The
# detector gets 500 labels and no regions.

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
# Rows of low confidence that are not similar to the easy ones are hard. Among the
# others, those similar to the hard ones are overlap rows: in the third panel they form
# a separate group at the top.
#
# How many there are
# ------------------
#
# The overlap density is the share of overlap rows; its interval reflects the sampling
# of the rows.

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
# With more noise in the columns that a row does not use, the detector makes mistakes.
# If some rows have been audited, their true regions yield the detector's error rates,
# which correct the density. The audited rows must be rows that it has not learned from,
# here the last 500:

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

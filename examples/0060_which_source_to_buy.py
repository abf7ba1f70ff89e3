"""
From which source to buy?
=========================

Rows are for sale from five sources, and it is not known which has the densest overlap.
A bandit finds out while it buys. How much does that cost, compared with knowing in
advance?
"""

# %%
# Buying
# ------
#
# The sources are endless, and are read one batch at a time. The 200 labeled rows at
# hand train the weak estimator of the detector.

from sklearn.linear_model import LogisticRegression

from sklearn_w2s import OverlapDetector, UCBSourceSelector
from sklearn_w2s.datasets import make_overlap_classification, make_overlap_sources
from sklearn_w2s.plotting import SourceSelectionDisplay

DENSITIES = {"north": 0.05, "south": 0.45, "east": 0.15, "west": 0.3, "web": 0.1}


def open_sources():
    """Return the sources, each at its first row."""
    sources = make_overlap_sources(
        list(DENSITIES.values()), n_samples=None, absent_noise=0.5, random_state=0
    )
    return dict(zip(DENSITIES, sources.values(), strict=True))


# The same seed gives the same class centres.
X, y, _ = make_overlap_classification(200, absent_noise=0.5, random_state=0)


def buy(policy):
    """Return a selector that bought 1,500 rows."""
    selector = UCBSourceSelector(
        overlap_detector=OverlapDetector(
            LogisticRegression(), weak_features=slice(0, 20)
        ),
        budget=1500,
        policy=policy,
        random_state=0,
    )
    return selector.fit_sources(open_sources(), X, y)


selector = buy("kl_ucb")
display = SourceSelectionDisplay.from_estimator(selector)

# %%
# The first draws are spread evenly over the sources. Then the densest source takes
# over, and the others are drawn from only as long as their intervals leave room for
# doubt.

for name, n_drawn in zip(selector.sources_, selector.n_samples_drawn_, strict=True):
    print(f"{name:5} {n_drawn:4} rows, true density {DENSITIES[name]:.2f}")

# %%
# The cost of not knowing
# -----------------------
#
# :func:`~sklearn_w2s.metrics.source_regret` counts the overlap rows that were missed by
# not drawing everything from the densest source. The floor is what the first draws
# miss, which no policy can avoid; the excess is due to the policy. A random choice is
# shown for comparison.

from sklearn_w2s.metrics import source_regret

for name, bought in (("kl_ucb", selector), ("random", buy("random"))):
    regret = source_regret(bought.history_, DENSITIES)
    print(f"{name}: {regret['floor']:.0f} + {regret['excess']:.0f} overlap rows missed")

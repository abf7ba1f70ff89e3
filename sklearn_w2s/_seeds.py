"""Random seeds of fits."""

import numpy as np
from sklearn.utils import check_random_state


def draw_seed(rng):
    """Return a seed drawn from a RandomState."""
    return int(rng.randint(np.iinfo(np.int32).max))


def seed_nested(estimator, random_state):
    """Set each `random_state` of a fresh clone and its parts that is None, in place."""
    if random_state is None:
        return estimator
    rng = check_random_state(random_state)
    unset = {
        name: draw_seed(rng)
        for name, value in sorted(estimator.get_params(deep=True).items())
        if (name == "random_state" or name.endswith("__random_state")) and value is None
    }
    return estimator.set_params(**unset) if unset else estimator

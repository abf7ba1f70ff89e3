"""Seeds for whatever a fit draws by."""

import numpy as np
from sklearn.utils import check_random_state


def draw_seed(rng):
    """Return a seed drawn by a generator."""
    return int(rng.randint(np.iinfo(np.int32).max))


def seed_nested(estimator, random_state):
    """Seed every unset `random_state` of a fresh clone and of its parts, in place.

    None for `random_state` leaves the estimator as it is.
    """
    if random_state is None:
        return estimator
    rng = check_random_state(random_state)
    unset = {
        name: draw_seed(rng)
        for name, value in sorted(estimator.get_params(deep=True).items())
        if (name == "random_state" or name.endswith("__random_state")) and value is None
    }
    return estimator.set_params(**unset) if unset else estimator

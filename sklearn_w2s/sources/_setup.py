"""A run as the parameters of a selector describe it, begun or taken up again."""

from collections.abc import Mapping
from functools import partial
from numbers import Integral, Real
from pathlib import Path

import numpy as np
from sklearn.base import is_classifier, is_regressor
from sklearn.frozen import FrozenEstimator
from sklearn.utils import check_random_state, column_or_1d, get_tags

from sklearn_w2s._estimators import draw_seed, forget_fit
from sklearn_w2s._tables import require_alike, require_finite
from sklearn_w2s._tabular import default_weak_regressor
from sklearn_w2s._validation import check_features
from sklearn_w2s._weak import learns_values
from sklearn_w2s.overlap import OverlapDetector
from sklearn_w2s.sources._bandit import Limits, SourceBandit, needs_horizon
from sklearn_w2s.sources._checkpoint import Journal, require_same_rules, rules_of
from sklearn_w2s.sources._readers import open_reader
from sklearn_w2s.sources._run import DrawnRows, Rater, SelectionRun

# Counts beyond it would not add up.
_MOST_ROWS = 10**12


def make_detector(selector):
    """Return the overlap detector of a selector, not yet cloned."""
    if selector.overlap_detector is None:
        weak = None
        if learns_values(selector.estimator):
            weak = default_weak_regressor()
        return OverlapDetector(weak, missing_label=selector.missing_label)
    return selector.overlap_detector


def takes_values(selector):
    """Return whether labels are values; estimator and detector must agree in that."""
    estimator, detector = selector.estimator, make_detector(selector)
    decides = detector
    if estimator is not None and (is_classifier(estimator) or is_regressor(estimator)):
        decides = estimator
    of_values = learns_values(decides)
    # One that is fitted, or of the user's own, may find regions by anything.
    is_asked = isinstance(detector, FrozenEstimator)
    learns = hasattr(detector, "weak_estimator") and not is_asked
    if learns and learns_values(detector) != of_values:
        kinds = ("values", "classes") if of_values else ("classes", "values")
        msg = (
            f"estimator={estimator!r} learns {kinds[0]}, but overlap_detector="
            f"{detector!r} learns {kinds[1]}. Set the weak_estimator of the detector "
            f"to one that learns {kinds[0]}."
        )
        raise ValueError(msg)
    return of_values


def marker_of(selector):
    """Return what stands for a missing label: NaN alone where labels are values."""
    return np.nan if takes_values(selector) else selector.missing_label


def make_limits(selector):
    """Return what ends the drawing of a selector."""
    return Limits(
        selector.batch_size,
        selector.n_rounds,
        selector.budget,
        selector.cost_budget,
        selector.confidence,
    )


def new_run(selector, rows, rng, *, seed=0, journal=None):
    """Return a run without sources; `seed` shuffles tables."""
    bandit = SourceBandit(
        policy=selector.policy,
        alpha=selector.alpha,
        burn_in=selector.burn_in,
        max_failures=selector.max_failures,
        limits=make_limits(selector),
        rng=rng,
    )
    # Of a journal the detector is fitted again, and must be the same.
    is_seeded = selector.random_state is not None or journal is not None
    seeds = rng if is_seeded else None
    rater = Rater(rows, make_detector(selector), selector.reward, seeds)
    refits = selector.detection == "history"
    return SelectionRun(bandit, rater, refits=refits, seed=seed, journal=journal)


def describe_arm(selector, name):
    """Return the arguments of `SourceBandit.add` that are not the defaults."""
    arm = {}
    if selector.costs is not None:
        arm["cost"] = _of_source("costs", selector.costs, name)
        if not 0 < arm["cost"] < np.inf:
            msg = f"costs[{name!r}]={arm['cost']!r} must be a positive number."
            raise ValueError(msg)
    rates = selector.detection_rates
    if isinstance(rates, Mapping):
        rates = _of_source("detection_rates", rates, name)
    if rates is not None:
        if len(rates) != 2 or not 0 <= rates[1] < rates[0] <= 1:
            msg = (
                f"detection_rates={rates!r} must be the sensitivity and the fall-out "
                "of the detector, with 0 <= fall-out < sensitivity <= 1."
            )
            raise ValueError(msg)
        arm["detection_rates"] = tuple(rates)
    return arm


def tune(selector, bandit):
    """Let the parameters of a selector that may change hold from the next round on."""
    bandit.limits = make_limits(selector)
    bandit.policy, bandit.alpha = selector.policy, selector.alpha
    bandit.max_failures = selector.max_failures
    rates = selector.detection_rates
    if isinstance(rates, Mapping):
        rates = {name: tuple(pair) for name, pair in rates.items()}
    arms = {} if selector.costs is None else dict(selector.costs), rates
    # Calls of pull and update must not take as long as there are many sources.
    if arms == bandit.arms:
        return
    for position, name in enumerate(bandit.names):
        arm = {"cost": 1.0, "detection_rates": (1.0, 0.0)}
        arm |= describe_arm(selector, name)
        bandit.cost[position] = arm["cost"]
        former = bandit.sensitivity[position], bandit.fall_out[position]
        if arm["detection_rates"] != former:
            msg = (
                f"detection_rates of source {name!r} are {arm['detection_rates']}, but "
                f"were {tuple(map(float, former))} in the rounds before. Use the same "
                "to go on, or begin anew."
            )
            raise ValueError(msg)
    bandit.arms = arms


def require_burn_in(selector, sizes):
    """Require that the limits leave room for the first draws of every source."""
    rounds = np.minimum(selector.burn_in, np.ceil(sizes / selector.batch_size)).sum()
    rows = np.minimum(selector.burn_in * selector.batch_size, sizes).sum()
    for name, need in {"n_rounds": rounds, "budget": rows}.items():
        limit = getattr(selector, name)
        if limit is not None and limit < need:
            msg = (
                f"{name}={limit} does not cover the burn-in, which needs {int(need)}: "
                f"{len(sizes)} sources, burn_in={selector.burn_in}, "
                f"batch_size={selector.batch_size}. Raise {name}, or lower batch_size "
                "or burn_in."
            )
            raise ValueError(msg)


def require_horizon(selector):
    """Require a limit where the policy needs the number of rounds in all."""
    limits = (selector.n_rounds, selector.budget, selector.cost_budget)
    if needs_horizon(selector.policy) and all(limit is None for limit in limits):
        msg = (
            f"policy={selector.policy!r} needs the number of rounds. Set n_rounds, "
            "budget or cost_budget, or take another policy."
        )
        raise ValueError(msg)


def _of_source(parameter, values, name):
    if name not in values:
        msg = (
            f"{parameter} has no entry for source {name!r}; it has {sorted(values)}. "
            "Name every source."
        )
        raise ValueError(msg)
    return values[name]


def require_live_run(selector):
    """Refuse to go on with a run that `fit_sources` cannot go on with."""
    if hasattr(selector, "drawn_indices_"):
        msg = (
            "warm_start=True goes on with a run of fit_sources, but the run before "
            "was that of fit. Set warm_start=False to begin anew."
        )
        raise ValueError(msg)
    if selector._is_told_:
        msg = (
            "warm_start=True goes on with a run of fit_sources, but update "
            "counted rows that were not kept. Go on with pull and update, or set "
            "warm_start=False to begin anew."
        )
        raise ValueError(msg)
    if "_drawing_" in vars(selector) and not selector._drawing_.bandit.n_rounds:
        # Names alone were given, to pull.
        forget_fit(selector)
    if "_drawing_" in vars(selector):
        journal = selector._drawing_.journal
        former = None if journal is None else journal.folder
        if former != (
            None if selector.checkpoint is None else Path(selector.checkpoint)
        ):
            msg = (
                f"checkpoint={selector.checkpoint!r} is not that of the run before, "
                f"{former and str(former)!r}. Use the same, or set "
                "warm_start=False to go on with what a checkpoint holds."
            )
            raise ValueError(msg)


def take_up(selector, rows, rng):
    """Return the run before, or a new one, ready to go on."""
    rules = rules_of(selector, make_detector(selector), *rows.at_hand)
    if "_drawing_" not in vars(selector):
        selector._drawing_ = _begin(selector, rows, rng, rules)
    elif selector._drawing_.rules:
        require_same_rules(rules, selector._drawing_.rules, "warm_start=True")
        if selector._drawing_.journal is not None:
            selector._drawing_.journal.require_own()
    selector._drawing_.rules = rules
    drawing = selector._drawing_
    if drawing.batches:
        first = drawing.batches[0][1][0]
        if rows.like is None:
            rows.like = check_features(selector, first, reset=True, allow_nan=True)
        require_alike(first, None, rows.like, None)
    drawing.rater.rows = rows
    tune(selector, drawing.bandit)
    return drawing


def _begin(selector, rows, rng, rules):
    # A generator of its own, whose state can be kept and set.
    own = np.random.RandomState(draw_seed(rng))
    seed = draw_seed(own)
    journal = None
    if selector.checkpoint is not None:
        journal = Journal(selector.checkpoint)
        former = journal.open({"rules": rules, "seed": seed})
        where = f"checkpoint={str(selector.checkpoint)!r}"
        require_same_rules(rules, former["rules"], where)
        seed = former["seed"]
    drawing = new_run(selector, rows, own, seed=seed, journal=journal)
    drawing.replay()
    return drawing


def look_for(selector, sources, drawing):
    """Open the sources that were added, and mark those that were removed as absent."""
    if not isinstance(sources, Mapping):
        msg = (
            "sources must be a mapping of names to sources, got an object of type "
            f"{type(sources).__name__}. Pass a dictionary."
        )
        raise TypeError(msg)
    drawing.forget_absent(sources)
    # A list, since a source that runs in a thread may add another meanwhile.
    for name, source in list(sources.items()):
        if not drawing.reads(name, source):
            position, n_drawn = drawing.bandit.position(name)
            reader = open_reader(
                name,
                source,
                rng=np.random.default_rng([drawing.seed, position]),
                offset=n_drawn,
                timeout=selector.timeout,
                check=partial(_check_batch, selector, drawing.rater),
            )
            drawing.add(source, reader, **describe_arm(selector, name))


def _check_batch(selector, rater, X, y):
    rows = rater.rows
    if rows.like is not None:
        require_alike(X, None, rows.like, None)
    if not get_tags(selector).input_tags.allow_nan:
        require_finite(X)
    if y is not None:
        column_or_1d(y)
    if rows.like is None:
        rows.like = check_features(selector, X, reset=True, allow_nan=True)


def asked_bandit(selector):
    """Return the bandit of pull and update, whose rows no run reads."""
    if selector.detection != "frozen":
        msg = (
            f"detection={selector.detection!r} fits the detector on the rows drawn, "
            "which pull and update do not keep. Use 'frozen', or fit_sources."
        )
        raise ValueError(msg)
    require_horizon(selector)
    if "_drawing_" not in vars(selector):
        rng = check_random_state(selector.random_state)
        rows = DrawnRows(None, None, marker_of(selector))
        selector._drawing_ = new_run(selector, rows, rng)
    tune(selector, selector._drawing_.bandit)
    return selector._drawing_.bandit


def know(selector, bandit, name):
    """Add a source that has no name yet."""
    if name not in bandit.positions:
        bandit.add(name, **describe_arm(selector, name))


def rate_alone(selector, X, y):
    """Return the sum of the rewards of rows that are not kept."""
    rater = selector._drawing_.rater
    if rater.detector is None:
        detector = make_detector(selector)
        if selector.reward is None and not isinstance(detector, FrozenEstimator):
            msg = (
                f"overlap_detector={detector!r} is to be fitted, and update keeps "
                "no rows to fit it on. Pass FrozenEstimator(fitted detector), give "
                "counts, or use fit_sources."
            )
            raise ValueError(msg)
        rater.detector = detector
        selector.overlap_detector_ = detector
    return rater.rate((X, y))


def require_counts(n_drawn, n_overlap):
    """Require a number of rows, and a number of overlap rows among them."""
    is_whole = isinstance(n_drawn, Integral) and not isinstance(
        n_drawn, bool | np.bool_
    )
    is_number = isinstance(n_overlap, Real) and not isinstance(n_overlap, bool)
    if not is_whole or not is_number or not 1 <= n_drawn <= _MOST_ROWS:
        msg = (
            f"n_drawn={n_drawn!r} must be a whole number from 1 to {_MOST_ROWS:g}, and "
            f"n_overlap={n_overlap!r} a number."
        )
        raise ValueError(msg)
    if not 0 <= n_overlap <= n_drawn:
        msg = (
            f"n_overlap={n_overlap} of n_drawn={n_drawn} rows is impossible. Count "
            "each row at most once."
        )
        raise ValueError(msg)

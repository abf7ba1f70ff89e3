"""The run that the parameters of a selector describe, begun or continued."""

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
from sklearn_w2s.sources._bandit import POLICIES, Limits, SourceBandit
from sklearn_w2s.sources._checkpoint import Journal, require_same_rules, rules_of
from sklearn_w2s.sources._readers import SourceReader
from sklearn_w2s.sources._run import DrawnRows, PoolReader, Rater, SelectionRun

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


def label_rules(selector):
    """Return what marks a missing label, and whether labels are values, not classes."""
    estimator, detector = selector.estimator, make_detector(selector)
    decides = detector
    if estimator is not None and (is_classifier(estimator) or is_regressor(estimator)):
        decides = estimator
    of_values = learns_values(decides)
    # A fitted detector, or one without a weak estimator, may find regions by anything.
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
    return np.nan if of_values else selector.missing_label, of_values


def limits_of(selector):
    """Return what ends the drawing of a selector."""
    return Limits(
        selector.batch_size,
        selector.n_rounds,
        selector.budget,
        selector.cost_budget,
        selector.confidence,
    )


def new_run(selector, rows, rng, *, seed=0, journal=None):
    """Return a run without sources; `seed` shuffles those that are tables."""
    bandit = SourceBandit(
        policy=selector.policy,
        alpha=selector.alpha,
        burn_in=selector.burn_in,
        max_failures=selector.max_failures,
        limits=limits_of(selector),
        rng=rng,
    )
    # The detector of a journal is fitted again, and must be the same.
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
    """Apply the parameters that may change between rounds to a run."""
    bandit.limits = limits_of(selector)
    bandit.policy, bandit.alpha = selector.policy, selector.alpha
    bandit.max_failures = selector.max_failures
    costs, rates = selector.costs, selector.detection_rates
    if isinstance(rates, Mapping):
        rates = {name: tuple(pair) for name, pair in rates.items()}
    arms = costs if costs is None else dict(costs), rates
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
                "to continue, or start a new run."
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
    policy = selector.policy
    if callable(policy) or not POLICIES[policy].needs_horizon:
        return
    limits = (selector.n_rounds, selector.budget, selector.cost_budget)
    if all(limit is None for limit in limits):
        msg = (
            f"policy={policy!r} needs the number of rounds. Set n_rounds, budget or "
            "cost_budget, or another policy."
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
    """Refuse to continue a run that `fit_sources` cannot continue."""
    if hasattr(selector, "drawn_indices_"):
        msg = (
            "warm_start=True continues a run of fit_sources, but the run before was "
            "that of fit. Set warm_start=False to start a new run."
        )
        raise ValueError(msg)
    if selector._has_counts_:
        msg = (
            "warm_start=True continues a run of fit_sources, but update counted rows "
            "that were not kept. Continue with pull and update, or set "
            "warm_start=False to start a new run."
        )
        raise ValueError(msg)
    run = vars(selector).get("_drawing_")
    if run is not None and not run.bandit.n_rounds:
        # Only names were given, to pull.
        forget_fit(selector)
    elif run is not None:
        checkpoint = None if run.journal is None else run.journal.folder
        given = None if selector.checkpoint is None else Path(selector.checkpoint)
        if checkpoint != given:
            msg = (
                f"checkpoint={selector.checkpoint!r} is not that of the run before, "
                f"{checkpoint and str(checkpoint)!r}. Use the same, or set "
                "warm_start=False to continue the run in a checkpoint."
            )
            raise ValueError(msg)


def take_up(selector, rows, rng):
    """Return the run before, that of the checkpoint, or a new one."""
    rules = rules_of(selector, make_detector(selector), rows.X, rows.y)
    run = vars(selector).get("_drawing_")
    if run is None:
        # A separate generator, whose state can be saved and set.
        own = np.random.RandomState(draw_seed(rng))
        seed, journal = draw_seed(own), None
        if selector.checkpoint is not None:
            journal = Journal(selector.checkpoint)
            former = journal.open({"rules": rules, "seed": seed})
            where = f"checkpoint={str(selector.checkpoint)!r}"
            require_same_rules(rules, former["rules"], where)
            seed = former["seed"]
        run = new_run(selector, rows, own, seed=seed, journal=journal)
        if journal is not None:
            run.replay()
        selector._drawing_ = run
    elif run.rules:
        require_same_rules(rules, run.rules, "warm_start=True")
        if run.journal is not None:
            run.journal.require_own()
    run.rules = rules
    if run.batches:
        first = run.batches[0][1][0]
        if rows.like is None:
            rows.like = check_features(selector, first, reset=True, allow_nan=True)
        require_alike(first, None, rows.like, None)
    run.rater.rows = rows
    tune(selector, run.bandit)
    return run


def open_pool(selector, run, rows, names, codes, rng):
    """Add the sources of a table; `codes` are positions in `names`, one per row."""
    by_source = rows[np.argsort(codes[rows], kind="stable")]
    ends = np.cumsum(np.bincount(codes[rows], minlength=len(names)))
    pools = np.split(by_source, ends[:-1])
    require_burn_in(selector, np.array([len(pool) for pool in pools]))
    for position, (name, pool) in enumerate(zip(names.tolist(), pools, strict=True)):
        reader = PoolReader(name, rng.permutation(pool))
        run.add(pool, reader, **describe_arm(selector, name))
        run.bandit.is_open[position] = not reader.has_ended


def open_sources(selector, run, sources):
    """Add the live sources that came, and mark those that were removed as absent."""
    if not isinstance(sources, Mapping):
        msg = (
            "sources must be a mapping of names to sources, got an object of type "
            f"{type(sources).__name__}. Pass a dictionary."
        )
        raise TypeError(msg)
    # Their readers stay: rows may be in them that the source gives only once.
    run.absent = {name for name in run.opened if name not in sources}
    bandit = run.bandit
    # A list, since a source that runs in a thread may add another meanwhile.
    for name, source in list(sources.items()):
        if name in run.opened and run.opened[name][0] is source:
            continue
        position = bandit.positions.get(name, len(bandit.names))
        reader = SourceReader(
            name,
            source,
            rng=np.random.default_rng([run.seed, position]),
            offset=int(bandit.drawn[position]) if name in bandit.positions else 0,
            timeout=selector.timeout,
            check=partial(_check_batch, selector, run.rater),
        )
        run.add(source, reader, **describe_arm(selector, name))


def _check_batch(selector, rater, X, y):
    like = rater.rows.like
    if like is not None:
        require_alike(X, None, like, None)
    if not get_tags(selector).input_tags.allow_nan:
        require_finite(X)
    if y is not None:
        column_or_1d(y)
    if like is None:
        rater.rows.like = check_features(selector, X, reset=True, allow_nan=True)


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
        marker, _ = label_rules(selector)
        rows = DrawnRows(None, None, marker)
        selector._drawing_ = new_run(selector, rows, rng)
    tune(selector, selector._drawing_.bandit)
    return selector._drawing_.bandit


def add_new(selector, bandit, name):
    """Add a source unless it has been added before."""
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
    return rater.rate(X, y)


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

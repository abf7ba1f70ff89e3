import numpy as np
import pytest

from sklearn_w2s.sources import UCBSourceSelector
from sklearn_w2s.sources._setup import describe_arm, require_burn_in, require_horizon


def test_without_parameters_an_arm_has_the_defaults():
    assert describe_arm(UCBSourceSelector(), "a") == {}


def test_an_arm_has_the_cost_of_its_name():
    selector = UCBSourceSelector(costs={"a": 2, "b": 0.5})
    assert describe_arm(selector, "a") == {"cost": 2}
    assert describe_arm(selector, "b") == {"cost": 0.5}


def test_detection_rates_are_of_all_sources_or_of_one():
    of_all = UCBSourceSelector(detection_rates=(0.9, 0.1))
    by_name = UCBSourceSelector(detection_rates={"a": (0.9, 0.1), "b": (1, 0)})
    assert describe_arm(of_all, "any") == {"detection_rates": (0.9, 0.1)}
    assert describe_arm(by_name, "a") == {"detection_rates": (0.9, 0.1)}
    assert describe_arm(by_name, "b") == {"detection_rates": (1, 0)}


@pytest.mark.parametrize("parameter", ["costs", "detection_rates"])
def test_every_source_must_be_named(parameter):
    values = {"costs": 1.0, "detection_rates": (0.9, 0.1)}
    selector = UCBSourceSelector(**{parameter: {"b": values[parameter]}})
    message = rf"{parameter} has no entry for source 'a'; it has \['b'\]"
    with pytest.raises(ValueError, match=message):
        describe_arm(selector, "a")


@pytest.mark.parametrize("cost", [0, -1.0, np.inf, np.nan])
def test_a_cost_must_be_positive_and_finite(cost):
    selector = UCBSourceSelector(costs={"a": cost})
    with pytest.raises(ValueError, match=r"costs\['a'\]=.* must be a positive number"):
        describe_arm(selector, "a")


@pytest.mark.parametrize(
    "rates",
    [
        (0.5, 0.5),
        (0.1, 0.9),
        (1.1, 0.1),
        (0.9, -0.1),
        (0.9, np.nan),
        (np.nan, 0),
        (0.9,),
        (0.9, 0.1, 0.0),
        (),
    ],
)
def test_detection_rates_must_be_a_sensitivity_above_a_fall_out(rates):
    for given in (rates, {"a": rates}):
        selector = UCBSourceSelector(detection_rates=given)
        with pytest.raises(ValueError, match="0 <= fall-out < sensitivity <= 1"):
            describe_arm(selector, "a")


@pytest.mark.parametrize(
    ("params", "sizes", "name", "need"),
    [
        ({"n_rounds": 2}, [100, 100, 100], "n_rounds", 3),
        ({"n_rounds": 5, "burn_in": 2}, [100, 100, 100], "n_rounds", 6),
        # A source of one batch is drawn once in a burn-in of two.
        ({"n_rounds": 4, "burn_in": 2}, [100, 7, 100], "n_rounds", 5),
        ({"budget": 29}, [100, 100, 100], "budget", 30),
        ({"budget": 46, "burn_in": 2}, [100, 7, 100], "budget", 47),
    ],
)
def test_a_limit_must_cover_the_burn_in_to_the_round_and_row(params, sizes, name, need):
    sizes = np.array(sizes)
    short = UCBSourceSelector(batch_size=10, **params)
    message = f"{name}={need - 1} does not cover the burn-in, which needs {need}: "
    with pytest.raises(ValueError, match=message):
        require_burn_in(short, sizes)
    require_burn_in(short.set_params(**{name: need}), sizes)


def test_without_limits_the_burn_in_always_fits():
    require_burn_in(UCBSourceSelector(burn_in=50), np.array([1, 10**9]))


@pytest.mark.parametrize("policy", ["paper", "reference"])
def test_policies_that_plan_need_a_limit(policy):
    with pytest.raises(ValueError, match=f"policy='{policy}' needs the number of roun"):
        require_horizon(UCBSourceSelector(policy=policy, confidence=0.9))
    for limit in ("n_rounds", "budget", "cost_budget"):
        require_horizon(UCBSourceSelector(policy=policy, **{limit: 100}))


@pytest.mark.parametrize("policy", ["kl_ucb", "thompson", lambda arms: arms.found])
def test_other_policies_need_no_limit(policy):
    require_horizon(UCBSourceSelector(policy=policy))

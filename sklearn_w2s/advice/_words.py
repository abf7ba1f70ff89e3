"""The advice in words."""

import numpy as np

from sklearn_w2s._display import visible
from sklearn_w2s.advice._expectation import is_clear

NAMES = {
    "weak": "the weak estimator",
    "weak_to_strong": "weak-to-strong",
    "strong_on_labels": "the strong estimator trained on the labels alone",
}
CLASSES, VALUES = "classes", "values"
LEAST_COVERAGE = 0.9
MOST_OVERCONFIDENCE = 0.05
LEAST_CONSISTENCY = 0.1
LITTLE_OVERLAP = 0.05
_MOST_LISTED = 5


def recommend(decision, strategy, standing, confidence_level, *, unit=CLASSES):
    """Return in sentences what to use and what to do next."""
    text = f"Use {NAMES[decision.choice]}"
    if decision.choice == "weak_to_strong":
        text += f" with strategy {strategy!r}"
    text += ": "
    if strategy in ("weak", "strong_on_labels"):
        text += "held-out labels say that nothing else here does better than it."
        return text + _next(decision)
    rivals = ["weak", *standing.names[1:]]
    parts = [_points(standing, rival, confidence_level, unit) for rival in rivals]
    expected = f"weak-to-strong is expected {{}}{' and '.join(parts)}"
    text += expected.format("" if unit == VALUES else "to be ")
    text += ", of the weak mean squared error." if unit == VALUES else "."
    if not is_clear(decision, confidence_level):
        text += (
            f" That {NAMES[decision.choice]} is better than "
            f"{NAMES[decision.runner_up]} has a probability of "
            f"{decision.probability:.0%}."
        )
    return text + _next(decision)


def _next(decision):
    if decision.next_step == "collect_labels":
        return (
            " Next, label rows drawn at random: about "
            f"{decision.n_more_labels:,} more labels should settle it."
        )
    if decision.next_step == "buy_rows":
        return (
            f" Next, draw more rows from source {decision.source}, which has clearly "
            "more overlap rows than the others."
        )
    return ""


def _points(standing, rival, confidence_level, unit):
    expected = standing.of("weak_to_strong", rival)
    low, high = 100 * expected.interval(confidence_level)
    mean = round(100 * expected.mean, 1)
    if unit == VALUES:
        word = "gain" if mean >= 0 else "lose"
        return (
            f"to {word} {abs(mean)}% on {NAMES[rival]} "
            f"({confidence_level:.0%} interval {low:+.1f} to {high:+.1f})"
        )
    word = "better" if mean > 0 else "worse"
    compared = f"{abs(mean)} points {word} than" if mean else "as good as"
    return (
        f"{compared} {NAMES[rival]} "
        f"({confidence_level:.0%} interval {low:+.1f} to {high:+.1f})"
    )


def give_reasons(
    indicators, comparisons, lacking, n_heard, confidence_level, *, unit=CLASSES
):
    """Return the evidence, a sentence or two for each piece of it."""
    reasons = [
        _measured(pair, compared, confidence_level, unit)
        for pair, compared in comparisons.items()
    ]
    if lacking:
        more = f" and {len(lacking) - _MOST_LISTED} more" * (
            len(lacking) > _MOST_LISTED
        )
        listed = ", ".join(map(visible, lacking[:_MOST_LISTED])) + more
        reasons.append(
            f"Labeled rows lack columns that unlabeled rows have ({listed}), so that "
            "they cannot tell what is learnt from these."
        )
    elif not comparisons:
        reasons.append(
            "There are no labels to compare with: what is expected rests on unlabeled "
            "rows alone."
        )
    reasons += _discrepancies(indicators, n_heard, unit)
    reasons += _overlap(indicators)
    return reasons + _warnings(indicators)


def _measured(pair, compared, confidence_level, unit):
    first, second = (NAMES[name] for name in pair.split(" - "))
    low, high = 100 * compared["interval"]
    difference = round(100 * compared["difference"], 1)
    if unit == VALUES:
        gains = "gains" if difference >= 0 else "loses"
        return (
            f"On {compared['n_rows']} labeled rows held out, {first} {gains} "
            f"{abs(difference)}% on {second} "
            f"({confidence_level:.0%} interval {low:+.1f} to {high:+.1f})."
        )
    more = "more" if difference > 0 else "less"
    told = (
        f"{abs(difference)} points {more} often than" if difference else "as often as"
    )
    return (
        f"On {compared['n_rows']} labeled rows held out, {first} is right {told} "
        f"{second} "
        f"({confidence_level:.0%} interval {low:+.1f} to {high:+.1f})."
    )


def _discrepancies(indicators, n_heard, unit):
    misfit, view = indicators["misfit"], indicators["view_discrepancy"]
    if unit == VALUES:
        text = (
            f"On {n_heard} unlabeled rows held out, the mean square of the difference "
            f"to the weak values is {misfit:.1%} of their variance for weak-to-strong, "
            f"and {view:.1%} for the strong estimator trained on the labels."
        )
        return [text]
    text = (
        f"Weak-to-strong differs from the weak estimator on {misfit:.1%} of {n_heard} "
        "unlabeled rows held out, which bounds what it can gain."
    )
    reasons = [text]
    if not np.isnan(view):
        reasons.append(
            "The strong estimator trained on the labels differs from the weak one on "
            f"{view:.1%}: the less they differ, the less there is to learn."
        )
    return reasons


def _overlap(indicators):
    if "overlap_density" not in indicators:
        return []
    density = indicators["overlap_density"]
    low, high = (indicators[f"overlap_density_{end}"] for end in ("low", "high"))
    text = f"The overlap density is {density:.1%} ({low:.1%} to {high:.1%})"
    little = ": few rows show both patterns." if density < LITTLE_OVERLAP else "."
    return [text + little]


def _warnings(indicators):
    reasons = []
    coverage = indicators["class_coverage"]
    if coverage < LEAST_COVERAGE:
        reasons.append(
            "Weak labels have other shares of classes than labels (coverage "
            f"{coverage:.2f}, at best 1): some classes are hardly taught."
        )
    overconfidence = indicators["weak_overconfidence"]
    if abs(overconfidence) > MOST_OVERCONFIDENCE:
        kind = "too sure of itself" if overconfidence > 0 else "not sure enough"
        reasons.append(
            f"The weak estimator is {kind}: its confidence is "
            f"{abs(overconfidence):.2f} {'above' if overconfidence > 0 else 'below'} "
            "its accuracy. Calibrate it, e.g. in CalibratedClassifierCV."
        )
    if indicators.get("neighbor_consistency", 1.0) < LEAST_CONSISTENCY:
        reasons.append(
            "Neighbouring rows hardly share weak labels (consistency "
            f"{indicators['neighbor_consistency']:.2f}, by chance 0): they look like "
            "noise, or the columns tell little."
        )
    return reasons

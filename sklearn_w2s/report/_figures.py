"""The figures of the page, each with its numbers in words."""

import unicodedata

import numpy as np

from sklearn_w2s._algorithms.overlap import EASY, HARD, REGIONS
from sklearn_w2s.plotting import (
    GapDisplay,
    OverlapDisplay,
    RegionAccuracyDisplay,
    SourceSelectionDisplay,
)
from sklearn_w2s.plotting._svg import draw_svg
from sklearn_w2s.report._html import Markup, element, to_markup
from sklearn_w2s.report._text import FITS

_LONGEST_NAME = 24


def _figure(draw, labels, caption, *, prefix, names=(), **settings):
    """Return a figure of one image for each label.

    `names` holds pairs of a text in the drawing, and what it stands for.
    """
    drawn = draw_svg(draw, prefix=prefix, n_panels=len(labels), **settings)
    images = []
    for svg, label in zip(drawn, labels, strict=True):
        for token, name in names:
            svg = svg.replace(token, to_markup(_short(name)))
        images.append(element("div", Markup(svg), role="img", aria_label=label))
    panels = element("div", images, class_="panels")
    return element("figure", panels, element("figcaption", caption))


def gap_figure(results, scoring):
    """Return the figure of the scores of all fits."""
    means = [
        f"{label} {results[f'{name}_score'].mean():.3f}" for name, label in FITS.items()
    ]
    name = scoring.replace("_", " ")
    share = results["gap_recovered"]
    gap = "no gap beyond its noise"
    if not np.isnan(share):
        low, high = results["gap_recovered_interval"]
        gap = f"{share:.0%} of the gap recovered, interval {low:.0%} to {high:.0%}"
    return _figure(
        lambda ax: GapDisplay.from_cv_results(results, score_name=name, ax=ax),
        [f"Mean {name}: {', '.join(means)}; {gap}."],
        f"{name.capitalize()} on held-out rows: mean over splits with interval, every "
        "split as a dot below. Dashed lines mark the gap between weak and ceiling.",
        prefix="gap",
        size=(4.6, 3),
    )


def region_figure(results):
    """Return the figure of accuracies by region."""
    by_fit = results["region_accuracy"]
    columns = [
        (f"{region} rows", {name: by_fit[name][region] for name in FITS})
        for region in REGIONS
    ]
    columns.append(("all rows", {name: results[f"{name}_score"] for name in FITS}))
    words = [f"{name}: {_means(by_name) or 'none'}" for name, by_name in columns]
    return _figure(
        lambda ax: RegionAccuracyDisplay.from_cv_results(results, ax=ax),
        [f"Accuracy by region. {'; '.join(words)}."],
        "Accuracy on the easy, hard and overlap rows of the test sets: means over "
        "splits with intervals, every split as a dot. Below, the rows of a test set.",
        prefix="regions",
        size=(4.8, 3.8),
    )


def _means(by_name):
    """Return the mean of each fit over the splits that have rows to judge it by."""
    known = {name: values[~np.isnan(values)] for name, values in by_name.items()}
    return ", ".join(
        f"{FITS[name]} {values.mean():.3f}"
        for name, values in known.items()
        if len(values)
    )


def overlap_figure(model):
    """Return the figure of confidences and overlap scores of the rows of a fit."""
    detector, rows = model.overlap_detector_, model.rows_
    regions, confidence = rows["region"], rows["confidence"]
    score = rows["overlap_score"]
    thresholds = (detector.confidence_threshold_, detector.overlap_threshold_)
    confident = _spread(score[regions != HARD], thresholds[1])
    shares = ", ".join(f"{np.mean(regions == r):.0%} {r}" for r in REGIONS)
    return _figure(
        lambda axes: OverlapDisplay.from_predictions(
            confidence,
            score,
            regions,
            confidence_threshold=thresholds[0],
            overlap_threshold=thresholds[1],
            ax=axes,
        ),
        [
            f"Sorted confidences: {_spread(confidence, thresholds[0])}.",
            f"Sorted overlap scores of rows that are not hard: {confident}.",
            f"Overlap score against confidence of {len(regions)} rows: {shares}.",
        ],
        "How the rows that the advice is on fall into regions. Rows of little "
        "confidence are hard; of the others, those that resemble hard rows are overlap "
        f"rows, and the rest is {EASY}.",
        prefix="overlap",
    )


def _spread(values, threshold):
    if not len(values):
        return "there is none"
    low, middle, high = np.quantile(values, [0, 0.5, 1])
    text = f"from {low:.3g} to {high:.3g}, median {middle:.3g}"
    if not np.isfinite(threshold):
        return f"{text}, no threshold"
    below = np.mean(values < threshold)
    return f"{text}, threshold {threshold:.3g} with {below:.0%} below"


def source_figure(selector):
    """Return the figure of what UCB drew of each source."""
    names = [str(name) for name in selector.sources_]
    tokens = [_token(i, name) for i, name in enumerate(names)]
    token_of = dict(zip(selector.sources_.tolist(), tokens, strict=True))
    history = dict(selector.history_)
    history["source"] = [token_of[name] for name in history["source"]]
    drawn = selector.n_samples_drawn_
    order = np.argsort(-drawn, kind="stable")[:5]
    most = ", ".join(f"{_short(names[i])} {drawn[i]} rows" for i in order)
    n_rounds = len(history["source"])
    return _figure(
        lambda axes: SourceSelectionDisplay.from_history(
            history, selector.index_history_, sources=tokens, ax=axes
        ),
        [
            f"Rows drawn of each source over {n_rounds} rounds; most of: {most}.",
            f"Last estimate of the overlap density of each of {len(names)} sources.",
            f"Index of each source before each of {n_rounds} rounds.",
        ],
        "What UCB draws of the unlabeled rows, in batches, if it can afford half of "
        "them; the overlap density it estimates for each source; and the index by "
        "which it chooses.",
        prefix="sources",
        # The font of the drawing may lack characters that the browser has.
        names=list(zip(tokens, names, strict=True)),
        size=(5, 4),
    )


def _short(name):
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"


def _token(i, name):
    """Return a text that stands for a name while it is drawn, about as wide."""
    width = sum(
        2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in _short(name)
    )
    return f"q{i}z".ljust(min(width, _LONGEST_NAME), "n")

"""The figures of the page, each with its numbers in words."""

import numpy as np

from sklearn_w2s._algorithms.overlap import REGIONS
from sklearn_w2s.plotting import GapDisplay, RegionAccuracyDisplay
from sklearn_w2s.plotting._svg import draw_svg
from sklearn_w2s.report._html import Markup, element
from sklearn_w2s.report._text import gap_words
from sklearn_w2s.report._verdict import FITS


def _figure(draw, label, caption, *, prefix, size):
    """Return a figure of one image."""
    (svg,) = draw_svg(draw, prefix=prefix, n_panels=1, size=size)
    image = element("div", Markup(svg), role="img", aria_label=label)
    panels = element("div", image, class_="panels")
    return element("figure", panels, element("figcaption", caption))


def gap_figure(results, verdict, scoring):
    """Return the figure of the scores of all fits, with the gap if there is one."""
    means = [
        f"{label} {results[f'{name}_score'].mean():.3f}" for name, label in FITS.items()
    ]
    name = scoring.replace("_", " ")
    gap = "no gap beyond its noise"
    if verdict.has_gap:
        gap = gap_words(results)
    else:
        results = results | {"gap_recovered": np.nan}
    return _figure(
        lambda ax: GapDisplay.from_cv_results(results, score_name=name, ax=ax),
        f"Mean {name}: {', '.join(means)}; {gap}.",
        f"{name.capitalize()} on held-out rows: mean over splits with its interval, "
        "every split as a dot below. Dashed lines mark the means of weak and ceiling. "
        "The intervals are of each score alone; the verdict compares split by split.",
        prefix="gap",
        size=(4.6, 3),
    )


def region_figure(study):
    """Return the figure of accuracies by region."""
    results = study.results
    names = {name: label for name, label in FITS.items() if name in study.measures}
    by_fit = results["region_accuracy"]
    columns = [
        (f"{region} rows", {name: by_fit[name][region] for name in names})
        for region in REGIONS
    ]
    words = [
        f"{region}: {_means(by_name, names) or 'none'}" for region, by_name in columns
    ]
    return _figure(
        lambda ax: RegionAccuracyDisplay.from_cv_results(results, ax=ax),
        f"Accuracy by region. {'; '.join(words)}.",
        "Accuracy on the easy, hard and overlap rows of the test sets: means over "
        "splits with intervals, every split as a dot. Below, the rows of a test set.",
        prefix="regions",
        size=(4.8, 3.8),
    )


def _means(by_name, names):
    """Return the mean of each fit over the splits that have rows to judge it by."""
    known = {name: values[~np.isnan(values)] for name, values in by_name.items()}
    return ", ".join(
        f"{names[name]} {values.mean():.3f}"
        for name, values in known.items()
        if len(values)
    )

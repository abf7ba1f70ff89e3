"""The sections of the page that hold words and numbers."""

import numpy as np

from sklearn_w2s._algorithms.overlap import REGIONS
from sklearn_w2s.report._html import element, scrollable, section, table, value
from sklearn_w2s.report._text import (
    FITS,
    MAX_SOURCES,
    drawn,
    how_drawn,
    regime,
    verdict,
)

_NONE = "none"


def summary(results, scoring):
    """Return the section with the verdict and the scores."""
    sentence = element("p", verdict(results), class_="verdict")
    scores = table(
        f"{scoring.replace('_', ' ').capitalize()} on held-out rows, in percent, over "
        f"{_splits(results)}",
        ["estimator", "mean", "std. dev."],
        [
            [label, *_mean_sd(100 * results[f"{name}_score"])]
            for name, label in FITS.items()
        ],
        id_="scores-table",
        numeric={1, 2},
    )
    return section("summary", "Summary", sentence, scores, _gap(results))


def _splits(results):
    n_splits = len(results["n_labeled"])
    return f"{n_splits} random split{'' if n_splits == 1 else 's'}"


def _mean_sd(values):
    spread = f"{values.std(ddof=1):.2f}" if len(values) > 1 else _NONE
    return f"{values.mean():.2f}", spread


def _gap(results):
    share = results["gap_recovered"]
    name, meaning = regime(results)
    if np.isnan(share):
        text = "Performance gap recovered: undefined, there is " + meaning + "."
    else:
        low, high = results["gap_recovered_interval"]
        text = (
            f"Performance gap recovered: {share:.2f}, "
            f"{results['confidence_level']:.0%} interval {low:.2f} to {high:.2f}; the "
            f"regime is {name}: {meaning}."
        )
    shares = ", ".join(
        f"{results['region_share'][region].mean():.1%} {region}" for region in REGIONS
    )
    density = results["overlap_density"].mean()
    return [
        element("p", text),
        element(
            "p",
            f"Overlap density of the training rows: {density:.3f}. Of the held-out "
            f"rows {shares}.",
        ),
    ]


def advice_section(advice, pool):
    """Return the section with the advice, its reasons and its evidence."""
    where = "the rows of the file as they are."
    if pool.is_hidden:
        where = (
            "the training rows of the first split. All rows are labeled, so that most "
            "of their labels were hidden, as if they had not been collected."
        )
    n_rows = pool.X.shape[0]
    content = [
        element("p", value(advice.recommendation), class_="verdict"),
        element("p", f"The advice is on {where} It concerns {n_rows} rows."),
        element("ul", [element("li", value(reason)) for reason in advice.reasons]),
        _comparisons(advice.comparisons),
        _indicators(advice.indicators),
    ]
    return section("advice", "Advice", *content)


def _comparisons(comparisons):
    rows = [
        [
            _in_words(name),
            f"{100 * found['difference']:+.2f}",
            _interval(found["interval"]),
            str(found["n_rows"]),
        ]
        for name, found in comparisons.items()
    ]
    if not rows:
        return element("p", "There are no labeled rows to compare the estimators on.")
    return table(
        "Differences in accuracy on labeled rows, in points",
        ["comparison", "difference", "interval", "rows"],
        rows,
        id_="comparisons-table",
        numeric={1, 2, 3},
    )


def _in_words(name):
    return name.replace("weak_to_strong", "weak-to-strong").replace("_", " ")


def _interval(ends):
    low, high = (100 * float(end) for end in ends)
    return _NONE if np.isnan(low) or np.isnan(high) else f"{low:+.2f} to {high:+.2f}"


def _indicators(indicators):
    rows = [
        [_in_words(name), _NONE if np.isnan(number) else f"{number:.3f}"]
        for name, number in indicators.items()
    ]
    return table(
        "What the rows tell without their labels",
        ["indicator", "value"],
        rows,
        id_="indicators-table",
        numeric={1},
    )


def sources_content(sources):
    """Return the table of the sources of unlabeled rows."""
    ranked = sorted(sources.runs, key=lambda run: -run.overlap_density)
    rows = [
        [value(run.name), str(run.n_rows), f"{run.overlap_density:.3f}", drawn(run)]
        for run in ranked[:MAX_SOURCES]
    ]
    caption = f"Unlabeled rows by source; {how_drawn(sources.runs)}"
    if len(ranked) > MAX_SOURCES:
        caption += f"; the {MAX_SOURCES} densest of {len(ranked)} sources"
    return table(
        caption,
        ["source", "rows", "overlap density", "drawn"],
        rows,
        id_="sources-table",
        numeric={1, 2, 3},
    )


def notes_section(notes):
    """Return the section of all that was left out, sampled or warned of."""
    content = element("p", "Nothing was left out, sampled or changed.")
    if notes:
        content = element("ul", [element("li", value(note)) for note in notes])
    return section("notes", "Notes", content)


def code_section(script):
    """Return the section with the code that gives the numbers of the page."""
    words = (
        "This script gives the numbers of the summary and the advice, with the same "
        "versions of the packages."
    )
    code = scrollable(
        element("pre", element("code", script)), aria_label="Code that reproduces it"
    )
    return section("code", "Code to reproduce it", element("p", words), code)

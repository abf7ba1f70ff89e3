"""The report as one page that needs nothing else."""

from dataclasses import dataclass
from typing import Any

import numpy as np

import sklearn_w2s
from sklearn_w2s._algorithms.overlap import REGIONS
from sklearn_w2s.plotting import GapDisplay, RegionScoreDisplay
from sklearn_w2s.plotting._fits import score_text
from sklearn_w2s.plotting._svg import draw_svg
from sklearn_w2s.report._html import (
    CSS,
    Markup,
    element,
    scrollable,
    section,
    table,
    value,
)
from sklearn_w2s.report._rows import rows_content, shorten
from sklearn_w2s.report._text import (
    MAX_SOURCES,
    TERMS,
    drawn,
    gap_words,
    how_drawn,
    important,
    predictor_names,
    region_words,
    score_cells,
)
from sklearn_w2s.report._verdict import FITS, RULE

# Nothing is loaded, run or sent; pictures are parts of the page.
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'"
)
_SECTIONS = {
    "summary": "Summary",
    "classes": "Classes and columns",
    "figures": "Figures",
    "rows": "Rows worth a look",
    "terms": "Terms",
    "notes": "Notes",
    "code": "Code",
}
_MAX_CLASSES = 30


@dataclass(frozen=True)
class Findings:
    """All that a page tells.

    Parameters
    ----------
    options : argparse.Namespace
        Options of the report.
    name : str
        Name of the data.
    setting : list of str
        Sentences on what was done, rows, estimators and splits.
    study : Study
        Results.
    verdict : Verdict
        Of these.
    costs : dict of str to (seconds, bytes)
        By predictor.
    pool : Pool
        Training rows of the first split.
    sources : Sources or None
        What their sources are worth, where these are known.
    notes : list of str
        All that was left out, sampled or warned of.
    script : str
        Code that gives the same numbers.
    """

    options: Any
    name: str
    setting: list
    study: Any
    verdict: Any
    costs: dict
    pool: Any
    sources: Any
    notes: list
    script: str


def write_page(findings):
    """Return HTML of one self-contained page.

    Parameters
    ----------
    findings : Findings
        All that is known.

    Returns
    -------
    str
        The page.
    """
    sections = {
        "summary": _summary(findings),
        "classes": _classes(findings.study),
        "figures": _figures(findings),
        "rows": [_about_rows(findings), *rows_content(findings.study, findings.pool)],
        "terms": _terms(),
        "notes": _notes(findings.notes),
        "code": _code(findings.script),
    }
    sections = {name: content for name, content in sections.items() if content}
    body = [
        element("a", "Skip to the report", class_="skip", href="#main"),
        _header(findings),
        _navigation(sections),
        element(
            "main",
            [section(id_, _SECTIONS[id_], *each) for id_, each in sections.items()],
            id="main",
            tabindex="-1",
        ),
        element(
            "footer", element("p", f"Made by sklearn_w2s {sklearn_w2s.__version__}.")
        ),
    ]
    page = element("html", _head(findings.name), element("body", body), lang="en")
    return f"<!DOCTYPE html>\n{page}\n"


def _head(name):
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("link", rel="icon", href="data:,"),
        element("title", f"Does weak-to-strong pay on {name}?"),
        element("style", Markup(CSS)),
    )


def _header(findings):
    title = element("h1", "Does weak-to-strong pay on ", value(findings.name), "?")
    setting = [
        element("p", f"{line[:1].upper()}{line[1:]}", class_="soft")
        for line in findings.setting
    ]
    return element("header", title, setting)


def _navigation(sections):
    links = [
        element("li", element("a", _SECTIONS[id_], href=f"#{id_}")) for id_ in sections
    ]
    return element("nav", element("ul", links), aria_label="Sections")


def _summary(findings):
    study, verdict = findings.study, findings.verdict
    scoring = findings.options.scoring
    heads, rows = score_cells(study, findings.costs, scoring)
    n_splits = len(study.results["n_test"])
    scores = table(
        f"Held-out rows, mean of {n_splits} split{'s' * (n_splits > 1)}; accuracies "
        "and the first column in percent, sd over splits",
        ["predictor", *heads],
        [[label, *cells] for label, cells in rows.items()],
        id_="scores-table",
        numeric=range(1, len(heads) + 1),
    )
    words = []
    if verdict.kind not in ("guessing", "one_split"):
        words = [gap_words(study.results)] if verdict.has_gap else []
        words.append(region_words(study.results))
    return [
        element("p", value(str(verdict)), class_="verdict"),
        scores,
        [element("p", f"{text[0].upper()}{text[1:]}.") for text in words],
        element("p", RULE, class_="soft"),
    ]


def _classes(study):
    return [*_recall(study), *_columns(study)]


def _recall(study):
    if not len(study.classes):
        return []
    names = predictor_names(study)
    order = np.argsort(-study.recall["guess"], kind="stable")[:_MAX_CLASSES]
    caption = "Recall: share of the held-out rows of a class that is found, in percent"
    if len(study.classes) > _MAX_CLASSES:
        caption += f"; {_MAX_CLASSES} of {len(study.classes)} classes"
    recall = table(
        caption,
        ["class", *names.values()],
        [
            [
                shorten(study.classes[i]),
                *(f"{100 * study.recall[name][i]:.1f}" for name in names),
            ]
            for i in sorted(order)
        ],
        id_="recall-table",
        numeric=range(1, len(names) + 1),
    )
    return [recall]


def _columns(study):
    columns = important(study)
    if not columns:
        return [element("p", "No column alone is needed: none costs points.")]
    losses = table(
        "Columns that weak-to-strong needs most, by the points that it loses where "
        "their cells are mixed up in held-out rows of the first split",
        ["column", "points lost"],
        [[shorten(name), f"{points:.1f}"] for name, points in columns.items()],
        id_="columns-table",
        numeric={1},
    )
    return [losses]


def _figures(findings):
    study = findings.study
    content = []
    if findings.verdict.kind not in ("guessing", "one_split"):
        if study.hides_labels:
            content += [
                element("h3", "Scores and the gap"),
                gap_figure(study.results, findings.verdict, findings.options.scoring),
            ]
        if "region_share" in study.results:
            name = "Error" if "region_rmse" in study.results else "Accuracy"
            content += [element("h3", f"{name} by region"), region_figure(study)]
    if findings.sources is not None and len(findings.sources.runs) > 1:
        content += [element("h3", "Sources"), _sources(findings.sources)]
    return content


def _figure(draw, label, caption, *, prefix, size):
    """Return a figure of one image."""
    (svg,) = draw_svg(draw, prefix=prefix, n_panels=1, size=size)
    image = element("div", Markup(svg), role="img", aria_label=label)
    panels = element("div", image, class_="panels")
    return element("figure", panels, element("figcaption", caption))


def gap_figure(results, verdict, scoring):
    """Return the figure of the scores of all fits, with the gap if there is one."""
    means = [
        f"{label} {score_text(results[f'{name}_score'].mean())}"
        for name, label in FITS.items()
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
    """Return the figure of accuracies, or errors, by region."""
    results = study.results
    names = {name: label for name, label in FITS.items() if name in study.measures}
    key, name = "region_accuracy", "Accuracy"
    if "region_rmse" in results:
        key, name = "region_rmse", "Root mean squared error"
    by_fit = results[key]
    columns = [
        (f"{region} rows", {name: by_fit[name][region] for name in names})
        for region in REGIONS
    ]
    words = [
        f"{region}: {_means(by_name, names) or 'none'}" for region, by_name in columns
    ]
    return _figure(
        lambda ax: RegionScoreDisplay.from_cv_results(results, ax=ax),
        f"{name} by region. {'; '.join(words)}.",
        f"{name} on the easy, hard and overlap rows of the test sets: means over "
        "splits with intervals, every split as a dot. Below, the rows of a test set.",
        prefix="regions",
        size=(4.8, 3.8),
    )


def _means(by_name, names):
    """Return the mean of each fit over the splits that have rows to judge it by."""
    known = {name: values[~np.isnan(values)] for name, values in by_name.items()}
    return ", ".join(
        f"{names[name]} {score_text(values.mean())}"
        for name, values in known.items()
        if len(values)
    )


def _sources(sources):
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
        ["source", "rows", "share of overlap rows", "drawn"],
        rows,
        id_="sources-table",
        numeric={1, 2, 3},
    )


def _about_rows(findings):
    numbers = "Training rows of the first split, numbered from 1"
    if findings.options.file is not None:
        numbers += " for the first below the header of the file"
    labels = "The label is that of the data"
    if findings.pool.is_hidden:
        labels += "; from most of these rows it was hidden in the fit"
    return element(
        "p", f"{numbers}. {labels}. Student is what weak-to-strong predicts."
    )


def _terms():
    words = [
        [element("dt", term), element("dd", meaning)] for term, meaning in TERMS.items()
    ]
    return [element("dl", words)]


def _notes(notes):
    if not notes:
        return [element("p", "Nothing was left out, sampled or changed.")]
    return [element("ul", [element("li", value(note)) for note in notes])]


def _code(script):
    words = (
        "This script gives the numbers of the summary with the same versions of the "
        "packages, then fits what was chosen, labels the unlabeled rows and saves the "
        "model."
    )
    code = scrollable(
        element("pre", element("code", script)), aria_label="Code that reproduces it"
    )
    return [element("p", words), code]

"""The report as one page that needs nothing else."""

from dataclasses import dataclass
from typing import Any

import sklearn_w2s
from sklearn_w2s.advice import advise
from sklearn_w2s.report._css import CSS
from sklearn_w2s.report._figures import (
    gap_figure,
    overlap_figure,
    region_figure,
    source_figure,
)
from sklearn_w2s.report._html import Markup, element, section, value
from sklearn_w2s.report._rows import rows_content
from sklearn_w2s.report._script import write_script
from sklearn_w2s.report._summary import (
    advice_section,
    code_section,
    notes_section,
    sources_content,
    summary,
)

# Nothing is loaded, run or sent; pictures are parts of the page.
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'"
)
_SECTIONS = {
    "summary": "Summary",
    "advice": "Advice",
    "figures": "Figures",
    "rows": "Rows worth a look",
    "notes": "Notes",
    "code": "Code",
}


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
        Sentences on rows, estimators and splits.
    model : WeakToStrongClassifier
        The classifier that was judged.
    results : dict
        As from `cross_validate_gap`.
    pool : Pool
        Rows that the advice is on.
    sources : Sources or None
        What their sources are worth, where these are known.
    """

    options: Any
    name: str
    setting: list
    model: Any
    results: dict
    pool: Any
    sources: Any


def ask_advice(findings):
    """Return the advice on the rows as the user has them."""
    pool = findings.pool
    return advise(
        findings.model,
        pool.X,
        pool.y,
        sample_source=pool.source,
        n_jobs=findings.options.jobs,
        random_state=findings.options.random_state,
    )


def write_page(findings, advice, notes):
    """Return the page.

    Parameters
    ----------
    findings : Findings
        All that is known but the advice.
    advice : Advice
        As from `ask_advice`.
    notes : list of str
        All that was left out, sampled or warned of.

    Returns
    -------
    str
        HTML of one self-contained page.
    """
    script = write_script(findings.options, findings.results, findings.pool)
    content = [
        summary(findings.results, findings.options.scoring),
        advice_section(advice, findings.pool),
        _figures(findings, advice),
        section(
            "rows",
            _SECTIONS["rows"],
            _about_rows(findings),
            *rows_content(advice.estimator, findings.pool),
        ),
        notes_section(notes),
        code_section(script),
    ]
    body = [
        element("a", "Skip to the report", class_="skip", href="#main"),
        _header(findings),
        _navigation(),
        element("main", content, id="main", tabindex="-1"),
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
    setting = [element("p", line, class_="soft") for line in findings.setting]
    return element("header", title, setting)


def _navigation():
    links = [
        element("li", element("a", title, href=f"#{id_}"))
        for id_, title in _SECTIONS.items()
    ]
    return element("nav", element("ul", links), aria_label="Sections")


def _figures(findings, advice):
    content = [
        element("h3", "Scores and the gap"),
        gap_figure(findings.results, findings.options.scoring),
        element("h3", "Accuracy by region"),
        region_figure(findings.results),
        element("h3", "Regions"),
        overlap_figure(advice.estimator),
    ]
    if findings.sources is not None:
        content += [element("h3", "Sources"), sources_content(findings.sources)]
        if findings.sources.selector is not None:
            content.append(source_figure(findings.sources.selector))
    return section("figures", "Figures", *content)


def _about_rows(findings):
    numbers = "Rows are numbered from 1"
    if findings.options.file is not None:
        numbers += " for the first below the header of the file"
    labels = "The label is that of the data"
    if findings.pool.is_hidden:
        labels += "; from most of these rows it was hidden in the fit"
    return element(
        "p", f"{numbers}. {labels}. Student is what weak-to-strong predicts."
    )

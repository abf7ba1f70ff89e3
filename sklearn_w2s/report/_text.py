"""The report as text: the verdict, then the table of measures and what explains it."""

import textwrap

import numpy as np

from sklearn_w2s._algorithms.overlap import REGIONS
from sklearn_w2s._representation import visible
from sklearn_w2s.metrics import gap_regime
from sklearn_w2s.report._verdict import CONFIDENCE, FITS, RULE

WIDTH = 88
MAX_SOURCES = 20
MAX_COLUMNS = 6
MEASURES = {
    "r2": "R2",
    "rmse": "RMSE",
    "mae": "MAE",
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced",
    "auc": "AUC",
    "log_loss": "log loss",
    "calibration_error": "calibration error",
}
REGIME_MEANING = {
    "low": "nothing of the gap is recovered",
    "medium": "less than half of the gap is recovered",
    "high": "half of the gap or more is recovered",
}
# Every term of the report, in a line.
TERMS = {
    "weak": "a simple estimator, trained on the labeled rows",
    "strong on labels": "a flexible estimator, trained on the labeled rows alone",
    "weak-to-strong": (
        "the flexible estimator, trained on the labels and on what is made of the weak "
        "estimator's labels of all other rows"
    ),
    "ceiling": "the flexible estimator, trained on the labels that were hidden as well",
    "always guessing": "predicting the most frequent class, or the mean value, always",
    "accuracy": "share of held-out rows whose class is predicted",
    "balanced accuracy": (
        "mean over classes of the share of their rows that is found, which always "
        "guessing one class cannot raise"
    ),
    "AUC": (
        "chance that a row of a class gets a higher probability of it than a row of "
        "another one; 0.5 is guessing; mean over classes"
    ),
    "log loss": "mean surprise at the true class, in nats; less is better",
    "calibration error": (
        "mean distance between how sure predictions are and how often they are right; "
        "0 is best"
    ),
    "R2": "share of the variance of the values that is explained; guessing has 0",
    "RMSE, MAE": "root mean squared and mean absolute error, in the unit of the target",
    "gap recovered": (
        "how far weak-to-strong gets from the weak estimator to the ceiling: 0 is no "
        "way, 1 all of it"
    ),
    "hard rows": "rows whose pattern the weak estimator does not know",
    "overlap rows": (
        "rows that the weak estimator knows and that resemble hard rows, from which "
        "the strong one learns what both have in common"
    ),
    "easy rows": "all other rows that the weak estimator knows",
    "overlap density": "share of overlap rows among the rows to train on",
}


def predictor_names(study):
    """Return the labels of the predictors in the order of tables."""
    guess = "always guessing"
    return {name: FITS.get(name, guess) for name in study.measures}


def format_report(study, verdict, costs, sources=(), scoring="accuracy", *, setting=""):
    """Return the lines of the report that follow what was read.

    Parameters
    ----------
    study : Study
        Results.
    verdict : Verdict
        Of these.
    costs : dict of str to (seconds, bytes)
        By predictor.
    sources : list of SourceRun, default=()
        Empty where none are known.
    scoring : str, default="accuracy"
        Name of the scores.
    setting : str, default=""
        Sentence on estimators, rows and splits.

    Returns
    -------
    list of str
        Lines of 88 characters at most.
    """
    lines = [*wrap(str(verdict)), "", *wrap(setting)]
    lines += _score_lines(study, costs, scoring)
    if verdict.kind not in ("guessing", "one_split"):
        lines += ["", *_overlap_lines(study.results, verdict), *_column_lines(study)]
    if sources:
        lines += ["", *_source_lines(sources)]
    return [*lines, "", *wrap(RULE)]


def wrap(text, indent=""):
    """Return lines of at most 88 characters, those after the first one indented."""
    text = visible(" ".join(text.split()))
    return textwrap.wrap(text, WIDTH, subsequent_indent=indent, break_on_hyphens=False)


def score_cells(study, costs, scoring, left_out=()):
    """Return the headings of the table of measures, and its rows of texts by predictor.

    Shares are in percent.
    """
    known = study.measures["guess"]
    left_out = {scoring, *left_out}
    measures = [name for name in MEASURES if name in known.keys() - left_out]
    heads = [
        *(MEASURES.get(scoring, scoring.replace("_", " ")), "sd"),
        *(MEASURES[name] for name in measures),
        *("fit, s", "MB"),
    ]
    rows = {}
    for name, label in predictor_names(study).items():
        scores = 100 * study.results[f"{name}_score"]
        spread = f"{scores.std(ddof=1):.2f}" if len(scores) > 1 else "-"
        cells = [f"{scores.mean():.2f}", spread]
        for measure in measures:
            number = study.measures[name][measure]
            is_share = "accuracy" in measure
            shown = f"{number:.4g}" if measure in ("rmse", "mae") else f"{number:.3f}"
            cells.append(f"{100 * number:.2f}" if is_share else shown)
        seconds, size = costs.get(name, (np.nan, np.nan))
        is_known = name in costs
        cells += [f"{seconds:.2f}", f"{size / 1e6:.2f}"] if is_known else ["-", "-"]
        rows[label] = cells
    return heads, rows


def _score_lines(study, costs, scoring):
    heads, rows = score_cells(study, costs, scoring, ["calibration_error"])
    n_splits = len(study.results["n_test"])
    columns = zip(heads, *rows.values(), strict=True)
    widths = [max(8, *(len(cell) + 1 for cell in column)) for column in columns]
    first = min(20, WIDTH - sum(widths))
    head = "".join(f"{name:>{w}}" for name, w in zip(heads, widths, strict=True))
    unit = "; RMSE and MAE in the unit of the target" if "RMSE" in heads else ""
    lines = [f"held-out rows, mean of {n_splits} split{'s' * (n_splits > 1)}{unit}"]
    lines.append(" " * first + head)
    for label, cells in rows.items():
        numbers = "".join(f"{cell:>{w}}" for cell, w in zip(cells, widths, strict=True))
        lines.append(f"{label:<{first}}{numbers}")
    return lines


def gap_words(results):
    """Return the share of the gap recovered with its interval and its regime."""
    low, high = results["gap_recovered_interval"]
    regime = str(gap_regime(results["gap_recovered"]))
    return (
        f"{results['gap_recovered']:.2f} of the gap recovered ({CONFIDENCE:.0%} "
        f"interval {low:.2f} to {high:.2f}), regime {regime}: {REGIME_MEANING[regime]}"
    )


def region_words(results):
    """Return the overlap density of training rows, and the regions of held-out rows."""
    shares = ", ".join(
        f"{results['region_share'][region].mean():.0%} {region}" for region in REGIONS
    )
    density = results["overlap_density"].mean()
    return f"overlap density {density:.3f}; held-out rows: {shares}"


def _overlap_lines(results, verdict):
    lines = wrap(gap_words(results), "  ") if verdict.has_gap else []
    return [*lines, *wrap(region_words(results), "  ")]


def important(study):
    """Return the columns whose loss costs most, with the points that it costs."""
    found = list(study.importance.items())[:MAX_COLUMNS]
    return {name: 100 * loss for name, loss in found if round(100 * loss, 1) > 0}


def _column_lines(study):
    columns = important(study)
    if not columns:
        return []
    told = ", ".join(f"{name} {points:.1f}" for name, points in columns.items())
    return wrap(
        "columns that weak-to-strong needs most, by the points it loses where their "
        f"cells are mixed up: {told}",
        "  ",
    )


def _source_lines(sources):
    ranked = sorted(sources, key=lambda source: -source.overlap_density)
    lines = [
        f"{'unlabeled rows by source':<28}{'rows':>8}{'density':>9}{'drawn':>8}",
        *(
            f"{_shorten(source.name):<28}{source.n_rows:>8}"
            f"{source.overlap_density:>9.3f}{drawn(source):>8}"
            for source in ranked[:MAX_SOURCES]
        ),
    ]
    if len(ranked) > MAX_SOURCES:
        lines.append(f"... and {len(ranked) - MAX_SOURCES} more sources, less dense")
    return [*lines, *wrap(f"({how_drawn(sources)})")]


def how_drawn(sources):
    """Say how rows were drawn of the sources, or why not."""
    if all(source.n_drawn is None for source in sources):
        return (
            f"nothing drawn: half of the rows do not do for {len(sources)} sources, or "
            "a quantity is to be predicted"
        )
    return "drawn by UCB in batches, with a budget of half of the rows"


def drawn(source):
    """Return the number of rows drawn of a source as text."""
    return "-" if source.n_drawn is None else str(source.n_drawn)


def _shorten(name):
    name = visible(name)
    return name if len(name) < 28 else f"{name[:24]}..."

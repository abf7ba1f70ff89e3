"""A report as text, and as one page that needs nothing else.

The page is made of the templates beside this module; what a name or a cell holds is
escaped there, and never part of a template.
"""

import textwrap
from dataclasses import dataclass
from typing import Any

import numpy as np

import sklearn_w2s
from sklearn_w2s._algorithms.overlap import HARD, OVERLAP, REGIONS
from sklearn_w2s._display import SHORT_NAMES, visible
from sklearn_w2s._sklearn import safe_indexing
from sklearn_w2s._validation import is_missing
from sklearn_w2s.metrics import gap_regime
from sklearn_w2s.plotting import GapDisplay, RegionScoreDisplay
from sklearn_w2s.plotting._shared import draw_svg, score_text
from sklearn_w2s.report._data import TEST_SIZE, given_arguments
from sklearn_w2s.report._experiment import CONFIDENCE, RULE
from sklearn_w2s.report._read import counted

WIDTH = 88
MAX_SOURCES = 20
MAX_COLUMNS = 6
N_ROWS = 10
N_COLUMNS = 6
# Verdicts after which neither gap nor regions are worth a word.
NOTHING_SHOWN = ("guessing", "one_split")
_MAX_CLASSES = 30
_LONGEST_CELL = 60
_WIDTH_OF_SOURCE = 28
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
        "the flexible estimator, trained on the labels and on what the strategy makes "
        "of the weak estimator's predictions for all other rows"
    ),
    "ceiling": "the flexible estimator, trained on the labels that were hidden as well",
    "always guessing": "always predicting the most frequent class, or the mean value",
    "accuracy": "share of held-out rows whose class is predicted",
    "balanced accuracy": (
        "mean over classes of the share of their rows that is found, which always "
        "guessing one class cannot raise"
    ),
    "AUC": (
        "probability that a row of a class gets a higher probability of it than a row "
        "of another class; 0.5 is guessing; mean over classes"
    ),
    "log loss": "mean of -log of the probability of the true class; less is better",
    "calibration error": (
        "mean distance between the confidence of predictions and the share of them "
        "that is right; 0 is best"
    ),
    "R2": "share of the variance of the values that is explained; guessing has 0",
    "RMSE, MAE": "root mean squared and mean absolute error, in the unit of the target",
    "gap recovered": (
        "share of the difference between ceiling and weak estimator that "
        "weak-to-strong recovers: 0 is nothing, 1 all of it"
    ),
    "hard rows": (
        "rows of which the weak estimator is not confident and that do not resemble "
        "the easy rows"
    ),
    "overlap rows": (
        "rows that are not hard but resemble hard rows, from which the strong "
        "estimator can learn the patterns of both"
    ),
    "easy rows": "rows that are neither hard nor similar to hard rows",
    "overlap density": "share of overlap rows among the training rows",
}
_SECTIONS = {
    "summary": "Summary",
    "classes": "Classes and columns",
    "figures": "Figures",
    "rows": "Rows worth a look",
    "terms": "Terms",
    "notes": "Notes",
    "code": "Code",
}
_TITLES_OF_ROWS = {
    "hard": "Hard rows",
    "overlap": "Overlap rows",
    "doubtful": "Suspected wrong weak labels",
}
_SENTENCES_ON_ROWS = {
    "hard": (
        "The hard rows of the least confidence. A row is hard if its confidence is "
        "below the threshold and it does not resemble the easy rows, so not every row "
        "below the threshold is hard."
    ),
    "overlap": (
        "The overlap rows of the highest overlap score: they are not hard themselves, "
        "but resemble hard rows most."
    ),
    "doubtful": (
        "Rows that were unlabeled in the fit and for which weak-to-strong and the weak "
        "estimator predict different labels: those where the probabilities that "
        "weak-to-strong gives to the two labels, or the two values, differ most."
    ),
}


def one_line(text):
    """Return a text on one line, in which what cannot be seen is escaped."""
    return visible(" ".join(str(text).split()))


def wrap(text, indent=""):
    """Return lines of at most 88 characters, those after the first one indented."""
    return textwrap.wrap(
        one_line(text), WIDTH, subsequent_indent=indent, break_on_hyphens=False
    )


def _capitalized(text):
    return f"{text[:1].upper()}{text[1:]}"


# What text and page have in common


def score_cells(study, costs, scoring, left_out=()):
    """Return the headings of the table of measures, and its cells by predictor."""
    known = study.measures["guess"]
    left_out = {scoring, *left_out}
    measures = [name for name in MEASURES if name in known.keys() - left_out]
    heads = [
        *(MEASURES.get(scoring, scoring.replace("_", " ")), "sd"),
        *(MEASURES[name] for name in measures),
        *("fit, s", "MB"),
    ]
    rows = {}
    for name in study.measures:
        scores = 100 * study.results[f"{name}_score"]
        spread = f"{scores.std(ddof=1):.2f}" if len(scores) > 1 else "-"
        cells = [f"{scores.mean():.2f}", spread]
        for measure in measures:
            number = study.measures[name][measure]
            # Shares are in percent.
            is_share = "accuracy" in measure
            shown = f"{number:.4g}" if measure in ("rmse", "mae") else f"{number:.3f}"
            cells.append(f"{100 * number:.2f}" if is_share else shown)
        seconds, size = costs.get(name, (np.nan, np.nan))
        is_known = name in costs
        cells += [f"{seconds:.2f}", f"{size / 1e6:.2f}"] if is_known else ["-", "-"]
        rows[SHORT_NAMES.get(name, "always guessing")] = cells
    return heads, rows


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


def _important(study):
    """Return the columns whose loss costs most, with the points that it costs."""
    found = list(study.importance.items())[:MAX_COLUMNS]
    return {name: 100 * loss for name, loss in found if round(100 * loss, 1) > 0}


def _densest(sources):
    return sorted(sources, key=lambda source: -source.overlap_density)[:MAX_SOURCES]


def _how_drawn(sources):
    if all(source.n_drawn is None for source in sources):
        return (
            f"nothing drawn: half of the rows are too few for {len(sources)} sources, "
            "or a quantity is to be predicted"
        )
    return "drawn by UCB in batches, with a budget of half of the rows"


# The text


def format_report(study, verdict, costs, sources=(), scoring="accuracy", *, setting=""):
    """Return the lines of the report that follow what was read."""
    heads, rows = score_cells(study, costs, scoring, ["calibration_error"])
    columns = zip(heads, *rows.values(), strict=True)
    widths = [max(8, *(len(cell) + 1 for cell in column)) for column in columns]
    first = min(20, WIDTH - sum(widths))
    n_splits = counted(len(study.results["n_test"]), "split")
    unit = "; RMSE and MAE in the unit of the target" if "RMSE" in heads else ""
    lines = [*wrap(str(verdict)), "", *wrap(setting)]
    lines.append(f"held-out rows, mean of {n_splits}{unit}")
    for label, cells in {"": heads, **rows}.items():
        numbers = "".join(f"{cell:>{w}}" for cell, w in zip(cells, widths, strict=True))
        lines.append(f"{label:<{first}}{numbers}")
    if verdict.kind not in NOTHING_SHOWN:
        gap = wrap(gap_words(study.results), "  ") if verdict.has_gap else []
        lines += ["", *gap, *wrap(region_words(study.results), "  ")]
        if columns := _important(study):
            shown = ", ".join(f"{name} {loss:.1f}" for name, loss in columns.items())
            lines += wrap(
                "columns that weak-to-strong needs most, by the points it loses where "
                f"their cells are permuted: {shown}",
                "  ",
            )
    if sources:
        lines += ["", *_source_lines(sources)]
    return [*lines, "", *wrap(RULE)]


def _source_lines(sources):
    lines = [f"{'unlabeled rows by source':<28}{'rows':>8}{'density':>9}{'drawn':>8}"]
    for source in _densest(sources):
        name = visible(source.name)
        if len(name) >= _WIDTH_OF_SOURCE:
            name = f"{name[: _WIDTH_OF_SOURCE - 4]}..."
        lines.append(
            f"{name:<{_WIDTH_OF_SOURCE}}{source.n_rows:>8}"
            f"{source.overlap_density:>9.3f}"
            f"{'-' if source.n_drawn is None else source.n_drawn:>8}"
        )
    if len(sources) > MAX_SOURCES:
        lines.append(f"... and {len(sources) - MAX_SOURCES} more sources, less dense")
    return [*lines, *wrap(f"({_how_drawn(sources)})")]


# The page


@dataclass(frozen=True)
class Findings:
    """All that a page shows: what was asked, read, found and noted."""

    options: Any
    data: Any
    setting: list  # sentences on rows, estimators and splits
    study: Any
    verdict: Any
    costs: dict
    pool: Any
    sources: list | None
    notes: list
    final: str  # the predictor that `choose_final` names


def write_page(findings):
    """Return HTML of one self-contained page."""
    study, verdict = findings.study, findings.verdict
    figures, sources = [], _sources(findings.sources)
    if verdict.kind not in NOTHING_SHOWN:
        if study.hides_labels:
            scoring = findings.options.scoring
            figures.append(gap_figure(study.results, verdict, scoring))
        if "region_share" in study.results:
            figures.append(region_figure(study))
    sections = dict(_SECTIONS)
    if not figures and not sources:
        del sections["figures"]
    words = []
    if verdict.kind not in NOTHING_SHOWN:
        words += [gap_words(study.results)] if verdict.has_gap else []
        words.append(region_words(study.results))
    page = _environment(is_html=True).get_template("page.html")
    return page.render(
        name=findings.data.name,
        setting=[f"{_capitalized(line)}." for line in findings.setting],
        sections=sections,
        verdict=str(verdict),
        scores=_scores(findings),
        words=[f"{_capitalized(line)}." for line in words],
        rule=RULE,
        recall=_recall(study),
        columns=_columns(study),
        figures=figures,
        sources=sources,
        about_rows=_about_rows(findings),
        rows=rows_worth_a_look(study, findings.pool),
        terms=TERMS,
        notes=findings.notes,
        script=write_script(findings.options, study, findings.final, findings.data),
        version=sklearn_w2s.__version__,
    )


def write_script(options, study, final, data):
    """Return code, all ASCII, that compares, fits, predicts and saves as the report."""
    names = ["weak", "weak_to_strong", "strong_on_labels"]
    if study.hides_labels:
        names.append("ceiling")
    is_file = options.file is not None
    n_labeled = int(study.results["n_labeled"][0]) if study.hides_labels else None
    script = _environment(is_html=False).get_template("script.py.jinja")
    return script.render(
        path=str(options.file) if is_file else None,
        target=options.target,
        reading=given_arguments(options),
        predicts=is_file and data.others is not None and len(data.others) > 0,
        kind=f"WeakToStrong{'Regressor' if data.regresses else 'Classifier'}",
        regresses=data.regresses,
        task=', task="regression"' if data.regresses else "",
        weak=options.weak,
        strong=options.strong,
        strategy=options.strategy,
        scoring=options.scoring,
        missing_label=data.missing_label,
        n_labeled=n_labeled,
        n_splits=len(study.results["n_labeled"]),
        test_size=TEST_SIZE,
        seed=options.random_state,
        names=tuple(names),
        final=final,
        chosen=options.weak if final == "weak" else options.strong,
        predictions=options.predict or "predictions.csv",
        saved=options.save or "model.skops",
    )


def _environment(*, is_html):
    """Return the environment of the templates, in which HTML escapes every text."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    def finalize(content):
        return content if isinstance(content, Markup) else one_line(content)

    environment = Environment(
        loader=PackageLoader("sklearn_w2s.report"),
        autoescape=is_html,
        finalize=finalize if is_html else None,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["literal"] = ascii
    return environment


def _table(id_, caption, heads, rows, *, numeric=(), data=()):
    """Return a table; `numeric` and `data` are positions of numbers and user's text."""
    return {
        "id": f"{id_}-table",
        "caption": caption,
        "heads": heads,
        "rows": rows,
        "numeric": numeric,
        "data": data,
    }


def _scores(findings):
    study, n_splits = findings.study, len(findings.study.results["n_test"])
    heads, rows = score_cells(study, findings.costs, findings.options.scoring)
    return _table(
        "scores",
        f"Held-out rows, mean of {counted(n_splits, 'split')}; accuracies and the "
        "first column in percent, sd over splits",
        ["predictor", *heads],
        [[label, *cells] for label, cells in rows.items()],
        numeric=range(1, len(heads) + 1),
    )


def _recall(study):
    if not len(study.classes):
        return None
    names = {n: SHORT_NAMES.get(n, "always guessing") for n in study.measures}
    order = np.argsort(-study.recall["guess"], kind="stable")[:_MAX_CLASSES]
    caption = "Recall: share of the held-out rows of a class that is found, in percent"
    if len(study.classes) > _MAX_CLASSES:
        caption += f"; {_MAX_CLASSES} of {len(study.classes)} classes"
    rows = [
        [
            _cell(study.classes[i]),
            *(f"{100 * study.recall[name][i]:.1f}" for name in names),
        ]
        for i in sorted(order)
    ]
    heads = ["class", *names.values()]
    return _table(
        "recall", caption, heads, rows, numeric=range(1, len(heads)), data={0}
    )


def _columns(study):
    return _table(
        "columns",
        "Columns that weak-to-strong needs most, by the points that it loses where "
        "their cells are permuted in held-out rows of the first split",
        ["column", "points lost"],
        [[_cell(name), f"{points:.1f}"] for name, points in _important(study).items()],
        numeric={1},
        data={0},
    )


def _sources(sources):
    if sources is None or len(sources) < 2:
        return None
    caption = f"Unlabeled rows by source; {_how_drawn(sources)}"
    if len(sources) > MAX_SOURCES:
        caption += f"; the {MAX_SOURCES} densest of {len(sources)} sources"
    return _table(
        "sources",
        caption,
        ["source", "rows", "share of overlap rows", "drawn"],
        [
            [
                *(run.name, run.n_rows, f"{run.overlap_density:.3f}"),
                "-" if run.n_drawn is None else run.n_drawn,
            ]
            for run in _densest(sources)
        ],
        numeric={1, 2, 3},
        data={0},
    )


# Figures


def gap_figure(results, verdict, scoring):
    """Return the figure of the scores of all fits, with the gap if there is one."""
    means = [
        f"{label} {score_text(results[f'{name}_score'].mean())}"
        for name, label in SHORT_NAMES.items()
    ]
    name = scoring.replace("_", " ")
    gap = "no gap beyond its noise"
    if verdict.has_gap:
        gap = gap_words(results)
    else:
        results = results | {"gap_recovered": np.nan}
    return _figure(
        lambda ax: GapDisplay.from_cv_results(results, score_name=name, ax=ax),
        title="Scores and the gap",
        label=f"Mean {name}: {', '.join(means)}; {gap}.",
        caption=(
            f"{name.capitalize()} on held-out rows: mean over splits with its "
            "interval, every split as a dot below. Dashed lines mark the means of weak "
            "and ceiling. The intervals are of each score alone; the verdict compares "
            "split by split."
        ),
        prefix="gap",
        size=(4.6, 3),
    )


def region_figure(study):
    """Return the figure of accuracies, or errors, by region."""
    results = study.results
    title, key, measure = "Accuracy by region", "region_accuracy", "Accuracy"
    if "region_rmse" in results:
        title, key, measure = (
            "Error by region",
            "region_rmse",
            "Root mean squared error",
        )
    names = {
        name: label for name, label in SHORT_NAMES.items() if name in study.measures
    }
    words = []
    for region in REGIONS:
        values = {name: results[key][name][region] for name in names}
        means = ", ".join(
            f"{names[name]} {score_text(np.nanmean(found))}"
            for name, found in values.items()
            # Splits may have no rows of the region.
            if not np.isnan(found).all()
        )
        words.append(f"{region} rows: {means or 'none'}")
    return _figure(
        lambda ax: RegionScoreDisplay.from_cv_results(results, ax=ax),
        title=title,
        label=f"{measure} by region. {'; '.join(words)}.",
        caption=(
            f"{measure} on the easy, hard and overlap rows of the test sets: means "
            "over splits with intervals, every split as a dot. Below, the rows of a "
            "test set."
        ),
        prefix="regions",
        size=(4.8, 3.8),
    )


def _figure(draw, *, title, label, caption, prefix, size):
    from markupsafe import Markup

    svg = draw_svg(draw, prefix=prefix, size=size)
    return {"title": title, "label": label, "caption": caption, "svg": Markup(svg)}


# Rows worth a look: the hardest, the clearest overlap, and doubtful weak labels


def _about_rows(findings):
    numbers = "Training rows of the first split, numbered from 1"
    if findings.options.file is not None:
        numbers += " for the first below the header of the file"
    labels = "The label is that of the data"
    if findings.study.hides_labels:
        labels += "; from most of these rows it was hidden in the fit"
    return f"{numbers}. {labels}. Student is what weak-to-strong predicts."


def rows_worth_a_look(study, pool):
    """Return a table for each kind of row; the student was fitted on the pool."""
    model = study.student
    known = model.rows_
    regions = known["region"]
    kinds = {
        "hard": _first(regions == HARD, known["confidence"]),
        "overlap": _first(regions == OVERLAP, -known["overlap_score"]),
        "doubtful": _doubtful(model, pool),
    }
    return [
        {
            "id": kind,
            "title": title,
            "sentence": _SENTENCES_ON_ROWS[kind],
            "table": _table_of_rows(kind, title, model, pool, kinds[kind]),
        }
        for kind, title in _TITLES_OF_ROWS.items()
    ]


def _first(mask, keys):
    """Return the positions of the smallest keys where the mask is true."""
    positions = np.flatnonzero(mask)
    return positions[np.argsort(keys[positions], kind="stable")][:N_ROWS]


def _doubtful(model, pool):
    """Return the unlabeled rows of which student and weak estimator differ most."""
    unlabeled = ~model.rows_["labeled"]
    if not hasattr(model, "classes_"):
        apart = np.abs(model.predict(pool.X) - model.rows_["weak_label"])
        return _first(unlabeled & (apart > 0), -apart)
    proba = model.predict_proba(pool.X)
    weak = np.searchsorted(model.classes_, model.rows_["weak_label"])
    student = proba.argmax(axis=1)
    everywhere = np.arange(len(proba))
    lead = proba[everywhere, student] - proba[everywhere, weak]
    return _first(unlabeled & (weak != student), -lead)


def _table_of_rows(kind, title, model, pool, positions):
    """Return number, labels, scores and first cells of some rows."""
    n_columns = pool.X.shape[1]
    caption = f"{title}, {N_ROWS} at most"
    if n_columns > N_COLUMNS:
        caption += f", with the first {N_COLUMNS} of {n_columns} columns"
    heads = ["row", "label", "weak label", "student", "confidence", "overlap score"]
    names = getattr(pool.X, "columns", [f"column {i}" for i in range(n_columns)])
    n_facts = len(heads)
    heads += [_cell(name) for name in list(names)[:N_COLUMNS]]
    rows = []
    if len(positions):
        chosen = safe_indexing(pool.X, positions)
        student = model.predict(chosen)
        scores = model.rows_
        for i, label, cells in zip(positions, student, _as_lists(chosen), strict=True):
            rows.append(
                [
                    pool.rows[i],
                    "" if pool.truth[i] == pool.missing_label else _cell(pool.truth[i]),
                    *(_cell(scores["weak_label"][i]), _cell(label)),
                    f"{scores['confidence'][i]:.3f}",
                    f"{scores['overlap_score'][i]:.3f}",
                    *map(_cell, cells),
                ]
            )
    data = {1, 2, 3, *range(n_facts, len(heads))}
    return _table(f"rows-{kind}", caption, heads, rows, numeric={4, 5}, data=data)


def _as_lists(X):
    if hasattr(X, "iloc"):
        return X.iloc[:, :N_COLUMNS].astype(object).to_numpy().tolist()
    return X[:, :N_COLUMNS].tolist()


def _cell(content):
    """Return a cell or name from the data as text, empty or cut where it is long."""
    if is_missing(content):
        return ""
    if isinstance(content, float):
        return f"{content:.6g}"
    text = str(content)
    return text if len(text) <= _LONGEST_CELL else f"{text[: _LONGEST_CELL - 1]}…"

"""What the displays share: figures, looks, and the four fits that are compared."""

import re
from collections.abc import Mapping
from io import StringIO

import numpy as np
from scipy.stats import t as student_t
from sklearn.utils import check_array, column_or_1d

from sklearn_w2s._display import SHORT_NAMES
from sklearn_w2s._pipeline import default_scoring, final_step

# Above the panel, where nothing drawn can be hidden.
LEGEND = {
    "loc": "lower center",
    "bbox_to_anchor": (0.5, 1),
    "frameon": False,
    "fontsize": "medium",
    "columnspacing": 1.5,
    "handletextpad": 0.4,
}
# From the lowest line up. Okabe-Ito colours of clearly different lightness.
MARKS = {
    "weak": {"color": "#000000", "marker": "o"},
    "strong_on_labels": {"color": "#56B4E9", "marker": "s"},
    "weak_to_strong": {"color": "#D55E00", "marker": "D"},
    "ceiling": {"color": "#0072B2", "marker": "^"},
}
_SHORT = {
    "neg_root_mean_squared_error": "negative RMSE",
    "neg_mean_absolute_error": "negative MAE",
}
SAME = "ceiling =\nstrong on labels"
# Scores that three decimals tell apart, as accuracies and errors of such a size.
_LEAST_USUAL, _MOST_USUAL = 0.01, 10
_DISPLAYS = {
    "cross_validate_gap": "GapDisplay",
    "gap_learning_curve": "GapLearningCurveDisplay",
    "overlap_curve": "OverlapCurveDisplay",
}
# Of what is drawn as pixels within the SVG: marks where there are very many.
_DPI = 150
_NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))
# XML allows no other control characters, HTML no surrogate.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]"
)
_TAG = re.compile("<[^>]*>")
_REFERENCE = re.compile(r'(?<= id=")|(?<=href="#)|(?<=url\(#)')


def line_style(defaults, given):
    """Return arguments of `plot` or `errorbar` by full name, defaults if not given."""
    from matplotlib.lines import Line2D

    return _merge(Line2D, defaults, given)


def collection_style(defaults, given):
    """Return arguments of `scatter` or `fill_between`, as `line_style` does."""
    from matplotlib.collections import Collection

    given = dict(given or {})
    # Of `scatter`, for which it may be numbers too: here it is one color.
    if "c" in given and "color" not in given:
        given["color"] = given.pop("c")
    return _merge(Collection, defaults, given)


def _merge(artist, defaults, given):
    from matplotlib.cbook import normalize_kwargs

    return normalize_kwargs(defaults, artist) | normalize_kwargs(given or {}, artist)


def import_pyplot(display):
    """Return `matplotlib.pyplot`, or name the extra that the display needs."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        msg = f"{display}.plot needs matplotlib: pip install sklearn-w2s[plot]"
        raise ImportError(msg) from error
    return plt


def one_axes(ax, display, *, figsize):
    """Return the axes to draw in, or new ones of a figure of a size in inches."""
    if ax is not None:
        return ax
    plt = import_pyplot(display)
    return plt.subplots(figsize=figsize, layout="constrained")[1]


def three_axes(ax, display, *, mosaic, **figure):
    """Return the three panels to draw in, or new ones of a mosaic of A, B and C."""
    plt = import_pyplot(display)
    if ax is None:
        _, panels = plt.subplot_mosaic(mosaic, layout="constrained", **figure)
        return np.array([panels[letter] for letter in "ABC"])
    axes = np.ravel(ax)
    if len(axes) != 3 or not all(hasattr(panel, "scatter") for panel in axes):
        msg = f"ax={ax!r} must be three axes, as from plt.subplots(1, 3)[1]."
        raise ValueError(msg)
    return axes


def check_scores(scores):
    """Return the scores of each fit, lowest first; strong on labels may be missing."""
    missing = [n for n in ("weak", "weak_to_strong", "ceiling") if n not in scores]
    if missing:
        msg = f"scores={scores!r} has no {missing[0]!r}; give one array per fit."
        raise ValueError(msg)
    given = {"strong_on_labels": np.full(np.shape(scores["weak"]), np.nan), **scores}
    return {
        name: check_array(
            given[name],
            dtype=np.float64,
            ensure_2d=False,
            ensure_all_finite="allow-nan",
            input_name=f"scores[{name!r}]",
        )
        for name in MARKS
    }


def label_fits(scores):
    """Return labels of the fits to draw, lowest first.

    Strong on labels is left out where it has no score, or is the ceiling.
    """
    labels = dict(SHORT_NAMES)
    alone = scores["strong_on_labels"]
    if np.isnan(alone).all():
        del labels["strong_on_labels"]
    elif np.array_equal(alone, scores["ceiling"], equal_nan=True):
        del labels["strong_on_labels"]
        labels["ceiling"] = SAME
    return labels


def half_width(scores, confidence_level):
    """Return half the length of Student's interval of means over folds."""
    n_folds = scores.shape[-1]
    # A single fold has no interval.
    if n_folds < 2:
        return np.zeros(scores.shape[:-1])
    quantile = student_t.ppf((1 + confidence_level) / 2, n_folds - 1)
    return quantile * np.std(scores, axis=-1, ddof=1) / np.sqrt(n_folds)


def describe_folds(n_folds, confidence_level):
    """Return what a mark and its bar are, in words."""
    plural = "" if n_folds == 1 else "s"
    return f"{n_folds} fold{plural}, mean with {100 * confidence_level:.4g}% interval"


def check_results(results, function):
    """Refuse results of another function of `model_selection`, and name that one."""
    found = _find_function(results)
    if found is None:
        what = list(results) if isinstance(results, Mapping) else type(results).__name__
        msg = f"results must be the dict that {function} returns, not {what}."
        raise ValueError(msg)
    if found != function:
        msg = (
            f"results are those of {found}, but must be those of {function}. Draw them "
            f"with {_DISPLAYS[found]}.from_cv_results."
        )
        raise ValueError(msg)


def _find_function(results):
    if not isinstance(results, Mapping):
        return None
    if "overlap_share" in results:
        return "overlap_curve"
    if "labeled_sizes" in results:
        return "gap_learning_curve"
    # With several scores, the name of each follows.
    is_gap = any(str(name).startswith("gap_recovered") for name in results)
    return "cross_validate_gap" if is_gap else None


def take_scores(results, metric):
    """Return the name of the scores to draw, and those of each fit that has them.

    `metric` is one of several; None where the results have one.
    """
    known = [
        key.removeprefix("ceiling_")
        for key in results
        if key.startswith("ceiling_")
        and key not in ("ceiling_fit_time", "ceiling_estimator")
    ]
    if metric is None and len(known) == 1:
        metric = known[0]
    if metric not in known:
        msg = f"metric={metric!r} must be one of the scores of results: {known}."
        raise ValueError(msg)
    return metric, {
        name: results[f"{name}_{metric}"]
        for name in MARKS
        if f"{name}_{metric}" in results
    }


def as_column(values, name, *, finite=True):
    """Return one number per row or round, finite unless "allow-nan" is asked for."""
    checked = check_array(
        values,
        dtype=np.float64,
        ensure_2d=False,
        ensure_all_finite=finite,
        input_name=name,
    )
    return column_or_1d(checked)


def as_table(values, name, shape, why, *, finite="allow-nan"):
    """Return a table of numbers, of a shape that `why` explains in the message."""
    table = check_array(
        values, dtype=np.float64, ensure_all_finite=finite, input_name=name
    )
    if table.shape != shape:
        msg = f"{name} has shape {table.shape}; {why} it must have {shape}."
        raise ValueError(msg)
    return table


def score_text(score):
    """Return a score with three decimals, or four digits where the unit asks for it."""
    is_usual = score == 0 or _LEAST_USUAL <= abs(score) < _MOST_USUAL
    return f"{score:.3f}" if is_usual else f"{score:.4g}"


def name_score(scoring, estimator=None):
    """Return the name of a score, or None where it is not a name."""
    if isinstance(scoring, str) and scoring == "auto":
        scoring = default_scoring(final_step(estimator))
    return _SHORT.get(scoring, scoring) if isinstance(scoring, str) else None


def draw_svg(draw, *, prefix, size):
    """Draw in new axes, of a size in inches, and return the SVG element.

    Text stays text, the background is transparent, and the same drawing gives the same
    SVG; `prefix` begins every id, so that figures on a page differ.
    """
    plt = import_pyplot("draw_svg")
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    draw(figure.add_subplot())
    written = StringIO()
    with plt.rc_context({"svg.fonttype": "none", "svg.hashsalt": prefix}):
        figure.savefig(
            written, format="svg", transparent=True, dpi=_DPI, metadata=_NO_METADATA
        )
    text = written.getvalue()
    svg = _FORBIDDEN.sub("\ufffd", text[text.index("<svg") :]).strip()
    # In tags alone: text of the drawing may look like an id.
    svg = _TAG.sub(lambda tag: _REFERENCE.sub(f"{prefix}-", tag[0]), svg)
    # The rule of one drawing would hold for the page.
    svg = svg.replace("*{stroke-linejoin", f"#{prefix} *{{stroke-linejoin", 1)
    return svg.replace("<svg ", f'<svg id="{prefix}" ', 1)

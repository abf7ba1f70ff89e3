"""The report as text: a table, the regions, the sources and one sentence of advice."""

import textwrap

import numpy as np

from sklearn_w2s._algorithms.overlap import REGIONS
from sklearn_w2s._representation import visible
from sklearn_w2s.metrics import gap_regime
from sklearn_w2s.plotting._fits import half_width

WIDTH = 88
MAX_SOURCES = 20
FITS = {
    "weak": "weak",
    "weak_to_strong": "weak-to-strong",
    "strong_on_labels": "strong on labeled rows",
    "ceiling": "ceiling",
}
RIVALS = {
    "weak": "the weak estimator",
    "strong_on_labels": "the strong estimator on the labeled rows",
}
REGIME_MEANING = {
    "low": "nothing of the gap is recovered",
    "medium": "less than half of the gap is recovered",
    "high": "half of the gap or more is recovered",
    "undefined": "no gap beyond its noise",
}


def format_report(results, sources, scoring="accuracy"):
    """Return the lines of the report.

    Parameters
    ----------
    results : dict
        As from `cross_validate_gap`.
    sources : list of SourceRun
        Empty where none are known.
    scoring : str, default="accuracy"
        Name of the scores.

    Returns
    -------
    list of str
        Lines of 88 characters at most.
    """
    lines = [
        f"{scoring.replace('_', ' ')} on held-out rows, %",
        f"{'':<28}{'mean':>8}{'sd':>8}",
        *(
            f"{label:<28}{_mean_sd(100 * results[f'{name}_score'], 2)}"
            for name, label in FITS.items()
        ),
        "",
        *_gap_lines(results),
        *_region_lines(results),
    ]
    if sources:
        lines += ["", *_source_lines(sources)]
    return [*lines, "", *wrap(verdict(results))]


def wrap(text, indent=""):
    """Return lines of at most 88 characters, those after the first one indented."""
    text = visible(" ".join(text.split()))
    return textwrap.wrap(text, WIDTH, subsequent_indent=indent, break_on_hyphens=False)


def verdict(results):
    """Say in a sentence whether weak-to-strong pays.

    It is compared with the better of the two that need no unlabeled row: the weak
    estimator, and the strong one trained on the labeled rows. The interval is Student's
    for the mean over random splits of these rows; of other rows it says nothing.

    Parameters
    ----------
    results : dict
        As from `cross_validate_gap`.

    Returns
    -------
    str
        The sentence.
    """
    rival = max(RIVALS, key=lambda name: results[f"{name}_score"].mean())
    gains = 100 * (results["weak_to_strong_score"] - results[f"{rival}_score"])
    n_splits = len(gains)
    versus = f"{RIVALS[rival]}, the better of the two that need no unlabeled rows"
    if n_splits == 1:
        return (
            "One split cannot tell whether weak-to-strong pays here: it is "
            f"{_points(gains[0])} {versus}. Raise --seeds."
        )
    low, high = _interval(gains)
    compared = (
        f"on average over {n_splits} splits it is {_points(gains.mean())} {versus} "
        f"(95% interval {low:+.2f} to {high:+.2f})."
    )
    if round(low, 2) > 0:
        return f"Weak-to-strong pays here: {compared}"
    if round(high, 2) < 0:
        return f"Weak-to-strong does not pay here, {RIVALS[rival]} does: {compared}"
    return f"Whether weak-to-strong pays here is not clear: {compared}"


def _points(gain):
    if round(gain, 2) == 0:
        return "as good as"
    return f"{abs(gain):.2f} points {'better' if gain > 0 else 'worse'} than"


def _interval(gains):
    half = half_width(gains, 0.95)
    return gains.mean() - half, gains.mean() + half


def regime(results):
    """Return the regime of the gap recovered, and what it means."""
    name = str(gap_regime(results["gap_recovered"]))
    return name, REGIME_MEANING[name]


def _gap_lines(results):
    share, interval = results["gap_recovered"], ""
    if not np.isnan(share):
        low, high = results["gap_recovered_interval"]
        interval = f"  (95% interval {low:.2f} to {high:.2f})"
    name, meaning = regime(results)
    shown = "-" if np.isnan(share) else f"{share:.2f}"
    return [
        f"{'performance gap recovered':<28}{shown:>8}{interval}",
        f"{'regime':<28}{name:>8}  ({meaning})",
    ]


def _region_lines(results):
    lines = [
        f"{'overlap density':<28}{_mean_sd(results['overlap_density'], 3)}",
        f"{'held-out rows by region':<28}{'share':>8}{'rows':>8}",
    ]
    for region in REGIONS:
        shares = results["region_share"][region]
        n_rows = np.mean(shares * results["n_test"])
        lines.append(f"  {region:<26}{shares.mean():>8.1%}{n_rows:>8.0f}")
    return lines


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
    return [*lines, f"({how_drawn(sources)})"]


def how_drawn(sources):
    """Say how rows were drawn of the sources, or why not."""
    if all(source.n_drawn is None for source in sources):
        return f"nothing drawn: half of the rows do not do for {len(sources)} sources"
    return "drawn by UCB in batches, with a budget of half of the rows"


def drawn(source):
    """Return the number of rows drawn of a source as text."""
    return "-" if source.n_drawn is None else str(source.n_drawn)


def _shorten(name):
    name = visible(name)
    return name if len(name) < 28 else f"{name[:24]}..."


def _mean_sd(values, digits):
    spread = f"{values.std(ddof=1):.{digits}f}" if len(values) > 1 else "-"
    return f"{values.mean():>8.{digits}f}{spread:>8}"

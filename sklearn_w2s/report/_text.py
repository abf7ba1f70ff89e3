"""The report as text: a table, the regions, the sources and one sentence of advice."""

import textwrap

import numpy as np
from scipy.special import stdtrit

from sklearn_w2s.metrics import gap_regime, performance_gap_recovered

WIDTH = 88
MAX_SOURCES = 20
ROWS = ("weak", "weak-to-strong", "strong on labeled rows", "ceiling")
RIVALS = {
    "weak": "the weak estimator",
    "strong on labeled rows": "the strong estimator on the labeled rows",
}
REGIME_MEANING = {
    "low": "nothing of the gap is recovered",
    "medium": "less than half of the gap is recovered",
    "high": "half of the gap or more is recovered",
    "undefined": "no gap: the ceiling is not above weak",
}


def format_report(runs):
    """Return the lines of the report.

    Parameters
    ----------
    runs : list of Run
        One per seed.

    Returns
    -------
    list of str
        Lines of 88 characters at most.
    """
    scores = {row: np.array([run.scores[row] for run in runs]) for row in ROWS}
    lines = [
        f"{'accuracy on held-out rows, %':<28}{'mean':>8}{'sd':>8}",
        *(f"{row:<28}{_mean_sd(100 * scores[row], 2)}" for row in ROWS),
        "",
        *_gap_lines(scores),
        *_region_lines(runs),
    ]
    if runs[0].sources:
        lines += ["", *_source_lines(runs)]
    return [*lines, "", *wrap(advice(scores))]


def wrap(text, indent=""):
    """Return lines of at most 88 characters, those after the first one indented."""
    return textwrap.wrap(text, WIDTH, subsequent_indent=indent, break_on_hyphens=False)


def advice(scores):
    """Say in a sentence whether weak-to-strong pays.

    It is compared with the better of the two that need no unlabeled row: the weak
    estimator, and the strong one trained on the labeled rows. The interval is Student's
    for the mean over random splits of these rows; of other rows it says nothing.

    Parameters
    ----------
    scores : dict of str to ndarray of shape (n_seeds,)
        Accuracies.

    Returns
    -------
    str
        The sentence.
    """
    rival = max(RIVALS, key=lambda row: scores[row].mean())
    gains = 100 * (scores["weak-to-strong"] - scores[rival])
    n_seeds = len(gains)
    versus = f"{RIVALS[rival]}, the better of the two that need no unlabeled rows"
    if n_seeds == 1:
        return (
            "One seed cannot tell whether weak-to-strong pays here: it is "
            f"{_points(gains[0])} {versus}. Raise --seeds."
        )
    low, high = _interval(gains)
    compared = (
        f"on average over {n_seeds} seeds it is {_points(gains.mean())} {versus} "
        f"(95% interval {low:+.2f} to {high:+.2f})."
    )
    if round(low, 2) > 0:
        return f"Weak-to-strong pays here: {compared}"
    if round(high, 2) < 0:
        return f"Weak-to-strong does not pay here, {RIVALS[rival]} does: {compared}"
    return f"Whether weak-to-strong pays here is not clear: {compared}"


def _points(gain):
    if round(gain, 2) == 0:
        return "as accurate as"
    return f"{abs(gain):.2f} points {'better' if gain > 0 else 'worse'} than"


def _interval(gains):
    half = stdtrit(len(gains) - 1, 0.975) * gains.std(ddof=1) / np.sqrt(len(gains))
    return gains.mean() - half, gains.mean() + half


def _gap_lines(scores):
    weak, student, ceiling = (
        scores[row] for row in ("weak", "weak-to-strong", "ceiling")
    )
    pooled = performance_gap_recovered(
        weak.mean(), student.mean(), ceiling.mean(), zero_division=np.nan
    )
    by_seed = performance_gap_recovered(weak, student, ceiling, zero_division=np.nan)
    regime = str(gap_regime(pooled))
    return [
        f"{'performance gap recovered':<28}{pooled:>8.2f}{_spread(by_seed)}",
        f"{'regime':<28}{regime:>8}  ({REGIME_MEANING[regime]})",
    ]


def _spread(by_seed):
    """Say how far the shares of the seeds lie apart, and where there is none."""
    defined = by_seed[~np.isnan(by_seed)]
    if len(by_seed) == 1 or not len(defined):
        return ""
    where = "over seeds"
    if len(defined) < len(by_seed):
        where = f"in {len(defined)} of {len(by_seed)} seeds, else no gap"
    return f"  ({defined.min():.2f} to {defined.max():.2f} {where})"


def _region_lines(runs):
    density = np.array([run.overlap_density for run in runs])
    lines = [f"{'overlap density':<28}{_mean_sd(density, 3)}"]
    for region in runs[0].region_shares:
        share = np.mean([run.region_shares[region] for run in runs])
        n_rows = share * runs[0].n_train
        lines.append(f"  {region:<26}{share:>8.1%}{n_rows:>8.0f} rows")
    return lines


def _source_lines(runs):
    table = sorted(_mean_sources(runs), key=lambda row: -row[2])
    lines = [
        f"{'unlabeled rows by source':<28}{'rows':>8}{'density':>9}{'drawn':>8}",
        *(
            f"{_shorten(name):<28}{n_rows:>8.0f}{density:>9.3f}{_whole(n_drawn):>8}"
            for name, n_rows, density, n_drawn in table[:MAX_SOURCES]
        ),
    ]
    if len(table) > MAX_SOURCES:
        lines.append(f"... and {len(table) - MAX_SOURCES} more sources, less dense")
    if np.isnan([n_drawn for *_, n_drawn in table]).all():
        why = f"(nothing drawn: half of the rows do not do for {len(table)} sources)"
    else:
        why = "(drawn by UCB in batches, with a budget of half of the rows)"
    return [*lines, why]


def _mean_sources(runs):
    """Return name, rows, density and rows drawn of each source, means over seeds."""
    by_name: dict = {}
    for run in runs:
        for source in run.sources:
            n_drawn = np.nan if source.n_drawn is None else source.n_drawn
            numbers = (source.n_rows, source.overlap_density, n_drawn)
            by_name.setdefault(source.name, []).append(numbers)
    return [(name, *np.mean(numbers, axis=0)) for name, numbers in by_name.items()]


def _shorten(name):
    return name if len(name) < 28 else f"{name[:24]}..."


def _whole(number):
    return "-" if np.isnan(number) else f"{number:.0f}"


def _mean_sd(values, digits):
    spread = f"{values.std(ddof=1):.{digits}f}" if len(values) > 1 else "-"
    return f"{values.mean():>8.{digits}f}{spread:>8}"

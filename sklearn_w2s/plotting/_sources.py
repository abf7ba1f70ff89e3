"""Draw what was drawn of each source, how dense it proved and what it was worth."""

from typing import Any, Self

import numpy as np
from sklearn.utils import column_or_1d
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from sklearn_w2s.plotting._shared import LEGEND, as_column, line_style, three_axes

_DISPLAY = "SourceSelectionDisplay"
# Okabe-Ito colours, neighbours of clearly different lightness. Each serves twice, once
# solid and once dashed; the marker alone tells all of them apart in grey.
_LAYOUT = {"mosaic": "AB;CB", "figsize": (5.9, 4.6)}
_COLORS = ("#0072B2", "#E69F00", "#000000", "#56B4E9", "#D55E00", "#CC79A7")
_LINES = ("-", "--")
_MARKERS = "osD^vp<>*hPd"
_MOST_NAMED = len(_MARKERS)
_MARKER_SIZES = {"o": 6.5, "s": 6, "D": 6, "*": 11, "P": 8, "d": 8}
_MARKER_SIZE = 7.5
_LINE = {"linewidth": 1.6, "markeredgecolor": "white", "markeredgewidth": 0.6}
_OTHER = {"color": "#BBBBBB", "linewidth": 0.8, "marker": "", "zorder": 2}
_INTERVAL = {"linestyle": "-", "linewidth": 2.5, "solid_capstyle": "butt"}
_OTHER_INTERVAL = {"color": "#BBBBBB", "linewidth": 1.2, "marker": ".", "zorder": 2}
_FAILURE = {
    "color": "#000000",
    "linestyle": "none",
    "marker": "X",
    "markersize": 8,
    "markeredgecolor": "white",
    "zorder": 4,
}
# The grey sources share so many lines of the middle panel, however many they are.
_MOST_OTHER_LINES = 6
_MARKS_PER_LINE = 6
_LONGEST_NAME = 24
# More points than this make files of vector graphics unwieldy.
_LARGEST_VECTOR = 50_000
# Columns of numbers, and which values they may hold.
_NUMBERS = {
    "round": True,
    "n_drawn": True,
    "overlap_density": "allow-nan",
    "density_low": "allow-nan",
    "density_high": "allow-nan",
    "index": False,
}


class SourceSelectionDisplay:
    """Rows drawn of each source, its overlap density, and its index over the rounds.

    Three panels: the rows drawn so far, with a cross where a round failed; the last
    estimate of each density with its interval, the densest source on top; the index by
    which the sources were compared, before each round. Colour, line and marker of a
    source are the same in all panels. Up to 12 sources are named; where there are more,
    the others are grey. The names are those beside the densities; where the panels are
    given, a legend beside the indices has them as well. Use `from_estimator` or
    `from_history` to create one.

    Parameters
    ----------
    history : dict or data frame of columns of length n_rounds
        One entry per round: "round", "source" (its name), "n_drawn" (rows, 0 where the
        round failed), "overlap_density" (estimate for this source after the round, NaN
        where there is none), "density_low" and "density_high" (its interval, or NaN),
        "index" (by which the source was chosen, or NaN) and "error" (why the round
        failed, "" where it did not).
    index_history : array-like of shape (n_rounds, n_sources), default=None
        Index of each source before each round, NaN where unknown. None draws the
        indices of the sources chosen only.
    sources : array-like of shape (n_sources,), default=None
        Names of the sources, in the order of the columns of `index_history`. None takes
        those in `history`, in the order of their first rounds; not with
        `index_history`.
    names : array-like of shape (n_named,), default=None
        Sources to name and colour, 12 at most. None names the 12 of the highest last
        estimates.

    Attributes
    ----------
    axes_ : ndarray of shape (3,) of matplotlib Axes
        The panels: rows drawn, densities, indices.
    ax_ : matplotlib Axes
        The rows drawn.
    figure_ : matplotlib Figure
        Figure of the panels.
    lines_ : dict of str to matplotlib Line2D
        Rows drawn of each source so far, over the rounds.
    intervals_ : dict of str to matplotlib Line2D
        Lower bound, estimate and upper bound of the density of each source.
    index_lines_ : dict of str to matplotlib Line2D
        Index of each source over the rounds.
    failures_ : matplotlib Line2D or None
        The rounds that failed; None if none did.

    Raises
    ------
    ValueError
        If `history` lacks a column or has no rounds, if lengths or shapes differ, if
        rounds, rows or densities are not numbers, if a source is unknown or named
        twice, or if `names` are more than 12.

    Examples
    --------
    >>> from sklearn_w2s.plotting import SourceSelectionDisplay
    >>> display = SourceSelectionDisplay.from_history(
    ...     {
    ...         "round": [0, 1, 2],
    ...         "source": ["shop", "web", "web"],
    ...         "n_drawn": [32, 32, 32],
    ...         "overlap_density": [0.125, 0.5, 0.53],
    ...         "density_low": [0.04, 0.32, 0.41],
    ...         "density_high": [0.29, 0.68, 0.65],
    ...         "index": [float("nan"), float("nan"), 0.71],
    ...         "error": ["", "", ""],
    ...     }
    ... )
    >>> display.lines_["web"].get_ydata().tolist()
    [0.0, 0.0, 32.0, 64.0]
    >>> [text.get_text() for text in display.axes_[1].get_yticklabels()]
    ['web', 'shop']
    """

    def __init__(
        self,
        *,
        history: Any,
        index_history: Any = None,
        sources: Any = None,
        names: Any = None,
    ) -> None:
        self.history = _check_history(history)
        if sources is None:
            if index_history is not None:
                msg = "sources=None: name the columns of index_history, in their order."
                raise ValueError(msg)
            sources = list(dict.fromkeys(self.history["source"]))
        self.sources = _as_names(sources, "sources")
        self.index_history = _check_indices(
            index_history, len(self.history["round"]), len(self.sources)
        )
        self.names = None if names is None else _as_names(names, "names")
        self._check_names()

    @classmethod
    def from_estimator(
        cls,
        selector: Any,
        *,
        names: Any = None,
        ax: Any = None,
        line_kwargs: dict[str, Any] | None = None,
        interval_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw how a fitted selector went about its sources.

        Parameters
        ----------
        selector : fitted selector instance
            Has `history_`, `index_history_` and `sources_`, as `UCBSourceSelector`.
        names : array-like of shape (n_named,), default=None
            Sources to name and colour, 12 at most. None names the 12 of the highest
            last estimates.
        ax : array-like of three matplotlib Axes, default=None
            Panels to draw in; None makes a figure.
        line_kwargs : dict, default=None
            Arguments of matplotlib's `plot` for rows drawn and indices.
        interval_kwargs : dict, default=None
            Arguments of matplotlib's `plot` for the densities.

        Returns
        -------
        SourceSelectionDisplay
            The display, drawn.

        Raises
        ------
        NotFittedError
            If the selector is not fitted.
        """
        check_is_fitted(selector, "history_")
        return cls.from_history(
            selector.history_,
            selector.index_history_,
            sources=selector.sources_,
            names=names,
            ax=ax,
            line_kwargs=line_kwargs,
            interval_kwargs=interval_kwargs,
        )

    @classmethod
    def from_history(
        cls,
        history: Any,
        index_history: Any = None,
        *,
        sources: Any = None,
        names: Any = None,
        ax: Any = None,
        line_kwargs: dict[str, Any] | None = None,
        interval_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw a given history.

        Parameters
        ----------
        history : dict or data frame of columns of length n_rounds
            One entry per round, with the columns of `SourceSelectionDisplay`.
        index_history : array-like of shape (n_rounds, n_sources), default=None
            Index of each source before each round, NaN where unknown. None draws the
            indices of the sources chosen only.
        sources : array-like of shape (n_sources,), default=None
            Names of the sources, in the order of the columns of `index_history`. None
            takes those in `history`; not with `index_history`.
        names : array-like of shape (n_named,), default=None
            Sources to name and colour, 12 at most. None names the 12 of the highest
            last estimates.
        ax : array-like of three matplotlib Axes, default=None
            Panels to draw in; None makes a figure.
        line_kwargs : dict, default=None
            Arguments of matplotlib's `plot` for rows drawn and indices.
        interval_kwargs : dict, default=None
            Arguments of matplotlib's `plot` for the densities.

        Returns
        -------
        SourceSelectionDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If the history does not fit, as in `SourceSelectionDisplay`.
        """
        display = cls(
            history=history, index_history=index_history, sources=sources, names=names
        )
        return display.plot(
            ax, line_kwargs=line_kwargs, interval_kwargs=interval_kwargs
        )

    def plot(
        self,
        ax: Any = None,
        *,
        line_kwargs: dict[str, Any] | None = None,
        interval_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the three panels.

        Parameters
        ----------
        ax : array-like of three matplotlib Axes, default=None
            Panels to draw in; None makes a figure.
        line_kwargs : dict, default=None
            Arguments of matplotlib's `plot` for rows drawn and indices.
        interval_kwargs : dict, default=None
            Arguments of matplotlib's `plot` for the densities.

        Returns
        -------
        SourceSelectionDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If `ax` is not three axes.
        """
        self.axes_ = three_axes(ax, _DISPLAY, **_LAYOUT)
        self.ax_ = self.axes_[0]
        self.figure_ = self.ax_.figure
        ranked, n_named, estimates = self._rank()
        styles = self._styles(ranked[:n_named])
        self._draw_rows(styles, line_kwargs)
        self._draw_densities(ranked, n_named, estimates, styles, interval_kwargs)
        self._draw_indices(styles, line_kwargs)
        if ax is not None:
            # Beside panels elsewhere; in a figure of three, the densities bear the
            # names and the marks of all.
            self._draw_legend(ranked, n_named)
        for panel in self.axes_[[0, 2]]:
            panel.set_xlabel("round")
            _tick_whole_numbers(panel.xaxis)
        return self

    def _check_names(self):
        known = set(self.sources)
        named = [] if self.names is None else self.names
        for values, argument in (
            (self.history["source"], "history['source']"),
            (named, "names"),
        ):
            unknown = [name for name in values if name not in known]
            if unknown:
                msg = f"{argument} holds {unknown[0]!r}, not one of sources. Add it."
                raise ValueError(msg)
        if len(named) > _MOST_NAMED:
            msg = (
                f"names holds {len(named)} sources; at most {_MOST_NAMED} can be "
                "distinguished. Name fewer."
            )
            raise ValueError(msg)

    @property
    def _codes(self):
        position = {name: code for code, name in enumerate(self.sources)}
        return np.array([position[name] for name in self.history["source"]])

    @property
    def _is_large(self):
        return len(self.history["round"]) * len(self.sources) > _LARGEST_VECTOR

    def _rank(self):
        estimates = np.full((3, len(self.sources)), np.nan)
        columns = ("density_low", "overlap_density", "density_high")
        by_round = np.array([self.history[column] for column in columns])
        known = ~np.isnan(by_round[1])
        # Of the rounds of one source the last is written last, and stays.
        estimates[:, self._codes[known]] = by_round[:, known]
        ranked = np.argsort(-estimates[1], kind="stable")
        if self.names is None:
            return ranked, min(len(ranked), _MOST_NAMED), estimates
        named = set(self.names)
        is_named = np.array([self.sources[code] in named for code in ranked])
        ranked = np.concatenate([ranked[is_named], ranked[~is_named]])
        return ranked, len(named), estimates

    def _styles(self, named):
        # By position, not by rank: the same source looks the same in another run.
        styles = [_OTHER] * len(self.sources)
        places = np.argsort(np.argsort(named))
        for rank, (place, code) in enumerate(zip(places, named, strict=True)):
            lap = place // len(_COLORS)
            marker = _MARKERS[place]
            styles[code] = {
                **_LINE,
                "color": _COLORS[place % len(_COLORS)],
                "linestyle": _LINES[(place + lap) % 2],
                "marker": marker,
                "markersize": _MARKER_SIZES.get(marker, _MARKER_SIZE),
                "zorder": 3 - rank / len(_MARKERS) / 2,
            }
        return styles

    def _draw_rows(self, styles, line_kwargs):
        rounds, codes = self.history["round"], self._codes
        drawn = np.zeros((len(rounds) + 1, len(self.sources)))
        drawn[np.arange(1, len(drawn)), codes] = self.history["n_drawn"]
        so_far = np.cumsum(drawn, axis=0)
        # Twice the first, so that its batch is seen to rise from nothing.
        times = np.append(rounds[0], rounds)
        lines = [
            self._draw_line(0, times, so_far[:, code], style, line_kwargs, "steps-post")
            for code, style in enumerate(styles)
        ]
        self.lines_ = dict(zip(self.sources, lines, strict=True))
        failed = np.flatnonzero(self.history["error"] != "")
        self.failures_ = None
        if len(failed):
            heights = so_far[failed + 1, codes[failed]]
            (self.failures_,) = self.ax_.plot(rounds[failed], heights, **_FAILURE)
            plural = "s" if len(failed) > 1 else ""
            text = f"{len(failed):,} failed round{plural}"
            self.ax_.legend([self.failures_], [text], **LEGEND)
        self.ax_.set_ylabel("rows drawn so far")

    def _draw_densities(self, ranked, n_named, estimates, styles, interval_kwargs):
        ax = self.axes_[1]
        n_others = len(ranked) - n_named
        spacing = min(1, _MOST_OTHER_LINES / max(1, n_others))
        heights = np.arange(len(ranked), dtype=np.float64)
        heights[n_named:] = n_named + spacing * np.arange(n_others)
        self.intervals_ = {}
        for height, code in zip(heights, ranked, strict=True):
            is_other = styles[code] is _OTHER
            style = _OTHER_INTERVAL if is_other else {**styles[code], **_INTERVAL}
            (interval,) = ax.plot(
                estimates[:, code],
                [height] * 3,
                **line_style({**style, "markevery": [1]}, interval_kwargs),
            )
            self.intervals_[self.sources[code]] = interval
        ticks, labels = list(heights[:n_named]), self._labels(ranked, n_named)
        if n_others:
            ticks.append(heights[n_named:].mean())
        ax.set_yticks(ticks, labels)
        for text in ax.get_yticklabels():
            text.set_parse_math(False)
        # The names bear the colours of the lines in the other panels.
        for text, code in zip(ax.get_yticklabels(), ranked[:n_named], strict=False):
            text.set(color=styles[code]["color"], fontweight="bold")
        ax.set(ylim=(heights[-1] + 0.6, -0.6), xlabel="overlap density")

    def _draw_indices(self, styles, line_kwargs):
        rounds, codes = self.history["round"], self._codes
        self.index_lines_ = {}
        for code, style in enumerate(styles):
            if self.index_history is None:
                rows = codes == code
                values = self.history["index"][rows]
            else:
                rows = slice(None)
                values = self.index_history[:, code]
            self.index_lines_[self.sources[code]] = self._draw_line(
                2, rounds[rows], values, style, line_kwargs
            )
        self.axes_[2].set_ylabel("index")

    def _draw_line(self, panel, x, y, style, line_kwargs, drawstyle="default"):
        place = _MARKERS.find(style["marker"]) if style["marker"] else 0
        step = max(1, len(x) // _MARKS_PER_LINE)
        # Every source starts elsewhere, so that the marks of equal lines all show.
        defaults = {
            **style,
            "drawstyle": drawstyle,
            "markevery": (place * step // _MOST_NAMED, step),
            "rasterized": self._is_large,
        }
        (line,) = self.axes_[panel].plot(x, y, **line_style(defaults, line_kwargs))
        return line

    def _labels(self, ranked, n_named):
        labels = [_shorten(str(self.sources[code])) for code in ranked[:n_named]]
        n_others = len(ranked) - n_named
        if n_others:
            labels.append(f"{n_others:,} other{'s' if n_others > 1 else ''}")
        return labels

    def _draw_legend(self, ranked, n_named):
        labels = self._labels(ranked, n_named)
        handles = [self.lines_[self.sources[code]] for code in ranked[: len(labels)]]
        place = {"loc": "center left", "bbox_to_anchor": (1, 0.5)}
        # Numbers for now: a name may start with "_" or hold "$", which mean something.
        legend = self.axes_[2].legend(
            handles, range(len(labels)), **{**LEGEND, **place, "handlelength": 2.8}
        )
        for text, label in zip(legend.get_texts(), labels, strict=True):
            text.set_parse_math(False)
            text.set_text(label)


def _check_history(history):
    missing = [name for name in (*_NUMBERS, "source", "error") if name not in history]
    if missing:
        msg = f"history lacks {missing}; give one array per round of each."
        raise ValueError(msg)
    checked = {
        name: as_column(history[name], f"history[{name!r}]", finite=finite)
        for name, finite in _NUMBERS.items()
    }
    for name in ("source", "error"):
        checked[name] = column_or_1d(np.asarray(history[name], dtype=object))
    check_consistent_length(*checked.values())
    strange = [text for text in checked["error"] if not isinstance(text, str)]
    if strange:
        msg = (
            f"history['error'] holds {strange[0]!r}; give the error of a round that "
            'failed as text, and "" for any other.'
        )
        raise ValueError(msg)
    return checked


def _check_indices(index_history, n_rounds, n_sources):
    if index_history is None:
        return None
    indices = np.asarray(index_history, dtype=np.float64)
    if indices.shape != (n_rounds, n_sources):
        msg = (
            f"index_history has shape {indices.shape}; with {n_rounds} rounds and "
            f"{n_sources} sources it must have ({n_rounds}, {n_sources})."
        )
        raise ValueError(msg)
    return indices


def _as_names(values, argument):
    names = column_or_1d(np.asarray(values, dtype=object)).tolist()
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        msg = f"{argument} holds {twice!r} twice; give each source one name."
        raise ValueError(msg)
    return names


def _shorten(name):
    if len(name) <= _LONGEST_NAME:
        return name
    half = (_LONGEST_NAME - 1) // 2
    return f"{name[:half]}…{name[-half:]}"


def _tick_whole_numbers(axis):
    from matplotlib.ticker import MaxNLocator

    # Two ticks at least, as is the default, would be fractions where rounds are few.
    axis.set_major_locator(
        MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10], nbins="auto")
    )

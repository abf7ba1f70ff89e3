"""The display draws the history it was given, and tells its sources apart."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

from sklearn_w2s.plotting import SourceSelectionDisplay


def play(n_sources=3, n_rounds=40, *, failed=(), names=None, seed=0):
    """Play at random, burn-in first; the later the source, the denser."""
    rng = np.random.default_rng(seed)
    if names is None:
        names = [f"source {k}" for k in range(n_sources)]
    choices = rng.integers(n_sources, size=n_rounds)
    choices[:n_sources] = np.arange(n_sources)[:n_rounds]
    n_drawn = rng.integers(1, 33, size=n_rounds)
    n_drawn[list(failed)] = 0
    density = (choices + 1) / (n_sources + 1) + rng.uniform(-0.01, 0.01, n_rounds)
    index_history = rng.uniform(size=(n_rounds, n_sources))
    for k in range(n_sources):
        index_history[: k + 1, k] = np.nan
    history = {
        "round": np.arange(n_rounds),
        "source": np.array(names)[choices],
        "n_drawn": n_drawn,
        "n_overlap": density * n_drawn,
        "overlap_density": density,
        "density_low": density - 0.05,
        "density_high": density + 0.1,
        "index": index_history[np.arange(n_rounds), choices],
        "cost": np.zeros(n_rounds),
        "error": np.array(
            ["it broke" if i in failed else "" for i in range(n_rounds)], dtype=object
        ),
    }
    return history, {"index_history": index_history, "sources": names}


def draw(*args, **kwargs):
    history, rest = play(*args, **kwargs)
    return SourceSelectionDisplay.from_history(history, **rest)


def texts_of(legend):
    return [text.get_text() for text in legend.get_texts()]


def draw_beside(*args, **kwargs):
    """Draw in panels that were there before."""
    history, rest = play(*args, **kwargs)
    panels = plt.subplots(1, 3)[1]
    return SourceSelectionDisplay.from_history(history, **rest, ax=panels)


def tick_texts(display):
    return [text.get_text() for text in display.axes_[1].get_yticklabels()]


class Selector(BaseEstimator):
    """What the display asks of a selector."""

    def fit(self, X, y=None, *, sample_source=None):
        self.history_, rest = play(names=["mill", "shop", "web"])
        self.index_history_, self.sources_ = rest["index_history"], rest["sources"]
        return self


@given(
    n_drawn=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 99)), min_size=1),
)
def test_a_line_counts_the_rows_of_its_source_up_to_each_round(n_drawn):
    import matplotlib.pyplot as plt

    history, _ = play(n_rounds=len(n_drawn))
    history["source"] = np.array([f"source {source}" for source, _ in n_drawn])
    history["n_drawn"] = np.array([rows for _, rows in n_drawn])
    sources = ["source 0", "source 1", "source 2"]
    display = SourceSelectionDisplay.from_history(history, sources=sources)
    for k, line in enumerate(display.lines_.values()):
        rounds, heights = line.get_data()
        assert rounds.tolist() == [0, *range(len(n_drawn))]
        assert heights[0] == 0
        assert np.diff(heights).tolist() == [n * (s == k) for s, n in n_drawn]
        assert line.get_drawstyle() == "steps-post"
    plt.close("all")


def test_failed_rounds_are_marked_where_their_source_stood():
    failed = [5, 17, 30]
    display = draw(failed=failed)
    rounds, heights = display.failures_.get_data()
    assert rounds.tolist() == failed
    for place, height in zip(failed, heights, strict=True):
        source = display.history["source"][place]
        # The heights of a line begin with a zero before the first round.
        assert display.lines_[source].get_ydata()[place + 1] == height
    assert texts_of(display.ax_.get_legend()) == ["3 failed rounds"]
    assert texts_of(draw(failed=[4]).ax_.get_legend()) == ["1 failed round"]


def test_without_a_failed_round_none_is_marked():
    display = draw()
    assert display.failures_ is None
    assert display.ax_.get_legend() is None


def test_an_interval_is_that_of_the_last_estimate():
    history, rest = play()
    display = SourceSelectionDisplay.from_history(history, **rest)
    for source, interval in display.intervals_.items():
        last = np.flatnonzero(history["source"] == source)[-1]
        columns = ("density_low", "overlap_density", "density_high")
        assert interval.get_xdata().tolist() == [history[c][last] for c in columns]
        assert len(set(interval.get_ydata())) == 1


def test_a_round_without_an_estimate_leaves_that_before():
    history, rest = play(n_sources=2, n_rounds=3)
    history["source"][2] = "source 0"
    history["overlap_density"][2] = np.nan
    display = SourceSelectionDisplay.from_history(history, **rest)
    _, estimate, _ = display.intervals_["source 0"].get_xdata()
    assert estimate == history["overlap_density"][0]


def test_the_densest_source_is_on_top_and_the_undrawn_at_the_bottom():
    history, rest = play()
    rest["sources"] = ["never", *rest["sources"]]
    rest["index_history"] = np.pad(
        rest["index_history"], ((0, 0), (1, 0)), constant_values=np.nan
    )
    panels = plt.subplots(1, 3)[1]
    display = SourceSelectionDisplay.from_history(history, **rest, ax=panels)
    expected = ["source 2", "source 1", "source 0", "never"]
    assert tick_texts(display) == expected
    assert texts_of(display.axes_[2].get_legend()) == expected
    bottom, top = display.axes_[1].get_ylim()
    assert bottom > top
    heights = [display.intervals_[name].get_ydata()[0] for name in expected]
    assert heights == sorted(heights)
    display.figure_.canvas.draw()


def test_an_index_line_is_the_index_before_each_round():
    history, rest = play()
    display = SourceSelectionDisplay.from_history(history, **rest)
    for line, values in zip(
        display.index_lines_.values(), rest["index_history"].T, strict=True
    ):
        np.testing.assert_array_equal(line.get_xdata(), history["round"])
        np.testing.assert_array_equal(line.get_ydata(), values)


def test_without_all_indices_those_of_the_chosen_sources_are_drawn():
    history, _ = play()
    display = SourceSelectionDisplay.from_history(history)
    assert list(display.index_lines_) == list(dict.fromkeys(history["source"]))
    for source, line in display.index_lines_.items():
        chosen = history["source"] == source
        np.testing.assert_array_equal(line.get_xdata(), history["round"][chosen])
        np.testing.assert_array_equal(line.get_ydata(), history["index"][chosen])


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_an_index_need_not_be_finite(value):
    history, rest = play()
    rest["index_history"] = np.full_like(rest["index_history"], value)
    history["index"] = np.full_like(history["index"], value)
    SourceSelectionDisplay.from_history(history, **rest).figure_.canvas.draw()


def test_twelve_sources_differ_in_marker_and_in_line_or_colour():
    from matplotlib.colors import to_rgb

    lines = list(draw(12).lines_.values())
    assert len({line.get_marker() for line in lines}) == 12
    looks = [(line.get_color(), line.get_linestyle()) for line in lines]
    assert len(set(looks)) == 12
    greys = [np.dot(to_rgb(color), [0.299, 0.587, 0.114]) for color, _ in looks]
    assert np.abs(np.diff(greys)).min() > 0.1
    assert max(greys) < 0.75


def test_a_source_looks_the_same_in_all_panels_and_whatever_its_rank():
    history, rest = play(5)
    display = SourceSelectionDisplay.from_history(history, **rest)
    reversed_ranks = history | {"overlap_density": 1 - history["overlap_density"]}
    other = SourceSelectionDisplay.from_history(reversed_ranks, **rest)
    assert tick_texts(other) == tick_texts(display)[::-1]
    for name, line in display.lines_.items():
        same = (
            display.index_lines_[name],
            display.intervals_[name],
            other.lines_[name],
        )
        assert {artist.get_color() for artist in same} == {line.get_color()}
        assert {artist.get_marker() for artist in same} == {line.get_marker()}
        assert same[0].get_linestyle() == line.get_linestyle()


def test_of_many_sources_the_twelve_densest_are_named_and_the_rest_is_grey():
    display = draw_beside(15, 60)
    named = [f"source {k}" for k in range(14, 2, -1)]
    assert tick_texts(display) == [*named, "3 others"]
    assert texts_of(display.axes_[2].get_legend()) == [*named, "3 others"]
    greys = {display.lines_[f"source {k}"].get_color() for k in range(3)}
    assert len(greys) == 1
    assert not greys & {display.lines_[name].get_color() for name in named}
    assert texts_of(draw_beside(13).axes_[2].get_legend())[-1] == "1 other"


@pytest.mark.parametrize("n_sources", [1, 2, 12, 13, 100])
def test_every_source_is_drawn_in_every_panel(n_sources):
    display = draw(n_sources, 120)
    assert [len(ax.lines) for ax in display.axes_] == [n_sources] * 3
    heights = [line.get_ydata()[0] for line in display.intervals_.values()]
    assert len(set(heights)) == n_sources
    bottom, top = display.axes_[1].get_ylim()
    assert top < min(heights) <= max(heights) < bottom
    # However many are grey, those with a name keep half of the panel and more.
    assert bottom - top < 20


def test_names_say_which_sources_are_named():
    history, rest = play(5)
    display = SourceSelectionDisplay.from_history(
        history, **rest, names=["source 0", "source 3"], ax=plt.subplots(1, 3)[1]
    )
    expected = ["source 3", "source 0", "3 others"]
    assert tick_texts(display) == expected
    assert texts_of(display.axes_[2].get_legend()) == expected


def test_any_text_may_be_a_name():
    names = ["_hidden", "$5 $", r"\alpha^", "https://data.example.org/very/long/a"]
    display = draw_beside(4, names=names)
    expected = ["https://dat…very/long/a", r"\alpha^", "$5 $", "_hidden"]
    assert tick_texts(display) == expected
    legend = display.axes_[2].get_legend()
    assert texts_of(legend) == expected
    assert not any(text.get_parse_math() for text in legend.get_texts())
    display.figure_.canvas.draw()
    assert list(display.lines_) == names


def test_sources_may_be_numbers():
    display = draw(3, names=[2001, 2002, 2003])
    assert tick_texts(display) == ["2003", "2002", "2001"]
    assert list(display.lines_) == [2001, 2002, 2003]


@pytest.mark.parametrize("n_rounds", [1, 2, 7])
def test_a_few_rounds_suffice(n_rounds):
    display = draw(3, n_rounds)
    display.figure_.canvas.draw()
    for axis in (display.axes_[0].xaxis, display.axes_[2].xaxis):
        ticks = axis.get_majorticklocs()
        assert ticks.tolist() == np.round(ticks).tolist()


def test_in_a_figure_of_its_own_the_densities_name_the_sources():
    display = draw(15, 60)
    assert display.axes_[2].get_legend() is None
    named = tick_texts(display)[:-1]
    looks = {
        name: [
            (line.get_color(), line.get_marker())
            for line in (display.intervals_[name], display.index_lines_[name])
        ]
        for name in named
    }
    assert all(densities == indices for densities, indices in looks.values())
    assert len({densities for densities, _ in looks.values()}) == 12


def test_panels_and_texts_stay_in_the_figure_of_its_own():
    display = draw(
        18, 60, names=[f"a very long name of a source {i}" for i in range(18)]
    )
    display.figure_.canvas.draw()
    width, height = display.figure_.bbox.size
    for panel in display.axes_:
        box = panel.get_tightbbox()
        assert 0 <= box.x0 < box.x1 <= width
        assert 0 <= box.y0 < box.y1 <= height
    # Legible where a page or a gallery makes it three quarters as wide.
    assert max(display.figure_.get_size_inches()) < 6


def test_axes_are_named():
    assert [(ax.get_xlabel(), ax.get_ylabel()) for ax in draw().axes_] == [
        ("round", "rows drawn so far"),
        ("overlap density", ""),
        ("round", "index"),
    ]


@pytest.mark.parametrize(
    "table",
    [
        pd.DataFrame,
        pl.DataFrame,
        lambda history: {name: list(column) for name, column in history.items()},
    ],
)
def test_a_history_comes_in_any_container(table):
    history, rest = play(failed=[3])
    display = SourceSelectionDisplay.from_history(table(history), **rest)
    expected = SourceSelectionDisplay.from_history(history, **rest)
    for name, line in expected.lines_.items():
        assert display.lines_[name].get_ydata().tolist() == line.get_ydata().tolist()
    assert display.failures_.get_xdata().tolist() == [3]


def test_the_given_history_stays_as_it_was():
    history, rest = play()
    before = {name: column.copy() for name, column in history.items()}
    SourceSelectionDisplay.from_history(history, **rest)
    for name, column in before.items():
        np.testing.assert_array_equal(history[name], column)


def test_a_selector_is_asked_for_its_history_indices_and_sources():
    selector = Selector().fit(None)
    display = SourceSelectionDisplay.from_estimator(selector, names=["web"])
    assert display.sources == ["mill", "shop", "web"]
    assert display.names == ["web"]
    np.testing.assert_array_equal(display.index_history, selector.index_history_)
    assert list(display.history["source"]) == list(selector.history_["source"])
    assert tick_texts(display) == ["web", "2 others"]


def test_a_selector_that_is_not_fitted_is_refused():
    with pytest.raises(NotFittedError, match="Selector"):
        SourceSelectionDisplay.from_estimator(Selector())


def test_given_axes_are_drawn_in(plt):
    figure, axes = plt.subplots(3)
    history, rest = play()
    display = SourceSelectionDisplay.from_history(history, **rest, ax=axes)
    assert display.axes_.tolist() == axes.tolist()
    assert display.ax_ is axes[0]
    assert display.figure_ is figure
    assert plt.get_fignums() == [figure.number]


@pytest.mark.parametrize("ax", [[], [None] * 3, 1])
def test_anything_but_three_axes_is_refused(ax):
    history, _ = play()
    with pytest.raises(ValueError, match="three axes"):
        SourceSelectionDisplay.from_history(history, ax=ax)


def test_a_display_can_be_drawn_again():
    history, rest = play()
    display = SourceSelectionDisplay(history=history, **rest)
    first = display.plot().figure_
    assert display.plot() is display
    assert display.figure_ is not first


def test_styles_are_handed_on():
    history, rest = play()
    display = SourceSelectionDisplay.from_history(
        history, **rest, line_kwargs={"linewidth": 7}, interval_kwargs={"alpha": 0.25}
    )
    lines = [*display.lines_.values(), *display.index_lines_.values()]
    assert {line.get_linewidth() for line in lines} == {7}
    assert {line.get_alpha() for line in display.intervals_.values()} == {0.25}


@pytest.mark.parametrize(("n_rounds", "expected"), [(100, False), (20_000, True)])
def test_many_points_are_rasterized(n_rounds, expected):
    display = draw(3, n_rounds)
    lines = [*display.lines_.values(), *display.index_lines_.values()]
    assert {line.get_rasterized() for line in lines} == {expected}


@pytest.mark.parametrize(
    "column",
    [
        "round",
        "source",
        "n_drawn",
        "overlap_density",
        "density_low",
        "density_high",
        "index",
        "error",
    ],
)
def test_a_missing_or_short_column_is_named(column):
    history, _ = play()
    short = history | {column: history[column][:-1]}
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        SourceSelectionDisplay(history=short)
    del history[column]
    with pytest.raises(ValueError, match=f"history lacks .*'{column}'"):
        SourceSelectionDisplay(history=history)


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("n_drawn", np.full(40, np.nan), "n_drawn.* contains NaN"),
        ("overlap_density", np.full(40, np.inf), "overlap_density.* contains infinity"),
        ("round", np.ones((40, 2)), "1d array"),
        ("error", np.full(40, np.nan), r"history\['error'\] holds nan"),
    ],
)
def test_bad_columns_are_named(column, values, message):
    history, _ = play()
    with pytest.raises(ValueError, match=message):
        SourceSelectionDisplay(history=history | {column: values})


def test_a_history_without_rounds_is_refused():
    history, _ = play()
    empty = {name: column[:0] for name, column in history.items()}
    with pytest.raises(ValueError, match=r"0 sample\(s\)"):
        SourceSelectionDisplay(history=empty)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sources": None}, "sources=None: name the columns"),
        ({"sources": ["source 0", "source 1", "x"]}, "'source 2', not one of sources"),
        ({"sources": ["source 0"] * 3}, "sources holds 'source 0' twice"),
        ({"names": ["x"]}, "names holds 'x', not one of sources"),
        ({"names": ["source 1"] * 2}, "names holds 'source 1' twice"),
        ({"names": "source 1"}, "1d array"),
        ({"index_history": np.ones((3, 40))}, r"shape \(3, 40\).* \(40, 3\)"),
        ({"index_history": np.ones(40)}, r"shape \(40,\)"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    history, rest = play()
    with pytest.raises(ValueError, match=message):
        SourceSelectionDisplay(history=history, **(rest | arguments))


def test_more_names_than_can_be_told_apart_are_refused():
    history, rest = play(13)
    with pytest.raises(ValueError, match="names holds 13 sources; at most 12"):
        SourceSelectionDisplay(history=history, **rest, names=rest["sources"])


def test_without_matplotlib_the_fix_is_named(hide_matplotlib):
    display = SourceSelectionDisplay(history=play()[0])
    hide_matplotlib()
    with pytest.raises(ImportError, match=r"pip install sklearn-w2s\[plot\]"):
        display.plot()

"""What the displays share: matplotlib, three panels, legends that hide nothing."""

import numpy as np

# Above the panel, where nothing drawn can be hidden.
LEGEND = {
    "loc": "lower center",
    "bbox_to_anchor": (0.5, 1),
    "frameon": False,
    "fontsize": "medium",
    "columnspacing": 1.5,
    "handletextpad": 0.4,
}


def line_style(defaults, given):
    """Return arguments of `plot` or `errorbar`, those given in place of the defaults.

    Parameters
    ----------
    defaults : dict
        Arguments under any name that matplotlib has for them.
    given : dict or None
        The user's, likewise.

    Returns
    -------
    dict
        Arguments, each under its full name.
    """
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
    """Return matplotlib's pyplot.

    Parameters
    ----------
    display : str
        Class that asks, for the message.

    Returns
    -------
    module
        `matplotlib.pyplot`.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        msg = f"{display}.plot needs matplotlib: pip install sklearn-w2s[plot]"
        raise ImportError(msg) from error
    return plt


def one_axes(ax, display, *, figsize):
    """Return the axes to draw in, of a new figure where none are given.

    Parameters
    ----------
    ax : matplotlib Axes or None
        Axes; None makes a figure.
    display : str
        Class that asks, for the message.
    figsize : tuple of two float
        Width and height of a new figure in inches.

    Returns
    -------
    matplotlib Axes
        The axes.

    Raises
    ------
    ImportError
        If a figure is needed, and matplotlib is not installed.
    """
    if ax is not None:
        return ax
    plt = import_pyplot(display)
    return plt.subplots(figsize=figsize, layout="constrained")[1]


def three_axes(ax, display, *, mosaic, **figure):
    """Return the three panels to draw in, of a new figure where none are given.

    Parameters
    ----------
    ax : array-like of three matplotlib Axes or None
        Panels; None makes a figure.
    display : str
        Class that asks, for the message.
    mosaic : str
        Places of the panels A, B and C in a new figure, as matplotlib's
        `subplot_mosaic` takes them.
    **figure : dict
        Further arguments of `subplot_mosaic`.

    Returns
    -------
    ndarray of shape (3,) of matplotlib Axes
        The panels.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    ValueError
        If `ax` is not three axes.
    """
    plt = import_pyplot(display)
    if ax is None:
        _, panels = plt.subplot_mosaic(mosaic, layout="constrained", **figure)
        return np.array([panels[letter] for letter in "ABC"])
    axes = np.ravel(ax)
    if len(axes) != 3 or not all(hasattr(panel, "scatter") for panel in axes):
        msg = f"ax={ax!r} must be three axes, as from plt.subplots(1, 3)[1]."
        raise ValueError(msg)
    return axes

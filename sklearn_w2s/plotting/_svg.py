"""Draw panels off screen, and turn them into SVG for a page with several of them."""

import re
from io import StringIO

from sklearn_w2s.plotting._style import import_pyplot

_PANEL_SIZE = (5, 3.8)
# Of what is drawn as pixels within the SVG: marks where there are very many.
_DPI = 150
_NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))
# XML allows no other control characters, HTML no surrogate.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]"
)
_TAG = re.compile("<[^>]*>")
_REFERENCE = re.compile(r'(?<= id=")|(?<=href="#)|(?<=url\(#)')


def draw_svg(draw, *, prefix, n_panels=1, size=_PANEL_SIZE):
    """Draw in new axes and return one SVG for each panel.

    Nothing is shown, and no figure stays open. Text stays text, so that it can be read,
    searched and scaled.

    Parameters
    ----------
    draw : callable
        Gets the axes, or an array of them where there are several panels.
    prefix : str
        Begins every id, so that those of several figures on a page differ: letters,
        digits and hyphens.
    n_panels : int, default=1
        Panels, each a figure of its own that a page can place as its width allows.
    size : tuple of two float, default=(5, 3.8)
        Width and height of a panel in inches.

    Returns
    -------
    list of str
        SVG elements with a transparent background, without XML header; the same for the
        same drawing.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    import_pyplot("draw_svg")
    from matplotlib.figure import Figure

    figures = [Figure(figsize=size, layout="constrained") for _ in range(n_panels)]
    axes = [figure.add_subplot() for figure in figures]
    draw(axes[0] if n_panels == 1 else axes)
    return [to_svg(figure, prefix=f"{prefix}-{i}") for i, figure in enumerate(figures)]


def to_svg(figure, *, prefix):
    """Return a figure as SVG, and close it.

    Parameters
    ----------
    figure : matplotlib Figure
        Of pyplot or not.
    prefix : str
        Id of the SVG element, and begin of all ids in it: letters, digits and hyphens.

    Returns
    -------
    str
        The SVG element, as from `draw_svg`.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    ValueError
        If `prefix` holds other characters.
    """
    plt = import_pyplot("to_svg")
    if not re.fullmatch("[A-Za-z][A-Za-z0-9-]*", prefix):
        msg = f"prefix={prefix!r} must be letters, digits and hyphens, a letter first."
        raise ValueError(msg)
    written = StringIO()
    with plt.rc_context({"svg.fonttype": "none", "svg.hashsalt": prefix}):
        figure.savefig(
            written, format="svg", transparent=True, dpi=_DPI, metadata=_NO_METADATA
        )
    plt.close(figure)
    text = written.getvalue()
    svg = _FORBIDDEN.sub("\ufffd", text[text.index("<svg") :]).strip()
    # In tags alone: text of the drawing may look like an id.
    svg = _TAG.sub(lambda tag: _REFERENCE.sub(f"{prefix}-", tag[0]), svg)
    # The rule of one drawing would hold for the page.
    svg = svg.replace("*{stroke-linejoin", f"#{prefix} *{{stroke-linejoin", 1)
    return svg.replace("<svg ", f'<svg id="{prefix}" ', 1)

"""Draw off screen, and turn the drawing into SVG for a page with several of them."""

import re
from io import StringIO

from sklearn_w2s.plotting._style import import_pyplot

# Of what is drawn as pixels within the SVG: marks where there are very many.
_DPI = 150
_NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))
# XML allows no other control characters, HTML no surrogate.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]"
)
_TAG = re.compile("<[^>]*>")
_REFERENCE = re.compile(r'(?<= id=")|(?<=href="#)|(?<=url\(#)')


def draw_svg(draw, *, prefix, size):
    """Draw in new axes, of a size in inches, and return the SVG element.

    Nothing is shown, and no figure stays open. Text stays text, the background is
    transparent, and the same drawing gives the same SVG. `prefix`, of letters, digits
    and hyphens, begins every id, so that those of several figures on a page differ.
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

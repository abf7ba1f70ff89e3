"""HTML of which every text is escaped, unless it is HTML already."""

import re
from html import escape

# Elements that have no end tag.
_VOID = {"link", "meta"}
# Control characters and lone surrogates have no place in HTML; bidirectional controls
# would turn round the text that follows.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef"
    "\ufffe\uffff]"
)


class Markup(str):
    """Text that is HTML."""

    __slots__ = ()


def to_markup(content):
    """Return HTML as it is, and anything else as escaped text.

    Parameters
    ----------
    content : object
        HTML, a list of contents, or what is shown as its `str`.

    Returns
    -------
    Markup
        Control characters are shown by their codes.
    """
    if isinstance(content, Markup):
        return content
    if isinstance(content, list | tuple):
        return Markup("".join(to_markup(part) for part in content))
    return Markup(escape(printable(str(content))))


def printable(text):
    """Return a text with the codes of its control characters in place of them."""
    return _UNPRINTABLE.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def element(tag, *content, **attributes):
    """Return an element.

    Parameters
    ----------
    tag : str
        Name.
    *content : object
        As in `to_markup`.
    **attributes : str
        Underscores in names stand for hyphens, and one at the end for nothing.

    Returns
    -------
    Markup
        The element.
    """
    names = [name.rstrip("_").replace("_", "-") for name in attributes]
    written = "".join(
        f' {name}="{to_markup(str(value))}"'
        for name, value in zip(names, attributes.values(), strict=True)
    )
    if tag in _VOID:
        return Markup(f"<{tag}{written}>")
    return Markup(f"<{tag}{written}>{to_markup(content)}</{tag}>")


def value(text):
    """Return text from the data, whose direction is its own."""
    return element("bdi", text)


def section(id_, title, *content):
    """Return a section with a heading that names it."""
    heading = element("h2", title, id=f"{id_}-title")
    return element("section", heading, *content, id=id_, aria_labelledby=f"{id_}-title")


def table(caption, columns, rows, *, id_, numeric=()):
    """Return a table in a region of its own that scrolls and can be focused.

    Parameters
    ----------
    caption : str
        What it shows.
    columns : list of str
        Headings; the cells of the first column are headings of their rows.
    rows : list of list
        Contents.
    id_ : str
        Id of the caption.
    numeric : container of int
        Positions of columns of numbers.

    Returns
    -------
    Markup
        The region.
    """

    def kind(position):
        return {"class_": "number"} if position in numeric else {}

    head = [
        element("th", name, scope="col", **kind(i)) for i, name in enumerate(columns)
    ]
    body = [
        element(
            "tr",
            element("th", row[0], scope="row"),
            [element("td", cell, **kind(i)) for i, cell in enumerate(row[1:], 1)],
        )
        for row in rows
    ]
    content = element(
        "table",
        element("caption", caption, id=id_),
        element("thead", element("tr", head)),
        element("tbody", body),
    )
    return scrollable(content, aria_labelledby=id_)


def scrollable(content, **name):
    """Return a region that scrolls sideways; `name` is aria_label or so."""
    return element("div", content, class_="scroll", role="region", tabindex="0", **name)

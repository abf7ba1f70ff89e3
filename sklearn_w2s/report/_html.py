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


# Light and dark, from phones to desktops, without network.
CSS = """
:root {
  color-scheme: light dark;
  --paper: #ffffff; --ink: #1b1f24; --soft: #55606b; --line: #c9d0d7;
  --tint: #f2f5f8; --link: #0b57b0; --mark: #9a3d00; --card: #ffffff;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14181d; --ink: #e7ebef; --soft: #a9b4bf; --line: #3c4651;
    --tint: #1e242b; --link: #8ec1ff; --mark: #ffb27a; --card: #f4f4f1;
  }
}
*, *::before, *::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0 auto; padding: 0 1rem 3rem; max-width: 72rem;
  background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, sans-serif; overflow-wrap: anywhere;
}
h1, h2, h3 { line-height: 1.25; margin: 2rem 0 .6rem; }
h1 { font-size: 1.7rem; margin-top: 1.5rem; }
h2 { font-size: 1.3rem; border-top: 1px solid var(--line); padding-top: 1.5rem; }
h3 { font-size: 1.08rem; }
p, ul, dl { max-width: 46rem; margin: .6rem 0; }
dt { font-weight: 600; }
dd { margin: 0 0 .5rem; color: var(--soft); }
a { color: var(--link); }
a, summary, .scroll { border-radius: 3px; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.skip { position: absolute; left: -999rem; }
.skip:focus { left: 1rem; top: .5rem; background: var(--paper); padding: .5rem 1rem; }
.soft, caption, figcaption { color: var(--soft); }
.verdict {
  border-left: .3rem solid var(--mark); background: var(--tint);
  padding: .7rem 1rem; font-size: 1.1rem;
}
nav ul { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; list-style: none; }
nav ul { padding: 0; max-width: none; }
nav a { display: inline-block; padding: .4rem 0; }
.scroll { overflow-x: auto; max-width: 100%; margin: .8rem 0 1.2rem; }
table { border-collapse: collapse; font-size: .95rem; overflow-wrap: normal; }
table { min-width: min(100%, 24rem); }
caption { text-align: left; padding: .2rem 0 .5rem; font-size: .92rem; }
caption, figcaption { max-width: 46rem; overflow-wrap: anywhere; }
caption { max-width: min(46rem, 100vw - 2rem); }
th, td {
  text-align: left; vertical-align: top; padding: .35rem .9rem .35rem .4rem;
  border-bottom: 1px solid var(--line);
}
thead th { border-bottom-width: 2px; white-space: nowrap; }
tbody th { font-weight: 600; }
th.number, td.number {
  text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap;
}
.rows table { width: max-content; }
.rows td, .rows th { max-width: 16rem; overflow-wrap: anywhere; }
figure { margin: 1rem 0 1.6rem; }
.panels {
  display: grid; gap: .5rem; padding: .6rem; background: var(--card);
  border: 1px solid var(--line); border-radius: 4px;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 19rem), 1fr));
}
.panels:not(:has(> :nth-child(2))) { max-width: 40rem; }
.panels svg { display: block; width: 100%; max-width: 40rem; height: auto; }
.panels svg text { font-family: system-ui, sans-serif !important; }
figcaption { padding: .5rem 0; font-size: .95rem; }
pre {
  margin: 0; padding: 1rem; background: var(--tint); overflow-wrap: normal;
  font: .88rem/1.5 ui-monospace, monospace; width: max-content; min-width: 100%;
}
footer { border-top: 1px solid var(--line); margin-top: 2rem; padding-top: .8rem; }
@media (max-width: 30rem) {
  th, td { padding-right: .5rem; }
}
@media print {
  nav, .skip { display: none; }
  .scroll { overflow: visible; }
  pre { white-space: pre-wrap; width: auto; }
}
"""

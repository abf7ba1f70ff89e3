"""Draw the figure of the README from the scoreboard: what is recovered of the gap.

Written as text rather than by a plotting library, so that the same results give the
same file everywhere.
"""

from pathlib import Path

from benchmarks.tables._results import RESULTS, read

STATIC = Path(__file__).resolve().parents[1] / "docs" / "_static"
FIGURE = STATIC / "gap_recovered.svg"
NAMESPACE = "http://www.w3.org/2000/svg"
STRONG = "hgb"
# The colours of the displays, and grey for what needs no package.
CONTESTANTS = {
    "strategy=auto": ("WeakToStrongClassifier", "#D55E00", 20),
    "strong on the labels": ("strong on the labels alone", "#56B4E9", 264),
    "naive, hard labels": ("strong on weak labels", "#A7AFB7", 540),
}
SITUATIONS = {
    "synthetic": "The synthetic data of the paper",
    "views": "500 labels, weak sees half of the columns",
    "upgrade": "500 labels of rows that lack half of the columns",
    "scarce": "100 labels",
    "blackbox": "No labels, but predictions of an older model",
    "votes": "No labels, but votes of rules",
}
STYLE = "text { font: 17px sans-serif; } .big { font-weight: bold; }"
INK, SOFT = "#24292F", "#59636E"
WIDTH, ZERO, POINT, ROW, BAR, TOP = 760, 150, 5.2, 94, 18, 84


def shares():
    """Return the share of the gap recovered by situation and contestant, or None."""
    rows = {
        row["contestant"]: row for row in read(RESULTS / "effectiveness_overview.csv")
    }
    return {
        situation: {
            name: _share(rows[name][f"{situation}, {STRONG}"]) for name in CONTESTANTS
        }
        for situation in SITUATIONS
    }


def _share(cell):
    return float(cell) if cell else None


def text(x, y, content, anchor="start", color=INK, **attributes):
    """Return a line of text."""
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" fill="{color}"'
        f"{_attributes(attributes)}>{content}</text>"
    )


def rectangle(x, y, width, height, color, **attributes):
    """Return a filled rectangle."""
    more = _attributes({"fill": color, **attributes})
    size = f'width="{width:.1f}" height="{height:.1f}"'
    return f'<rect x="{x:.1f}" y="{y:.1f}" {size}{more}/>'


def _attributes(given):
    return "".join(
        f' {name.strip("_").replace("_", "-")}="{value}"'
        for name, value in given.items()
    )


def percent(share):
    """Return a share in percent, with a minus sign and without a negative zero."""
    number = round(100 * share)
    sign = "\N{MINUS SIGN}" if number < 0 else ""
    return f"{sign}{abs(number)}%"


def position(share):
    """Return where a share lies from left to right."""
    return ZERO + 100 * share * POINT


def bar(y, share, color):
    """Return a bar, right of zero or left of it, and its number."""
    if share is None:
        return [text(ZERO + 6, y + BAR - 4, "not possible", color=SOFT)]
    end = position(share)
    outside, anchor = (end + 6, "start") if share > -0.005 else (end - 6, "end")
    return [
        rectangle(min(ZERO, end), y, max(abs(end - ZERO), 1.5), BAR, color),
        text(outside, y + BAR - 4, percent(share), anchor),
    ]


def legend():
    """Return the key of the colours."""
    return [
        part
        for name, color, x in CONTESTANTS.values()
        for part in (rectangle(x, 12, 18, 18, color), text(x + 25, 27, name))
    ]


def draw(found):
    """Return the figure as SVG."""
    height = TOP + ROW * len(found) + 6
    parts = [
        f'<svg xmlns="{NAMESPACE}" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<style>{STYLE}</style>",
        "<title>Share of the gap recovered in six situations</title>",
        rectangle(0, 0, WIDTH, height, "white"),
        *legend(),
        text(ZERO, 66, "weak: 0%", "middle", SOFT),
        text(position(1), 66, "ceiling: 100%", "middle", SOFT),
        *(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 10}" y2="{height - 6}" '
            f'stroke="{SOFT}" stroke-dasharray="{dashes}"/>'
            for x, dashes in ((ZERO, "none"), (position(1), "3 3"))
        ),
    ]
    for k, (situation, label) in enumerate(SITUATIONS.items()):
        y = TOP + k * ROW
        parts += [
            rectangle(ZERO + 1, y - 2, 11 * len(label), 22, "white"),
            text(ZERO + 8, y + 14, label, class_="big"),
        ]
        for i, (name, (_, color, _)) in enumerate(CONTESTANTS.items()):
            parts += bar(y + 22 + i * (BAR + 2), found[situation][name], color)
    return "\n".join([*parts, "</svg>", ""])


def main():
    """Write the figure."""
    FIGURE.write_text(draw(shares()), encoding="utf-8")


if __name__ == "__main__":
    main()

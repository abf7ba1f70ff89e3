"""Draw the figure of the README from the scoreboard: what is recovered of the gap.

Written as text rather than by a plotting library, so that the same results give the
same file everywhere.
"""

from pathlib import Path

from benchmarks.tables._results import RESULTS, read

FIGURE = Path(__file__).resolve().parents[1] / "docs" / "_static" / "gap_recovered.svg"
NAMESPACE = "http://www.w3.org/2000/svg"
STRONG = "hgb"
OURS, NAIVE = "strategy=auto", "naive, hard labels"
SITUATIONS = {
    "synthetic": "the paper's synthetic data",
    "views": "weak sees half of the columns, 500 labels",
    "upgrade": "500 labels that lack half of the columns",
    "scarce": "100 labels",
    "blackbox": "a black box, no labels",
    "votes": "votes of rules, no labels",
}
WIDTH, LABELS, ROW, BAR, TOP = 760, 300, 44, 13, 58
COLORS = {OURS: "#1f6fb4", NAIVE: "#b0b7bf"}
LARGEST = 1.15


def shares():
    """Return the share of the gap recovered by situation and contestant."""
    rows = {
        row["contestant"]: row for row in read(RESULTS / "effectiveness_overview.csv")
    }
    return {
        situation: {
            name: float(rows[name][f"{situation}, {STRONG}"]) for name in COLORS
        }
        for situation in SITUATIONS
    }


def position(share):
    """Return where a share lies from left to right."""
    return LABELS + (WIDTH - LABELS - 50) * max(share, 0) / LARGEST


def text(x, y, content, anchor="start", color="#24292f"):
    """Return a line of text."""
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" fill="{color}">'
        f"{content}</text>"
    )


def rectangle(x, y, width, height, color):
    """Return a filled rectangle."""
    size = f'width="{width:.1f}" height="{height}"'
    return f'<rect x="{x}" y="{y}" {size} fill="{color}"/>'


def bars(y, own):
    """Return the bars of a situation."""
    parts = []
    for k, (name, color) in enumerate(COLORS.items()):
        top, right = y + k * (BAR + 2), position(own[name])
        width = max(right - LABELS, 1)
        parts += [
            rectangle(LABELS, top, width, BAR, color),
            text(right + 5, top + BAR - 2, f"{own[name]:.0%}"),
        ]
    return parts


def draw(found):
    """Return the figure as SVG."""
    height = TOP + ROW * len(found) + 10
    one = position(1)
    parts = [
        f'<svg xmlns="{NAMESPACE}" viewBox="0 0 {WIDTH} {height}" role="img">',
        "<style>text { font: 13px sans-serif; }</style>",
        "<title>Share of the gap recovered in six situations</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        text(LABELS, 20, "WeakToStrongClassifier", color=COLORS[OURS]),
        text(LABELS + 170, 20, "strong estimator on weak labels", color="#6b747d"),
        text(LABELS, 44, "weak: 0%", "middle", "#6b747d"),
        text(one, 44, "ceiling: 100%", "middle", "#6b747d"),
        *(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 8}" y2="{height - 6}" '
            'stroke="#6b747d" stroke-dasharray="3 3"/>'
            for x in (LABELS, one)
        ),
    ]
    for k, (situation, label) in enumerate(SITUATIONS.items()):
        y = TOP + k * ROW
        parts += [text(LABELS - 12, y + 18, label, "end"), *bars(y, found[situation])]
    return "\n".join([*parts, "</svg>", ""])


def main():
    """Write the figure."""
    FIGURE.write_text(draw(shares()), encoding="utf-8")


if __name__ == "__main__":
    main()

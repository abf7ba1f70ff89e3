"""Draw the idea of weak-to-strong generalisation: easy, overlap and hard rows.

Two rows of each kind are shown, one for each class. A circle or a square is the easy
pattern, which the weak estimator reads; stripes that lean left or right are the hard
pattern, for which it takes a strong estimator.
"""

from benchmarks.readme_figure import (
    NAMESPACE,
    SOFT,
    STATIC,
    rectangle,
    text,
)

FIGURE = STATIC / "concept.svg"
# The colours of the regions in the displays.
EASY, HARD, OVERLAP = "#56B4E9", "#000000", "#D55E00"
# By region: easy pattern, hard pattern, what the weak estimator says.
REGIONS = {
    "easy": (True, False, True),
    "overlap": (True, True, True),
    "hard": (False, True, False),
}
WIDTH, HEIGHT = 760, 486
CELL, TALL, STEP, GROUP, TOP = 112, 40, 44, 112, 92
NAME, FIRST, SECOND, WEAK, STRONG = 16, 128, 246, 428, 582
CLASSES = ("A", "B")
CAPTION = (
    "Overlap rows show both patterns, and their weak labels tend to be right. From",
    "them the strong estimator learns the hard pattern, and gets hard rows right.",
)
STYLE = "text { font: 17px sans-serif; } .big { font: bold 21px sans-serif; }"


def cell(x, y):
    """Return an empty cell of a row."""
    return rectangle(x, y, CELL, TALL, "#F3F5F7", stroke="#C9D0D7")


def easy_pattern(y, k):
    """Return a shape by class."""
    middle = FIRST + CELL / 2, y + TALL / 2
    if k == 0:
        return f'<circle cx="{middle[0]}" cy="{middle[1]}" r="13" fill="{EASY}"/>'
    return rectangle(middle[0] - 12, middle[1] - 12, 24, 24, EASY)


def hard_pattern(y, k):
    """Return stripes that lean by class."""
    lean = 14 if k == 0 else -14
    lines = [
        f'<line x1="{x - lean / 2}" y1="{y + 31}" x2="{x + lean / 2}" y2="{y + 9}"/>'
        for x in range(SECOND + 20, SECOND + CELL - 12, 12)
    ]
    return f'<g stroke="{HARD}" stroke-width="2.2">{"".join(lines)}</g>'


def answer(x, y, letter, color):
    """Return a class that an estimator names, or its doubt."""
    known = letter != "?"
    frame = {"stroke": color, "stroke_width": 2, "rx": 8}
    if not known:
        frame["stroke_dasharray"] = "4 4"
    fill = color if known else "white"
    middle = y + TALL / 2 + 8
    letter_color = "white" if known else SOFT
    return [
        rectangle(x - 26, y + 2, 52, TALL - 4, fill, **frame),
        text(x, middle, letter, "middle", letter_color, class_="big"),
    ]


def arrow(path, color, width=2.5):
    """Return a path with a head at its end."""
    return (
        f'<path d="{path}" fill="none" stroke="{color}" stroke-width="{width}" '
        f'marker-end="url(#head{color[1:]})"/>'
    )


def head(color):
    """Return the head of the arrows of a colour."""
    return (
        f'<marker id="head{color[1:]}" viewBox="0 0 10 10" refX="8" refY="5" '
        'markerWidth="6" markerHeight="6" orient="auto">'
        f'<path d="M0,0 L10,5 L0,10 z" fill="{color}"/></marker>'
    )


def rows_of(region, y):
    """Return the two rows of a region, from their patterns to the answers."""
    is_easy, is_hard, is_known = REGIONS[region]
    color = {"easy": "#1B79AE", "overlap": OVERLAP, "hard": HARD}[region]
    parts = [
        text(NAME, y + STEP - 6, region, "start", color, class_="big"),
        text(NAME, y + STEP + 17, "rows", "start", color),
    ]
    for k, letter in enumerate(CLASSES):
        top = y + k * STEP
        parts += [cell(FIRST, top), cell(SECOND, top)]
        if is_easy:
            parts.append(easy_pattern(top, k))
        if is_hard:
            parts.append(hard_pattern(top, k))
        parts += answer(WEAK, top, letter if is_known else "?", "#59636E")
        parts += answer(STRONG, top, letter, OVERLAP)
        middle = top + TALL / 2
        if is_known:
            parts.append(arrow(f"M{WEAK + 34},{middle} H{STRONG - 34}", "#59636E", 1.8))
    return parts


def lesson(y_overlap, y_hard):
    """Return the arrow by which overlap rows teach the pattern of hard rows."""
    left, width = FIRST - 7, SECOND + CELL - FIRST + 14
    frame = {"stroke": OVERLAP, "stroke_width": 3, "rx": 6}
    # From the answers to overlap rows to those to hard rows.
    start, bend = STRONG + 34, STRONG + 74
    y, upper, lower = y_overlap + STEP - 2, y_hard + TALL / 2, y_hard + STEP + TALL / 2
    far = bend + 24
    return [
        rectangle(left, y_overlap - 7, width, 2 * STEP + 10, "none", **frame),
        f'<circle cx="{start}" cy="{y}" r="5" fill="{OVERLAP}"/>',
        arrow(f"M{start},{y} C{bend},{y} {bend},{upper} {start},{upper}", OVERLAP),
        arrow(f"M{start},{y} C{far},{y} {far},{lower} {start},{lower}", OVERLAP),
        text(bend + 6, y - 8, "the same", color=OVERLAP),
        text(bend + 6, y + 13, "stripes", color=OVERLAP),
    ]


def draw():
    """Return the figure as SVG."""
    y = {region: TOP + GROUP * k for k, region in enumerate(REGIONS)}
    parts = [
        f'<svg xmlns="{NAMESPACE}" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<style>{STYLE}</style>",
        "<title>Overlap rows teach a strong estimator the pattern of hard rows</title>",
        f"<defs>{head('#59636E')}{head(OVERLAP)}</defs>",
        rectangle(0, 0, WIDTH, HEIGHT, "white"),
        text(FIRST + CELL / 2, 34, "easy", "middle", "#1B79AE", class_="big"),
        text(FIRST + CELL / 2, 58, "pattern", "middle", "#1B79AE"),
        text(SECOND + CELL / 2, 34, "hard", "middle", HARD, class_="big"),
        text(SECOND + CELL / 2, 58, "pattern", "middle", HARD),
        text(WEAK, 34, "weak", "middle", SOFT, class_="big"),
        text(WEAK, 58, "estimator labels", "middle", SOFT),
        text(STRONG, 34, "strong", "middle", OVERLAP, class_="big"),
        text(STRONG, 58, "estimator learns", "middle", OVERLAP),
    ]
    for region, top in y.items():
        parts += rows_of(region, top)
    parts += lesson(y["overlap"], y["hard"])
    parts += [text(NAME, HEIGHT - 42 + 24 * k, line) for k, line in enumerate(CAPTION)]
    return "\n".join([*parts, "</svg>", ""])


def main():
    """Write the figure."""
    FIGURE.write_text(draw(), encoding="utf-8")


if __name__ == "__main__":
    main()

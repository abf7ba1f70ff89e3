"""Makes the page of benchmarks from their README and the tables that it names."""

import csv
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "benchmarks" / "README.md"
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "generated" / "benchmarks.rst"
MOST_ROWS = 60

TITLE = """.. _benchmarks:

Benchmarks
==========

The tables are kept in the repository, in ``benchmarks/results``, and the command beside
each writes it again. A table of more than {most_rows} rows is named and not shown.
"""


def write_page(_app):
    """Write the page before Sphinx reads the others."""
    sections = [TITLE.format(most_rows=MOST_ROWS)]
    for line in README.read_text("utf-8").splitlines():
        names = re.findall(r"\(results/(\w+)\.csv\)", line)
        if line.startswith("| [") and names:
            _, content, command = re.findall(r"(?<=\| )(.+?)(?= \|)", line)
            title = re.match(r"\| \[([^]]*)\]", line)[1]
            sections.append(_section(title, names, content, command))
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text("\n".join(sections), encoding="utf-8")


def _section(title, names, content, command):
    text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", content)
    text = text[0].upper() + text[1:]
    parts = [title, "-" * len(title), "", f"{_code(text)}. {_code(command)}", ""]
    for name in names:
        path = RESULTS / f"{name}.csv"
        with path.open(newline="", encoding="utf-8") as file:
            n_rows = sum(1 for _ in csv.reader(file)) - 1
        if n_rows <= MOST_ROWS:
            parts += [
                f".. csv-table:: {name}.csv",
                f"   :file: ../../benchmarks/results/{name}.csv",
                "   :header-rows: 1",
                "   :class: results",
                "",
            ]
        else:
            parts += [f"``{name}.csv`` has {n_rows} rows.", ""]
    return "\n".join(parts)


def _code(markdown):
    return re.sub(r"`([^`]+)`", r"``\1``", markdown)


def setup(app):
    """Register the page."""
    app.connect("builder-inited", write_page)
    return {"parallel_read_safe": True}

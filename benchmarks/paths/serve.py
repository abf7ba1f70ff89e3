"""Run the service of the page about deployment, and ask it row by row."""

import json
import re
import sys
import time
from importlib import import_module
from pathlib import Path
from statistics import median
from textwrap import dedent

from fastapi.testclient import TestClient

page = Path("docs/how_to/deploy.rst").read_text("utf-8")
blocks = re.findall(
    r"^\.\. code-block:: python\n\n((?: {3}.*\n|\n)+)", page, re.MULTILINE
)
Path("service.py").write_text(dedent(blocks[0]))
sys.path.insert(0, "")
app = import_module("service").app

assert "sklearn" not in sys.modules
client, seconds, answers = TestClient(app), [], []
for row in json.loads(Path("rows.json").read_text()):
    row["since"] = row["since"].removesuffix("Z").removesuffix(".000")
    start = time.perf_counter()
    answers.append(client.post("/predict", json=row).json()["label"])
    seconds.append(time.perf_counter() - start)
labels = json.loads(Path("labels.json").read_text())
same = sum(map(str.__eq__, answers, labels))
print(
    f"{same} of {len(labels)} labels are the same, "
    f"{1000 * median(seconds):.1f} ms for a request of one row"
)
assert same == len(labels)

"""Save and load the model by MLflow, as the page about deployment does."""

import json
import re
from pathlib import Path
from textwrap import dedent

import pandas as pd
import skops.io

from sklearn_w2s.persistence import trusted_types

page = Path("docs/how_to/deploy.rst").read_text("utf-8")
blocks = re.findall(
    r"^\.\. code-block:: python\n\n((?: {3}.*\n|\n)+)", page, re.MULTILINE
)
model = skops.io.load("model.skops", trusted=trusted_types())
X = pd.DataFrame(json.loads(Path("rows.json").read_text()))
X["since"] = pd.to_datetime(X["since"]).dt.tz_localize(None)
names = {"model": model, "X": X}
exec(dedent(blocks[1]), names)
labels = json.loads(Path("labels.json").read_text())
same = (names["loaded"].predict(X) == labels).sum()
print(f"{same} of {len(labels)} labels are the same")
assert same == len(labels)

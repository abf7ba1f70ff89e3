"""Load the saved model where it was not fitted, and compare what it predicts."""

import json
from pathlib import Path

import pandas as pd
import skops.io

from sklearn_w2s.persistence import trusted_types

model = skops.io.load("model.skops", trusted=trusted_types())
rows = pd.DataFrame(json.loads(Path("rows.json").read_text()))
rows["since"] = pd.to_datetime(rows["since"]).dt.tz_localize(None)
labels = json.loads(Path("labels.json").read_text())
same = (model.predict(rows) == labels).sum()
print(f"{same} of {len(labels)} labels are the same")
assert same == len(labels)

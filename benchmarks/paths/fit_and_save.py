"""Fit the model of the page about deployment, and save it in two formats."""

import doctest
import json
from pathlib import Path

PAGE = Path("docs/how_to/deploy.rst")
N_ROWS = 20

names: dict = {}
for example in doctest.DocTestParser().get_examples(PAGE.read_text("utf-8")):
    exec(example.source, names)
    if "graph" in names:
        break

Path("model.skops").write_bytes(names["data"])
Path("model.onnx").write_bytes(names["graph"].SerializeToString())
rows = names["X"].tail(N_ROWS)
rows.to_json("rows.json", orient="records", date_format="iso", date_unit="s")
Path("labels.json").write_text(json.dumps(names["model"].predict(rows).tolist()))
sizes = {
    path: Path(path).stat().st_size // 1024 for path in ("model.skops", "model.onnx")
}
print("; ".join(f"{path} has {size} KiB" for path, size in sizes.items()))

"""Code and constants of the guide that its doctests leave out."""

from pathlib import Path

import numpy as np
import pytest
import sklearn
import torch
from packaging.version import Version
from sklearn.linear_model import LogisticRegression

from sklearn_w2s.datasets import make_overlap_classification
from sklearn_w2s.weak_to_strong import _members, _rows, _smooth, _views


@pytest.mark.skipif(
    Version(sklearn.__version__) < Version("1.9.dev0"),
    reason="scikit-learn computes with mixed namespaces from 1.9 on",
)
def test_arrays_stay_on_the_device_as_the_guide_has_it(code_blocks):
    X, y, _ = make_overlap_classification(600, random_state=0)
    names = {
        "torch": torch,
        "LogisticRegression": LogisticRegression,
        "device": "cuda" if torch.cuda.is_available() else "cpu",
        "X": X.astype(np.float32),
        "y": np.where(np.arange(600) < 200, y, -1),
    }
    (block,) = code_blocks("how_to/gpu.rst")

    exec(block, names)

    detector = names["detector"]
    assert isinstance(detector.confidence_, torch.Tensor)
    assert set(detector.regions_) == {"easy", "hard", "overlap"}


def test_the_page_about_costs_names_the_rows_that_members_learn_from():
    page = Path(__file__).parents[1] / "docs" / "how_to" / "deploy.rst"
    text = page.read_text(encoding="utf-8")
    passage = text[text.index("The cost of a teacher") :].partition("\n\n")[0]
    for most in (
        _rows.MAX_LABELED,
        _members.MAX_KERNEL_ROWS,
        _views.MAX_ROWS,
        _smooth.MAX_SMOOTHED,
    ):
        assert f"{most:,}" in passage
    assert _members.MAX_GRAPH_ROWS == _views.MAX_ROWS
    assert f"blocks of {_members.BLOCK_ROWS:,}" in passage

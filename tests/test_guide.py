"""Code of the guide that its doctests leave out."""

import re
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest
import sklearn
import torch
from packaging.version import Version
from sklearn.linear_model import LogisticRegression

from sklearn_w2s.datasets import make_overlap_classification

PAGE = Path(__file__).parents[1] / "docs" / "how_to" / "gpu.rst"
# A block is indented, and may hold empty lines.
BLOCK = re.compile(r"^\.\. code-block:: python\n\n((?: {3}.*\n|\n)+)", re.MULTILINE)


@pytest.mark.skipif(
    Version(sklearn.__version__) < Version("1.9.dev0"),
    reason="scikit-learn computes with mixed namespaces from 1.9 on",
)
def test_arrays_stay_on_the_device_as_the_guide_has_it():
    X, y, _ = make_overlap_classification(600, random_state=0)
    names = {
        "torch": torch,
        "LogisticRegression": LogisticRegression,
        "device": "cuda" if torch.cuda.is_available() else "cpu",
        "X": X.astype(np.float32),
        "y": np.where(np.arange(600) < 200, y, -1),
    }
    (block,) = BLOCK.findall(PAGE.read_text("utf-8"))

    exec(dedent(block), names)

    detector = names["detector"]
    assert isinstance(detector.confidence_, torch.Tensor)
    assert set(detector.regions_) == {"easy", "hard", "overlap"}

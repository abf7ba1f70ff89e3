"""The code of the guide page, which its doctest leaves out, for want of models."""

import numpy as np


def test_the_code_blocks_of_the_guide_run_in_turn(
    causal, larger, tmp_path, monkeypatch, code_blocks
):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    words = np.array([["cat", "dog"], ["red", "sky"]])
    drawn = words[y[:, None], rng.integers(2, size=(60, 5))]
    unlabeled = np.where(np.arange(60) < 30, y, -1)
    names = {
        "small": causal,
        "large": larger,
        "texts": [" ".join(row) for row in drawn],
        "y": y,
        "y_with_unlabeled": unlabeled,
    }
    # The last has a model and texts of its own.
    *blocks, example = code_blocks("user_guide/text.rst")
    for block in blocks:
        exec(block, names)

    assert len(blocks) == 3
    assert "package:" in example
    assert names["experiment"].score(names["texts"], y) > 0.7
    assert names["classifier"].overlap_detector_ is not None
    assert [path.name for path in tmp_path.iterdir()] == ["activations"]

import importlib
import sys

import pytest

import sklearn_w2s.neural


def test_public_names_are_the_classifier_and_the_layer_as_a_transformer():
    assert sklearn_w2s.neural.__all__ == ["HiddenLayer", "NetClassifier"]


@pytest.mark.parametrize("missing", ["torch", "skorch"])
def test_without_the_extra_the_import_error_names_it(monkeypatch, missing):
    for name in [n for n in sys.modules if n.startswith("sklearn_w2s.neural")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)

    with pytest.raises(ImportError, match=r"pip install sklearn-w2s\[torch\]"):
        importlib.import_module("sklearn_w2s.neural")

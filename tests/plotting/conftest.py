"""Every picture is closed after its test; matplotlib can be hidden."""

import builtins

import matplotlib.pyplot as plt
import pytest


@pytest.fixture(autouse=True, name="plt")
def closed_pictures():
    yield plt
    plt.close("all")


@pytest.fixture
def hide_matplotlib(monkeypatch):
    def hide():
        real = builtins.__import__

        def refuse(name, *args, **kwargs):
            if name.startswith("matplotlib"):
                raise ImportError(name)
            return real(name, *args, **kwargs)

        monkeypatch.setattr(builtins, "__import__", refuse)

    return hide

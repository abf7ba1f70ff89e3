"""A plugin of pytest that runs the tests listed in a file, in this order."""

import os
from pathlib import Path

import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """Keep and sort the chosen tests."""
    chosen = Path(os.environ["CHOSEN_TESTS"]).read_text("utf-8").split("\n")
    place = {test: k for k, test in enumerate(chosen)}
    config.hook.pytest_deselected(
        items=[item for item in items if item.nodeid not in place]
    )
    items[:] = [item for item in items if item.nodeid in place]
    items.sort(key=lambda item: place[item.nodeid])

"""Every picture is closed after its test."""

import matplotlib.pyplot as plt
import pytest


@pytest.fixture(autouse=True, name="plt")
def closed_pictures():
    yield plt
    plt.close("all")

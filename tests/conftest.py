"""Settings that every test shares."""

import os
import re
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import settings
from threadpoolctl import threadpool_limits

# Read by libraries when they are first imported, which is later than this file.
os.environ["SCIPY_ARRAY_API"] = "1"
os.environ["MPLBACKEND"] = "Agg"
for _library in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{_library}_NUM_THREADS"] = "1"

settings.register_profile("ci", deadline=None, derandomize=True, max_examples=25)
settings.register_profile("nightly", deadline=None, max_examples=10_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """Limit the libraries that a plugin has imported before the variables were set."""
    with threadpool_limits(limits=1):
        yield


@pytest.fixture(autouse=True, scope="module")
def small_helpers():
    """Let members have fewer trees: what holds of them holds of any number."""
    package = "sklearn_w2s.weak_to_strong"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(f"{package}._members.N_TREES", 20)
        patch.setattr(f"{package}._teachers.N_SOFT_TREES", 20)
        yield


@pytest.fixture(scope="module")
def few_folds():
    """Let a fit without `cv` hold out fewer folds, where their number is no matter."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sklearn_w2s._cross_fit.N_FOLDS", 3)
        yield


@pytest.fixture(scope="session")
def code_blocks():
    """Read the code of a page of the documentation that is no doctest."""
    # A block is indented, and may hold empty lines.
    block = re.compile(r"^\.\. code-block:: python\n\n((?: {3}.*\n|\n)+)", re.MULTILINE)
    docs = Path(__file__).resolve().parents[1] / "docs"

    def read(page):
        text = (docs / page).read_text("utf-8")
        return [dedent(found) for found in block.findall(text)]

    return read


@pytest.fixture(scope="session")
def shared_data():
    """Folder of the data sets that are too large for the repository."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("SKLEARN_W2S_DATA", default))
    if not folder.is_dir():
        pytest.skip(
            f"set SKLEARN_W2S_DATA to the folder of data sets; {folder} is none"
        )
    return folder

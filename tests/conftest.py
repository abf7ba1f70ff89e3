"""Settings that every test shares."""

import os
from pathlib import Path

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
    """Let helpers have fewer trees: what holds of them holds of any number."""
    helpers = "sklearn_w2s.weak_to_strong._helpers"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(f"{helpers}.N_TREES", 20)
        patch.setattr(f"{helpers}.N_SOFT_TREES", 40)
        patch.setattr(f"{helpers}.N_ROUNDS", 10)
        yield


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

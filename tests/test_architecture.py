import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
CONTRACTS = [
    contract["name"] for contract in PYPROJECT["tool"]["importlinter"]["contracts"]
]

# File, line added to it, contract that must then be reported.
OFFENCES = [
    ("_validation.py", "import sklearn_w2s.overlap", "imports point down"),
    ("_unplaced.py", "import numpy", "imports point down"),
    (
        "metrics/_gap.py",
        "def gap():\n    from sklearn_w2s import OverlapDetector",
        "metrics, data sets and model selection know no estimator",
    ),
    (
        "plotting/_overlap.py",
        "from sklearn_w2s.overlap import OverlapDetector",
        "plots know no estimator class",
    ),
    ("_algorithms/gap.py", "import sklearn", "algorithms know numpy only"),
    (
        "_algorithms/gap.py",
        "from sklearn_w2s._algorithms import overlap",
        "algorithms do not compose",
    ),
    ("_fitting.py", "def fit():\n    import torch", "only neural and text name torch"),
    ("metrics/_gap.py", "import matplotlib", "only plotting names matplotlib"),
]


def lint_imports(folder):
    # As a process of its own, for it reads the package that lies in its folder.
    command = "from importlinter.cli import lint_imports_command as lint; lint()"
    return subprocess.run(
        [sys.executable, "-c", command, "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def test_the_import_law_holds():
    run = lint_imports(ROOT)

    assert run.returncode == 0, run.stdout + run.stderr
    assert f"{len(CONTRACTS)} kept, 0 broken" in run.stdout


@pytest.mark.parametrize(("file", "offence", "contract"), OFFENCES)
def test_an_offence_against_a_contract_is_reported(tmp_path, file, offence, contract):
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "sklearn_w2s", tmp_path / "sklearn_w2s")
    with (tmp_path / "sklearn_w2s" / file).open("a", encoding="utf-8") as lines:
        lines.write(f"\n{offence}\n")

    run = lint_imports(tmp_path)

    assert run.returncode != 0
    assert f"{contract} BROKEN" in run.stdout


def test_every_contract_is_proved_able_to_fail():
    assert {contract for _, _, contract in OFFENCES} == set(CONTRACTS)

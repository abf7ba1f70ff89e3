"""What is shipped fits together: addresses, recipe, versions of the documentation."""

import json
import re
import runpy
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
PLACEHOLDER = "sklearn-w2s.invalid"


def tracked_files():
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("this is no clone")
    return [ROOT / name for name in listed.stdout.splitlines()]


def test_the_public_address_stands_in_one_file():
    texts = {".cff", ".md", ".py", ".rst", ".toml", ".yaml", ".yml"}
    named = {
        path.relative_to(ROOT).as_posix()
        for path in tracked_files()
        if path.suffix in texts and PLACEHOLDER in path.read_text("utf-8")
    }

    assert named <= {"pyproject.toml", "tests/test_shipping.py"}
    assert len({url.split("/")[2] for url in PROJECT["urls"].values()}) == 1


def test_the_recipe_of_conda_needs_what_the_package_needs():
    recipe = (ROOT / "conda" / "recipe.yaml").read_text("utf-8")
    run = re.search(r"  run:\n((?:    - .*\n)+)", recipe).group(1)
    listed = {line.strip("- ").replace(" ", "") for line in run.splitlines()}

    floor = PROJECT["requires-python"].removeprefix(">=")
    assert f'python_min: "{floor}"' in recipe
    assert listed == {"python>=${{python_min}}", *PROJECT["dependencies"]}
    for command, target in PROJECT["scripts"].items():
        assert f"- {command} = {target}" in recipe
    assert PROJECT["description"] in recipe


@pytest.fixture
def publish():
    return runpy.run_path(str(ROOT / "docs" / "publish.py"))["publish"]


def built(folder, text):
    folder.mkdir()
    (folder / "index.html").write_text(text)
    return folder


def test_every_version_of_the_documentation_has_a_folder(publish, tmp_path):
    site = tmp_path / "site"
    for i, version in enumerate(["0.9.0", "0.10.0", "0.10.1", "0.11.0.dev0"]):
        publish(site, version, built(tmp_path / str(i), version))

    pages = {p.parent.name: p.read_text() for p in site.glob("*/index.html")}
    assert pages == {
        "0.9": "0.9.0",
        "0.10": "0.10.1",
        "stable": "0.10.1",
        "dev": "0.11.0.dev0",
    }
    menu = json.loads((site / "switcher.json").read_text())
    assert [entry["version"] for entry in menu] == ["dev", "0.10", "0.9"]
    assert [e["version"] for e in menu if e.get("preferred")] == ["0.10"]
    for entry in menu:
        assert (site / "dev" / entry["url"] / "index.html").exists()
    assert "url=stable/" in (site / "index.html").read_text()


def test_before_the_first_release_the_site_leads_to_what_is_developed(
    publish, tmp_path
):
    site = tmp_path / "site"
    publish(site, "0.1.0.dev0", built(tmp_path / "html", "dev"))

    assert "url=dev/" in (site / "index.html").read_text()
    assert not (site / "stable").exists()

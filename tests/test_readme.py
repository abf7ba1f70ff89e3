"""What the README shows is what the results say."""

import runpy
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def figure(request, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    yield runpy.run_path(str(ROOT / "benchmarks" / f"{request.param}_figure.py"))
    for name in [name for name in sys.modules if name.startswith("benchmarks")]:
        del sys.modules[name]


@pytest.mark.parametrize("figure", ["readme"], indirect=True)
def test_the_figure_is_drawn_from_the_committed_results(figure):
    drawn = figure["draw"](figure["shares"]())

    assert figure["FIGURE"].read_text("utf-8") == drawn


@pytest.mark.parametrize("figure", ["readme"], indirect=True)
def test_shares_are_written_as_people_write_them(figure):
    shown = [figure["percent"](share) for share in (-0.002, 0.002, -0.12, 1.026)]

    assert shown == ["0%", "0%", "\N{MINUS SIGN}12%", "103%"]


@pytest.mark.parametrize("figure", ["concept"], indirect=True)
def test_the_concept_picture_is_the_one_that_its_script_draws(figure):
    assert figure["FIGURE"].read_text("utf-8") == figure["draw"]()


def test_every_link_of_the_readme_leads_somewhere():
    text = (ROOT / "README.md").read_text("utf-8")
    targets = [part.split(")")[0] for part in text.split("](")[1:]]

    for target in targets:
        if not target.startswith("http"):
            assert (ROOT / target.split("#")[0]).exists(), target

import re
from xml.etree import ElementTree as ET

import matplotlib.pyplot as plt
import pytest

from sklearn_w2s.plotting._svg import draw_svg

SVG = "{http://www.w3.org/2000/svg}"
SIZE = (5, 3.8)


def draw(ax):
    ax.plot([1, 2, 3], [2, 1, 2], marker="o", label="<b>bold</b> & 'more'")
    ax.scatter([1, 2], [1, 2], rasterized=True)
    ax.fill_between([1, 2], [1, 2])
    ax.set_title('id="x" href="#x" url(#x)')
    ax.legend()


def ids_of(svg):
    return re.findall(r'<[^>]* id="([^"]*)"', svg)


def test_the_same_drawing_gives_the_same_text():
    assert draw_svg(draw, prefix="a", size=SIZE) == draw_svg(
        draw, prefix="a", size=SIZE
    )


def test_ids_are_unique_over_figures_and_every_reference_is_one():
    drawn = [draw_svg(draw, prefix=prefix, size=SIZE) for prefix in "ab"]
    ids = [name for svg in drawn for name in ids_of(svg)]
    assert len(set(ids)) == len(ids)
    for svg in drawn:
        tags = "".join(re.findall("<[^>]*>", svg))
        references = re.findall(r'href="#([^"]*)"|url\(#([^)]*)\)', tags)
        assert references
        assert {a or b for a, b in references} <= set(ids_of(svg))


def test_text_stays_text_and_is_escaped():
    svg = draw_svg(draw, prefix="a", size=SIZE)
    texts = [text.text for text in ET.fromstring(svg).iter(f"{SVG}text")]
    assert "<b>bold</b> & 'more'" in texts
    assert 'id="x" href="#x" url(#x)' in texts


@pytest.mark.filterwarnings("ignore:Glyph")
def test_characters_that_are_no_xml_are_replaced():
    svg = draw_svg(lambda ax: ax.set_title("a\x0bb\x7fc"), prefix="a", size=SIZE)
    texts = [text.text for text in ET.fromstring(svg).iter(f"{SVG}text")]
    assert "a\ufffdb\ufffdc" in texts


def test_the_background_is_transparent_and_rules_stay_in_the_drawing():
    svg = draw_svg(draw, prefix="a", size=SIZE)
    root = ET.fromstring(svg)
    assert root.get("id") == "a"
    background = root.find(f".//*[@id='a-patch_1']/{SVG}path")
    assert "fill: none" in background.get("style")
    (style,) = root.iter(f"{SVG}style")
    assert style.text.startswith("#a *{")
    assert "metadata" not in svg


def test_nothing_of_pyplot_stays_open_or_changed():
    before = plt.get_fignums()
    settings = dict(plt.rcParams)
    draw_svg(draw, prefix="a", size=SIZE)
    assert plt.get_fignums() == before
    assert dict(plt.rcParams) == settings


def test_without_matplotlib_the_error_says_how_to_get_it(hide_matplotlib):
    hide_matplotlib()
    with pytest.raises(ImportError, match=r"pip install sklearn-w2s\[plot\]"):
        draw_svg(draw, prefix="a", size=SIZE)

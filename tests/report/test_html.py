from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_w2s.report._html import (
    Markup,
    element,
    printable,
    scrollable,
    section,
    table,
    to_markup,
    value,
)

anything = st.text(st.characters(codec=None))


class Reader(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.text = [], {}, ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes = dict(attributes)

    def handle_data(self, data):
        self.text += data


@given(anything, anything)
def test_text_and_attributes_come_back_as_they_were_and_add_no_tag(text, title):
    read = Reader(element("p", text, title=title))
    assert read.tags == ["p"]
    assert read.text == printable(text)
    assert read.attributes == {"title": printable(title)}


@given(anything)
def test_printable_text_can_be_written_as_utf_8_and_has_no_control_characters(text):
    shown = printable(text)
    shown.encode()
    assert not any(c < " " and c not in "\t\n" for c in shown)
    assert printable(shown) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x00", "a\\x00"),
        ("\x1b[0m", "\\x1b[0m"),
        ("\ud800", "\\xd800"),
        ("é😀", "é😀"),
    ],
)
def test_control_characters_are_shown_by_their_codes(text, shown):
    assert printable(text) == shown


def test_markup_is_escaped_no_second_time():
    assert to_markup(["<", Markup("<b>"), 3]) == "&lt;<b>3"
    assert element("p", element("b", "<")) == "<p><b>&lt;</b></p>"


def test_names_of_attributes_may_be_words_of_python():
    made = element("meta", http_equiv="x", class_="y")
    assert made == '<meta http-equiv="x" class="y">'


def test_text_of_the_data_has_its_own_direction():
    assert value("<") == "<bdi>&lt;</bdi>"


def test_a_section_is_named_by_its_heading():
    assert section("a", "A & B", "text") == (
        '<section id="a" aria-labelledby="a-title"><h2 id="a-title">A &amp; B</h2>'
        "text</section>"
    )


def test_a_table_has_a_caption_scopes_and_a_region_that_can_be_focused():
    made = table("All", ["name", "n"], [["a", 1], ["b", 2]], id_="t", numeric={1})
    assert made.startswith('<div class="scroll" role="region" tabindex="0"')
    assert '<caption id="t">All</caption>' in made
    assert '<th scope="col">name</th><th scope="col" class="number">n</th>' in made
    assert '<tr><th scope="row">b</th><td class="number">2</td></tr>' in made
    assert 'aria-labelledby="t"' in made


def test_a_region_is_named():
    assert 'aria-label="&lt;x&gt;"' in scrollable("", aria_label="<x>")

import dataclasses
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_w2s.report._experiment import RULE
from sklearn_w2s.report._output import (
    TERMS,
    _environment,
    _table,
    gap_figure,
    gap_words,
    one_line,
    region_figure,
    score_cells,
    write_page,
)

VOID = {"meta", "link"}
# Elements of HTML that the page may have outside its drawings.
KNOWN = {
    *("a", "bdi", "body", "caption", "code", "div", "figcaption", "figure", "footer"),
    *("h1", "h2", "h3", "head", "header", "html", "li", "link", "main", "meta", "nav"),
    *("dd", "dl", "dt"),
    *("p", "pre", "section", "style", "table", "tbody", "td", "th", "thead", "title"),
    *("tr", "ul"),
}


class Page(HTMLParser):
    """The elements of a page with their attributes, text and depth."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.faults = [], [], []
        self.feed(text)
        self.close()
        self.faults += [f"{tag} is not closed" for tag in self.open]

    def handle_starttag(self, tag, attributes):
        names = [name for name, _ in attributes]
        if len(set(names)) < len(names):
            self.faults.append(f"{tag} has an attribute twice")
        in_drawing = "svg" in self.open
        self.elements.append((tag, dict(attributes), in_drawing, []))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes), "svg" in self.open, []))
        if "svg" not in self.open:
            self.faults.append(f"{tag} closes itself")

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"{tag} is closed in the wrong place")

    def handle_data(self, data):
        if data.strip():
            self.elements[-1][-1].append(data)

    def all(self, tag):
        return [(a, "".join(t)) for name, a, _, t in self.elements if name == tag]


@pytest.fixture(scope="module")
def read(study):
    return Page(study.page)


def test_tags_nest_and_only_drawings_hold_others_than_are_meant(read):
    assert read.faults == []
    assert {tag for tag, _, drawn, _ in read.elements if not drawn} == KNOWN | {"svg"}


def test_nothing_is_run_or_loaded_and_the_policy_forbids_it(study, read):
    for tag, attributes, *_ in read.elements:
        assert tag not in {"script", "iframe", "object", "embed", "base", "form"}
        for name, value in attributes.items():
            assert not name.startswith("on")
            if name in {"href", "src", "xlink:href"}:
                assert value.startswith(("#", "data:"))
    policy = read.all("meta")[1][0]
    assert policy["http-equiv"] == "Content-Security-Policy"
    assert policy["content"].startswith("default-src 'none';")
    assert "script" not in policy["content"]
    styles = "".join(text for _, text in read.all("style"))
    assert "@import" not in styles
    assert not re.search(r"url\((?!#)", study.page)


def test_ids_are_unique_and_every_reference_names_one(read):
    ids = [a["id"] for _, a, *_ in read.elements if "id" in a]
    assert len(set(ids)) == len(ids)
    for _, attributes, *_ in read.elements:
        for name in ("aria-labelledby", "aria-describedby"):
            if name in attributes:
                assert set(attributes[name].split()) <= set(ids)
        for name in ("href", "xlink:href"):
            if attributes.get(name, "").startswith("#"):
                assert attributes[name][1:] in ids


def test_headings_skip_no_level_and_there_is_one_of_the_first(read):
    levels = [int(tag[1]) for tag, *_ in read.elements if re.fullmatch("h[1-6]", tag)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert max(np.diff(levels)) <= 1


def test_the_landmarks_of_a_page_are_there_and_sections_are_named(read):
    for tag in ("header", "nav", "main", "footer", "h1", "title"):
        assert len(read.all(tag)) == 1
    assert read.all("html")[0][0] == {"lang": "en"}
    links = {a["href"][1:] for a, _ in read.all("a")}
    sections = [a["id"] for a, _ in read.all("section")]
    assert sections == [
        *("summary", "classes", "figures", "rows", "terms", "notes", "code")
    ]
    assert links == {*sections, "main"}
    assert all("aria-labelledby" in a for a, _ in read.all("section"))


def test_tables_have_a_caption_and_scopes_in_a_region_that_has_focus(read):
    tables = read.all("table")
    assert len(read.all("caption")) == len(tables) >= 5
    assert {a["scope"] for a, _ in read.all("th")} == {"col", "row"}
    regions = [a for a, _ in read.all("div") if a.get("role") == "region"]
    assert len(regions) == len(tables) + 1
    for attributes in regions:
        assert attributes["tabindex"] == "0"
        assert "aria-label" in attributes or "aria-labelledby" in attributes


def test_every_drawing_is_an_image_that_tells_its_numbers(study, read):
    images = [a for a, _ in read.all("div") if a.get("role") == "img"]
    assert len(images) == len(read.all("svg")) == 2
    assert len(read.all("figcaption")) == len(read.all("figure")) == 2
    assert all(re.search(r"\d", a["aria-label"]) for a in images)
    results = study.findings.study.results
    for name in ("weak", "weak_to_strong", "strong_on_labels", "ceiling"):
        assert f" {results[f'{name}_score'].mean():.3f}" in images[0]["aria-label"]


def test_text_from_the_data_is_text(study, evil, read):
    shown = [
        "".join(texts)
        for tag, _, drawn, texts in read.elements
        if tag == "bdi" and not drawn
    ]
    for name in study.findings.pool.X.columns:
        assert any(one_line(name[:59]) in text for text in shown), name
    for note in evil:
        assert one_line(note) in shown
    assert "<b>low</b>" in shown
    assert "\"high\" & 'up'" in shown
    name = one_line(study.data.name)
    assert read.all("title")[0][1] == f"Does weak-to-strong pay on {name}?"
    assert all(c.isprintable() or c in "\n\t" for c in study.page)
    study.page.encode()


def test_nothing_from_the_data_is_part_of_a_template(study):
    assert "{{ 7*7 }} {% raw %} {# x #}" in study.page
    assert "49 {%" not in study.page


@given(st.text(st.characters(codec=None)))
def test_every_text_is_escaped_in_elements_and_attributes(text):
    environment = _environment(is_html=True)
    template = environment.from_string('<p title="{{ text }}">{{ text }}</p>')
    read = Page(template.render(text=text))
    ((tag, attributes, _, texts),) = read.elements
    assert tag == "p"
    assert attributes == {"title": one_line(text)}
    assert "".join(texts) == one_line(text)


def test_a_name_that_the_page_lacks_is_an_error():
    from jinja2 import UndefinedError

    with pytest.raises(UndefinedError):
        _environment(is_html=True).from_string("{{ nothing }}").render()


def test_a_table_has_scopes_classes_of_numbers_and_its_own_direction_for_data():
    page = _environment(is_html=True).from_string(
        '{% from "macros.html" import table %}{{ table(of) }}'
    )
    of = _table("t", "A & B", ["name", "n"], [["<", 1]], numeric={1}, data={0})
    made = "".join(page.render(of=of).split("\n"))
    assert made.startswith(
        '<div class="scroll" role="region" tabindex="0" aria-labelledby="t-table">'
        '<table><caption id="t-table">A &amp; B</caption>'
    )
    assert (
        '<th scope="col"><bdi>name</bdi></th><th scope="col" class="number">n</th>'
        in made
    )
    assert '<th scope="row"><bdi>&lt;</bdi></th><td class="number">1</td>' in made


def test_the_verdict_stands_once_with_the_one_rule(study, read):
    shown = [text for tag, a, _, t in read.elements for text in ["".join(t)] if text]
    assert shown.count(str(study.findings.verdict)) == 1
    assert shown.count(RULE) == 1
    assert [a.get("class") for a, _ in read.all("p")].count("verdict") == 1


def test_the_numbers_are_those_of_the_results_and_the_density_stands_once(study, read):
    findings = study.findings
    _, rows = score_cells(findings.study, findings.costs, "accuracy")
    cells = [text for _, text in read.all("td")]
    for numbers in rows.values():
        assert "|".join(numbers) in "|".join(cells)
    results = findings.study.results
    weak = 100 * results["weak_score"]
    assert rows["weak"][:2] == [f"{weak.mean():.2f}", f"{weak.std(ddof=1):.2f}"]
    assert study.page.count(f"{results['overlap_density'].mean():.3f}; held-out") == 1
    if findings.verdict.has_gap:
        assert study.page.count(gap_words(results)[1:]) >= 1


def test_every_term_has_one_line(read):
    assert [text for _, text in read.all("dt")] == list(TERMS)
    assert [text for _, text in read.all("dd")] == list(TERMS.values())


@pytest.mark.parametrize("kind", ["guessing", "one_split"])
def test_where_nothing_is_learned_there_is_no_figure_regime_or_density(study, kind):
    verdict = dataclasses.replace(study.findings.verdict, kind=kind, has_gap=False)
    findings = dataclasses.replace(study.findings, verdict=verdict, sources=None)
    page = write_page(findings)
    for word in ("<svg", "regime", "overlap density 0", 'href="#figures"'):
        assert word not in page
    assert "always guessing" in page


def test_recall_is_the_share_of_a_class_that_is_found(study, read):
    known = study.findings.study
    cells = [text for _, text in read.all("td")]
    for name, recall in known.recall.items():
        assert recall.shape == (2,)
        assert all(f"{100 * share:.1f}" in cells for share in recall), name
    assert sorted(known.recall["guess"].tolist()) == [0, 1]


@pytest.fixture
def known(study):
    return study.findings.study


def test_the_gap_is_told_in_words_where_there_is_one(study, known):
    changed = {
        **known.results,
        "gap_recovered": 0.5,
        "gap_recovered_interval": np.array([0.4, 0.6]),
    }
    verdict = dataclasses.replace(study.findings.verdict, has_gap=True)
    figure = gap_figure(changed, verdict, "accuracy")
    assert "0.50 of the gap recovered (95% interval 0.40 to 0.60)" in figure["label"]
    assert "accuracy: 2 folds, mean with 95% interval" in figure["svg"]
    without = gap_figure(
        changed, dataclasses.replace(verdict, has_gap=False), "accuracy"
    )
    assert "; no gap beyond its noise." in without["label"]
    assert "50%" not in without["svg"]


def test_accuracies_by_region_are_means_over_splits(known):
    figure = region_figure(known)
    mean = np.nanmean(known.results["region_accuracy"]["weak"]["easy"])
    assert f"easy rows: weak {mean:.3f}," in figure["label"]


def test_a_region_without_rows_has_no_accuracy(known):
    results = known.results
    changed = {
        **results,
        "region_share": {**results["region_share"], "hard": np.zeros(2)},
        "region_accuracy": {
            name: {**regions, "hard": np.full(2, np.nan)}
            for name, regions in results["region_accuracy"].items()
        },
    }
    figure = region_figure(dataclasses.replace(known, results=changed))
    assert "; hard rows: none; " in figure["label"]


def test_without_hidden_labels_no_ceiling_is_told(known):
    measures = {k: v for k, v in known.measures.items() if k != "ceiling"}
    figure = region_figure(dataclasses.replace(known, measures=measures))
    assert "ceiling" not in figure["label"]

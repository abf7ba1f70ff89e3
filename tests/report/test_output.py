import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rows_table import stacked

from sklearn_w2s.report._experiment import RULE, SourceRun
from sklearn_w2s.report._output import (
    N_ROWS,
    _as_lists,
    _cell,
    format_report,
    one_line,
    rows_worth_a_look,
    score_cells,
    wrap,
)


@pytest.fixture
def report_lines(study):
    """Return the lines of the report on the study, with changes of its parts."""

    def report_lines(sources=(), *, scoring="accuracy", verdict=None, **changes):
        known = dataclasses.replace(study.findings.study, **changes)
        verdict = verdict or study.findings.verdict
        return format_report(known, verdict, study.findings.costs, sources, scoring)

    return report_lines


def test_the_verdict_stands_first_and_once_and_the_rule_last(study, report_lines):
    lines = report_lines()
    text = " ".join(lines)
    assert text.startswith(str(study.findings.verdict))
    assert text.count("Next:") <= 1
    assert text.endswith(RULE)


def test_the_table_has_guessing_and_all_fits_with_their_numbers(study, report_lines):
    known, costs = study.findings.study, study.findings.costs
    lines = report_lines()
    for name, label in (
        ("guess", "always guessing"),
        ("weak", "weak"),
        ("strong_on_labels", "strong on labels"),
        ("weak_to_strong", "weak-to-strong"),
        ("ceiling", "ceiling"),
    ):
        (line,) = (line for line in lines if line.startswith(f"{label}  "))
        numbers = line[len(label) :].split()
        scores = 100 * known.results[f"{name}_score"]
        measures = known.measures[name]
        assert float(numbers[0]) == round(scores.mean(), 2)
        assert float(numbers[2]) == round(100 * measures["balanced_accuracy"], 2)
        assert float(numbers[3]) == round(measures["auc"], 3)
        assert float(numbers[4]) == round(measures["log_loss"], 3)
        assert (numbers[-1] == "-") == (name not in costs)


def test_a_score_that_is_no_accuracy_stands_beside_the_accuracy(study):
    heads, _ = score_cells(study.findings.study, {}, "f1_macro")
    assert heads[:3] == ["f1 macro", "sd", "accuracy"]


@pytest.mark.parametrize("kind", ["guessing", "one_split"])
def test_where_nothing_is_learned_there_is_no_regime_and_no_density(
    study, report_lines, kind
):
    verdict = dataclasses.replace(study.findings.verdict, kind=kind)
    text = " ".join(report_lines(verdict=verdict))
    assert "density" not in text
    assert "regime" not in text


def test_columns_that_cost_nothing_are_not_listed(report_lines):
    text = " ".join(" ".join(report_lines(importance={"a": 0.1, "b": 0.0})).split())
    assert "their cells are permuted: a 10.0" in text
    assert "b 0.0" not in text
    assert "permuted" not in " ".join(report_lines(importance={"b": 0.0}))


def test_sources_are_sorted_by_density(report_lines):
    sources = [SourceRun("a", 15, 0.2, 4), SourceRun("b", 20, 0.6, 9)]
    lines = report_lines(sources)
    start = next(i for i, line in enumerate(lines) if line.startswith("unlabeled rows"))
    assert [line.split() for line in lines[start + 1 : start + 3]] == [
        ["b", "20", "0.600", "9"],
        ["a", "15", "0.200", "4"],
    ]
    assert "(drawn by UCB in batches, with a budget of half of the rows)" in lines


def test_a_report_without_draws_gives_the_reason(report_lines):
    sources = [SourceRun(f"s{i}", 2, 0.5, None) for i in range(30)]
    text = " ".join(report_lines(sources))
    assert "... and 10 more sources" in text
    assert "nothing drawn: half of the rows are too few for 30 sources" in text


@pytest.mark.parametrize("name", ["\x1b[31mred", "a\u202eb", "\ud800", "a\rb", "\x9b"])
def test_names_of_sources_are_escaped_and_do_not_move_the_numbers(name, report_lines):
    lines = report_lines([SourceRun(name, 15, 0.456, 4)])
    plain = report_lines([SourceRun("b", 15, 0.456, 4)])
    assert all(line.isprintable() for line in lines)
    place = next(i for i, line in enumerate(lines) if " 0.456 " in line)
    assert lines[place].startswith(repr(name)[1:-1])
    assert lines[place][28:] == plain[place][28:]


@given(st.text(st.characters(codec=None)))
def test_texts_are_shown_on_one_line_that_is_visible_and_can_be_encoded(text):
    shown = one_line(text)
    assert shown.isprintable()
    shown.encode()
    assert one_line(shown) == shown
    assert all(line.isprintable() for line in wrap(text))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x00", "a\\x00"),
        ("\x1b[0m", "\\x1b[0m"),
        ("\ud800", "\\ud800"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("é😀", "é😀"),
        ("two\n lines", "two lines"),
    ],
)
def test_characters_that_cannot_be_seen_are_shown_by_their_codes(text, shown):
    assert one_line(text) == shown


def test_no_line_is_longer_than_the_page(study, report_lines):
    sources = [SourceRun("long " * 30, 10**6, 0.5, 10**6), SourceRun("x" * 99, 1, 0, 0)]
    lines = report_lines(sources) + wrap("word " * 99, "  ")
    lines += report_lines(
        scoring="balanced_accuracy", results=study.findings.study.results
    )
    assert max(map(len, lines)) <= 88


# Rows worth a look


@pytest.fixture
def fitted(study):
    return study.findings.study, study.findings.pool


def test_the_rows_shown_are_the_clearest_of_their_kind(fitted):
    known, pool = fitted[0].student.rows_, fitted[1]
    hard, overlap, _ = rows_worth_a_look(*fitted)
    for kind, region, keys in (
        (hard, "hard", known["confidence"]),
        (overlap, "overlap", -known["overlap_score"]),
    ):
        inside = np.flatnonzero(known["region"] == region)
        best = inside[np.argsort(keys[inside], kind="stable")][:N_ROWS]
        shown = [row[0] for row in kind["table"]["rows"]]
        assert shown == pool.rows[best].tolist()


def test_doubtful_rows_are_unlabeled_and_the_student_disagrees_with_the_weak(fitted):
    model, pool = fitted[0].student, fitted[1]
    _, _, doubtful = rows_worth_a_look(*fitted)
    rows = doubtful["table"]["rows"]
    assert 0 < len(rows) <= N_ROWS
    place = {number: i for i, number in enumerate(pool.rows.tolist())}
    predicted = model.predict(pool.X)
    for row in rows:
        i = place[row[0]]
        weak = model.classes_[stacked(model, "weak_proba")[i].argmax()]
        assert pool.y[i] is None
        assert row[1:4] == [pool.truth[i], weak, predicted[i]]
        assert row[2] != row[3]


def test_long_text_is_cut_and_gaps_are_empty():
    assert _cell("x" * 61) == "x" * 59 + "…"
    assert _cell("x" * 60) == "x" * 60
    for missing in (None, np.nan, pd.NA, pd.NaT):
        assert not _cell(missing)
    assert _cell(0.1 + 0.2) == "0.3"
    assert _cell("<") == "<"


@pytest.mark.parametrize("make", [np.asarray, pd.DataFrame])
def test_rows_are_read_from_arrays_and_data_frames(make):
    assert _as_lists(make([[1, 2], [3, 4]])) == [[1, 2], [3, 4]]

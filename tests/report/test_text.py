import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_w2s.report._sources import SourceRun
from sklearn_w2s.report._text import FITS, format_report, verdict, wrap

SHARES = {"easy": 0.5, "hard": 0.3, "overlap": 0.2}


def make_results(*scores, gap_recovered=np.nan):
    n_splits = len(scores[0])
    named = {
        f"{name}_score": np.asarray(row, dtype=float)
        for name, row in zip(FITS, scores, strict=True)
    }
    return named | {
        "gap_recovered": gap_recovered,
        "gap_recovered_interval": np.array([gap_recovered - 0.1, gap_recovered + 0.1]),
        "overlap_density": np.full(n_splits, 0.2),
        "region_share": {r: np.full(n_splits, share) for r, share in SHARES.items()},
        "n_test": np.full(n_splits, 1000),
    }


def numbers_of(lines):
    """Return the first number of each row of the report."""
    rows = (line[:28].strip() for line in lines)
    return {
        row: float(line[28:36])
        for row, line in zip(rows, lines, strict=True)
        if line[28:36].strip().replace(".", "").replace("-", "").isdecimal()
    }


def test_it_pays_where_the_interval_is_above_zero():
    results = make_results([0.7] * 3, [0.8, 0.81, 0.82], [0.75] * 3, [0.9] * 3)
    text = verdict(results)
    assert text.startswith("Weak-to-strong pays here")
    assert "6.00 points better than the strong estimator on the labeled rows" in text
    assert "3 splits" in text
    # Student's quantile for two degrees of freedom is 4.303.
    half = 4.303 / np.sqrt(3)
    assert f"(95% interval {6 - half:+.2f} to {6 + half:+.2f})" in text


def test_it_does_not_pay_where_the_interval_is_below_zero():
    results = make_results([0.8] * 3, [0.7, 0.71, 0.72], [0.75] * 3, [0.9] * 3)
    text = verdict(results)
    assert text.startswith("Weak-to-strong does not pay here, the weak estimator does")
    assert "9.00 points worse than the weak estimator" in text


@pytest.mark.parametrize(
    ("student", "words"),
    [
        ([0.7, 0.9, 0.8], "as good as the weak estimator"),
        ([0.7, 0.9, 0.83], "1.00 points better than the weak estimator"),
        ([0.8, 0.8, 0.8], "as good as the weak estimator"),
        ([0.80001, 0.8, 0.8], "as good as the weak estimator"),
    ],
)
def test_it_is_not_clear_where_the_interval_holds_zero(student, words):
    text = verdict(make_results([0.8] * 3, student, [0.7] * 3, [0.9] * 3))
    assert text.startswith("Whether weak-to-strong pays here is not clear")
    assert words in text


def test_one_split_gives_no_verdict():
    text = verdict(make_results([0.8], [0.85], [0.7], [0.9]))
    assert text.startswith("One split cannot tell whether weak-to-strong pays here")
    assert "it is 5.00 points better than the weak estimator" in text
    assert text.endswith("Raise --seeds.")


accuracies = st.lists(st.floats(0, 1), min_size=3, max_size=3)


@given(accuracies, accuracies, accuracies, accuracies, st.floats(-9, 9))
def test_the_numbers_are_those_of_the_results(weak, student, strong, ceiling, share):
    results = make_results(weak, student, strong, ceiling, gap_recovered=share)
    found = numbers_of(format_report(results, []))
    for name, label in FITS.items():
        assert found[label] == round(100 * results[f"{name}_score"].mean(), 2)
    assert found["performance gap recovered"] == pytest.approx(share, abs=0.005001)


@given(accuracies, accuracies, accuracies)
def test_the_verdict_agrees_with_the_interval_it_prints(weak, student, strong):
    text = verdict(make_results(weak, student, strong, [1.0] * 3))
    low, high = (float(part) for part in text[:-2].split("interval ")[1].split(" to "))
    assert text.startswith("Weak-to-strong pays") == (low > 0)
    assert text.startswith("Weak-to-strong does not pay") == (high < 0)


def test_regions_are_listed_with_share_and_size():
    results = make_results([0.7], [0.8], [0.7], [0.9])
    text = "\n".join(format_report(results, []))
    assert "overlap density                0.200       -" in text
    assert "  easy                         50.0%     500" in text
    assert "  hard                         30.0%     300" in text
    assert "  overlap                      20.0%     200" in text


def test_the_share_of_the_gap_has_its_interval():
    results = make_results([0.7], [0.8], [0.7], [0.9], gap_recovered=0.5)
    lines = format_report(results, [])
    line = next(line for line in lines if line.startswith("performance gap"))
    assert line.split(maxsplit=3)[3] == "0.50  (95% interval 0.40 to 0.60)"
    assert any("high  (half of the gap or more" in line for line in lines)


def test_where_there_is_no_gap_it_is_said_to():
    lines = format_report(make_results([0.7], [0.8], [0.7], [0.7]), [])
    assert any("undefined  (no gap beyond its noise)" in line for line in lines)


def test_sources_are_sorted_by_density():
    results = make_results([0.7] * 2, [0.8] * 2, [0.7] * 2, [0.9] * 2)
    sources = [SourceRun("a", 15, 0.2, 4), SourceRun("b", 20, 0.6, 9)]
    lines = format_report(results, sources)
    start = next(i for i, line in enumerate(lines) if line.startswith("unlabeled rows"))
    assert [line.split() for line in lines[start + 1 : start + 3]] == [
        ["b", "20", "0.600", "9"],
        ["a", "15", "0.200", "4"],
    ]
    assert "(drawn by UCB in batches, with a budget of half of the rows)" in lines


def test_a_draw_that_was_not_possible_is_said_to():
    sources = [SourceRun(f"s{i}", 2, 0.5, None) for i in range(30)]
    results = make_results([0.7], [0.8], [0.7], [0.9])
    text = "\n".join(format_report(results, sources))
    assert "... and 10 more sources" in text
    assert "nothing drawn: half of the rows do not do for 30 sources" in text


@pytest.mark.parametrize("name", ["\x1b[31mred", "a\u202eb", "\ud800", "a\rb", "\x9b"])
def test_names_of_sources_are_escaped_and_do_not_move_the_numbers(name):
    results = make_results([0.7], [0.8], [0.7], [0.9])
    lines = format_report(results, [SourceRun(name, 15, 0.456, 4)])
    plain = format_report(results, [SourceRun("b", 15, 0.456, 4)])
    assert all(line.isprintable() for line in lines)
    place = next(i for i, line in enumerate(lines) if "0.456" in line)
    assert lines[place].startswith(repr(name)[1:-1])
    assert lines[place][28:] == plain[place][28:]


@given(st.text())
def test_wrapped_texts_are_visible(text):
    assert all(line.isprintable() for line in wrap(text))


def test_no_line_is_longer_than_the_page():
    sources = [SourceRun("long " * 30, 10**6, 0.5, 10**6), SourceRun("x" * 99, 1, 0, 0)]
    results = make_results([0.7] * 9, [0.8] * 9, [0.7] * 9, [0.9] * 9)
    lines = format_report(results, sources) + wrap("word " * 99, "  ")
    assert max(map(len, lines)) <= 88

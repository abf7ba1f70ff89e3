import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_w2s.metrics import performance_gap_recovered
from sklearn_w2s.report._experiment import Run
from sklearn_w2s.report._sources import SourceRun
from sklearn_w2s.report._text import ROWS, advice, format_report, wrap

SHARES = {"easy": 0.5, "hard": 0.3, "overlap": 0.2}


def make_scores(weak, student, strong, ceiling):
    rows = (weak, student, strong, ceiling)
    return {
        name: np.asarray(row, dtype=float) for name, row in zip(ROWS, rows, strict=True)
    }


def make_runs(scores, sources=()):
    n_seeds = len(scores["weak"])
    return [
        Run({row: scores[row][i] for row in ROWS}, 0.2, SHARES, 1000, list(sources))
        for i in range(n_seeds)
    ]


def numbers_of(lines):
    """Return the first number of each row of the report."""
    rows = (line[:28].strip() for line in lines)
    return {
        row: float(line[28:36])
        for row, line in zip(rows, lines, strict=True)
        if line[28:36].strip().replace(".", "").replace("-", "").isdecimal()
    }


def test_it_pays_where_the_interval_is_above_zero():
    scores = make_scores([0.7] * 3, [0.8, 0.81, 0.82], [0.75] * 3, [0.9] * 3)
    text = advice(scores)
    assert text.startswith("Weak-to-strong pays here")
    assert "6.00 points better than the strong estimator on the labeled rows" in text
    assert "3 seeds" in text
    # Student's quantile for two degrees of freedom is 4.303.
    half = 4.303 / np.sqrt(3)
    assert f"(95% interval {6 - half:+.2f} to {6 + half:+.2f})" in text


def test_it_does_not_pay_where_the_interval_is_below_zero():
    scores = make_scores([0.8] * 3, [0.7, 0.71, 0.72], [0.75] * 3, [0.9] * 3)
    text = advice(scores)
    assert text.startswith("Weak-to-strong does not pay here, the weak estimator does")
    assert "9.00 points worse than the weak estimator" in text


@pytest.mark.parametrize(
    ("student", "words"),
    [
        ([0.7, 0.9, 0.8], "as accurate as the weak estimator"),
        ([0.7, 0.9, 0.83], "1.00 points better than the weak estimator"),
        ([0.8, 0.8, 0.8], "as accurate as the weak estimator"),
        ([0.80001, 0.8, 0.8], "as accurate as the weak estimator"),
    ],
)
def test_it_is_not_clear_where_the_interval_holds_zero(student, words):
    text = advice(make_scores([0.8] * 3, student, [0.7] * 3, [0.9] * 3))
    assert text.startswith("Whether weak-to-strong pays here is not clear")
    assert words in text


def test_one_seed_gives_no_verdict():
    text = advice(make_scores([0.8], [0.85], [0.7], [0.9]))
    assert text.startswith("One seed cannot tell whether weak-to-strong pays here")
    assert "it is 5.00 points better than the weak estimator" in text
    assert text.endswith("Raise --seeds.")


accuracies = st.lists(st.floats(0, 1), min_size=3, max_size=3)


@given(accuracies, accuracies, accuracies, accuracies)
def test_the_numbers_are_those_of_the_seeds(weak, student, strong, ceiling):
    scores = make_scores(weak, student, strong, ceiling)
    lines = format_report(make_runs(scores))
    found = numbers_of(lines)
    for row in ROWS:
        assert found[row] == round(100 * scores[row].mean(), 2)
    share = performance_gap_recovered(
        *(scores[row].mean() for row in ("weak", "weak-to-strong", "ceiling")),
        zero_division=np.nan,
    )
    if np.isnan(share):
        assert any("undefined  (no gap" in line for line in lines)
    elif abs(share) < 1000:
        assert found["performance gap recovered"] == round(share, 2)


@given(accuracies, accuracies, accuracies)
def test_the_verdict_agrees_with_the_interval_it_prints(weak, student, strong):
    text = advice(make_scores(weak, student, strong, [1.0] * 3))
    low, high = (float(part) for part in text[:-2].split("interval ")[1].split(" to "))
    assert text.startswith("Weak-to-strong pays") == (low > 0)
    assert text.startswith("Weak-to-strong does not pay") == (high < 0)


def test_regions_are_listed_with_share_and_size():
    lines = format_report(make_runs(make_scores([0.7], [0.8], [0.7], [0.9])))
    text = "\n".join(lines)
    assert "overlap density                0.200       -" in text
    assert "  easy                         50.0%     500 rows" in text
    assert "  hard                         30.0%     300 rows" in text
    assert "  overlap                      20.0%     200 rows" in text


def test_a_gap_that_some_seeds_lack_is_said_to():
    scores = make_scores([0.8, 0.8], [0.9, 0.7], [0.7, 0.7], [1.0, 0.8])
    text = "\n".join(format_report(make_runs(scores)))
    assert "0.00  (0.50 to 0.50 in 1 of 2 seeds, else no gap)" in text


def test_sources_are_sorted_by_density_and_averaged_over_seeds():
    runs = make_runs(make_scores([0.7] * 2, [0.8] * 2, [0.7] * 2, [0.9] * 2))
    runs[0].sources.extend([SourceRun("a", 10, 0.1, 3), SourceRun("b", 20, 0.5, 9)])
    runs[1].sources.extend([SourceRun("a", 20, 0.3, 5), SourceRun("b", 20, 0.7, 9)])
    lines = format_report(runs)
    start = next(i for i, line in enumerate(lines) if line.startswith("unlabeled rows"))
    assert [line.split() for line in lines[start + 1 : start + 3]] == [
        ["b", "20", "0.600", "9"],
        ["a", "15", "0.200", "4"],
    ]


def test_a_draw_that_was_not_possible_is_said_to():
    sources = [SourceRun(f"s{i}", 2, 0.5, None) for i in range(30)]
    scores = make_scores([0.7], [0.8], [0.7], [0.9])
    text = "\n".join(format_report(make_runs(scores, sources)))
    assert "... and 10 more sources" in text
    assert "nothing drawn: half of the rows do not do for 30 sources" in text


def test_no_line_is_longer_than_the_page():
    sources = [SourceRun("long " * 30, 10**6, 0.5, 10**6), SourceRun("x" * 99, 1, 0, 0)]
    scores = make_scores([0.7] * 9, [0.8] * 9, [0.7] * 9, [0.9] * 9)
    lines = format_report(make_runs(scores, sources)) + wrap("word " * 99, "  ")
    assert max(map(len, lines)) <= 88

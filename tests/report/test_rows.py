import numpy as np
import pandas as pd
import pytest
from rows_table import stacked

from sklearn_w2s.report._html import value
from sklearn_w2s.report._rows import N_ROWS, _as_lists, _cell, rows_content, shorten


def read_rows(content):
    """Return the cells of the rows of a table."""
    body = "".join(content).split("<tbody>")[1]
    return [
        [cell.split(">", 1)[1].split("</t")[0] for cell in row.split("<t")[1:]]
        for row in body.split("<tr>")[1:]
    ]


@pytest.fixture
def fitted(study):
    return study.findings.study, study.findings.pool


def test_the_rows_shown_are_the_clearest_of_their_kind(fitted):
    known, pool = fitted[0].student.rows_, fitted[1]
    hard, overlap, _ = rows_content(*fitted)
    for content, region, keys in (
        (hard, "hard", known["confidence"]),
        (overlap, "overlap", -known["overlap_score"]),
    ):
        inside = np.flatnonzero(known["region"] == region)
        best = inside[np.argsort(keys[inside], kind="stable")][:N_ROWS]
        shown = [int(row[0]) for row in read_rows(content)]
        assert shown == pool.rows[best].tolist()


def test_doubtful_rows_are_unlabeled_and_the_student_disagrees_with_the_weak(fitted):
    model, pool = fitted[0].student, fitted[1]
    _, _, doubtful = rows_content(*fitted)
    rows = read_rows(doubtful)
    assert 0 < len(rows) <= N_ROWS
    place = {number: i for i, number in enumerate(pool.rows.tolist())}
    predicted = model.predict(pool.X)
    for row in rows:
        i = place[int(row[0])]
        weak = model.classes_[stacked(model, "weak_proba")[i].argmax()]
        assert pool.y[i] is None
        assert row[1:4] == [
            value(label) for label in (pool.truth[i], weak, predicted[i])
        ]
        assert row[2] != row[3]


def test_long_text_is_cut_and_gaps_are_empty():
    assert shorten("x" * 61) == value("x" * 59 + "…")
    assert shorten("x" * 60) == value("x" * 60)
    for missing in (None, np.nan, pd.NA, pd.NaT):
        assert not _cell(missing)
    assert _cell(0.1 + 0.2) == "0.3"
    assert _cell("<") == value("<")


@pytest.mark.parametrize("make", [np.asarray, pd.DataFrame])
def test_rows_are_read_from_arrays_and_data_frames(make):
    assert _as_lists(make([[1, 2], [3, 4]])) == [[1, 2], [3, 4]]

"""Rows worth a look: the hardest, the clearest overlap, and doubtful weak labels."""

import numpy as np

from sklearn_w2s._algorithms.overlap import HARD, OVERLAP
from sklearn_w2s._sklearn import safe_indexing
from sklearn_w2s._validation import is_missing
from sklearn_w2s.report._html import element, table, value

N_ROWS = 10
N_COLUMNS = 6
_LONGEST_CELL = 60
_TITLES = {
    "hard": "Hard rows",
    "overlap": "Overlap rows",
    "doubtful": "Suspected wrong weak labels",
}
_SENTENCES = {
    "hard": (
        "The hard rows of the least confidence. Hard are rows of little confidence "
        "that are unlike the easy rows as well, so that not every row below the "
        "threshold of confidence is one."
    ),
    "overlap": (
        "The overlap rows of the highest overlap score: the weak estimator knows their "
        "pattern, and they resemble hard rows most."
    ),
    "doubtful": (
        "Rows that were unlabeled in the fit and that weak-to-strong labels otherwise "
        "than the weak estimator: those where the probabilities it gives to the two "
        "labels, or the two values, differ most."
    ),
}
_FACTS = ("row", "label", "weak label", "student", "confidence", "overlap score")


def rows_content(study, pool):
    """Return the tables of rows worth a look.

    Parameters
    ----------
    study : Study
        Its student was fitted on X and y of the pool, with `store_rows`.
    pool : Pool
        Rows.

    Returns
    -------
    list of Markup
        A heading, a sentence and a table for each kind of row.
    """
    model = study.student
    known = model.rows_
    regions = known["region"]
    kinds = {
        "hard": _first(regions == HARD, known["confidence"]),
        "overlap": _first(regions == OVERLAP, -known["overlap_score"]),
        "doubtful": _doubtful(model, pool),
    }
    return [_one_kind(model, pool, *kind) for kind in kinds.items()]


def _first(mask, keys):
    """Return the positions of the smallest keys where the mask is true."""
    positions = np.flatnonzero(mask)
    return positions[np.argsort(keys[positions], kind="stable")][:N_ROWS]


def _doubtful(model, pool):
    unlabeled = ~model.rows_["labeled"]
    if not hasattr(model, "classes_"):
        apart = np.abs(model.predict(pool.X) - model.rows_["weak_label"])
        return _first(unlabeled & (apart > 0), -apart)
    proba = model.predict_proba(pool.X)
    weak = np.searchsorted(model.classes_, model.rows_["weak_label"])
    student = proba.argmax(axis=1)
    everywhere = np.arange(len(proba))
    lead = proba[everywhere, student] - proba[everywhere, weak]
    return _first(unlabeled & (weak != student), -lead)


def _one_kind(model, pool, name, positions):
    title, sentence = _TITLES[name], _SENTENCES[name]
    heading = element("h3", title, id=f"rows-{name}")
    if not len(positions):
        return [heading, element("p", sentence), element("p", "There is none.")]
    columns = [*_FACTS, *_column_names(pool.X)]
    shown = safe_indexing(pool.X, positions)
    cells = [[_cell(content) for content in row] for row in _as_lists(shown)]
    facts = _facts(model, pool, positions)
    rows = [[*fact, *cell] for fact, cell in zip(facts, cells, strict=True)]
    n_more = pool.X.shape[1] - N_COLUMNS
    caption = f"{title}, {N_ROWS} at most"
    if n_more > 0:
        caption += f", with the first {N_COLUMNS} of {pool.X.shape[1]} columns"
    content = table(caption, columns, rows, id_=f"rows-{name}-table", numeric={4, 5})
    return [heading, element("p", sentence), element("div", content, class_="rows")]


def _facts(model, pool, positions):
    """Return number, labels and scores of each row."""
    scores = model.rows_
    weak = scores["weak_label"][positions]
    student = model.predict(safe_indexing(pool.X, positions))
    return [
        [
            pool.rows[i],
            "" if _is_gap(pool.truth[i], pool) else _cell(pool.truth[i]),
            _cell(weak[rank]),
            _cell(student[rank]),
            f"{scores['confidence'][i]:.3f}",
            f"{scores['overlap_score'][i]:.3f}",
        ]
        for rank, i in enumerate(positions)
    ]


def _is_gap(label, pool):
    return is_missing(label) or label == pool.missing_label


def _column_names(X):
    names = getattr(X, "columns", [f"column {i}" for i in range(X.shape[1])])
    return [shorten(name) for name in list(names)[:N_COLUMNS]]


def _as_lists(X):
    if hasattr(X, "iloc"):
        return X.iloc[:, :N_COLUMNS].astype(object).to_numpy().tolist()
    return X[:, :N_COLUMNS].tolist()


def _cell(content):
    if is_missing(content):
        return ""
    if isinstance(content, float):
        return f"{content:.6g}"
    return shorten(content)


def shorten(content):
    """Return a text from the data, long ones without their end."""
    text = str(content)
    if len(text) > _LONGEST_CELL:
        text = f"{text[: _LONGEST_CELL - 1]}…"
    return value(text)

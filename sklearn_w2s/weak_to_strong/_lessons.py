"""Lessons: what a teacher says of all rows, and who predicts with the strong estimator.

Everything that a strategy with a teacher learns before the strong estimator is fitted.
"""

from typing import Any, NamedTuple

import numpy as np

from sklearn_w2s._algorithms.sharpness import sharpen
from sklearn_w2s._algorithms.weak_labels import one_hot
from sklearn_w2s._fitting import take_metadata
from sklearn_w2s._sklearn import safe_indexing
from sklearn_w2s._validation import n_rows
from sklearn_w2s._weak import other_columns
from sklearn_w2s.weak_to_strong._abstention import better_alone, held_out_hits
from sklearn_w2s.weak_to_strong._students import HelperStudents
from sklearn_w2s.weak_to_strong._teachers import (
    Labels,
    Teacher,
    co_train,
    fit_members,
    sharpness_of,
    weigh_members,
)
from sklearn_w2s.weak_to_strong._trust import TrustingTeacher
from sklearn_w2s.weak_to_strong._views import fit_view, unknown_columns

_NAMES = {"weak": "weak", "strong": "strong_on_labels"}


class Lesson(NamedTuple):
    """What the strong estimator learns, and who predicts with it.

    Parameters
    ----------
    proba : ndarray of shape (n, n_classes)
        Targets of all rows.
    teacher : Teacher, CoTeacher or TrustingTeacher or None
        None where it knows nothing that the students do not see.
    students : HelperStudents or None
        Helper students.
    includes_labeled : bool
        Whether labeled rows train the strong estimator.
    alone : {"weak", "strong_on_labels"} or None
        Who predicts alone, as the teacher, because held-out rows say so.
    evidence : dict
        Figures for the user.
    """

    proba: Any
    teacher: Any
    students: Any
    includes_labeled: bool
    alone: Any
    evidence: dict


def teach(kind, setting, *, with_students, may_abstain):
    """Train a teacher, and helper students on what it says.

    Parameters
    ----------
    kind : {"mix", "trust", "blend", "co_train"}
        Which teacher. "mix" is the weak estimator and the strong one trained on the
        labels, by the evidence of held-out rows; "trust" weighs them row by row;
        "blend" has helpers trained on the labels as well; "co_train" is the blend of
        what one view tells, corrected by all other columns.
    setting : Setting
        What is known.
    with_students : bool
        Whether there are helper students. The view of "co_train" is then all that
        labeled rows know, else what the weak estimator sees.
    may_abstain : bool
        Whether one of the two parents, the weak estimator and the strong one trained on
        the labels, teaches and predicts alone where it is right in more held-out rows
        than all members together.

    Returns
    -------
    Lesson
        What they say.

    Raises
    ------
    ValueError
        If there are no two views to train "co_train" on.
    """
    kept = np.flatnonzero(setting.weights > 0)
    labeled = kept[setting.labeled[kept]]
    unlabeled = kept[~setting.labeled[kept]]
    X = safe_indexing(setting.X, unlabeled)
    unknown = unknown_columns(setting.X, labeled, unlabeled)
    own, others = _two_views(kind, setting, unknown, with_students=with_students)
    complete = not unknown and setting.include_labeled
    # Values that labeled rows alone lack would look like their mark.
    full_view = fit_view(setting.X, None, unlabeled if unknown else kept, setting.rng)
    view = full_view if own is None else fit_view(setting.X, own, kept, setting.rng)

    proba = setting.weak_proba.copy()
    strong = setting.strong if complete and own is None else None
    teacher, evidence, alone = _train(
        kind, setting, labeled, X, unlabeled, view, strong
    )
    alone = alone if may_abstain else None
    if alone is not None:
        teacher, others, with_students = teacher.only(alone), None, False
    taught = teacher.proba(X, setting.weak_proba[unlabeled])
    if others is not None and len(unlabeled) > 1:
        teacher, taught = co_train(
            teacher,
            taught,
            X,
            fit_view(setting.X, others, unlabeled, setting.rng),
            setting.weights[unlabeled],
            rng=setting.rng,
            n_jobs=setting.n_jobs,
        )
    proba[unlabeled] = taught
    students = None
    knows_more = len(labeled) > 0 or setting.weak.columns is not None
    rows = kept if complete else unlabeled
    if with_students and len(rows) > 1:
        students = HelperStudents(
            full_view,
            bool(len(labeled)),
            setting.n_jobs,
            # Rules that see columns of their own were not made for the class shares.
            keep_shares=len(labeled) > 0 or setting.weak.columns is None,
        )
        said = _learn(students, setting, rows, proba)
        proba[rows] = (proba[rows] + said) / 2 if knows_more else said
    can_predict = alone == "strong" or setting.weak.estimator is not None
    return Lesson(
        proba=proba,
        teacher=teacher if knows_more and can_predict else None,
        students=students,
        includes_labeled=complete,
        alone=None if alone is None else _NAMES[alone],
        evidence=evidence,
    )


def _two_views(kind, setting, unknown, *, with_students):
    """Return the columns that a teacher sees, and those that correct it, if any.

    None for the first means all columns.
    """
    others = unknown
    if kind == "co_train" and not with_students and setting.weak.columns is not None:
        others = other_columns(setting.X, setting.weak.columns)
    if kind == "co_train" and not with_students and not others:
        msg = (
            'strategy="co_train" needs two views: set weak_features to some of the '
            "columns, or pass unlabeled rows with columns that labeled rows lack."
        )
        raise ValueError(msg)
    if not others:
        return None, None
    return other_columns(setting.X, others), others if kind == "co_train" else None


def _train(kind, setting, labeled, X, unlabeled, view, strong):
    """Return a teacher, the evidence, and the parent that is better alone, if any."""
    if not len(labeled):
        return Teacher(setting.weak, {}, np.ones(1), None), {}, None
    # Splitters count rows of weight zero as well.
    rows, strong_weights = np.flatnonzero(setting.labeled), setting.strong_weights
    labels = Labels(
        X=safe_indexing(setting.X, rows),
        y=setting.labels,
        codes=setting.codes,
        weights=setting.weights[rows],
        weighted=setting.weighted,
        strong_weights=None if strong_weights is None else strong_weights[rows],
        params=take_metadata(setting.strong_params, rows, n_rows(setting.X)),
        weak_proba=setting.weak_proba[rows],
        classes=setting.weak.classes,
        cv=setting.cv,
    )
    members = fit_members(
        labels,
        strong,
        view,
        helpers=kind in ("blend", "co_train"),
        seeds=setting.seeds,
        rng=setting.rng,
        n_jobs=setting.n_jobs,
    )
    weak_sharpness = sharpness_of(labels.weak_proba, labels)
    labels = labels._replace(weak_proba=sharpen(labels.weak_proba, weak_sharpness))
    weights, scores = weigh_members(labels, members)
    names = ["weak", *members]
    hits, row_weights = held_out_hits(labels, members, weights)
    evidence = {
        "weights": dict(zip(names, weights.tolist(), strict=True)),
        "log_likelihood": dict(zip([*names, "all"], scores.tolist(), strict=True)),
        "accuracy": {
            name: float(np.average(right, weights=row_weights))
            if len(right)
            else np.nan
            for name, right in hits.items()
        },
    }
    # What cannot be asked for new rows cannot predict them alone.
    candidates = ["strong"] if setting.weak.estimator is None else ["weak", "strong"]
    alone = better_alone(hits, row_weights, evidence["weights"], candidates)
    teacher = Teacher(setting.weak, members, weights, view, weak_sharpness)
    if kind == "trust":
        trusting = TrustingTeacher(teacher, view)
        trusting.fit(labels, X, setting.weak_proba[unlabeled])
        return trusting, evidence, alone
    return teacher, evidence, alone


def _learn(students, setting, rows, proba):
    """Fit helper students on what is known of rows; return what they say of them."""
    known = proba.copy()
    known[setting.labeled] = one_hot(setting.codes, proba.shape[1])
    return students.fit(
        safe_indexing(setting.X, rows), known[rows], setting.weights[rows], setting.rng
    )

"""Multiple-choice questions as texts that are labeled right or wrong."""

from string import Formatter
from typing import Any, Literal

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_consistent_length

from sklearn_w2s.text._inputs import texts_of

_CANDIDATES = ("one", "pair", "all")
_FIELDS = {"question", "choice"}


def multiple_choice_to_binary(
    questions: Any,
    choices: Any,
    answers: Any,
    *,
    template: str = "{question}\n{choice}",
    candidates: Literal["one", "pair", "all"] = "one",
    groups: Any = None,
    random_state: int | np.random.RandomState | None = None,
) -> tuple[Any, ...]:
    r"""Turn questions with several answers into texts of two classes.

    A text is a question with one of its answers, the candidate; its class is 1 where
    the candidate is the right answer.

    Parameters
    ----------
    questions : array-like of str of shape (n_questions,)
        Questions, with whatever they refer to.
    choices : sequence of sequences of str, or array of shape (n_questions, n_choices)
        Answers of each question, two at least. Their number may differ.
    answers : array-like of int of shape (n_questions,)
        Position of the right answer among those of the question.
    template : str, default="{question}\\n{choice}"
        How the text is made of both.
    candidates : {"one", "pair", "all"}, default="one"
        Which answers become texts, in the order of the questions:

        - "one": a single one per question, so that rows are independent; of a random
          half of the questions the right one, of the others a random wrong one. With an
          odd number of questions there is one more that is wrong;
        - "pair": the right one, then a random wrong one;
        - "all": all of them, in their order.
    groups : array-like of shape (n_questions,), default=None
        What questions have in common, such as the passage that they are about. None
        makes each question one group, named by its position.
    random_state : int, RandomState instance or None, default=None
        Draws the candidates.

    Returns
    -------
    texts : ndarray of object of shape (n,)
        Texts.
    y : ndarray of int of shape (n,)
        1 where the candidate is right, 0 elsewhere.
    groups : ndarray of shape (n,)
        Group of each text, for splitters such as
        :class:`~sklearn.model_selection.GroupKFold` that keep what belongs together on
        one side.

    Raises
    ------
    ValueError
        If lengths differ, a question or an answer is not a text, a question has fewer
        than two answers or no right one, the template has other fields than
        `{question}` and `{choice}`, or `candidates` is not one of the above.

    Notes
    -----
    The experiments of [1]_ take one candidate of each question, right or wrong by the
    toss of a coin, and drop rows of the larger class afterwards; here the halves are
    exact and no question is dropped.

    References
    ----------
    .. [1] C. Shin, J. Cooper, F. Sala, "Weak-to-Strong Generalization Through the
       Data-Centric Lens", ICLR 2025, https://arxiv.org/abs/2412.03881

    Examples
    --------
    >>> from sklearn_w2s.text import multiple_choice_to_binary
    >>> texts, y, groups = multiple_choice_to_binary(
    ...     ["Capital of France?", "Two and two?"],
    ...     [["Lyon", "Paris", "Nice"], ["Four", "Five"]],
    ...     [1, 0],
    ...     template="{question} {choice}.",
    ...     candidates="all",
    ... )
    >>> texts[:2].tolist()
    ['Capital of France? Lyon.', 'Capital of France? Paris.']
    >>> y.tolist(), groups.tolist()
    ([0, 1, 0, 1, 0], [0, 0, 0, 1, 1])
    """
    _check_template(template)
    if candidates not in _CANDIDATES:
        msg = f"candidates={candidates!r} is not one of {_CANDIDATES}."
        raise ValueError(msg)
    questions = texts_of(questions, "questions")
    choices = _check_choices(choices)
    answers = np.asarray(answers)
    groups = np.arange(len(questions)) if groups is None else np.asarray(groups)
    check_consistent_length(questions, choices, answers, groups)
    _check_answers(answers, choices)
    rng = check_random_state(random_state)
    taken = _draw(candidates, choices, answers, rng)
    texts = [
        template.format(question=questions[i], choice=choices[i][j]) for i, j in taken
    ]
    rows, positions = np.array(taken).T
    y = (positions == answers[rows]).astype(int)
    return np.array(texts, dtype=object), y, groups[rows]


def _draw(candidates, choices, answers, rng):
    """Return the position of the question and that of the answer for every text."""
    if candidates == "all":
        return [(i, j) for i, own in enumerate(choices) for j in range(len(own))]
    # Those before the right answer stay where they are, those after it move up by one.
    wrong = [rng.randint(len(own) - 1) for own in choices]
    wrong = [j + (j >= answer) for j, answer in zip(wrong, answers, strict=True)]
    if candidates == "pair":
        pairs = zip(answers, wrong, strict=True)
        return [(i, j) for i, pair in enumerate(pairs) for j in pair]
    is_right = rng.permutation(len(answers)) < len(answers) // 2
    return list(enumerate(np.where(is_right, answers, wrong)))


def _check_template(template):
    fields = {name for _, name, _, _ in Formatter().parse(template) if name is not None}
    if fields != _FIELDS:
        msg = (
            f"template={template!r} has the fields {sorted(fields)}; it needs "
            "{question} and {choice}, and no other."
        )
        raise ValueError(msg)


def _check_choices(choices):
    rows = choices.to_numpy() if hasattr(choices, "to_numpy") else choices
    checked = []
    for position, own in enumerate(rows):
        name = f"choices[{position}]"
        if isinstance(own, str):
            msg = f"{name}={own!r} is a single text. Pass a list of answers."
            raise ValueError(msg)
        answers = texts_of(own, name)
        if len(answers) < 2:
            msg = f"{name}={answers} has no wrong answer. Pass two answers at least."
            raise ValueError(msg)
        checked.append(answers)
    return checked


def _check_answers(answers, choices):
    if answers.ndim != 1 or answers.dtype.kind not in "iu":
        msg = (
            f"answers has shape {answers.shape} and type {answers.dtype}. Pass the "
            "position of the right answer of each question as int, counted from 0."
        )
        raise ValueError(msg)
    for position, (answer, own) in enumerate(zip(answers, choices, strict=True)):
        if not 0 <= answer < len(own):
            msg = (
                f"answers[{position}]={answer}, but choices[{position}] has the "
                f"positions 0 to {len(own) - 1}."
            )
            raise ValueError(msg)

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_w2s.text import multiple_choice_to_binary

TEMPLATE = "{question}|{choice}"


@st.composite
def problems(draw):
    """Questions whose answers differ in number, and positions of the right ones."""
    sizes = draw(st.lists(st.integers(2, 5), min_size=1, max_size=9))
    questions = [f"q{i}" for i in range(len(sizes))]
    choices = [[f"{i}.{j}" for j in range(size)] for i, size in enumerate(sizes)]
    answers = [draw(st.integers(0, size - 1)) for size in sizes]
    return questions, choices, answers


def parse(texts):
    """Return question and answer position of each text."""
    pairs = [text.split("|") for text in texts]
    assert all(question == f"q{answer.split('.')[0]}" for question, answer in pairs)
    return [tuple(map(int, answer.split("."))) for _, answer in pairs]


@given(problems(), st.integers(0, 9))
def test_one_candidate_per_question_is_right_for_exactly_half(problem, seed):
    questions, choices, answers = problem
    texts, y, groups = multiple_choice_to_binary(
        questions, choices, answers, template=TEMPLATE, random_state=seed
    )

    taken = parse(texts)
    assert [i for i, _ in taken] == list(range(len(questions)))
    assert y.tolist() == [int(answers[i] == j) for i, j in taken]
    assert y.sum() == len(questions) // 2
    assert groups.tolist() == list(range(len(questions)))


@given(problems(), st.integers(0, 9))
def test_a_pair_is_the_right_candidate_and_a_wrong_one(problem, seed):
    questions, choices, answers = problem
    texts, y, groups = multiple_choice_to_binary(
        questions,
        choices,
        answers,
        template=TEMPLATE,
        candidates="pair",
        random_state=seed,
    )

    taken = parse(texts)
    assert y.tolist() == [1, 0] * len(questions)
    assert [int(answers[i] == j) for i, j in taken] == y.tolist()
    assert groups.tolist() == np.repeat(range(len(questions)), 2).tolist()


@given(problems())
def test_all_candidates_are_there_once_in_their_order(problem):
    questions, choices, answers = problem
    texts, y, groups = multiple_choice_to_binary(
        questions, choices, answers, template=TEMPLATE, candidates="all"
    )

    every = [(i, j) for i, own in enumerate(choices) for j in range(len(own))]
    assert parse(texts) == every
    assert y.tolist() == [int(answers[i] == j) for i, j in every]
    assert groups.tolist() == [i for i, _ in every]


def test_every_wrong_answer_is_drawn_as_often():
    n = 6000
    texts, y, _ = multiple_choice_to_binary(
        [""] * n, [list("abcd")] * n, [2] * n, template="{question}{choice}",
        random_state=0,
    )  # fmt: skip

    counts = pd.Series(texts[y == 0]).value_counts()
    assert set(counts.index) == {"a", "b", "d"}
    assert counts.min() > 0.9 * n / 6
    assert set(texts[y == 1]) == {"c"}


def test_the_seed_decides_what_is_drawn():
    problem = ["q"] * 20, [["a", "b", "c"]] * 20, [0] * 20
    first, again, other = (
        multiple_choice_to_binary(*problem, random_state=seed)[0].tolist()
        for seed in (0, 0, 1)
    )

    assert first == again != other


def test_tables_and_lists_give_the_same():
    frame = pd.DataFrame({"question": ["p", "q"], "a": ["1", "2"], "b": ["3", "4"]})
    of_table = multiple_choice_to_binary(
        frame["question"], frame[["a", "b"]], pd.Series([0, 1]), candidates="all"
    )
    of_lists = multiple_choice_to_binary(
        ["p", "q"], [["1", "3"], ["2", "4"]], [0, 1], candidates="all"
    )

    for left, right in zip(of_table, of_lists, strict=True):
        np.testing.assert_array_equal(left, right)


def test_groups_are_repeated_for_every_text():
    _, _, groups = multiple_choice_to_binary(
        ["p", "q"], [["1", "2"], ["3", "4"]], [0, 1], candidates="pair",
        groups=["passage", "other"],
    )  # fmt: skip

    assert groups.tolist() == ["passage", "passage", "other", "other"]


def test_braces_in_texts_are_no_fields():
    texts, _, _ = multiple_choice_to_binary(
        ["{choice}"], [["{question}", "{0}"]], [0], candidates="all"
    )

    assert texts.tolist() == ["{choice}\n{question}", "{choice}\n{0}"]


ONE = {"questions": ["q"], "choices": [["a", "b"]], "answers": [0]}
REFUSED = {
    "template": ({"template": "{question}"}, "it needs {question} and {choice}"),
    "field": ({"template": "{question}{choice}{0}"}, "it needs"),
    "candidates": ({"candidates": "two"}, "candidates='two' is not one of"),
    "question": ({"questions": [None]}, "questions holds None"),
    "choice": ({"choices": [["a", None]]}, r"choices\[0\] holds None at position 1"),
    "text": ({"choices": ["ab"]}, r"choices\[0\]='ab' is a single text"),
    "alone": ({"choices": [["a"]]}, "has no wrong answer"),
    "length": ({"answers": [0, 1]}, "inconsistent numbers of samples"),
    "groups": ({"groups": [0, 1]}, "inconsistent numbers of samples"),
    "past": ({"answers": [2]}, r"answers\[0\]=2, but choices\[0\] has the positions"),
    "negative": ({"answers": [-1]}, r"answers\[0\]=-1"),
    "float": ({"answers": [0.0]}, "as int, counted from 0"),
    "word": ({"answers": ["a"]}, "as int, counted from 0"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_makes_no_question_is_refused(what):
    changed, reason = REFUSED[what]

    with pytest.raises(ValueError, match=reason):
        multiple_choice_to_binary(**ONE | changed)

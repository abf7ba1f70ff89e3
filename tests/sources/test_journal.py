"""Steps on disk."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sklearn_w2s.sources._drawing import Step
from sklearn_w2s.sources._journal import Journal


def test_steps_come_back_in_their_order(tmp_path):
    journal = Journal(tmp_path)
    for number in range(12):
        journal.write({"number": number})
    assert [step["number"] for step in Journal(tmp_path).read()] == list(range(12))


def test_a_journal_goes_on_behind_the_steps_that_it_holds(tmp_path):
    for number in range(5):
        Journal(tmp_path).write(number)
    assert list(Journal(tmp_path).read()) == list(range(5))


def test_a_new_journal_makes_its_folder_and_is_empty(tmp_path):
    journal = Journal(tmp_path / "deep" / "run")
    assert list(journal.read()) == []
    assert (tmp_path / "deep" / "run").is_dir()


def test_how_a_run_began_is_noted_once(tmp_path):
    assert Journal(tmp_path).open({"seed": 1}) == {"seed": 1}
    assert Journal(tmp_path).open({"seed": 2}) == {"seed": 1}


@pytest.mark.parametrize("content", [b"", b"\x80\x04half of a st"])
def test_an_unfinished_file_is_harmless(tmp_path, content):
    journal = Journal(tmp_path)
    journal.open("start")
    journal.write("first")
    (tmp_path / "unfinished").write_bytes(content)
    again = Journal(tmp_path)
    assert again.open("other") == "start"
    assert list(again.read()) == ["first"]
    again.write("second")
    assert list(Journal(tmp_path).read()) == ["first", "second"]
    assert not (tmp_path / "unfinished").exists()


def test_a_step_that_cannot_be_written_leaves_the_others(tmp_path):
    journal = Journal(tmp_path)
    journal.write("first")
    with pytest.raises((TypeError, AttributeError)):
        journal.write(i for i in range(3))
    journal.write("second")
    assert list(Journal(tmp_path).read()) == ["first", "second"]


def test_a_step_keeps_all_that_it_holds(tmp_path):
    step = Step(
        source=1, indices=np.array([0.5, np.nan]), batch=(np.ones((2, 3)), None)
    )
    Journal(tmp_path).write(step)
    [back] = Journal(tmp_path).read()
    assert back.source == 1
    assert_array_equal(back.indices, step.indices)
    assert_array_equal(back.batch[0], np.ones((2, 3)))
    assert back.batch[1] is None


def test_every_step_is_a_file_of_its_own_that_does_not_grow(known_selector, tmp_path):
    def endless(density):
        return lambda n: np.column_stack(
            [np.arange(n) < density * n, np.zeros((n, 2))]
        ).astype(float)

    known_selector(checkpoint=tmp_path, n_rounds=120, batch_size=10).fit_sources(
        {"a": endless(0.2), "b": endless(0.5)}
    )
    files = sorted(tmp_path.glob("step-*"))
    sizes = [file.stat().st_size for file in files]
    assert len(files) == 120
    assert max(sizes[60:]) <= max(sizes[3:60])
    assert {file.name for file in tmp_path.iterdir()} == {
        "start.joblib",
        *(file.name for file in files),
    }


def test_a_run_that_goes_on_adds_files_and_changes_none(known_selector, tmp_path):
    def run(n_rounds):
        known_selector(
            checkpoint=tmp_path, n_rounds=n_rounds, batch_size=10
        ).fit_sources({"a": np.eye(3)[np.arange(300) % 3]})
        return {file.name: file.read_bytes() for file in tmp_path.iterdir()}

    first, second = run(5), run(12)
    assert first.items() <= second.items()
    assert len(second) == len(first) + 7

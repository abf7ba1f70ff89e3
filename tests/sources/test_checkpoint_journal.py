"""Steps on disk."""

import os
import stat
import subprocess
import sys

import numpy as np
import pytest

from sklearn_w2s.sources._checkpoint import Journal, held


def opened(folder, start="start"):
    """Return a journal behind its last step, and the steps."""
    folder.mkdir(exist_ok=True)
    journal = Journal(folder)
    assert journal.open(start) == "start"
    return journal, list(journal.read())


def with_steps(folder, n=4):
    journal, _ = opened(folder)
    for number in range(n):
        journal.write({"number": number, "rows": np.full((3, 2), number)})
    return [folder / f"step-{number:08d}.bin" for number in range(n)]


def numbers_in(folder):
    return [step["number"] for step in opened(folder)[1]]


def test_steps_come_back_in_their_order(tmp_path):
    with_steps(tmp_path, 12)
    assert numbers_in(tmp_path) == list(range(12))


def test_a_journal_continues_after_the_steps_that_it_holds(tmp_path):
    for number in range(5):
        journal, steps = opened(tmp_path)
        assert steps == list(range(number))
        journal.write(number)


def test_how_a_run_began_is_noted_once(tmp_path):
    assert Journal(tmp_path).open({"seed": 1}) == {"seed": 1}
    assert Journal(tmp_path).open({"seed": 2}) == {"seed": 1}


def test_a_step_that_cannot_be_written_leaves_the_others(tmp_path):
    journal, _ = opened(tmp_path)
    journal.write("first")
    with pytest.raises(TypeError, match="generator"):
        journal.write(i for i in range(3))
    journal.write("second")
    assert opened(tmp_path)[1] == ["first", "second"]


# Damage


def test_any_beginning_of_the_last_step_is_left_out_with_a_warning(tmp_path):
    paths = with_steps(tmp_path)
    content = paths[-1].read_bytes()
    for size in [*range(120), len(content) // 2, len(content) - 1]:
        paths[-1].write_bytes(content[:size])
        with pytest.warns(UserWarning, match="step-00000003.bin was written in part"):
            assert numbers_in(tmp_path) == [0, 1, 2]
    paths[-1].write_bytes(bytes(len(content)))
    with pytest.warns(UserWarning, match="written in part"):
        journal, _ = opened(tmp_path)
    journal.write({"number": 3})
    assert numbers_in(tmp_path) == [0, 1, 2, 3]


@pytest.mark.parametrize("name", ["start.bin", "step-00000001.bin"])
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.write_bytes(b""), "is not part of a checkpoint"),
        (lambda path: path.write_bytes(b"\x80\x04N."), "is not part of a checkpoint"),
        (lambda path: path.write_bytes(path.read_bytes()[:-1]), "is damaged"),
        (lambda path: path.write_bytes(path.read_bytes() + b"x"), "is damaged"),
        (lambda path: path.unlink(), "cannot be read"),
        (lambda path: path.unlink() or path.mkdir(), "cannot be read"),
    ],
)
def test_any_other_damage_is_an_error_that_names_file_and_way_out(
    tmp_path, name, damage, message
):
    with_steps(tmp_path)
    damage(tmp_path / name)
    way_out = "Restore it.*name another checkpoint to start a new run"
    with pytest.raises(ValueError, match=f"{name} {message}.*{way_out}"):
        opened(tmp_path)


@pytest.mark.parametrize(
    "name", ["start.bin", "step-00000001.bin", "step-00000003.bin"]
)
def test_no_flipped_bit_goes_unseen(tmp_path, name):
    with_steps(tmp_path)
    path = tmp_path / name
    content = path.read_bytes()
    rng = np.random.RandomState(0)
    for place in rng.choice(len(content), 60, replace=False):
        flipped = bytearray(content)
        flipped[place] ^= 1 << rng.randint(8)
        path.write_bytes(flipped)
        # One in the length of the last step may look like a part of a step.
        with pytest.raises((ValueError, UserWarning), match=name):
            opened(tmp_path)


def test_the_way_out_leads_out(tmp_path):
    paths = with_steps(tmp_path)
    paths[1].write_bytes(b"?")
    with pytest.raises(ValueError, match="delete it and all later steps to continue"):
        opened(tmp_path)
    for path in paths[1:]:
        path.unlink()
    assert numbers_in(tmp_path) == [0]


def test_a_step_of_another_run_is_refused(tmp_path):
    paths = with_steps(tmp_path / "one")
    journal, _ = opened(tmp_path / "two")
    journal.write({"number": 7})
    paths[0].write_bytes((tmp_path / "two" / "step-00000000.bin").read_bytes())
    with pytest.raises(ValueError, match=r"step-00000001\.bin is .* another run"):
        opened(tmp_path / "one")


def test_other_files_are_ignored(tmp_path):
    with_steps(tmp_path)
    for name in ("step-notes.joblib", "step-1.bin", "notes", ".DS_Store"):
        (tmp_path / name).write_text("x")
    assert numbers_in(tmp_path) == [0, 1, 2, 3]


# Others at work


def test_a_checkpoint_is_held_by_one_run_which_is_named(tmp_path):
    with held(tmp_path), pytest.raises(RuntimeError, match=f"process {os.getpid()} on"):
        held(tmp_path).__enter__()
    with held(tmp_path):
        pass


def test_a_process_that_died_holds_nothing(tmp_path):
    code = (
        "import os, sys; from sklearn_w2s.sources._checkpoint import held\n"
        "with held(sys.argv[1]): os._exit(7)"
    )
    died = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, sys.path))},
        check=False,
    )
    assert died.returncode == 7
    assert (tmp_path / "lock").exists()
    (tmp_path / "unfinished-abc").write_text("half")
    with held(tmp_path):
        assert not (tmp_path / "unfinished-abc").exists()


def test_a_file_is_no_checkpoint(tmp_path):
    (tmp_path / "file").write_text("x")
    with (
        pytest.raises(ValueError, match=r"is a file\. Name a folder"),
        held(tmp_path / "file"),
    ):
        pass


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX")
def test_files_are_private_and_no_link_is_followed(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    folder = tmp_path / "run"
    with held(folder):
        with_steps(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    (folder / "lock").unlink()
    (folder / "lock").symlink_to(victim)
    with pytest.raises(ValueError, match="cannot be locked"), held(folder):
        pass
    assert victim.read_text() == "precious"


def test_a_folder_in_which_another_run_went_on_is_refused(tmp_path):
    journal, _ = opened(tmp_path)
    journal.require_own()
    journal.write("mine")
    journal.require_own()
    opened(tmp_path)[0].write("another's")
    with pytest.raises(ValueError, match="was changed by another run"):
        journal.require_own()


# Runs


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
        "lock",
        "start.bin",
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


@pytest.mark.parametrize("name", ["lock", "unfinished-1"])
def test_a_folder_in_place_of_a_file_is_named_or_left_alone(tmp_path, name):
    (tmp_path / name).mkdir()
    if name == "lock":
        with (
            pytest.raises(ValueError, match=r"cannot be locked: .*lock"),
            held(tmp_path),
        ):
            pass
        return
    with held(tmp_path):
        assert (tmp_path / name).is_dir()

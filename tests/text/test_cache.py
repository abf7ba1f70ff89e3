import os
import shutil
import sqlite3
import warnings
from contextlib import closing

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joblib import Parallel, delayed

from sklearn_w2s.text._cache import (
    DAMAGED_NAME,
    FILE_NAME,
    ActivationCache,
    model_fingerprint,
)

# Lone surrogates are no Unicode, but may be in a str.
ANY_TEXT = st.text(st.characters(), max_size=20)


def vectors_for(texts):
    rng = np.random.default_rng(len(texts))
    return rng.normal(size=(len(texts), 3)).astype(np.float32)


@given(st.lists(ANY_TEXT, unique=True, max_size=8), st.integers(0, 8))
def test_what_was_written_is_read_and_nothing_else(tmp_path_factory, texts, n_written):
    written, others = texts[:n_written], texts[n_written:]
    vectors = vectors_for(written)
    cache = ActivationCache(tmp_path_factory.mktemp("cache"), "model")
    cache.write(written, vectors)

    known = cache.read(others + written)

    assert set(known) == set(written)
    for text, vector in zip(written, vectors, strict=True):
        np.testing.assert_array_equal(known[text], vector)


def test_more_texts_than_a_statement_takes_are_read(tmp_path):
    texts = [f"text {i}" for i in range(1_234)]
    vectors = vectors_for(texts)
    cache = ActivationCache(tmp_path, "model")
    cache.write(texts, vectors)

    known = cache.read(texts)

    np.testing.assert_array_equal([known[text] for text in texts], vectors)


def test_fingerprints_share_a_file_and_no_vectors(tmp_path):
    ActivationCache(tmp_path, "model").write(["text"], np.ones((1, 2)))

    assert ActivationCache(tmp_path, "other").read(["text"]) == {}
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


@given(st.tuples(*[st.text("a\0", max_size=4)] * 4))
def test_no_two_pairs_of_fingerprint_and_text_share_a_key(tmp_path_factory, parts):
    folder = tmp_path_factory.mktemp("cache")
    fingerprint, text, other_fingerprint, other = parts
    keys = [
        ActivationCache(folder, fingerprint)._key(text),
        ActivationCache(folder, other_fingerprint)._key(other),
    ]

    is_same = (fingerprint, text) == (other_fingerprint, other)
    assert (keys[0] == keys[1]) == is_same


def test_the_first_vector_of_a_text_stays(tmp_path):
    cache = ActivationCache(tmp_path, "model")
    cache.write(["text"], np.array([[1.0]]))
    cache.write(["text", "new"], np.array([[2.0], [3.0]]))

    assert {text: v.tolist() for text, v in cache.read(["text", "new"]).items()} == {
        "text": [1.0],
        "new": [3.0],
    }


def test_a_write_that_fails_leaves_nothing(tmp_path):
    cache = ActivationCache(tmp_path, "model")
    with pytest.raises(ValueError, match="zip"):
        cache.write(["one", "two"], np.ones((1, 2)))

    assert cache.read(["one", "two"]) == {}


def test_several_processes_write_at_the_same_time(tmp_path):
    cache = ActivationCache(tmp_path, "model")
    # Every text is written by some processes.
    lots = [
        ([f"{i} {j}" for j in range(first, first + 3)], np.full((3, 4), float(i)))
        for i in range(20)
        for first in range(3)
    ]

    Parallel(n_jobs=2)(delayed(cache.write)(*lot) for lot in lots)

    texts = [f"{i} {j}" for i in range(20) for j in range(5)]
    known = ActivationCache(tmp_path, "model").read(texts)
    assert set(known) == set(texts)
    for text, vector in known.items():
        assert vector.tolist() == [float(text.split()[0])] * 4


def test_the_folder_is_made_and_nothing_is_left_open(tmp_path):
    folder = tmp_path / "new" / "cache"
    ActivationCache(folder, "model").write(["text"], np.ones((1, 1)))

    assert [path.name for path in folder.iterdir()] == [FILE_NAME]
    # Windows would refuse to remove a file in use.
    shutil.rmtree(folder)


def spoil(folder, statement, *values):
    with closing(sqlite3.connect(folder / FILE_NAME)) as connection, connection:
        connection.execute(statement, values)


def named_by_no_text(path):
    content = path.read_bytes()
    path.write_bytes(content.replace(b"(key BLOB", b"(ke\xf1 BLOB"))


def another_table(path):
    path.unlink()
    spoil(path.parent, "CREATE TABLE activations (text TEXT)")


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b"no database at all, but some text" * 10),
        lambda path: path.write_bytes(path.read_bytes()[:-5_000]),
        lambda path: path.write_bytes(path.read_bytes()[:100].ljust(9_000, b"?")),
        another_table,
        named_by_no_text,
    ],
    ids=["text", "cut", "overwritten", "another table", "no text"],
)
@pytest.mark.parametrize("reads", [True, False])
def test_a_damaged_file_is_put_aside_with_a_warning(tmp_path, damage, reads):
    texts = [f"text {i}" for i in range(100)]
    vectors = vectors_for(texts)
    ActivationCache(tmp_path, "model").write(texts, vectors)
    damage(tmp_path / FILE_NAME)
    damaged = (tmp_path / FILE_NAME).read_bytes()
    cache = ActivationCache(tmp_path, "model")

    with pytest.warns(UserWarning, match="is damaged. A new file is started"):
        cache.read(texts) if reads else cache.write(texts, vectors)

    assert (tmp_path / DAMAGED_NAME).read_bytes() == damaged
    assert len(cache.read(texts)) == (0 if reads else len(texts))
    cache.write(texts, vectors)
    known = cache.read(texts)
    np.testing.assert_array_equal([known[text] for text in texts], vectors)


def test_a_file_whose_header_closes_it_to_writers_is_damaged(tmp_path):
    cache = ActivationCache(tmp_path, "model")
    cache.write(["text"], np.ones((1, 2)))
    content = bytearray((tmp_path / FILE_NAME).read_bytes())
    # The version of the format that a writer has to know.
    content[18] = 9
    (tmp_path / FILE_NAME).write_bytes(content)

    with pytest.warns(UserWarning, match="is damaged. A new file is started"):
        cache.write(["other"], np.ones((1, 2)))

    assert list(cache.read(["text", "other"])) == ["other"]


@given(data=st.data())
def test_a_byte_that_changed_is_found_or_changes_nothing(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("cache")
    texts = [f"text {i}" for i in range(30)]
    vectors = vectors_for(texts)
    cache = ActivationCache(folder, "model")
    cache.write(texts, vectors)
    path = folder / FILE_NAME
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        known = cache.read(texts)
        cache.write(texts, vectors)

    for text, vector in known.items():
        np.testing.assert_array_equal(vector, vectors[texts.index(text)])


@pytest.mark.parametrize(
    "content",
    [
        np.full(3, np.nan, dtype="<f4").tobytes(),
        b"\0" * 16 + np.ones(3, dtype="<f4").tobytes(),
        b"abc",
        b"",
        "text",
        1.5,
        None,
    ],
)
def test_a_damaged_vector_is_left_out_with_a_warning_and_replaced(tmp_path, content):
    texts = ["one", "two"]
    vectors = vectors_for(texts)
    cache = ActivationCache(tmp_path, "model")
    cache.write(texts, vectors)
    key = cache._key("one")
    spoil(tmp_path, "UPDATE activations SET vector = ? WHERE key = ?", content, key)

    with pytest.warns(UserWarning, match="1 of 2 vectors read .* computed again"):
        assert list(cache.read(texts)) == ["two"]

    cache.write(texts, vectors)
    known = cache.read(texts)
    np.testing.assert_array_equal([known[text] for text in texts], vectors)


def test_vectors_do_not_answer_for_other_texts(tmp_path):
    cache = ActivationCache(tmp_path, "model")
    cache.write(["one"], np.ones((1, 3)))
    spoil(tmp_path, "UPDATE activations SET key = ?", cache._key("two"))

    with pytest.warns(UserWarning, match="damaged"):
        assert cache.read(["one", "two"]) == {}


@pytest.mark.parametrize("gap", [np.nan, np.inf])
def test_vectors_that_are_not_finite_are_not_kept(tmp_path, gap):
    cache = ActivationCache(tmp_path, "model")
    cache.write(["one", "two"], np.array([[1.0, gap], [1.0, 2.0]]))

    assert list(cache.read(["one", "two"])) == ["two"]


def test_a_file_that_cannot_be_opened_is_not_taken_for_damaged(tmp_path):
    (tmp_path / FILE_NAME).mkdir()

    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        ActivationCache(tmp_path, "model").read(["text"])

    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


def test_connections_are_closed_after_failures(tmp_path, monkeypatch):
    (tmp_path / FILE_NAME).write_bytes(b"no database at all, but some text" * 10)
    opened, connect = [], sqlite3.connect
    monkeypatch.setattr(
        sqlite3,
        "connect",
        lambda *a, **k: opened.append(connect(*a, **k)) or opened[-1],
    )

    with pytest.warns(UserWarning, match="damaged"):
        ActivationCache(tmp_path, "model").read(["text"])

    assert len(opened) == 2
    for connection in opened:
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            connection.execute("SELECT 1")


@pytest.fixture
def folder(tmp_path):
    """Folder of what looks like a saved model."""
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}", encoding="utf-8")
    (folder / "tokenizer.json").write_text("[1]", encoding="utf-8")
    (folder / "model.safetensors").write_bytes(b"1234")
    return folder


def test_a_model_keeps_its_fingerprint_where_it_is_moved(folder):
    before = model_fingerprint(folder, None)

    assert model_fingerprint(folder.rename(folder.with_name("moved")), None) == before


@pytest.mark.parametrize("file", ["config.json", "tokenizer.json"])
def test_the_content_of_small_files_is_in_the_fingerprint(folder, file):
    before, status = model_fingerprint(folder, None), (folder / file).stat()
    content = (folder / file).read_text("utf-8")
    (folder / file).write_text(content[::-1], encoding="utf-8")
    os.utime(folder / file, ns=(status.st_atime_ns, status.st_mtime_ns))

    assert model_fingerprint(folder, None) != before

    (folder / file).write_text(content, encoding="utf-8")

    assert model_fingerprint(folder, None) == before


def test_size_and_time_of_weights_are_in_the_fingerprint(folder):
    weights = folder / "model.safetensors"
    before, time = model_fingerprint(folder, None), weights.stat().st_mtime_ns
    os.utime(weights, ns=(time, time + 10**9))
    touched = model_fingerprint(folder, None)
    weights.write_bytes(b"12345")
    os.utime(weights, ns=(time, time))

    assert len({before, touched, model_fingerprint(folder, None)}) == 3


def test_name_and_revision_identify_a_model_of_the_hub():
    found = {
        model_fingerprint(name, revision)
        for name in ("maker/model", "maker/other")
        for revision in (None, "main", "abc")
    }

    assert len(found) == 6

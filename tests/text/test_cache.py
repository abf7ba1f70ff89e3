import os
import shutil
import sqlite3

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joblib import Parallel, delayed

from sklearn_w2s.text._cache import FILE_NAME, ActivationCache, model_fingerprint

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


def test_fingerprint_and_text_do_not_run_together(tmp_path):
    ActivationCache(tmp_path, "a").write(["bc"], np.ones((1, 2)))

    assert ActivationCache(tmp_path, "ab").read(["c"]) == {}


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


def test_a_file_that_is_no_cache_is_refused_and_closed(tmp_path, monkeypatch):
    (tmp_path / FILE_NAME).write_bytes(b"no database at all, but some text" * 10)
    connection = sqlite3.connect(tmp_path / FILE_NAME)
    monkeypatch.setattr(sqlite3, "connect", lambda *_, **__: connection)

    with pytest.raises(sqlite3.DatabaseError, match="not a database"):
        ActivationCache(tmp_path, "model").read(["text"])

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

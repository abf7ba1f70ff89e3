import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from sklearn_w2s.text import WordVectorEncoder
from sklearn_w2s.text._word_vectors import split_words

WORDS = ["cat", "dog", "red", "."]
VECTORS = dict(zip(WORDS, np.eye(4)[:, :3] + 0.5, strict=True))
TEXTS = ["A red cat.", "dog dog Cat", "red"]
ANY_WORDS = st.lists(st.sampled_from([*WORDS, "unknown"]), max_size=6)


@pytest.fixture
def folder(tmp_path):
    """Folder of the vectors, with the words in a text file."""
    np.save(tmp_path / "vectors.npy", np.array(list(VECTORS.values())))
    (tmp_path / "words.txt").write_text("\n".join(WORDS) + "\n", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't stop, it's John's!", "do n't stop , it 's john 's !"),
        ("does n 't show", "does n ' t show"),
        ("They'll can't 'quote' ", "they 'll ca n't ' quote '"),
        (" \n", ""),
    ],
)
def test_words_are_parted_as_in_the_penn_treebank(text, words):
    assert split_words(text) == words.split()


@given(st.lists(ANY_WORDS, min_size=1, max_size=5))
def test_a_row_is_the_mean_of_the_known_words_of_its_text(texts):
    encoder = WordVectorEncoder(VECTORS).fit(TEXTS)
    rows = encoder.transform([" ".join(words) for words in texts])

    for row, words in zip(rows, texts, strict=True):
        known = [VECTORS[word] for word in words if word in VECTORS]
        expected = np.mean(known, axis=0) if known else np.zeros(3)
        np.testing.assert_allclose(row, expected, atol=1e-6)
    assert rows.dtype == np.float32


def test_the_order_of_words_makes_no_difference():
    encoder = WordVectorEncoder(VECTORS, weighting="sif").fit(TEXTS)

    np.testing.assert_allclose(
        encoder.transform(["cat dog red"]), encoder.transform(["red cat dog"])
    )


def test_sif_is_what_its_formula_says():
    encoder = WordVectorEncoder(VECTORS, weighting="sif", smoothing=0.1).fit(TEXTS)
    # 7 words with vectors: red, cat, "."; dog, dog, cat; red.
    p = {"cat": 2 / 7, "dog": 2 / 7, "red": 2 / 7, ".": 1 / 7}
    weighted = {word: 0.1 / (0.1 + p[word]) * VECTORS[word] for word in WORDS}
    rows = np.array(
        [
            (weighted["red"] + weighted["cat"] + weighted["."]) / 3,
            (2 * weighted["dog"] + weighted["cat"]) / 3,
            weighted["red"],
        ]
    )
    first = np.linalg.svd(rows)[2][0]

    assert encoder.word_frequencies_ == pytest.approx(p)
    np.testing.assert_allclose(
        encoder.transform(TEXTS), rows - np.outer(rows @ first, first), atol=1e-6
    )


def test_sif_takes_the_common_component_out_of_every_row():
    encoder = WordVectorEncoder(VECTORS, weighting="sif").fit(TEXTS)
    rows = encoder.transform(["cat", "dog red", "no such"])

    np.testing.assert_allclose(rows @ encoder.common_component_, 0, atol=1e-6)


def test_with_equal_frequencies_and_no_component_sif_scales_the_mean():
    texts = ["cat dog red ."]
    mean = WordVectorEncoder(VECTORS).fit_transform(texts)
    sif = WordVectorEncoder(VECTORS, weighting="sif", smoothing=0.25).fit(texts)
    sif.common_component_ = np.zeros(3)

    np.testing.assert_allclose(sif.transform(texts), mean / 2, atol=1e-6)


@pytest.mark.parametrize("as_path", [True, False])
def test_a_folder_says_the_same_as_its_mapping(folder, as_path):
    of_folder = WordVectorEncoder(folder if as_path else str(folder)).fit(TEXTS)

    np.testing.assert_allclose(
        of_folder.transform(TEXTS), WordVectorEncoder(VECTORS).fit_transform(TEXTS)
    )


def test_an_index_may_be_a_parquet_file(folder):
    pytest.importorskip("pyarrow")
    (folder / "words.txt").unlink()
    pd.DataFrame({"index": WORDS}).to_parquet(folder / "words.parquet")

    np.testing.assert_allclose(
        WordVectorEncoder(folder).fit_transform(TEXTS),
        WordVectorEncoder(VECTORS).fit_transform(TEXTS),
    )


def test_a_word_that_holds_a_line_separator_is_one_word(folder):
    (folder / "words.txt").write_text("cat\ndog\u2028\nred\n.", encoding="utf-8")
    encoder = WordVectorEncoder(folder, tokenizer=lambda text: [text]).fit(["cat"])

    assert encoder.transform(["dog\u2028", "."]).any(axis=1).all()


def test_pickles_hold_no_vectors_that_can_be_read_again(folder):
    np.save(folder / "vectors.npy", np.tile(list(VECTORS.values()), 1000))
    encoder = WordVectorEncoder(folder).fit(TEXTS)
    content = pickle.dumps(encoder)

    assert len(content) < 2_000
    np.testing.assert_array_equal(
        pickle.loads(content).transform(TEXTS), encoder.transform(TEXTS)
    )


def test_a_tokenizer_of_ones_own_is_used():
    encoder = WordVectorEncoder(VECTORS, tokenizer=str.split).fit(TEXTS)

    # "cat." is no word of the vectors.
    np.testing.assert_allclose(encoder.transform(["red cat."])[0], VECTORS["red"])


def test_features_are_named_after_the_class_and_the_column_is_kept():
    encoder = WordVectorEncoder(VECTORS).fit(pd.DataFrame({"text": TEXTS}))

    assert encoder.feature_names_in_.tolist() == ["text"]
    names = encoder.get_feature_names_out().tolist()
    assert names == [f"wordvectorencoder{i}" for i in range(3)]


def test_a_fit_that_fails_leaves_the_encoder_unfitted():
    encoder = WordVectorEncoder(VECTORS).fit(TEXTS)
    with pytest.raises(ValueError, match="No word of X has a vector"):
        encoder.fit(["not one"])

    with pytest.raises(NotFittedError):
        encoder.transform(TEXTS)
    assert not hasattr(clone(encoder), "_holder")


@pytest.mark.parametrize(
    ("vectors", "reason"),
    [
        ({"cat": [1, 2], "red": [1]}, "of the same length"),
        ({"cat": ["a"]}, "rows of numbers"),
        ({"cat": [np.nan]}, "finite"),
        ({"cat": 1.0}, "one dimension"),
        ("no such folder", "is not a folder"),
        ({}, "No word of X has a vector.* the first text becomes"),
    ],
)
def test_vectors_that_are_none_are_refused(vectors, reason):
    with pytest.raises(ValueError, match=reason):
        WordVectorEncoder(vectors).fit(TEXTS)


def test_words_and_rows_must_be_as_many(folder):
    (folder / "words.txt").write_text("cat\ndog", encoding="utf-8")

    with pytest.raises(ValueError, match=r"\(4, 3\), and words.txt has 2 words"):
        WordVectorEncoder(folder).fit(TEXTS)


def test_a_folder_needs_one_array_and_one_index(folder):
    np.save(folder / "other.npy", np.eye(2))
    with pytest.raises(ValueError, match=r"has 2 \.npy files; exactly one"):
        WordVectorEncoder(folder).fit(TEXTS)
    (folder / "other.npy").unlink()
    (folder / "words.txt").unlink()

    with pytest.raises(ValueError, match=r"has 0 \.parquet or \.txt files"):
        WordVectorEncoder(folder).fit(TEXTS)


@pytest.mark.parametrize(
    "wrong", [{"weighting": "max"}, {"smoothing": 0}, {"tokenizer": "words"}]
)
def test_a_wrong_parameter_is_refused(wrong):
    with pytest.raises(ValueError, match=f"'{next(iter(wrong))}' parameter"):
        WordVectorEncoder(VECTORS, **wrong).fit(TEXTS)


def test_a_package_that_is_not_installed_is_named():
    with pytest.raises(ImportError, match="pip install no-such-vectors"):
        WordVectorEncoder("package:no-such-vectors").fit(TEXTS)

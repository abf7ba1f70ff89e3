import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator

from sklearn_w2s.text import WordVectorEncoder
from sklearn_w2s.text._inputs import check_texts, model_folder, package_files

TEXTS = ["one text", "another", ""]

FORMS = {
    "list": TEXTS,
    "tuple": tuple(TEXTS),
    "str_array": np.array(TEXTS),
    "object_array": np.array(TEXTS, dtype=object),
    "column": np.array(TEXTS, dtype=object)[:, None],
    "list_of_lists": [[text] for text in TEXTS],
    "pandas_series": pd.Series(TEXTS, index=[5, 7, 6]),
    "pandas_string": pd.Series(TEXTS, dtype="string"),
    "pandas_frame": pd.DataFrame({"text": TEXTS}),
    "polars_series": pl.Series(TEXTS),
    "polars_frame": pl.DataFrame({"text": TEXTS}),
}
REFUSED = {
    "single": ("one text", "is a single text"),
    "bytes": (b"one text", "is a single text"),
    "none": (["a", None], "holds None at position 1"),
    "nan": (["a", "b", float("nan")], "holds nan at position 2"),
    "pandas_na": (pd.Series(["a", pd.NA], dtype="string"), "NAType"),
    "polars_null": (pl.Series(["a", None]), "holds None at position 1"),
    "numbers": ([1, 2], "holds 1 at position 0, which is of type int"),
    "list_of_bytes": ([b"a"], "of type bytes"),
    "categories": (np.array([[1.5]]), "of type float"),
    "ragged": ([["a"], ["b", "c"]], "type list"),
    "two_columns": ([["a", "b"]], r"shape \(1, 2\)"),
    "two_named_columns": (pd.DataFrame({"a": ["a"], "b": ["b"]}), r"shape \(1, 2\)"),
    "cube": (np.full((1, 1, 1), "a"), r"shape \(1, 1, 1\)"),
    "sparse": (csr_matrix((2, 2)), "csr_matrix"),
    "generator": ((text for text in TEXTS), "generator"),
    "number": (3, "type int"),
    "nothing": ([], "0 texts"),
    "no_rows": (pd.DataFrame({"a": []}), "0 texts"),
}
NAME = "some-weights"


@pytest.mark.parametrize("form", FORMS)
def test_texts_are_the_same_in_every_container(form):
    texts = check_texts(BaseEstimator(), FORMS[form], reset=True)

    assert texts == TEXTS
    assert {type(text) for text in texts} == {str}


@pytest.mark.parametrize("what", REFUSED)
def test_anything_but_texts_is_refused(what):
    X, reason = REFUSED[what]

    with pytest.raises(ValueError, match=reason):
        check_texts(BaseEstimator(), X, reset=True)


def test_a_message_shows_the_beginning_of_a_long_value():
    with pytest.raises(ValueError, match="is a single text") as refusal:
        check_texts(BaseEstimator(), "long " * 1000, reset=True)

    assert len(str(refusal.value)) < 120


def test_the_name_of_the_column_is_recorded_and_compared():
    estimator = BaseEstimator()
    check_texts(estimator, FORMS["pandas_frame"], reset=True)

    assert estimator.feature_names_in_.tolist() == ["text"]
    assert estimator.n_features_in_ == 1
    with pytest.raises(ValueError, match="feature names"):
        check_texts(estimator, pd.DataFrame({"other": TEXTS}), reset=False)


def test_texts_without_a_column_name_fit_any():
    estimator = BaseEstimator()
    check_texts(estimator, FORMS["pandas_frame"], reset=True)

    assert check_texts(estimator, TEXTS, reset=False) == TEXTS

    check_texts(estimator, TEXTS, reset=True)

    assert not hasattr(estimator, "feature_names_in_")


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Return a function that installs a package of these empty files."""

    def install(*names):
        info = tmp_path / "some_weights-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Name: {NAME}\nVersion: 1.0\n", "utf-8")
        (info / "top_level.txt").touch()
        for name in names:
            path = tmp_path / "some_weights" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        own = [f"some_weights/{name}" for name in names]
        own += [f"{info.name}/METADATA", f"{info.name}/top_level.txt"]
        record = "".join(f"{name},,\n" for name in own)
        (info / "RECORD").write_text(record, "utf-8")
        monkeypatch.syspath_prepend(tmp_path)
        return tmp_path / "some_weights"

    return install


def test_the_folder_of_a_model_is_the_one_with_weights(install):
    folder = install(
        "model/config.json", "model/model.safetensors", "model/pooling/config.json"
    )

    assert model_folder(NAME) == folder / "model"
    assert folder / "model" / "config.json" in package_files(NAME)


def test_the_name_may_be_spelled_as_pip_allows(install):
    install("config.json", "pytorch_model.bin")

    assert model_folder("Some_Weights") == model_folder(NAME)


def test_word_vectors_of_a_package_are_read_with_the_words_beside_them(install):
    folder = install("data/a.npy", "data/words.txt", "readme.txt") / "data"
    np.save(folder / "a.npy", np.eye(2))
    (folder / "words.txt").write_text("cat\ndog", encoding="utf-8")

    rows = WordVectorEncoder(f"package:{NAME}").fit_transform(["cat", "dog cat"])
    assert rows.tolist() == [[1, 0], [0.5, 0.5]]


def test_a_package_without_a_model_or_with_two_is_refused(install):
    install("config.json", "a/config.json", "a/model.bin", "b/config.json", "b/m.bin")

    with pytest.raises(ValueError, match=r"has 2 folders with config\.json"):
        model_folder(NAME)
    with pytest.raises(ValueError, match=r"has 0 \.npy files"):
        WordVectorEncoder(f"package:{NAME}").fit(["cat"])


def test_a_package_that_is_missing_is_named_with_the_command():
    with pytest.raises(ImportError, match="pip install no-such-package"):
        model_folder("no-such-package")

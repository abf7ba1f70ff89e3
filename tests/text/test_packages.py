import numpy as np
import pytest

from sklearn_w2s.text import WordVectorEncoder
from sklearn_w2s.text._packages import model_folder, package_files, word_vector_files

NAME = "some-weights"


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


def test_the_index_of_word_vectors_lies_beside_them(install):
    folder = install("data/a.npy", "data/words.txt", "readme.txt")

    assert word_vector_files(NAME) == (
        folder / "data" / "a.npy",
        folder / "data" / "words.txt",
    )


def test_word_vectors_are_read_from_a_package(install):
    folder = install("a.npy", "words.txt")
    np.save(folder / "a.npy", np.eye(2))
    (folder / "words.txt").write_text("cat\ndog", encoding="utf-8")

    rows = WordVectorEncoder(f"package:{NAME}").fit_transform(["cat", "dog cat"])
    assert rows.tolist() == [[1, 0], [0.5, 0.5]]


def test_a_package_without_a_model_or_with_two_is_refused(install):
    install("config.json", "a/config.json", "a/model.bin", "b/config.json", "b/m.bin")

    with pytest.raises(ValueError, match=r"has 2 folders with config\.json"):
        model_folder(NAME)
    with pytest.raises(ValueError, match=r"has 0 \.npy files"):
        word_vector_files(NAME)


def test_a_package_that_is_missing_is_named_with_the_command():
    with pytest.raises(ImportError, match="pip install no-such-package"):
        model_folder("no-such-package")

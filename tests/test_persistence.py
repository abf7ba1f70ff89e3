import copy
import os
import pickle
import stat
import subprocess
import sys

import joblib
import pytest
from sklearn.base import clone
from sklearn.naive_bayes import GaussianNB

from sklearn_w2s import (
    OverlapDetector,
    OverlapSampler,
    UCBSourceSelector,
    WeakToStrongClassifier,
    persistence,
)
from sklearn_w2s.persistence import replace_file
from sklearn_w2s.weak_estimators import VoteClassifier

ESTIMATORS = [
    OverlapDetector(GaussianNB()),
    OverlapSampler(),
    UCBSourceSelector(GaussianNB()),
    WeakToStrongClassifier(GaussianNB(), GaussianNB()),
    VoteClassifier([0, 1]),
]


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
def test_another_version_gives_a_warning(estimator, monkeypatch):
    monkeypatch.setattr(persistence, "__version__", "9.9")
    saved = pickle.dumps(estimator)
    monkeypatch.undo()

    with pytest.warns(UserWarning, match=r"saved by sklearn_w2s 9\.9 and is loaded by"):
        pickle.loads(saved)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
def test_the_same_version_gives_no_warning(estimator, tmp_path):
    joblib.dump(estimator, tmp_path / "file")

    for again in (
        pickle.loads(pickle.dumps(estimator)),
        joblib.load(tmp_path / "file"),
        copy.deepcopy(estimator),
        clone(estimator),
    ):
        assert repr(again) == repr(estimator)
        assert vars(again).keys() == vars(estimator).keys()


def test_a_file_without_a_version_is_of_an_older_one():
    state = {"regions": ("easy",)}

    with pytest.warns(UserWarning, match="saved by sklearn_w2s an older version"):
        OverlapSampler().__setstate__(state)


WATCHED = """
import os, sys
import joblib
import numpy as np
from sklearn.naive_bayes import GaussianNB
from sklearn_w2s import OverlapDetector, UCBSourceSelector, WeakToStrongClassifier
from sklearn_w2s.advice import advise

rng = np.random.default_rng(0)
X = rng.normal(size=(200, 4))
y = np.where(np.arange(200) < 80, X[:, 0] > 0, -1)

def work(folder=None):
    caches = {"memory": folder and os.path.join(folder, "cache")}
    journal = {"checkpoint": folder and os.path.join(folder, "journal")}
    OverlapDetector(GaussianNB(), **caches).fit(X, y).predict(X)
    model = WeakToStrongClassifier(GaussianNB(), GaussianNB(), **caches).fit(X, y)
    advise(model, X, y, cv=2)
    selector = UCBSourceSelector(
        model, overlap_detector=OverlapDetector(GaussianNB()), n_rounds=3, **journal
    )
    selector.fit(X, y, sample_source=np.arange(200) % 3)
    if folder:
        joblib.dump(selector, os.path.join(folder, "selector"))
        joblib.load(os.path.join(folder, "selector")).predict(X)

work()
outside = []

def watch(event, arguments):
    writes = os.O_WRONLY | os.O_RDWR | os.O_CREAT
    if event == "open" and isinstance(arguments[0], str) and arguments[2] & writes:
        if not os.path.abspath(arguments[0]).startswith(sys.argv[1]):
            outside.append(arguments[0])
    elif event.startswith(("socket.", "urllib.", "subprocess.", "os.system")):
        outside.append(event)

sys.addaudithook(watch)
work(sys.argv[1])
print(outside)
"""


def test_fits_and_files_reach_no_network_and_no_other_folder(tmp_path):
    given, started_in = tmp_path / "given", tmp_path / "started_in"
    given.mkdir()
    started_in.mkdir()
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", WATCHED, str(given)],
        cwd=started_in,
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.stdout.strip() == "[]", run.stderr
    assert list(given.rglob("*"))
    assert not list(started_in.iterdir())


needs_posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX")


def test_a_file_is_replaced_and_nothing_else_is_left(tmp_path):
    for content in (b"before", b"after"):
        replace_file(tmp_path / "a", content)
        assert (tmp_path / "a").read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@needs_posix
def test_only_its_owner_may_read_it(tmp_path):
    replace_file(tmp_path / "a", b"x")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600


@needs_posix
def test_a_link_is_replaced_and_its_target_untouched(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "a").symlink_to(victim)
    replace_file(tmp_path / "a", b"x")
    assert victim.read_text() == "precious"
    assert not (tmp_path / "a").is_symlink()


def test_where_writing_fails_the_former_file_stays(tmp_path, monkeypatch):
    def refuse(_):
        raise OSError("disk full")

    replace_file(tmp_path / "a", b"before")
    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="disk full"):
        replace_file(tmp_path / "a", b"after")
    assert (tmp_path / "a").read_bytes() == b"before"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]

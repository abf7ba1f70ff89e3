"""The code on the page gives the numbers of the page, on data as they are."""

import contextlib
import io
import re
from html import unescape

import pytest
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedShuffleSplit

from sklearn_w2s import OverlapDetector, WeakToStrongClassifier
from sklearn_w2s._display import SHORT_NAMES
from sklearn_w2s.model_selection import cross_validate_gap
from sklearn_w2s.report import main, make_estimator

QUICK = ["--weak", "naive_bayes", "--strong", "tree", "--max-rows", "400"]
SETS = {
    "heart_disease": ["--target", "target", "--source", "source"],
    "spambase": ["--target", "target"],
    "telco_churn": ["--target", "target"],
}


@pytest.mark.filterwarnings("ignore:strong_estimator .* has not learned:UserWarning")
def test_on_digits_the_report_has_the_numbers_of_a_call_by_hand(capsys):
    assert main([*QUICK[:4], "--repeats", "2"]) == 0
    X, y = load_digits(return_X_y=True)
    model = WeakToStrongClassifier(
        make_estimator("naive_bayes"),
        make_estimator("tree"),
        overlap_detector=OverlapDetector(),
    )
    results = cross_validate_gap(
        model,
        X,
        y,
        labeled_size=120,
        cv=StratifiedShuffleSplit(2, test_size=0.3, random_state=0),
        random_state=0,
    )
    lines = capsys.readouterr().out.splitlines()
    for fit, label in SHORT_NAMES.items():
        scores = 100 * results[f"{fit}_score"]
        numbers = [f"{scores.mean():.2f}", f"{scores.std(ddof=1):.2f}"]
        assert any(
            line.startswith(f"{label}  ") and line[len(label) :].split()[:2] == numbers
            for line in lines
        )


@pytest.mark.filterwarnings("ignore:.*found no change point")
@pytest.mark.parametrize("name", sorted(SETS))
def test_the_code_on_the_page_gives_its_numbers(
    name, shared_data, tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    path = str(shared_data / f"{name}.csv.gz")
    page = tmp_path / "page.html"
    arguments = [path, *SETS[name], *QUICK, "--repeats", "2", "--html", str(page)]
    assert main(arguments) == 0
    assert capsys.readouterr().err == ""
    text = unescape(page.read_text("utf-8"))
    script = re.search("<pre><code>(.*?)</code></pre>", text, re.DOTALL)[1]
    names = {}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(script, "script", "exec"), names)
    results = names["results"]
    for fit, label in SHORT_NAMES.items():
        scores = 100 * results[f"{fit}_score"]
        numbers = [f"{scores.mean():.2f}", f"{scores.std(ddof=1):.2f}"]
        cells = "".join(f'<td class="number">{number}</td>' for number in numbers)
        assert f'<th scope="row">{label}</th>{cells}' in text

import contextlib
import io
import os
import re
import subprocess
import sys
import warnings
from html import unescape
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sklearn_w2s
from sklearn_w2s._display import SHORT_NAMES
from sklearn_w2s.persistence import trusted_types
from sklearn_w2s.report import load_table, main
from sklearn_w2s.report._cli import _Log, check_path, write_file
from sklearn_w2s.report._experiment import RULE, make_model, run_study
from sklearn_w2s.report._read import InputError

FAST = ["--weak", "tree", "--strong", "tree", "--labeled", "40"]
ROWS = tuple(SHORT_NAMES.values())


def printed(text, row):
    """Return the numbers in a row of the report."""
    found = re.search(rf"^ *{row}  +(.*)$", text, re.MULTILINE)
    return [float(number) for number in re.findall(r"-?\d+\.\d+", found.group(1))]


def run_module(*arguments):
    root = Path(sklearn_w2s.__file__).parents[1]
    return subprocess.run(
        [sys.executable, "-m", "sklearn_w2s", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )


def test_without_a_file_weak_to_strong_lies_between_weak_and_ceiling():
    done = run_module("--repeats", "2")
    assert (done.returncode, done.stderr) == (0, "")
    scores = {row: printed(done.stdout, row)[0] for row in ROWS}
    assert scores["weak"] < scores["weak-to-strong"] < scores["ceiling"]
    text = " ".join(done.stdout.split())
    assert text.startswith("Experiment on digits")
    assert "; 2 splits" in text
    assert text.endswith(RULE)


def test_bad_arguments_of_the_module_give_one_line_and_code_2():
    done = run_module("none.csv", "--target", "y")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "sklearn-w2s: there is no file none.csv.\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--target", "income"], "--target needs a FILE: without one"),
        (["{}"], "--target is missing: name the column of"),
        (["{}", "--target"], "--target"),
        (["{}", "--target", "wage"], "--target 'wage'"),
        (["{}", "--target", "income", "--source", "town"], "--source 'town'"),
        (["{}.csv", "--target", "income"], "there is no file"),
        (["{}", "--target", "income", "--colour"], "--colour"),
        (["--weak", "oracle"], "choose from"),
        (["--strong", "oracle"], "choose from"),
        (["--labeled", "0"], "or a count of rows, got '0'"),
        (["--labeled", "-5"], "or a count of rows, got '-5'"),
        (["--labeled", "1.5"], "or a count of rows, got '1.5'"),
        (["--labeled", "nan"], "or a count of rows, got 'nan'"),
        (["--labeled", "inf"], "or a count of rows, got 'inf'"),
        (["--labeled", "some"], "or a count of rows, got 'some'"),
        (["--labeled", "29"], "got 29, which is 29 rows"),
        (["--labeled", "1700"], "--labeled must be 30 to 1247 rows"),
        (["--labeled", "0.001"], "got 0.001, which is 1 rows"),
        (["--strategy", "luck"], "choose from"),
        (["--scoring", "r2"], "--scoring for classes must be one of accuracy"),
        (["--scoring", "luck"], "choose from"),
        (["--random-state", "-1"], "must be an integer >= 0, got '-1'"),
        (
            ["{}", "--target", "income", "--decimal", ";"],
            "decimal must be one of '.' ',', got ';'",
        ),
        (["{}", "--target", "income", "--drop", "town"], "--drop 'town'"),
        (["{}", "--target", "income", "--group", "town"], "--group 'town'"),
        (["{}", "--target", "Income"], "Did you mean 'income'?"),
        (["{}", "--target", "income", "--task", "guess"], "--task"),
        (["{}", "--target", "income", "--save", "a.pkl"], "must end in .skops"),
        (["--seed", "0"], "--seed"),
        (["--repeat", "0"], "--repeat"),
        (["--rand", "0"], "--rand"),
        (["--repeats", "0"], "must be an integer >= 1, got '0'"),
        (["--repeats", "two"], "must be an integer >= 1, got 'two'"),
        (["--jobs", "0"], "must be an integer >= 1, got '0'"),
        (["--html", "/no/such/folder/a.html"], "there is no folder /no/such/folder"),
        (["--html", "{}", "{}", "--target", "income"], "is the file to read"),
        (["--sep", ";"], "--sep needs a FILE"),
        (
            ["{}", "--target", "income", "--keep", "income"],
            "--keep 'income' is passed as --target, too",
        ),
        (["--max-rows", "10"], "must be an integer >= 120, got '10'"),
    ],
)
def test_bad_arguments_give_one_line_and_code_2(
    arguments, message, table, save, capsys
):
    path = save(table)
    assert main([argument.replace("{}", path) for argument in arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("sklearn-w2s: ")
    assert message in err
    assert err.count("\n") == 1


def test_an_error_stays_on_one_line_whatever_the_columns_are_called(save, capsys):
    path = save(pd.DataFrame({"two\nlines": [1], "y": [2]}))
    assert main([path, "--target", "z"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ("--help", "training and test rows (default: 5)"),
        ("--version", sklearn_w2s.__version__),
    ],
)
def test_help_and_version_exit_with_0(option, text, capsys):
    with pytest.raises(SystemExit) as ended:
        main([option])
    assert ended.value.code == 0
    assert text in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("name", ["table.csv", "table.csv.gz", "table.parquet"])
def test_the_numbers_printed_are_those_of_the_experiment(table, save, name, capsys):
    path = save(table, name)
    arguments = [path, "--target", "income", "--source", "place", *FAST]
    assert main([*arguments, "--repeats", "2"]) == 0
    out, err = capsys.readouterr()
    assert err == ""

    data = load_table(path, "income", source="place")
    results = run_study(make_model("tree", "tree", data), data, 40, 2).results
    for name, label in SHORT_NAMES.items():
        scores = 100 * results[f"{name}_score"]
        expected = [np.mean(scores), np.std(scores, ddof=1)]
        assert printed(out, label)[:2] == [round(number, 2) for number in expected]
    assert "table.csv" in out or "table.parquet" in out
    assert "240 rows, 4 columns, 2 classes" in out
    assert "40 labeled and 128 unlabeled training rows" in " ".join(out.split())


@pytest.mark.filterwarnings("default:.*found no change point")
def test_what_was_read_is_written_before_the_first_fit(tmp_path, capsys):
    n = 120
    rng = np.random.default_rng(0)
    sizes = rng.normal(size=n)
    is_b = (sizes + rng.normal(size=n) > 0).astype(int)
    lines = [f"{i};{sizes[i]:.3f};{'ab'[is_b[i]]}" for i in range(n)]
    text = "\n".join(["key;size;kind", *lines]).replace(".", ",")
    path = tmp_path / "a.csv"
    path.write_text(text + "\n999;-;-1" * 20 + "\n")
    page = tmp_path / "page.html"
    options = ["--drop", "key", "--repeats", "1", "--html", str(page)]
    fast = ["--weak", "tree", "--strong", "tree"]
    assert main([str(path), "--target", "kind", *fast, *options]) == 0
    text = " ".join(capsys.readouterr().out.split("[")[0].split())
    n_a = n - is_b.sum()
    for words in (
        "Labels as they are in a.csv: 120 labeled and 20 unlabeled rows",
        "140 rows, 1 column, 2 classes",
        "columns: 1 number (size)",
        f"rows by kind: a {n_a}, b {n - n_a}; unlabeled 20",
        "note: cells are separated by ';'",
        "note: commas are read as decimal in size (--decimal . overrides)",
        "note: missing cells in size: 20, written '-'",
        "note: in kind these mean that a row is unlabeled: '-1' (20)",
    ):
        assert words in text
    assert "Columns: 1 number (size)." in page.read_text("utf-8")


def test_seed_strategy_and_score_follow_the_options(table, save, capsys):
    path = save(table)
    options = ["--random-state", "3", "--strategy", "all", "--scoring", "f1_macro"]
    assert main([path, "--target", "income", *FAST, *options, "--repeats", "1"]) == 0
    out = capsys.readouterr().out
    assert re.search("^ +f1 macro +sd +accuracy", out, re.M)
    data = load_table(path, "income")
    model = make_model("tree", "tree", data, "all")
    chosen = {"scoring": "f1_macro", "random_state": 3}
    results = run_study(model, data, 40, 1, **chosen).results
    for name, label in SHORT_NAMES.items():
        assert printed(out, label)[0] == round(100 * results[f"{name}_score"][0], 2)


def test_a_strategy_that_the_estimators_cannot_follow_ends_with_one_line(
    table, save, monkeypatch, capsys
):
    def refuse(*_, **__):
        msg = "strategy='confidence' needs weights."
        raise TypeError(msg)

    monkeypatch.setattr("sklearn_w2s.report._cli.run_study", refuse)
    options = ["--target", "income", *FAST, "--strategy", "confidence"]
    assert main([save(table), *options]) == 2
    assert "needs weights" in capsys.readouterr().err
    with pytest.raises(TypeError, match="needs weights"):
        main([save(table), "--target", "income", *FAST])


def test_every_step_has_a_line(table, save, capsys):
    arguments = [save(table), "--target", "income", "--source", "place", *FAST]
    main([*arguments, "--repeats", "2", "--jobs", "2"])
    steps = re.findall(r"^\[ *\d+\.\d s\] (.*)$", capsys.readouterr().out, re.M)
    assert re.fullmatch(r"2 splits, about \d+ s in all", steps[0])
    assert steps[1].startswith("2 of 2 splits done: weak ")
    assert steps[2:] == ["sources (kl_ucb)"]


def test_every_split_and_step_has_a_line(table, save, capsys):
    main([save(table), "--target", "income", *FAST, "--repeats", "2"])
    steps = re.findall(r"^\[ *\d+\.\d s\] (.*)$", capsys.readouterr().out, re.M)
    for i in (1, 2):
        steps_of_split = [
            step for step in steps if step.startswith(f"split {i} of 2: ")
        ]
        assert [step.split(": ")[1] for step in steps_of_split] == [
            "weak and weak-to-strong on 168 rows",
            "strong alone on 40 rows",
            "strong alone on 168 rows",
        ]
        assert any(step.startswith(f"{i} of 2 splits done: ") for step in steps)


@pytest.mark.parametrize("labeled", ["30", "0.5"])
def test_labeled_is_a_count_or_a_share(labeled, table, save, capsys):
    arguments = [save(table), "--target", "income", *FAST, "--labeled", labeled]
    assert main([*arguments, "--repeats", "1"]) == 0
    n_labeled = {"30": 30, "0.5": 84}[labeled]
    text = " ".join(capsys.readouterr().out.split())
    assert f"{n_labeled} labeled and {168 - n_labeled} unlabeled training rows" in text
    assert "One split cannot show" in text
    assert "(95% interval" not in text


def test_what_was_left_out_is_noted_and_no_line_is_long(table, save, capsys):
    table = table.assign(
        **{f"a column without any value {i}": None for i in range(9)},
        place=[
            f"place number {i} of many, with a long name" for i in range(len(table))
        ],
    )
    table.loc[10:13, "income"] = "secret"
    arguments = [save(table), "--target", "income", "--source", "place", *FAST]
    assert main([*arguments, "--max-rows", "200", "--repeats", "2"]) == 0
    out = capsys.readouterr().out
    assert out.count("note: ") == 3
    assert "nothing drawn" in out
    assert max(map(len, out.splitlines())) <= 88


@pytest.mark.filterwarnings("default")
def test_warnings_become_notes(table, save, capsys):
    gaps = np.where(np.arange(len(table)) < 9, np.nan, 1.0)
    path = save(table[["income"]].assign(constant=gaps))
    assert main([path, "--target", "income", "--repeats", "1"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "_threshold='auto' found no change point" in out
    assert "(NoChangePointWarning)" in out


@pytest.mark.filterwarnings("ignore:strong_estimator .* has not learned:UserWarning")
@pytest.mark.parametrize("n_missing", [0, 100])
def test_the_page_has_the_verdict_and_the_numbers_that_are_printed(
    table, save, tmp_path, capsys, n_missing
):
    table.loc[: n_missing - 1, "income"] = None
    page = tmp_path / "page.html"
    arguments = [save(table), "--target", "income", "--html", str(page)]
    fast = ["--weak", "tree", "--strong", "tree", "--repeats", "2"]
    assert main([*arguments, *fast]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    text = unescape(page.read_text("utf-8"))
    rows = [row for row in ROWS if row != "ceiling" or not n_missing]
    for row in ["always guessing", *rows]:
        for number in printed(out, row)[:2]:
            assert f'<td class="number">{number:.2f}</td>' in text
    verdict = out.split("\n\n")[1]
    assert " ".join(verdict.split()) in text
    assert out.count("Next:") == 1
    first = "Labels as they are in" if n_missing else "Experiment on"
    assert out.startswith(first)
    assert f">{first}" in text
    assert ("ceiling  " in out) == (not n_missing)


def test_predictions_and_the_model_are_written_and_agree(table, save, tmp_path, capsys):
    skops_io = pytest.importorskip("skops.io")
    table.loc[:99, "income"] = None
    path = save(table)
    written = {name: tmp_path / name for name in ("out.csv", "model.skops")}
    options = ["--weak", "tree", "--strong", "tree", "--repeats", "2"]
    options += ["--predict", str(written["out.csv"])]
    options += ["--save", str(written["model.skops"])]
    assert main([path, "--target", "income", "--max-rows", "150", *options]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "labels of 100 rows by the" in out
    predicted = pd.read_csv(written["out.csv"])
    assert predicted.columns.tolist() == [
        *("row", "income", "probability of high", "probability of low")
    ]
    assert predicted["row"].tolist() == list(range(1, 101))
    assert np.allclose(predicted.iloc[:, 2:].sum(axis=1), 1)
    model = skops_io.load(written["model.skops"], trusted=trusted_types())
    X, rows = load_table(path, "income", max_rows=150).unlabeled()
    assert model.predict(X).tolist() == predicted["income"].tolist()
    assert rows.tolist() == predicted["row"].tolist()


@pytest.mark.parametrize("n_missing", [0, 60])
def test_a_quantity_is_answered_by_the_regressor(
    table, save, tmp_path, capsys, n_missing, monkeypatch
):
    pytest.importorskip("skops")
    monkeypatch.chdir(tmp_path)
    value = 1e9 * (table["count"] + np.where(table["income"] == "low", 0.0, 4.5)) + 0.5
    value[:n_missing] = np.nan
    path = save(table.assign(value=value))
    fast = ["--strong", "tree", "--repeats", "2", "--html", "page.html"]
    predict = ["--predict", "out.csv", "--save", "m.skops"] if n_missing else []
    assert main([path, "--target", "value", *fast, *predict]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    text = " ".join(out.split())
    assert "a quantity to predict" in text
    assert "RMSE and MAE in the unit of the target" in text
    head = re.search("^ +R2 +sd +RMSE +MAE.*$", out, re.M)[0]
    row = re.search("^always guessing.*$", out, re.M)[0]
    assert len(row) == len(head)
    assert all(1e9 < float(number) < 1e11 for number in row.split()[4:6])
    assert "linear as weak and tree as strong" in text
    assert printed(out, "always guessing")[0] < 10
    page = unescape(Path("page.html").read_text("utf-8"))
    assert "Root mean squared error by region" in page
    script = re.search("<pre><code>(.*?)</code></pre>", page, re.DOTALL)[1]
    names = {}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(script, "script", "exec"), names)
    student = 100 * names["results"]["weak_to_strong_score"].mean()
    assert printed(out, "weak-to-strong")[0] == round(student, 2)
    if n_missing:
        predicted = pd.read_csv("out.csv")
        assert predicted.columns.tolist() == ["row", "value"]
        assert predicted["row"].tolist() == list(range(1, 61))


@pytest.mark.parametrize("options", [["--weak", "logistic"], ["--scoring", "f1_macro"]])
def test_estimators_and_scores_for_classes_are_refused_for_a_quantity(
    table, save, capsys, options
):
    assert main([save(table), "--target", "number", *options]) == 2
    err = capsys.readouterr().err
    assert f"{options[0]} for a quantity must be one of" in err


def test_there_must_be_rows_to_predict_and_labels_to_hide(
    table, save, capsys, tmp_path
):
    out = str(tmp_path / "labels.csv")
    assert main([save(table), "--target", "income", "--predict", out]) == 2
    assert "needs unlabeled rows, but every row has" in capsys.readouterr().err
    table.loc[:9, "income"] = None
    assert main([save(table), "--target", "income", "--labeled", "40"]) == 2
    assert "--labeled hides labels" in capsys.readouterr().err


def test_quick_takes_fewer_rows_and_splits(table, save, capsys):
    big = pd.concat([table] * 5).assign(noise=np.arange(1200) / 7)
    fast = ["--weak", "tree", "--strong", "tree", "--labeled", "40"]
    assert main([save(big), "--target", "income", "--quick", *fast]) == 0
    out = capsys.readouterr().out
    assert "a random sample of 1000 of 1200 rows" in out
    assert "; 3 splits" in " ".join(out.split())


@pytest.mark.parametrize("n_done", [0, 1])
def test_an_interrupt_ends_in_one_line_with_what_was_done(
    table, save, monkeypatch, capsys, n_done
):
    from sklearn_w2s.report import _cli

    class Log(_cli._Log):
        def on_fit(self, name, n_rows):
            if self.n_done == n_done:
                raise KeyboardInterrupt
            super().on_fit(name, n_rows)

    monkeypatch.setattr(_cli, "_Log", Log)
    assert main([save(table), "--target", "income", *FAST]) == 130
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "interrupted after" in err
    assert ("1 of 5 splits were done: weak" in err) == bool(n_done)
    assert ("no split was done" in err) == (not n_done)


def test_a_path_that_cannot_be_written_is_refused_before_the_file_is_read(capsys):
    arguments = ["none.csv", "--target", "y", "--html", "/no/such/folder/a.html"]
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "there is no folder /no/such/folder" in err


def test_names_that_the_terminal_lacks_are_escaped(table, save, monkeypatch):
    table["place"] = table["place"].replace({"north": "Köln", "west": "東京"})
    stdout = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stdout)
    arguments = [save(table), "--target", "income", "--source", "place", *FAST]
    assert main([*arguments, "--repeats", "1"]) == 0
    assert b"K\\xf6ln" in stdout.buffer.getvalue()


HOSTILE = "\x1b]0;title\x07\u202eevil\u2066\x9b2J"
SHOWN = r"\x1b]0;title\x07\u202eevil\u2066\x9b2J"


def test_names_are_escaped_in_the_terminal(table, save, capsys):
    table["place"] = table["place"].replace({"north": HOSTILE})
    table[f"empty {HOSTILE}"] = np.nan
    path = Path(save(table))
    path = path.rename(path.with_name(f"{HOSTILE}{path.name}"))
    arguments = [str(path), "--target", "income", "--source", "place", *FAST]
    assert main([*arguments, "--repeats", "1"]) == 0
    out, err = capsys.readouterr()
    assert out.replace("\n", "").isprintable()
    assert err == ""
    lines = out.splitlines()
    assert SHOWN in lines[0]
    assert f"without any value: empty {SHOWN}" in " ".join(out.split())
    # Long names of sources are cut.
    assert any(line.startswith(f"{SHOWN[:24]}...") for line in lines)


@pytest.mark.parametrize(
    "arguments",
    [
        [HOSTILE, "--target", "y"],
        [HOSTILE],
        ["--labeled", HOSTILE],
        [f"--{HOSTILE}"],
        ["--weak", HOSTILE],
        ["--html", f"/{HOSTILE}/a.html"],
    ],
)
def test_errors_are_escaped_in_the_terminal(arguments, capsys):
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err[:-1].isprintable()
    assert "evil" in err


@pytest.mark.filterwarnings("always")
def test_warnings_that_differ_in_numbers_alone_are_noted_once(capsys):
    log = _Log()
    with warnings.catch_warnings():
        warnings.showwarning = log.on_warning
        for text in ("one\n  line", "two of 30", "two of 31"):
            warnings.warn(text, UserWarning, stacklevel=1)
    assert log.notes == ["one line (UserWarning)", "two of 30 (UserWarning)"]
    out, err = capsys.readouterr()
    assert out == "note: one line (UserWarning)\nnote: two of 30 (UserWarning)\n"
    assert err == ""


def test_how_warnings_are_shown_is_restored_after_an_error():
    before = warnings.showwarning
    assert main(["none.csv", "--target", "y"]) == 2
    assert warnings.showwarning is before


def test_without_jinja2_there_is_text_and_the_page_is_refused_before_reading(
    table, save, tmp_path, monkeypatch, capsys
):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    arguments = [save(table), "--target", "income", *FAST, "--repeats", "1"]
    assert main(arguments) == 0
    assert "held-out rows, mean of 1 split" in capsys.readouterr().out
    page = tmp_path / "page.html"
    assert main([*arguments, "--html", str(page)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        'sklearn-w2s: --html needs jinja2: pip install "sklearn-w2s[report]"\n'
    )
    assert not page.exists()


# Files


def test_a_page_is_written_in_place_of_the_former_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "a.html"
    path.write_text("before")
    target = check_path("html", str(path), None)
    assert path.read_text() == "before"
    write_file(target, "é\n".encode())
    assert path.read_bytes() == "é\n".encode()
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("before", [None, "precious"])
def test_symbolic_links_are_not_followed(tmp_path, before):
    victim, link = tmp_path / "victim", tmp_path / "link.html"
    if before is not None:
        victim.write_text(before)
    target = check_path("html", str(link), None)
    link.symlink_to(victim)
    with pytest.raises(InputError, match=r"is a symbolic link.*name the file itself"):
        check_path("html", str(link), None)
    # Where it came after the check, it is replaced.
    write_file(target, b"x")
    assert not link.is_symlink()
    assert link.read_text() == "x"
    assert (victim.read_text() if victim.exists() else None) == before


def test_a_failed_write_keeps_the_former_file(tmp_path, monkeypatch):
    path = tmp_path / "a.html"
    path.write_text("before")

    def refuse(_self, _target):
        raise OSError("disk full")

    monkeypatch.setattr(type(path), "replace", refuse)
    with pytest.raises(InputError, match="cannot write there: disk full"):
        write_file(path, b"x")
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("", "is not a regular file"),
        ("no/such.html", "there is no folder"),
        ("data.csv", "is the file to read"),
        ("x" * 300 + ".html", "cannot write there"),
        ("a\x00.html", "cannot write there"),
    ],
)
def test_a_path_that_cannot_be_written_is_refused(tmp_path, path, message):
    data = tmp_path / "data.csv"
    data.write_text("a\n")
    with pytest.raises(InputError, match=f"--html .*{message}"):
        check_path("html", str(tmp_path / path), str(data))
    assert data.read_text() == "a\n"
    assert list(tmp_path.iterdir()) == [data]


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
)
def test_a_folder_or_file_that_is_read_only_is_refused(tmp_path):
    path = tmp_path / "a.html"
    path.touch(mode=0o444)
    with pytest.raises(InputError, match="read-only"):
        check_path("html", str(path), None)
    tmp_path.chmod(0o555)
    with pytest.raises(InputError, match="cannot write there"):
        check_path("html", str(tmp_path / "b.html"), None)
    tmp_path.chmod(0o755)


@pytest.mark.parametrize(
    ("option", "module"),
    [("html", "jinja2"), ("html", "matplotlib.pyplot"), ("save", "skops.io")],
)
def test_a_missing_package_is_named_with_its_extra(
    tmp_path, monkeypatch, option, module
):
    monkeypatch.setitem(sys.modules, module, None)
    message = rf"--{option} needs {module[:5]}.*sklearn-w2s\[report\]"
    with pytest.raises(InputError, match=message):
        check_path(option, str(tmp_path / "a.skops"), None)


def test_a_model_is_a_file_of_skops(tmp_path):
    pytest.importorskip("skops")
    with pytest.raises(InputError, match=r"must end in \.skops"):
        check_path("save", str(tmp_path / "a.pkl"), None)
    assert check_path("save", str(tmp_path / "a.skops"), None).suffix == ".skops"


# Data at hand


def test_on_heart_disease_the_report_is_complete(shared_data, capsys):
    path = str(shared_data / "heart_disease.csv.gz")
    arguments = [path, "--target", "target", "--source", "source", "--repeats", "2"]
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert all(50 < printed(out, row)[0] <= 100 for row in ROWS)
    for source in ("cleveland", "hungarian", "switzerland", "va_long_beach"):
        assert 0 <= printed(out, source)[0] <= 1


def test_on_adult_the_report_is_complete(shared_data, capsys):
    path = str(shared_data / "adult.csv.gz")
    arguments = [path, "--target", "target", "--source", "source", "--repeats", "1"]
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "5000 rows, 13 columns, 2 classes" in out
    assert all(60 < printed(out, row)[0] <= 100 for row in ROWS)
    assert 0 <= printed(out, "Private")[0] <= 1


# A tree of depth 3 may learn next to nothing of rare classes, and warns.
@pytest.mark.filterwarnings("default:strong_estimator=:UserWarning")
def test_on_telco_churn_gaps_that_no_labeled_row_has_do_no_harm(shared_data, capsys):
    path = str(shared_data / "telco_churn.csv.gz")
    assert main([path, "--target", "target", "--repeats", "1", *FAST]) == 0
    assert capsys.readouterr().err == ""

"""The console script ``sklearn-w2s``: options, the steps of a report, its files."""

import argparse
import csv
import io
import os
import re
import sys
import tempfile
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

import numpy as np

import sklearn_w2s
from sklearn_w2s._display import SHORT_NAMES, visible
from sklearn_w2s._sklearn import safe_indexing
from sklearn_w2s.persistence import replace_file
from sklearn_w2s.report._columns import TASKS
from sklearn_w2s.report._data import (
    MAX_ROWS,
    MIN_MAX_ROWS,
    given_arguments,
    load_embedded,
    load_table,
)
from sklearn_w2s.report._experiment import (
    ESTIMATORS,
    MIN_LABELED_PER_CLASS,
    SCORES,
    SEED,
    STRONG,
    WEAK,
    choose_final,
    compare_sources,
    costs,
    count_labeled,
    fit_final,
    judge,
    make_estimator,
    make_model,
    run_study,
    take_pool,
)
from sklearn_w2s.report._output import (
    Findings,
    format_report,
    one_line,
    wrap,
    write_page,
)
from sklearn_w2s.report._read import InputError, counted
from sklearn_w2s.weak_to_strong._strategies import STRATEGIES

EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130
# A first look: fewer rows, and the fewest splits that separate noise from a difference.
QUICK_ROWS, QUICK_REPEATS = 1000, 3
REPEATS = 5
_PILOT_ROWS = 500
# What a split costs in units of fits of the strong estimator on all of its rows.
_FITS_OF_A_SPLIT = 7
_LARGE_FILE = 20_000_000
_OF_A_FILE = (
    *("target", "source", "group", "drop", "keep", "task", "missing", "sep"),
    *("decimal", "thousands", "encoding", "max_rows", "predict"),
)
# What writes the file of an option.
_NEEDED = {"html": ("jinja2", "matplotlib.pyplot"), "save": ("skops.io",)}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the report on whether weak-to-strong pays on a data set.

    Parameters
    ----------
    argv : list of str, default=None
        Arguments; None takes those of the command line.

    Returns
    -------
    int
        0, or 2 after one line on stderr where the input cannot be used, or 130 after
        one line where it was interrupted.

    Examples
    --------
    >>> from sklearn_w2s.report import main
    >>> main(["no_such_file.csv", "--target", "income"])
    2
    """
    log = _Log()
    try:
        options = _parser().parse_args(argv)
        with warnings.catch_warnings():
            warnings.showwarning = log.on_warning
            # The report itself has a note on a class called None.
            warnings.filterwarnings("ignore", "The label 'None' is read as a class")
            _report(options, log)
    except InputError as error:
        _write(f"sklearn-w2s: {one_line(error)}", sys.stderr)
        return EXIT_BAD_INPUT
    except KeyboardInterrupt:
        _write(f"sklearn-w2s: {log.so_far()}", sys.stderr)
        return EXIT_INTERRUPTED
    return 0


# Options


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message):
        raise InputError(message)


def _parser():
    parser = _Parser(
        prog="sklearn-w2s",
        allow_abbrev=False,
        description=(
            "Does weak-to-strong pay on these data? Trains weak, weak-to-strong and "
            "strong estimators on the labels that there are, or on some of them where "
            "every row has one, and compares them on held-out rows. Without FILE, on "
            "handwritten digits."
        ),
    )
    parser.add_argument(
        "file",
        nargs="?",
        metavar="FILE",
        help=(
            "text with a header (.csv, .tsv or .txt), .parquet, .xlsx, .json, .jsonl "
            "or .arff, optionally compressed"
        ),
    )
    parser.add_argument(
        "--target",
        metavar="COL",
        help="column to predict; rows where it is empty are unlabeled",
    )
    parser.add_argument(
        "--source", metavar="COL", help="source of each row; not used as a feature"
    )
    parser.add_argument(
        "--group",
        metavar="COL",
        help="rows of one group stay on one side of every split; not used as a feature",
    )
    parser.add_argument(
        "--task",
        choices=TASKS,
        metavar="NAME",
        help=f"{' or '.join(TASKS)} (default: depends on the target)",
    )
    parser.add_argument(
        "--labeled",
        type=_count_or_share,
        metavar="FRACTION|COUNT",
        help=(
            "in a file of labeled rows, hide all labels but so many to train on, at "
            f"least {MIN_LABELED_PER_CLASS} per class "
            "(default: 100, or 12 per class if more, or half if fewer)"
        ),
    )
    names = sorted({name for known in ESTIMATORS.values() for name in known})
    default_weak = " or ".join(WEAK.values())
    for option, default in (("--weak", default_weak), ("--strong", STRONG)):
        parser.add_argument(
            option,
            choices=names,
            metavar="NAME",
            help=f"one of {', '.join(names)} (default: {default})",
        )
    parser.add_argument(
        "--strategy",
        default="auto",
        choices=["auto", *STRATEGIES],
        metavar="NAME",
        help=f"auto or one of {', '.join(STRATEGIES)} (default: %(default)s)",
    )
    parser.add_argument(
        "--scoring",
        choices=[name for names in SCORES.values() for name in names],
        metavar="NAME",
        help=(
            f"for classes one of {', '.join(SCORES['classification'])} (default: "
            "accuracy); for a quantity r2"
        ),
    )
    parser.add_argument(
        "--random-state",
        type=_integer(0),
        default=SEED,
        metavar="N",
        help="seed of the sample, the splits and the estimators (default: %(default)s)",
    )
    parser.add_argument(
        "--repeats",
        type=_integer(1),
        metavar="N",
        help=f"random splits into training and test rows (default: {REPEATS})",
    )
    parser.add_argument(
        "--jobs",
        type=_integer(1),
        default=1,
        metavar="N",
        help="number of splits to run in parallel (default: %(default)s)",
    )
    for option, text in (
        ("--html", "also write a page with figures, rows worth a look and the code"),
        ("--predict", "write class and probabilities of the unlabeled rows as CSV"),
        ("--save", "save the model that predicts, fitted on all rows, as PATH.skops"),
    ):
        parser.add_argument(option, metavar="PATH", help=text)
    parser.add_argument(
        "--quick",
        action="store_true",
        help=(
            f"a first look: at most {QUICK_ROWS} rows and {QUICK_REPEATS} splits "
            "unless these are given"
        ),
    )
    parser.add_argument(
        "--max-rows",
        type=_integer(MIN_MAX_ROWS),
        metavar="N",
        help=f"larger files are sampled (default: {MAX_ROWS})",
    )
    group = parser.add_argument_group("how the file is read")
    for option, metavar, text in (
        ("--sep", "CHAR", "separator of cells (default: detected)"),
        ("--decimal", "CHAR", "decimal mark, '.' or ',' (default: by column)"),
        ("--thousands", "CHAR", "mark between groups of digits (default: by column)"),
        ("--encoding", "NAME", "encoding (default: UTF-8, UTF-16 or else cp1252)"),
    ):
        group.add_argument(option, metavar=metavar, help=text)
    group.add_argument(
        "--missing",
        metavar="VALUE",
        action="append",
        help=(
            "cells that are missing besides empty ones, instead of a guess; '' for "
            "empty cells alone; may be repeated"
        ),
    )
    for option, text in (
        ("--drop", "column to leave out; may be repeated"),
        ("--keep", "column to use though it looks like an id or text; may be repeated"),
    ):
        group.add_argument(
            option, metavar="COL", action="append", default=[], help=text
        )
    parser.add_argument("--version", action="version", version=sklearn_w2s.__version__)
    return parser


def _integer(least):
    def parse(text):
        if not text.isdecimal() or int(text) < least:
            msg = f"must be an integer >= {least}, got {text!r}"
            raise argparse.ArgumentTypeError(msg)
        return int(text)

    return parse


def _count_or_share(text):
    if text.isdecimal() and int(text) > 0:
        return int(text)
    try:
        share = float(text)
    except ValueError:
        share = 0.0
    if not 0 < share < 1:
        msg = f"must be a fraction between 0 and 1 or a count of rows, got {text!r}"
        raise argparse.ArgumentTypeError(msg)
    return share


def _check_options(options, data, labeled):
    """Choose estimators and score by the task where none is named; check all others."""
    task, n_unlabeled = data.task, 0 if data.others is None else len(data.others)
    options.weak = options.weak or WEAK[task]
    options.strong = options.strong or STRONG
    options.scoring = options.scoring or SCORES[task][0]
    what = {"classification": "classes", "regression": "a quantity"}[task]
    for option, known in (
        ("weak", ESTIMATORS[task]),
        ("strong", ESTIMATORS[task]),
        ("scoring", SCORES[task]),
    ):
        name = getattr(options, option)
        if name not in known:
            msg = f"--{option} for {what} must be one of {', '.join(known)}, got {name}"
            raise InputError(f"{msg}.")
    if options.labeled is not None and not labeled.all():
        msg = (
            "--labeled hides labels of a file whose rows are all labeled, but "
            f"{n_unlabeled} rows of this one are not: its labels are used as they are."
        )
        raise InputError(msg)
    if options.predict is not None and not n_unlabeled:
        msg = (
            "--predict needs unlabeled rows, but every row has a label: leave the "
            "target of the rows to predict empty."
        )
        raise InputError(msg)
    return n_unlabeled


# What is written while the report runs


@dataclass
class _Log:
    """Writes steps, with the seconds since the start, and notes; the page has these."""

    start: float = field(default_factory=time.perf_counter)
    step: str = "reading the file"
    n_splits: int = 0
    n_done: int = 0
    scores: str = ""  # mean scores of the splits that are done
    notes: list = field(default_factory=list)
    warned: set = field(default_factory=set)  # warnings without their numbers

    def begin(self, step):
        """Write a line and remember what is being done."""
        self.step = step
        _write(f"[{time.perf_counter() - self.start:5.1f} s] {step}")

    def on_fit(self, name, n_rows):
        """Write a line on a fit of the current split."""
        what = {"estimator": "weak and weak-to-strong", "alone": "strong alone"}[name]
        place = f"split {self.n_done + 1} of {self.n_splits}"
        self.begin(f"{place}: {what} on {n_rows} rows")

    def on_folds(self, folds):
        """Write a line on the scores of the splits that are done."""
        names = ("weak", "weak_to_strong", "strong_on_labels")
        means = [np.mean([fold["score"][n]["score"] for fold in folds]) for n in names]
        self.n_done = len(folds)
        self.scores = ", ".join(
            f"{SHORT_NAMES[name]} {100 * mean:.2f}"
            for name, mean in zip(names, means, strict=True)
        )
        self.begin(f"{self.n_done} of {self.n_splits} splits done: {self.scores}")

    def so_far(self):
        """Return in one line what was done before an interruption."""
        seconds = time.perf_counter() - self.start
        step = self.step.split(":")[0]
        found = "no split was done, nothing is known yet"
        if self.n_done:
            found = f"{self.n_done} of {self.n_splits} splits were done: {self.scores}"
        return f"interrupted after {seconds:.0f} s ({step}): {found}."

    def note(self, note):
        """Write and keep a note."""
        self.notes.append(note)
        for line in wrap(f"note: {note}", indent="  "):
            _write(line)

    def on_warning(self, message, category, *_args, **_kwargs):
        """Note a warning, once if warnings differ in their numbers alone."""
        text = f"{' '.join(str(message).split())} ({category.__name__})"
        without_numbers = re.sub(r"\d+", "0", text)
        if without_numbers not in self.warned:
            self.warned.add(without_numbers)
            self.note(text)


def _write(line, stream=None):
    stream = sys.stdout if stream is None else stream
    # Names from a file may hold characters that the terminal lacks or obeys.
    encoding = stream.encoding or "utf-8"
    shown = visible(line).encode(encoding, "backslashreplace").decode(encoding)
    stream.write(f"{shown}\n")
    stream.flush()


# The steps of a report


def _report(options, log):
    """Read, compare, judge, and write what was asked for."""
    if options.file is None:
        for name in _OF_A_FILE:
            if getattr(options, name):
                option = name.replace("_", "-")
                msg = f"--{option} needs a FILE: without one the report is on digits."
                raise InputError(msg)
    paths = {
        option: check_path(option, path, options.file)
        for option in ("html", "predict", "save")
        if (path := getattr(options, option)) is not None
    }
    options.max_rows = options.max_rows or (QUICK_ROWS if options.quick else MAX_ROWS)
    options.repeats = options.repeats or (QUICK_REPEATS if options.quick else REPEATS)
    data = load_embedded() if options.file is None else _load(options, log)
    labels, labeled = data.known()
    n_unlabeled = _check_options(options, data, labeled)
    hides_labels, n_labeled = bool(labeled.all()), None
    if hides_labels:
        n_labeled = count_labeled(labels, options.labeled, regresses=data.regresses)
    setting = _write_setting(data, labels, hides_labels, log)

    model = make_model(options.weak, options.strong, data, options.strategy)
    study = _compare(options, model, data, n_labeled, log)
    verdict = judge(
        study.results,
        hides_labels=hides_labels,
        scoring=options.scoring,
        n_unlabeled=n_unlabeled,
    )
    pool = sources = None
    if data.source is not None or "html" in paths:
        pool = take_pool(study, data)
    if data.source is not None:
        log.begin("sources (kl_ucb)")
        sources = compare_sources(model.weak_estimator, pool, options.random_state)
    spent = costs(study, model, data)
    final = choose_final(verdict, hides_labels=hides_labels)
    n_labeled, n_learned, n_test = (
        study.results[name][0] for name in ("n_labeled", "n_unlabeled", "n_test")
    )
    setting.append(
        f"{options.weak} as weak and {options.strong} as strong estimator; {n_labeled} "
        f"labeled and {n_learned} unlabeled training rows, {n_test} test rows; "
        f"{counted(options.repeats, 'split')}"
    )

    if "html" in paths:
        log.begin(f"page {options.html}")
        findings = Findings(
            *(options, data, setting, study, verdict, spent, pool, sources),
            *(log.notes, final),
        )
        write_file(paths["html"], write_page(findings).encode())
    written = []
    if {"predict", "save"} & paths.keys():
        log.begin("fit on all rows")
        fitted = fit_final(final, model, options, data)
        written = _use_model(fitted, final, options, paths, data)
    report = format_report(
        study, verdict, spent, sources or [], options.scoring, setting=setting[-1]
    )
    for line in ["", *report, *written]:
        _write(line)


def _load(options, log):
    if options.target is None:
        msg = f"--target is missing: name the column of {options.file} to predict."
        raise InputError(msg)
    path = Path(options.file)
    if path.is_file() and path.stat().st_size > _LARGE_FILE:
        log.begin(f"reading {path.name}")
    return load_table(options.file, options.target, **given_arguments(options))


def _write_setting(data, labels, hides_labels, log):
    """Write what was done and read, and return it as a list of sentences."""
    n_rows, n_known = len(data.y), len(labels)
    if hides_labels:
        done = (
            f"Experiment on {data.name}: every row has a label, so labels are hidden "
            "from most rows to see what weak-to-strong recovers"
        )
    else:
        done = (
            f"Labels as they are in {data.name}: {n_known} labeled and "
            f"{n_rows - n_known} unlabeled rows, no label hidden except for testing"
        )
    target = "a quantity to predict"
    if not data.regresses:
        target = f"{len(set(labels.tolist()))} classes"
    size = f"{n_rows} rows, {counted(len(data.units()), 'column')}, {target}"
    setting = [done, size, *data.facts]
    for fact in setting:
        for line in wrap(fact, indent="  "):
            _write(line)
    for note in data.notes:
        log.note(note)
    return setting


def _compare(options, model, data, n_labeled, log):
    """Run the study, with an estimate of its time from a fit on some rows."""
    labels, labeled = data.known()
    order = np.argsort(labels, kind="stable")
    order = order[:: max(1, len(order) // _PILOT_ROWS)]
    rows = np.flatnonzero(labeled)[order]
    pilot = make_estimator(options.strong, options.random_state, task=data.task)
    start = time.perf_counter()
    pilot.fit(safe_indexing(data.X, rows), labels[order])
    seconds = time.perf_counter() - start
    growth = max(1.0, 0.7 * len(data.y) / len(rows)) ** 0.7
    n_rounds = options.repeats / min(options.jobs, options.repeats)
    seconds = max(1.0, _FITS_OF_A_SPLIT * seconds * growth * n_rounds)
    log.n_splits = options.repeats
    log.begin(f"{counted(options.repeats, 'split')}, about {seconds:.0f} s in all")
    try:
        return run_study(
            model,
            data,
            n_labeled,
            options.repeats,
            options.jobs,
            scoring=options.scoring,
            random_state=options.random_state,
            on_fit=log.on_fit,
            on_folds=log.on_folds,
        )
    except TypeError as error:
        if options.strategy == "auto":
            raise
        # Not every estimator supports every strategy.
        raise InputError(str(error)) from error


def _use_model(fitted, final, options, paths, data):
    """Write predictions and the model, and return a line on each."""
    name = {
        "weak": f"the weak estimator ({options.weak})",
        "strong_on_labels": f"the strong estimator ({options.strong})",
        "weak_to_strong": f"weak-to-strong ({options.weak}, {options.strong})",
    }[final]
    name += f", trained on {int(data.known()[1].sum())} labels"
    lines = [""]
    if "predict" in paths:
        X, rows = data.unlabeled()
        text = predictions_as_csv(fitted, X, rows, options.target)
        write_file(paths["predict"], text.encode())
        lines += wrap(f"{options.predict}: labels of {len(rows)} rows by {name}")
    if "save" in paths:
        import skops.io

        write_file(paths["save"], skops.io.dumps(fitted))
        lines += wrap(f"{options.save}: {name}")
    return lines


# Files: a bad path is refused before anything is read, and all is written whole


def check_path(option, path, source):
    """Return a path to write to, other than the source, if that can be done."""
    for module in _NEEDED.get(option, ()):
        try:
            import_module(module)
        except ImportError as error:
            package = module.partition(".")[0]
            msg = f'--{option} needs {package}: pip install "sklearn-w2s[report]"'
            raise InputError(msg) from error
    if option == "save" and Path(path).suffix != ".skops":
        msg = f"--save {path}: the name of the file must end in .skops."
        raise InputError(msg)
    try:
        return _check_writable(option, path, source)
    except (OSError, RuntimeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        msg = f"--{option} {path}: cannot write there: {error}"
        raise InputError(msg) from error


def _check_writable(option, path, source):
    target = Path(path).absolute()
    if target.is_symlink():
        msg = (
            f"--{option} {path} is a symbolic link, which is not followed: name the "
            f"file itself, {target.resolve()}, or another one."
        )
        raise InputError(msg)
    if target.exists() and not target.is_file():
        msg = f"--{option} {path} is not a regular file: name another one."
        raise InputError(msg)
    if not target.parent.is_dir():
        msg = f"--{option} {path}: there is no folder {target.parent}: make it first."
        raise InputError(msg)
    is_read = source is not None and Path(source).exists()
    if is_read and target.exists() and target.samefile(source):
        msg = f"--{option} {path} is the file to read: name another one."
        raise InputError(msg)
    if target.exists() and not os.access(target, os.W_OK):
        msg = f"--{option} {path} is read-only: name another file."
        raise InputError(msg)
    with tempfile.NamedTemporaryFile(prefix=target.name, dir=target.parent):
        return target


def write_file(target, content):
    """Write a file for its owner alone, as a whole or not at all."""
    try:
        replace_file(target, content)
    except OSError as error:
        msg = f"{target}: cannot write there: {error}"
        raise InputError(msg) from error


def predictions_as_csv(fitted, X, rows, target):
    """Return what is predicted of rows, and the probability of each class, as CSV."""
    classes, proba = [], np.empty((len(rows), 0))
    if hasattr(fitted, "classes_"):
        classes, proba = fitted.classes_.tolist(), fitted.predict_proba(X)
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    heads = [f"probability of {label}" for label in classes]
    writer.writerow(["row", target, *heads])
    predicted = fitted.predict(X).tolist()
    for row, label, shares in zip(rows.tolist(), predicted, proba, strict=True):
        writer.writerow([row, label, *(f"{share:.6g}" for share in shares)])
    return text.getvalue()

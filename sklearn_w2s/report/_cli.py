"""The console script ``sklearn-w2s``."""

import argparse
import sys
import time
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import sklearn_w2s
from sklearn_w2s._representation import visible
from sklearn_w2s._sklearn import safe_indexing
from sklearn_w2s.report._data import (
    MAX_ROWS,
    MIN_ROWS,
    TASKS,
    given_arguments,
    load_embedded,
    load_table,
)
from sklearn_w2s.report._errors import InputError, warnings_as_notes
from sklearn_w2s.report._estimators import BY_TASK, STRONG, WEAK, make_estimator
from sklearn_w2s.report._experiment import (
    MIN_LABELED_PER_CLASS,
    SCORES,
    SEED,
    choose_final,
    costs,
    count_labeled,
    fit_final,
    make_model,
    run_study,
    take_pool,
)
from sklearn_w2s.report._page import Findings, write_page
from sklearn_w2s.report._script import write_script
from sklearn_w2s.report._sources import compare_sources
from sklearn_w2s.report._text import format_report, wrap
from sklearn_w2s.report._verdict import FITS, judge
from sklearn_w2s.report._write import (
    check_target,
    model_as_skops,
    predictions_as_csv,
    write_whole,
)
from sklearn_w2s.weak_to_strong._strategies import STRATEGIES

EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130
# A first look: fewer rows, and the fewest splits that tell noise from a difference.
QUICK_ROWS, QUICK_REPEATS = 1000, 3
REPEATS = 5
_PILOT_ROWS = 500
# What a split costs in units of fits of the strong estimator on all of its rows.
_FITS_OF_A_SPLIT = 7
_LARGE_FILE = 20_000_000


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message):
        raise InputError(message)


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
    progress = _Progress()
    try:
        options = _parser().parse_args(argv)
        notes = _Notes()
        with warnings.catch_warnings(), warnings_as_notes(notes.add):
            # What a class called None means is said by the report itself.
            warnings.filterwarnings("ignore", "The label 'None' is read as a class")
            _report(options, notes, progress)
    except InputError as error:
        _write(f"sklearn-w2s: {_on_one_line(error)}", sys.stderr)
        return EXIT_BAD_INPUT
    except KeyboardInterrupt:
        _write(f"sklearn-w2s: {progress.so_far()}", sys.stderr)
        return EXIT_INTERRUPTED
    return 0


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
            "a text with a header, .csv, .tsv or .txt; .parquet, .xlsx, .json, .jsonl "
            "or .arff; or one of these packed"
        ),
    )
    parser.add_argument(
        "--target",
        metavar="COL",
        help="column to predict; rows where it is empty are unlabeled",
    )
    parser.add_argument(
        "--source", metavar="COL", help="where a row comes from; not used as a feature"
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
        help=f"{' or '.join(TASKS)} (default: as the target looks)",
    )
    parser.add_argument(
        "--labeled",
        type=_count_or_share,
        metavar="FRACTION|COUNT",
        help=(
            "hide labels in a file of labeled rows but for so many rows to train on, "
            f"{MIN_LABELED_PER_CLASS} per class at least "
            "(default: 100, or 12 per class if more, or half if fewer)"
        ),
    )
    names = sorted({name for known in BY_TASK.values() for name in known})
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
            f"one of {', '.join(SCORES['classification'])} (default: accuracy), or, of "
            "a quantity, r2"
        ),
    )
    parser.add_argument(
        "--random-state",
        type=_whole_number(0),
        default=SEED,
        metavar="N",
        help="seed of the sample, the splits and the estimators (default: %(default)s)",
    )
    parser.add_argument(
        "--repeats",
        type=_whole_number(1),
        default=None,
        metavar="N",
        help=f"random splits into training and test rows (default: {REPEATS})",
    )
    parser.add_argument(
        "--jobs",
        type=_whole_number(1),
        default=1,
        metavar="N",
        help="splits run at the same time (default: %(default)s)",
    )
    parser.add_argument(
        "--html",
        metavar="PATH",
        help="write a page with figures, rows worth a look and the code, too",
    )
    parser.add_argument(
        "--predict",
        metavar="PATH",
        help="write class and probabilities of the unlabeled rows as CSV",
    )
    parser.add_argument(
        "--save",
        metavar="PATH",
        help="save the model that predicts, fitted on all rows, as PATH.skops",
    )
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
        type=_whole_number(2 * MIN_ROWS),
        default=None,
        metavar="N",
        help=f"larger files are sampled (default: {MAX_ROWS})",
    )
    _add_reading(parser.add_argument_group("how the file is read"))
    parser.add_argument("--version", action="version", version=sklearn_w2s.__version__)
    return parser


def _add_reading(group):
    for option, metavar, told in (
        ("--sep", "CHAR", "separator of cells (default: found)"),
        ("--decimal", "CHAR", "decimal mark, '.' or ',' (default: by column)"),
        ("--thousands", "CHAR", "mark between groups of digits (default: by column)"),
        ("--encoding", "NAME", "of a text (default: UTF-8, UTF-16 or else cp1252)"),
    ):
        group.add_argument(option, metavar=metavar, help=told)
    group.add_argument(
        "--missing",
        metavar="VALUE",
        action="append",
        help=(
            "cells that count as missing besides empty ones, instead of a guess; '' is "
            "for empty cells alone; may be repeated"
        ),
    )
    for option, told in (
        ("--drop", "column to leave out; may be repeated"),
        ("--keep", "column to use though it looks like an id or text; may be repeated"),
    ):
        group.add_argument(
            option, metavar="COL", action="append", default=[], help=told
        )


def _whole_number(least):
    def parse(text):
        if not text.isdecimal() or int(text) < least:
            msg = f"{text!r} is no whole number of {least} or more"
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
        msg = f"{text!r} is neither a fraction between 0 and 1 nor a count of rows"
        raise argparse.ArgumentTypeError(msg)
    return share


class _Progress:
    """Lines on what is done, with the seconds since the start, and what came of it."""

    def __init__(self):
        self.start = time.perf_counter()
        self.n_splits = 0
        self.folds = []
        self.step = "reading the file"

    def tell(self, step):
        """Write a line and remember what is being done."""
        self.step = step
        _write(f"[{time.perf_counter() - self.start:5.1f} s] {step}")

    def on_fit(self, name, n_rows):
        """Tell of a fit of the split at hand."""
        what = {
            "estimator": "weak and weak-to-strong",
            "alone": "strong alone",
        }[name]
        place = f"split {len(self.folds) + 1} of {self.n_splits}"
        self.tell(f"{place}: {what} on {n_rows} rows")

    def on_folds(self, folds):
        """Tell what the splits that are done have come to."""
        self.folds = [fold["score"] for fold in folds]
        self.tell(f"{len(folds)} of {self.n_splits} splits done: {self._means()}")

    def _means(self):
        names = ("weak", "weak_to_strong", "strong_on_labels")
        return ", ".join(
            f"{FITS[name]} "
            f"{100 * np.mean([fold[name]['score'] for fold in self.folds]):.2f}"
            for name in names
        )

    def so_far(self):
        """Say in one line what was done when it was interrupted."""
        seconds = time.perf_counter() - self.start
        told = f"interrupted after {seconds:.0f} s ({self.step.split(':')[0]})"
        if not self.folds:
            return f"{told}: no split was done, nothing is known yet."
        return (
            f"{told}: {len(self.folds)} of {self.n_splits} splits were done: "
            f"{self._means()}."
        )


class _Notes(list):
    """Notes, written as they come and kept for the page."""

    def add(self, note):
        self.append(note)
        for line in wrap(f"note: {note}", indent="  "):
            _write(line)


def _report(options, notes, progress):
    _require_file(options)
    paths = {
        option: check_target(option, path, options.file)
        for option in ("html", "predict", "save")
        if (path := getattr(options, option)) is not None
    }
    options.max_rows = options.max_rows or (QUICK_ROWS if options.quick else MAX_ROWS)
    options.repeats = options.repeats or (QUICK_REPEATS if options.quick else REPEATS)
    data = _load(options, progress)
    _choose_by_task(options, data.task)
    labels, labeled = data.known()
    hides_labels = bool(labeled.all())
    n_labeled = None
    if hides_labels:
        n_labeled = count_labeled(labels, options.labeled, regresses=data.regresses)
    n_unlabeled = 0 if data.others is None else len(data.others)
    _check_use(options, hides_labels, n_unlabeled)
    setting = _say_what_was_read(data, labels, hides_labels, notes)
    model = make_model(options.weak, options.strong, data, options.strategy)
    study = _run(options, model, data, n_labeled, progress)
    verdict = judge(
        study.results,
        hides_labels=hides_labels,
        scoring=options.scoring,
        n_unlabeled=n_unlabeled,
    )
    pool = take_pool(study, data)
    sources = None
    if data.source is not None:
        progress.tell("sources (kl_ucb)")
        sources = compare_sources(model.weak_estimator, pool, options.random_state)
    spent = costs(study, model, data)
    final = choose_final(verdict, hides_labels=hides_labels)
    setting.append(_setting(options, study.results))
    if "html" in paths:
        progress.tell(f"page {options.html}")
        script = write_script(options, study, final, data)
        header = [f"{line}." for line in setting]
        findings = Findings(
            options,
            data.name,
            header,
            study,
            verdict,
            spent,
            pool,
            sources,
            notes,
            script,
        )
        write_whole(paths["html"], write_page(findings).encode())
    told = _use(options, paths, final, model, data, progress)
    runs = [] if sources is None else sources.runs
    report = format_report(
        study, verdict, spent, runs, options.scoring, setting=setting[-1]
    )
    for line in ["", *report, *told]:
        _write(line)


def _require_file(options):
    """Refuse options on a file where there is none."""
    names = (
        *("target", "source", "group", "drop", "keep", "task", "missing", "sep"),
        *("decimal", "thousands", "encoding", "max_rows", "predict"),
    )
    given = [name for name in names if getattr(options, name)]
    if options.file is None and given:
        option = given[0].replace("_", "-")
        msg = f"--{option} needs a FILE: without one the report is on digits."
        raise InputError(msg)


def _choose_by_task(options, task):
    """Set the estimators and the score that were not named, and check the others."""
    options.weak = options.weak or WEAK[task]
    options.strong = options.strong or STRONG
    options.scoring = options.scoring or SCORES[task][0]
    what = {"classification": "classes", "regression": "a quantity"}[task]
    for option, known in (
        ("weak", BY_TASK[task]),
        ("strong", BY_TASK[task]),
        ("scoring", SCORES[task]),
    ):
        name = getattr(options, option)
        if name not in known:
            msg = f"--{option} {name} is not for {what}: choose {', '.join(known)}."
            raise InputError(msg)


def _say_what_was_read(data, labels, hides_labels, notes):
    """Write what was done and read, and return it as a list of sentences."""
    n_rows, n_known = len(data.y), len(labels)
    if hides_labels:
        done = (
            f"Experiment on {data.name}: every row has a label, so labels are hidden "
            "from most rows to see what weak-to-strong makes of them"
        )
    else:
        done = (
            f"Labels as they are in {data.name}: {n_known} labeled and "
            f"{n_rows - n_known} unlabeled rows, none hidden but to test"
        )
    of = "a quantity to predict"
    if not data.regresses:
        of = f"{len(set(labels.tolist()))} classes"
    size = f"{n_rows} rows, {_count(len(data.units()), 'column')}, {of}"
    setting = [done, size, *data.facts]
    for fact in setting:
        for line in wrap(fact, indent="  "):
            _write(line)
    for note in data.notes:
        notes.add(note)
    return setting


def _check_use(options, hides_labels, n_unlabeled):
    if options.labeled is not None and not hides_labels:
        msg = (
            "--labeled hides labels of a file whose rows all have one; this one has "
            f"{n_unlabeled} unlabeled rows, and its labels are used as they are."
        )
        raise InputError(msg)
    if options.predict is not None and not n_unlabeled:
        msg = (
            "--predict labels rows without a label, and every row has one: leave the "
            "target of the rows to predict empty."
        )
        raise InputError(msg)


def _run(options, model, data, n_labeled, progress):
    progress.n_splits = options.repeats
    seconds = _estimate(options, data)
    n_splits = _count(options.repeats, "split")
    progress.tell(f"{n_splits}, about {seconds:.0f} s in all")
    try:
        return run_study(
            model,
            data,
            n_labeled,
            options.repeats,
            options.jobs,
            scoring=options.scoring,
            random_state=options.random_state,
            on_fit=progress.on_fit,
            on_folds=progress.on_folds,
        )
    except TypeError as error:
        if options.strategy == "auto":
            raise
        # Not every estimator does for every strategy.
        raise InputError(str(error)) from error


def _estimate(options, data):
    """Return about how many seconds the splits take, by a fit on some rows."""
    labels, labeled = data.known()
    order = np.argsort(labels, kind="stable")
    order = order[:: max(1, len(order) // _PILOT_ROWS)]
    rows = np.flatnonzero(labeled)[order]
    pilot = make_estimator(options.strong, options.random_state, task=data.task)
    start = time.perf_counter()
    pilot.fit(safe_indexing(data.X, rows), labels[order])
    seconds = time.perf_counter() - start
    growth = max(1.0, 0.7 * len(data.y) / len(rows)) ** 0.7
    splits = options.repeats / min(options.jobs, options.repeats)
    return max(1.0, _FITS_OF_A_SPLIT * seconds * growth * splits)


def _use(options, paths, final, model, data, progress):
    """Write predictions and the model, and return a line on each."""
    asked = [option for option in ("predict", "save") if option in paths]
    if not asked:
        return []
    progress.tell("fit on all rows")
    fitted = fit_final(final, model, options, data)
    name = {
        "weak": f"the weak estimator ({options.weak})",
        "strong_on_labels": f"the strong estimator ({options.strong})",
        "weak_to_strong": f"weak-to-strong ({options.weak}, {options.strong})",
    }[final]
    name += f", trained on {int(data.known()[1].sum())} labels"
    told = [""]
    if "predict" in paths:
        X, rows = data.unlabeled()
        text = predictions_as_csv(fitted, X, rows, options.target)
        write_whole(paths["predict"], text.encode())
        told += wrap(f"{options.predict}: labels of {len(rows)} rows by {name}")
    if "save" in paths:
        write_whole(paths["save"], model_as_skops(fitted))
        told += wrap(f"{options.save}: {name}")
    return told


def _setting(options, results):
    n_labeled, n_unlabeled, n_test = (
        results[name][0] for name in ("n_labeled", "n_unlabeled", "n_test")
    )
    return (
        f"{options.weak} as weak and {options.strong} as strong estimator; {n_labeled} "
        f"labeled and {n_unlabeled} unlabeled rows to train on, {n_test} to test on; "
        f"{_count(options.repeats, 'split')}"
    )


def _load(options, progress):
    if options.file is None:
        return load_embedded()
    if options.target is None:
        msg = f"--target is missing: name the column of {options.file} to predict."
        raise InputError(msg)
    path = Path(options.file)
    if path.is_file() and path.stat().st_size > _LARGE_FILE:
        progress.tell(f"reading {path.name}")
    return load_table(options.file, options.target, **given_arguments(options))


def _count(number, noun):
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _on_one_line(error):
    return " ".join(str(error).split())


def _write(line, stream=None):
    stream = sys.stdout if stream is None else stream
    # Names from a file may hold characters that the terminal lacks or obeys.
    encoding = stream.encoding or "utf-8"
    shown = visible(line).encode(encoding, "backslashreplace").decode(encoding)
    stream.write(f"{shown}\n")
    stream.flush()

"""The console script ``sklearn-w2s``."""

import argparse
import sys
import time

import sklearn_w2s
from sklearn_w2s._representation import visible
from sklearn_w2s.report._data import (
    MAX_ROWS,
    MIN_ROWS,
    given_arguments,
    load_embedded,
    load_table,
)
from sklearn_w2s.report._errors import InputError
from sklearn_w2s.report._estimators import ESTIMATORS
from sklearn_w2s.report._experiment import (
    MIN_LABELED_PER_CLASS,
    SCORES,
    SEED,
    compare,
    count_labeled,
    make_model,
    take_pool,
)
from sklearn_w2s.report._page import Findings, ask_advice, write_page
from sklearn_w2s.report._sources import compare_sources
from sklearn_w2s.report._text import format_report, wrap
from sklearn_w2s.report._warnings import warnings_as_notes
from sklearn_w2s.report._write import check_target, write_whole
from sklearn_w2s.weak_to_strong._strategies import STRATEGIES

EXIT_BAD_INPUT = 2


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message):
        raise InputError(message)


def main(argv=None):
    """Run the report on whether weak-to-strong pays on a data set.

    Parameters
    ----------
    argv : list of str, default=None
        Arguments; None takes those of the command line.

    Returns
    -------
    int
        0, or 2 after one line on stderr where the input cannot be used.

    Examples
    --------
    >>> from sklearn_w2s.report import main
    >>> main(["no_such_file.csv", "--target", "income"])
    2
    """
    try:
        options = _parser().parse_args(argv)
        notes = _Notes()
        with warnings_as_notes(notes.add):
            _report(options, notes)
    except InputError as error:
        _write(f"sklearn-w2s: {_on_one_line(error)}", sys.stderr)
        return EXIT_BAD_INPUT
    return 0


def _parser():
    parser = _Parser(
        prog="sklearn-w2s",
        allow_abbrev=False,
        description=(
            "Does weak-to-strong pay on these data? Hides labels, trains weak, "
            "weak-to-strong and strong estimators, and compares them on held-out rows. "
            "Without FILE, on handwritten digits."
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
        "--labeled",
        type=_count_or_share,
        metavar="FRACTION|COUNT",
        help=(
            "training rows that keep their label, "
            f"{MIN_LABELED_PER_CLASS} per class at least "
            "(default: 100, or 12 per class if more, or half if fewer)"
        ),
    )
    names = sorted(ESTIMATORS)
    for option, default in (("--weak", "logistic"), ("--strong", "extra_trees")):
        parser.add_argument(
            option,
            default=default,
            choices=names,
            metavar="NAME",
            help=f"one of {', '.join(names)} (default: %(default)s)",
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
        default="accuracy",
        choices=SCORES,
        metavar="NAME",
        help=f"one of {', '.join(SCORES)} (default: %(default)s)",
    )
    parser.add_argument(
        "--random-state",
        type=_whole_number(0),
        default=SEED,
        metavar="N",
        help="seed of the sample, the splits and the estimators (default: %(default)s)",
    )
    parser.add_argument(
        "--seeds",
        type=_whole_number(1),
        default=5,
        metavar="N",
        help="random splits into training and test rows (default: %(default)s)",
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
        help="write a page with advice, figures and rows worth a look, too",
    )
    parser.add_argument(
        "--max-rows",
        type=_whole_number(2 * MIN_ROWS),
        default=MAX_ROWS,
        metavar="N",
        help="larger files are sampled (default: %(default)s)",
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
    group.add_argument(
        "--drop",
        metavar="COL",
        action="append",
        default=[],
        help="column to leave out; may be repeated",
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


class _Notes(list):
    """Notes, written as they come and kept for the page."""

    def add(self, note):
        self.append(note)
        for line in wrap(f"note: {note}", indent="  "):
            _write(line)


def _report(options, notes):
    start = time.perf_counter()

    def tell(step):
        _write(f"[{time.perf_counter() - start:5.1f} s] {step}")

    page = None
    if options.html is not None:
        page = check_target(options.html, options.file)
    data = _load(options)
    labels, _ = data.known()
    n_labeled = count_labeled(labels, options.labeled)
    size = (
        f"{data.name}: {len(data.y)} rows, {_count(data.X.shape[1], 'column')}, "
        f"{len(set(labels.tolist()))} classes"
    )
    _write(size)
    for fact in data.facts:
        for line in wrap(fact, indent="  "):
            _write(line)
    for note in data.notes:
        notes.add(note)
    model = make_model(
        options.weak, options.strong, data.missing_label, options.strategy
    )
    results = _compare(options, model, data, n_labeled, tell)
    pool = take_pool(data, n_labeled, options.random_state)
    sources = None
    if data.source is not None:
        tell("sources (kl_ucb)")
        sources = compare_sources(model.weak_estimator, pool, options.random_state)
    setting = _setting(options, results)
    if page is not None:
        header = [f"{line}." for line in (size, *data.facts, setting)]
        findings = Findings(options, data.name, header, model, results, pool, sources)
        tell("advice")
        advice = ask_advice(findings)
        tell(f"page {options.html}")
        write_whole(page, write_page(findings, advice, notes))
    _write("")
    for line in wrap(setting):
        _write(line)
    runs = [] if sources is None else sources.runs
    for line in format_report(results, runs, options.scoring):
        _write(line)


def _compare(options, model, data, n_labeled, tell):
    n_splits = _count(options.seeds, "split")
    tell(f"fits on {n_splits}")
    try:
        return compare(
            model,
            data,
            n_labeled,
            options.seeds,
            options.jobs,
            scoring=options.scoring,
            random_state=options.random_state,
            on_folds=lambda n_done: tell(f"{n_done} of {n_splits} done"),
        )
    except TypeError as error:
        if options.strategy == "auto":
            raise
        # Not every estimator does for every strategy.
        raise InputError(str(error)) from error


def _setting(options, results):
    n_labeled, n_unlabeled, n_test = (
        results[name][0] for name in ("n_labeled", "n_unlabeled", "n_test")
    )
    return (
        f"{options.weak} as weak and {options.strong} as strong estimator; {n_labeled} "
        f"labeled and {n_unlabeled} unlabeled rows to train on, {n_test} to test on; "
        f"{_count(options.seeds, 'split')}"
    )


def _load(options):
    if options.file is None:
        if options.target or options.source:
            msg = "--target and --source need a FILE."
            raise InputError(msg)
        return load_embedded()
    if options.target is None:
        msg = f"--target is missing: name the column of {options.file} to predict."
        raise InputError(msg)
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

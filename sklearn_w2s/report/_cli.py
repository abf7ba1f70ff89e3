"""The console script ``sklearn-w2s``."""

import argparse
import sys
import time

import sklearn_w2s
from sklearn_w2s.report._data import MIN_ROWS, load_embedded, load_file
from sklearn_w2s.report._errors import InputError
from sklearn_w2s.report._experiment import (
    ESTIMATORS,
    MIN_LABELED_PER_CLASS,
    count_labeled,
    draw_split,
    run_seed,
)
from sklearn_w2s.report._text import format_report, wrap
from sklearn_w2s.report._warnings import warnings_as_notes

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
        with warnings_as_notes(_note):
            _report(options)
    except InputError as error:
        sys.stderr.write(f"sklearn-w2s: {_on_one_line(error)}\n")
        return EXIT_BAD_INPUT
    return 0


def _parser():
    parser = _Parser(
        prog="sklearn-w2s",
        description=(
            "Does weak-to-strong pay on these data? Hides labels, trains weak, "
            "weak-to-strong and strong estimators, and compares them on held-out rows. "
            "Without FILE, on handwritten digits."
        ),
    )
    parser.add_argument(
        "file", nargs="?", metavar="FILE", help=".csv, .csv.gz or .parquet"
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
            f"{MIN_LABELED_PER_CLASS} of each class at least "
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
        "--seeds",
        type=_whole_number(1),
        default=5,
        metavar="N",
        help="repetitions, each with another split (default: %(default)s)",
    )
    parser.add_argument(
        "--max-rows",
        type=_whole_number(2 * MIN_ROWS),
        default=20_000,
        metavar="N",
        help="larger files are sampled (default: %(default)s)",
    )
    parser.add_argument("--version", action="version", version=sklearn_w2s.__version__)
    return parser


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


def _report(options):
    data = _load(options)
    n_labeled = count_labeled(data.y, options.labeled)
    _write(
        f"{data.name}: {len(data.y)} rows, {_count(data.X.shape[1], 'column')}, "
        f"{data.n_classes} classes"
    )
    for note in data.notes:
        _note(note)
    runs = _run_seeds(data, n_labeled, options)
    first = draw_split(data.y, n_labeled, seed=0)
    _write("")
    setting = (
        f"{options.weak} as weak and {options.strong} as strong estimator; {n_labeled} "
        f"labeled and {len(first.train) - n_labeled} unlabeled rows to train on, "
        f"{len(first.test)} to test on; {_count(options.seeds, 'seed')}"
    )
    for line in wrap(setting):
        _write(line)
    for line in format_report(runs):
        _write(line)


def _run_seeds(data, n_labeled, options):
    start = time.perf_counter()

    def tell(step):
        elapsed = time.perf_counter() - start
        _write(f"[{elapsed:5.1f} s] seed {seed + 1}/{options.seeds}: {step}")

    runs = []
    for seed in range(options.seeds):
        split = draw_split(data.y, n_labeled, seed)
        runs.append(run_seed(data, split, options.weak, options.strong, seed, tell))
    return runs


def _load(options):
    if options.file is None:
        if options.target or options.source:
            msg = "--target and --source need a FILE."
            raise InputError(msg)
        return load_embedded()
    if options.target is None:
        msg = f"--target is missing: name the column of {options.file} to predict."
        raise InputError(msg)
    return load_file(options.file, options.target, options.source, options.max_rows)


def _count(number, noun):
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _note(text):
    for line in wrap(f"note: {text}", indent="  "):
        _write(line)


def _on_one_line(error):
    return " ".join(str(error).split())


def _write(line):
    # Names from a file may hold characters that the terminal lacks.
    encoding = sys.stdout.encoding or "utf-8"
    printable = line.encode(encoding, "backslashreplace").decode(encoding)
    sys.stdout.write(f"{printable}\n")
    sys.stdout.flush()

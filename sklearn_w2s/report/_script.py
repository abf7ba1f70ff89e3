"""The code that gives the numbers of a report."""

from sklearn_w2s.report._data import given_arguments
from sklearn_w2s.report._experiment import TEST_SIZE

_FILE = """\
from sklearn.model_selection import StratifiedShuffleSplit

from sklearn_w2s import OverlapDetector, WeakToStrongClassifier
from sklearn_w2s.advice import advise
from sklearn_w2s.model_selection import cross_validate_gap, weak_strong_split
from sklearn_w2s.report import load_table, make_estimator

table = load_table(
    {path!a},
    {target!a},
{reading})
X, y, source = table.X, table.y, table.source
"""
_DIGITS = """\
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedShuffleSplit

from sklearn_w2s import OverlapDetector, WeakToStrongClassifier
from sklearn_w2s.advice import advise
from sklearn_w2s.model_selection import cross_validate_gap, weak_strong_split
from sklearn_w2s.report import make_estimator

X, y = load_digits(return_X_y=True)
"""
_COMPARISON = """
model = WeakToStrongClassifier(
    make_estimator({weak!r}),
    make_estimator({strong!r}),
    overlap_detector=OverlapDetector(),
    strategy={strategy!r},
    missing_label={missing_label!r},
)
results = cross_validate_gap(
    model,
    X,
    y,
    labeled_size={n_labeled},
    cv=StratifiedShuffleSplit({n_splits}, test_size={test_size}, random_state={seed}),
    scoring={scoring!r},
    random_state={seed},
)
for name in ("weak", "weak_to_strong", "strong_on_labels", "ceiling"):
    print(name, results[f"{{name}}_score"].mean())
print("performance gap recovered", results["gap_recovered"])
print("its interval", results["gap_recovered_interval"])
"""
_HIDING = """
# The training rows of the first split, most of them without their label.
X, _, y, _, {unpacked}*_ = weak_strong_split(
    X,
    y,
    {passed}labeled_size={n_labeled},
    test_size={test_size},
    missing_label={missing_label!r},
    random_state={seed},
)
"""
_ADVICE = """
advice = advise(model, X, y, {sample_source}random_state={seed})
print(advice)
"""


def write_script(options, results, pool):
    """Return a script that compares and advises as the report did.

    Parameters
    ----------
    options : argparse.Namespace
        Options of the report.
    results : dict
        As from `cross_validate_gap`.
    pool : Pool
        The rows that the advice is on.

    Returns
    -------
    str
        Python code, of ASCII characters.
    """
    has_source = pool.source is not None
    facts = {
        "path": None if options.file is None else str(options.file),
        "target": options.target,
        "reading": "".join(
            f"    {name}={value!a},\n"
            for name, value in given_arguments(options).items()
        ),
        "weak": options.weak,
        "strong": options.strong,
        "missing_label": pool.missing_label,
        "n_labeled": int(results["n_labeled"][0]),
        "n_splits": len(results["n_labeled"]),
        "test_size": TEST_SIZE,
        "seed": options.random_state,
        "strategy": options.strategy,
        "scoring": options.scoring,
        "unpacked": "source, " if has_source else "",
        "passed": "source,\n    " if has_source else "",
        "sample_source": "sample_source=source, " if has_source else "",
    }
    parts = [_DIGITS if options.file is None else _FILE, _COMPARISON]
    if pool.is_hidden:
        parts.append(_HIDING)
    parts.append(_ADVICE)
    script = "".join(part.format(**facts) for part in parts)
    if not pool.is_hidden:
        script = script.replace(", weak_strong_split", "", 1)
    return script

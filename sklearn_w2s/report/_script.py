"""The code that gives the numbers of a report, and its predictions and model."""

from sklearn_w2s.report._data import TEST_SIZE, given_arguments

_FILE = """\
import pandas as pd
import skops.io

from sklearn_w2s import OverlapDetector, {kind}
from sklearn_w2s.model_selection import cross_validate_gap
from sklearn_w2s.report import load_table, make_estimator

target = {target!a}
table = load_table(
    {path!a},
    target,
{reading})
X, y = table.X, table.y
cv = table.splits({n_splits}, random_state={seed})
"""
_DIGITS = """\
import skops.io
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedShuffleSplit

from sklearn_w2s import OverlapDetector, WeakToStrongClassifier
from sklearn_w2s.model_selection import cross_validate_gap
from sklearn_w2s.report import make_estimator

X, y = load_digits(return_X_y=True)
cv = StratifiedShuffleSplit({n_splits}, test_size={test_size}, random_state={seed})
"""
_COMPARISON = """
model = {kind}(
    make_estimator({weak!r}{task}),
    make_estimator({strong!r}{task}),
    overlap_detector=OverlapDetector(),
    strategy={strategy!r},
{missing})
results = cross_validate_gap(
    model,
    X,
    y,
    labeled_size={n_labeled},
    cv=cv,
    scoring={scoring!r},
    random_state={seed},
)
for name in {names}:
    print(name, results[f"{{name}}_score"].mean())
"""
_FIT_ALL = """
# What the report chose, trained on all rows of the table.
fitted = model.set_params(random_state={seed}).fit(X, y)
"""
_FIT_LABELED = """
# What the report chose, trained on all labels of the table.
labels, labeled = table.known()
fitted = make_estimator({final!r}, random_state={seed}{task})
fitted.fit(X[labeled], labels)
"""
_FIT_DIGITS = """
# What the report chose, trained on all labels.
fitted = make_estimator({final!r}, random_state={seed}).fit(X, y)
"""
_PREDICT = """
X_new, rows = table.unlabeled()
predicted = pd.DataFrame({{"row": rows, target: fitted.predict(X_new)}})
{proba}predicted.to_csv({predictions!a}, index=False)
"""
_PROBA = """\
for label, shares in zip(fitted.classes_, fitted.predict_proba(X_new).T):
    predicted[f"probability of {label}"] = shares
"""
_SAVE = """
skops.io.dump(fitted, {saved!a})
"""


def write_script(options, study, final, data):
    """Return a script that compares, fits, predicts and saves as the report does.

    Parameters
    ----------
    options : argparse.Namespace
        Options of the report.
    study : Study
        Results.
    final : str
        Who predicts, as from `choose_final`.
    data : Data
        Rows.

    Returns
    -------
    str
        Python code, of ASCII characters.
    """
    results = study.results
    names = ["weak", "weak_to_strong", "strong_on_labels"]
    facts = {
        "path": None if options.file is None else str(options.file),
        "target": options.target,
        "reading": "".join(
            f"    {name}={value!a},\n"
            for name, value in given_arguments(options).items()
        ),
        "weak": options.weak,
        "strong": options.strong,
        "kind": f"WeakToStrong{'Regressor' if data.regresses else 'Classifier'}",
        "task": ', task="regression"' if data.regresses else "",
        "missing": ""
        if data.regresses
        else f"    missing_label={data.missing_label!r},\n",
        "proba": "" if data.regresses else _PROBA,
        "n_labeled": int(results["n_labeled"][0]) if study.hides_labels else None,
        "n_splits": len(results["n_labeled"]),
        "test_size": TEST_SIZE,
        "seed": options.random_state,
        "strategy": options.strategy,
        "scoring": options.scoring,
        "names": str((*names, "ceiling") if study.hides_labels else tuple(names)),
        "final": options.weak if final == "weak" else options.strong,
        "predictions": options.predict or "predictions.csv",
        "saved": options.save or "model.skops",
    }
    is_file = options.file is not None
    predicts = is_file and data.others is not None and len(data.others)
    fit = _FIT_LABELED if is_file else _FIT_DIGITS
    parts = [
        _FILE if is_file else _DIGITS,
        _COMPARISON,
        _FIT_ALL if final == "weak_to_strong" else fit,
        _PREDICT if predicts else "",
        _SAVE,
    ]
    script = "".join(part.format(**facts) for part in parts)
    if not predicts:
        script = script.replace("import pandas as pd\n", "", 1)
    return script.replace("    labeled_size=None,\n", "", 1)

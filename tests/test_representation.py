import re
from functools import partial
from html import unescape

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_html_repr

from sklearn_w2s import OverlapDetector, UCBSourceSelector, WeakToStrongClassifier
from sklearn_w2s._representation import DiagramMixin, name_of, ranked
from sklearn_w2s.datasets import make_overlap_classification
from sklearn_w2s.model_selection import LabeledSplit

X, truth, _ = make_overlap_classification(300, random_state=0)
y = truth.copy()
y[100:] = -1
SOURCES = np.where(np.arange(len(X)) % 3 == 0, "rich", "poor")
EASY = slice(0, 20)


def labels(estimator):
    """Return what the diagram of an estimator shows while everything is folded."""
    html = estimator_html_repr(estimator)
    html = re.sub(r"<(style|script|a|span)\b.*?</\1>", "", html, flags=re.DOTALL)
    found = re.findall(r"<label[^>]*>(.*?)</label>", html, flags=re.DOTALL)
    return [unescape(re.sub(r"<[^>]*>", "", label)) for label in found]


def make_classifier(**params):
    params = {"weak_features": EASY, "random_state": 0} | params
    return WeakToStrongClassifier(GaussianNB(), LogisticRegression(), **params)


def test_parts_are_shown_before_fit_as_they_were_given():
    model = make_classifier(overlap_detector=OverlapDetector())
    assert labels(model) == [
        "WeakToStrongClassifier",
        "weak_estimator: GaussianNB",
        "GaussianNB",
        "strong_estimator: LogisticRegression",
        "LogisticRegression",
        "overlap_detector: OverlapDetector",
        "OverlapDetector",
    ]


@pytest.mark.parametrize(
    "estimator", [WeakToStrongClassifier(), OverlapDetector(), UCBSourceSelector()]
)
def test_without_parts_there_is_a_single_box(estimator):
    assert labels(estimator) == [type(estimator).__name__]


def test_a_fit_shows_the_defaults_that_it_used_and_what_it_found():
    model = WeakToStrongClassifier(weak_features=EASY, strategy="overlap").fit(X, y)
    shown = labels(model)
    density = model.overlap_density_
    assert shown[:8] == [
        "WeakToStrongClassifier",
        f"strategy: overlap, overlap density: {density:.2f}; predicts: TabularBoosting",
        "weak_estimator: Pipeline",
        "TabularEncoder",
        "LogisticRegression",
        "strong_estimator: TabularBoosting",
        "boosting: HistGradientBoostingClassifier",
        "HistGradientBoostingClassifier",
    ]
    assert shown[8] == "overlap_detector: OverlapDetector"
    assert shown[9].startswith(f"overlap density: {density:.2f} [")


def test_the_strategy_shown_is_the_one_used():
    model = make_classifier(strategy="auto").fit(X[:150], y[:150])
    assert model.strategy_ != "auto"
    assert labels(model)[1].startswith(f"strategy: {model.strategy_}")

    def my_strategy(weak_proba, *_):
        return weak_proba, np.ones(len(weak_proba))

    own = make_classifier(strategy=my_strategy).fit(X, y)
    assert labels(own)[1].startswith("strategy: my_strategy, overlap density: ")


def test_members_with_their_weights_and_who_predicts_are_shown():
    model = make_classifier().fit(X, y)
    shown = [f"{k} {v:.2f}" for k, v in model.evidence_["weights"].items() if v]
    assert labels(model)[1] == (
        f"strategy: {model.strategy_} of {', '.join(shown)}; predicts: "
        f"{type(model.estimator_).__name__}"
    )

    weak = make_classifier(strategy="all").fit(X, y)
    weak.strategy_, weak.estimator_ = "weak", weak.weak_estimator_
    assert labels(weak)[1] == "strategy: weak; predicts: GaussianNB"


def test_a_weak_estimator_that_took_no_part_is_not_shown():
    model = make_classifier(strategy="all").fit(X, y, weak_proba=np.eye(2)[truth])
    assert not any("weak_estimator" in label for label in labels(model))


def test_a_detector_shows_density_interval_and_regime():
    detector = OverlapDetector(GaussianNB(), weak_features=EASY).fit(X, y)
    low, high = detector.overlap_density_interval_
    found = (
        f"overlap density: {detector.overlap_density_:.2f} [{low:.2f}, {high:.2f}], "
        f"{detector.overlap_regime_}"
    )
    shown = labels(detector)
    assert shown[:3] == ["OverlapDetector", found, "weak_estimator: GaussianNB"]
    assert "representation: DeviationEncoder" in shown


def test_every_parameter_that_is_an_estimator_is_a_part():
    detector = OverlapDetector(GaussianNB(), representation=PCA(2))
    assert "representation: PCA" in labels(detector)
    assert "representation: PCA" in labels(clone(detector).fit(X, y))


def test_a_detector_shows_itself_after_partial_fit():
    frozen = FrozenEstimator(GaussianNB().fit(X[:100], y[:100]))
    detector = OverlapDetector(frozen).partial_fit(X)
    assert labels(detector)[1].startswith("overlap density: ")


def test_a_selector_shows_its_best_sources():
    selector = UCBSourceSelector(make_classifier(strategy="all"), budget=100)
    selector.set_params(overlap_detector=OverlapDetector(GaussianNB()))
    selector.fit(X, y, sample_source=SOURCES)
    shown = labels(selector)
    best, worst = selector.ranking_
    assert re.fullmatch(
        rf"best sources by overlap density: {best} \(\d\.\d\d\), {worst} \(\d\.\d\d\)",
        shown[1],
    )
    assert shown[2:4] == [
        "estimator: WeakToStrongClassifier",
        "strategy: all; predicts: LogisticRegression",
    ]
    assert "overlap_detector: OverlapDetector" in shown


def test_a_selector_shows_the_sources_that_it_knows_something_of():
    selector = UCBSourceSelector()
    selector.pull(["a", "b"])
    assert labels(selector)[1:] == ["no overlap density known yet"]
    selector.update("a", n_drawn=10, n_overlap=3)
    assert labels(selector)[1:] == ["best sources by overlap density: a (0.30)"]


def test_looking_changes_no_draw():
    def drawn(look):
        selector = UCBSourceSelector(policy="thompson", random_state=0)
        names = []
        for _ in range(20):
            names.append(selector.pull(["a", "b"]))
            selector.update(names[-1], n_drawn=4, n_overlap=2)
            if look:
                estimator_html_repr(selector)
        return names

    assert drawn(look=True) == drawn(look=False)


@pytest.mark.parametrize("nest", ["pipeline", "search"])
def test_findings_are_shown_in_other_estimators(nest):
    model = make_classifier(strategy="overlap")
    if nest == "pipeline":
        outer = make_pipeline(StandardScaler(), model)
    else:
        outer = GridSearchCV(model, {"include_labeled": [True]}, cv=LabeledSplit(2))
    shown = labels(outer.fit(X, y))
    findings = [label for label in shown if label.startswith("strategy: overlap, ")]
    assert len(findings) == 1
    assert "strong_estimator: LogisticRegression" in shown


def test_names_from_data_are_escaped_and_cut():
    names = np.where(SOURCES == "rich", "<script>alert(1)</script>", "x" * 500)
    detector = OverlapDetector(GaussianNB(), weak_features=EASY)
    selector = UCBSourceSelector(overlap_detector=detector, budget=100)
    selector.fit(X, y, sample_source=names)
    html = estimator_html_repr(selector)
    assert "alert(1)</script>" not in html
    assert "&lt;script&gt;alert(1)" in html
    assert max(map(len, labels(selector))) < 150


@pytest.mark.filterwarnings("ignore:y contains no unlabeled samples:UserWarning")
def test_the_diagram_does_not_grow_with_the_rows():
    def size(n):
        rows, labels, _ = make_overlap_classification(n, random_state=0)
        model = make_classifier(strategy="overlap").fit(rows, labels)
        return len(estimator_html_repr(model))

    assert size(2000) < 1.05 * size(200)


def test_few_of_many_sources_are_named():
    names, densities = np.array(list("abcde")), np.array([0.5, 0.4, 0.3, 0.2, np.nan])
    line = "best sources by overlap density: a (0.50), b (0.40) and 2 more"
    assert ranked(names, names, densities, n_shown=2) == line
    unordered = ranked(names[[1, 0]], names[:2], np.array([0.1, 0.9]))
    assert unordered == "best sources by overlap density: b (0.90), a (0.10)"


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("rich", "rich"),
        (3, "3"),
        (name_of, "name_of"),
        ("x" * 40, "x" * 40),
        ("x" * 41, "x" * 39 + "…"),
    ],
)
def test_names_are_short(value, name):
    assert name_of(value) == name


def test_a_callable_without_a_name_is_described():
    assert name_of(partial(int, base=2)) == "functools.partial(<class 'int'>, base=2)"


def test_the_number_that_a_part_found_does_not_hide_the_part():
    class Host(DiagramMixin):
        def __init__(self, threshold=None, other=None):
            self.threshold = threshold
            self.other = other

        def fit(self):
            self.threshold_, self.other_ = 0.5, None
            return self

        def _findings(self):
            return "found"

    host = Host(threshold=PCA(), other=GaussianNB()).fit()
    assert labels(host) == ["Host", "found", "threshold: PCA", "PCA"]

import pickle
import re
import sys
from functools import partial
from html import unescape
from types import SimpleNamespace

import numpy as np
import pytest
from joblib import parallel_config
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, clone
from sklearn.datasets import make_regression
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_html_repr

from sklearn_w2s import (
    OverlapDetector,
    UCBSourceSelector,
    WeakToStrongClassifier,
    WeakToStrongRegressor,
)
from sklearn_w2s._display import (
    DiagramMixin,
    ProgressMixin,
    Steps,
    name_of,
    ranked,
)
from sklearn_w2s.datasets import make_overlap_classification
from sklearn_w2s.model_selection import (
    LabeledSplit,
    cross_validate_gap,
    gap_learning_curve,
    overlap_curve,
)

try:
    from sklearn.callback import ScoringMonitor
except ImportError:
    ScoringMonitor = None

needs_callbacks = pytest.mark.skipif(
    ScoringMonitor is None, reason="scikit-learn has callbacks from 1.9 on"
)

X, truth, REGIONS = make_overlap_classification(300, random_state=0)
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


def make_pair(**params):
    params = {"weak_features": EASY, "random_state": 0} | params
    return WeakToStrongClassifier(GaussianNB(), LogisticRegression(), **params)


def test_parts_are_shown_before_fit_as_they_were_given():
    model = make_pair(overlap_detector=OverlapDetector())
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
    model = make_pair(strategy="auto").fit(X[:150], y[:150])
    assert model.strategy_ != "auto"
    assert labels(model)[1].startswith(f"strategy: {model.strategy_}")

    def my_strategy(weak_proba, *_):
        return weak_proba, np.ones(len(weak_proba))

    own = make_pair(strategy=my_strategy).fit(X, y)
    assert labels(own)[1].startswith("strategy: my_strategy, overlap density: ")


def test_members_with_their_weights_and_who_predicts_are_shown():
    model = make_pair().fit(X, y)
    shown = [f"{k} {v:.2f}" for k, v in model.evidence_["weights"].items() if v]
    assert labels(model)[1] == (
        f"strategy: {model.strategy_} of {', '.join(shown)}; predicts: "
        f"{type(model.estimator_).__name__}"
    )

    weak = make_pair(strategy="all").fit(X, y)
    weak.strategy_, weak.estimator_ = "weak", weak.weak_estimator_
    assert labels(weak)[1] == "strategy: weak; predicts: GaussianNB"


def test_a_weak_estimator_that_took_no_part_is_not_shown():
    model = make_pair(strategy="all").fit(X, y, weak_proba=np.eye(2)[truth])
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
    selector = UCBSourceSelector(make_pair(strategy="all"), budget=100)
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


def test_a_selector_shows_the_sources_with_known_density():
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
    model = make_pair(strategy="overlap")
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
        model = make_pair(strategy="overlap").fit(rows, labels)
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


class Recorder:
    """Keeps the calls in order."""

    def __init__(self):
        self.told = []
        self.scored = []

    def setup(self, estimator, context):
        self.told.append(("setup", type(estimator).__name__))

    def teardown(self, estimator, context):
        self.told.append(("teardown", type(estimator).__name__))

    def on_fit_task_begin(self, estimator, context):
        self.told.append(("begin", context.task_name))

    def on_fit_task_end(
        self,
        estimator,
        context,
        *,
        X=None,
        y=None,
        metadata=None,
        fitted_estimator=None,
    ):
        self.told.append(("end", context.task_name))
        if fitted_estimator is not None:
            self.scored.append((X, y, metadata, fitted_estimator))
        return True  # asks to stop

    def names(self, event):
        return [name for kind, name in self.told if kind == event]


class Propagated(Recorder):
    """A recorder that meta-estimators hand on."""

    max_propagation_depth = None

    def on_fit_task_begin(self, estimator, context):
        self.told.append(("begin", f"{type(estimator).__name__} {context.task_name}"))


def make_classifier(strong=None, **params):
    params = {"strategy": "all", "weak_features": EASY, "random_state": 0} | params
    return WeakToStrongClassifier(GaussianNB(), strong or GaussianNB(), **params)


def make_selector(estimator=None, **params):
    detector = OverlapDetector(GaussianNB(), weak_features=EASY)
    params = {"batch_size": 20, "budget": 100, "random_state": 0} | params
    return UCBSourceSelector(estimator, overlap_detector=detector, **params)


@needs_callbacks
@pytest.mark.parametrize(
    ("params", "tasks"),
    [
        ({"strategy": "all"}, ["weak", "strong"]),
        ({"strategy": "overlap"}, ["weak", "regions", "strong"]),
        ({"strategy": "mix"}, ["weak", "lesson", "strong"]),
        (
            {"strategy": "mix", "overlap_detector": OverlapDetector()},
            ["weak", "regions", "lesson", "strong"],
        ),
    ],
)
def test_the_phases_of_a_fit_are_reported_in_order(params, tasks):
    recorder = Recorder()
    make_classifier(**params).set_callbacks(recorder).fit(X, y)
    phases = [(event, task) for task in tasks for event in ("begin", "end")]
    assert recorder.told == [
        ("setup", "WeakToStrongClassifier"),
        ("begin", "fit"),
        *phases,
        ("end", "fit"),
        ("teardown", "WeakToStrongClassifier"),
    ]


@needs_callbacks
@pytest.mark.parametrize("strategy", ["all", "overlap", "mix"])
def test_a_classifier_does_not_depend_on_its_callbacks(strategy):
    silent = make_classifier(strategy=strategy, store_rows=True).fit(X, y)
    told = make_classifier(strategy=strategy, store_rows=True)
    told.set_callbacks(Recorder()).fit(X, y)
    assert_array_equal(told.predict_proba(X), silent.predict_proba(X))
    assert_array_equal(told.rows_["weight"], silent.rows_["weight"])
    assert vars(told).keys() - vars(silent).keys() == {"_skl_callbacks"}


@needs_callbacks
def test_callbacks_score_labeled_rows_only():
    recorder, monitor = Recorder(), ScoringMonitor(scoring="accuracy")
    weights = np.linspace(0.1, 1, len(y))
    model = make_classifier().set_callbacks(recorder, monitor)
    model.fit(X, y, sample_weight=weights)
    ((rows, labels, metadata, fitted),) = recorder.scored
    assert_array_equal(rows, X[:100])
    assert_array_equal(labels, y[:100])
    assert_array_equal(metadata["sample_weight"], weights[:100])
    assert_array_equal(fitted.predict(X), model.predict(X))
    (row,) = monitor.get_logs().data
    assert row["accuracy"] == model.score(X, y, weights)


@needs_callbacks
def test_without_labels_nothing_is_scored():
    recorder = Recorder()
    weak_proba = np.eye(2)[truth]
    nothing = np.full(len(X), -1)
    make_classifier().set_callbacks(recorder).fit(X, nothing, weak_proba=weak_proba)
    make_selector().set_callbacks(recorder).fit(X, y, sample_source=SOURCES)
    assert recorder.names("end").count("fit") == 2
    assert recorder.scored == []


@pytest.mark.filterwarnings("ignore:y contains no unlabeled samples:UserWarning")
@needs_callbacks
def test_a_fit_that_fails_ends_the_run_of_its_callbacks():
    recorder = Recorder()
    model = make_classifier(include_labeled=False).set_callbacks(recorder)
    with pytest.raises(ValueError, match="No row is left"):
        model.fit(X[:100], y[:100])
    assert recorder.told[-1] == ("teardown", "WeakToStrongClassifier")
    assert "fit" not in recorder.names("end")
    model.fit(X, y)
    assert recorder.told[-2:] == [
        ("end", "fit"),
        ("teardown", "WeakToStrongClassifier"),
    ]


@needs_callbacks
def test_callbacks_survive_clone_and_pickle():
    recorder = Recorder()
    model = clone(make_classifier().set_callbacks(recorder)).fit(X, y)
    copy = pickle.loads(pickle.dumps(model))
    assert_array_equal(copy.predict(X), model.predict(X))
    copy.fit(X, y)
    assert recorder.names("setup") == ["WeakToStrongClassifier"]


@needs_callbacks
def test_a_strong_estimator_reports_its_own_tasks_if_it_can():
    able, unable = Propagated(), Propagated()
    model = make_classifier(make_pipeline(StandardScaler(), LogisticRegression()))
    model.set_callbacks(able).fit(X, y)
    make_classifier().set_callbacks(unable).fit(X, y)
    begun = able.names("begin")
    assert begun[:3] == [
        f"WeakToStrongClassifier {task}" for task in ("fit", "weak")
    ] + ["Pipeline fit"]
    assert "LogisticRegression lbfgs-iter" in begun
    assert "WeakToStrongClassifier strong" in unable.names("begin")
    assert "_skl_callbacks" not in vars(model.strong_estimator_)


@needs_callbacks
@pytest.mark.parametrize("n_jobs", [None, 2])
def test_parts_with_callbacks_of_their_own_are_fitted_in_folds(n_jobs, tmp_path):
    def part():
        return LogisticRegression(max_iter=500).set_callbacks(Recorder())

    model = WeakToStrongClassifier(
        part(), part(), strategy="mix", n_jobs=n_jobs, memory=str(tmp_path)
    )
    # Other processes know no class of this file.
    with parallel_config("threading"):
        model.set_callbacks(Recorder()).fit(X, y)
    assert model.predict(X).shape == y.shape


@needs_callbacks
@pytest.mark.parametrize("n_jobs", [None, 2])
def test_meta_estimators_hand_callbacks_on(n_jobs):
    monitor = ScoringMonitor(scoring="accuracy")
    search = GridSearchCV(
        make_pipeline(StandardScaler(), make_classifier()),
        {"weaktostrongclassifier__include_labeled": [True, False]},
        cv=LabeledSplit(2),
        n_jobs=n_jobs,
    )
    search.estimator.steps[-1][1].set_callbacks(monitor)
    search.fit(X, y)
    # Four fits in the search, and one with the best parameters.
    assert len(monitor.get_logs(select="most_recent").data) == 5


@needs_callbacks
def test_tasks_take_their_place_in_those_of_a_search():
    recorder = Propagated()
    search = GridSearchCV(
        make_classifier(), {"include_labeled": [True]}, cv=LabeledSplit(2)
    )
    search.set_callbacks(recorder).fit(X, y)
    assert recorder.names("begin").count("WeakToStrongClassifier strong") == 3
    assert recorder.names("setup") == ["GridSearchCV"]


@needs_callbacks
@pytest.mark.parametrize("limits", [{}, {"n_rounds": 4}, {"confidence": 0.9}])
def test_every_round_is_reported(limits):
    recorder = Recorder()
    silent = make_selector(**limits).fit(X, y, sample_source=SOURCES)
    told = make_selector(**limits).set_callbacks(recorder)
    told.fit(X, y, sample_source=SOURCES)
    n_rounds = len(told.history_["round"])
    assert_array_equal(told.drawn_indices_, silent.drawn_indices_)
    rounds = ["round"] * n_rounds
    assert recorder.names("begin") == ["fit", "draw", *rounds]
    assert recorder.names("end") == [*rounds, "draw", "fit"]


@needs_callbacks
def test_the_estimator_of_a_selector_reports_its_tasks_and_labeled_rows_are_scored():
    recorder, monitor = Propagated(), ScoringMonitor(scoring="accuracy")
    selector = make_selector(make_classifier()).set_callbacks(recorder, monitor)
    selector.fit(X, y, sample_source=SOURCES)
    tasks = [f"WeakToStrongClassifier {task}" for task in ("fit", "weak", "strong")]
    assert recorder.names("begin")[-3:] == tasks
    *_, (rows, labels, _, _) = recorder.scored
    assert_array_equal(labels, y[:100])
    assert_array_equal(rows, X[:100])
    (row,) = monitor.get_logs().data
    assert row["accuracy"] == selector.score(X, y)


@needs_callbacks
@pytest.mark.filterwarnings("ignore:round:UserWarning")
def test_rounds_of_live_sources_are_reported_even_if_they_fail():
    def failing(_):
        raise OSError("away")

    recorder = Recorder()
    selector = make_selector(make_classifier(), n_rounds=6, max_failures=2)
    selector.set_callbacks(recorder)
    sources = {"rows": X[100:200], "gone": failing}
    selector.fit_sources(sources, X[:100], y[:100])
    n_rounds = len(selector.history_["round"])
    assert (selector.history_["error"] != "").any()
    assert recorder.names("end") == [*["round"] * n_rounds, "draw", "estimator", "fit"]
    assert len(recorder.scored) == 1


@needs_callbacks
def test_a_continued_run_reports_only_its_new_rounds():
    recorder = Recorder()
    selector = make_selector(n_rounds=3, warm_start=True).set_callbacks(recorder)
    sources = {"rows": X[100:], "others": X[100:]}
    selector.fit_sources(sources, X[:100], y[:100])
    selector.set_params(n_rounds=5).fit_sources(sources, X[:100], y[:100])
    runs = [*["round"] * 3, "draw", "fit", *["round"] * 2, "draw", "fit"]
    assert recorder.names("end") == runs


@needs_callbacks
@pytest.mark.parametrize("n_jobs", [None, 2])
def test_callbacks_receive_every_fit_of_a_comparison(n_jobs):
    monitor = ScoringMonitor(scoring="accuracy")
    model = make_classifier().set_callbacks(monitor)
    settings = {"cv": 2, "n_jobs": n_jobs, "random_state": 0}
    told = cross_validate_gap(model, X, truth, labeled_size=50, **settings)
    silent = cross_validate_gap(
        make_classifier(), X, truth, labeled_size=50, **settings
    )
    assert_array_equal(told["weak_to_strong_score"], silent["weak_to_strong_score"])
    assert len(monitor.get_logs(select="all")) == 2
    gap_learning_curve(model, X, truth, labeled_sizes=[30, 50], **settings)
    assert len(monitor.get_logs(select="all")) == 6


@needs_callbacks
def test_callbacks_receive_every_fit_of_an_overlap_curve():
    monitor = ScoringMonitor(scoring="accuracy")
    strong = LogisticRegression(max_iter=500).set_callbacks(monitor)
    curve = {"overlap_shares": [0.2, 0.8], "n_repeats": 1}
    overlap_curve(KNeighborsClassifier(), strong, X, truth, REGIONS, **curve)
    # On weak labels and on true ones, at two shares.
    assert len(monitor.get_logs(select="all")) == 4


@needs_callbacks
def test_a_progress_bar_shows_phases_and_rounds(capsys):
    pytest.importorskip("rich")
    from sklearn.callback import ProgressBar

    selector = make_selector(make_classifier()).set_callbacks(ProgressBar())
    selector.fit(X, y, sample_source=SOURCES)
    shown = capsys.readouterr().out
    assert "UCBSourceSelector - draw" in shown
    assert "WeakToStrongClassifier" in shown


def test_what_a_fit_comes_to_does_not_depend_on_scikit_learn_having_callbacks(
    monkeypatch,
):
    def fitted():
        selector = make_selector(make_classifier(strategy="overlap"))
        return selector.fit(X, y, sample_source=SOURCES)

    known = fitted()
    for host in (WeakToStrongClassifier, UCBSourceSelector):
        monkeypatch.setattr(host, "_init_callback_context", lambda *_, **__: None)
    silent = fitted()
    assert_array_equal(silent.drawn_indices_, known.drawn_indices_)
    assert_array_equal(silent.predict_proba(X), known.predict_proba(X))


def test_before_callbacks_exist_none_can_be_set():
    has_callbacks = ScoringMonitor is not None
    for estimator in (make_classifier(), make_selector()):
        assert hasattr(estimator, "set_callbacks") == has_callbacks
    assert has_callbacks == ("sklearn.callback" in sys.modules)


def test_a_task_that_fails_does_not_end():
    class Told(ProgressMixin, BaseEstimator):
        def _init_callback_context(self, **_):
            return context

    ended = []
    context = SimpleNamespace(call_on_fit_task_begin=lambda **_: context)
    context.subcontext = lambda **_: context
    context.call_on_fit_task_end = lambda **_: ended.append(True)
    told = Told()
    tasks = told._begin_tasks(2)
    with pytest.raises(OSError, match="away"), told._task(tasks, "first"):
        raise OSError("away")
    assert not ended
    with told._task(tasks, "second"):
        pass
    assert ended == [True]


@needs_callbacks
def test_a_source_that_merely_ends_is_not_a_round():
    recorder = Recorder()
    selector = make_selector(n_rounds=3).set_callbacks(recorder)
    selector.fit_sources({"ended": iter(()), "rows": X[100:]}, X[:100], y[:100])
    assert recorder.names("end") == [*["round"] * 3, "draw", "fit"]


LINE = re.compile(
    r"\[(\w+)\] \.* \(step (\d) of (\d)\) ([^,]+), total= +\d+\.\ds"
    r"(?:, about \d+ s left)?"
)


def lines_of(shown):
    lines = [LINE.fullmatch(line) for line in shown.splitlines()]
    assert all(lines), shown
    return [line.groups() for line in lines]


@pytest.mark.parametrize(
    ("params", "steps"),
    [
        ({"strategy": "all"}, []),
        ({"strategy": "overlap"}, ["Fitting overlap_detector"]),
        ({"strategy": "smooth"}, ["Smoothing weak labels"]),
        ({"strategy": "mix"}, ["Fitting member 'strong'", "Asking the members"]),
        (
            {"strategy": "co_train", "overlap_detector": OverlapDetector()},
            [
                "Fitting overlap_detector",
                *(f"Fitting member {n!r}" for n in ("trees", "kernels", "graph")),
                "Asking the members",
                "Fitting trees of the second view",
            ],
        ),
    ],
)
@pytest.mark.parametrize("n_jobs", [None, 2])
def test_a_verbose_fit_writes_a_line_for_each_step(params, steps, n_jobs, capsys):
    with parallel_config("threading"):
        make_classifier(verbose=1, n_jobs=n_jobs, **params).fit(X, y)
    steps = ["Fitting weak_estimator", *steps, "Fitting strong_estimator"]
    names, numbers, totals, done = zip(*lines_of(capsys.readouterr().out), strict=True)
    assert set(names) == {"WeakToStrongClassifier"}
    assert list(done) == steps
    # A member that has nothing to learn from is passed over.
    assert sorted(set(numbers)) == list(numbers)
    assert {numbers[-1]} == set(totals)


@pytest.mark.parametrize("strategy", ["all", "blend"])
def test_a_fit_is_silent_by_default_and_does_not_depend_on_verbose(strategy, capsys):
    silent = make_classifier(strategy=strategy).fit(X, y)
    assert capsys.readouterr() == ("", "")
    told = clone(silent).set_params(verbose=1).fit(X, y)
    assert_array_equal(told.predict_proba(X), silent.predict_proba(X))
    assert vars(told).keys() == vars(silent).keys()


def test_members_from_a_cache_are_passed_over(tmp_path, capsys):
    model = make_classifier(strategy="mix", memory=str(tmp_path), verbose=1)
    first = model.fit(X, y).predict_proba(X)
    n_lines = len(lines_of(capsys.readouterr().out))
    assert_array_equal(clone(model).fit(X, y).predict_proba(X), first)
    numbers = [number for _, number, _, _ in lines_of(capsys.readouterr().out)]
    assert (n_lines, numbers) == (4, ["1", "4"])


def test_clones_in_a_search_and_pickles_stay_verbose(capsys):
    search = GridSearchCV(
        make_classifier(verbose=1), {"include_labeled": [True]}, cv=LabeledSplit(2)
    )
    copy = pickle.loads(pickle.dumps(search.fit(X, y).best_estimator_))
    assert len(lines_of(capsys.readouterr().out)) == 3 * 2
    copy.fit(X, y)
    assert len(lines_of(capsys.readouterr().out)) == 2


@pytest.mark.parametrize(("verbose", "n_lines"), [(False, 0), (1, 2), (2, 2 + 2 * 2)])
def test_a_verbose_regressor_writes_a_line_for_each_output(verbose, n_lines, capsys):
    rows, values = make_regression(100, 3, n_targets=2, random_state=0)
    values[40:] = np.nan
    WeakToStrongRegressor(
        LinearRegression(), LinearRegression(), strategy="all", verbose=verbose
    ).fit(rows, values)
    lines = lines_of(capsys.readouterr().out)
    assert len(lines) == n_lines
    outputs = ["Fitting output 0", "Fitting output 1"] if verbose else []
    assert [name for *_, name in lines if "output" in name] == outputs


def test_time_left_is_that_of_steps_which_cost_as_much(monkeypatch, capsys):
    now = iter([0.0, 0.0, 2.0, 2.0, 5.0, 5.0, 9.0])
    monkeypatch.setattr("sklearn_w2s._display.time.perf_counter", lambda: next(now))
    steps = Steps(SimpleNamespace(verbose=1), {"one": 1, "two": 1, "three": 2})
    for name in ("one", "two", "three"):
        with steps.step(name):
            pass
    first, second, third = capsys.readouterr().out.splitlines()
    assert first.endswith("one, total=   2.0s, about 6 s left")
    assert second.endswith("two, total=   3.0s, about 5 s left")
    assert third.endswith("three, total=   4.0s")


def test_a_step_that_fails_writes_no_line(capsys):
    steps = Steps(SimpleNamespace(verbose=1), {"one": 1})
    with pytest.raises(OSError, match="away"), steps.step("one"):
        raise OSError("away")
    assert capsys.readouterr().out == ""

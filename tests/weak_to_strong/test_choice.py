import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from sklearn_w2s.weak_to_strong import _strategies
from sklearn_w2s.weak_to_strong._strategies import STRATEGIES


class TakesDistributions(KNeighborsClassifier):
    """A classifier that learns from distributions, but takes no weights."""

    def takes_distributions(self):
        return True


WEIGHABLE = LogisticRegression()
PLAIN = KNeighborsClassifier()
VOTELESS = LinearSVC()
TAUGHT = [name for name, strategy in STRATEGIES.items() if strategy.teacher]


def choose(strategy, pseudo_labels, strong, *, n_unlabeled=1000, is_table=True):
    return _strategies.choose(
        strategy,
        pseudo_labels,
        strong,
        n_unlabeled=n_unlabeled,
        n_rows=n_unlabeled,
        is_table=is_table,
    )


@pytest.mark.parametrize(
    ("strong", "strategy", "kind"),
    [
        (WEIGHABLE, "confidence", "soft"),
        (PLAIN, "all", "hard"),
        (TakesDistributions(), "all", "soft"),
        (make_pipeline(StandardScaler(), WEIGHABLE), "confidence", "soft"),
        (make_pipeline(StandardScaler(), PLAIN), "all", "hard"),
        # It holds out rows, and would have seen copies of them.
        (CalibratedClassifierCV(), "confidence", "hard"),
        (CalibratedClassifierCV(WEIGHABLE), "confidence", "hard"),
        # Calibration alone would use the weights of these.
        (CalibratedClassifierCV(PLAIN), "all", "hard"),
        (CalibratedClassifierCV(make_pipeline(WEIGHABLE)), "all", "hard"),
        (RandomForestClassifier(), "confidence", "soft"),
    ],
)
def test_auto_uses_what_the_strong_estimator_can_take(strong, strategy, kind):
    name, chosen, pseudo_labels = choose("auto", "auto", strong, n_unlabeled=199)
    assert (name, pseudo_labels) == (strategy, kind)
    assert chosen is STRATEGIES[strategy]


@pytest.mark.parametrize(
    ("strong", "n_unlabeled", "is_table", "expected"),
    [
        (WEIGHABLE, 200, True, "blend"),
        (PLAIN, 200, True, "blend"),
        (WEIGHABLE, 199, True, "confidence"),
        (PLAIN, 199, True, "all"),
        (WEIGHABLE, 200, False, "confidence"),
        (VOTELESS, 200, True, "blend"),
    ],
)
def test_auto_has_a_teacher_where_there_is_enough_to_learn_from(
    strong, n_unlabeled, is_table, expected
):
    name, *_ = choose(
        "auto", "auto", strong, n_unlabeled=n_unlabeled, is_table=is_table
    )
    assert name == expected


@pytest.mark.parametrize("name", TAUGHT)
def test_a_teacher_teaches_hard_labels_unless_soft_ones_are_asked_for(name):
    assert choose(name, "auto", WEIGHABLE)[2] == "hard"
    assert choose(name, "soft", WEIGHABLE)[2] == "soft"


@pytest.mark.parametrize("name", [*TAUGHT, "cut_statistic"])
def test_what_computes_with_numpy_refuses_other_arrays(name):
    with pytest.raises(ValueError, match=f'strategy="{name}" computes with NumPy'):
        choose(name, "auto", WEIGHABLE, is_table=False)


@pytest.mark.parametrize("name", STRATEGIES)
@pytest.mark.parametrize("pseudo_labels", ["hard", "soft"])
def test_what_is_asked_for_and_possible_is_done(name, pseudo_labels):
    chosen = choose(name, pseudo_labels, WEIGHABLE)
    assert chosen == (name, STRATEGIES[name], pseudo_labels)


def test_a_function_may_need_regions():
    name, strategy, _ = choose(np.mean, "auto", PLAIN)
    assert name is np.mean
    assert strategy.function is np.mean
    assert strategy.needs_regions


@pytest.mark.parametrize("name", [n for n, s in STRATEGIES.items() if s.needs_weights])
def test_a_strategy_of_weights_needs_an_estimator_that_takes_them(name):
    with pytest.raises(TypeError, match=f'strategy="{name}" needs .*KNeighbors'):
        choose(name, "hard", PLAIN)


def test_soft_labels_that_are_not_possible_are_hard_with_a_warning():
    with pytest.warns(UserWarning, match="neither sample_weight nor distributions"):
        assert choose("all", "soft", PLAIN)[2] == "hard"


@pytest.mark.parametrize(
    "strong", [LinearRegression(), KMeans(), make_pipeline("passthrough")]
)
def test_what_is_no_classifier_is_refused(strong):
    with pytest.raises(TypeError, match="strong_estimator must be a classifier, got "):
        choose("auto", "auto", strong)

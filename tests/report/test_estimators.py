import numpy as np
import pytest
from sklearn.base import clone

from sklearn_w2s.report import make_estimator
from sklearn_w2s.report._estimators import ESTIMATORS, REGRESSORS


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", sorted(ESTIMATORS))
def test_every_estimator_copes_with_a_mixed_table_and_columns_unlike_before(
    table, name
):
    y = table.pop("income")
    numbers = np.random.default_rng(1).normal(size=len(table))
    known = np.arange(len(table)) < 100
    X = table.assign(
        constant=1.0,
        gaps_later=np.where(known, numbers, np.nan),
        gaps_first=np.where(known, np.nan, numbers),
        text_first=np.where(known, "a", None),
        text_later=np.where(known, None, "a"),
        id=[f"id {i}" for i in range(len(table))],
    )
    fitted = make_estimator(name).fit(X[known], y[known])
    assert 0.4 < fitted.score(X[~known], y[~known]) <= 1
    assert np.isfinite(fitted.predict_proba(X[~known])).all()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", sorted(REGRESSORS))
def test_every_regressor_copes_with_a_mixed_table(table, name):
    y = table["count"] + np.where(table["income"] == "low", 0.0, 4.0)
    fitted = make_estimator(name, 0, task="regression").fit(table[:120], y[:120])
    assert fitted.score(table[120:], y[120:]) > 0.5


@pytest.mark.parametrize("name", sorted(ESTIMATORS))
def test_an_estimator_is_fresh(name):
    made = make_estimator(name)
    assert made is not ESTIMATORS[name]
    assert repr(made) == repr(clone(ESTIMATORS[name]))
    made.set_params(**dict.fromkeys(made.get_params(deep=False)))
    assert repr(make_estimator(name)) == repr(ESTIMATORS[name])


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"name='oracle' must be one of boosting, "):
        make_estimator("oracle")
    with pytest.raises(ValueError, match=r"name='logistic' must be one of boosting, "):
        make_estimator("logistic", task="regression")

"""WeakToStrongRegressor: a strong regressor trained on the values of a weak one."""

from collections.abc import Callable
from contextlib import contextmanager
from typing import Any, Literal, Self

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin, clone, is_regressor
from sklearn.frozen import FrozenEstimator
from sklearn.utils import get_tags
from sklearn.utils.validation import check_consistent_length

from sklearn_w2s._algorithms.thresholds import weighted_quantile
from sklearn_w2s._delegation import LabeledRegressorMixin, ValueDelegate
from sklearn_w2s._display import Steps, name_of
from sklearn_w2s._estimators import fit_context
from sklearn_w2s._fitting import predict_values
from sklearn_w2s._sklearn import (
    StrOptions,
    available_if,
    check_weights,
    namespace_of,
    raise_for_params,
    safe_indexing,
    to_numpy,
)
from sklearn_w2s._tabular import default_strong_regressor, default_weak_regressor
from sklearn_w2s._uncertainty import Uncertainty
from sklearn_w2s._validation import (
    check_values,
    columns_of,
    has_columns,
    n_rows,
    warn_if_all_have_values,
)
from sklearn_w2s._warnings import warn
from sklearn_w2s._weak import is_given
from sklearn_w2s.weak_to_strong._base import CONSTRAINTS, WeakToStrong
from sklearn_w2s.weak_to_strong._batches import (
    may_learn_batches,
    require_weights_in_batches,
)
from sklearn_w2s.weak_to_strong._rows import Rows, table_of_values
from sklearn_w2s.weak_to_strong._strategies import (
    VALUE_STRATEGIES,
    Strategy,
    StrategyNames,
    call_strategy,
    require_possible,
)
from sklearn_w2s.weak_to_strong._student import PLAIN, Lesson, Student, draw_held

# Of fewer labels, those held out tell nothing.
_LEAST_LABELED = 5
# So much of the variance of y is not a lack of capacity.
_FAR_BEHIND = 0.5


class WeakToStrongRegressor(
    ValueDelegate, LabeledRegressorMixin, RegressorMixin, WeakToStrong
):
    r"""Train a strong regressor on the values that a weak one predicts.

    The weak estimator learns from the labeled rows and predicts values for all others.
    A strategy turns these into targets, and the strong estimator learns from them
    together with the true values. If it is the member of a convex class nearest to the
    weak values, and the class contains the truth, its mean squared error is lower than
    that of the weak estimator, at least by the mean squared difference between the two
    [1]_. A single model predicts.

    Rows without a value are marked by NaN, None or pandas.NA in y, and by nothing else:
    -1 is a value.

    Parameters
    ----------
    weak_estimator : regressor instance, default=None
        The regressor that provides the weak values. None is a ridge regression that
        accepts data frames. Wrap a fitted regressor, such as a legacy model, in
        :class:`~sklearn.frozen.FrozenEstimator`; it then needs no labels at all.
    strong_estimator : regressor instance, default=None
        The regressor to train; any regressor. None is gradient boosting that accepts
        data frames.
    weak_features : list of str or int, slice, bool mask, callable or None, default=None
        Columns that the weak estimator sees; a callable receives X and returns them.
        None means all.
    overlap_detector : OverlapDetector, default=None
        Finds the regions that "confident", "overlap" and callables need. It uses the
        weak estimator and `weak_features` of this regressor; its `cv` determines the
        folds in which labeled rows are held out. None uses a detector with default
        parameters where a strategy needs one.
    strategy : str or callable, default="auto"
        How weak values are used. The strong estimator learns from

        - "all": every weak value alike;
        - "confidence": every weak value, weighted by :math:`1 / (1 + e^2)`, where e is
          its expected error, by the detector's "residual" or "spread", divided by the
          median one;
        - "confident": those of rows that are not hard;
        - "overlap": those of overlap rows alone, as in the paper;
        - "cut_statistic": the three quarters that differ least from the mean of
          neighbouring rows;

        or from a teacher that knows more about the unlabeled rows than the weak
        estimator,

        - "smooth": the weak values, averaged with those of similar rows; the only
          teacher that needs no labels;
        - "mix": the weak estimator and the strong one trained on the labels, weighted
          by their errors on held-out labels;
        - "blend": the same with randomised trees, kernel machines and label spreading
          over a graph of all rows in addition;
        - "co_train": a blend that sees the columns that labeled rows have, or those of
          the weak estimator, corrected by trees that see the other columns;
        - "auto": "blend"; or "co_train" if labeled rows lack columns; or "smooth" if
          there are fewer than five labels. If held-out labels show that the weak
          estimator or the strong one trained on the labels does better, that one
          predicts instead. For arrays of other libraries it is "all";
        - a callable ``(weak_prediction, regions, representation, labeled, rng)`` that
          returns targets and weights, both of shape (n_samples,).
    neighbors : transformer instance, default=None
        Finds the nearest neighbours that "cut_statistic", "smooth", "blend" and
        "co_train" need, and "auto" with them: a
        :class:`~sklearn.neighbors.KNeighborsTransformer`, or one of an approximate
        search, for as many neighbours as it is set to. "blend" and "co_train" then
        spread labels over the graph of all rows. None is an exact search for 10 (15 in
        "cut_statistic", 30 in "smooth"), and of more than 20,000 rows the graph is that
        of a sample, from which the others get the mean of their neighbours.
    scoring : str, callable or None, default=None
        Metric on held-out labels by which "mix", "blend" and "co_train" choose the
        weights of members, such as "neg_mean_absolute_error". None is the squared
        error. The method `score` is always R².
    fallback : {"warn", "raise"}, default="warn"
        What to do if a strategy lacks the labels that it needs, so that "smooth" has to
        be used: issue a warning, or raise a ValueError, which a search scores as
        `error_score`.
    include_labeled : bool, default=True
        Whether labeled rows join the training set of the strong estimator, with their
        true values.
    store_rows : bool, default=False
        Whether to keep `rows_`, a table of what was known about each row.
    memory : None, str or object with the joblib.Memory interface, default=None
        Cache of the weak estimator's fits and of the predictions of a teacher's
        members. A str is the folder of the cache; None means no cache.
    n_jobs : int, default=None
        Number of folds, trees and neighbour searches run in parallel.
    verbose : int, default=0
        Above 0, a line on stdout after each step of `fit`: what was fitted, the seconds
        it took, and an estimate of those left. Where y has two dimensions, 1 is a line
        for each output, and 2 one for each of its steps too.
    random_state : int, RandomState instance or None, default=None
        Seeds the strategy, and every `random_state` of the sub-estimators that is None.

    Attributes
    ----------
    estimator_ : regressor
        The estimator that predicts: `strong_estimator_`, or `weak_estimator_` if
        `strategy_` is "weak".
    weak_estimator_ : regressor or None
        The fitted weak estimator; None if only `weak_prediction` was given.
    strong_estimator_ : regressor
        The fitted strong estimator.
    evidence_ : dict
        Only for strategies with a teacher: the `weights` of its members, and the `rmse`
        (root mean squared error on held-out labels, in the unit of y) of each member
        and of all together. Empty for "smooth".
    overlap_detector_ : OverlapDetector
        The fitted detector, if one was given or needed, without its per-row attributes.
    overlap_density_ : float
        Overlap density found by the detector, in [0, 1].
    rows_ : dict of str to ndarray of shape (n_samples,)
        With `store_rows`, columns of a table, for ``pandas.DataFrame(rows_)``: whether
        a row is `labeled`; the training value, `label`, and its `weight`, zero if it
        was not used; the `weak_label` (out-of-fold for labeled rows, if a detector or a
        teacher takes part); with a detector, `region`, `confidence` and
        `overlap_score`; and, with the name of a member of the teacher in place of the
        star, `*_label`.
    strategy_ : str or callable
        The strategy used, with "auto" and fallbacks resolved; "weak" or
        "strong_on_labels" if one of these predicts alone.
    outputs_ : list of WeakToStrongRegressor
        Only if y has two dimensions: one fitted regressor for each column. The
        attributes above, as far as they exist, are then lists with one element per
        column.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen in `fit`. Defined only if all are strings.

    See Also
    --------
    WeakToStrongClassifier : The same for classes.
    OverlapDetector : Finds the rows that carry both patterns.

    Notes
    -----
    If y has several columns, each output is learned separately, from the rows that have
    a value for it.

    A teacher is used in `fit` only, and not kept. Its members work with standardised
    values, so predictions are equivariant when y becomes a y + b, as far as the
    estimators are. A tenth of the unlabeled rows, at most 2,000, is held back to
    compare the student with the teacher.

    A strong estimator that stops early on validation rows does so on true values that
    it does not learn, as described for :class:`WeakToStrongClassifier`.

    Weights of a strategy are scaled to mean 1 over the rows that are kept, and then
    multiplied by `sample_weight`.

    Searches and cross-validation need
    :class:`~sklearn_w2s.model_selection.LabeledSplit`, or
    :class:`~sklearn_w2s.model_selection.LabeledScorer`, with
    ``missing_label=float("nan")``.

    References
    ----------
    .. [1] M. Charikar, C. Pabbaraju and K. Shiragur, "Quantifying the Gain in
       Weak-to-Strong Generalization", 2024. https://arxiv.org/abs/2405.15116

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import make_friedman1
    >>> from sklearn.ensemble import HistGradientBoostingRegressor
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from sklearn_w2s import WeakToStrongRegressor
    >>> X, y = make_friedman1(1500, random_state=0)
    >>> y_train = y[:1200].copy()
    >>> y_train[150:] = np.nan
    >>> model = WeakToStrongRegressor(
    ...     DecisionTreeRegressor(min_samples_leaf=5),
    ...     HistGradientBoostingRegressor(),
    ...     random_state=0,
    ... ).fit(X[:1200], y_train)
    >>> model.strategy_
    'blend'
    >>> weak_score = model.weak_estimator_.score(X[1200:], y[1200:])
    >>> bool(model.score(X[1200:], y[1200:]) > weak_score)
    True
    """

    __metadata_request__fit = {"weak_prediction": True}
    _predicting_part = "strong_estimator"
    _are_values = True
    _strategies = VALUE_STRATEGIES
    _default_weak = staticmethod(default_weak_regressor)
    _default_strong = staticmethod(default_strong_regressor)
    # Of the tools that ask classifiers for their parameter.
    missing_label = float("nan")

    _parameter_constraints = {
        **CONSTRAINTS,
        "strategy": [StrOptions(StrategyNames(VALUE_STRATEGIES)), callable],
    }

    def __init__(
        self,
        weak_estimator: Any = None,
        strong_estimator: Any = None,
        *,
        weak_features: Any = None,
        overlap_detector: Any = None,
        strategy: str | Callable[..., Any] = "auto",
        neighbors: Any = None,
        scoring: str | Callable[..., Any] | None = None,
        fallback: Literal["warn", "raise"] = "warn",
        include_labeled: bool = True,
        store_rows: bool = False,
        memory: Any = None,
        n_jobs: int | None = None,
        verbose: int = 0,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.weak_estimator = weak_estimator
        self.strong_estimator = strong_estimator
        self.weak_features = weak_features
        self.overlap_detector = overlap_detector
        self.strategy = strategy
        self.neighbors = neighbors
        self.scoring = scoring
        self.fallback = fallback
        self.include_labeled = include_labeled
        self.store_rows = store_rows
        self.memory = memory
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False, one_table=True)
    def fit(
        self,
        X: Any,
        y: Any,
        *,
        weak_prediction: Any = None,
        sample_weight: Any = None,
        **params: Any,
    ) -> Self:
        """Fit the weak estimator, label the unlabeled rows, fit the strong estimator.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Rows, labeled and unlabeled.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Values, with NaN for unlabeled rows. There may be no values at all with
            `weak_prediction` or a weak estimator that needs no fit.
        weak_prediction : array-like of the shape of y, default=None
            Predictions of a weak estimator that is not available.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights for both estimators. A weight of two is equivalent to giving a row
            twice, as far as the estimators respect that; see the user guide. Weights
            that average less than one only compare rows: their unit does not matter.
        **params : dict
            Metadata for the `fit` of the sub-estimators and for the splitter `cv` of
            `overlap_detector`, such as ``groups``, with metadata routing switched on.

        Returns
        -------
        WeakToStrongRegressor
            The fitted estimator.

        Raises
        ------
        ValueError
            If there is no labeled row to learn from, no row is left to train on, a
            strategy would fall back although `fallback="raise"`, `overlap_detector` has
            its own weak estimator or features, or an argument is invalid.
        TypeError
            If weights are given but an estimator does not accept them, or if an
            estimator is not a regressor.

        Warns
        -----
        UserWarning
            If y has no unlabeled row, if a strategy falls back to another one, or if
            the strong estimator cannot be trained on the labels alone, or has not
            learned what it was taught.
        """
        fit = self._fit_outputs if has_columns(y) else self._fit
        return fit(X, y, weak_prediction, sample_weight, params)

    @available_if(may_learn_batches)
    @fit_context(prefer_skip_nested_validation=False)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn from one more batch of rows.

        The weak estimator learns from the labeled rows of the batch, and then labels
        the others, from which the strong one learns together with the labeled ones.
        Available if both estimators have `partial_fit`, or if the strong one does and
        the weak one is already fitted.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Rows of the batch, labeled and unlabeled.
        y : array-like of shape (n_samples,)
            Values, with NaN for unlabeled rows. The first batch needs values unless the
            weak estimator is already fitted; later batches may have none.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights for both estimators.

        Returns
        -------
        WeakToStrongRegressor
            The estimator.

        Raises
        ------
        ValueError
            If the weak estimator has not seen a value yet, y has several columns, the
            strategy compares rows with others, a table of rows or a detector is asked
            for, or an argument does not fit.
        TypeError
            If weights are given that `partial_fit` of an estimator does not take.

        Notes
        -----
        `strategy` is "all" or "auto", which is the same here.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.datasets import make_friedman1
        >>> from sklearn.linear_model import SGDRegressor
        >>> from sklearn.neural_network import MLPRegressor
        >>> from sklearn_w2s import WeakToStrongRegressor
        >>> X, y = make_friedman1(1000, random_state=0)
        >>> y[100:] = np.nan
        >>> model = WeakToStrongRegressor(
        ...     SGDRegressor(), MLPRegressor(), random_state=0
        ... )
        >>> for start in range(0, len(X), 100):
        ...     batch = slice(start, start + 100)
        ...     model = model.partial_fit(X[batch], y[batch])
        >>> model.strategy_
        'all'
        """
        return self._learn_batch(X, y, sample_weight)

    def _read_batch(self, X, y, _classes):
        """Return the values of a batch and which rows have one."""
        self._require_regressors()
        if has_columns(y) or hasattr(self, "outputs_"):
            msg = "partial_fit learns one output; fit one regressor for each column."
            raise ValueError(msg)
        values, labeled = check_values(y)
        check_consistent_length(X, labeled)
        return values, labeled

    def _choose_for_batches(self, _rows, strong):
        """Set the strategy of a batch."""
        name: Any = "all" if self.strategy == "auto" else self.strategy
        self.strategy_, strategy = name, VALUE_STRATEGIES[name]
        if strategy.needs_weights:
            require_weights_in_batches(strong, f'strategy="{name}"')
        return strategy

    def _fit_outputs(self, X, y, weak_prediction, sample_weight, params):
        """Fit one regressor for each column of y, from the rows that have its value."""
        raise_for_params(params, self, "fit")
        columns = columns_of(y)
        given = [None] * len(columns)
        if weak_prediction is not None:
            given = columns_of(weak_prediction)
        if len(given) != len(columns):
            msg = (
                f"weak_prediction has {len(given)} columns, but y has {len(columns)}. "
                "Pass one column for each output."
            )
            raise ValueError(msg)
        tasks = self._begin_tasks(len(columns))
        names = [f"Fitting output {k}" for k in range(len(columns))]
        step = Steps(self, dict.fromkeys(names, 1)).step
        outputs = []
        for k, (column, weak) in enumerate(zip(columns, given, strict=True)):
            part = clone(self).set_params(verbose=max(0, int(self.verbose) - 1))
            if hasattr(part, "set_callbacks"):
                # They are those of the whole, which tells them of its parts.
                part.set_callbacks()
            if is_given(self._weak()):
                own = OutputOf(self._weak(), k, len(columns))
                part.set_params(weak_estimator=FrozenEstimator(own))
            with (
                self._task(tasks, f"output {k}", part=part),
                step(names[k]),
                _about_output(k),
            ):
                outputs.append(
                    part.fit(
                        X,
                        column,
                        weak_prediction=weak,
                        sample_weight=sample_weight,
                        **params,
                    )
                )
        for name in ("n_features_in_", "feature_names_in_", "_strict_readers_"):
            if hasattr(outputs[0], name):
                setattr(self, name, getattr(outputs[0], name))
        for name in _OF_OUTPUTS:
            if all(hasattr(output, name) for output in outputs):
                setattr(self, name, [getattr(output, name) for output in outputs])
        self.outputs_ = outputs
        self._end_tasks(tasks, X, None)
        return self

    def _require_regressors(self):
        """Refuse estimators of classes."""
        for name, estimator in (("weak", self._weak()), ("strong", self._strong())):
            # What is frozen without a type is asked, not fitted.
            if not is_regressor(estimator) and not is_given(estimator):
                msg = (
                    f"{name}_estimator must be a regressor, got {estimator!r}. For "
                    "classes, use WeakToStrongClassifier."
                )
                raise TypeError(msg)

    def _check_target(self, X, y, sample_weight):
        """Return the rows with their values and weights."""
        self._require_regressors()
        weights, weighted = check_weights(sample_weight, X), sample_weight is not None
        values, labeled = check_values(y)
        check_consistent_length(X, labeled)
        warn_if_all_have_values(labeled)
        return Rows(X, y, values, labeled, weights, weighted=weighted)

    def _choose(self, rows, pupil):
        """Set the strategy, and return what it needs."""
        is_table = namespace_of(rows.X)[0] is None
        n_labeled, n_unlabeled = len(rows.known), len(rows.taught)
        name: Any = self.strategy
        if callable(name):
            self.strategy_ = name
            return Strategy(name, needs_regions=True)
        if name == "auto":
            name = "all"
            if is_table:
                learned = "co_train" if rows.unknown_columns else "blend"
                name = learned if n_labeled >= _LEAST_LABELED else "smooth"
        strategy = VALUE_STRATEGIES[name]
        require_possible(name, strategy, pupil.estimator, is_table=is_table)
        if strategy.teacher is not None and not n_unlabeled:
            name, strategy = "strong_on_labels", VALUE_STRATEGIES["all"]
        elif n_labeled < _LEAST_LABELED and getattr(
            strategy.teacher, "needs_labels", False
        ):
            self._fall_back(
                f'strategy="{name}" needs {_LEAST_LABELED} labels at least, and y has '
                f'{n_labeled}, so that "smooth" is used instead.'
            )
            name, strategy = "smooth", VALUE_STRATEGIES["smooth"]
        self.strategy_ = name
        return strategy

    def _heed_decisions(self, weak, strategy):
        """Do nothing: a regressor has no threshold."""

    def _for_detector(self, rows, _weak, values, _given):
        """Return the values, known and weak, that a detector gets."""
        return {"y": rows.y, "weak_prediction": values[:, 0]}

    def _lesson(self, _teacher, known, taught, rows):
        """Return what the strong estimator is to learn."""
        mean, scale = known.unit
        values = np.zeros((n_rows(rows.X), 1))
        values[rows.labeled, 0] = rows.labels
        values[rows.taught] = mean + scale * taught.proba
        weights = rows.weights * (~rows.labeled | known.complete)
        self._unit = known.unit
        return Lesson(
            values, values, weights, rows.taught, taught.which, by_margin=False
        )

    def _train_student(self, rows, pupil, lesson, rng):
        """Teach the strong estimator, and hold it against what it has not seen."""
        held = draw_held(lesson, rng)
        shape = np.ones(len(lesson.proba))
        shape[held] = 0.0
        own = pupil.learn(rows.X, lesson.proba, None, shape, lesson.weights)
        distance = np.nan
        if len(held):
            predicted = predict_values(
                pupil.estimator, safe_indexing(rows.X, held), name="strong_estimator"
            )
            weights = lesson.weights[held]
            squares = (predicted - lesson.proba[held])[:, 0] ** 2
            distance = float(np.average(squares, weights=weights))
        return Student(pupil.estimator, PLAIN, lesson.proba, own, False, held, distance)

    def _better_parent(self, _rows, student, _lesson, taught, _weak_values):
        """Return the parent that is to predict in place of the student, if any."""
        # Few rows do not show what the student has not learned.
        distance = np.nan_to_num(student.behind) / self._unit[1] ** 2
        return taught.parents.better_alone(distance)

    def _warn_if_behind(self, student):
        """Warn about a student that has not learned its lesson."""
        missed = student.behind / self._unit[1] ** 2
        if missed > _FAR_BEHIND:
            warn(
                f"strong_estimator ({type(student.estimator).__name__}) has not "
                "learned what it was taught: in unseen rows it is off by "
                f"{missed:.0%} of the variance of y, in mean square. Regularise it "
                "otherwise, or take another.",
            )

    def _imitate(self, rows, pupil, strategy, weak, values, regions, rng):
        """Train the strong estimator on what a strategy makes of the weak values."""
        kept, representation = self._represent(rows, strategy, rng)
        if strategy.needs_errors:
            uncertainty = Uncertainty("auto").fit(
                weak, rows.X, values[:, 0], rows.labels, rows.labeled, rows.weights
            )
            representation = _beside_the_typical(
                uncertainty.predict(rows.X), rows.weights
            )
        targets, train_weight = values.copy(), np.zeros(len(values))
        targets[kept, 0], train_weight[kept] = call_strategy(
            self.strategy_,
            strategy,
            values[kept, 0],
            regions=regions,
            representation=representation,
            labeled=rows.labeled[kept],
            rng=rng,
        )
        targets[rows.labeled, 0] = rows.labels
        train_weight[rows.labeled] = float(self.include_labeled)
        return self._train(rows, pupil, targets, train_weight)

    def _table(self, rows, _weak, student, values, taught, detector):
        unit = getattr(self, "_unit", (0.0, 1.0))
        return table_of_values(rows, student, values, taught, unit, detector)

    def _ask(self, method, X, params):
        X, params = self._input(method, X, params)
        if hasattr(self, "outputs_"):
            predicted = [output.predict(X, **params) for output in self.outputs_]
            return np.column_stack(predicted)
        predicted = getattr(self.estimator_, method)(X, **params)
        return np.ravel(to_numpy(predicted))

    def _fitted_part(self):
        return self.outputs_[0] if hasattr(self, "outputs_") else self.estimator_

    def _findings(self):
        if not hasattr(self, "outputs_"):
            return super()._findings()
        names = [name_of(name) for name in self.strategy_]
        return f"strategy: {', '.join(names)}"

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        strong_tags = get_tags(self._strong())
        # Fit refuses what is not a regressor, which has no such tags.
        if strong_tags.regressor_tags is not None:
            tags.regressor_tags.poor_score = strong_tags.regressor_tags.poor_score
        return tags


@contextmanager
def _about_output(k):
    """Add to an error which output it is about."""
    try:
        yield
    except ValueError as error:
        error.add_note(f"This is about output {k} of y, counted from 0.")
        raise


def _beside_the_typical(errors, weights):
    """Return errors in units of their median, or zero where that is."""
    typical = weighted_quantile(errors, 0.5, weights)
    return errors / typical if typical > 0 else np.zeros(len(errors))


_OF_OUTPUTS = (
    "estimator_",
    "weak_estimator_",
    "strong_estimator_",
    "strategy_",
    "evidence_",
    "overlap_detector_",
    "overlap_density_",
    "rows_",
)


class OutputOf(RegressorMixin, BaseEstimator):
    """One output of a fitted regressor of several."""

    def __init__(self, estimator, position, n_outputs):
        self.estimator = estimator
        self.position = position
        self.n_outputs = n_outputs

    def fit(self, *_):
        """Return itself: it is fitted."""
        return self

    def predict(self, X):
        """Predict the values of the output."""
        values = np.asarray(self.estimator.predict(X))
        values = values.reshape(n_rows(X), -1)
        if values.shape[1] != self.n_outputs:
            msg = (
                f"weak_estimator={self.estimator!r} predicts {values.shape[1]} values "
                f"a row, but y has {self.n_outputs} columns."
            )
            raise ValueError(msg)
        return values[:, self.position]

    def __sklearn_is_fitted__(self):
        return True

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        return tags

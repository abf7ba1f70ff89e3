"""No public name is left without a test of what users may do wrong with it."""

import ast
import pkgutil
from pathlib import Path

import sklearn_w2s

TESTS = Path(__file__).parent
PACKAGE = Path(sklearn_w2s.__file__).parent
# Results and warnings, and the list of types that skops may load, take nothing.
WITHOUT_INPUT = {"Advice", "NoChangePointWarning", "OverlapSource", "trusted_types"}
TESTED_IN = {
    "test_hostile_input.py": {
        "advise",
        "cross_validate_gap",
        "expansion",
        "gap_learning_curve",
        "overlap_curve",
        "weak_strong_split",
        "LabeledScorer",
        "LabeledSplit",
        "OverlapDetector",
        "OverlapSampler",
        "UCBSourceSelector",
        "WeakToStrongClassifier",
    },
    "weak_to_strong/test_regressor.py": {"WeakToStrongRegressor"},
    "onnx/test_export.py": {"as_inputs", "register_converters", "to_onnx"},
    "datasets/test_overlap.py": {"make_overlap_classification"},
    "datasets/test_sources.py": {"make_overlap_sources"},
    "datasets/test_sources_splits.py": {
        "split_sources_by_count",
        "split_sources_by_ratio",
    },
    "dask/test_partitions.py": {"partition_sources"},
    "metrics/test_bounds.py": {"misfit", "prediction_gap"},
    "metrics/test_gap.py": {
        "gap_regime",
        "performance_gap_recovered",
        "performance_gap_recovered_score",
        "source_regret",
    },
    "metrics/test_overlap.py": {
        "corrected_overlap_density",
        "overlap_density",
        "overlap_density_interval",
        "overlap_regime",
        "region_accuracy",
        "region_rmse",
    },
    "neural/test_classifier.py": {"NetClassifier"},
    "neural/test_hidden_layer.py": {"HiddenLayer"},
    "plotting/test_gap.py": {"GapDisplay"},
    "plotting/test_gap_learning_curve.py": {"GapLearningCurveDisplay"},
    "plotting/test_overlap.py": {"OverlapDisplay"},
    "plotting/test_overlap_curve.py": {"OverlapCurveDisplay"},
    "plotting/test_region_score.py": {"RegionScoreDisplay"},
    "plotting/test_sources.py": {"SourceSelectionDisplay"},
    "report/test_data.py": {"load_table"},
    "report/test_experiment.py": {"make_estimator"},
    "report/test_cli.py": {"main"},
    "text/test_choices.py": {"multiple_choice_to_binary"},
    "text/test_encoder.py": {"LanguageModelEncoder"},
    "text/test_word_vectors.py": {"WordVectorEncoder"},
    "weak_estimators/test_column_proba.py": {"ColumnProbaClassifier"},
    "weak_estimators/test_function.py": {"FunctionClassifier"},
    "weak_estimators/test_votes.py": {"VoteClassifier"},
}


def exports(module):
    """Return `__all__` of a module, which is not imported: it may need an extra."""
    path = PACKAGE / f"{module}.py"
    if not path.exists():
        path = PACKAGE / module / "__init__.py"
    tree = ast.parse(path.read_text("utf-8"))
    (names,) = (
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and node.targets[0].id == "__all__"
    )
    return ast.literal_eval(names)


def test_every_public_name_is_there():
    public = {
        name
        for module in pkgutil.iter_modules([PACKAGE])
        if not module.name.startswith("_")
        for name in exports(module.name)
    }

    assert public == WITHOUT_INPUT.union(*TESTED_IN.values())


def test_each_is_in_a_file_that_tests_for_errors():
    for path, names in TESTED_IN.items():
        source = (TESTS / path).read_text("utf-8")
        assert "pytest.raises" in source, path
        assert all(name in source for name in names), path

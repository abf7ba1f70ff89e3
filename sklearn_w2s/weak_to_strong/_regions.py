"""Regions of the rows, found from the weak labels of a classifier."""

from sklearn.frozen import FrozenEstimator

from sklearn_w2s._sklearn import seed_nested


def fit_detector(detector, setting, *, weak_features, missing_label):
    """Fit a detector to weak labels that are known already.

    Parameters
    ----------
    detector : OverlapDetector
        A clone, without a weak view of its own.
    setting : Setting
        What is known.
    weak_features, missing_label
        Parameters of the classifier.

    Returns
    -------
    OverlapDetector
        The fitted detector.

    Raises
    ------
    ValueError
        If the detector has a weak view of its own.
    """
    weak, given = setting.weak.estimator, setting.given_proba
    if weak is not None and not isinstance(weak, FrozenEstimator):
        weak = FrozenEstimator(weak)
    give_weak_view(
        detector, weak, weak_features=weak_features, missing_label=missing_label
    )
    # The classes are named by the estimator, or else by y and the user's columns.
    named = given is None and len(weak.classes_) == len(setting.weak.classes)
    return seed_nested(detector, setting.seeds).fit(
        setting.X,
        None if named else setting.y,
        weak_proba=setting.weak_proba if given is None else given,
        sample_weight=setting.sample_weight,
    )


def give_weak_view(detector, weak, *, weak_features, missing_label):
    """Let a detector see what the weak estimator of a classifier sees.

    Parameters
    ----------
    detector : OverlapDetector
        Changed in place.
    weak : classifier instance or None
        The fitted weak estimator, which the detector is not to fit again.
    weak_features, missing_label
        Parameters of the classifier.

    Raises
    ------
    ValueError
        If the detector has a weak view of its own.
    """
    for name in ("weak_estimator", "weak_features"):
        if getattr(detector, name) is not None:
            msg = (
                f"overlap_detector has {name}={getattr(detector, name)!r}, but "
                "regions are found from the weak labels of this classifier: leave "
                f"it None, and set {name} here."
            )
            raise ValueError(msg)
    detector.set_params(
        weak_estimator=weak, weak_features=weak_features, missing_label=missing_label
    )

"""What every fit begins and ends with, whether it is finished or stopped."""

from functools import wraps

from sklearn_w2s._sklearn import fit_context as checked_parameters
from sklearn_w2s._warnings import keeps_filters

# Others go on from a former call, and keep what they have if they are stopped.
_BEGIN_ANEW = {"fit", "fit_resample"}


def fit_context(**options):
    """Check the parameters before a fit, and leave nothing behind one that is stopped.

    Parameters
    ----------
    **options
        Those of scikit-learn's `_fit_context`.

    Returns
    -------
    callable
        Decorator of the method of an estimator.
    """

    def decorate(method):
        @wraps(method)
        def whole_or_nothing(estimator, *args, **kwargs):
            try:
                return method(estimator, *args, **kwargs)
            except BaseException:  # an interrupt is none of the exceptions
                if method.__name__ in _BEGIN_ANEW:
                    forget_fit(estimator)
                raise

        return keeps_filters(checked_parameters(**options)(whole_or_nothing))

    return decorate


def forget_fit(estimator):
    """Remove the fitted attributes of an estimator.

    A fit that fails must not leave the former one predicting, and attributes that only
    some settings give must not outlive a change of settings.
    """
    for name in [name for name in vars(estimator) if name.endswith("_")]:
        delattr(estimator, name)

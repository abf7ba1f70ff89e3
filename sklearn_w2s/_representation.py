"""Diagrams of estimators: the parts that they are made of, and what a fit found."""

from inspect import isclass, signature
from math import isnan

from sklearn.base import BaseEstimator

from sklearn_w2s._sklearn import visual_block
from sklearn_w2s._weak import is_fitted

# Longest names shown, in characters.
_LONGEST = 40


class DiagramMixin(BaseEstimator):
    """Show the parts that are used, and after `fit` what was found.

    A part is a parameter that is an estimator, or was set to one by `fit`. The host
    returns one line of text from `_findings`, which is called when it is fitted.
    Scikit-learn lists fitted attributes from 1.9 on, abridged and folded away, and not
    where the estimator is part of another; the line can be seen everywhere.
    """

    def _sk_visual_block_(self):
        parts = {name: _part(self, name) for name in signature(type(self)).parameters}
        parts = {
            f"{name}: {type(part).__name__}": part
            for name, part in parts.items()
            if _is_estimator(part)
        }
        blocks = []
        if is_fitted(self):
            blocks.append(visual_block("single", None, names=self._findings()))
        if parts:
            used = visual_block(
                "parallel",
                list(parts.values()),
                names=list(parts),
                name_details=[str(part) for part in parts.values()],
                dash_wrapped=False,
            )
            blocks.append(used)
        if blocks:
            return visual_block("serial", blocks)
        details = {"names": type(self).__name__, "name_details": str(self)}
        return visual_block("single", self, **details)


def ranked(names, sources, densities, n_shown=3):
    """Return a line that names the best sources of known overlap density.

    Parameters
    ----------
    names : ndarray of shape (n_sources,)
        Names of the sources, best first.
    sources : ndarray of shape (n_sources,)
        The same names in the order of the densities.
    densities : ndarray of shape (n_sources,)
        Overlap density of each source, NaN where it is unknown.
    n_shown : int, default=3
        Sources named.

    Returns
    -------
    str
        The line.
    """
    density = dict(zip(sources.tolist(), densities.tolist(), strict=True))
    known = [name for name in names.tolist() if not isnan(density[name])]
    if not known:
        return "no overlap density known yet"
    shown = [f"{name_of(name)} ({density[name]:.2f})" for name in known[:n_shown]]
    n_more = len(known) - len(shown)
    more = f" and {n_more} more" if n_more else ""
    return f"best sources by overlap density: {', '.join(shown)}{more}"


def visible(text):
    r"""Return a text in which what cannot be seen is escaped, as in its `repr`.

    Names come from files of anybody's: escape sequences would command a terminal, and
    marks of direction show another text.

    Examples
    --------
    >>> from sklearn_w2s._representation import visible
    >>> visible("Köln\x1b[2J")
    'Köln\\x1b[2J'
    """
    if text.isprintable():
        return text
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode()
        for sign in text
    )


def name_of(value):
    """Return a short name of a source or of a function."""
    name = visible(str(getattr(value, "__name__", value)))
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


def _part(estimator, name):
    """Return the fitted part, the parameter where there is none, or None."""
    given = getattr(estimator, name)
    fitted = getattr(estimator, f"{name}_", given)
    # An attribute may also be the number that a part has found.
    return fitted if fitted is None or _is_estimator(fitted) else given


def _is_estimator(value):
    return hasattr(value, "get_params") and hasattr(value, "fit") and not isclass(value)

"""Diagrams of estimators: their parts, and what a fit found."""

from inspect import isclass, signature
from math import isnan

from sklearn.base import BaseEstimator

from sklearn_w2s._sklearn import visual_block
from sklearn_w2s._weak import is_fitted

# Longest names shown, in characters.
_LONGEST = 40


class DiagramMixin(BaseEstimator):
    """Show the estimators in use, and the line of `_findings` once fitted."""

    # From 1.9 on, scikit-learn lists fitted attributes, but folded away, abridged, and
    # not for an estimator that is part of another.
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
    """Return a line with the best sources of known overlap density."""
    density = dict(zip(sources.tolist(), densities.tolist(), strict=True))
    known = [name for name in names.tolist() if not isnan(density[name])]
    if not known:
        return "no overlap density known yet"
    shown = [f"{name_of(name)} ({density[name]:.2f})" for name in known[:n_shown]]
    n_more = len(known) - len(shown)
    more = f" and {n_more} more" if n_more else ""
    return f"best sources by overlap density: {', '.join(shown)}{more}"


def visible(text):
    """Return a text with invisible characters escaped, as in its `repr`."""
    # Names may come from files of strangers: escape sequences would control a terminal,
    # and direction marks would show another text.
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

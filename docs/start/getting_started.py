"""
.. _getting_started:

Getting started
===============

The package is not on PyPI yet. With Python 3.11 or newer, run this in a clone of the
repository to install the package and everything this page needs:

.. code-block:: sh

   python3 -m venv .venv
   .venv/bin/pip install ".[report]"

Without ``[report]``, only NumPy, SciPy and scikit-learn are installed. Everything else
is an optional extra, and extras can be combined, as in ``".[report,text]"``:

=============== ======================================================================
extra           what it is for
=============== ======================================================================
``report``      reading files for ``sklearn-w2s``; brings pandas, and ``plot``
``plot``        the figures of :mod:`sklearn_w2s.plotting`
``torch``       networks, :mod:`sklearn_w2s.neural`
``text``        language models, :mod:`sklearn_w2s.text`
``dask``        tables larger than memory, :mod:`sklearn_w2s.dask`
``onnx``        fitted models as ONNX graphs, :mod:`sklearn_w2s.onnx`
``changepoint`` thresholds by the package ruptures
``imblearn``    :class:`~sklearn_w2s.OverlapSampler` in pipelines of imbalanced-learn
=============== ======================================================================
"""

# %%
# A table with few labels
# -----------------------
#
# Real tables contain text, categories and empty cells, and most of their rows have no
# label. Here is such a table, made from scikit-learn's handwritten digits: one cell in
# ten is empty, one column holds categories, and the labels are words. Only the first
# 150 of 1,300 training rows have a label; the others are empty (``NaN``).

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits

digits = load_digits(as_frame=True)
pixels = digits.data
is_empty = np.random.default_rng(0).random(pixels.shape) < 0.1
table = pixels.mask(is_empty)
table["ink"] = pd.cut(pixels.sum(axis=1), 3, labels=["little", "some", "much"])
truth = pd.Series(np.where(digits.target % 2, "odd", "even"), name="number")

X, X_test = table[:1300], table[1300:]
y, y_test = truth[:1300].where(np.arange(1300) < 150), truth[1300:]
print(y.value_counts(dropna=False))

# %%
# Train and predict
# -----------------
#
# :class:`~sklearn_w2s.WeakToStrongClassifier` learns from labeled and unlabeled rows
# together, and needs no preprocessing here. By default, the weak estimator is a
# logistic regression and the strong one is gradient boosting; you can pass any two
# classifiers instead.

from sklearn_w2s import WeakToStrongClassifier

model = WeakToStrongClassifier(random_state=0)
model.fit(X, y)
print(model.predict(X_test[:5]))

# %%
# Was it worth it? Since the test rows have labels, we can measure that. The model to
# beat is the strong estimator trained on the 150 labels alone:

from sklearn.base import clone

labeled = y.notna()
alone = clone(model.estimator_).fit(X[labeled], y[labeled])
print(f"weak estimator          {model.weak_estimator_.score(X_test, y_test):.3f}")
print(f"strong, labels alone    {alone.score(X_test, y_test):.3f}")
print(f"weak-to-strong          {model.score(X_test, y_test):.3f}")

# %%
# Will it pay?
# ------------
#
# That comparison took labeled test rows, which you may not have.
# :func:`~sklearn_w2s.advice.advise` makes do with the labels there are. It says which
# of the three models to use, how sure that is, and what to do next:

from sklearn_w2s.advice import advise

print(advise(model, X, y, random_state=0))

# %%
# How far is it to the best?
# --------------------------
#
# The *ceiling* is the strong estimator trained on the true labels of all rows. For the
# digits we know them: in each of five folds, :class:`~sklearn_w2s.plotting.GapDisplay`
# hides all but 150 of them and compares the models.

from sklearn_w2s.plotting import GapDisplay

display = GapDisplay.from_estimator(
    model, table, truth, labeled_size=150, random_state=0
)

# %%
# The same for your own file
# --------------------------
#
# In a terminal, ``sklearn-w2s`` makes the same comparison for a file, either with its
# labels as they are or with most of them hidden, and says what to do: see
# :ref:`how_to_command_line`. Without a file, it uses the digits:
#
# .. code-block:: console
#
#    $ sklearn-w2s
#    $ sklearn-w2s data.csv --target column --html report.html
#
# It reads delimited text with a header, Parquet, Excel workbooks, JSON and ARFF;
# :ref:`reading_files` explains how cells are interpreted.
#
# Where to go from here
# ---------------------
#
# - :ref:`evaluation` shows how to get trustworthy numbers from few labels, and
#   :ref:`when_it_does_not_help` what to do instead.
# - :ref:`weak_to_strong` explains what the default does.
# - :ref:`how_to` has a page for each common task.

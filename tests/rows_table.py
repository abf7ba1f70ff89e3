"""What tests ask of the table of rows of a fitted classifier."""

import numpy as np


def stacked(model, name):
    """Return the columns of the table that have a class each, as one array."""
    columns = [f"{name}_{label}" for label in model.classes_.tolist()]
    return np.column_stack([model.rows_[column] for column in columns])

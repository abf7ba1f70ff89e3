"""Arrays in, arrays out: the mathematics of the package, blind to estimators."""

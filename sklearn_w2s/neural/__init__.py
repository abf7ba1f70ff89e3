"""Neural networks that obey the scikit-learn contract; needs the extra `torch`."""

try:
    from sklearn_w2s.neural._classifier import NetClassifier
    from sklearn_w2s.neural._hidden_layer import HiddenLayer
except ModuleNotFoundError as error:
    if error.name is None or error.name.split(".")[0] not in {"torch", "skorch"}:
        raise
    msg = (
        f"sklearn_w2s.neural needs {error.name}, which is not installed. Install it "
        "with: pip install sklearn-w2s[torch]"
    )
    raise ImportError(msg) from error

__all__ = ["HiddenLayer", "NetClassifier"]

"""Fitted estimators as ONNX graphs, for runtimes without Python; needs `onnx`."""

try:
    from sklearn_w2s.onnx._export import as_inputs, register_converters, to_onnx
except ModuleNotFoundError as error:
    if error.name is None or error.name.split(".")[0] not in {"onnx", "skl2onnx"}:
        raise
    msg = (
        f"sklearn_w2s.onnx needs {error.name}, which is not installed. Install it "
        "with: pip install sklearn-w2s[onnx]"
    )
    raise ImportError(msg) from error

__all__ = ["as_inputs", "register_converters", "to_onnx"]

"""torch model -> ONNX file."""

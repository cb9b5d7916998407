"""Sessions of ONNX Runtime, and which implementation each node gets."""

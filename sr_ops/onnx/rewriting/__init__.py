"""ONNX model -> ONNX model: accelerate, standardize, make_dynamic."""

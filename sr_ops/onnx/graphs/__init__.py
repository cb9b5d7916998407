"""Reading and editing ONNX graphs of any origin: types, scopes, nodes, files."""

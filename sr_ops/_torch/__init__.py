"""The torch front end: the operator, its gradients, graphs, and what torch's ONNX exporters write.

Importing the package imports nothing; ``sr_ops.dynamic_upscale`` is the way in.
"""

from sr_ops import compat as compat
from sr_ops import errors as errors
from sr_ops import imaging as imaging
from sr_ops import models as models
from sr_ops import nn as nn
from sr_ops import numpy as numpy
from sr_ops import onnx as onnx
from sr_ops import reference as reference
from sr_ops._libraries import get_cmake_dir as get_cmake_dir
from sr_ops._libraries import get_include as get_include
from sr_ops._libraries import get_library_path as get_library_path
from sr_ops._libraries import native_info as native_info
from sr_ops._torch.ops import DynamicUpscale as DynamicUpscale
from sr_ops._torch.ops import dynamic_upscale as dynamic_upscale
from sr_ops.imaging import upscale_image as upscale_image

__version__: str

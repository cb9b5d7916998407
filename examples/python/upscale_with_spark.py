"""Upscale the pictures of a folder with Spark, into a table of paths and PNG files.

pip install 'sr-ops[ort,image]' pyspark pandas pyarrow   # and Java 17
python examples/python/upscale_with_spark.py photos/ larger.parquet
"""

import sys

import cv2
import numpy as np
from pyspark.sql import SparkSession

import sr_ops
from sr_ops import imaging


def upscale(frames):
    for frame in frames:
        pictures = [
            cv2.imdecode(np.frombuffer(imaging.to_png(c), np.uint8), 1) for c in frame.content
        ]
        larger = [sr_ops.upscale_image(p, 2, channel_order="bgr") for p in pictures]
        frame["png"] = [cv2.imencode(".png", picture)[1].tobytes() for picture in larger]
        yield frame[["path", "png"]]


if __name__ == "__main__":
    spark = SparkSession.builder.getOrCreate()
    photos = spark.read.format("binaryFile").load(sys.argv[1])
    photos.mapInPandas(upscale, "path string, png binary").write.parquet(sys.argv[2])

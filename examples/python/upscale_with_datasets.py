"""Upscale the pictures of a Hugging Face dataset.

pip install 'sr-ops[ort,image]' datasets pillow
python examples/python/upscale_with_datasets.py photos/ larger/
"""

import sys

import datasets
import numpy as np
from PIL import Image

import sr_ops


def upscale(batch):
    pictures = [np.asarray(picture.convert("RGB")) for picture in batch["image"]]
    return {"image": [Image.fromarray(sr_ops.upscale_image(p, 2)) for p in pictures]}


if __name__ == "__main__":
    dataset = datasets.load_dataset("imagefolder", data_dir=sys.argv[1], split="train")
    dataset.map(upscale, batched=True, batch_size=8, num_proc=2).save_to_disk(sys.argv[2])

"""Draws the image that the IIIF validator expects, from the colours in the validator's own package."""

import sys

from iiif_validator.validator import ValidationInfo
from PIL import Image

SQUARE = 100

colors = ValidationInfo().colorInfo
image = Image.new("RGB", (len(colors) * SQUARE, len(colors[0]) * SQUARE))
for x, column in enumerate(colors):
    for y, color in enumerate(column):
        image.paste(color, (x * SQUARE, y * SQUARE, (x + 1) * SQUARE, (y + 1) * SQUARE))
image.save(sys.argv[1])

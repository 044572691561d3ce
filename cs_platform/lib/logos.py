"""Make a logo safe to show: whatever was uploaded is decoded, shrunk and written anew as PNG.

Nothing of the original file is passed on: no trailing data, no metadata, no second format hidden inside.
"""

from __future__ import annotations

import io
import warnings
from typing import IO, NamedTuple

from PIL import Image, UnidentifiedImageError

MAX_BYTES = 1024 * 1024
MAX_PIXELS = 16_000_000
MAX_WIDTH, MAX_HEIGHT = 880, 240  # four times what a mail shows at most
FORMATS = ("PNG", "JPEG")


class BadLogo(ValueError):
    """`code`: too_large (bytes), not_a_picture, too_many_pixels."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Logo(NamedTuple):
    data: bytes
    width: int
    height: int


def clean_logo(stream: IO[bytes]) -> Logo:
    """A PNG of at most 880 x 240 pixels. Judges by content, never by name or declared type. Raises BadLogo."""
    data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise BadLogo("too_large")
    picture = _opened(data)
    clean = picture.convert("RGBA" if "A" in picture.getbands() or "transparency" in picture.info else "RGB")
    clean.thumbnail((MAX_WIDTH, MAX_HEIGHT))
    fresh = Image.new(clean.mode, clean.size)
    fresh.paste(clean)
    written = io.BytesIO()
    fresh.save(written, "PNG", optimize=True)
    return Logo(written.getvalue(), fresh.width, fresh.height)


def _opened(data: bytes) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(data), formats=FORMATS)
        is_huge = picture.width * picture.height > MAX_PIXELS  # known before anything is unpacked
        if not is_huge:
            picture.load()
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise BadLogo("too_many_pixels") from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise BadLogo("not_a_picture") from error
    if is_huge:
        raise BadLogo("too_many_pixels")
    return picture

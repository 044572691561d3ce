"""How a file's bytes are text: UTF-8, what spreadsheets save instead of it, and which of them it is."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

# Ours to Python's. Windows' Western and Korean code pages are what Excel writes as plain "CSV".
ENCODINGS = {"utf-8": "utf-8-sig", "utf-16": "utf-16", "cp949": "cp949", "cp1252": "cp1252"}
_SAMPLE = 1 << 20
_HANGUL = re.compile("[가-힣]")


def guess_encoding(path: Path) -> str:
    """The name of the encoding that the file's first megabyte probably has; a key of ENCODINGS.

    UTF-8 where it is valid, UTF-16 by its mark, cp949 where it is valid and reads as Hangul, else cp1252.
    """
    with path.open("rb") as stream:
        sample = stream.read(_SAMPLE)
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if _decoded(sample, "utf-8") is not None:
        return "utf-8"
    korean = _decoded(sample, "cp949")
    if korean is not None:
        foreign = [c for c in korean if ord(c) > 127]
        if len(_HANGUL.findall(korean)) * 2 >= len(foreign):
            return "cp949"
    return "cp1252"


def _decoded(sample: bytes, encoding: str) -> str | None:
    """The text, or None; a character cut off at the end of the sample is no mistake."""
    try:
        return codecs.getincrementaldecoder(encoding)().decode(sample)
    except UnicodeDecodeError:
        return None

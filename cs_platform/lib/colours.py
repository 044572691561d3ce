"""Contrast of colours, as WCAG 2.2 defines it (relative luminance, section 1.4.3)."""

from __future__ import annotations

import re

WHITE, INK = "#ffffff", "#1c2430"
ENOUGH = 4.5  # level AA for text


def is_colour(text: str) -> bool:
    return re.fullmatch(r"#[0-9a-f]{6}", text) is not None


def luminance(colour: str) -> float:
    """0 (black) to 1 (white) of "#rrggbb"."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """1 to 21."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def readable_on(colour: str) -> str:
    """White or ink, whichever reads better on the colour."""
    return max((WHITE, INK), key=lambda text: contrast(text, colour))


def towards(colour: str, goal: str, *, on: str, at_least: float = ENOUGH) -> str:
    """The colour, moved towards `goal` in twentieths until it can be read on `on`."""
    for step in range(21):
        mixed = _mix(colour, goal, step / 20)
        if contrast(mixed, on) >= at_least:
            return mixed
    return goal


def _mix(one: str, other: str, share: float) -> str:
    def channel(i: int) -> int:
        return round(int(one[i : i + 2], 16) * (1 - share) + int(other[i : i + 2], 16) * share)

    return "#" + "".join(f"{channel(i):02x}" for i in (1, 3, 5))

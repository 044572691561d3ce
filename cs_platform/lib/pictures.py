"""Small pictures as inline SVG: sparkline and bar. No inline style, so they pass the content security policy."""

from collections.abc import Iterable

from django.utils.safestring import SafeString

from cs_platform.lib.markup import markup


def points(values: list[float | None], width: int, height: int, span: float = 0) -> list[tuple[float, float]]:
    """Pixel positions of the known values: first at the left edge, highest on top, 2 px kept free.

    The height stands for at least `span`, so that a small wobble does not look like a fall.
    """
    known = [value for value in values if value is not None]
    low, high = min(known), max(known)
    slack = max(span - (high - low), 0) / 2
    low, high = low - slack, high + slack
    step = (width - 4) / max(len(values) - 1, 1)

    def level(value: float) -> float:
        return height / 2 if high == low else 2 + (height - 4) * (high - value) / (high - low)

    return [(2 + index * step, level(value)) for index, value in enumerate(values) if value is not None]


def sparkline(
    values: Iterable[float | None], label: str, tone: str, width: int, height: int, span: float = 0
) -> SafeString | None:
    """Line of a series with its last point marked; None where fewer than two values are known."""
    series = [None if value is None else float(value) for value in values]
    if sum(value is not None for value in series) < 2:
        return None
    line = points(series, width, height, span)
    return markup(
        '<svg class="sparkline {0}" width="{1}" height="{2}" viewBox="0 0 {1} {2}" role="img" aria-label="{3}">'
        '<polyline points="{4}"/><circle cx="{5}" cy="{6}" r="2"/></svg>',
        *(tone, width, height, label),
        " ".join([f"{x:.1f},{y:.1f}" for x, y in line]),
        f"{line[-1][0]:.1f}",
        f"{line[-1][1]:.1f}",
    )


def _share(value: float, top: float) -> str:
    return f"{min(max(value / top, 0.0), 1.0) * 100:.1f}"


def bar(value: float, top: float, tone: str, label: str, mark: float | None) -> SafeString:
    """Horizontal bar `value / top`, optionally with a tick at `mark`."""
    tick = '<line class="mark" x1="{0}" x2="{0}" y1="0" y2="8"/>'
    access = markup('role="img" aria-label="{}"', label) if label else markup('aria-hidden="{}"', "true")
    return markup(
        '<svg class="bar {}" viewBox="0 0 100 8" preserveAspectRatio="none" {}>'
        '<rect class="track" width="100" height="8"/><rect class="fill" width="{}" height="8"/>{}</svg>',
        tone,
        access,
        _share(value, top),
        "" if mark is None else markup(tick, _share(mark, top)),
    )

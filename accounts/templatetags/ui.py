"""Template tags of the interface: money, numbers, dates, bands, deltas, icons, sparklines and bars.

All output is inline SVG or classed HTML: the content security policy allows no inline style.
"""

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from django import template
from django.conf import settings
from django.template.context import Context
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext, ngettext

register = template.Library()

ICONS = "static/vendor/lucide-1.62.0"
SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "KRW": "₩", "JPY": "¥"}
WITHOUT_MINOR_UNITS = frozenset({"KRW", "JPY", "VND", "CLP"})
DASH = "–"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool) and not math.isnan(value)


@lru_cache(maxsize=256)
def _icon_shapes(name: str) -> str:
    source = (Path(settings.BASE_DIR) / ICONS / f"{name}.svg").read_text(encoding="utf-8")
    shapes = source[source.index(">", source.index("<svg")) + 1 : source.rindex("</svg>")]
    return " ".join(shapes.split())


@register.simple_tag
def icon(name: str, label: str = "", css: str = "") -> SafeString:
    """Vendored icon by file name; hidden from assistive technology unless it has a label."""
    shapes = mark_safe(_icon_shapes(name))  # noqa: S308 - our own vendored file
    access = (
        format_html('role="img" aria-label="{}"', label)
        if label
        else mark_safe('aria-hidden="true" focusable="false"')
    )
    return format_html(
        '<svg class="icon {}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-linecap="round" '
        'stroke-linejoin="round" {}>{}</svg>',
        css,
        access,
        shapes,
    )


def _major(amount_minor: int, currency: str) -> tuple[Decimal, int]:
    places = 0 if currency in WITHOUT_MINOR_UNITS else 2
    return Decimal(amount_minor).scaleb(-places), places


def _with_symbol(text: str, currency: str, negative: bool) -> str:
    symbol = SYMBOLS.get(currency)
    amount = f"{symbol}{text}" if symbol else f"{currency}\u00a0{text}".strip()
    return f"−{amount}" if negative else amount


@register.filter
def money(amount_minor: int | None, currency: str = "USD") -> str:
    """Amount in minor units as text; cents only where there are any."""
    if not _is_number(amount_minor):
        return DASH
    major, places = _major(int(amount_minor or 0), currency)
    shown = 0 if major == major.to_integral_value() else places
    text = number_format(abs(major), decimal_pos=shown, use_l10n=True, force_grouping=True)
    return _with_symbol(text, currency, major < 0)


def _korean_steps() -> list[tuple[Decimal, str]]:
    return [(Decimal(10**8), "억"), (Decimal(10**4), "만")]


def _latin_steps() -> list[tuple[Decimal, str]]:
    return [(Decimal(10**9), "B"), (Decimal(10**6), "M"), (Decimal(10**3), "k")]


def _compact(value: Decimal) -> str:
    """Three figures and a step word: 12.3k, 4.5M; 1.2만, 3.4억 in Korean."""
    steps = _korean_steps() if (get_language() or "").startswith("ko") else _latin_steps()
    for size, word in steps:
        if value >= size:
            scaled = value / size
            digits = 0 if scaled >= 100 else 1
            return (
                number_format(round(scaled, digits), decimal_pos=digits, use_l10n=True, force_grouping=True)
                + word
            )
    return number_format(value.quantize(Decimal(1), ROUND_HALF_UP), decimal_pos=0, force_grouping=True)


@register.filter
def money_short(amount_minor: int | None, currency: str = "USD") -> str:
    """Amount in minor units, rounded to what a glance needs: $12.3k."""
    if not _is_number(amount_minor):
        return DASH
    major, _ = _major(int(amount_minor or 0), currency)
    return _with_symbol(_compact(abs(major)), currency, major < 0)


@register.filter
def number(value: float | None, digits: int = 0) -> str:
    """Number with grouping and fixed decimals; a dash for nothing."""
    if not _is_number(value):
        return DASH
    return number_format(
        round(Decimal(str(value)), digits), decimal_pos=digits, use_l10n=True, force_grouping=True
    )


@register.filter
def number_short(value: float | None) -> str:
    """Number rounded for a glance: 12.3k."""
    if not _is_number(value):
        return DASH
    sign = "−" if value < 0 else ""  # type: ignore[operator]
    return sign + _compact(abs(Decimal(str(value))))


@register.filter
def percent(value: float | None, digits: int = 0) -> str:
    """Share 0..1 as a percentage."""
    if not _is_number(value):
        return DASH
    return number(float(value or 0) * 100, digits) + "%"


@register.simple_tag
def delta(value: float | None, digits: int = 0, unit: str = "", good: str = "up") -> SafeString:
    """Signed change with an arrow; `good` says which direction is welcome: up, down or none."""
    if not _is_number(value):
        return format_html('<span class="delta">{}</span>', DASH)
    amount = round(float(value or 0), digits)
    if amount == 0:
        return format_html('<span class="delta">±{}{}</span>', number(0, digits), unit)
    rising = amount > 0
    tone = "" if good == "none" else ("good" if rising == (good == "up") else "bad")
    text = ("+" if rising else "−") + number(abs(amount), digits)
    return format_html(
        '<span class="delta {}">{}{}{}</span>', tone, icon("arrow-up" if rising else "arrow-down"), text, unit
    )


@register.simple_tag
def band(value: str | None, score: float | None = None) -> SafeString:
    """Health band as a badge: the word always, the score before it where given."""
    if not value:
        return format_html('<span class="badge outline">{}</span>', gettext("No score"))
    words = {"green": gettext("Green"), "yellow": gettext("Yellow"), "red": gettext("Red")}
    text = format_html('<span class="num">{}</span> ', number(score)) if _is_number(score) else ""
    return format_html(
        '<span class="badge {}"><span class="dot"></span>{}{}</span>', value, text, words.get(value, value)
    )


@register.simple_tag
def badge(text: str | Promise, tone: str = "", icon_name: str = "") -> SafeString:
    """Small label; tone red, amber or green only where it speaks of risk."""
    picture = icon(icon_name) if icon_name else ""
    return format_html('<span class="badge {}">{}{}</span>', tone, picture, text)


def _plural_ago(count: int, unit: str) -> str:
    texts = {
        "minute": ngettext("%(count)d minute ago", "%(count)d minutes ago", count),
        "hour": ngettext("%(count)d hour ago", "%(count)d hours ago", count),
        "day": ngettext("%(count)d day ago", "%(count)d days ago", count),
        "month": ngettext("%(count)d month ago", "%(count)d months ago", count),
        "year": ngettext("%(count)d year ago", "%(count)d years ago", count),
    }
    return texts[unit] % {"count": count}


def _plural_ahead(count: int, unit: str) -> str:
    texts = {
        "minute": ngettext("in %(count)d minute", "in %(count)d minutes", count),
        "hour": ngettext("in %(count)d hour", "in %(count)d hours", count),
        "day": ngettext("in %(count)d day", "in %(count)d days", count),
        "month": ngettext("in %(count)d month", "in %(count)d months", count),
        "year": ngettext("in %(count)d year", "in %(count)d years", count),
    }
    return texts[unit] % {"count": count}


def _in_days(days: int) -> str:
    named = {0: gettext("today"), -1: gettext("yesterday"), 1: gettext("tomorrow")}
    if days in named:
        return named[days]
    size, speak = abs(days), _plural_ago if days < 0 else _plural_ahead
    if size < 60:
        return speak(size, "day")
    return speak(size // 30, "month") if size < 730 else speak(size // 365, "year")


def _in_words(moment: datetime, now: datetime) -> str:
    seconds = int((moment - now).total_seconds())
    speak = _plural_ago if seconds < 0 else _plural_ahead
    size = abs(seconds)
    if size < 60:
        return gettext("just now") if seconds <= 0 else gettext("in a moment")
    if size < 3600:
        return speak(size // 60, "minute")
    if size < 22 * 3600:
        return speak(size // 3600, "hour")
    return _in_days((timezone.localtime(moment).date() - timezone.localtime(now).date()).days)


def _relative(value: date | datetime, now: datetime) -> SafeString:
    if isinstance(value, datetime):
        local = timezone.localtime(value) if timezone.is_aware(value) else value
        words, absolute = _in_words(value, now), date_format(local, "DATETIME_FORMAT")
    else:
        words = _in_days((value - timezone.localtime(now).date()).days)
        absolute = date_format(value, "DATE_FORMAT")
    return format_html('<time datetime="{}" title="{}">{}</time>', value.isoformat(), absolute, words)


@register.simple_tag(takes_context=True)
def ago(
    context: Context, value: date | datetime | None, empty: str | Promise = DASH
) -> SafeString | str | Promise:
    """Relative date in words, the absolute one on hover; counts from `now` of the context if it has one."""
    if value is None:
        return empty
    now = context.get("now") or timezone.now()
    if not isinstance(now, datetime):
        now = datetime.combine(now, time(12), tzinfo=UTC)
    return _relative(value, now)


def _points(values: Sequence[float | None], width: int, height: int) -> list[tuple[float, float]]:
    known = [value for value in values if value is not None]
    low, high = min(known), max(known)
    span = (high - low) or 1.0
    step = (width - 4) / max(len(values) - 1, 1)
    flat = height / 2
    return [
        (2 + index * step, flat if high == low else 2 + (height - 4) * (1 - (value - low) / span))
        for index, value in enumerate(values)
        if value is not None
    ]


@register.simple_tag
def sparkline(
    values: Iterable[float | None] | None, label: str = "", tone: str = "", width: int = 88, height: int = 24
) -> SafeString:
    """Small line of a series with its last point marked; gaps (None) are skipped."""
    series = [None if value is None else float(value) for value in (values or [])]
    if sum(value is not None for value in series) < 2:
        return format_html('<span class="muted small">{}</span>', gettext("no history"))
    points = _points(series, int(width), int(height))
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    last_x, last_y = points[-1]
    return format_html(
        '<svg class="sparkline {}" width="{}" height="{}" viewBox="0 0 {} {}" role="img" aria-label="{}">'
        '<polyline points="{}"/><circle cx="{}" cy="{}" r="2"/></svg>',
        tone,
        width,
        height,
        width,
        height,
        label or gettext("Trend"),
        path,
        f"{last_x:.1f}",
        f"{last_y:.1f}",
    )


@register.simple_tag
def bar(
    value: float | None, maximum: float = 1, tone: str = "", label: str = "", mark: float | None = None
) -> SafeString:
    """Horizontal bar value/maximum, optionally with a mark (target, previous value)."""
    top = float(maximum) or 1.0
    share = min(max(float(value or 0) / top, 0.0), 1.0) * 100
    tick = (
        format_html(
            '<line class="mark" x1="{0}" x2="{0}" y1="0" y2="8"/>', f"{min(max(mark / top, 0), 1) * 100:.1f}"
        )
        if mark is not None
        else ""
    )
    return format_html(
        '<svg class="bar {}" viewBox="0 0 100 8" preserveAspectRatio="none" {}>'
        '<rect class="track" width="100" height="8"/><rect class="fill" width="{}" height="8"/>{}</svg>',
        tone,
        format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"'),
        f"{share:.1f}",
        tick,
    )


@register.filter
def initials(name: str | None) -> str:
    """Up to two letters that stand for a person or a workspace."""
    words = [word for word in (name or "").replace("@", " ").split() if word[0].isalnum()]
    letters = [word[0] for word in ([words[0], words[-1]] if len(words) > 1 else words[:1])]
    return "".join(letters).upper() or "?"


@register.filter
def heat(share: float | None) -> str:
    """Class of a heat-map cell for a share 0..1."""
    return "" if share is None else f"heat-{min(max(int(float(share) * 10), 0), 9)}"


@register.simple_tag(takes_context=True)
def sort_state(context: Context, key: str, parameter: str = "sort") -> dict[str, Any]:
    """State of a sortable column from the query: `aria` for the heading, `next` for its link, `icon`."""
    current = context["request"].GET.get(parameter, context.get("default_sort", ""))
    if current == key:
        return {"aria": "ascending", "next": f"-{key}", "icon": "arrow-up"}
    if current == f"-{key}":
        return {"aria": "descending", "next": key, "icon": "arrow-down"}
    return {"aria": "none", "next": key, "icon": ""}


@register.filter
def undo_url(message: Any) -> str:
    """Address that undoes what a message reports: the tag `undo:/path/` of the message."""
    tags = str(getattr(message, "extra_tags", "") or "").split()
    found = [tag.removeprefix("undo:") for tag in tags if tag.startswith("undo:/")]
    return found[0] if found else ""


@register.filter
def plain(value: float | None) -> str:
    """Number as HTML attributes want it: dot as decimal sign, no grouping."""
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _part(choice: Any, name: str) -> Any:
    return choice.get(name) if isinstance(choice, dict) else getattr(choice, name, None)


@register.simple_tag
def chosen(choices: Iterable[Any]) -> str:
    """Labels of the active choices of a filter, at most two of them by name."""
    labels = [str(_part(choice, "label")) for choice in choices if _part(choice, "active")]
    if len(labels) > 2:
        return f"{labels[0]} +{len(labels) - 1}"
    return ", ".join(labels)


@register.simple_tag(takes_context=True)
def carried(context: Context, *without: str) -> list[tuple[str, str]]:
    """Query parameters a GET form keeps as hidden inputs: all but its own and the page position."""
    dropped = {*without, "page", "after", "before", "cursor"}
    query = context["request"].GET
    return [(key, value) for key, values in query.lists() if key not in dropped for value in values]

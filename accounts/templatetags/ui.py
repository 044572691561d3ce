"""Template tags of the interface: money, numbers, dates, bands, deltas, icons, sparklines, filters.

All output is inline SVG or classed HTML: the content security policy allows no inline style.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from functools import lru_cache
from pathlib import Path
from typing import Any

from django import template
from django.conf import settings
from django.template.context import Context
from django.templatetags.static import static
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from cs_platform.lib import formats, pictures
from cs_platform.lib.markup import markup

register = template.Library()

ICONS = "static/vendor/lucide-1.62.0"
SPRITE = "icons.svg"  # made of them by `npm run vendor`
Text = str | Promise

register.filter("money", formats.money)
register.filter("money_short", formats.money_short)
register.filter("number", formats.number)
register.filter("number_short", formats.number_short)
register.filter("percent", formats.percent)
register.filter("isolated", formats.isolated)


@lru_cache(maxsize=256)
def _drawing(name: str) -> SafeString:
    """Reference to an icon's symbol in the sprite, which a browser fetches once. Raises for an unknown name."""
    if not (Path(settings.BASE_DIR) / ICONS / f"{name}.svg").is_file():
        raise FileNotFoundError(f"icon {name!r} is not vendored: add it to static/src/icons.txt")
    return markup('<use href="{}#{}"/>', static(SPRITE), name)


@register.simple_tag
def icon(name: str, label: Text = "", css: str = "") -> SafeString:
    """Vendored icon by file name; hidden from assistive technology unless it has a label."""
    return _labelled_icon(str(name), str(label), str(css))


@lru_cache(maxsize=1024)
def _labelled_icon(name: str, label: str, css: str) -> SafeString:
    access = markup('role="img" aria-label="{}"', label) if label else markup('aria-hidden="{}"', "true")
    return markup(
        '<svg class="icon{}" {}>{}</svg>', markup(" {}", css) if css else "", access, _drawing(name)
    )


@register.simple_tag
def delta(value: float | None, digits: int = 0, unit: str = "", good: str = "up") -> SafeString:
    """Signed change with an arrow; `good` says which direction is welcome: up, down or none."""
    if not formats.is_number(value):
        return markup('<span class="delta">{}</span>', formats.DASH)
    amount = round(float(value), digits)
    if amount == 0:
        return markup('<span class="delta">±{}{}</span>', formats.number(0, digits), unit)
    rising = amount > 0
    tone = "" if good == "none" else ("good" if rising == (good == "up") else "bad")
    arrow = icon("arrow-up" if rising else "arrow-down")
    sign = "+" if rising else formats.MINUS
    text = sign + formats.number(abs(amount), digits)
    return markup('<span class="delta {}">{}{}{}</span>', tone, arrow, text, unit)


@register.simple_tag
def band(value: str | None, score: float | None = None) -> SafeString:
    """Health band as a badge: always the word, before it the score where given."""
    if not value:
        return markup('<span class="badge quiet">{}</span>', gettext("No score"))
    figure = markup('<span class="num">{}</span> ', formats.number(score)) if formats.is_number(score) else ""
    return markup(
        '<span class="badge {}"><span class="dot"></span>{}{}</span>', value, figure, _band_word(value)
    )


def _band_word(value: str) -> str:
    match value:
        case "green":
            return gettext("Green")
        case "yellow":
            return gettext("Yellow")
        case "red":
            return gettext("Red")
    return value


@register.simple_tag
def badge(text: Text, tone: str = "", icon_name: str = "") -> SafeString:
    """Small label; tone red, amber or green only where it speaks of risk."""
    return markup('<span class="badge {}">{}{}</span>', tone, icon(icon_name) if icon_name else "", text)


@register.simple_tag(takes_context=True)
def ago(context: Context, value: date | datetime | None, empty: Text = formats.DASH) -> SafeString | Text:
    """Relative date in words, the absolute one on hover; counts from `now` of the context if it has one."""
    return time_ago(value, context.get("now") or timezone.now(), empty)


def time_ago(
    value: date | datetime | None, now: date | datetime, empty: Text = formats.DASH
) -> SafeString | Text:
    """A date as `ago` shows it; from a `now` that is a day it counts from that day's noon, UTC."""
    if value is None:
        return empty
    if not isinstance(now, datetime):
        now = datetime.combine(now, time(12), tzinfo=UTC)
    words, absolute = formats.relative(value, now)
    return markup('<time datetime="{}" title="{}">{}</time>', value.isoformat(), absolute, words)


@register.simple_tag
def sparkline(
    values: Iterable[float | None] | None,
    label: Text = "",
    tone: str = "",
    width: int = 88,
    height: int = 24,
    span: float = 0,
) -> SafeString:
    """Small line of a series; gaps (None) are skipped; words where there is no history.

    Its height stands for at least `span` units of the values.
    """
    words = str(label) or gettext("Trend")
    picture = pictures.sparkline(values or [], words, tone, int(width), int(height), float(span))
    return picture or markup('<span class="muted small">{}</span>', gettext("no history"))


@register.simple_tag
def bar(
    value: float | None, maximum: float = 1, tone: str = "", label: Text = "", mark: float | None = None
) -> SafeString:
    """Horizontal bar value / maximum, optionally with a mark (target, previous value)."""
    return pictures.bar(float(value or 0), float(maximum) or 1.0, tone, str(label), mark)


@register.filter
def initials(name: str | None) -> str:
    """Up to two letters that stand for a person or a workspace."""
    words = [word for word in str(name or "").replace("@", " ").split() if word[0].isalnum()]
    letters = [word[0] for word in ([words[0], words[-1]] if len(words) > 1 else words[:1])]
    return "".join(letters).upper() or "?"


@register.filter
def heat(share: float | None) -> str:
    """Class of a heat-map cell for a share 0..1."""
    return "" if share is None else f"heat-{min(max(int(float(share) * 10), 0), 9)}"


@register.filter
def plain(value: float | None) -> str:
    """Number as HTML attributes want it: a dot as decimal sign, no grouping."""
    return "" if value is None else repr(value) if isinstance(value, float) else str(value)


@register.filter
def undo_url(message: Any) -> str:
    """Address that undoes what a message reports: the tag `undo:/path/` of the message."""
    tags = str(getattr(message, "extra_tags", "") or "").split()
    found = [tag.removeprefix("undo:") for tag in tags if tag.startswith("undo:/")]
    return found[0] if found else ""


@register.simple_tag(takes_context=True)
def sort_state(context: Context, key: str, parameter: str = "sort") -> dict[str, str]:
    """State of a sortable column from the query: `aria` for the heading, `next` for its link, `icon`."""
    current = context["request"].GET.get(parameter) or context.get("default_sort", "")
    if current == key:
        return {"aria": "ascending", "next": f"-{key}", "icon": "arrow-up"}
    if current == f"-{key}":
        return {"aria": "descending", "next": key, "icon": "arrow-down"}
    return {"aria": "none", "next": key, "icon": ""}


@register.simple_tag
def chosen(choices: Iterable[Any]) -> str:
    """Labels of the active choices of a filter: one by name, more as a count."""

    def part(choice: Any, name: str) -> Any:
        return choice.get(name) if isinstance(choice, dict) else getattr(choice, name, None)

    labels = [str(part(choice, "label")) for choice in choices if part(choice, "active")]
    return f"{labels[0]} +{len(labels) - 1}" if len(labels) > 2 else ", ".join(labels)


@register.simple_tag(takes_context=True)
def carried(context: Context, *without: str) -> list[tuple[str, str]]:
    """Query parameters a GET form keeps as hidden inputs: all but its own and the page position."""
    dropped = {*without, "page", "after", "before", "cursor"}
    query = context["request"].GET
    return [(key, value) for key, values in query.lists() if key not in dropped for value in values]

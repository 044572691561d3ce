"""A select of hundreds of choices."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django import forms
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString


class LongSelect(forms.Select):
    """What Django's own select writes, without a template for each choice: 420 time zones took 25 ms of a processor.

    For flat choices whose values differ.
    """

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        chosen = set(self.format_value(value))
        options = [_option(str(key), str(label), str(key) in chosen) for key, label in self.choices]
        words = _attributes({"name": name, **self.build_attrs(self.attrs, attrs)})
        return format_html(
            "<select{}>{}\n</select>", words, format_html_join("", "{}", ((one,) for one in options))
        )


@lru_cache(maxsize=2048)
def _option(value: str, label: str, is_chosen: bool) -> SafeString:
    mark = _attributes({"value": value} | ({"selected": True} if is_chosen else {}))
    return format_html("\n  <option{}>{}</option>\n", mark, label)


def _attributes(attrs: dict[str, Any]) -> SafeString:
    parts = (
        format_html(" {}", name) if value is True else format_html(' {}="{}"', name, value)
        for name, value in attrs.items()
        if value is not False
    )
    return format_html_join("", "{}", ((one,) for one in parts))

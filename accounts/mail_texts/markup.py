"""The markup of mail bodies: paragraphs, **bold**, *italic*, [links](https://…), lists, and buttons.

A button is a link alone in its paragraph whose words begin with "button:". Read by a CommonMark parser with
HTML switched off. Values of placeholders are put in after reading, so they are words and never markup.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.utils.translation import gettext
from markdown_it import MarkdownIt
from markdown_it.token import Token

from accounts.mail_texts.placeholders import Mark, Mistake, mistake_at, replace, word_for
from accounts.registry import placeholders

_SAFE = re.compile(r"(?:https?://[^\s<>\"']+|mailto:[^\s<>\"'@]+@[^\s<>\"']+|tel:[+\d().-]+)", re.IGNORECASE)
_BUTTON = re.compile(r"\s*(?:button|버튼)\s*:\s*(?=\S)", re.IGNORECASE)


def _reader() -> MarkdownIt:
    reader = MarkdownIt("zero", {"html": False, "breaks": True, "maxNesting": 20})
    reader.enable(["list", "newline", "escape", "link", "emphasis", "autolink"])
    # Every address is read as a link, so that a wrong one can be named instead of silently shown as text.
    reader.validateLink = lambda url: True  # type: ignore[method-assign]
    return reader


@dataclass(frozen=True)
class Body:
    """A body that was read. Placeholders stand in the tokens as `slots`, words that occur nowhere else."""

    tokens: list[Token]
    slots: dict[str, Mark] = field(default_factory=dict)

    @property
    def slot_pattern(self) -> re.Pattern[str]:
        return re.compile("|".join(map(re.escape, self.slots)) or r"(?!)")


def read(text: str) -> Body:
    """Parse a body. Never raises: whatever cannot be read is text."""
    clean = text.replace("\r\n", "\n").replace("\x00", "")
    slots: dict[str, Mark] = {}
    key = secrets.token_hex(6)

    def slot(mark: Mark) -> str:
        slots[name := f"q{key}n{len(slots)}z"] = mark
        return name

    return Body(_reader().parse(replace(clean, slot)), slots)


def address_of(href: str, body: Body, values: Mapping[str, str]) -> str:
    """Where a link leads: a plain address, or a whole one from a placeholder; empty when it is neither."""
    if mark := body.slots.get(href):
        return values.get(mark.name, "") if _is_link(mark) else ""
    if body.slot_pattern.search(href) or not _SAFE.fullmatch(href):
        return ""
    return href


def _is_link(mark: Mark) -> bool:
    return mark.name in placeholders and placeholders.get(mark.name).is_link


def words_in(content: str, body: Body, values: Mapping[str, str]) -> str:
    return body.slot_pattern.sub(lambda m: word_for(body.slots[m[0]], values), content)


def button_in(inline: Token) -> tuple[str, str] | None:
    """Address and words when the paragraph is a button."""
    children = inline.children or []
    if len(children) < 3 or children[0].type != "link_open" or children[-1].type != "link_close":
        return None
    if sum(child.type == "link_open" for child in children) != 1:
        return None
    words = "".join(child.content for child in children)
    found = _BUTTON.match(words)
    return (str(children[0].attrGet("href") or ""), words[found.end() :]) if found else None


def markup_mistakes(text: str) -> list[Mistake]:
    """Links that lead nowhere or to something unsafe."""
    text = text.replace("\r\n", "\n")
    body = read(text)
    stand_ins = dict.fromkeys(placeholders.names(), "https://example.com/")
    hrefs = [
        str(child.attrGet("href") or "")
        for token in body.tokens
        for child in token.children or []
        if child.type == "link_open"
    ]
    wrong = [href for href in hrefs if not address_of(href, body, stand_ins)]
    found, at = [], 0
    for href in wrong:
        as_typed = _as_typed(href, body, text)
        position = text.find(as_typed, at) if as_typed else text.find("]()", at)
        at = max(position, at)
        found.append(mistake_at(text, max(position, 0), _wrong_address(href, as_typed, body)))
    return found


def _as_typed(href: str, body: Body, text: str) -> str:
    return body.slot_pattern.sub(lambda m: text[body.slots[m[0]].start : body.slots[m[0]].end], href)


def _wrong_address(href: str, as_typed: str, body: Body) -> str:
    if not href:
        return gettext("This link has no address.")
    if body.slot_pattern.search(href):
        return gettext(
            "“%(address)s” is no whole address. A link is either typed out, or one placeholder that is an address."
        ) % {"address": as_typed}
    return gettext("“%(address)s” is no address for a mail. Start with https://, mailto: or tel:.") % {
        "address": as_typed
    }

"""Placeholders in a text: `{{ contact.first_name }}`, or `{{ contact.first_name|there }}` with a fallback.

Their list is closed (`accounts.registry.placeholders`): nothing in a text is ever run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext

from accounts.mail_texts.about import About
from accounts.registry import Placeholder, placeholders

_MARK = re.compile(r"\{\{(?P<inside>[^{}]*)\}\}")
_INSIDE = re.compile(r"\s*(?P<name>[\w.]+)\s*(?:\|(?P<fallback>[^|]*))?")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff]+")
LONGEST_VALUE = 300
SAMPLE_LINK = "https://example.com/"  # a preview has nobody's link


@dataclass(frozen=True)
class Mark:
    """One placeholder of a text. `name` is empty where the inside cannot be read."""

    start: int
    end: int
    name: str
    fallback: str | None
    inside: str


@dataclass(frozen=True)
class Mistake:
    """What is wrong, in words, and where: `line` and `column` count from 1."""

    line: int
    column: int
    words: str

    def __str__(self) -> str:
        where = gettext("Line %(line)d, character %(column)d") % {"line": self.line, "column": self.column}
        return f"{where}: {self.words}"


def marks_in(text: str) -> Iterator[Mark]:
    for found in _MARK.finditer(text):
        inside = found["inside"]
        read = _INSIDE.fullmatch(inside)
        name = read["name"] if read else ""
        fallback = read["fallback"].strip() if read and read["fallback"] is not None else None
        yield Mark(found.start(), found.end(), name, fallback, inside.strip())


def mistake_at(text: str, position: int, words: str) -> Mistake:
    line_start = text.rfind("\n", 0, position) + 1
    return Mistake(text.count("\n", 0, position) + 1, position - line_start + 1, words)


def placeholder_mistakes(text: str, purpose: str) -> list[Mistake]:
    """Unknown names, open brackets, and placeholders that may miss and have no fallback."""
    found = [(m.start, words) for m in marks_in(text) if (words := _wrong(m, purpose))]
    rest = _MARK.sub(lambda m: " " * len(m[0]), text)
    for bracket in re.finditer(r"\{\{|\}\}", rest):
        opens = bracket[0] == "{{"
        words = gettext("“{{” is never closed.") if opens else gettext("“}}” closes nothing.")
        found.append((bracket.start(), words))
    return [mistake_at(text, position, words) for position, words in sorted(found)]


def _wrong(mark: Mark, purpose: str) -> str:
    if not mark.name or mark.name not in placeholders:
        return gettext("“%(name)s” is no placeholder. The list beside the text names all of them.") % {
            "name": mark.inside
        }
    known = placeholders.get(mark.name)
    if known.purposes and purpose not in known.purposes:
        return gettext("“%(name)s” has no value in a text for this purpose.") % {"name": mark.name}
    if not (known.is_certain or known.is_link or known.fallback or mark.fallback):
        return gettext("“%(name)s” may be missing. Say what stands there then: {{ %(name)s|… }}") % {
            "name": mark.name
        }
    return ""


def names_in(*texts: str) -> set[str]:
    return {mark.name for text in texts for mark in marks_in(text) if mark.name in placeholders}


def offered(purpose: str) -> list[Placeholder]:
    """The placeholders that a text of this purpose may use."""
    return [p for p in placeholders if not p.purposes or purpose in p.purposes]


def values_of(names: set[str], about: About) -> dict[str, str]:
    """The value of each placeholder that has one. Call with the mail's language active."""
    found = {name: value_of(placeholders.get(name), about) for name in sorted(names)}
    return {name: value for name, value in found.items() if value}


def value_of(placeholder: Placeholder, about: About) -> str:
    """One line without invisible characters, or empty when it is missing."""
    raw = about.extra.get(placeholder.name)
    if raw is None:
        raw = placeholder.resolve(about)
    value = " ".join(_UNSEEN.sub(" ", str(raw or "")).split())
    if placeholder.is_link:
        value = SAMPLE_LINK if about.email is None else value
        return value if re.match(r"https?://\S+$", value) else ""
    # A name is no place for an address: mail programs would make a link of it.
    return "" if "://" in value else value[:LONGEST_VALUE]


def word_for(mark: Mark, values: Mapping[str, str]) -> str:
    """What stands at a placeholder: its value, else the text's fallback, else the declared one."""
    if value := values.get(mark.name):
        return value
    if mark.fallback:
        return mark.fallback
    if mark.name not in placeholders:  # only while a text is being written
        return f"{{{{ {mark.inside} }}}}"
    return str(placeholders.get(mark.name).fallback)


def fill_line(text: str, values: Mapping[str, str]) -> str:
    """A subject: one line, whatever the values hold, so that it cannot add a header."""
    filled = replace(text, lambda mark: word_for(mark, values))
    return " ".join(_UNSEEN.sub(" ", filled).split())


def replace(text: str, word: Callable[[Mark], str]) -> str:
    """`text` with each placeholder replaced by `word(mark)`."""
    pieces, at = [], 0
    for mark in marks_in(text):
        pieces += [text[at : mark.start], word(mark)]
        at = mark.end
    return "".join([*pieces, text[at:]])

"""HTML put together in Python, for what a page says fifty times over.

A line of a table that a template makes costs half a millisecond, most of it for looking up and converting each of
some forty values. Here what is the same in every line is made once, by the template, and the rest is filled in.
"""

import html
from collections.abc import Iterable, Mapping
from itertools import chain

from django.utils.safestring import SafeString, mark_safe

# Postgres stores no NUL in a text and no address holds one, so none can come from what users typed.
_MARK = "\0"


def escaped(value: object) -> SafeString:
    """The value as HTML, as Django's templates write it: HTML stays what it is."""
    return value if isinstance(value, SafeString) else mark_safe(html.escape(str(value)))  # nosec B308 B703


def markup(form: str, *values: object) -> SafeString:
    """`format_html` without its care for lazy texts, which costs more than the formatting."""
    return mark_safe(form.format(*map(escaped, values)))  # nosec B308 B703


def slot(name: str) -> SafeString:
    """The place in a line where its value `name` goes."""
    return mark_safe(f"{_MARK}{name}{_MARK}")  # nosec B308 B703


def filled(form: str, lines: Iterable[Mapping[str, object]]) -> SafeString:
    """`form`, which is HTML with slots, once per line. KeyError for a slot that a line has no value for."""
    pieces = form.split(_MARK)
    literals, names = pieces[0:-1:2], pieces[1::2]
    made: list[str] = []
    for line in lines:
        values = {name: escaped(value) for name, value in line.items()}
        made += chain.from_iterable(zip(literals, map(values.__getitem__, names), strict=True))
        made.append(pieces[-1])
    return mark_safe("".join(made))  # nosec B308 B703

"""Stripe's form encoding: `items[0][price]=price_1&expand[]=latest_invoice` to nested dicts and lists and back."""

import re
from typing import Any
from urllib.parse import parse_qsl

Json = dict[str, Any]
_PART = re.compile(r"\[([^\]]*)\]")


def parse_form(text: str) -> Json:
    """Nested parameters; every leaf is a string. Keys that are all numbers (or empty) become a list."""
    tree: Json = {}
    for key, value in parse_qsl(text, keep_blank_values=True):
        name = key.split("[", 1)[0]
        path = [name, *_PART.findall(key[len(name) :])]
        here = tree
        for part in path[:-1]:
            step = here.setdefault(part or str(len(here)), {})
            here = step if isinstance(step, dict) else {}
        last = path[-1]
        here[last if last or len(path) == 1 else str(len(here))] = value
    return {key: _lists(value) for key, value in tree.items()}


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {key: _lists(one) for key, one in value.items()}
    if inner and all(key.isdigit() for key in inner):
        return [inner[key] for key in sorted(inner, key=int)]
    return inner

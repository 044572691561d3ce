"""A body as plain text: the other part of every mail."""

from __future__ import annotations

from collections.abc import Mapping

from markdown_it.token import Token

from accounts.mail_texts.markup import Body, address_of, button_in, words_in


def as_text(body: Body, values: Mapping[str, str]) -> str:
    """Paragraphs with a blank line between them, list items with a dash or a number, addresses written out."""
    text, bullet = "", ""
    lists: list[int | None] = []  # per open list: the next number, None for dashes
    is_first_item = False
    for token in body.tokens:
        if token.type in ("bullet_list_open", "ordered_list_open"):
            lists.append(int(token.attrs.get("start", 1)) if token.type.startswith("ordered") else None)
            is_first_item = len(lists) == 1
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            lists.pop()
        elif token.type == "list_item_open":
            bullet = _bullet(lists)
        elif token.type == "inline":
            gap = "\n" if lists and not is_first_item else "\n\n"
            text += (gap if text else "") + (bullet or "  " * len(lists)) + _inline(token, body, values)
            bullet, is_first_item = "", False
    return text.strip()


def _bullet(lists: list[int | None]) -> str:
    """The sign before an item of the innermost list, which counts on."""
    number = lists[-1]
    if number is not None:
        lists[-1] = number + 1
    return "   " * (len(lists) - 1) + ("- " if number is None else f"{number}. ")


def _inline(token: Token, body: Body, values: Mapping[str, str]) -> str:
    if button := button_in(token):
        address = address_of(button[0], body, values)
        words = words_in(button[1], body, values)
        return f"{words}:\n{address}" if address else words
    pieces: list[str] = []
    open_links: list[tuple[int, str]] = []
    for child in token.children or []:
        if child.type == "link_open":
            open_links.append((len(pieces), address_of(str(child.attrGet("href") or ""), body, values)))
        elif child.type == "link_close":
            start, address = open_links.pop()
            label = "".join(pieces[start:])
            shown = address.removeprefix("mailto:").removeprefix("tel:")
            if address and label.strip() != shown:
                pieces.append(f" ({shown})")
        elif child.type in ("softbreak", "hardbreak"):
            pieces.append("\n")
        else:
            pieces.append(words_in(child.content, body, values))
    return "".join(pieces)

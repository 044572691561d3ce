"""A body as HTML for mail programs: tables, styles on every element, no class that must be understood."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape

from django.utils.safestring import SafeString, mark_safe
from markdown_it.token import Token

from accounts.mail_texts.markup import Body, address_of, button_in, words_in

_TEXT = "color:#1c2430;font-size:16px;line-height:26px;"
_BARE_ADDRESS = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,:;!?)\]]", re.IGNORECASE)


def as_html(body: Body, values: Mapping[str, str], *, colour: str, on_colour: str, link: str) -> SafeString:
    """`colour` of buttons with `on_colour` of their words, `link` of links: "#rrggbb", checked by the caller."""
    writer = _Writer(body, values, colour, on_colour, link)
    return mark_safe("".join(map(writer.block, body.tokens)))  # nosec B308 B703


class _Writer:
    def __init__(self, body: Body, values: Mapping[str, str], colour: str, on_colour: str, link: str) -> None:
        self.body, self.values = body, values
        self.colour, self.on_colour, self.link = colour, on_colour, link
        self.depth = 0
        self.hidden_links: list[bool] = []

    def block(self, token: Token) -> str:
        match token.type:
            case "inline":
                return self._inline(token)
            case "paragraph_open" | "paragraph_close":
                return self._between_items(token)
            case "bullet_list_open" | "ordered_list_open":
                return self._list_start(token)
            case "bullet_list_close" | "ordered_list_close":
                self.depth -= 1
                return f"</{token.tag}>"
            case "list_item_open":
                return f'<li class="t" style="{_TEXT}margin:0 0 6px;">'
            case "list_item_close":
                return "</li>"
        return ""

    def _list_start(self, token: Token) -> str:
        self.depth += 1
        start = f' start="{int(token.attrs["start"])}"' if "start" in token.attrs else ""
        return f'<{token.tag}{start} style="margin:0 0 16px;padding:0 0 0 24px;">'

    def _between_items(self, token: Token) -> str:
        """Paragraphs of their own are made with their words; in a loose list they are set apart."""
        if not self.depth or token.hidden:
            return ""
        return '<p style="margin:0 0 6px;">' if token.nesting == 1 else "</p>"

    def _inline(self, token: Token) -> str:
        button = None if self.depth else button_in(token)
        if button:
            address, words = address_of(button[0], self.body, self.values), self._words(button[1])
            return self._button(address, words) if address else self._paragraph(words)
        inside = "".join(map(self._child, token.children or []))
        return inside if self.depth else self._paragraph(inside)

    def _paragraph(self, inside: str) -> str:
        return f'<p class="t" style="{_TEXT}margin:0 0 16px;">{inside}</p>'

    def _button(self, address: str, words: str) -> str:
        """Padding on the link; Outlook, which ignores that, takes it from the cell."""
        return (
            '<table role="presentation" cellpadding="0" cellspacing="0" border="0" style="margin:0 0 24px;">'
            f'<tr><td bgcolor="{self.colour}" style="border-radius:6px;mso-padding-alt:12px 22px;">'
            f'<a href="{escape(address)}" style="display:inline-block;padding:12px 22px;border-radius:6px;'
            f"background:{self.colour};color:{self.on_colour};font-size:16px;line-height:22px;font-weight:600;"
            f'text-decoration:none;">{words}</a></td></tr></table>'
        )

    def _child(self, child: Token) -> str:
        match child.type:
            case "text" | "text_special":
                return self._text(child.content)
            case "softbreak" | "hardbreak":
                return "<br>"
            case "strong_open":
                return "<strong>"
            case "em_open":
                return "<em>"
            case "strong_close":
                return "</strong>"
            case "em_close":
                return "</em>"
            case "link_open":
                return self._link_start(str(child.attrGet("href") or ""))
            case "link_close":
                return "" if self.hidden_links.pop() else "</a>"
        return escape(child.content)

    def _link_start(self, href: str) -> str:
        address = address_of(href, self.body, self.values)
        self.hidden_links.append(not address)
        return self._anchor(address) if address else ""

    def _anchor(self, address: str) -> str:
        return f'<a class="a" href="{escape(address)}" style="color:{self.link};text-decoration:underline;">'

    def _text(self, content: str) -> str:
        """Words, with addresses that the writer typed made into links; those in values stay words."""
        if self.hidden_links:
            return self._words(content)
        pieces, at = [], 0
        for found in _BARE_ADDRESS.finditer(content):
            address = address_of(found[0], self.body, self.values)
            linked = (
                f"{self._anchor(address)}{self._words(found[0])}</a>" if address else self._words(found[0])
            )
            pieces += [self._words(content[at : found.start()]), linked]
            at = found.end()
        return "".join([*pieces, self._words(content[at:])])

    def _words(self, content: str) -> str:
        return escape(words_in(content, self.body, self.values))

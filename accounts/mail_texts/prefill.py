"""A text with the values already in it, for somebody who goes on writing."""

from __future__ import annotations

import re
from collections.abc import Mapping

from accounts.mail_texts.placeholders import Mark, fill_line, replace, word_for
from accounts.registry import placeholders

_SPECIAL = re.compile(r"([\\*\[\]<>])")


def prefilled(words: Mapping[str, str], values: Mapping[str, str]) -> dict[str, str]:
    """Subject and body with names and dates filled in; links stay placeholders, since each mail has its own."""

    def word(mark: Mark) -> str:
        if mark.name in placeholders and placeholders.get(mark.name).is_link:
            return f"{{{{ {mark.inside} }}}}"
        # A name with a star in it must stay a name.
        return _SPECIAL.sub(r"\\\1", word_for(mark, values)).replace("{{", "{ {").replace("}}", "} }")

    return {
        "subject": fill_line(words.get("subject", ""), values),
        "body": replace(words.get("body", ""), word),
    }

"""Search by the beginnings of words, over the token table."""

from __future__ import annotations

import re
from dataclasses import dataclass

from accounts.models import Account, Contact
from cs_platform.lib.scoping import ScopedQuerySet
from health.models import SearchToken

MAX_WORDS = 5
LAST_CHARACTER = "\U0010ffff"
WORD = re.compile(r"[\w@.+-]+")


@dataclass(frozen=True, slots=True)
class Hit:
    """A line of the search results."""

    label: str
    detail: str
    public_id: str


def words_of(text: str) -> list[str]:
    """Lower-cased words as the token table holds them."""
    return WORD.findall(text.lower())[:MAX_WORDS]


def tokens_with(word: str) -> ScopedQuerySet:
    """Tokens that begin with the word.

    Written as a range: comparisons use the index under row-level security, LIKE and ^@ do not.
    """
    found: ScopedQuerySet = SearchToken.objects.filter(token__gte=word, token__lt=word + LAST_CHARACTER)
    return found


def with_words(queryset: ScopedQuerySet, text: str, path: str) -> ScopedQuerySet:
    """Rows whose account (at `path`) has every word at the beginning of one of its tokens."""
    for word in words_of(text):
        queryset = queryset.filter(**{f"{path}__in": tokens_with(word).values("account_id")})
    return queryset


def find_accounts(text: str, *, limit: int = 8) -> list[Hit]:
    """Accounts by name, domain, id or contact."""
    if not words_of(text):
        return []
    found = with_words(Account.objects.all(), text, "id").order_by("name", "id")
    rows = found.values_list("name", "domain", "external_id", "public_id")[:limit]
    return [Hit(name, domain or external_id, str(public_id)) for name, domain, external_id, public_id in rows]


def find_contacts(text: str, *, limit: int = 5) -> list[Hit]:
    """People by name or address, with the account they belong to."""
    found = Contact.objects.all()
    for word in words_of(text):
        found = found.filter(id__in=tokens_with(word).filter(contact__isnull=False).values("contact_id"))
    if not words_of(text):
        return []
    rows = found.select_related("account").order_by("name", "id")[:limit]
    return [Hit(str(person), person.account.name, str(person.public_id)) for person in rows]

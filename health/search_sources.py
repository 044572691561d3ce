"""What Ctrl-K finds: pages, accounts, people."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from accounts.access import allows
from accounts.registry import SearchSource, navigation, search_sources, settings_pages
from health.queries.search import Hit, find_accounts, find_contacts


@dataclass(frozen=True, slots=True)
class Result:
    """A line of the results."""

    label: str
    detail: str
    url: str
    icon: str


def _accounts(request: HttpRequest, words: str) -> list[Result]:
    return [_to_account(hit, "building-2") for hit in find_accounts(words)]


def _people(request: HttpRequest, words: str) -> list[Result]:
    return [
        Result(hit.label, hit.detail, reverse("accounts:contact", args=[hit.public_id]), "user")
        for hit in find_contacts(words)
    ]


def _to_account(hit: Hit, icon: str) -> Result:
    return Result(hit.label, hit.detail, reverse("health:account", args=[hit.public_id]), icon)


def _pages(request: HttpRequest, words: str) -> list[Result]:
    """Sections and settings whose name contains the words, as far as the member may see them."""
    membership = request.membership  # type: ignore[attr-defined]
    items = [(item, item.icon) for item in navigation] + [(page, "settings") for page in settings_pages]
    found = []
    for item, icon in items:
        if words.lower() not in str(item.label).lower() or not allows(membership, item.permission):
            continue
        try:
            found.append(Result(str(item.label), "", reverse(item.url_name), icon))
        except NoReverseMatch:
            continue
    return found


def register() -> None:
    search_sources.register(SearchSource("pages", _pages))
    search_sources.register(SearchSource("accounts", _accounts))
    search_sources.register(SearchSource("people", _people))

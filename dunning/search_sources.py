"""What Ctrl-K finds of failed payments: by the number of the invoice."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse

from accounts.access import allows
from accounts.registry import SearchSource, search_sources
from dunning.queries.account_cases import find_cases


@dataclass(frozen=True, slots=True)
class Result:
    """A line of the results."""

    label: str
    detail: str
    url: str
    icon: str = "credit-card"


def _cases(request: HttpRequest, words: str) -> list[Result]:
    if not allows(request.membership, "dunning.view"):  # type: ignore[attr-defined]
        return []
    return [
        Result(hit.label, hit.detail, reverse("dunning:case", args=[hit.public_id]))
        for hit in find_cases(words)
    ]


def register() -> None:
    search_sources.register(SearchSource("cases", _cases))

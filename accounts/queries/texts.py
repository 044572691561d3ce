"""What the pages of mail texts show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery

from accounts.models import Contact, MailText, MailTextVersion, OutboundEmail

USED_DAYS = 90


@dataclass(frozen=True)
class TextRow:
    text: MailText
    languages: tuple[str, ...]
    subject: str
    number: int | None
    published_at: datetime | None
    has_draft: bool
    sent: int


def text_rows(*, now: datetime, archived: bool = False, language: str = "en") -> list[TextRow]:
    """All texts by purpose and name, with what is in force and how often it went out lately: two queries."""
    published = MailTextVersion.objects.filter(text=OuterRef("pk"), published_at__isnull=False)
    newest = published.order_by("-number")
    drafts = MailTextVersion.objects.filter(text=OuterRef("pk"), published_at__isnull=True)
    texts = MailText.objects.filter(archived_at__isnull=not archived).annotate(
        definition=Subquery(newest.values("definition")[:1]),
        number=Subquery(newest.values("number")[:1]),
        published_at=Subquery(newest.values("published_at")[:1]),
        has_draft=Exists(drafts),
    )
    sent = dict(
        OutboundEmail.objects.filter(sent_at__gt=now - timedelta(days=USED_DAYS), text_version__isnull=False)
        .values_list("text_version__text")
        .annotate(n=Count("pk"))
    )
    return [
        TextRow(
            text,
            tuple(text.definition or ()),
            _subject(text.definition or {}, language),
            text.number,
            text.published_at,
            text.has_draft,
            sent.get(text.pk, 0),
        )
        for text in texts.order_by("purpose", "name", "pk")
    ]


def _subject(definition: dict[str, dict[str, str]], language: str) -> str:
    words = definition.get(language) or next(iter(definition.values()), {})
    return words.get("subject", "")


def published_texts(*, purposes: tuple[str, ...] = ()) -> QuerySet[MailText]:
    """Texts that may be sent, by name."""
    in_force = MailTextVersion.objects.filter(text=OuterRef("pk"), published_at__isnull=False)
    texts = MailText.objects.filter(Exists(in_force), archived_at__isnull=True)
    return (texts.filter(purpose__in=purposes) if purposes else texts).order_by("name", "pk")


def reachable(limit: int = 40) -> list[Contact]:
    """People to preview a text on: still there, with an address; champions first."""
    people = Contact.objects.filter(left_at__isnull=True).exclude(email="").select_related("account")
    return list(people.order_by("-is_champion", "-pk")[:limit])


def find_person(typed: str) -> Contact | None:
    """Whom "mina@northwind.example" or "Mina" names; without a name the first one to preview on."""
    people = Contact.objects.select_related("account__csm__user", "workspace").exclude(email="")
    wanted = typed.strip()
    if not wanted:
        return people.filter(left_at__isnull=True).order_by("-is_champion", "-pk").first()
    return people.filter(Q(email__iexact=wanted) | Q(name__istartswith=wanted)).order_by("pk").first()

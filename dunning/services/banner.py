"""What a banner in the customer's own product says about a payment that did not go through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import translation

from accounts.mail_texts.as_text import as_text
from accounts.mail_texts.markup import read
from accounts.models import Account, MailText, Workspace
from cs_platform.lib.scoping import current_workspace_id
from dunning.cases.steps import StepKind
from dunning.models import DunningCase, DunningStep
from dunning.notice_texts import BANNER
from dunning.queries import owed
from dunning.services.notice_mails import text_in_force
from dunning.services.pay_links import pay_urls


@dataclass(frozen=True)
class Owed:
    """What is open in one currency."""

    amount_minor: int
    currency: str


@dataclass(frozen=True)
class Banner:
    """`is_due` from the first notice on until it is paid, stopped or given up; without it everything else is None.

    `amounts`: what is owed, one per currency, that of the oldest invoice first.
    """

    account: Account
    is_due: bool = False
    amounts: tuple[Owed, ...] | None = None
    invoices: tuple[str, ...] = ()
    since: datetime | None = None
    ends_at: datetime | None = None
    message: str | None = None
    pay_url: str | None = None


def banner_of(account: Account, *, now: datetime) -> Banner:
    """Call with the language of the message active. The link is the account's own, for whoever sees the banner."""
    return banners_of([account], now=now)[0]


def banners_of(accounts: Sequence[Account], *, now: datetime) -> list[Banner]:
    """The same for many accounts, in their order; a constant number of queries."""
    by_account = owed.open_cases_of([account.pk for account in accounts])
    every = [case.pk for cases in by_account.values() for case in cases]
    begun = set(
        DunningStep.objects.filter(case_id__in=every, kind=StepKind.NOTICE_BEGUN).values_list(
            "case_id", flat=True
        )
    )
    told = {
        account_id: [case for case in cases if case.pk in begun and case.is_told_of]
        for account_id, cases in by_account.items()
    }
    due = [account for account in accounts if told.get(account.pk)]
    links = (
        dict(zip(due, pay_urls([(account, None) for account in due], now=now), strict=True)) if due else {}
    )
    workspace = Workspace.objects.get(pk=current_workspace_id())
    words = _words() if due else {}
    return [
        _banner(account, told[account.pk], links[account], workspace, words)
        if account in links
        else Banner(account)
        for account in accounts
    ]


def _banner(
    account: Account, cases: list[DunningCase], link: str, workspace: Workspace, words: Mapping[str, Any]
) -> Banner:
    values = owed.notice_values(cases, workspace.zone)
    language = (translation.get_language() or workspace.language)[:2]
    return Banner(
        account=account,
        is_due=True,
        amounts=tuple(Owed(*total) for total in owed.totals(case.invoice for case in cases)),
        invoices=tuple(owed.number_of(case.invoice) for case in cases),
        since=min(case.failed_at for case in cases),
        ends_at=cases[0].ends_at,
        message=_message(values, words, language),
        pay_url=f"{link}?lang={language}",
    )


def _words() -> Mapping[str, Any]:
    version = text_in_force(MailText.objects.filter(key=BANNER).first())
    return version.definition if version else {}


def _message(values: dict[str, str], words: Mapping[str, Any], language: str) -> str:
    """The workspace's own words in the asked language, else in the first that it wrote."""
    written: Mapping[str, str] = words.get(language) or next(iter(words.values()), {})
    return as_text(read(written.get("body", "")), values) or values["payment.reason"]

"""What mail texts bring: the placeholders that every text may use (apps above add their own) and kinds of mail."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.mail_texts.about import About
from accounts.models import MailClass
from accounts.queries import placeholder_values as values
from accounts.ready_texts import create_ready_texts
from accounts.registry import (
    MailKind,
    Placeholder,
    TokenPurpose,
    WorkspaceDefault,
    mail_kinds,
    placeholders,
    token_purposes,
    workspace_defaults,
)
from accounts.services import branding, mail_texts
from accounts.services.mail_links import choice_links


def register() -> None:
    _register_placeholders()
    _register_links()
    _register_kinds()
    workspace_defaults.register(WorkspaceDefault("accounts.ready_texts", create_ready_texts))


def _register_placeholders() -> None:
    there = pgettext_lazy("stands in for an unknown name", "there")
    team = pgettext_lazy("stands in for an unknown CSM", "your customer success team")
    for item in (
        Placeholder("contact.first_name", _("First name of the person"), values.first_name, there, "Mina"),
        Placeholder("contact.name", _("Name of the person"), values.full_name, there, "Mina Park"),
        Placeholder(
            "account.name", _("Name of their company"), values.account_name, "", "Northwind", is_certain=True
        ),
        Placeholder("csm.name", _("Name of the account's CSM"), values.csm_name, team, "Ben Kim"),
        Placeholder("csm.email", _("Mail address of the CSM"), values.csm_email, "", "ben@example.com"),
        Placeholder("sender.name", _("Who writes"), values.sender_name, "", "Ben Kim", is_certain=True),
        Placeholder("sender.email", _("Their mail address"), values.sender_email, "", "ben@example.com"),
        Placeholder(
            "workspace.name", _("Your company's name"), values.workspace_name, "", "Acme", is_certain=True
        ),
        Placeholder("plan.name", _("Name of their plan"), values.plan_name, "", "Growth"),
        Placeholder("renewal.date", _("Date of the next renewal"), values.renewal_date, "", "1 March"),
    ):
        placeholders.register(item)


def _register_links() -> None:
    def link(name: str) -> Callable[[About], str | None]:
        return lambda about: choice_links(about.email)[name] if about.email else None

    for name, label, key in (
        ("preferences.link", _("Page where they choose which mails they get"), "preferences_url"),
        ("unsubscribe.link", _("Page where they unsubscribe"), "unsubscribe_url"),
    ):
        placeholders.register(Placeholder(name, label, link(key), is_link=True))


def _register_kinds() -> None:
    for name in (mail_texts.MAIL_KIND, mail_texts.PERSONAL_KIND):
        mail_kinds.register(MailKind(name, MailClass.OTHER, on_settled=mail_texts.on_settled))
    mail_kinds.register(MailKind(mail_texts.TRIAL_KIND, MailClass.TRANSACTIONAL, resend_when_doubtful=True))
    mail_kinds.register(
        MailKind(
            branding.SENDER_KIND,
            MailClass.TRANSACTIONAL,
            "mail/sender-subject.txt",
            "mail/sender-body",
            resend_when_doubtful=True,
        )
    )
    token_purposes.register(TokenPurpose(branding.SENDER_PURPOSE, branding.SENDER_LIFETIME))

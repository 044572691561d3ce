"""What apps above fill in: job kinds, navigation, panels, import kinds, mail kinds and the like."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest

from accounts.imports.fields import ImportSpec
from accounts.models.mail import MailCategory, MailClass, Motion
from accounts.segments.fields import SegmentField, SegmentFieldFamily
from cs_platform.lib.registry import Registry


@dataclass(frozen=True)
class JobKind:
    """How one kind of job runs.

    `in_scope` handlers run inside the workspace scope, in one transaction with the job's
    completion: effect and "done" commit together. Others (outside effects, long work) get
    the lease, open their own scopes and must fence every transaction (`lease.hold()`).
    `is_outside`: it sends or charges; such jobs wait while the workspace is held after a restore.
    `is_prepared`: it runs often and with the same statements, which Postgres plans once (`lib/prepared.py`).
    """

    name: str
    handler: Callable[..., None]
    in_scope: bool = True
    lease: timedelta = timedelta(seconds=60)
    max_attempts: int = 5
    retry_after: timedelta = timedelta(seconds=10)
    is_outside: bool = False
    is_prepared: bool = False


@dataclass(frozen=True)
class NavigationItem:
    """An entry of the left rail; shown only to members who hold `permission`."""

    name: str
    label: Any
    url_name: str
    icon: str
    permission: str
    order: int


@dataclass(frozen=True)
class Panel:
    """A part of a composed page. `load` gets (account or workspace, now) and returns the context,
    which the template reads as `data`. `place` is the wide column ("main") or the narrow one ("side")."""

    name: str
    title: Any
    template: str
    load: Callable[..., dict[str, Any]]
    order: int
    permission: str = "accounts.view"
    place: str = "main"


@dataclass(frozen=True)
class TimelineEntry:
    """A line of an account's timeline. `note_id` names a note that can be changed in place, `url` a page about it."""

    when: datetime
    title: str
    text: str = ""
    who: str = ""
    icon: str = "activity"
    tone: str = ""
    is_touch: bool = False
    note_id: str = ""
    url: str = ""


@dataclass(frozen=True)
class TimelineSource:
    """Adds lines to an account's timeline: `load(account, limit)` returns the newest ones."""

    name: str
    load: Callable[[Any, int], list[TimelineEntry]]


@dataclass(frozen=True)
class SettingsPage:
    """A card of the settings' first page; the tens of `order` name its group (`accounts/queries/settings.py`)."""

    name: str
    label: Any
    description: Any
    url_name: str
    permission: str
    order: int


@dataclass(frozen=True)
class SearchSource:
    """Answers Ctrl-K: `find(request, words)` returns rows (label, detail, url)."""

    name: str
    find: Callable[[HttpRequest, str], list[Any]]


@dataclass(frozen=True)
class MailKind:
    """A kind of mail and how freely it may go (`services/arbiter.py`).

    `motion` decides who waits for whom, `category` what a person switches off with it, `waits` how long
    a mail may be held back before it is too late for it. A single mail may say otherwise (`queue_mail`).
    `on_settled(email)` runs in the transaction that decides what became of the mail.
    """

    name: str
    mail_class: str
    subject_template: str = ""  # both empty: a kind made of a mail text (`services/mail_texts.py`)
    body_template: str = ""
    still_wanted: Callable[..., bool] = field(default=lambda email: True)
    resend_when_doubtful: bool = False
    motion: str = Motion.PLAYBOOK
    category: str = MailCategory.TIPS
    waits: timedelta = timedelta(days=7)
    on_settled: Callable[..., None] = field(default=lambda email: None)

    def __post_init__(self) -> None:
        if self.mail_class not in MailClass.values:
            raise ValueError(f"mail kind {self.name!r}: unknown class {self.mail_class!r}")
        if self.motion not in Motion.values or self.category not in MailCategory.values:
            raise ValueError(f"mail kind {self.name!r}: unknown motion or category")


@dataclass(frozen=True)
class Placeholder:
    """A word that mail texts may use: `{{ contact.first_name|there }}`.

    `resolve(about)` gets an `accounts.mail_texts.About` and answers a short text or None (missing); a value
    that the asker hands along under this name wins. `fallback` stands in for a missing value where the
    text names none; without one the text must (`is_certain` values never miss). `purposes` narrows who
    may use it; empty: every text. Links become whole addresses and are never stored.
    """

    name: str
    label: Any
    resolve: Callable[[Any], str | None] = field(default=lambda about: None)
    fallback: Any = ""
    sample: Any = ""
    is_certain: bool = False
    is_link: bool = False
    purposes: tuple[str, ...] = ()


@dataclass(frozen=True)
class TokenPurpose:
    name: str
    lifetime: timedelta


@dataclass(frozen=True)
class WorkspaceDefault:
    """Rows that a new workspace starts with; `create` runs in its scope and its transaction."""

    name: str
    create: Callable[[], None]


@dataclass(frozen=True)
class ImportKind:
    """A kind of file that can be imported, on the command line and in the browser.

    `apply(context, rows)` writes one chunk in the running transaction and returns a ChunkResult
    (both in `services/import_rows.py`); rows it writes are logged so that undo can take them back.
    `undo(source_import)` removes what is not in that log and returns how many rows it removed.
    """

    name: str
    label: Any
    spec: ImportSpec
    apply: Callable[..., Any]
    undo: Callable[..., int] = field(default=lambda source_import: 0)
    chunk: int = 2_000


@dataclass(frozen=True)
class StepFacts:
    """What is true about a step of the first days. `note` says it in words; `url_arguments` complete its address."""

    is_done: bool
    note: str = ""
    url_arguments: tuple[Any, ...] = ()


@dataclass(frozen=True)
class WelcomeStep:
    """A step of the first days. `look(workspace, now)` finds out from facts, in the scope; nobody ticks it."""

    name: str
    label: Any
    text: Any
    action: Any
    url_name: str
    look: Callable[[Any, datetime], StepFacts]
    permission: str
    order: int


@dataclass(frozen=True)
class AccountDetacher:
    """Lets go of accounts that are about to be removed: rows that no foreign key holds."""

    name: str
    detach: Callable[[list[int]], Any]


@dataclass(frozen=True)
class NotificationKind:
    """Something that a member may hear of. `words(context, account)` returns (title, detail) in the active
    language, `address(context, account)` the page to open; `in_app` and `in_digest` are the defaults."""

    name: str
    label: Any
    description: Any
    words: Callable[[dict[str, Any], Any], tuple[str, str]]
    address: Callable[[dict[str, Any], Any], str]
    icon: str = "bell"
    permission: str = "home.view"
    in_app: bool = True
    in_digest: bool = True
    order: int = 50


@dataclass(frozen=True)
class WebhookEvent:
    """A kind of outgoing message; `label` is a clause that says when it is sent, beginning with a capital;
    `fields` documents the payload (name: meaning)."""

    name: str
    label: Any
    fields: dict[str, str]


@dataclass(frozen=True)
class Report:
    """A section of the report page. `load(context)` gets the page's ReportContext and returns a ReportBody
    (`accounts/charts/report.py`); `tab` names a registered ReportTab."""

    name: str
    label: Any
    tab: str
    load: Callable[[Any], Any]
    order: int


@dataclass(frozen=True)
class ReportTab:
    """Sections of the report page that are read together. `split_section` names the one that follows the chosen
    split, if there is one."""

    name: str
    label: Any
    order: int
    split_section: str = ""


@dataclass(frozen=True)
class HeadlineNumber:
    """A number of the strip above all reports. `load(context)` returns its Kpi, or None where there is none."""

    name: str
    load: Callable[[Any], Any]
    order: int


@dataclass(frozen=True)
class AccountGroup:
    """Accounts that a report shows together."""

    label: str
    account_ids: frozenset[int]


@dataclass(frozen=True)
class AccountSplit:
    """A way to split reports. `groups(context)` returns AccountGroups; with `overlaps` an account may be in several."""

    name: str
    label: Any
    groups: Callable[[Any], list[AccountGroup]]
    order: int
    overlaps: bool = False


@dataclass(frozen=True)
class SegmentUse:
    """Something that asks for a segment: in words, where it is; `decides_score`: the score depends on it."""

    words: str
    url: str = ""
    decides_score: bool = False


@dataclass(frozen=True)
class SegmentUser:
    """Finds what of one kind asks for a segment: `find(segment)` returns SegmentUse rows. A segment in use stays."""

    name: str
    find: Callable[[Any], list[SegmentUse]]


@dataclass(frozen=True)
class RetentionKind:
    """Data that goes after a time. `prune(before, limit)` removes or empties at most so many rows of the
    running scope and returns how many; `days` is the default, `least_days` what its readers need."""

    name: str
    label: Any
    description: Any
    days: int
    least_days: int
    prune: Callable[[datetime, int], int]


@dataclass(frozen=True)
class OrderSource:
    """Who asks the payment provider for something. `on_settled(order, now)` runs in the transaction that writes
    the order's result, under the order's fence, so that result and what follows from it commit together;
    `on_unknown` in the one that notes the first lost answer."""

    name: str
    on_settled: Callable[[Any, datetime], None]
    on_unknown: Callable[[Any, datetime], None] = field(default=lambda order, now: None)


@dataclass(frozen=True)
class BillingReader:
    """Reads what the mirror does not hold after messages whose type begins with `name` ("checkout.session.").

    `read(gateway, message)` runs outside any transaction; what it returns runs in the transaction that marks
    the message as worked on. `message.body` is the message as it came.
    """

    name: str
    read: Callable[[Any, Any], Callable[[], None]]


@dataclass(frozen=True)
class AuditWord:
    """`name` is an action of the audit log ("app.noun.verb_past") or a kind of row ("app.model"); `label` says it."""

    name: str
    label: Any


job_kinds: Registry[JobKind] = Registry("job kind", JobKind)
navigation: Registry[NavigationItem] = Registry("navigation item", NavigationItem)
account_panels: Registry[Panel] = Registry("account panel", Panel)
timeline_sources: Registry[TimelineSource] = Registry("timeline source", TimelineSource)
home_panels: Registry[Panel] = Registry("home panel", Panel)
settings_pages: Registry[SettingsPage] = Registry("settings page", SettingsPage)
search_sources: Registry[SearchSource] = Registry("search source", SearchSource)
mail_kinds: Registry[MailKind] = Registry("mail kind", MailKind)
placeholders: Registry[Placeholder] = Registry("placeholder", Placeholder)
token_purposes: Registry[TokenPurpose] = Registry("token purpose", TokenPurpose)
workspace_defaults: Registry[WorkspaceDefault] = Registry("workspace default", WorkspaceDefault)
import_kinds: Registry[ImportKind] = Registry("import kind", ImportKind)
welcome_steps: Registry[WelcomeStep] = Registry("welcome step", WelcomeStep)
account_detachers: Registry[AccountDetacher] = Registry("account detacher", AccountDetacher)
notification_kinds: Registry[NotificationKind] = Registry("notification kind", NotificationKind)
webhook_events: Registry[WebhookEvent] = Registry("webhook event", WebhookEvent)
segment_fields: Registry[SegmentField] = Registry("segment field", SegmentField)
segment_field_families: Registry[SegmentFieldFamily] = Registry("segment field family", SegmentFieldFamily)
reports: Registry[Report] = Registry("report", Report)
report_tabs: Registry[ReportTab] = Registry("report tab", ReportTab)
headline_numbers: Registry[HeadlineNumber] = Registry("headline number", HeadlineNumber)
account_splits: Registry[AccountSplit] = Registry("account split", AccountSplit)
segment_users: Registry[SegmentUser] = Registry("segment user", SegmentUser)
retention_kinds: Registry[RetentionKind] = Registry("retention kind", RetentionKind)
order_sources: Registry[OrderSource] = Registry("order source", OrderSource)
billing_readers: Registry[BillingReader] = Registry("billing reader", BillingReader)
audit_actions: Registry[AuditWord] = Registry("audit action", AuditWord)
audit_objects: Registry[AuditWord] = Registry("audit object", AuditWord)

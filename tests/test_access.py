"""Who gets what from every address: each URL of the resolver, each role, another workspace, nobody."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from accounts.access import roles_with
from accounts.models import (
    Activity,
    ApiKey,
    Import,
    ImportUpload,
    Invitation,
    MailProvider,
    MailText,
    MailTextVersion,
    Membership,
    Note,
    Notification,
    OutboundEmail,
    PersonRequest,
    Role,
    SavedView,
    Segment,
    SegmentVersion,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookMessage,
    WorkspaceExport,
)
from accounts.services.suppressions import suppress
from cs_platform.lib.scoping import workspace_scope
from health.models import (
    ActionReceipt,
    AssignmentRule,
    Experiment,
    ModelVersion,
    NightRun,
    Scorecard,
    ScorecardVersion,
    Sequence,
    SequenceRun,
    SequenceVersion,
)
from tests.builders import TODAY, join, make_contact, make_subscription, make_user, queued

# Addresses that need no workspace, each with the reason.
OPEN = {
    "healthz": "asked by supervisors",
    "readyz": "asked by supervisors",
    "metrics": "guarded by its own token",
    "set_language": "a cookie only",
    "accounts:invitation": "guarded by its own token",
    "accounts:switch_workspace": "one's own memberships only",
    "accounts:sign_in": "how one gets in",
    "accounts:setup": "only while there is no user",
    "accounts:setup_code": "only while there is no user, guarded by its own code",
    "accounts:new_workspace": "asks the installation's setting by itself",
    "accounts:unsubscribe": "guarded by its own token; one click by a mail program has no form token",
    "accounts:mail_preferences": "guarded by its own token",
    "accounts:brand_style": "a colour, the same for everybody",
    "accounts:brand_logo": "a picture for everybody's mail program",
    "accounts:sender_confirmation": "guarded by its own token",
    "accounts:mail_webhook": "guarded by the mail provider's secret",
    "accounts:sso": "how one gets in",
    "accounts:sso_workspace": "how one gets in; says nothing of workspaces without a provider",
    "accounts:sso_login": "how one gets in; tests/accounts/sso",
    "accounts:sso_callback": "how one gets in; guarded by state, nonce and signature",
}
PREFIXES = ("account_", "mfa_", "socialaccount_", "openid_connect_", "api-1.0:", "health:intake_")


@dataclass(frozen=True)
class Address:
    name: str
    route: str
    callback: Any

    @property
    def permission(self) -> str | None:
        return getattr(self.callback, "permission", None)

    @property
    def is_ours(self) -> bool:
        """Pages of members; sign-in is allauth's, the API and the intake have keys."""
        outside = self.name in OPEN or self.name.startswith(PREFIXES)
        return not outside and bool(self.name) and "allauth" not in self.callback.__module__


def addresses(resolver: Any = None, prefix: str = "", space: str = "") -> Iterator[Address]:
    for entry in (resolver or get_resolver()).url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            inner = f"{entry.namespace}:" if entry.namespace else space
            yield from addresses(entry, route, inner)
        elif isinstance(entry, URLPattern):
            yield Address(f"{space}{entry.name}" if entry.name else "", route, entry.callback)


OURS = [a for a in addresses() if a.is_ours]


def test_every_page_declares_who_may_see_it():
    """A URL without a declaration fails here, and so does one that is neither ours nor on the list."""
    assert [a.name for a in OURS if not a.permission] == []
    strangers = [a for a in addresses() if not a.is_ours and a.permission is None]
    for address in strangers:
        known = (
            address.name in OPEN or address.name.startswith(PREFIXES) or address.route.startswith("social/")
        )
        assert known or "allauth" in address.callback.__module__, address


def rows(workspace: Any) -> dict[str, Any]:
    """One live row of each kind that an address can name, by parameter; made in the running scope."""
    member = Membership.objects.select_related("user").order_by("pk").first()
    now = timezone.now()
    account = queued("Northwind")
    make_contact(account)
    make_subscription(account)
    card = Scorecard.objects.get()
    return {
        "account": account,
        "note": Note.objects.create(account=account, body="secret", author=member.user, created_at=now),
        "activity": Activity.objects.create(
            account=account, kind="call", occurred_at=now, author=member.user
        ),
        "saved_view": SavedView.objects.create(page="queue", name="Mine", user=member.user),
        "receipt": ActionReceipt.objects.create(
            verb="snoozed", acted_at=now, data={"accounts": []}, accounts=0
        ),
        "member": member,
        "invitation": Invitation.objects.create(
            email="x@example.com", role="csm", token_hash=b"x", expires_at=now
        ),
        "key": ApiKey.objects.create(scope="read", secret_hash=b"y", hint="abcd"),
        "import": Import.objects.create(kind="accounts", file_name="a.csv", status="done"),
        "upload": ImportUpload.objects.create(
            kind="accounts", file_name="a.csv", columns=["name"], samples={"name": ["x"]}, created_at=now
        ),
        "card": card,
        "version": ScorecardVersion.objects.get(scorecard=card),
        "model": ModelVersion.objects.create(number=1, horizon_days=90, trained_as_of=TODAY, record={}),
        "notification": Notification.objects.create(
            membership=member,
            kind="accounts.assigned",
            cause_key="1",
            context={"count": 1, "names": ["secret"]},
            created_at=now,
        ),
        **webhook_rows(now),
        "person_request": PersonRequest.objects.create(kind="export", requested_at=now),
        "export": WorkspaceExport.objects.create(requested_at=now),
        **playbook_rows(account, now),
        **text_rows(account, member),
        **mail_rows(account, now),
        **segment_rows(now),
        "night": NightRun.objects.create(as_of=TODAY),
        "experiment": Experiment.objects.create(
            subject_type="sequence",
            subject_id=1,
            name="secret",
            outcome="retained",
            window_days=90,
            planned_accounts=400,
            plan={"base_rate": 0.8, "detectable": 0.1},
            started_at=now,
        ),
    }


def playbook_rows(account: Any, now: Any) -> dict[str, Any]:
    definition = {
        "trigger": {"on": "hand"},
        "steps": [{"id": "a", "kind": "wait", "amount": 1, "unit": "days"}],
    }
    sequence = Sequence.objects.create(name="secret")
    version = SequenceVersion.objects.create(
        sequence=sequence, number=1, definition=definition, published_at=now
    )
    run = SequenceRun.objects.create(
        sequence=sequence, version=version, account=account, source="hand:1", started_at=now
    )
    return {"playbook": sequence, "playbook_version": version, "playbook_run": run}


def segment_rows(now: Any) -> dict[str, Any]:
    rule = {"field": "name", "op": "contains", "value": "secret"}
    segment = Segment.objects.create(name="secret")
    version = SegmentVersion.objects.create(segment=segment, number=1, definition=rule, published_at=now)
    return {
        "segment": segment,
        "segment_version": version,
        "doomed_segment": Segment.objects.create(name="secret too"),
        "assignment_rule": AssignmentRule.objects.create(name="secret", tree=rule),
        "doomed_rule": AssignmentRule.objects.create(name="secret too"),
    }


def webhook_rows(now: Any) -> dict[str, Any]:
    endpoint = WebhookEndpoint.objects.create(url="https://example.com/", secret="whsec_c2VjcmV0")
    message = WebhookMessage.objects.create(
        event_type="account.churned", cause_key="1", payload={}, occurred_at=now
    )
    delivery = WebhookDelivery.objects.create(endpoint=endpoint, message=message, created_at=now)
    return {"endpoint": endpoint, "delivery": delivery}


def text_rows(account: Any, member: Any) -> dict[str, Any]:
    text = MailText.objects.get(key="introduction")
    version = MailTextVersion.objects.get(text=text)
    email = OutboundEmail.objects.create(
        kind="accounts.personal",
        contact=account.contacts.get(),
        user=member.user,
        to_address="secret@example.com",
        text_version=version,
        mail_class="other",
        motion="playbook",
    )
    return {"text": text, "text_version": version, "email": email}


def mail_rows(account: Any, now: Any) -> dict[str, Any]:
    return {
        "contact": account.contacts.get(),
        "provider": MailProvider.objects.create(name="postmark", secret="secret", created_at=now),
        "suppression": suppress("secret@example.com", reason="manual", now=now),
    }


# Which kind of row an address with a public id names.
KINDS = {
    "note": ("note", "note_deletions", "note_restorations"),
    "activity": ("touch_deletions",),
    "saved_view": (
        "saved_view_deletions",
        "shared_report",
    ),
    "receipt": ("queue_undo",),
    "import": ("import_run", "import_state", "import_undo", "import_close", "import_errors"),
    "upload": (
        "import_upload",
        "import_columns",
        "import_reading",
        "import_progress",
        "import_start",
        "import_cancel",
        "import_retry",
        "import_discard",
        "import_upload_errors",
    ),
    "member": ("member_role", "member_deactivation"),
    "invitation": ("invitation_revocation",),
    "key": ("key_revocation",),
    "notification": ("reading",),
    "person_request": ("person_file",),
    "export": ("export_progress", "export_file"),
    "endpoint": (
        "webhook",
        "webhook_change",
        "webhook_tests",
        "webhook_switch",
        "webhook_rotation",
        "webhook_deletion",
    ),
    "delivery": ("webhook_replay",),
    "text": ("text", "text_preview", "text_draft_discard", "text_archive"),
    "text_version": ("text_rollback",),
    "contact": ("contact", "person_data", "person_copies", "person_erasures"),
    "provider": ("mail_provider_disconnection",),
    "suppression": ("suppression_removal",),
    "email": ("doubtful_mail", "mail_shown", "mail_shown_frame", "mail_withdrawals"),
    "card": ("scorecard", "scorecard_draft_discard"),
    "version": ("scorecard_rollback",),
    "model": ("model_version", "model_go_live", "model_retire"),
    "night": ("run", "run_progress"),
    "experiment": ("experiment", "experiment_export", "experiment_stop"),
    "playbook": (
        "playbook",
        "playbook_edit",
        "playbook_preview",
        "playbook_preview_export",
        "playbook_publish",
        "playbook_draft_discard",
        "playbook_pause",
        "playbook_release",
        "playbook_archive",
    ),
    "playbook_version": ("playbook_rollback",),
    "segment": ("segment", "segment_edit", "segment_members", "segment_draft_discard"),
    "segment_version": ("segment_rollback",),
    "doomed_segment": ("segment_deletions",),
    "assignment_rule": ("assignment_rule", "assignment_rule_moves"),
    "doomed_rule": ("assignment_rule_deletions",),
    "playbook_run": ("playbook_run", "playbook_run_exit", "playbook_run_pause", "playbook_run_resume"),
    "account": (
        "account",
        "account_notes",
        "touches",
        "let_go",
        "let_go_withdrawals",
        "queue_account",
        "write_mail",
        "mail_preview",
    ),
}
# Mails inside our pages: documents of their own, in a sandbox that runs nothing.
FRAMES = {"text_preview", "branding_preview", "mail_preview", "mail_shown_frame"}
KIND_OF = {name: kind for kind, names in KINDS.items() for name in names}


def path_of(address: Address, made: dict[str, Any]) -> str:
    route = address.route
    if "<uuid:public_id>" in route:
        kind = KIND_OF[address.name.rpartition(":")[2]]  # a KeyError here: name the new address in KINDS
        route = route.replace("<uuid:public_id>", str(made[kind].public_id))
    route = route.replace("<slug:cause>", "gone_quiet").replace("<slug:kind>", "accounts")
    assert "<" not in route, f"{address} has a parameter that this table does not know"
    return f"/{route}"


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def both(client: Client, path: str) -> list[int]:
    return [client.get(path).status_code, client.post(path, {}).status_code]


@pytest.fixture
def made(cast):
    with workspace_scope(cast.workspace.pk):
        return rows(cast.workspace)


def test_a_stranger_is_sent_to_sign_in(cast, made):
    for address in OURS:
        for response in (Client().get(path_of(address, made)), Client().post(path_of(address, made))):
            refused = response.status_code == 405
            assert refused or (response.status_code == 302 and response.url.startswith("/login/")), address


def test_another_workspaces_ids_are_as_unknown_as_random_ones(cast, made):
    """As owner of another workspace: 404 (or 405 for the wrong method) for every address with an id."""
    before = fingerprint(cast)
    client = signed_in(cast.zoe)
    for address in OURS:
        if "<uuid:" in address.route:
            assert set(both(client, path_of(address, made))) <= {404, 405}, address
    assert fingerprint(cast) == before, "a foreign request changed a row"


def test_ids_in_forms_are_scoped_too(cast, made):
    account, before = made["account"], fingerprint(cast)
    client = signed_in(cast.zoe)
    for name in ("snoozes", "resolutions", "assignments"):
        data = {"account": str(account.public_id), "result": "helped", "until": "2030-01-01", "csm": ""}
        assert client.post(f"/queue/{name}/", data).status_code in (404, 422), name
    assert client.post("/workspaces/current/", {"workspace": cast.workspace.public_id}).status_code == 404
    assert fingerprint(cast) == before


def fingerprint(cast: Any) -> list[Any]:
    with workspace_scope(cast.workspace.pk):
        return [
            list(model.objects.order_by("pk").values())
            for model in (
                Note,
                Activity,
                SavedView,
                Membership,
                Invitation,
                ApiKey,
                ScorecardVersion,
                ModelVersion,
            )
        ]


@pytest.mark.parametrize("role", Role.values)
def test_each_role_gets_exactly_its_pages(cast, made, role):
    user = cast.ada if role == Role.OWNER else join(cast.workspace, f"Role{role}", role).user
    client = signed_in(user)
    for address in OURS:
        allowed = address.permission in ("signed_in", "public") or role in roles_with(str(address.permission))
        status = client.get(path_of(address, made)).status_code
        assert (status != 403) == allowed or status == 405, (address, status)
        assert status < 500, address


@pytest.mark.parametrize("role", Role.values)
def test_no_role_does_what_it_may_not(cast, made, role):
    """The other half of the matrix: each act by POST, also where a page cannot be read."""
    user = cast.ada if role == Role.OWNER else join(cast.workspace, f"Act{role}", role).user
    client, before, refused = signed_in(user), fingerprint(cast), 0
    for address in OURS:
        if address.permission in ("signed_in", "public") or role in roles_with(str(address.permission)):
            continue
        status = client.post(
            path_of(address, made), {"name": "x", "role": "owner", "email": "x@example.com"}
        ).status_code
        assert status in (403, 405), (address, status)
        refused += status == 403
    assert fingerprint(cast) == before
    assert (refused == 0) == (role == Role.OWNER), "an owner may do everything, nobody else may"


def test_a_role_that_is_taken_away_ends_with_the_next_request(cast, made):
    client = signed_in(cast.ben.user)
    assert client.get("/queue/").status_code == 200
    with workspace_scope(cast.workspace.pk):
        Membership.objects.filter(pk=cast.ben.pk).update(is_active=False)
    assert client.get("/queue/").status_code == 403


def test_markers_of_another_workspace_are_nowhere_to_be_seen(cast, made):
    """Lists, search, export, counts: a hundred marked rows of Acme, and Zoe looks at every page."""
    marker = "Zq7Marker"
    with workspace_scope(cast.workspace.pk):
        for number in range(100):
            queued(f"{marker} {number}")
    client = signed_in(cast.zoe)
    for address in OURS:
        if "<" in address.route:
            continue
        response = client.get(f"/{address.route}", {"q": marker})
        body = response.getvalue() if response.streaming else response.content
        assert marker.encode() not in body.replace(f'value="{marker}"'.encode(), b"").replace(
            f"q={marker}".encode(), b""
        ).replace(f"“{marker}”".encode(), b""), address


def test_a_form_from_another_tab_changes_nothing(cast, made):
    client = signed_in(cast.ada)
    response = client.post(
        "/settings/keys/", {"workspace": cast.other.public_id, "scope": "read", "name": "x"}
    )
    assert response.status_code == 409


def test_every_unsafe_address_wants_the_form_token(cast, made):
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user("Mallory"))
    for address in OURS:
        assert client.post(path_of(address, made)).status_code in (403, 405), address


# Addresses that take an unsafe request without a form token, each with what guards it instead.
WITHOUT_TOKEN = {
    "accounts:unsubscribe": "one click by a mail program (RFC 8058); the link is the secret",
    "accounts:mail_webhook": "the mail provider's signature or secret",
    "health:intake_": "a write key",
    "api-1.0:": "a bearer key; sessions are not looked at",
}


def test_only_what_has_another_guard_goes_without_a_form_token():
    exempt = {a.name for a in addresses() if getattr(a.callback, "csrf_exempt", False)}
    unknown = {name for name in exempt if not name.startswith(tuple(WITHOUT_TOKEN))}
    assert unknown == set(), "a new exemption needs a guard of its own and a line above"
    for name in WITHOUT_TOKEN:
        assert any(found.startswith(name) for found in exempt), f"{name} is no longer exempt"


def test_sign_in_and_foreign_origins_are_refused_too(cast, made):
    """Pages of allauth and public pages: without a token, and with one but from another site."""
    plain = Client(enforce_csrf_checks=True)
    others = [a for a in addresses() if "<" not in a.route and not a.is_ours and a.name]
    checked = 0
    for address in others:
        if getattr(address.callback, "csrf_exempt", False) or address.route in (
            "healthz",
            "readyz",
            "metrics",
        ):
            continue
        status = plain.post(f"/{address.route}").status_code
        assert status in (302, 403, 405), (address, status)
        checked += status == 403
    assert checked >= 5
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.ada)
    client.get("/settings/keys/")
    token = client.cookies["csrftoken"].value
    form = {"csrfmiddlewaretoken": token, "name": "x", "scope": "read"}
    for headers in ({"Origin": "https://evil.example.com"}, {"Origin": "null"}):
        assert client.post("/settings/keys/", form, headers=headers).status_code == 403
        htmx = {**headers, "HX-Request": "true", "X-CSRFToken": token}
        assert client.post("/settings/keys/", {"name": "x", "scope": "read"}, headers=htmx).status_code == 403
    assert client.post("/settings/keys/", form, headers={"Origin": "http://testserver"}).status_code == 200


def test_every_page_carries_the_headers(cast, made):
    client = signed_in(cast.ada)
    for address in OURS:
        response = client.get(path_of(address, made))
        if response.status_code == 405 or not response.headers.get("Content-Type", "").startswith(
            "text/html"
        ):
            continue
        policy = response.headers["Content-Security-Policy"]
        assert not {"unsafe-inline", "unsafe-eval"} & set(policy.replace("'", "").split()), address
        is_frame = address.name.rpartition(":")[2] in FRAMES
        framing = {"frame-ancestors 'self'", "sandbox"} if is_frame else {"frame-ancestors 'none'"}
        assert {"default-src 'none'", *framing} <= {part.strip() for part in policy.split(";")}, address
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] in ("same-origin", "no-referrer")
        if response.status_code == 200:  # an error page shows nobody's data
            assert "no-store" in response.headers["Cache-Control"], address

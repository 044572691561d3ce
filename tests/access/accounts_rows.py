"""The rows that addresses of `accounts` can name."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from accounts.models import (
    Account,
    Activity,
    ApiKey,
    BillingMessage,
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
    SavedView,
    Segment,
    SegmentVersion,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookMessage,
    WorkspaceExport,
)
from accounts.services.suppressions import suppress

# Addresses that need no workspace, each with the reason.
OPEN = {
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
    "accounts:stripe_webhook": "guarded by Stripe's signature",
    "accounts:sso": "how one gets in",
    "accounts:sso_workspace": "how one gets in; says nothing of workspaces without a provider",
    "accounts:sso_login": "how one gets in; tests/accounts/sso",
    "accounts:sso_callback": "how one gets in; guarded by state, nonce and signature",
}
# Which kind of row an address with a public id names; addresses of an account stand in each app's table.
KINDS = {
    "account": (
        "account",
        "account_notes",
        "touches",
        "let_go",
        "let_go_withdrawals",
        "write_mail",
        "mail_preview",
    ),
    "note": ("note", "note_deletions", "note_restorations"),
    "activity": ("touch_deletions",),
    "saved_view": (
        "saved_view_deletions",
        "shared_report",
    ),
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
    "parked_message": ("billing_trial",),
    "provider": ("mail_provider_disconnection",),
    "suppression": ("suppression_removal",),
    "email": ("doubtful_mail", "mail_shown", "mail_shown_frame", "mail_withdrawals"),
    "segment": ("segment", "segment_edit", "segment_members", "segment_draft_discard"),
    "segment_version": ("segment_rollback",),
    "doomed_segment": ("segment_deletions",),
}
# Mails inside our pages: documents of their own, in a sandbox that runs nothing.
FRAMES = {"text_preview", "branding_preview", "mail_preview", "mail_shown_frame"}
# What no refused request may change.
KEPT = (Note, Activity, SavedView, Membership, Invitation, ApiKey, BillingMessage)


def rows(account: Account, member: Membership, now: datetime) -> dict[str, Any]:
    """One live row of each kind, by the name that `KINDS` uses; made in the running scope."""
    user = member.user
    return {
        "note": Note.objects.create(account=account, body="secret", author=user, created_at=now),
        "activity": Activity.objects.create(account=account, kind="call", occurred_at=now, author=user),
        "saved_view": SavedView.objects.create(page="queue", name="Mine", user=user),
        "member": member,
        "invitation": Invitation.objects.create(
            email="x@example.com", role="csm", token_hash=b"x", expires_at=now
        ),
        "key": ApiKey.objects.create(scope="read", secret_hash=b"y", hint="abcd"),
        "import": Import.objects.create(kind="accounts", file_name="a.csv", status="done"),
        "upload": ImportUpload.objects.create(
            kind="accounts", file_name="a.csv", columns=["name"], samples={"name": ["x"]}, created_at=now
        ),
        "notification": Notification.objects.create(
            membership=member,
            kind="accounts.assigned",
            cause_key="1",
            context={"count": 1, "names": ["secret"]},
            created_at=now,
        ),
        "person_request": PersonRequest.objects.create(kind="export", requested_at=now),
        "export": WorkspaceExport.objects.create(requested_at=now),
        "parked_message": BillingMessage.objects.create(
            message_id="evt_1", message_type="invoice.paid", made_at=now, received_at=now, parked_at=now
        ),
        **webhook_rows(now),
        **text_rows(account, member),
        **mail_rows(account, now),
        **segment_rows(now),
    }


def segment_rows(now: datetime) -> dict[str, Any]:
    rule = {"field": "name", "op": "contains", "value": "secret"}
    segment = Segment.objects.create(name="secret")
    version = SegmentVersion.objects.create(segment=segment, number=1, definition=rule, published_at=now)
    return {
        "segment": segment,
        "segment_version": version,
        "doomed_segment": Segment.objects.create(name="secret too"),
    }


def webhook_rows(now: datetime) -> dict[str, Any]:
    endpoint = WebhookEndpoint.objects.create(url="https://example.com/", secret="whsec_c2VjcmV0")
    message = WebhookMessage.objects.create(
        event_type="account.churned", cause_key="1", payload={}, occurred_at=now
    )
    delivery = WebhookDelivery.objects.create(endpoint=endpoint, message=message, created_at=now)
    return {"endpoint": endpoint, "delivery": delivery}


def text_rows(account: Account, member: Membership) -> dict[str, Any]:
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


def mail_rows(account: Account, now: datetime) -> dict[str, Any]:
    return {
        "contact": account.contacts.get(),
        "provider": MailProvider.objects.create(name="postmark", secret="secret", created_at=now),
        "suppression": suppress("secret@example.com", reason="manual", now=now),
    }

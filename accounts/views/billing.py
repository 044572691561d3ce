"""Settings: the connection to Stripe, its messages, and where the two ledgers differ."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from accounts.access import WorkspaceRequest, requires
from accounts.forms.billing import ConnectForm, KeyForm, SecretForm
from accounts.gateways.stripe.client import BillingError
from accounts.gateways.stripe.rights import BY_NAME, RIGHTS, KeyCheck, check_key
from accounts.queries import billing as queries
from accounts.services import billing_connections as service
from accounts.tasks import nudge

# What to choose for the endpoint at Stripe; more does no harm.
EVENTS = (
    "charge.*",
    "checkout.session.completed",
    "customer.*",
    "invoice.*",
    "invoice_payment.paid",
    "payment_intent.*",
    "payment_method.*",
    "price.*",
    "product.updated",
    "refund.*",
    "setup_intent.*",
)


@require_GET
@requires("billing.connect")
def billing(request: WorkspaceRequest) -> HttpResponse:
    """Connected: how it is doing. Else: what to do."""
    return _page(request)


def _page(request: WorkspaceRequest, *, status: int = 200, **forms: Form) -> HttpResponse:
    connected = queries.connection()
    context: dict[str, Any] = {
        "address": webhook_address(request),
        "events": EVENTS,
        "rights": RIGHTS,
        "key_form": KeyForm(auto_id="key_%s"),
        "secret_form": SecretForm(auto_id="secret_%s"),
        "connect_form": ConnectForm(),
        **forms,
        "is_local": not settings.BASE_URL.startswith("https://"),
    }
    if connected is None:
        return render(request, "settings/billing_connect.html", context, status=status)
    now = timezone.now()
    context |= {
        "missing": [BY_NAME[name] for name in connected.missing if name in BY_NAME],
        "is_rotating": connected.previous_until is not None and connected.previous_until > now,
        **_state(connected),
    }
    return render(request, "settings/billing.html", context, status=status)


def _state(connected: Any) -> dict[str, Any]:
    return {
        "state": queries.billing_state(connected, timezone.now()),
        "mirrored": [
            (label, count)
            for (_, label), count in zip(queries.STAGES, queries.mirrored().values(), strict=True)
        ],
        "poll_url": reverse("accounts:billing_state"),
    }


def webhook_address(request: WorkspaceRequest) -> str:
    """Where Stripe is to deliver."""
    path = reverse("accounts:stripe_webhook", args=[request.membership.workspace.public_id])
    return f"{settings.BASE_URL}{path}"


@require_GET
@requires("billing.connect")
def billing_state(request: WorkspaceRequest) -> HttpResponse:
    """The live part of the page, asked for again and again; without JavaScript the page itself."""
    connected = queries.connection()
    if connected is None or not request.htmx:
        return redirect("accounts:billing")
    return render(request, "settings/parts/billing_state.html", _state(connected))


@requires("billing.connect")
def billing_key(request: WorkspaceRequest) -> HttpResponse:
    """Connect, or another key for what is connected. Asks Stripe at once what the key may do."""
    if request.method != "POST":  # the page with an error was loaded again
        return redirect("accounts:billing")
    is_connected = queries.connection() is not None
    form = KeyForm(request.POST, auto_id="key_%s") if is_connected else ConnectForm(request.POST)
    checked = _checked(form) if form.is_valid() else None
    if checked is not None:
        try:
            service.connect(
                api_key=form.cleaned_data["api_key"],
                webhook_secret=form.cleaned_data.get("webhook_secret", ""),
                checked=checked,
                acting_user=request.user,
                now=timezone.now(),
            )
        except service.OtherCompany as other:
            form.add_error("api_key", _not_this(other))
    if form.errors:
        form.point_at_error()
        name = "key_form" if is_connected else "connect_form"
        return _page(request, status=422, **{name: form})
    nudge()
    _say_what_is_missing(request, checked)
    return redirect("accounts:billing")


def _not_this(other: service.OtherCompany) -> str:
    if other.is_live:
        words = gettext("This is a key of the test mode, but the live mode is connected. Take a live key, or disconnect first; what is mirrored stays.")  # fmt: skip
    elif other.is_live is not None:
        words = gettext("This is a key of the live mode, but the test mode is connected. Take a test key, or disconnect first; what is mirrored stays.")  # fmt: skip
    else:
        words = gettext("This key belongs to another company than the one that is connected (%(name)s). Take a key of that one, or disconnect first; what is mirrored stays.")  # fmt: skip
        words %= {"name": other.name or gettext("no name")}
    return words


def _checked(form: KeyForm) -> KeyCheck | None:
    try:
        return check_key(form.cleaned_data["api_key"])
    except BillingError as error:
        if error.is_refused_key:
            words = gettext("Stripe does not know this key, or it was revoked or has expired. Look under Developers, API keys, or make another one.")  # fmt: skip
        else:
            words = gettext("Stripe could not be reached just now. Nothing was saved; try again in a moment.")
        form.add_error("api_key", words)
        return None


def _say_what_is_missing(request: WorkspaceRequest, checked: KeyCheck | None) -> None:
    if checked is not None and checked.missing:
        messages.warning(request, gettext("The key works, but rights are missing; they are named below."))
    else:
        messages.success(request, gettext("The key works and has every right."))


@require_POST
@requires("billing.connect")
def billing_rights(request: WorkspaceRequest) -> HttpResponse:
    """Look again what the key may do, after rights were added at Stripe."""
    connected = queries.connection()
    if connected is None:
        return redirect("accounts:billing")
    try:
        checked = check_key(connected.api_key)
    except BillingError as error:
        if error.is_refused_key:
            messages.error(
                request, gettext("Stripe does not know this key, or it was revoked or has expired.")
            )
        else:
            messages.error(request, gettext("Stripe could not be reached just now. Try again in a moment."))
        return redirect("accounts:billing")
    service.note_rights(checked=checked, now=timezone.now())
    _say_what_is_missing(request, checked)
    return redirect("accounts:billing")


@requires("billing.connect")
def billing_secret(request: WorkspaceRequest) -> HttpResponse:
    """A new signing secret; the former one counts for another day."""
    if request.method != "POST":  # the page with an error was loaded again
        return redirect("accounts:billing")
    form = SecretForm(request.POST, auto_id="secret_%s")
    if not form.is_valid():
        form.point_at_error()
        return _page(request, status=422, secret_form=form)
    former = queries.connection()
    service.set_webhook_secret(
        secret=form.cleaned_data["webhook_secret"], acting_user=request.user, now=timezone.now()
    )
    if former is not None and former.webhook_secret:
        words = gettext("Saved. Messages signed with the former secret are taken for 24 hours.")
    else:
        words = gettext("Saved. From now on Stripe's messages are taken.")
    messages.success(request, words)
    return redirect("accounts:billing")


@require_POST
@requires("billing.connect")
def billing_syncs(request: WorkspaceRequest) -> HttpResponse:
    """Read everything anew."""
    if service.synchronise(acting_user=request.user, now=timezone.now()):
        nudge()
        messages.success(request, gettext("Everything is read anew. You may leave this page."))
    return redirect("accounts:billing")


@requires("billing.connect")
def billing_disconnection(request: WorkspaceRequest) -> HttpResponse:
    """Asks first; a POST disconnects."""
    connected = queries.connection()
    if connected is None:
        return redirect("accounts:billing")
    if request.method != "POST":
        return render(request, "settings/billing_disconnect.html", {"connection": connected})
    service.disconnect(acting_user=request.user, now=timezone.now())
    messages.success(request, gettext("Disconnected. What was mirrored is still here."))
    return redirect("accounts:billing")

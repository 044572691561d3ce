"""Key features, and use that found no account."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from accounts.access import WorkspaceRequest, allows, requires
from accounts.models import Account
from cs_platform.lib.periods import local_day
from health.queries.sections import health_tabs
from health.queries.usage_names import event_names, unattributed_users
from health.services.aliases import AliasTaken, add_alias
from health.services.key_features import set_key_features


@requires("health.view")
def features(request: WorkspaceRequest) -> HttpResponse:
    can_edit = allows(request.membership, "health.configure")
    if request.method == "POST":
        if not can_edit:
            return render(request, "403.html", status=403)
        marked = [
            name for name in request.POST.getlist("name") if 0 < len(name) <= 200 and "\x00" not in name
        ]
        set_key_features(names=marked, acting_user=request.user)
        words = ngettext("%(n)d key feature.", "%(n)d key features.", len(marked)) % {"n": len(marked)}
        when = gettext("The next nightly run uses them.")
        messages.success(request, f"{words} {when}")
        return redirect("health:features")
    today = local_day(timezone.now(), request.membership.workspace.zone)
    names = event_names(today)
    context = {
        "tabs": health_tabs("features"),
        "names": names,
        "marked": sum(row.is_key for row in names),
        "can_edit": can_edit,
    }
    return render(request, "health/features.html", context)


@requires("health.view")
def unattributed(request: WorkspaceRequest) -> HttpResponse:
    """Keys that name no account; a POST maps one to an account, and its past use is attributed."""
    can_edit = allows(request.membership, "health.configure")
    error = ""
    if request.method == "POST":
        if not can_edit:
            return render(request, "403.html", status=403)
        error = _map(request)
        if not error:
            return redirect("health:unattributed")
    context = {
        "tabs": health_tabs("unattributed"),
        "rows": unattributed_users(),
        "can_edit": can_edit,
        "error": error,
        "typed": request.POST,
    }
    return render(request, "health/unattributed.html", context, status=422 if error else 200)


def _map(request: WorkspaceRequest) -> str:
    """Empty when mapped, else what was wrong."""
    key, wanted = (request.POST.get(name, "").replace("\x00", "").strip() for name in ("key", "account"))
    found = Account.objects.filter(external_id=wanted)[:1] or Account.objects.filter(name=wanted)[:2]
    if len(found) > 1:
        return gettext("Several accounts have this name. Nothing was changed; give the id.")
    if not key or not found:
        return gettext("No account has this id or name. Nothing was changed; check the spelling.")
    account = found[0]
    try:
        add_alias(account=account, key=key, acting_user=request.user)
    except AliasTaken:
        return gettext("This key already names another account.")
    messages.success(
        request,
        gettext("“%(key)s” is %(account)s now. Its past use is being attributed.")
        % {"key": key, "account": account.name},
    )
    return ""

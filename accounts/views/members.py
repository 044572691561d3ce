"""Members of the workspace and invitations."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from accounts.access import WorkspaceRequest, requires
from accounts.forms.settings import InviteForm, RoleForm
from accounts.models import Invitation, Membership, Role
from accounts.services import invitations, members
from accounts.tasks import nudge


@requires("members.manage")
def members_page(request: WorkspaceRequest) -> HttpResponse:
    """Members and open invitations; a POST invites."""
    owner = request.membership.role == Role.OWNER
    form = InviteForm(request.POST or None, may_make_owners=owner)
    if request.method == "POST" and form.is_valid() and _invite(request, form):
        return redirect("accounts:members")
    people = Membership.objects.select_related("user").order_by("-is_active", "user__name", "pk")
    waiting = Invitation.objects.filter(
        accepted_at__isnull=True, revoked_at__isnull=True, expires_at__gt=timezone.now()
    )
    context = {
        "members": people,
        "invitations": waiting.order_by("-pk"),
        "form": form,
        "roles": form.fields["role"].choices,  # type: ignore[attr-defined]
        "may_change_owners": owner,
    }
    return render(request, "settings/members.html", context, status=422 if form.errors else 200)


def _invite(request: WorkspaceRequest, form: InviteForm) -> bool:
    values = form.cleaned_data
    try:
        invitations.invite(
            email=values["email"], role=values["role"], acting_user=request.user, now=timezone.now()
        )
    except invitations.AlreadyMember:
        form.add_error("email", gettext("This person is a member already; change the role in the list."))
        return False
    nudge()
    messages.success(request, gettext("Invitation to %(email)s is on its way.") % values)
    return True


@require_POST
@requires("members.manage")
def member_role(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    member = get_object_or_404(Membership.objects.select_related("user"), public_id=public_id)
    form = RoleForm(request.POST)
    if form.is_valid():
        _try(
            request,
            lambda: members.change_role(
                membership=member, role=form.cleaned_data["role"], acting_member=request.membership
            ),
            gettext("%(name)s has a new role.") % {"name": member.user},
        )
    else:
        messages.error(request, gettext("Nothing was changed: this role is unknown."))
    return redirect("accounts:members")


@require_POST
@requires("members.manage")
def member_deactivation(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """Take access away, or give it back when it was taken."""
    member = get_object_or_404(Membership.objects.select_related("user"), public_id=public_id)
    act = members.deactivate if member.is_active else members.reactivate
    words = (
        gettext("%(name)s can no longer come in.")
        if member.is_active
        else gettext("%(name)s may come in again.")
    )
    _try(
        request,
        lambda: act(membership=member, acting_member=request.membership),
        words % {"name": member.user},
    )
    return redirect("accounts:members")


@require_POST
@requires("members.manage")
def invitation_revocation(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    invitation = get_object_or_404(Invitation, public_id=public_id)
    invitations.revoke(invitation=invitation, acting_user=request.user, now=timezone.now())
    messages.success(request, gettext("The invitation is no longer valid."))
    return redirect("accounts:members")


def _try(request: WorkspaceRequest, act: object, done: str) -> None:
    try:
        act()  # type: ignore[operator]
    except members.LastOwner:
        messages.error(
            request,
            gettext("Nothing was changed: a workspace needs at least one owner. Make another one first."),
        )
    except members.OwnersOnly:
        messages.error(
            request, gettext("Nothing was changed: only an owner can make, change or remove owners.")
        )
    else:
        messages.success(request, done)

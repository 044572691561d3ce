"""Settings of sender and look; the logo for everybody; the confirmation of a sender's address."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_POST, require_safe

from accounts.access import WorkspaceRequest, public, requires
from accounts.forms.branding import BrandingForm, contrast_words
from accounts.models import BrandLogo, MailBranding, Workspace
from accounts.queries.branding import DARK_SURFACE, branding_of_workspace, look_of, shown_size
from accounts.services import branding as service
from accounts.services.mail_rendering import render_words
from accounts.tasks import nudge
from accounts.views.mail_frame import frame_response, framed
from accounts.views.public import LinkRequest, public_page
from cs_platform.lib.colours import INK, WHITE, is_colour, readable_on, towards
from cs_platform.lib.logos import BadLogo
from cs_platform.lib.scoping import workspace_scope

YEAR = 365 * 24 * 3600


@requires("settings.manage")
def branding(request: WorkspaceRequest) -> HttpResponse:
    saved = branding_of_workspace()
    form = BrandingForm(request.POST if request.method == "POST" else None, instance=_copy(saved))
    if request.method == "POST" and form.is_valid():
        now, before = timezone.now(), saved.from_address if saved else ""
        kept = service.save_branding(values=form.cleaned_data, acting_user=request.user, now=now)
        if kept.from_address and kept.from_address != before:
            nudge()
            words = gettext("Saved. A mail with a link is on its way to %(address)s.")
            messages.success(request, words % {"address": kept.from_address})
        else:
            messages.success(request, gettext("Saved."))
        return redirect("accounts:branding")
    return _page(request, form, saved, status=422 if form.errors else 200)


def _copy(saved: MailBranding | None) -> MailBranding:
    """What is typed wrongly must not show up beside the form."""
    return MailBranding.objects.get(pk=saved.pk) if saved else MailBranding()


def _page(
    request: WorkspaceRequest,
    form: BrandingForm,
    saved: MailBranding | None,
    *,
    status: int,
    logo_error: str = "",
) -> HttpResponse:
    look = look_of(request.membership.workspace, saved)
    logo = saved.logo if saved else None
    context = {
        "form": form,
        "saved": saved,
        "look": look,
        "logo": logo,
        "logo_size": shown_size(logo) if logo else (0, 0),
        "contrast": contrast_words(look.colour),
        "logo_error": logo_error,
    }
    return render(request, "texts/branding.html", context, status=status)


@require_POST
@requires("settings.manage")
def branding_logo(request: WorkspaceRequest) -> HttpResponse:
    """Upload a logo, or remove it (do=remove)."""
    if request.POST.get("do") == "remove":
        service.drop_logo(acting_user=request.user)
        messages.success(request, gettext("Mails show your name again instead of the logo."))
        return redirect("accounts:branding")
    upload = request.FILES.get("logo")
    try:
        if upload is None:
            raise BadLogo("missing")
        service.set_logo(upload=upload, acting_user=request.user, now=timezone.now())
    except BadLogo as error:
        saved = branding_of_workspace()
        form = BrandingForm(instance=_copy(saved))
        return _page(request, form, saved, status=422, logo_error=_logo_words(error.code))
    messages.success(request, gettext("The logo is in use from now on."))
    return redirect("accounts:branding")


def _logo_words(code: str) -> str:
    return {
        "missing": gettext("Choose a file first."),
        "too_large": gettext("The file is larger than 1 MB. Save it smaller and try again."),
        "too_many_pixels": gettext("The picture has too many pixels. 880 × 240 are enough."),
        "not_a_picture": gettext("This is no PNG or JPEG picture. Export your logo as PNG and try again."),
    }[code]


@require_POST
@requires("settings.manage")
def branding_confirmations(request: WorkspaceRequest) -> HttpResponse:
    """Send the link to the sender's address once more."""
    saved = branding_of_workspace()
    if saved is None or not saved.from_address or saved.from_confirmed_at:
        messages.warning(request, gettext("There is no address to confirm."))
    else:
        service.ask_sender(branding=saved, acting_user=request.user, now=timezone.now())
        nudge()
        words = gettext("A mail with a link is on its way to %(address)s.") % {"address": saved.from_address}
        messages.success(request, words)
    return redirect("accounts:branding")


@requires("settings.manage")
@framed
def branding_preview(request: WorkspaceRequest) -> HttpResponse:
    """A sample mail in the look that was typed (POST) or that is in force."""
    saved = branding_of_workspace()
    shown = _copy(saved)
    if request.method == "POST":
        form = BrandingForm(request.POST, instance=shown)
        form.is_valid()
        for name in form.errors:
            setattr(shown, name, getattr(saved, name, ""))
    look = look_of(request.membership.workspace, shown)
    language = get_language() or "en"
    with translation.override(language):
        words = {
            "subject": gettext("A mail from %(name)s") % {"name": look.name},
            "body": gettext(
                "Hi Mina,\n\nthis is how your mails look: short paragraphs, **bold words**, "
                "[links](https://example.com) and lists.\n\n- one thing\n- another one\n\n"
                "[button: The one thing to do](https://example.com)\n\nBen"
            ),
        }
        foot = {"unsubscribe_url": "https://example.com/", "preferences_url": "https://example.com/"}
        made = render_words(
            words, values={}, workspace=request.membership.workspace, language=language, look=look, foot=foot
        )
    return frame_response(request, made.html, scheme=(request.POST or request.GET).get("scheme", "light"))


@public
@require_safe
def brand_logo(request: HttpRequest, workspace: UUID, public_id: UUID) -> HttpResponse:
    """The logo, for mail programs everywhere. Its address changes with the picture, so it may be kept for ever."""
    found = Workspace.objects.filter(public_id=workspace).first()
    if found is None:
        raise Http404
    with workspace_scope(found.pk):
        logo = BrandLogo.objects.filter(public_id=public_id).first()
        if logo is None:
            raise Http404
        response = HttpResponse(service.logo_bytes(logo), content_type="image/png")
    response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


@public
@require_safe
def brand_style(request: HttpRequest, colour: str) -> HttpResponse:
    """A workspace's colour for its public pages, dark enough on white and light enough on dark; reads nothing."""
    if not is_colour(f"#{colour}"):
        raise Http404
    light = towards(f"#{colour}", INK, on=WHITE)
    dark = towards(f"#{colour}", WHITE, on=DARK_SURFACE)
    rules = "body{{--color-primary:{0};--color-primary-content:{1}}}"
    on_light, on_dark = (rules.format(shade, readable_on(shade)) for shade in (light, dark))
    css = (
        f"{on_light}\n@media (prefers-color-scheme:dark){{:root:not([data-theme]) {on_dark}}}\n"
        f":root[data-theme=dark] {on_dark}\n"
    )
    response = HttpResponse(css, content_type="text/css; charset=utf-8")
    response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
    return response


@public_page(service.SENDER_PURPOSE)
def sender_confirmation(request: LinkRequest) -> HttpResponse:
    """GET asks, POST confirms: mail scanners open every link."""
    context = {"workspace": request.link.workspace, "branding": branding_of_workspace(), "is_done": False}
    if request.method == "POST":
        context["is_done"] = service.confirm_sender(link=request.link, now=timezone.now())
    return render(request, "public/sender.html", context)

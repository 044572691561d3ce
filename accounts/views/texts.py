"""Settings of mail texts: list, editor with preview, versions, a test to oneself."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone, translation
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_POST

from accounts.access import WorkspaceRequest, allows, requires
from accounts.forms.texts import TextForm, WordsForm
from accounts.mail_texts.about import About
from accounts.mail_texts.placeholders import names_in, offered, values_of
from accounts.models import Contact, MailText, MailTextVersion
from accounts.queries.texts import find_person, reachable, text_rows
from accounts.services import texts as service
from accounts.services import versions
from accounts.services.mail_rendering import render_words
from accounts.tasks import nudge
from accounts.views.mail_frame import frame_response, framed, message_response


@requires("settings.view")
def texts(request: WorkspaceRequest) -> HttpResponse:
    archived = request.GET.get("archived") == "1"
    rows = text_rows(now=timezone.now(), archived=archived, language=get_language() or "en")
    may_edit = allows(request.membership, "settings.manage")
    return render(request, "texts/list.html", {"rows": rows, "archived": archived, "may_edit": may_edit})


@requires("settings.manage")
def new_text(request: WorkspaceRequest) -> HttpResponse:
    form = TextForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return render(request, "texts/new.html", {"form": form}, status=422 if form.errors else 200)
    text = service.create_text(acting_user=request.user, **form.cleaned_data)
    return redirect("accounts:text", public_id=text.public_id)


@requires("settings.view")
def text(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """The editor. POST: "draft" keeps what was typed, "publish" puts it in force, "test" mails it to oneself."""
    found = get_object_or_404(MailText, public_id=public_id)
    if request.method == "POST":
        return _posted(request, found)
    shown = _asked_version(request, found) or _newest(found)
    return _page(request, found, WordsForm(shown.definition if shown else {}))


def _newest(text: MailText) -> MailTextVersion | None:
    return versions.draft_of(MailTextVersion, text) or versions.newest_published(MailTextVersion, text)


def _asked_version(request: WorkspaceRequest, text: MailText) -> MailTextVersion | None:
    number = request.GET.get("version", "")
    if not number.isdecimal() or len(number) > 6:
        return None
    return versions.versions_of(MailTextVersion, text).filter(number=int(number)).first()


def _posted(request: WorkspaceRequest, text: MailText) -> HttpResponse:
    if not allows(request.membership, "settings.manage"):
        return render(request, "403.html", status=403)
    act = request.POST.get("do", "draft")
    if act == "settings":
        return _change(request, text)
    form = WordsForm.of_request(request.POST)
    if act == "publish":
        return _publish(request, text, form)
    _keep(request, text, form)
    if act == "test":
        return _test(request, text, form)
    messages.success(request, gettext("Draft saved. Mails use the published version until you publish it."))
    return redirect("accounts:text", public_id=text.public_id)


def _keep(request: WorkspaceRequest, text: MailText, form: WordsForm) -> None:
    """Store what was typed, unless it is what is in force."""
    live, draft = versions.newest_published(MailTextVersion, text), versions.draft_of(MailTextVersion, text)
    if draft is not None or live is None or live.definition != form.definition():
        service.save_draft(text=text, definition=form.definition(), acting_user=request.user)


def _change(request: WorkspaceRequest, text: MailText) -> HttpResponse:
    settings_form = TextForm(request.POST, instance=MailText.objects.get(pk=text.pk))
    if not settings_form.is_valid():
        shown = _newest(text)
        form = WordsForm(shown.definition if shown else {})
        return _page(request, text, form, status=422, settings_form=settings_form)
    service.change_text(text=text, acting_user=request.user, **settings_form.cleaned_data)
    messages.success(request, gettext("Saved."))
    return redirect("accounts:text", public_id=text.public_id)


def _publish(request: WorkspaceRequest, text: MailText, form: WordsForm) -> HttpResponse:
    if not form.is_good(purpose=text.purpose):
        _keep(request, text, form)
        return _page(request, text, form, status=422)
    version = service.publish(
        text=text,
        definition=form.definition(),
        note=request.POST.get("note", "")[:300],
        acting_user=request.user,
        now=timezone.now(),
    )
    words = gettext("Version %(n)d is in force for mails from now on.") % {"n": version.number}
    messages.success(request, words)
    return redirect("accounts:text", public_id=text.public_id)


def _test(request: WorkspaceRequest, text: MailText, form: WordsForm) -> HttpResponse:
    language = _language(request)
    words, person = form.words(language), find_person(request.POST.get("person", ""))
    if not form.is_good(purpose=text.purpose):
        return _page(request, text, form, status=422)
    if person is None or not any(words.values()):
        messages.error(request, gettext("Choose a person and a language that has words."))
        return _page(request, text, form, status=422)
    service.send_trial(words=words, about=_about(request, person, language), acting_user=request.user)
    nudge()
    messages.success(request, gettext("On its way to %(address)s.") % {"address": request.user.email})
    return redirect("accounts:text", public_id=text.public_id)


def _page(
    request: WorkspaceRequest,
    text: MailText,
    form: WordsForm,
    *,
    status: int = 200,
    settings_form: TextForm | None = None,
) -> HttpResponse:
    rows = versions.versions_of(MailTextVersion, text).select_related("published_by").order_by("-number")
    found = list(rows[:21])
    published = [v for v in found if v.published_at]
    context: dict[str, Any] = {
        "text": text,
        "form": form,
        "settings_form": settings_form or TextForm(instance=text),
        "has_draft": any(v.published_at is None for v in found),
        "versions": published,
        "live": published[0] if published else None,
        "people": reachable(),
        "placeholders": offered(text.purpose),
        "may_edit": allows(request.membership, "settings.manage"),
        "language": _language(request),
        "person": request.POST.get("person", ""),
        "asked": request.GET.get("version", ""),
        "note": request.POST.get("note", ""),
    }
    return render(request, "texts/text.html", context, status=status)


@requires("settings.view")
@framed
def text_preview(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """The mail as a person would get it: of what was typed (POST), or of the newest words (GET)."""
    text = get_object_or_404(MailText, public_id=public_id)
    if request.method == "POST":
        form = WordsForm.of_request(request.POST)
    else:
        shown = _asked_version(request, text) or _newest(text)
        form = WordsForm(shown.definition if shown else {})
    asked = request.POST or request.GET
    language, person = _language(request), find_person(asked.get("person", ""))
    if person is None:
        return message_response(request, gettext("Nobody is found. Import contacts, or type another name."))
    words = form.words(language)
    if not any(words.values()):
        return message_response(request, gettext("There are no words in this language yet."))
    with translation.override(language):
        values = values_of(names_in(*words.values()), _about(request, person, language))
        workspace = request.membership.workspace
        foot = {} if text.mail_class == "transactional" else SAMPLE_FOOT
        made = render_words(words, values=values, workspace=workspace, language=language, foot=foot)
    return frame_response(request, made.html, scheme=asked.get("scheme", "light"))


SAMPLE_FOOT = {"unsubscribe_url": "https://example.com/", "preferences_url": "https://example.com/"}


def _language(request: WorkspaceRequest) -> str:
    asked = (request.POST or request.GET).get("language", "")
    return asked if asked in ("en", "ko") else (get_language() or "en")


def _about(request: WorkspaceRequest, person: Contact, language: str) -> About:
    return About(person, request.membership.workspace, language, timezone.now(), sender=request.user)


@require_POST
@requires("settings.manage")
def text_draft_discard(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    found = get_object_or_404(MailText, public_id=public_id)
    versions.discard_draft(MailTextVersion, parent=found, acting_user=request.user)
    messages.success(request, gettext("The draft is gone; the published version is as it was."))
    return redirect("accounts:text", public_id=found.public_id)


@require_POST
@requires("settings.manage")
def text_archive(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """Put a text away, or bring it back."""
    found = get_object_or_404(MailText, public_id=public_id)
    is_archived = found.archived_at is None
    service.set_archived(text=found, is_archived=is_archived, acting_user=request.user, now=timezone.now())
    done = (
        gettext("Archived. Nothing offers it any more.") if is_archived else gettext("It is offered again.")
    )
    messages.success(request, done, extra_tags=f"undo:{request.path}")
    return redirect("accounts:texts")


@require_POST
@requires("settings.manage")
def text_rollback(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    version = get_object_or_404(
        MailTextVersion.objects.select_related("text"), public_id=public_id, published_at__isnull=False
    )
    restored = versions.roll_back(version=version, acting_user=request.user, now=timezone.now())
    words = gettext("Version %(n)d is in force for mails from now on.") % {"n": restored.number}
    messages.success(request, words)
    return redirect("accounts:text", public_id=version.text.public_id)

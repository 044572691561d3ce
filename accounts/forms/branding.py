"""The form of the workspace's sender and look."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

from accounts.models import MailBranding
from cs_platform.lib.colours import ENOUGH, WHITE, contrast, is_colour, readable_on

# Addresses of other people's domains: mails in their name are thrown away by every large mailbox.
FREE_MAIL = frozenset(
    "gmail.com googlemail.com yahoo.com outlook.com hotmail.com live.com icloud.com aol.com gmx.de gmx.net web.de "
    "naver.com daum.net hanmail.net kakao.com nate.com proton.me protonmail.com qq.com 163.com".split()
)


class BrandingForm(forms.ModelForm):  # type: ignore[type-arg]
    from_address = forms.EmailField(
        label=_("Sender's address"),
        required=False,
        help_text=_(
            "An address of your own domain. It gets a mail with a link, and is used once somebody has confirmed it. "
            "Your domain needs SPF and DKIM for this mail server."
        ),
    )
    reply_to_address = forms.EmailField(
        label=_("Address for answers"),
        required=False,
        help_text=_("Used for “one address”, and when an account has no CSM."),
    )
    colour = forms.CharField(
        label=_("Colour"),
        required=False,
        max_length=7,
        widget=forms.TextInput(attrs={"placeholder": "#2b4ba0", "autocomplete": "off"}),
        help_text=_("Of buttons and links: # and six digits. Empty: a calm blue."),
    )

    class Meta:
        model = MailBranding
        fields = ("from_name", "from_address", "reply_to", "reply_to_address", "colour", "postal_address")
        labels = {
            "from_name": _("Sender's name"),
            "reply_to": _("Answers go to"),
            "postal_address": _("Postal address"),
        }
        help_texts = {
            "from_name": _("As people see it in their inbox. Empty: the name of the workspace."),
            "postal_address": _(
                "Stands at the foot of every mail. Many countries ask for it in mails that advertise."
            ),
        }
        widgets = {"postal_address": forms.Textarea(attrs={"rows": 2})}

    def clean_from_name(self) -> str:
        name = " ".join(str(self.cleaned_data["from_name"]).split())
        if set(name) & set('<>"@'):
            raise ValidationError(_("A name has no < > @ or quotation marks."))
        return name

    def clean_from_address(self) -> str:
        address = str(self.cleaned_data["from_address"]).strip().lower()
        if address.rpartition("@")[2] in FREE_MAIL:
            raise ValidationError(
                _("Mails in the name of a free mailbox are rejected. Use an address of your own domain.")
            )
        return address

    def clean_colour(self) -> str:
        colour = str(self.cleaned_data["colour"]).strip().lower()
        if colour and not colour.startswith("#"):
            colour = f"#{colour}"
        if len(colour) == 4 and is_colour("#" + "".join(c * 2 for c in colour[1:])):
            colour = "#" + "".join(c * 2 for c in colour[1:])
        if colour and not is_colour(colour):
            raise ValidationError(
                _("Write a colour as # and six digits of 0-9 and a-f, for example #2b4ba0.")
            )
        return colour

    def clean(self) -> dict[str, object]:
        data: dict[str, object] = super().clean() or self.cleaned_data
        if data.get("reply_to") == MailBranding.ReplyTo.FIXED and not data.get("reply_to_address"):
            self.add_error("reply_to_address", _("Say which address the answers go to."))
        return data


def contrast_words(colour: str) -> list[str]:
    """How well a colour reads, in sentences; what is too pale as a link is darkened in mails."""
    on_it = readable_on(colour)
    word = pgettext("colour of letters", "white") if on_it == WHITE else pgettext("colour of letters", "dark")
    found = [
        gettext("Buttons get %(word)s letters: contrast %(n).1f of 21.")
        % {"word": word, "n": contrast(on_it, colour)}
    ]
    as_link = contrast(colour, WHITE)
    if as_link < ENOUGH:
        found.append(
            gettext(
                "As a link on white it would be too pale (%(n).1f; 4.5 are needed), so links get a darker shade."
            )
            % {"n": as_link}
        )
    return found

"""Forms of the exchange rates."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.services.rates import RateFileError, RateRow, read_currency, read_rate, read_rate_file

LARGEST_FILE = 2 * 1024 * 1024


class RateForm(forms.Form):
    """One dated rate, typed in."""

    currency = forms.CharField(
        label=_("Currency"), max_length=3, help_text=_("Three letters, for example EUR.")
    )
    on_date = forms.DateField(
        label=_("Holds from"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    rate = forms.CharField(label=_("Rate"), max_length=30)

    def __init__(self, *args: Any, report_currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._report = report_currency
        self.fields["rate"].help_text = _("%(code)s for one unit of the currency, for example 1.0925.") % {
            "code": report_currency
        }

    def clean_currency(self) -> str:
        try:
            return read_currency(self.cleaned_data["currency"], self._report)
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None

    def clean_rate(self) -> Any:
        try:
            return read_rate(self.cleaned_data["rate"])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None

    @property
    def row(self) -> RateRow:
        """What was typed, once it is valid."""
        values = self.cleaned_data
        return RateRow(values["currency"], values["on_date"], values["rate"])


class RateFileForm(forms.Form):
    """A CSV file of dated rates."""

    file = forms.FileField(
        label=_("CSV file"),
        help_text=_("Columns currency, on_date and rate; days as 2026-03-31, a dot in numbers."),
    )
    rows: list[RateRow]

    def __init__(self, *args: Any, report_currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._report = report_currency

    def clean_file(self) -> Any:
        upload = self.cleaned_data["file"]
        if upload.size > LARGEST_FILE:
            raise forms.ValidationError(_("The file is larger than 2 MB; split it."))
        try:
            self.rows = read_rate_file(upload.read().decode("utf-8-sig"), self._report)
        except UnicodeDecodeError:
            raise forms.ValidationError(_("The file is not UTF-8 text. Save it as CSV UTF-8.")) from None
        except RateFileError as error:
            raise forms.ValidationError(error.problems[:20]) from None
        return upload

"""Forms of the imports: the file, its columns."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.utils.formats import date_format
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.imports.encodings import ENCODINGS
from accounts.imports.fields import ImportField
from accounts.imports.guessing import DATE_FORMATS, ColumnGuess, DateExample, date_examples, is_ambiguous
from accounts.imports.mapping import ImportOptions
from accounts.models import ImportUpload
from accounts.registry import ImportKind, import_kinds

KEEP, DROP = "", "-"
DELIMITERS = [(",", _("comma")), (";", _("semicolon")), ("\t", _("tab")), ("|", _("bar"))]
ENCODING_LABELS = {
    "utf-8": _("UTF-8"),
    "utf-16": _("UTF-16 (“Unicode text” of Excel)"),
    "cp949": _("Korean (Windows, CP949)"),
    "cp1252": _("Western (Windows, Latin-1)"),
}
_NAMED = {
    "iso": _("Year first (2026-03-04)"),
    "day-first": _("Day first (04/03/2026)"),
    "month-first": _("Month first (03/04/2026)"),
}


_ORDER = ("accounts", "contacts", "subscriptions", "invoices", "tickets", "cancellations")


def kinds_in_order() -> list[ImportKind]:
    """What others hang on comes first; kinds of apps above come last."""
    return sorted(import_kinds, key=lambda k: _ORDER.index(k.name) if k.name in _ORDER else len(_ORDER))


def _field_words(field: ImportField) -> str:
    """ "Start · started_at (required)": what a person reads, and what the file's documentation may say."""
    words = str(field.label)
    if words.lower() != field.name:
        words += f" · {field.name}"
    return f"{words} ({gettext('required')})" if field.required else words


class UploadForm(forms.Form):
    """What comes in, and the file."""

    kind = forms.ChoiceField(label=_("What is in the file?"), widget=forms.RadioSelect)
    file = forms.FileField(
        label=_("File"),
        max_length=None,
        allow_empty_file=True,
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.tsv,.txt,.jsonl,.ndjson,.json,text/csv"}),
        error_messages={"required": _("Choose a file.")},
    )

    def __init__(self, *args: Any, was_too_large: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._was_too_large = was_too_large
        self.fields["kind"].choices = [(k.name, k.label) for k in kinds_in_order()]  # type: ignore[attr-defined]
        self.fields["file"].help_text = gettext(
            "CSV with a header line, or JSON Lines; up to %(limit)d MB. It is kept for two weeks."
        ) % {"limit": settings.IMPORT_MEGABYTES}

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if self._was_too_large:
            self.errors.pop("file", None)
            words = gettext(
                "The file is larger than %(limit)d MB. Split it, or import it with the command line."
            )
            self.add_error("file", words % {"limit": settings.IMPORT_MEGABYTES})
        return values

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if PurePath(str(file.name)).suffix.lower() in {".xlsx", ".xls", ".ods", ".numbers", ".zip", ".gz"}:
            raise forms.ValidationError(
                _("This is not a text file. In the spreadsheet, save it as “CSV UTF-8”.")
            )
        return file


class ReadingForm(forms.Form):
    """How the file is text."""

    encoding = forms.ChoiceField(
        label=_("Encoding"), choices=[(name, ENCODING_LABELS[name]) for name in ENCODINGS]
    )
    delimiter = forms.ChoiceField(label=_("Columns are separated by"), choices=DELIMITERS, required=False)


class ColumnsForm(forms.Form):
    """One select per column, the format of dates, and the day on which the file was true."""

    date_format = forms.ChoiceField(label=_("How dates are written"), widget=forms.RadioSelect)
    known_at = forms.CharField(
        label=_("When the file was true"),
        required=False,
        max_length=40,
        help_text=_(
            "A date as in the file. Empty: these values count as known since the account began. "
            "Give it when you import the same columns again and again, so that history stays true."
        ),
    )

    def __init__(
        self, *args: Any, upload: ImportUpload, guesses: list[ColumnGuess], zone: ZoneInfo, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.upload, self.guesses, self.zone = upload, guesses, zone
        self.kind: ImportKind = import_kinds.get(upload.kind)
        saved = ImportOptions.from_json(upload.options)
        self.is_remembered = bool(saved.mapping or saved.drop)
        for number, guess in enumerate(guesses):
            self.fields[f"column-{number}"] = forms.ChoiceField(
                label=guess.column,
                required=False,
                choices=self._targets,
                widget=forms.Select(attrs={"class": "w-full"}),
                initial=self._initial(guess, saved),
            )
        self.fields["date_format"].choices = self._formats(saved)  # type: ignore[attr-defined]
        chosen = self.examples[0].date_format if self.examples else "iso"
        self.fields["date_format"].initial = saved.date_format if self.is_remembered else chosen
        self.fields["known_at"].initial = saved.known_at
        if self.kind.spec.extras != "trait":
            del self.fields["known_at"]

    def _initial(self, guess: ColumnGuess, saved: ImportOptions) -> str:
        if not self.is_remembered:
            return guess.target or KEEP
        return DROP if guess.column in saved.drop else saved.mapping.get(guess.column, KEEP)

    @cached_property
    def _targets(self) -> list[Any]:
        keep = _("keep as a trait") if self.kind.spec.extras == "trait" else _("keep as a property")
        fields = [(f.name, _field_words(f)) for f in self.kind.spec.fields]
        return [(KEEP, keep), (DROP, _("leave out")), (_("Fields"), fields)]

    @cached_property
    def examples(self) -> list[DateExample]:
        """Formats that fit the columns that probably hold dates."""
        wanted = {f.name for f in self.kind.spec.fields if f.kind == "date"}
        saved = ImportOptions.from_json(self.upload.options)
        columns = [g.column for g in self.guesses if self._initial(g, saved) in wanted]
        values = [v for column in columns for v in self.upload.samples.get(column, ())]
        return date_examples(values, self.zone)

    @property
    def is_ambiguous(self) -> bool:
        return is_ambiguous(self.examples)

    def _formats(self, saved: ImportOptions) -> list[tuple[str, str]]:
        known = {example.date_format: example for example in self.examples}
        names = [*known, *(name for name in _NAMED if name not in known)]
        if saved.date_format not in names:
            names.append(saved.date_format)
        return [(name, self._format_words(name, known.get(name))) for name in names]

    def _format_words(self, name: str, example: DateExample | None) -> str:
        words = str(_NAMED.get(name, name))
        if example is None or example.moment is None:
            return words
        day = date_format(example.moment.astimezone(self.zone), "DATE_FORMAT")
        read = gettext("“%(text)s” is read as %(day)s") % {"text": example.text, "day": day}
        share = gettext("fits %(share)s of the values") % {"share": f"{example.fits:.0%}"}
        return f"{words} – {read}" + ("" if example.fits == 1.0 else f" ({share})")

    def clean_date_format(self) -> str:
        value = str(self.cleaned_data["date_format"])
        if value not in DATE_FORMATS and value != ImportOptions.from_json(self.upload.options).date_format:
            raise forms.ValidationError(_("Choose one of the formats."))
        return value

    def rows(self) -> list[dict[str, Any]]:
        """For the template: each column with its values and its select."""
        return [
            {
                "guess": guess,
                "samples": self.upload.samples.get(guess.column, ())[:3],
                "field": self[f"column-{number}"],
            }
            for number, guess in enumerate(self.guesses)
        ]

    def options(self) -> ImportOptions:
        """What the person chose, for the importer; call when valid."""
        chosen = {g.column: self.cleaned_data[f"column-{n}"] for n, g in enumerate(self.guesses)}
        saved = ImportOptions.from_json(self.upload.options)
        return ImportOptions(
            mapping={column: name for column, name in chosen.items() if name not in (KEEP, DROP)},
            drop=frozenset(column for column, name in chosen.items() if name == DROP),
            date_format=self.cleaned_data["date_format"],
            known_at=self.cleaned_data.get("known_at", ""),
            encoding=saved.encoding,
            delimiter=saved.delimiter,
            by_name=False,
        )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        feeding: dict[str, list[str]] = {}
        for number, guess in enumerate(self.guesses):
            name = values.get(f"column-{number}")
            if name and name != DROP:
                feeding.setdefault(name, []).append(guess.column)
        for name, columns in feeding.items():
            if len(columns) > 1:
                words = gettext("Two columns feed “%(field)s”: %(columns)s. Choose one of them.")
                self.add_error(
                    None, words % {"field": self.kind.spec.field(name).label, "columns": ", ".join(columns)}
                )
        missing = [str(f.label) for f in self.kind.spec.fields if f.required and f.name not in feeding]
        if missing:
            words = gettext("No column feeds %(fields)s yet. Rows cannot be imported without it.")
            self.add_error(None, words % {"fields": ", ".join(missing)})
        return values

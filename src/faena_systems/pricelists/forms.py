"""What people send: checked whole, refused with the reason next to the field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from django import forms
from django.contrib.humanize.templatetags.humanize import intcomma
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from . import inspecting, parsing, reader_process, suggesting, uploading
from .errors import PROBLEMS, UnreadableFile
from .models import ArchivoPendiente, ConfigImportacion, Proveedor
from .models.config_importacion import column
from .uploading import Choice, SheetPreview, Upload

REQUIRED_COLUMNS = ("col_codigo", "col_descripcion", "col_precio")
OPTIONAL_COLUMNS = ("col_cant", "col_iva", "col_cod_barras", "col_marca")
COLUMNS = (*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS)
LABELS = {
    "col_codigo": gettext_lazy("Code"),
    "col_descripcion": gettext_lazy("Description"),
    "col_precio": gettext_lazy("Price"),
    "col_cant": gettext_lazy("Quantity"),
    "col_iva": gettext_lazy("VAT"),
    "col_cod_barras": gettext_lazy("Barcode"),
    "col_marca": gettext_lazy("Brand"),
}
ACCEPTED = ".xlsx,.xls,.ods,.csv"


class UploadForm(forms.Form):
    """A supplier and its spreadsheet; valid only if the file can really be read."""

    upload: Upload

    proveedor = forms.ModelChoiceField(
        Proveedor.objects.all(), label=gettext_lazy("Supplier"), empty_label=gettext_lazy("Choose a supplier…")
    )
    archivo = forms.FileField(
        label=gettext_lazy("Spreadsheet"),
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ACCEPTED, "data-max-bytes": uploading.MAX_BYTES}),
        error_messages={"required": gettext_lazy("Choose a spreadsheet to upload.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["archivo"].widget.attrs["data-too-big"] = too_big()

    def clean_archivo(self) -> UploadedFile:
        """Refuse by size before anything is read."""
        file: UploadedFile = self.cleaned_data["archivo"]
        if (file.size or 0) > uploading.MAX_BYTES:
            self.refuse(file, too_big(file.size), "too_large")
        elif not file.size:
            self.refuse(file, _(PROBLEMS["empty"]), "empty")
        return file

    def clean(self) -> dict[str, Any]:
        """Keep the file and look into it."""
        data = super().clean() or {}
        if not self.errors:
            file = data["archivo"]
            try:
                self.upload = inspecting.receive(data["proveedor"], file.name, file.chunks())
            except UnreadableFile as error:
                self.refuse(file, str(error), error.problem)
        return data

    def refuse(self, file: UploadedFile, why: str, code: str) -> None:
        """Say which file it is about: the browser has forgotten what was chosen."""
        said = _("%(file)s: %(why)s") % {"file": uploading.shown(file.name or ""), "why": why}
        self.add_error("archivo", forms.ValidationError(said, code=code))


def too_big(size: int | None = None) -> str:
    """Say how big a file may be, and how big this one is."""
    limit = filesizeformat(uploading.MAX_BYTES)
    if size is None:
        return _("The file is too big: %(limit)s at most.") % {"limit": limit}
    return _("The file is too big: it has %(size)s, %(limit)s at most.") % {
        "size": filesizeformat(size),
        "limit": limit,
    }


class SupplierForm(forms.ModelForm):
    """A supplier and its factors. The short name names a folder on disk, so it is chosen once."""

    class Meta:
        model = Proveedor
        fields = [
            "nombre",
            "abreviatura",
            "descuento_comercial",
            "margen_ganancia",
            "margen_ganancia_efectivo",
            "margen_ganancia_bulto",
        ]
        help_texts = {
            "abreviatura": gettext_lazy("Capital letters, digits, - and _, at most 10. It cannot be changed.")
        }
        error_messages = {
            "abreviatura": {"unique": gettext_lazy("Another supplier has this short name.")},
            "descuento_comercial": dict.fromkeys(
                ("max_value", "max_digits", "max_whole_digits"),
                gettext_lazy("Give a fraction from 0 to 1, such as 0.15 for 15 per cent."),
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["abreviatura"].disabled = self.instance.pk is not None

    def clean_abreviatura(self) -> str:
        """Accept small letters as well."""
        return self.cleaned_data["abreviatura"].strip().upper()


class ColumnField(forms.CharField):
    """A column, as letters in capitals or as a number."""

    default_validators = [column]

    def to_python(self, value: Any) -> str:
        """Return it without spaces, in capitals."""
        return (super().to_python(value) or "").strip().upper()


class ConfigForm(forms.ModelForm):
    """Where each field stands in a supplier's sheets."""

    use_required_attribute = False

    class Meta:
        model = ConfigImportacion
        fields = ["nombre_config", *COLUMNS, "instructivo"]
        field_classes = dict.fromkeys(COLUMNS, ColumnField)
        widgets = {
            **{name: forms.TextInput(attrs={"data-column": name, "autocomplete": "off"}) for name in COLUMNS},
            "instructivo": forms.Textarea(attrs={"rows": 3}),
        }
        labels = {"nombre_config": gettext_lazy("Name of the configuration"), **LABELS}

    def __init__(self, *args: Any, proveedor: Proveedor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.proveedor = self.instance.proveedor = proveedor

    def clean_nombre_config(self) -> str:
        """Keep names unique per supplier."""
        name = self.cleaned_data["nombre_config"]
        taken = ConfigImportacion.objects.filter(proveedor=self.proveedor, nombre_config=name)
        if taken.exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(_("This supplier already has a configuration of this name."), code="taken")
        return name

    def clean(self) -> dict[str, Any]:
        """Refuse one column for two of the required fields."""
        data = super().clean() or {}
        seen: dict[int, str] = {}
        for name in REQUIRED_COLUMNS:
            if letters := data.get(name):
                index = parsing.column_index(letters)
                if index in seen:
                    other = self.fields[seen[index]].label
                    self.add_error(name, _("It is the same column as “%(other)s”.") % {"other": other})
                seen.setdefault(index, name)
        return data

    def column_fields(self) -> list[forms.BoundField]:
        """Return the fields that name columns, required ones first."""
        return [self[name] for name in COLUMNS]


class NewConfigForm(ConfigForm):
    """A configuration made while the sheet is in view."""

    class Meta(ConfigForm.Meta):
        fields = ["nombre_config", *COLUMNS]


def offer_configs(form: forms.BaseForm, name: str, proveedor: Proveedor) -> None:
    """Let a field choose among the supplier's configurations."""
    field = cast(forms.ModelChoiceField, form.fields[name])
    field.queryset = proveedor.configuraciones.all()
    field.widget.attrs["data-config"] = ""


class PendingForm(forms.ModelForm):
    """How a pending file is to be read. Saving it makes a failed file wait again."""

    use_required_attribute = False

    class Meta:
        model = ArchivoPendiente
        fields = ["config_usada", "start_row"]
        help_texts = {
            "start_row": gettext_lazy("Rows at the top that are not articles; the row of titles is one of them.")
        }
        labels = {"config_usada": gettext_lazy("Configuration"), "start_row": gettext_lazy("Banner rows")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["start_row"].widget.attrs["data-start-row"] = ""
        offer_configs(self, "config_usada", self.instance.proveedor)

    def save(self, commit: bool = True) -> ArchivoPendiente:
        """Write it unless an import began in the meantime; the reason of an earlier failure no longer holds."""
        archivo = self.instance
        ArchivoPendiente.objects.filter(pk=archivo.pk, procesado=False, job_id=archivo.job_id).update(
            config_usada=self.cleaned_data["config_usada"],
            start_row=self.cleaned_data["start_row"],
            job_id=None,
            error="",
        )
        return archivo


class SheetForm(forms.Form):
    """One sheet of an upload: whether to import it, how many rows are a banner, with which configuration."""

    take = forms.BooleanField(label=gettext_lazy("Import this sheet"), required=False)
    start_row = forms.IntegerField(
        label=gettext_lazy("Banner rows"),
        min_value=0,
        help_text=gettext_lazy("Rows at the top that are not articles; the row of titles is one of them."),
    )
    config = forms.ModelChoiceField(
        ConfigImportacion.objects.none(),
        label=gettext_lazy("Configuration"),
        required=False,
        empty_label=gettext_lazy("New configuration…"),
    )
    use_required_attribute = False

    def __init__(self, sheet: SheetPreview, proveedor: Proveedor, place: int, data: Any = None, only: bool = False):
        self.sheet, self.suggestion = sheet, suggesting.suggest(sheet.rows)
        usual = likeliest(proveedor.configuraciones.order_by("-pk")[:200], self.suggestion.columns)
        initial = {
            "take": bool(sheet.total_rows) and (only or (not sheet.hidden and self.suggestion.is_whole)),
            "start_row": self.suggestion.start_row,
            "config": usual and usual.pk,
        }
        super().__init__(data, prefix=f"s{place}", initial=initial)
        offer_configs(self, "config", proveedor)
        self.fields["start_row"].widget.attrs["data-start-row"] = ""
        self.new = NewConfigForm(
            data,
            prefix=f"s{place}n",
            proveedor=proveedor,
            initial={"nombre_config": _("List"), **self.suggestion.columns},
        )

    def name_config_after_sheet(self) -> None:
        """Offer the sheet's name for a new configuration: the usual one is taken."""
        self.new.initial["nombre_config"] = self.sheet.name or self.new.initial["nombre_config"]

    @property
    def name(self) -> str:
        """The sheet's name for people; a CSV's only sheet has none."""
        return self.sheet.name or _("The file's only sheet")

    @property
    def makes_config(self) -> bool:
        """Whether the sheet is to be read with a new configuration."""
        return not self.errors.get("config") and self.cleaned_data.get("config") is None

    @property
    def is_taken(self) -> bool:
        """Whether the person wants this sheet."""
        return bool(self.sheet.total_rows and self["take"].value())

    def clean_start_row(self) -> int:
        """Leave at least one row to import."""
        rows: int = self.cleaned_data["start_row"]
        if self.is_taken and rows >= self.sheet.total_rows:
            raise forms.ValidationError(
                _("The sheet has only %(rows)s rows: nothing would be left.")
                % {"rows": intcomma(self.sheet.total_rows)}
            )
        return rows

    def is_valid(self) -> bool:
        """Check what matters: nothing of a sheet that stays out, a new configuration only if it is wanted."""
        if not self.is_taken:
            return True
        return super().is_valid() and (not self.makes_config or self.new.is_valid())

    def wrong(self) -> list[forms.BoundField]:
        """Return the fields with errors, in the order of the page."""
        if not self.is_bound or not self.is_taken:
            return []
        own = [self[name] for name in self.fields if self[name].errors]
        return own + ([field for field in self.new if field.errors] if self.makes_config else [])


def likeliest(newest_first: Iterable[ConfigImportacion], titled: Mapping[str, str]) -> ConfigImportacion | None:
    """Return the configuration that the titles of a sheet confirm best, or none if they contradict all of them.

    Of several like that, and where the titles do not name every required column, the newest.
    """
    if not all(name in titled for name in REQUIRED_COLUMNS):
        return next(iter(newest_first), None)
    confirmed = {
        config: {name for name in COLUMNS if column_of(config, name) == titled.get(name)} for config in newest_first
    }
    fitting = [config for config, names in confirmed.items() if names.issuperset(REQUIRED_COLUMNS)]
    return max(fitting, key=lambda config: len(confirmed[config]), default=None)


def column_of(config: ConfigImportacion, name: str) -> str | None:
    """Return a configuration's column as letters, also if it was given as a number; nothing if it has none."""
    column = getattr(config, name).strip()
    return parsing.column_letters(parsing.column_index(column)) if column else None


class SheetForms:
    """All sheets of an upload; they are queued all or none."""

    def __init__(self, proveedor: Proveedor, sheets: list[SheetPreview], data: Mapping[str, Any] | None = None) -> None:
        self.proveedor, self.is_bound = proveedor, data is not None
        self.left_out = max(0, len(sheets) - reader_process.MAX_SHEETS)
        shown = sheets[: reader_process.MAX_SHEETS]
        self.forms = [SheetForm(sheet, proveedor, n, data, len(shown) == 1) for n, sheet in enumerate(shown)]
        self.errors: list[str] = []
        self.offer_names()

    def offer_names(self) -> None:
        """Offer one name to sheets with the same columns, and other names to the others."""
        name = _("List")
        whole = [form for form in self.forms if form.suggestion.is_whole]
        is_taken = self.proveedor.configuraciones.filter(nombre_config=name).exists()
        for form in whole:
            if is_taken or form.suggestion.columns != whole[0].suggestion.columns:
                form.name_config_after_sheet()

    def is_valid(self) -> bool:
        """Check every chosen sheet, and the sheets against each other."""
        taken = self.taken()
        if not taken:
            self.errors = [_("Tick at least one sheet.")]
        # All of them are checked, so that every sheet shows its errors at once.
        wrong = [form for form in taken if not form.is_valid()]
        return bool(taken) and not wrong and self.names_agree()

    def taken(self) -> list[SheetForm]:
        """Return the sheets that are to be imported."""
        return [form for form in self.forms if form.is_taken]

    def names_agree(self) -> bool:
        """Let two sheets share a new configuration of one name only if they name the same columns."""
        first: dict[str, dict[str, Any]] = {}
        good = True
        for form in self.taken():
            if form.makes_config:
                wanted = form.new.cleaned_data
                if first.setdefault(wanted["nombre_config"], wanted) != wanted:
                    form.new.add_error("nombre_config", _("Another sheet uses this name with other columns."))
                    good = False
        return good

    def save(self, upload: Upload, user: Any) -> list[ArchivoPendiente]:
        """Queue the chosen sheets; a configuration made for them does not outlive a failure."""
        # Not one transaction: converting takes seconds, and SQLite would let nobody else write meanwhile.
        made = self.make_configs()
        choices = [
            Choice(
                form.sheet.name,
                form.cleaned_data["config"] or made[form.new.cleaned_data["nombre_config"]],
                form.cleaned_data["start_row"],
            )
            for form in self.taken()
        ]
        try:
            return uploading.queue_sheets(self.proveedor, upload, choices, user)
        except BaseException:
            ConfigImportacion.objects.filter(pk__in=[config.pk for config in made.values()]).delete()
            raise

    def make_configs(self) -> dict[str, ConfigImportacion]:
        """Write the new configurations, one per name."""
        wanted = {f.new.cleaned_data["nombre_config"]: f.new for f in self.taken() if f.makes_config}
        with transaction.atomic():
            return {name: new.save() for name, new in wanted.items()}

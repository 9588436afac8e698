"""The form for a schedule: what people type, checked field by field."""

from __future__ import annotations

import json
import re
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from faena.models import Schedule
from faena.models.schedule import Kind

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_PART = re.compile(r"(\d+(?:[.,]\d+)?)\s*([smhd]?)")


class Span(forms.CharField):
    """A length of time in seconds, typed as `90`, `2m`, `1h 30m` or `1d`."""

    def to_python(self, value: Any) -> Any:
        """The seconds, or None when nothing was typed."""
        text = (super().to_python(value) or "").strip().lower()
        if not text:
            return None
        if not re.fullmatch(rf"(?:{_PART.pattern}\s*)+", text):
            raise forms.ValidationError(_("Write a length of time such as 90, 2m, 1h 30m or 1d."))
        return sum(float(number.replace(",", ".")) * _UNITS[unit or "s"] for number, unit in _PART.findall(text))

    def prepare_value(self, value: Any) -> Any:
        """Seconds in their largest whole unit."""
        if not isinstance(value, int | float):
            return value
        for unit in ("d", "h", "m"):
            if value and value % _UNITS[unit] == 0:
                return f"{int(value // _UNITS[unit])}{unit}"
        return f"{value:g}"


class JSON(forms.CharField):
    """A JSON value of one type; empty means an empty one."""

    def __init__(self, wanted: type, help_text: Any, **options: Any) -> None:
        self.wanted = wanted
        widget = forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "class": "mono"})
        super().__init__(required=False, widget=widget, help_text=help_text, **options)

    def to_python(self, value: Any) -> Any:
        """The value."""
        text = (super().to_python(value) or "").strip()
        try:
            found = json.loads(text) if text else self.wanted()
        except ValueError as error:
            raise forms.ValidationError(_("This is not JSON: %(error)s") % {"error": error}) from None
        if not isinstance(found, self.wanted):
            raise forms.ValidationError(str(self.help_text))
        return found

    def prepare_value(self, value: Any) -> Any:
        """The value as text."""
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) if value else ""

    def validate(self, value: Any) -> None:
        """An empty list or object is as good as any."""


class ScheduleForm(forms.ModelForm):
    """A schedule of people; one of the code is changed in the code."""

    every = Span(required=False, label=gettext_lazy("Every"), help_text=gettext_lazy("Such as 90, 2m, 1h 30m or 1d."))
    expires = Span(
        required=False, label=gettext_lazy("Expires after"),
        help_text=gettext_lazy("A job that has not started by then is cancelled. Empty: never."),
    )  # fmt: skip
    jitter = Span(
        required=False,
        label=gettext_lazy("Jitter"),
        help_text=gettext_lazy("Each job starts up to so much later, by chance."),
    )
    args = JSON(list, gettext_lazy("A JSON list."), label=gettext_lazy("Arguments by place"))
    kwargs = JSON(dict, gettext_lazy("A JSON object."), label=gettext_lazy("Arguments by name"))

    class Meta:
        model = Schedule
        fields = (
            *("name", "task", "args", "kwargs", "queue", "priority", "kind", "every", "crontab", "at", "time_zone"),
            *("event", "latitude", "longitude", "overlap", "misfire", "expires", "jitter", "ends", "enabled"),
        )
        widgets = {
            "kind": forms.RadioSelect,
            "at": forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
            "ends": forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
            "task": forms.TextInput(attrs={"list": "known-tasks", "autocomplete": "off", "spellcheck": "false"}),
            "queue": forms.TextInput(attrs={"list": "known-queues", "autocomplete": "off"}),
            "time_zone": forms.TextInput(attrs={"list": "known-zones", "autocomplete": "off"}),
            "crontab": forms.TextInput(
                attrs={"placeholder": "0 8 * * mon-fri", "class": "mono", "spellcheck": "false"}
            ),
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        kind = self.fields["kind"]
        assert isinstance(kind, forms.ChoiceField)  # noqa: S101  for the type checker
        kind.choices = Kind.choices  # without the empty one
        for name, field in self.fields.items():
            if name in self.errors:
                field.widget.attrs |= {"aria-invalid": "true", "aria-describedby": f"error-{name}"}

    def clean_jitter(self) -> float:
        """Nothing typed is none."""
        return self.cleaned_data["jitter"] or 0


def zones() -> list[str]:
    """The names of time zones to choose from."""
    return sorted(name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/")))

"""Schedules in Django's admin: people's are edited here; of the code's, whether they are enabled."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from faena.errors import NotNow
from faena.ledger import schedules
from faena.ledger.records import Actor
from faena.models import Schedule
from faena.models.schedule import Source
from faena.phrasing import describe


class ScheduleForm(forms.ModelForm):
    """Arguments are JSON; everything else is as the model says."""

    args = forms.JSONField(label=_("arguments"), required=False, help_text=_("a JSON list"))
    kwargs = forms.JSONField(label=_("keyword arguments"), required=False, help_text=_("a JSON object"))

    class Meta:
        model = Schedule
        exclude: list[str] = []

    def clean_args(self) -> Any:
        """Nothing is no arguments."""
        return self.cleaned_data["args"] or []

    def clean_kwargs(self) -> Any:
        """Nothing is no arguments."""
        return self.cleaned_data["kwargs"] or {}


@admin.register(Schedule)
class ScheduleAdmin(admin.ModelAdmin):
    """When what runs. Each change is validated as it is saved: an unknown task, an impossible crontab."""

    form = ScheduleForm
    list_display = ["name", "when", "next_due", "enabled", "source", "task", "problem"]
    list_filter = ["enabled", "source", "kind"]
    search_fields = ["name", "task"]
    actions = ["enable", "disable", "run_now", "skip_next"]
    fieldsets = [
        (None, {"fields": ["name", "task", "args", "kwargs", "enabled"]}),
        (_("When"), {"fields": ["kind", "every", "crontab", "event", "latitude", "longitude", "at", "time_zone"]}),
        (None, {"fields": ["starts", "ends", "jitter"]}),
        (_("Policies"), {"fields": ["overlap", "misfire", "catch_up"]}),
        (_("Delivery"), {"fields": ["queue", "priority", "expires"]}),
    ]

    @admin.display(description=_("when"))
    def when(self, schedule: Schedule) -> str:
        """The timing in words."""
        return describe(schedule)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """What the code says is changed in the code."""
        if obj is None or obj.source == Source.PEOPLE:
            return []
        return [each.name for each in Schedule._meta.fields if each.editable and each.name not in {"id", "enabled"}]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Through the ledger, which knows the next time."""
        if obj.source == Source.CODE:
            schedules.set_enabled(obj.pk, obj.enabled, _actor(request))
        else:
            schedules.save(obj, _actor(request))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What the code says is deleted in the code."""
        deletable = obj is None or obj.source == Source.PEOPLE or obj.removed is not None
        return deletable and super().has_delete_permission(request, obj)

    @admin.action(description=_("Enable"), permissions=["change"])
    def enable(self, request: HttpRequest, chosen: QuerySet[Schedule]) -> None:
        """Let them fire."""
        self._each(request, chosen, lambda each: schedules.set_enabled(each.pk, True, _actor(request)))

    @admin.action(description=_("Disable"), permissions=["change"])
    def disable(self, request: HttpRequest, chosen: QuerySet[Schedule]) -> None:
        """Let them fire no more."""
        self._each(request, chosen, lambda each: schedules.set_enabled(each.pk, False, _actor(request)))

    @admin.action(description=_("Run now"), permissions=["change"])
    def run_now(self, request: HttpRequest, chosen: QuerySet[Schedule]) -> None:
        """Fire once, now."""
        self._each(request, chosen, lambda each: schedules.run_now(each.pk, _actor(request)))

    @admin.action(description=_("Skip the next time"), permissions=["change"])
    def skip_next(self, request: HttpRequest, chosen: QuerySet[Schedule]) -> None:
        """Leave the next occurrence out."""
        self._each(request, chosen, lambda each: schedules.skip(each.pk, by=_actor(request)))

    def _each(self, request: HttpRequest, chosen: QuerySet[Schedule], act: Any) -> None:
        done = 0
        for schedule in chosen:
            try:
                act(schedule)
                done += 1
            except NotNow as refused:
                self.message_user(request, str(refused), messages.WARNING)
        said = ngettext("%(count)d schedule: done.", "%(count)d schedules: done.", done) % {"count": done}
        self.message_user(request, said)


def _actor(request: HttpRequest) -> Actor:
    return Actor(request.user.get_username(), request.META.get("REMOTE_ADDR"))

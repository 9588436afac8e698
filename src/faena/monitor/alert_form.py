"""The form for an alert rule. Addresses of hooks, and keys, are secrets: not shown again, kept unless replaced."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.utils.translation import gettext_lazy as _

from faena.masking import MASK
from faena.models import AlertRule
from faena.models.alert_rule import Channel


class AlertForm(forms.ModelForm):
    """A new rule, or one that is changed."""

    target = forms.CharField(
        label=_("Address"), max_length=500, help_text=_("Mail addresses with commas, or the hook's http(s) address.")
    )
    secret = forms.CharField(
        label=_("Signing key"),
        max_length=200,
        required=False,
        help_text=_("A webhook's requests are signed with it (HMAC-SHA256)."),
    )

    class Meta:
        model = AlertRule
        fields = ("name", "condition", "threshold", "minutes", "queue", "channel", "target", "secret", "enabled")
        widgets = {
            "queue": forms.TextInput(attrs={"list": "known-queues", "autocomplete": "off"}),
            "threshold": forms.NumberInput(attrs={"step": "any", "min": "0"}),
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.kept = {"target": self.instance.target, "secret": self.instance.secret}
        if self.instance.pk:
            self.initial["target"] = shown_target(self.instance)
            self.initial["secret"] = MASK if self.instance.secret else ""

    def clean_target(self) -> str:
        """What was left as it was shown stays as it is."""
        typed = self.cleaned_data["target"].strip()
        return self.kept["target"] if self.instance.pk and typed == self.initial["target"] else typed

    def clean_secret(self) -> str:
        """Likewise."""
        typed = self.cleaned_data["secret"]
        return self.kept["secret"] if typed == MASK else typed


def shown_target(rule: AlertRule) -> str:
    """The address as people may see it: of a hook only the host, as who knows the rest can write to it."""
    if rule.channel == Channel.MAIL:
        return rule.target
    parts = urlsplit(rule.target)
    has_more = len(parts.path) > 1 or parts.query or parts.username
    return f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}{f'/{MASK}' if has_more else '/'}"

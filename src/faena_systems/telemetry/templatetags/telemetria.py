"""Words of the telemetry's pages: `{% load telemetria %}`."""

from django import template

from ..views import wording

register = template.Library()
for _name in ("number", "hours", "percent", "signed", "signed_percent", "day"):
    register.filter(_name, getattr(wording, _name))
register.filter("length_of", wording.length)

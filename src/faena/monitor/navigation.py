"""The navigation: the monitor's own pages, then what each installed system announces in its AppConfig."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.apps import apps
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

#: (label, URL name, icon); a system sets `faena_navigation` to a list of the same.
OWN = [(_("Jobs"), "monitor:jobs", "list-check"), (_("Failures"), "monitor:failures", "alert-triangle")]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the navigation."""

    label: str | Promise
    url: str
    icon: str
    is_current: bool


def entries(path: str) -> list[Entry]:
    """Every entry whose page exists; the one that `path` lies under is current."""
    return [Entry(label, url, icon, _is_under(path, url)) for label, url, icon in _resolved()]


def _resolved() -> Iterator[tuple[str | Promise, str, str]]:
    announced = [entry for config in apps.get_app_configs() for entry in getattr(config, "faena_navigation", [])]
    for label, name, icon in [*OWN, *announced]:
        try:
            yield label, reverse(name), icon
        except NoReverseMatch:
            continue  # installed, but its pages are not mounted in this project


def _is_under(path: str, url: str) -> bool:
    if url == reverse("monitor:jobs"):
        return path == url or path.startswith(f"{url}jobs/")
    return path.startswith(url)

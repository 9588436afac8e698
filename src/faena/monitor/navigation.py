"""The navigation: the monitor's own pages, then what each installed system announces in its AppConfig."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.apps import apps
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

#: (label, URL name, icon); a system sets `faena_navigation` to a list of the same, which stands between these two.
OWN = [
    (_("Overview"), "monitor:overview", "activity"),
    (_("Jobs"), "monitor:jobs", "list-check"),
    (_("Failures"), "monitor:failures", "alert-triangle"),
    (_("Queues"), "monitor:queues", "stack-2"),
    (_("Workers"), "monitor:workers", "server"),
    (_("Schedules"), "monitor:schedules", "calendar-repeat"),
]
LAST = [
    (_("Alerts"), "monitor:alerts", "bell"),
    (_("Audit"), "monitor:audit", "history"),
    (_("Settings"), "monitor:settings", "settings"),
]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the navigation."""

    label: str | Promise
    url: str
    icon: str
    is_current: bool
    #: Whether something new begins here: the systems, or what is about the installation.
    begins: bool = False


def entries(path: str) -> list[Entry]:
    """Every entry whose page exists; the one that `path` lies under is current."""
    announced = [entry for config in apps.get_app_configs() for entry in getattr(config, "faena_navigation", [])]
    groups = [list(_resolved(each)) for each in (OWN, announced, LAST)]
    return [
        Entry(label, url, icon, _is_under(path, url), begins=n == 0 and group is not groups[0])
        for group in groups
        for n, (label, url, icon) in enumerate(group)
    ]


def _resolved(group: Iterable[tuple[str | Promise, str, str]]) -> Iterator[tuple[str | Promise, str, str]]:
    for label, name, icon in group:
        try:
            yield label, reverse(name), icon
        except NoReverseMatch:
            continue  # installed, but its pages are not mounted in this project


def _is_under(path: str, url: str) -> bool:
    return path == url if url == reverse("monitor:overview") else path.startswith(url)

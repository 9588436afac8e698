"""What people did, in the reader's language; the audit keeps it in English."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

#: Every action that is audited.
ACTIONS = (
    *(gettext_noop("pause"), gettext_noop("resume"), gettext_noop("cancel"), gettext_noop("retry")),
    *(gettext_noop("discard"), gettext_noop("retry with arguments"), gettext_noop("create")),
    *(gettext_noop("pause many"), gettext_noop("resume many"), gettext_noop("cancel many")),
    *(gettext_noop("retry many"), gettext_noop("discard many")),
    *(gettext_noop("pause queue"), gettext_noop("resume queue")),
    *(gettext_noop("save schedule"), gettext_noop("enable schedule"), gettext_noop("disable schedule")),
    *(gettext_noop("run schedule"), gettext_noop("skip occurrence"), gettext_noop("unskip occurrence")),
    *(gettext_noop("grow worker"), gettext_noop("shrink worker"), gettext_noop("quiet worker")),
    *(gettext_noop("listen worker"), gettext_noop("restart worker"), gettext_noop("stop worker")),
    *(gettext_noop("save alert rule"), gettext_noop("delete alert rule"), gettext_noop("test alert rule")),
)


def said(action: str) -> str:
    """The action as people say it."""
    return _(action) if action in ACTIONS else action

"""Rows: fields and properties only, one noun per file."""

from faena.models.alert_rule import AlertRule
from faena.models.api_token import ApiToken
from faena.models.audit import AuditEntry
from faena.models.finished_count import FinishedCount
from faena.models.incident import Incident
from faena.models.item import JobItem
from faena.models.job import Job
from faena.models.keyed_answer import KeyedAnswer
from faena.models.lease import Lease
from faena.models.log import JobLog
from faena.models.minute import Minute
from faena.models.occurrence import Occurrence
from faena.models.permit import Permit
from faena.models.queue import Queue
from faena.models.saved_view import SavedView
from faena.models.schedule import Schedule
from faena.models.sign_in_link import SignInLink
from faena.models.snapshot import Snapshot
from faena.models.tally import Tally
from faena.models.worker import Worker

__all__ = [
    "AlertRule",
    "ApiToken",
    "AuditEntry",
    "FinishedCount",
    "Incident",
    "Job",
    "JobItem",
    "JobLog",
    "KeyedAnswer",
    "Lease",
    "Minute",
    "Occurrence",
    "Permit",
    "Queue",
    "SavedView",
    "Schedule",
    "SignInLink",
    "Snapshot",
    "Tally",
    "Worker",
]

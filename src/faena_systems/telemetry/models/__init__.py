"""One noun per file; fields and properties only, the verbs live next to this package."""

from .channel import Channel
from .merged_telemetric_ott import MergedTelemetricOTT
from .panaccess_session import PanaccessSession
from .telemetry_record_entry import TelemetryRecordEntry
from .watermark import Watermark

__all__ = ["Channel", "MergedTelemetricOTT", "PanaccessSession", "TelemetryRecordEntry", "Watermark"]

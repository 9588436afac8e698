"""One noun per file; fields and properties only, the verbs live next to this package."""

from .channel import Channel
from .channel_rollup import ChannelRollup
from .hour_rollup import HourRollup
from .merged_telemetric_ott import MergedTelemetricOTT
from .panaccess_session import PanaccessSession
from .subscriber_rollup import SubscriberRollup
from .telemetry_record_entry import TelemetryRecordEntry
from .watermark import Watermark

__all__ = [
    "Channel",
    "ChannelRollup",
    "HourRollup",
    "MergedTelemetricOTT",
    "PanaccessSession",
    "SubscriberRollup",
    "TelemetryRecordEntry",
    "Watermark",
]

"""The tables that people look into by hand. Records are PanAccess's: here they are only read."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from .models import Channel, MergedTelemetricOTT, TelemetryRecordEntry, Watermark


class ReadOnly(admin.ModelAdmin):
    """A table of millions of rows that others write: no second count, no editing."""

    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse."""
        return False


@admin.register(TelemetryRecordEntry)
class TelemetryRecordEntryAdmin(ReadOnly):
    """Records as they came; searched by id."""

    list_display = ["recordId", "actionId", "timestamp", "dataId", "dataName", "dataDuration", "subscriberCode"]
    search_fields = ["=recordId"]
    ordering = ["-recordId"]


@admin.register(MergedTelemetricOTT)
class MergedTelemetricOTTAdmin(ReadOnly):
    """Finished views; searched by id."""

    list_display = ["recordId", "dataDate", "timeDate", "dataId", "dataName", "dataDuration", "subscriberCode"]
    search_fields = ["=recordId"]
    ordering = ["-recordId"]


@admin.register(Channel)
class ChannelAdmin(ReadOnly):
    """Channels and their newest names."""

    list_display = ["dataId", "dataName", "recordId"]
    search_fields = ["=dataId", "dataName"]


@admin.register(Watermark)
class WatermarkAdmin(ReadOnly):
    """How far the verbs have come."""

    list_display = ["of", "recordId", "moved"]

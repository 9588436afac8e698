"""A telemetry record's columns, named as PanAccess sends them, misspellings included."""

from __future__ import annotations

from typing import Any

from django.db import models


class RecordId(models.BigIntegerField):
    """A 64-bit key that somebody else gives out."""

    def db_type(self, connection: Any) -> str:
        """SQLite keeps a table in the order of its key, with no second index, only if the type is said just so."""
        return "integer" if connection.vendor == "sqlite" else "bigint"


def number() -> models.BigIntegerField:
    """Return a column for a whole number that may be missing."""
    return models.BigIntegerField(null=True, blank=True)


def text() -> models.TextField:
    """Return a column for a text as it was sent; nothing and an empty text are two things to PanAccess."""
    return models.TextField(null=True, blank=True)


class Record(models.Model):
    """What one record holds. ``dataDate`` and ``timeDate`` are derived here, all else is as sent.

    ``timestamp`` is the service's wall clock, ``YYYY-MM-DD HH:MM:SS`` in a zone that it does not tell, so it stays
    text; where it is missing or no time, ``dataDate`` and ``timeDate`` (the hour, 0–23) are null.
    """

    recordId = RecordId(primary_key=True)
    actionId = number()
    actionKey = text()
    anonymized = models.BooleanField(null=True, blank=True)
    data = text()
    dataDuration = number()
    dataId = number()
    dataName = text()
    dataNetId = number()
    dataPrice = number()
    dataSeviceId = number()
    dataTsId = number()
    date = number()
    deviceId = number()
    ip = text()
    ipId = number()
    manual = models.BooleanField(null=True, blank=True)
    profileId = number()
    reaonId = number()
    reasonKey = text()
    smartcardId = text()
    subscriberCode = text()
    timestamp = text()
    whoisCountry = text()
    whoisIsp = text()
    dataDate = models.DateField(null=True, blank=True)
    timeDate = models.SmallIntegerField(null=True, blank=True)

    class Meta:
        abstract = True
        ordering = ["recordId"]

    def __str__(self) -> str:
        return f"{self.recordId} · {self.actionId} · {self.dataName or self.dataId or '–'}"

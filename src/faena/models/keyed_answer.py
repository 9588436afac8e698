"""What the API answered to a request with an idempotency key."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class KeyedAnswer(models.Model):
    """Written in the transaction of the request itself: either both happened, once, or neither did."""

    owner = models.CharField(max_length=160)
    key = models.CharField(max_length=255)
    #: Of method, address and body: the same key must not mean something else.
    digest = models.CharField(max_length=64)
    status = models.SmallIntegerField(default=0)
    body = models.TextField(blank=True, default="")
    created = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("answer to a request with a key")
        verbose_name_plural = _("answers to requests with a key")
        indexes = [models.Index(fields=["created"], name="faena_answer_by_age")]
        constraints = [models.UniqueConstraint(fields=["owner", "key"], name="faena_answer_once_per_key")]

    def __str__(self) -> str:
        return self.key

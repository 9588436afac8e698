"""A schedule: which task is enqueued, when, and what becomes of times that were missed or come too early."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from faena import registry, timing
from faena.models.fields import JSONText
from faena.timing import BadTiming, Crontab, Interval, Once, Solar, Timing, Within


class Kind(models.TextChoices):
    """How the times are told."""

    INTERVAL = "interval", _("interval")
    CRONTAB = "crontab", _("crontab")
    SOLAR = "solar", _("sun")
    ONCE = "once", _("once")


class Overlap(models.TextChoices):
    """What to do with an occurrence that comes while the one before is not over."""

    SKIP = "skip", _("skip it")
    QUEUE = "queue", _("let one wait")
    ALLOW = "allow", _("run both")


class Misfire(models.TextChoices):
    """What to do about occurrences that were missed while nothing ran."""

    SKIP = "skip", _("skip them")
    ONCE = "once", _("run the last one")
    ALL = "all", _("run them all")


class Source(models.TextChoices):
    """Who decides what the schedule says."""

    PEOPLE = "people", _("people")
    CODE = "code", _("code")


def default_zone() -> str:
    """The project's own time zone."""
    return settings.TIME_ZONE


def this_second() -> datetime:
    """Now, without its fraction: intervals are then due at whole seconds."""
    return timezone.now().replace(microsecond=0)


class Schedule(models.Model):
    """Fields and properties only; `ledger/schedules.py` writes them and fires what is due."""

    name = models.CharField(_("name"), max_length=255, unique=True)
    source = models.CharField(_("source"), max_length=10, choices=Source, default=Source.PEOPLE, editable=False)

    task = models.CharField(_("task"), max_length=255)
    args = JSONText(_("arguments"), default=list, blank=True)
    kwargs = JSONText(_("keyword arguments"), default=dict, blank=True)
    queue = models.CharField(_("queue"), max_length=255, blank=True, default="")
    priority = models.SmallIntegerField(_("priority"), null=True, blank=True, help_text=_("0 to 9, 9 first"))
    expires = models.FloatField(
        _("expires after"),
        null=True,
        blank=True,
        help_text=_("seconds; a job that has not started by then is cancelled"),
    )
    #: What else `apply_async` takes, as the code says it.
    options = JSONText(default=dict, blank=True, editable=False)

    kind = models.CharField(_("timing"), max_length=10, choices=Kind)
    every = models.FloatField(_("every"), null=True, blank=True, help_text=_("seconds, for an interval"))
    crontab = models.CharField(
        _("crontab"), max_length=255, blank=True, default="",
        help_text=_("minute hour day-of-month month day-of-week, such as 0 8 * * mon-fri"),
    )  # fmt: skip
    event = models.CharField(
        _("event of the sun"),
        max_length=20,
        blank=True,
        default="",
        choices=[(name, name) for name in timing.SOLAR_EVENTS],
    )
    latitude = models.FloatField(_("latitude"), null=True, blank=True)
    longitude = models.FloatField(_("longitude"), null=True, blank=True)
    at = models.DateTimeField(_("at"), null=True, blank=True, help_text=_("the one time of a schedule that is once"))
    time_zone = models.CharField(
        _("time zone"), max_length=64, default=default_zone, help_text=_("such as America/Santiago")
    )
    starts = models.DateTimeField(
        _("starts"), default=this_second, help_text=_("not before this; intervals are counted from here")
    )
    ends = models.DateTimeField(_("ends"), null=True, blank=True, help_text=_("not after this"))

    overlap = models.CharField(_("while the one before runs"), max_length=10, choices=Overlap, default=Overlap.SKIP)
    misfire = models.CharField(_("when some were missed"), max_length=10, choices=Misfire, default=Misfire.ONCE)
    catch_up = models.PositiveSmallIntegerField(
        _("catch up at most"), default=10, help_text=_("how many missed ones are run, where all are")
    )
    jitter = models.FloatField(
        _("jitter"), default=0, help_text=_("seconds; each job starts up to so much later, by chance")
    )

    enabled = models.BooleanField(_("enabled"), default=True)
    #: Since when the code has no such entry any more; NULL while it has, and for schedules of people.
    removed = models.DateTimeField(_("removed"), null=True, blank=True, editable=False)
    #: Why it cannot fire: a task that does not exist, a timing that makes no sense.
    problem = models.TextField(_("problem"), blank=True, default="", editable=False)
    #: NULL: never again, or not while it is disabled, removed or has a problem.
    next_due = models.DateTimeField(_("next"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("schedule")
        verbose_name_plural = _("schedules")
        ordering = ["name"]
        indexes = [models.Index(fields=["next_due"], name="faena_schedule_due", condition=Q(next_due__isnull=False))]
        constraints = [
            models.CheckConstraint(
                name="faena_schedule_due_if_live",
                condition=Q(next_due__isnull=True) | Q(enabled=True, removed__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def timing(self) -> Within:
        """When it is due.

        Raises:
            BadTiming: the fields do not make a timing.
        """
        return Within(self._timing(), self.starts, self.ends)

    def _timing(self) -> Timing:
        zone = self.zone
        match self.kind:
            case Kind.INTERVAL if self.every is not None:
                return Interval(timedelta(seconds=self.every), self.starts)
            case Kind.CRONTAB:
                return Crontab.parse(self.crontab, zone)
            case Kind.SOLAR if self.latitude is not None and self.longitude is not None:
                return Solar(self.event, self.latitude, self.longitude)
            case Kind.ONCE if self.at is not None:
                return Once(self.at)
        missing = {Kind.INTERVAL: "every", Kind.SOLAR: "latitude", Kind.ONCE: "at"}
        raise BadTiming(missing.get(self.kind, "kind"), gettext("This timing needs a value here."))  # type: ignore[call-overload]

    @property
    def zone(self) -> ZoneInfo:
        """Its time zone.

        Raises:
            BadTiming: there is no such time zone.
        """
        try:
            return ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise BadTiming("time_zone", gettext("There is no time zone of this name.")) from None

    def clean(self) -> None:
        """Refuse what could never fire.

        Raises:
            ValidationError: by field: an impossible timing, a task that is unknown or Faena's own, arguments that the
                task does not take.
        """
        # What is wrong with the code's own is found, and kept as their problem, when the code is read.
        problems = {} if self.source == Source.CODE else self._refuse_own() or self.find_problems()
        if problems:
            raise ValidationError({field: [text] for field, text in problems.items()})

    def find_problems(self) -> dict[str, str]:
        """Why it can never fire, by field; empty when it can."""
        problems = _out_of_bounds(self)
        try:
            self.timing.next_after(self.starts)
        except BadTiming as bad:
            own = {each.name for each in self._meta.get_fields()}
            problems[bad.field if bad.field in own else "crontab"] = str(bad)
        return problems | registry.tasks.find_problems(self.task, self.args, self.kwargs)

    def _refuse_own(self) -> dict[str, str]:
        own = gettext("%(field)s is a task of Faena itself: nobody else calls it.") % {"field": self.task}
        return {"task": own} if registry.is_own(self.task) else {}


def _out_of_bounds(schedule: Schedule) -> dict[str, str]:
    """Numbers that make no sense, by field."""
    wrong: dict[str, str] = {}
    if schedule.priority is not None and not 0 <= schedule.priority <= 9:
        wrong["priority"] = gettext("A priority goes from 0 to 9.")
    if schedule.expires is not None and schedule.expires <= 0:
        wrong["expires"] = gettext("This is more than 0 seconds, or empty.")
    if schedule.jitter < 0:
        wrong["jitter"] = gettext("This is 0 seconds or more.")
    if not 1 <= schedule.catch_up <= 100:
        wrong["catch_up"] = gettext("This goes from 1 to 100.")
    return wrong

"""How messages come in: what is reserved, what is delivered next, and when to look again."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

import redis
from kombu.utils.eventio import ERR, READ

from faena.transports._redis_link import FAILURES, Bell, Doorbell, Link

if TYPE_CHECKING:
    from faena.transports._redis_channel import Channel
    from faena.transports.redis import Transport

PUMP_FOR = 0.01
#: Look unasked: a lost ring or a half-open connection costs no more than this.
LOOK_EVERY = 5.0
WITHOUT_DOORBELL = 0.2
RETRY_AFTER = 1.0
#: With messages still in hand, wait this long for more room than one: reserving by ones is slow.
GATHER_FOR = 0.002

logger = logging.getLogger(__name__)


class Feed:
    """What one kombu connection consumes, for all its channels."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.bell = Bell()
        self._link: Link | None = None
        self._doorbell: Doorbell | None = None
        self._no_tracking = False
        self._ready: deque[tuple[Channel, str, Any]] = deque()
        self._retry_at = 0.0
        self._failing = False
        self._suspect = False
        self._looked = 0.0
        self._thread = threading.get_ident()
        self._watching: set[int] = set()

    # -- what others tell us

    def look(self, wake: bool = True) -> None:
        """Look for messages at the next opportunity."""
        for channel in self._transport.channels:
            channel.look, channel.hurry = True, True
        if wake:
            self._wake()

    def room_made(self, channel: Channel) -> None:
        """An acknowledgement has made room in a channel that was full."""
        channel.full = False
        self._wake()

    def suspect(self) -> None:
        """Another connection to Redis has failed: ours may be dead without our knowing."""
        self._suspect = True
        self.bell.ring()

    def forget(self, channel: Channel, queue: str) -> list[Any]:
        """Drop what is reserved and not delivered of a queue; return the tags."""
        gone = [entry for entry in self._ready if entry[0] is channel and entry[1] == queue]
        for entry in gone:
            self._ready.remove(entry)
        return [entry[2]["properties"]["delivery_tag"] for entry in gone]

    # -- descriptors

    @property
    def fds(self) -> dict[int, Any]:
        """The descriptors to watch; none once all is closed, which the event loop asks for long after."""
        bells: list[Bell | Doorbell] = [self.bell, self._doorbell] if self._doorbell else [self.bell]
        return {fd: self for bell in bells if (fd := bell.fileno()) >= 0}

    def watch(self) -> None:
        """Have the poller watch them (an event loop does so by itself)."""
        for fd in self.fds.keys() - self._watching:
            self._transport.poller.poller.register(fd, READ | ERR)
            self._watching.add(fd)

    def unwatch(self) -> None:
        """Undo `watch`."""
        for fd in self._watching:
            self._transport.poller._unregister_from_poll(fd)
        self._watching.clear()

    def answer(self, fd: int) -> bool:
        """Take the rings if this descriptor is ours; return whether it is."""
        if fd == self.bell.fileno():
            self.bell.answer()
            return True
        if self._doorbell and fd == self._doorbell.fileno():
            try:
                self._doorbell.answer()
                self.look(wake=False)
            except FAILURES as error:
                self.lost(error)
            return True
        return False

    # -- consuming

    def pump(self) -> None:
        """Deliver messages for a moment, in the turn of an event loop."""
        until = time.monotonic() + PUMP_FOR
        while self._ready or self.fill():
            # Before the loop waits: Celery acknowledges in the loop's next turn, which makes room for more.
            self.bell.ring()
            while self.deliver():
                if time.monotonic() > until:
                    return

    def deliver(self) -> bool:
        """Hand the next reserved message to its callback; return whether there was one."""
        if not self._ready:
            return False
        _channel, queue, payload = self._ready.popleft()
        self._transport._deliver(payload, queue)
        return True

    def fill(self) -> bool:
        """Reserve what there is room for; return whether anything came."""
        now = time.monotonic()
        if self._suspect:
            self._suspect = False
            self.lost(redis.ConnectionError("the heartbeat's connection failed"))
        if self._ready or now < self._retry_at:
            return False
        if now - self._looked > (WITHOUT_DOORBELL if self._no_tracking else LOOK_EVERY):
            self.look(wake=False)
            if self._no_tracking:
                self._transport.wake_in(WITHOUT_DOORBELL)
        came = [self._fill_from(channel, now) for channel in list(self._transport.channels)]
        return any(came)

    def patience(self) -> float:
        """Return how many seconds to wait at most for something to happen."""
        waiting = any(channel.look and channel.active_queues for channel in self._transport.channels)
        if waiting and self._retry_at < time.monotonic():
            return GATHER_FOR if any(channel.gathering for channel in self._transport.channels) else 0.1
        return WITHOUT_DOORBELL if self._no_tracking else 1.0

    def lost(self, error: BaseException) -> None:
        """Give all connections up, and try again in a moment: Celery need not restart its consumer."""
        log = logger.debug if self._failing else logger.warning
        log("Redis does not answer, trying again every %g s: %s", RETRY_AFTER, error)
        self._failing = True
        self._retry_at = time.monotonic() + RETRY_AFTER
        self._hang_up()
        for channel in self._transport.channels:
            channel.drop_connections()
        self.look(wake=False)

    def close(self) -> None:
        """Give everything up for good."""
        self._hang_up()
        self.unwatch()
        self.bell.close()
        self._ready.clear()

    def _fill_from(self, channel: Channel, now: float) -> bool:
        if not (channel.look and channel.active_queues):
            return False
        channel.full = True  # before counting: an acknowledgement on another thread must not go unnoticed
        room = channel.qos.room()
        if not room or self._gathers(channel, room, now):
            return False
        channel.full = False
        try:
            return self._reserve(channel, room)
        except FAILURES as error:
            self.lost(error)
            return False

    def _reserve(self, channel: Channel, room: int) -> bool:
        link = self._connect(channel)
        self._looked = time.monotonic()
        channel.look, channel.hurry = False, False
        taken = channel.reserve(link, room)
        if self._failing:
            self._failing = False
            logger.warning("Redis answers again, consuming goes on")
        if len(taken) >= room:
            channel.look = True
        self._ready.extend((channel, queue, payload) for queue, payload in taken if payload)
        return bool(taken)

    def _gathers(self, channel: Channel, room: int, now: float) -> bool:
        """Whether to wait a moment for more room than this."""
        if channel.hurry or room * 2 >= channel.qos.prefetch_count:
            channel.gathering = 0.0
        elif not channel.gathering:
            channel.gathering = now + GATHER_FOR
            self._transport.wake_in(GATHER_FOR)
        elif now >= channel.gathering:
            channel.gathering = 0.0
        return bool(channel.gathering)

    def _connect(self, channel: Channel) -> Link:
        self._thread = threading.get_ident()
        if self._link is None:
            self._link = Link(channel.pool)
        if not self._link.is_open and self._doorbell:
            self._hang_up()
        if self._doorbell is None and not self._no_tracking:
            try:
                self._doorbell = Doorbell(self._link)
            except redis.ResponseError as refusal:  # a proxy or an access list that knows no CLIENT TRACKING
                self._no_tracking = True
                logger.warning("Without CLIENT TRACKING, looking every %g s: %s", WITHOUT_DOORBELL, refusal)
        return self._link

    def _hang_up(self) -> None:
        if self._doorbell:
            fd = self._doorbell.fileno()
            if fd >= 0:
                self._transport.stop_watching(fd)
            self._watching.discard(fd)
            self._doorbell.close()
            self._doorbell = None
        if self._link:
            self._link.close()

    def _wake(self) -> None:
        if threading.get_ident() != self._thread:
            self.bell.ring()

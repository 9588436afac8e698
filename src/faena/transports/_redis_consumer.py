"""A consumer as other consumers see it: alive, holding messages, or gone."""

from __future__ import annotations

import atexit
import os
import uuid
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from itertools import count, islice
from typing import Any

from faena.liveness import Identity, is_alive, whoami
from faena.transports._redis_keys import Keys
from faena.transports._redis_link import FAILURES, Link
from faena.transports._redis_pulse import Pulse
from faena.transports._redis_scripts import BEAT, GIVE_BACK, INVISIBLE, PUT_ASIDE, RESERVE, RETIRE, SETTLE

#: Seconds a consumer counts as alive after a heartbeat, which comes every `_redis_pulse.BEAT_EVERY` seconds.
LEASE = 7.5
AT_ONCE = 100
#: Each reservation numbers its tags down from a number of its own; more than anybody reserves at once.
TAGS_APART = 1000

#: Turns an entry of ``unacked`` into (list, payload) to put it back: entry, queue, whether to mark it.
Unpack = Callable[[bytes, str, bool], tuple[str, str | bytes]]


class Consumer:
    """One kombu connection that consumes: it reserves, acknowledges, beats, and clears up after the dead."""

    def __init__(self, keys: Keys, pool: Any, unpack: Unpack) -> None:
        self.id = uuid.uuid4().hex
        self.keys = keys
        self.unpack = unpack
        self.link = Link(pool)
        #: Called, by the pulse's thread, when Redis had forgotten us, when it fails, and after each beat.
        self.on_forgotten: Callable[[], None] = _nothing
        self.on_beat: Callable[[], None] = _nothing
        self.on_failure: Callable[[], None] = _nothing
        self._acks: deque[str] = deque()
        self._tag_blocks = count(TAGS_APART, TAGS_APART)
        self._pid = os.getpid()
        self._pulse: Pulse | None = None
        self._registered = False
        _consumers.add(self)

    @property
    def is_alien(self) -> bool:
        """Whether this consumer belongs to the process we were forked from."""
        return self._pid != os.getpid()

    # -- messages

    def reserve(self, link: Link, lists: Sequence[str], queues: Sequence[str], keep: str, room: int) -> list[Any]:
        """Take up to `room` messages over `link`; returns [number of the queue, tag, payload]..., flat.

        `lists` are the queues' lists, one priority step after the other; `keep` has a 1 for each queue
        whose messages will be acknowledged. Pending acknowledgements travel with it.
        """
        self.start()
        acks = self._take_acks()
        keys = [*self.keys.settling(self.id), self.keys.consumers, *lists]
        arguments = [self.id, LEASE, room, next(self._tag_blocks), len(queues), keep, *queues]
        try:
            taken = link.script(RESERVE, keys, [*arguments, *acks])
        except BaseException:
            self._acks.extendleft(reversed(acks))
            raise
        if taken is None:  # Redis lost its data, or others took us for dead
            self._beat_for(self.id, whoami())
            self.on_forgotten()
            taken = link.script(RESERVE, keys, arguments)
        return taken or []

    def ack(self, tag: str) -> None:
        """Forget a reserved message soon: acknowledgements are sent in batches, within a few milliseconds."""
        if not self.is_alien:
            self._acks.append(tag)
            if self._pulse:
                self._pulse.hurry()

    def put_aside(self, tag: str, payload: bytes) -> None:
        """Keep what is no message where somebody may look at it, and deliver it to nobody."""
        self.link.script(PUT_ASIDE, [*self.keys.settling(self.id), self.keys.unreadable], [tag, payload])

    def flush(self) -> None:
        """Send the pending acknowledgements now; they stay pending if that fails."""
        while acks := self._take_acks():
            try:
                self.link.script(SETTLE, self.keys.settling(self.id), acks)
            except BaseException:
                self._acks.extendleft(reversed(acks))
                raise

    def give_back(
        self,
        tags: Iterable[str] | None = None,
        holder: str | None = None,
        *,
        mark: bool = True,
        last: bool = False,
        overdue: bool = False,
    ) -> int:
        """Put messages that `holder` (we ourselves) holds back into their queues; return how many.

        Args:
            tags: which; all by default.
            holder: the consumer that has them.
            mark: say in them that they were delivered before.
            last: put them behind the others in the queue, not before.
            overdue: only if the holder has not beaten in time.
        """
        if self.is_alien:
            return 0
        consumer = holder or self.id
        held = self._held(consumer)
        wanted = list(held) if tags is None else [tag for tag in tags if tag in held]
        given = 0
        while chunk := wanted[-AT_ONCE:]:  # from behind: the first message comes to lie first again
            del wanted[-AT_ONCE:]
            given += self._give(consumer, {tag: held[tag] for tag in reversed(chunk)}, mark, last, overdue)
        return given

    def close(self) -> None:
        """Acknowledge what is pending, give everything else back, and be gone."""
        _consumers.discard(self)
        pulse, self._pulse = self._pulse, None
        if pulse is None or self.is_alien:
            return
        pulse.stop()
        try:
            self.flush()
            self.give_back(mark=False)
            self._retire(self.id, overdue=False)
        finally:
            self.link.close()

    # -- being alive

    def start(self) -> None:
        """Become a consumer others can see, with a pulse that keeps it visible."""
        if self._pulse is None:
            self._beat_for(self.id, whoami())
            self._registered = True
            self._pulse = Pulse(self)
            self._pulse.start()
            # Redis may have been wiped after we bound our queues and before it knew us: nothing would tell us later.
            self.on_forgotten()

    def beat(self) -> None:
        """Be seen alive, and give back what dead consumers held."""
        self.flush()
        known, others = self._beat_for(self.id, whoami())
        if self._registered and not known:
            self.on_forgotten()
        for consumer, identity, overdue in others:
            self._look_after(consumer.decode(), identity.decode(), bool(overdue))
        self.on_beat()

    def invisible(self, visibility_timeout: float) -> list[str]:
        """Return tags of messages that plain kombu workers did not acknowledge in their time."""
        arguments = [visibility_timeout, self.keys.all_held]
        tags = self.link.script(INVISIBLE, [self.keys.unacked_index, self.keys.consumers], arguments)
        return [tag.decode() for tag in tags]

    def _beat_for(self, consumer: str, identity: Identity) -> tuple[int, list[Any]]:
        keys = self.keys
        return self.link.script(
            BEAT,
            [keys.consumers, keys.identities, keys.unacked_index, keys.held(consumer)],
            [consumer, LEASE, "|".join(map(str, identity)), whoami().host],
        )

    def _look_after(self, consumer: str, identity: str, overdue: bool) -> None:
        process = _parse(identity)
        if process == whoami():
            alive: bool | None = any(consumer == own.id for own in list(_consumers))
        else:
            alive = is_alive(process) if process else None
        if alive and overdue and process:
            self._beat_for(consumer, process)  # stopped or starved, not dead: other hosts should know
        elif alive is False or (alive is None and overdue):
            # Of another host or container we only see the heartbeat, which has a thread of its own there.
            self.give_back(holder=consumer, overdue=alive is None)
            self._retire(consumer, overdue=alive is None)

    def _retire(self, consumer: str, overdue: bool) -> None:
        keys = [self.keys.held(consumer), self.keys.consumers, self.keys.identities]
        self.link.script(RETIRE, keys, [consumer, int(overdue)])

    def _held(self, consumer: str) -> dict[str, str]:
        held = self.link.call("HGETALL", self.keys.held(consumer))
        pairs = held.items() if isinstance(held, dict) else zip(held[::2], held[1::2], strict=True)
        return {tag.decode(): queue.decode() for tag, queue in pairs}

    def _give(self, consumer: str, held: dict[str, str], mark: bool, last: bool, overdue: bool) -> int:
        entries = self.link.call("HMGET", self.keys.unacked, *held)
        arguments: list[Any] = [consumer, int(overdue), "LPUSH" if last else "RPUSH"]
        for (tag, queue), entry in zip(held.items(), entries, strict=True):
            to = self.unpack(entry, queue, mark) if entry else None
            arguments += [tag, *(to or ("", ""))]
        keys = [*self.keys.settling(consumer), self.keys.consumers]
        return int(self.link.script(GIVE_BACK, keys, arguments))

    def _take_acks(self) -> list[str]:
        taken = []
        with suppress(IndexError):
            for _ in islice(iter(int, 1), AT_ONCE):
                taken.append(self._acks.popleft())
        return taken


def _parse(identity: str) -> Identity | None:
    try:
        host, pid, born = identity.rsplit("|", 2)
        return Identity(host, int(pid), float(born))
    except ValueError:
        return None


def _nothing() -> None:
    return None


#: The consumers of this process: one of ours that is not among them was left behind by a failed close.
_consumers: weakref.WeakSet[Consumer] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    for consumer in list(_consumers):
        with suppress(*FAILURES):  # nothing is lost: other consumers see that this process is gone
            consumer.close()

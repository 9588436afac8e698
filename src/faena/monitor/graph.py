"""A chain, group or chord as a picture: jobs from left to right, as one enqueued the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from faena.models import Job
from faena.models.job import STATES

#: Sizes in the picture's own units.
WIDE, HIGH, ACROSS, DOWN = 168, 40, 44, 12
#: Jobs of one parent and kind that are drawn one by one; more are one box.
APART = 5
#: Boxes of one picture, at most.
CEILING = 60
#: The characters of a title that fit a box.
FITS = 20
_NAMES = {str(state): label for state, label in STATES}


@dataclass(slots=True)
class Box:
    """A job, or several alike."""

    jobs: list[Job]
    parent: Box | None = None
    children: list[Box] = field(default_factory=list)
    x: int = 0
    y: int = 0
    is_here: bool = False

    @property
    def title(self) -> str:
        """What stands in it."""
        text = (
            str(self.jobs[0]) if len(self.jobs) == 1 else f"{len(self.jobs)} × {self.jobs[0].kind.rpartition('.')[2]}"
        )
        return text if len(text) <= FITS else f"{text[: FITS - 1]}…"

    @property
    def state(self) -> str:
        """The state that matters most among them."""
        states = {each.state for each in self.jobs}
        order = ("failed", "running", "validating", "pending", "paused", "cancelled", "completed_with_errors")
        return next((state for state in order if state in states), "completed")

    @property
    def state_name(self) -> Any:
        """The name of that state."""
        return _NAMES[self.state]

    @property
    def link(self) -> str:
        """The line from the one that enqueued it."""
        if self.parent is None:
            return ""
        x, y, end, middle = self.parent.x + WIDE, self.parent.y + HIGH // 2, self.y + HIGH // 2, ACROSS // 2
        return f"M{x} {y}C{x + middle} {y} {self.x - middle} {end} {self.x} {end}"


@dataclass(frozen=True, slots=True)
class Graph:
    """The boxes, and the size of the picture."""

    boxes: Sequence[Box]
    width: int
    height: int


def graph(family: Sequence[Job], here: UUID) -> Graph | None:
    """The picture of a family; None for a job that stands alone."""
    if len(family) < 2:
        return None
    boxes = _boxes(family, here)[:CEILING]
    height = 0
    for root in [each for each in boxes if each.parent is None]:
        height = _place(root, 0, height)
    width = max(each.x for each in boxes) + WIDE
    return Graph(boxes, width + 4, height - DOWN + 4)


def _boxes(family: Sequence[Job], here: UUID) -> list[Box]:
    alike: dict[tuple[UUID | None, str], list[Job]] = {}
    for job in family:
        alike.setdefault((job.parent_id, job.kind), []).append(job)
    boxes: list[Box] = []
    for jobs in alike.values():
        boxes += [Box(jobs)] if len(jobs) > APART else [Box([each]) for each in jobs]
    of_job = {job.pk: box for box in boxes for job in box.jobs}
    for box in boxes:
        box.is_here = here in {job.pk for job in box.jobs}
        parent = of_job.get(box.jobs[0].parent_id) if box.jobs[0].parent_id else None
        if parent is not None and parent is not box:
            box.parent = parent
            parent.children.append(box)
    return boxes


def _place(box: Box, depth: int, y: int) -> int:
    """Place it and all below it from `y` on; where the next may stand."""
    box.x, box.y = depth * (WIDE + ACROSS) + 2, y + 2
    if not box.children or depth > CEILING:
        return y + HIGH + DOWN
    for child in box.children:
        y = _place(child, depth + 1, y)
    return y

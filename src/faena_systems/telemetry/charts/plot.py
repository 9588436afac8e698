"""Columns and lines over days, weeks or months: each has a slot of the same width."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from .scale import Scale

#: With more columns than this nothing is left between two.
AIRY = 120
#: Slots that get a label below, at most; on a phone every other one.
LABELS = 8


@dataclass(frozen=True, slots=True)
class Column:
    """A column, in percent of the plot; ``kind`` is its colour's name, ``tip`` what is said of it."""

    x: float
    width: float
    y: float
    height: float
    tip: str
    kind: str = ""

    @property
    def middle(self) -> float:
        """Its middle, in percent."""
        return round(self.x + self.width / 2, 3)


@dataclass(frozen=True, slots=True)
class Label:
    """A text below the plot. A minor one is left out where there is little room."""

    x: float
    text: str
    is_minor: bool


@dataclass(frozen=True, slots=True)
class Plot:
    """A chart: what it shows in a sentence, its axis, columns, lines (points of a 100 × 100 plot) and labels."""

    says: str
    scale: Scale
    columns: list[Column]
    labels: list[Label]
    line: str = ""
    #: Between these two values lies what is ordinary.
    band: tuple[float, float] | None = None
    keys: list[tuple[str, str]] = field(default_factory=list)

    @property
    def band_box(self) -> Column | None:
        """The band as a box over the whole width."""
        if self.band is None:
            return None
        low, high = (self.scale.at(min(max(end, self.scale.low), self.scale.high)) for end in self.band)
        return Column(0, 100, high, round(low - high, 3), "")


def columns(values: Sequence[float], scale: Scale, tips: Sequence[str], kinds: Sequence[str]) -> list[Column]:
    """A column for each value, from 0 up or down."""
    slot = 100 / max(len(values), 1)
    width = slot * (0.72 if len(values) <= AIRY else 1)
    return [
        Column(
            x=round(number * slot + (slot - width) / 2, 3),
            width=round(width, 3),
            y=min(scale.at(value), scale.zero),
            height=round(abs(scale.at(value) - scale.zero), 3),
            tip=tip,
            kind=kind,
        )
        for number, (value, tip, kind) in enumerate(zip(values, tips, kinds, strict=True))
    ]


def line(values: Sequence[float], slots: int, scale: Scale) -> str:
    """A line through the middle of each value's slot, as the ``points`` of an SVG polyline; values beyond are cut."""
    shown = values[:slots]
    return " ".join(f"{100 * (number + 0.5) / slots:.3f},{scale.at(value):.3f}" for number, value in enumerate(shown))


def labelled(texts: Sequence[str], most: int = LABELS) -> list[Label]:
    """Labels for some of the slots, at equal distances."""
    every = -(-len(texts) // most) or 1
    return [
        Label(round(100 * (number + 0.5) / len(texts), 3), text, is_minor=number // every % 2 == 1)
        for number, text in enumerate(texts)
        if number % every == 0
    ]

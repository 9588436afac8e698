"""The operator's channels: 261 ids with 255 names, a few of them watched most of the time."""

from __future__ import annotations

import random

IDS, NAMES = 261, 255
POPULARITY = 1024

KINDS = ("Canal", "TV", "Cine", "Deportes", "Noticias", "Música", "Infantil", "Cultura", "Señal", "Radio", "Mundo")
PLACES = (
    "Ñuñoa", "Santiago", "Valparaíso", "Concepción", "Temuco", "Del Valle", "Patagonia", "Andes", "Norte", "Sur",
    'La "U"', "Pacífico", "Araucanía", "O'Higgins", "Maule", "Coquimbo", "Antofagasta", "Aysén", "Magallanes", "24/7",
    "& Más", "Clásico", "Plus", "Familia",
)  # fmt: skip


def names() -> dict[int, str]:
    """Return the name of every channel by its id; the last six ids share names with the first six."""
    made = [f"{kind} {place}" for place in PLACES for kind in KINDS][:NAMES]
    return {1000 + 7 * number: made[number % NAMES] for number in range(IDS)}


def by_popularity(seed: int) -> list[int]:
    """Return 1024 ids to draw from, each channel at least once, the n-th as often as 1/n says."""
    ids = list(names())
    random.Random(seed).shuffle(ids)  # noqa: S311 - the same for the same seed
    weights = [1 / rank for rank in range(1, IDS + 1)]
    rest = POPULARITY - IDS
    counts = [1 + int(rest * weight / sum(weights)) for weight in weights]
    counts[0] += POPULARITY - sum(counts)
    return [channel for channel, count in zip(ids, counts, strict=True) for _ in range(count)]

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faena_systems.telemetry.charts import LEVELS, Plot, Scale, columns, labelled, level, line

values = st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=60)


@given(values)
def test_every_value_has_its_place_on_the_scale(values):
    scale = Scale.covering(values)
    assert scale.low <= min(0, *values)
    assert scale.high >= max(1, *values)
    assert 2 <= len(scale.ticks) <= 6
    assert 0 in scale.ticks
    assert (scale.lines[0], scale.lines[-1]) == (0, 100)
    assert str(scale.step).strip("0") in {"1", "2", "5"}


@given(values)
def test_columns_fill_the_plot_side_by_side_and_stand_on_zero(values):
    scale = Scale.covering(values)
    drawn = columns(values, scale, ["tip"] * len(values), [""] * len(values))
    assert len(drawn) == len(values)
    for one, next_one in pairwise(drawn):
        assert one.x + one.width <= next_one.x + 0.01
    for each, value in zip(drawn, values, strict=True):
        assert -0.01 <= each.x < each.x + each.width <= 100.01
        assert -0.01 <= each.y <= each.y + each.height <= 100.01
        assert each.y + (each.height if value >= 0 else 0) == pytest.approx(scale.zero, abs=0.01)


def test_a_scale_of_nothing_goes_to_one():
    assert Scale.covering([]).ticks == [1, 0]
    assert Scale.covering([0, 0]).ticks == [1, 0]


def test_a_line_goes_through_the_middle_of_the_slots_and_ends_with_them():
    assert line([0, 10, 5, 7], 2, Scale.covering([12])) == "25.000,100.000 75.000,33.333"


def test_a_band_is_cut_at_the_ends_of_the_scale():
    plot = Plot("", Scale(0, 100, 50), [], [], band=(-20, 80))
    assert (plot.band_box.y, plot.band_box.height) == (20, 80)


@pytest.mark.parametrize("number", [1, 7, 8, 9, 31, 365, 3_653])
def test_labels_are_few_and_start_with_the_first(number):
    labels = labelled([str(each) for each in range(number)])
    assert labels[0].text == "0"
    assert 1 <= len(labels) <= 8
    assert not labels[0].is_minor


def test_heat_has_levels():
    assert [level(value, 600) for value in (0, 1, 100, 101, 599, 600)] == [0, 1, 1, 2, LEVELS, LEVELS]
    assert level(0, 0) == 0

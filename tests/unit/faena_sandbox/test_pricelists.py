from faena_sandbox import pricelists as sandbox
from faena_systems.pricelists import reading
from faena_systems.pricelists.parsing import PriceStyle
from faena_systems.pricelists.rows import Columns, RowReader, overview, parsed


def test_exactly_the_promised_number_of_rows_is_bad():
    columns = Columns.parse(**{name.removeprefix("col_"): letters for name, letters in sandbox.COLUMNS.items()})
    rows = enumerate(sandbox.article_rows(2_000, bad=77), 1)
    seen = overview(parsed(rows, RowReader(columns, PriceStyle(","))))
    assert (seen.read, seen.rejected, seen.repeated) == (2_000, 77, {})


def test_a_seed_always_makes_the_same_rows():
    assert list(sandbox.article_rows(50, seed=3)) == list(sandbox.article_rows(50, seed=3))
    assert list(sandbox.article_rows(50, seed=3)) != list(sandbox.article_rows(50, seed=4))


def test_fourteen_banner_rows_stand_above_the_articles(tmp_path):
    made = sandbox.write_xlsx(tmp_path / "l.xlsx", 3, sheets=2)
    rows = list(reading.rows(tmp_path / "l.xlsx", "Lista 2"))
    assert (made.start_row, len(rows)) == (14, 17)
    assert rows[13] == list(sandbox.HEADER)

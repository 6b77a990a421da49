"""What every output format makes of every kind of value, to the letter."""

from __future__ import annotations

import json
from datetime import datetime

import click
import polars as pl
import pytest
from click.testing import CliRunner

from lmc_track.cli.output import show

FRAME = pl.DataFrame(
    {
        "name": ["seed-0", "a|b", None],
        "gap": [0.123456, float("nan"), None],
        "n": [1, 20_000, None],
        "same": [True, False, None],
        "models": [["x", "y"], [], None],
        "support": [{"l": 0.0, "r": 1.0}, {"l": 0.25, "r": 0.5}, None],
        "created": [datetime(2026, 11, 24, 8, 6), None, None],
        "text": ["x" * 70, "two\nlines", ""],
    },
    schema_overrides={"models": pl.List(pl.String)},
)

TABLE = f"""\
name       gap      n  same  models  support        created              text
------  ------  -----  ----  ------  -------------  -------------------  {"-" * 60}
seed-0  0.1235      1  yes   x, y    l 0, r 1       2026-11-24 08:06:00  {"x" * 59}…
a|b        nan  20000  no            l 0.25, r 0.5                       two lines

"""

MARKDOWN = f"""\
| name | gap | n | same | models | support | created | text |
| --- | ---: | ---: | --- | --- | --- | --- | --- |
| seed-0 | 0.1235 | 1 | yes | x, y | l 0, r 1 | 2026-11-24 08:06:00 | {"x" * 70} |
| a\\|b | nan | 20000 | no |  | l 0.25, r 0.5 |  | two lines |
|  |  |  |  |  |  |  |  |
"""

CSV = f"""\
name,gap,n,same,models,support,created,text
seed-0,0.123456,1,true,"[""x"", ""y""]","{{""l"": 0.0, ""r"": 1.0}}",2026-11-24T08:06:00.000000,{"x" * 70}
a|b,NaN,20000,false,[],"{{""l"": 0.25, ""r"": 0.5}}",,"two
lines"
,,,,,,,""
"""  # noqa: E501


def printed(frame: pl.DataFrame, output_format: str) -> str:
    command = click.command()(lambda: show(frame, output_format))
    done = CliRunner().invoke(command)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize(
    ("output_format", "golden"), [("table", TABLE), ("markdown", MARKDOWN), ("csv", CSV)]
)
def test_rows_are_printed_to_the_letter(output_format: str, golden: str) -> None:
    assert printed(FRAME, output_format) == golden


def test_json_has_null_where_a_number_is_none() -> None:
    rows = json.loads(printed(FRAME, "json"))
    assert [row["gap"] for row in rows] == [0.123456, None, None]
    assert rows[0]["support"] == {"l": 0.0, "r": 1.0}
    assert rows[0]["created"] == "2026-11-24T08:06:00"


def test_a_table_without_rows_says_so() -> None:
    assert printed(FRAME.head(0), "table").splitlines()[-1] == "(no rows)"

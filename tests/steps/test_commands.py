"""Commands that are told lead to the place that they are told of."""

from __future__ import annotations

import shlex

from lmc_track.steps.commands import reproduction, study_ui_command, ui_command
from lmc_track.tracking.location import locate


def test_commands_name_a_store_that_is_not_the_homes_own() -> None:
    location = locate("/h", "postgresql://me:secret@host/db", {})
    commands = [ui_command(location), study_ui_command("s", location)]
    commands += [command for _, command in reproduction("s", location)]
    for command in commands:
        assert "postgresql+psycopg2://host/db" in shlex.split(command)


def test_commands_for_a_home_name_the_home_alone() -> None:
    location = locate("/h", None, {})
    for _, command in reproduction("s", location):
        assert command.endswith("--home /h")


def test_a_server_has_an_address_instead_of_a_command() -> None:
    location = locate("/h", "http://127.0.0.1:5000", {})
    assert ui_command(location) == study_ui_command("s", location) == "http://127.0.0.1:5000"
    page = study_ui_command("s", location, "7")
    assert page.startswith("http://127.0.0.1:5000/#/experiments/7/runs?")
    assert "viewStateShareKey=lmc-first" in page

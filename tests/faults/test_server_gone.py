"""An MLflow server that goes away in the middle of a study, and comes back."""

from __future__ import annotations

from pathlib import Path

import pytest

from lmc_track.tracking.location import locate
from support.forked_programs import Programs
from support.moments import Pause
from support.servers import mlflow_server
from support.undisturbed import Undisturbed, assert_as_undisturbed, finished_ids

pytestmark = pytest.mark.full


def test_a_server_that_goes_away_is_said_and_waited_for(
    lmc: Programs, undisturbed: Undisturbed, study_file: str, tmp_path: Path
) -> None:
    with mlflow_server(tmp_path / "server") as server:
        location = undisturbed.base_into(locate(str(tmp_path / "home"), server.uri))
        command = (
            "run", study_file, "--home", str(location.home), "--tracking-uri", server.uri
        )  # fmt: skip
        pause = Pause(tmp_path)
        half = undisturbed.moments["finetuning"] // 2
        fault = pause.at("finetuning", half)

        # It does not come back while anybody waits for it.
        lmc.begin(*command, fault=fault, MLFLOW_HTTP_REQUEST_MAX_RETRIES="1")
        pause.come()
        server.stop(crash=True)
        pause.go_on()
        told = lmc.end()
        told.refused(server.uri, "does not answer", "run the same command again", code=1)
        server.start()
        before = finished_ids(location)

        # It comes back in time.
        lmc.begin(
            *command,
            fault=pause.at("finetuning", half // 2),
            MLFLOW_HTTP_REQUEST_MAX_RETRIES="8",
        )
        pause.come()
        server.stop(crash=True)
        pause.go_on()
        server.start()
        lmc.end().went_well()
        assert before <= finished_ids(location)
        assert_as_undisturbed(location, undisturbed.location)

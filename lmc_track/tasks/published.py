"""Finding the files of published data sets in a folder of the user's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lmc_track.errors import InputError


@dataclass(frozen=True)
class DataRoot:
    """A folder of data, and the key that names it."""

    key: str
    folder: Path

    def find(self, places: Sequence[str], names: Sequence[str]) -> Path | None:
        """The first of the files ``names`` in one of the folders ``places`` below this one."""
        for name in names:
            for place in places:
                if (file := self.folder / place / name).is_file():
                    return file
        return None

    def need(self, places: Sequence[str], names: Sequence[str], what: str, remedy: str) -> Path:
        """As ``find``; ``what`` is missed in an InputError that tells where it was looked for."""
        found = self.find(places, names)
        if found is None:
            below = ", ".join(f"{place}/" for place in places if place)
            raise InputError(
                f"{self.key}: {self.folder} holds no {what} (looked for {' or '.join(names)} in it"
                f"{' and in ' + below if below else ''})",
                remedy,
            )
        return found


def data_root(data_dir: str | None, environ: Mapping[str, str], remedy: str) -> DataRoot | None:
    """The folder of the user's data; None where none is given, and the hub is to be asked.

    Raises:
        InputError: one is given and is not there.
    """
    if data_dir:
        key, given = "task.data_dir", data_dir
    elif environ.get("LMC_DATA_DIR"):
        key, given = "LMC_DATA_DIR", environ["LMC_DATA_DIR"]
    else:
        return None
    folder = Path(given).expanduser()
    if not folder.is_dir():
        raise InputError(f"{key}: there is no folder {given}", remedy)
    return DataRoot(key, folder)

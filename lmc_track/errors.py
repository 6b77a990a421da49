"""The errors that users are meant to read: what is wrong, and what to do about it.

Everything else that escapes is a defect of the program and keeps its traceback.
"""

from __future__ import annotations


class LmcTrackError(Exception):
    """Something the user can act on. ``message`` says what is wrong, ``remedy`` what to do."""

    exit_code = 1

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message if not remedy else f"{message}\n{remedy}")
        self.message = message
        self.remedy = remedy

    def __reduce__(self) -> tuple[type[LmcTrackError], tuple[str, str]]:
        return type(self), (self.message, self.remedy)


class InputError(LmcTrackError):
    """Wrong use: a study file, a name, an option or a data file that cannot be worked with.

    Raised before any work has begun, so nothing is half-written.
    """

    exit_code = 2


class WorkError(LmcTrackError):
    """Work that had begun could not go on; what was finished before is kept."""

    exit_code = 1

"""Checkpoints as users name them: folders, hub ids, and ranges of either.

Knows where a checkpoint lies; refuses to know what is in it.
"""

from __future__ import annotations

import glob
import itertools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lmc_track.errors import InputError
from lmc_track.models.checkpoints import PICKLES, conversion
from lmc_track.models.foreign import read_object
from lmc_track.models.hub import fetch, files_on_hub

_RANGE = re.compile(r"\{(\d+)\.\.(\d+)\}")
_CHECKPOINT = re.compile(r"checkpoint-(\d{1,15})")
_MOST = 10_000
_REMEDY = (
    "Name the folder that save_pretrained() of transformers wrote, or a model on the hub, such "
    "as owner/model or owner/model@revision."
)


@dataclass(frozen=True)
class Source:
    """One checkpoint by name; ``number`` is what the ranges gave (``7``, or ``3-7`` of two)."""

    text: str
    number: str | None


@dataclass(frozen=True)
class FoundCheckpoint:
    """Where a checkpoint lies: ``folder``, and for one of the hub ``repo`` at ``commit``."""

    source: Source
    folder: Path
    repo: str | None = None
    commit: str | None = None

    @property
    def origin(self) -> str:
        """Where the checkpoint comes from, in one text."""
        return str(self.folder) if self.repo is None else f"{self.repo}@{self.commit}"

    @property
    def parent(self) -> str:
        """The folder that the checkpoint lies in, such as that of a Trainer's run; of the hub the
        owner."""
        if self.repo is not None:
            return self.repo.partition("/")[0]
        return self.folder.parent.name

    @property
    def step(self) -> int | None:
        """The training step by the folder's name or the Trainer's own notes; None where unknown.

        Raises:
            InputError: the Trainer's notes (trainer_state.json) are damaged.
        """
        if (match := _CHECKPOINT.fullmatch(self.last_part)) is not None:
            return int(match[1])
        notes = self.folder / "trainer_state.json"
        if not notes.is_file():
            return None
        step = read_object(notes).get("global_step")
        if not isinstance(step, int) or isinstance(step, bool) or step < 0:
            raise InputError(
                f"{notes} is damaged: global_step is not a number of steps",
                "Copy the folder again, or leave {step} out of --name.",
            )
        return step

    @property
    def last_part(self) -> str:
        """The last part of its name: of the repository, else of the folder."""
        return (self.repo or str(self.folder)).rstrip("/").rpartition("/")[2]


def expand(texts: Iterable[str]) -> list[Source]:
    """Every source that ``texts`` mean: ``run-{0..3}`` is four, ``{00..12}`` keeps its zeros.

    A pattern (``runs/*/checkpoint-*``) is the folders that fit it. A folder that is not a model but
    has checkpoints of the Trainer in it, or in folders in it, is all of these.

    Raises:
        InputError: a range runs backwards or is too long, or a source is empty or named twice.
    """
    sources: list[Source] = []
    for text in [path for given in texts for path in _inside(given)]:
        ranges = [_numbers(text, *match.groups()) for match in _RANGE.finditer(text)]
        plain = _RANGE.split(text)[::3]
        for chosen in itertools.islice(itertools.product(*ranges), _MOST + 1):
            name = plain[0] + "".join(map("".join, zip(chosen, plain[1:], strict=True)))
            sources.append(Source(name, "-".join(chosen) or None))
    if len(sources) > _MOST:
        raise InputError(f"more than {_MOST:,} sources are named", "Register them in parts.")
    names = [source.text for source in sources]
    if "" in names:
        raise InputError("a source is an empty text", _REMEDY)
    if twice := [name for name in names if names.count(name) > 1]:
        raise InputError(f"the source {twice[0]} is named twice", "Name it once.")
    return sources


def _inside(text: str) -> list[str]:
    """The checkpoints that ``text`` means where it is a pattern, or a tree of a Trainer's runs.

    Of runs they come by the name of the run and then by step; in numbers within names 10 comes
    after 9.

    Raises:
        InputError: the pattern fits no folder.
    """
    try:
        folder = Path(text).expanduser()
        is_folder = folder.is_dir()
    except (OSError, RuntimeError, ValueError):  # no name of a file, or of a user
        raise InputError(f"there is no folder {text[:200]}", _REMEDY) from None
    if not is_folder and glob.has_magic(text) and not _RANGE.search(text):
        # Path.glob takes no absolute pattern.
        named = glob.glob(str(folder))  # noqa: PTH207
        found = [path for path in named if Path(path).is_dir()]
        if not found:
            raise InputError(f"no folder fits the pattern {text}", _REMEDY)
        return sorted(found, key=_by_number)
    if not text or not is_folder or (folder / "config.json").is_file():
        return [text]
    inner = [
        path
        for pattern in ("checkpoint-*", "*/checkpoint-*")
        for path in folder.glob(pattern)
        if path.is_dir() and _CHECKPOINT.fullmatch(path.name)
    ]
    return sorted(map(str, inner), key=_by_number) or [text]


def _by_number(text: str) -> list[tuple[int, str]]:
    parts = re.split(r"(\d+)", text)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def _numbers(text: str, first: str, last: str) -> list[str]:
    if int(last) < int(first):
        raise InputError(f"{text}: the range {{{first}..{last}}} runs backwards", "Turn it around.")
    if int(last) - int(first) >= _MOST:
        raise InputError(
            f"{text}: the range {{{first}..{last}}} has more than {_MOST:,} numbers",
            "Register them in parts.",
        )
    width = max(len(end) if end.startswith("0") else 1 for end in (first, last))
    return [f"{number:0{width}d}" for number in range(int(first), int(last) + 1)]


def locate_checkpoint(
    source: Source, revision: str | None, cache_dir: Path, environ: Mapping[str, str]
) -> FoundCheckpoint:
    """Where ``source`` lies: a folder as it is, a hub id (``owner/model@revision``) downloaded.

    ``revision`` is that of hub ids that name none themselves.

    Raises:
        InputError: there is no such folder, or no such model that could be fetched.
    """
    text = source.text
    folder = Path(text).expanduser()
    if folder.is_dir():
        return FoundCheckpoint(source, folder.resolve())
    if folder.is_file():
        raise InputError(f"{text} is a file", "Name the folder that it lies in.")
    repo, _, own = text.partition("@")
    if text.startswith((".", "/", "~")) or repo.count("/") > 1 or "\\" in text:
        raise InputError(f"there is no folder {text}", _REMEDY)
    wanted = own or revision
    fetched = fetch(repo, wanted, cache_dir, environ, key=text, remedy=_REMEDY)
    if not any(fetched.glob("*.safetensors")):
        names = files_on_hub(repo, wanted)
        if pickle := next((name for name in PICKLES if name in names), None):
            raise InputError(
                f"{text}: the weights are only there as a pickle ({pickle}), which can run code "
                "when it is loaded",
                f"If you trust it, convert it with: {conversion(repo, source_folder(repo), wanted)}"
                f"\nand register the folder {source_folder(repo)}. The hub may have a converted "
                "copy already, as a revision such as refs/pr/1: --revision refs/pr/1",
            )
    return FoundCheckpoint(source, fetched, repo, fetched.name)


def source_folder(repo: str) -> str:
    """The folder that a converted copy of ``repo`` is written to."""
    return repo.rpartition("/")[2] + "-safetensors"

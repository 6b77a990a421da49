"""The fenced blocks of a document, and a folder in which they are done in order.

What a block is for is said by its language and by a comment on the line before it:

- ``sh``: commands, each of which must succeed. ``console``: commands after ``$``, with their
  output, which must be the same.
- ``<!-- file: NAME -->``: the block is written to that file.
- ``<!-- numbers vary -->``: numbers of the output may differ, as between machines; words may not.
- ``<!-- output of the last command contains -->``: the last command printed these lines.
- ``<!-- not run: WHY -->``, ``<!-- not run: WHY; instead: COMMAND -->``: as it says.
- ``python`` without a comment is a program to run; ``toml`` a study file to read.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_BLOCK = re.compile(
    r"(?:^<!-- (?P<marker>[^\n]*?) -->\n+)?^```(?P<language>[\w-]*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_PATIENCE = 1800


@dataclass(frozen=True)
class Block:
    """A fenced block: language, text, the comment before it, its line in the document."""

    language: str
    text: str
    marker: str
    line: int


def blocks(document: str) -> list[Block]:
    return [
        Block(m["language"], m["text"], m["marker"] or "", document[: m.start()].count("\n") + 1)
        for m in _BLOCK.finditer(document)
    ]


def commands(block: Block) -> list[tuple[str, str]]:
    """(command, output) of every command in a block of a shell; no output in ``sh``."""
    lines = block.text.replace("\\\n", " ").splitlines()
    if block.language == "sh":
        return [(line, "") for line in lines if line.strip() and not line.startswith("#")]
    found: list[tuple[str, str]] = []
    for line in lines:
        if line.startswith("$ "):
            found.append((line[2:], ""))
        elif found:
            command, output = found[-1]
            found[-1] = (command, f"{output}{line}\n")
    return found


def own_commands(line: str) -> Iterator[list[str]]:
    """The arguments of every ``lmc-track`` in a line of shell."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>()")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    current: list[str] = []
    for word in [*lexer, ";"]:
        if word and set(word) <= set("|&;<>()"):
            names = [n for n, one in enumerate(current) if one.split("/")[-1] == "lmc-track"]
            if names and all("=" in one for one in current[: names[0]]):
                yield current[names[0] + 1 :]
            current = []
        else:
            current.append(word)


@dataclass
class Reader:
    """Somebody who does in ``folder`` what a document says, block by block."""

    folder: Path
    said: str = ""
    done: list[str] = field(default_factory=list)

    def follow(self, document: str, name: str) -> None:
        for block in blocks(document):
            where = f"{name}:{block.line}"
            if block.marker.startswith("not run:"):
                _, _, instead = block.marker.partition("; instead: ")
                if instead:
                    self._run(instead, where)
            elif block.marker.startswith("file: "):
                (self.folder / block.marker.removeprefix("file: ")).write_text(block.text)
            elif block.language in ("sh", "console"):
                for command, output in commands(block):
                    self._run(command, where)
                    if output:
                        self._compare(output, self.said, block, where)
            elif block.marker.startswith("output of the last command contains"):
                self._compare(block.text, self.said, block, where, part=True)
            elif block.language == "python":
                self._run(shlex.join([sys.executable, "-c", block.text]), where)
            elif block.language == "toml":
                (self.folder / "read.toml").write_text(block.text)
                program = (
                    "import pathlib, lmc_track.study as s; "
                    "s.read_study(pathlib.Path('read.toml'), ())"
                )
                self._run(shlex.join([sys.executable, "-c", program]), where)

    def _run(self, command: str, where: str) -> None:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        ended = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=_environment() | {"PATH": path},
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
        )
        assert ended.returncode == 0, f"{where}: {command}\n{ended.stdout}{ended.stderr}"
        self.said = ended.stdout
        self.done.append(command)

    def _compare(
        self, shown: str, said: str, block: Block, where: str, *, part: bool = False
    ) -> None:
        vary = "numbers vary" in block.marker
        wanted = _plain(shown, vary)
        got = _plain(said.replace(f"{self.folder.resolve()}/", ""), vary)
        assert wanted in got if part else wanted == got, (
            f"{where}: the document shows\n{wanted}\nand the program says\n{got}"
        )


def _plain(text: str, vary: bool) -> str:
    """``text`` with white space and rules of tables made equal, and numbers where they vary."""
    if vary:
        text = re.sub(r"-?\.?\d[\d.,]*(e-?\d+)?(?<![.,])", "#", text)
    return " ".join(re.sub(r"-{2,}", "--", text).split())


def _environment() -> dict[str, str]:
    """This process's, as a new reader has it: no home, store or data folder is named in it."""
    ours = ("LMC_HOME", "LMC_DATA_DIR", "MLFLOW_TRACKING_URI")
    return {name: value for name, value in os.environ.items() if name not in ours}

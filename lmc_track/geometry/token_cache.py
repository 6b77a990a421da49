"""Token ids kept in Arrow files, which are mapped into memory and shared by all processes.

A file is found by what its content follows from: the data, the tokenizer, the truncation.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lmc_track.geometry.encoding import EncodedDataset, Ragged, encode
from lmc_track.models.padding import Padding
from lmc_track.tasks.dataset import Dataset
from lmc_track.tasks.projection import Projection

_FORMAT = 2
_FACTS = b"lmc-track"


class TokenCache:
    """The token files in ``folder`` that one tokenizer made."""

    def __init__(
        self,
        folder: Path,
        tokenizer_digest: str,
        longest: int | None,
        padding: Padding | None = None,
    ) -> None:
        import tokenizers

        self._folder = folder
        self._longest = longest
        self._padding = padding
        filled = None if padding is None else [padding.token_id, padding.side]
        self._made_by = (tokenizer_digest, longest, filled, tokenizers.__version__, _FORMAT)

    def get(self, dataset: Dataset, tokenizer: Any) -> EncodedDataset:
        """``dataset`` as ``tokenizer`` reads it; a file that is damaged is made again."""
        file = self._folder / f"{self._key(dataset)}.arrow"
        try:
            found = read_encoded(file, dataset.name, dataset.projection, verify=True)
            _note_use(file)
            return found
        except (OSError, ValueError, KeyError):  # pyarrow's own errors are among these
            made = encode(dataset, tokenizer, self._longest, self._padding)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            _write(made, file)
            return read_encoded(file, dataset.name, dataset.projection)
        except OSError:  # a cache that cannot be written costs time, nothing else
            return made

    def _key(self, dataset: Dataset) -> str:
        content = json.dumps([dataset.digest, *self._made_by])
        return hashlib.sha256(content.encode()).hexdigest()[:40]


def encoding_of(file: Path) -> str | None:
    """The digest of the data set that the token file holds; None where it is no such file."""
    try:
        with pa.memory_map(str(file)) as source:
            schema = pa.ipc.open_file(source).schema
        return str(json.loads(schema.metadata[_FACTS])["digest"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _note_use(file: Path) -> None:
    """What was not used for long may be removed; a file of the past hour never is."""
    with suppress(OSError):
        file.touch()


def read_encoded(
    file: Path, name: str, projection: Projection | None = None, *, verify: bool = False
) -> EncodedDataset:
    """The token file ``file``, mapped into memory, as data set ``name``.

    Raises:
        OSError, ValueError, KeyError: it is not there or not such a file; with ``verify`` also
            where its content is not what was written.
    """
    with pa.memory_map(str(file)) as source:
        table = pa.ipc.open_file(source).read_all()
    facts = json.loads(table.schema.metadata[_FACTS])
    table = table.combine_chunks()
    inputs = {name: _ragged(table[name].chunk(0)) for name in facts["inputs"]}
    found = EncodedDataset(
        name,
        table["example_id"].chunk(0).to_numpy(),
        table["label"].chunk(0).to_numpy(),
        inputs,
        Padding(*facts["padding"]),
        facts["digest"],
        projection,
        file,
    )
    if verify and _checksum(found) != facts["checksum"]:
        raise ValueError(f"{file} does not hold what was written to it")
    return found


def _write(data: EncodedDataset, file: Path) -> None:
    columns: dict[str, Any] = {
        "example_id": pa.array(data.example_ids),
        "label": pa.array(data.labels),
    }
    for name, rows in data.inputs.items():
        columns[name] = pa.ListArray.from_arrays(pa.array(rows.offsets), pa.array(rows.values))
    facts = {
        "inputs": list(data.inputs),
        "padding": [data.padding.token_id, data.padding.side],
        "digest": data.digest,
        "checksum": _checksum(data),
    }
    table = pa.table(columns).replace_schema_metadata({_FACTS: json.dumps(facts)})
    staging = file.with_name(f".{file.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        with pa.OSFile(str(staging), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table, max_chunksize=max(1, table.num_rows))
        staging.replace(file)
    finally:
        staging.unlink(missing_ok=True)


def _ragged(column: Any) -> Ragged:
    offsets: NDArray[np.int32] = column.offsets.to_numpy()
    values: NDArray[np.int32] = column.values.to_numpy()
    return Ragged(values, offsets)


def _checksum(data: EncodedDataset) -> str:
    digest = hashlib.sha256()
    arrays: list[NDArray[Any]] = [data.example_ids, data.labels]
    arrays += [part for rows in data.inputs.values() for part in (rows.offsets, rows.values)]
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()

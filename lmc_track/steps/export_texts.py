"""What an export says about itself: README, data dictionary, data package, citation."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lmc_track.warehouse.schema import SchemaItem
from lmc_track.warehouse.tables import TABLES

_KEYS = {table.name: table.key for table in TABLES}
_FIELD_TYPES = {
    "VARCHAR": "string", "BIGINT": "integer", "INTEGER": "integer", "DOUBLE": "number",
    "FLOAT": "number", "BOOLEAN": "boolean", "TIMESTAMP": "datetime",
}  # fmt: skip


@dataclass(frozen=True)
class ExportedFile:
    """A table or view, the files that hold it, and its number of rows."""

    item: SchemaItem
    names: tuple[str, ...]
    n_rows: int


@dataclass(frozen=True)
class StudyFacts:
    """What identifies a study and says how far it has come."""

    name: str
    description: str
    task: str
    base: str
    base_digest: str
    recipe: str
    created: datetime | None
    n_models: int
    n_paths: int
    n_points: int
    data_digests: Mapping[str, str]
    versions: Mapping[str, Any]
    study_file: Mapping[str, Any]
    program: str

    @property
    def year(self) -> str:
        """The year in which the study was first recorded, or nothing."""
        return "" if self.created is None else str(self.created.year)

    @property
    def title(self) -> str:
        """What the export is called in citations."""
        return f"Linear mode connectivity study {self.name}"

    @property
    def sentence(self) -> str:
        """The study in one sentence."""
        return (
            f"{self.n_models} models finetuned from {self.base} on the task {self.task}, and "
            f"{self.n_points} interpolated ones on {self.n_paths} linear paths between them"
        )


def readme(
    facts: StudyFacts, files: Sequence[ExportedFile], n_matrices: int, predictions: bool
) -> str:
    """The first thing a reader of the folder sees."""
    listed = "\n".join(
        f"| `{_shown(file)}` | {file.n_rows:,} | {file.item.meaning} |" for file in files
    )
    left_out = "" if predictions else "\nPredictions of single examples were left out.\n"
    matrices = (
        f"""
## Matrices

`matrices/MEASURE/METRIC/DATASET/HALF.csv`, {n_matrices} files: one measure of every two models'
path as a symmetric matrix in study order, with the models' names in the first row and column. The
measures are `convexity_gap` and `barrier_height`, of `loss` (nats) and `error` (a fraction), on
whole evaluation sets and on each of their halves. An empty cell was not measured.
"""
        if n_matrices
        else "\nNo matrices: no path has been measured on the whole common grid.\n"
    )
    return f"""# {facts.title}

{facts.description or "No description was given."}

{facts.sentence}. Written by lmc-track {facts.program}.

## Tables

| file | rows | what |
|---|---:|---|
{listed}
{left_out}
Every column is explained in [DICTIONARY.md](DICTIONARY.md), and for programs in
`datapackage.json` (Frictionless Data Package). Ids are MLflow run ids and join the tables. `half`
is `discovery` or `held-out`, a fixed division of the examples; clusters come from the first, what
is reported about them from the second.
{matrices}
## Reading them

{_reading(n_matrices > 0, predictions)}
`sha256sum -c SHA256SUMS` checks that the files are whole.

## What it is

{_identity(facts)}
`study.json` is the study file with every default spelled out.

## To cite

{_text_citation(facts)}

The method: Jeevesh Juneja, Rachit Bansal, Kyunghyun Cho, João Sedoc and Naomi Saphra. Linear
Connectivity Reveals Generalization Strategies. International Conference on Learning
Representations, 2023. arXiv:2205.12411.

Both are in `CITATION.bib` and `CITATION.cff`; the authors of the study are yours to fill in.
"""


def _reading(matrices: bool, predictions: bool) -> str:
    python = ["import polars as pl", 'barriers = pl.read_parquet("tables/barriers.parquet")']
    sql = ["-- DuckDB", "SELECT * FROM 'tables/barriers.parquet' WHERE half = 'held-out';"]
    if predictions:
        files = "predictions/**/*.parquet"
        python.append(f'predictions = pl.scan_parquet("{files}", hive_partitioning=True)')
        sql.append(f"SELECT * FROM read_parquet('{files}', hive_partitioning = true) LIMIT 10;")
    if matrices:
        file = "matrices/convexity_gap/loss/validation/held-out.csv"
        python += ["import pandas as pd", f'matrix = pd.read_csv("{file}", index_col="model")']
    return "\n".join(["```python", *python, "```", "```sql", *sql, "```"])


def dictionary(facts: StudyFacts, files: Sequence[ExportedFile]) -> str:
    """Every file's columns for people."""
    parts = [f"# Data dictionary of {facts.name}\n"]
    for file in files:
        parts.append(f"## {file.item.name}\n\n{file.item.meaning}\n\n`{_shown(file)}`\n")
        if file.item.name in _KEYS:
            parts.append(f"Key: {', '.join(f'`{name}`' for name in _KEYS[file.item.name])}\n")
        rows = [f"| `{c.name}` | {c.sql_type} | {c.meaning} |" for c in file.item.columns]
        parts.append("\n".join(["| column | type | meaning |", "|---|---|---|", *rows]) + "\n")
    return "\n".join(parts)


def data_package(facts: StudyFacts, files: Sequence[ExportedFile]) -> dict[str, Any]:
    """Every file's columns for programs, as https://specs.frictionlessdata.io/data-package says."""
    return {
        "profile": "data-package",
        "name": facts.name.lower(),
        "title": facts.title,
        "description": facts.description,
        "version": facts.program,
        "resources": [_resource(file) for file in files if file.names],
    }


def _resource(file: ExportedFile) -> dict[str, Any]:
    item = file.item
    schema: dict[str, Any] = {
        "fields": [
            {
                "name": c.name,
                "type": _field_type(c.sql_type),
                "sqlType": c.sql_type,
                "description": c.meaning,
            }
            for c in item.columns
        ]
    }
    if item.name in _KEYS:
        schema["primaryKey"] = list(_KEYS[item.name])
    return {
        "name": item.name.lower(),
        "path": list(file.names) if len(file.names) > 1 else file.names[0],
        "format": "parquet",
        "mediatype": "application/vnd.apache.parquet",
        "description": item.meaning,
        "rows": file.n_rows,
        "schema": schema,
    }


def _field_type(sql_type: str) -> str:
    if sql_type.endswith("[]"):
        return "array"
    return _FIELD_TYPES.get(sql_type, "object")


def citation_file(facts: StudyFacts) -> str:
    """CITATION.cff, https://citation-file-format.github.io (1.2.0)."""
    released = "" if facts.created is None else f"date-released: {facts.created:%Y-%m-%d}\n"
    identifiers = "".join(
        f"  - type: other\n    value: {_quoted(digest)}\n"
        f"    description: {_quoted(f'SHA-256 of {what}')}\n"
        for what, digest in _digests(facts)
    )
    return f"""cff-version: 1.2.0
message: If you use these results, please cite them and the paper of the method.
type: dataset
title: {_quoted(facts.title)}
abstract: {_quoted(facts.description or facts.sentence)}
# Fill in who made the study.
authors:
  - name: {_quoted(f"The authors of the study {facts.name}")}
{released}identifiers:
{identifiers}references:
  - type: conference-paper
    title: Linear Connectivity Reveals Generalization Strategies
    authors:
      - given-names: Jeevesh
        family-names: Juneja
      - given-names: Rachit
        family-names: Bansal
      - given-names: Kyunghyun
        family-names: Cho
      - given-names: João
        family-names: Sedoc
      - given-names: Naomi
        family-names: Saphra
    year: 2023
    collection-title: International Conference on Learning Representations
    url: https://arxiv.org/abs/2205.12411
"""


def bibtex(facts: StudyFacts) -> str:
    """The study and the paper as BibTeX."""
    year = f"  year = {{{facts.year}}},\n" if facts.year else ""
    digests = "; ".join(f"{what} {digest[:16]}" for what, digest in _digests(facts))
    key = "".join(c for c in facts.name if c.isalnum()) or "study"
    return f"""% Fill in who made the study.
@misc{{lmc-{key},
  title = {{{_tex(facts.title)}}},
  author = {{{{The authors of the study {_tex(facts.name)}}}}},
{year}  note = {{Written by lmc-track {facts.program}. SHA-256: {_tex(digests)}}},
}}

@inproceedings{{juneja2023linear,
  title = {{Linear Connectivity Reveals Generalization Strategies}},
  author = {{Juneja, Jeevesh and Bansal, Rachit and Cho, Kyunghyun and Sedoc, Jo{{\\~a}}o and
    Saphra, Naomi}},
  booktitle = {{International Conference on Learning Representations}},
  year = {{2023}},
  url = {{https://arxiv.org/abs/2205.12411}},
}}
"""


def _text_citation(facts: StudyFacts) -> str:
    year = f" {facts.year}." if facts.year else ""
    base = f" Base model {facts.base}, SHA-256 {facts.base_digest[:16]}." if facts.base else ""
    return f"{facts.title}.{year}{base} Written by lmc-track {facts.program}."


def _identity(facts: StudyFacts) -> str:
    rows = [("base model", facts.base), ("recipe", f"`{facts.recipe}`")]
    rows += [(f"SHA-256 of {what}", f"`{digest}`") for what, digest in _digests(facts)]
    rows += [(f"version of {name}", str(value)) for name, value in sorted(facts.versions.items())]
    return "".join(f"- {what}: {value}\n" for what, value in rows)


def _digests(facts: StudyFacts) -> list[tuple[str, str]]:
    base = [("the base model's weights", facts.base_digest)] if facts.base_digest else []
    return [*base, *((f"the set {name}", d) for name, d in facts.data_digests.items())]


def _shown(file: ExportedFile) -> str:
    if len(file.names) == 1 and "=" not in file.names[0]:
        return file.names[0]
    return f"{file.item.name}/dataset=…/{file.item.name}.parquet"


def _quoted(text: str) -> str:
    """A YAML string: JSON's are among them."""
    return json.dumps(text, ensure_ascii=False)


def _tex(text: str) -> str:
    return "".join(f"\\{c}" if c in "_&%#$" else c for c in text)

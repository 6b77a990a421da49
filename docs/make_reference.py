"""Writes the reference in docs/ from the program itself: cli, queries, tables, study-file.

    python docs/make_reference.py

Every command, query, table, view, macro and key of a study file is found by itself; a test compares
the files with what this program makes. The examples are answered by a small made study.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click
import polars as pl
from pydantic import BaseModel

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from lmc_track.cli.main import COMMANDS, cli
from lmc_track.cli.output import as_table
from lmc_track.steps.derivations import DERIVATIONS
from lmc_track.study.sections import (
    ClusterSection,
    EvaluateSection,
    FinetuneSection,
    InterpolateSection,
    ModelSection,
    StudySection,
)
from lmc_track.study.tabular_section import DiagnosticSection, SourceSection
from lmc_track.study.task_sections import TASKS
from lmc_track.warehouse.library import Parameter, Query, queries
from lmc_track.warehouse.rebuild import rebuild
from lmc_track.warehouse.results import Results, open_results
from lmc_track.warehouse.schema import SchemaItem, column_meanings, schema
from support.simulated_study import simulated_snapshot

HERE = Path(__file__).parent
ROWS_SHOWN = 6
EXAMPLE_VALUES = {"tau": "0.3", "model": "seed-0", "model_a": "seed-0", "model_b": "seed-1"}
"""What examples give for a parameter that must be given; others by their type."""
EXAMPLE_OF_TYPE = {"DOUBLE": "0.1", "INTEGER": "2", "BOOLEAN": "true"}
MADE = "<!-- Made by `make docs`; do not edit. -->"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, text in reference(example_results(Path(folder))).items():
            (HERE / name).write_text(text, encoding="utf-8")


def reference(results: Results) -> dict[str, str]:
    """The text of every file by its name."""
    items = schema()
    return {
        "cli.md": cli_page(),
        "queries.md": queries_page(results, items),
        "study-file.md": study_file_page(),
        "tables.md": tables_page(items),
    }


def example_results(folder: Path) -> Results:
    """The made study that examples ask: six models, two clusters."""
    snapshot = simulated_snapshot(folder / "record", n_examples=60, planes=((0, 1, 2),))
    rebuild(folder / "results.duckdb", snapshot, DERIVATIONS)
    return open_results(folder / "results.duckdb")


def cli_page() -> str:
    parts = [
        "# Commands",
        MADE,
        "`lmc-track COMMAND --help` prints the same. Rows go to standard output, everything else "
        "to standard error ([running.md](running.md#progress)). `--home`, `--tracking-uri`, "
        "`--format`, `--quiet`, `--verbose` and `--debug` stand before the command or after it.",
    ]
    for name in COMMANDS:
        context = command_context(name)
        parts += [f"## {name}", fenced(context.get_help())]
        if isinstance(context.command, click.Group):
            for inner in context.command.list_commands(context):
                nested = command_context(inner, context)
                parts += [f"### {name} {inner}", fenced(nested.get_help())]
    return page(parts)


def command_context(name: str, parent: click.Context | None = None) -> click.Context:
    """The command ``name`` of the program, or of its command in ``parent``, ready to be asked."""
    if parent is None:
        parent = click.Context(cli, info_name="lmc-track", **cli.context_settings)
    assert isinstance(parent.command, click.Group)
    command = parent.command.get_command(parent, name)
    assert command is not None
    return click.Context(
        command, info_name=name, parent=parent, terminal_width=90, max_content_width=90
    )


def queries_page(results: Results, items: Sequence[SchemaItem]) -> str:
    library = queries()
    parts = [
        "# Queries",
        MADE,
        "Each is a file of SQL in `queries/`, run by name: `lmc-track query NAME KEY=VALUE`, or "
        "`lmc_track.open(home).query(NAME, KEY=VALUE)`, which gives a Polars frame. `study` may be "
        "left out where there is only one. The examples ask a made study of six models.",
        "Your own are found too: `queries/NAME.sql` in the home, with the same header as these "
        "(`lmc-track query NAME --show` prints one). They see the tables, views and macros of "
        "[tables.md](tables.md), and are kept from files and network, to 60 seconds, 2 GB of "
        "memory and 1 GB of rows.",
        fenced(OWN_EXAMPLE, "sql"),
        "\n".join(f"- [{q.name}](#{q.name}): {q.description}" for q in library.values()),
    ]
    for query in library.values():
        parts += query_parts(query, results, column_meanings(items))
    return page(parts)


OWN_EXAMPLE = """-- name: close_pairs
-- description: Pairs of models whose convexity gap is at most a threshold.
-- param study VARCHAR required: name of the study
-- param half VARCHAR = 'held-out': all, discovery or held-out
-- param gap DOUBLE = 0.1: greatest gap, in nats
SELECT model_a, model_b, convexity_gap
FROM barriers
WHERE study = getvariable('study') AND half = getvariable('half')
    AND dataset = 'validation' AND subset = 'all' AND metric = 'loss'
    AND convexity_gap <= getvariable('gap')
ORDER BY convexity_gap"""


def query_parts(query: Query, results: Results, meanings: dict[str, str]) -> list[str]:
    given = {p.name: example_value(query, p) for p in query.parameters if must_be_given(p)}
    frame = results.query(query.name, **given)
    options = "".join(f" -p {name}={value}" for name, value in given.items())
    shown = as_table(frame.head(ROWS_SHOWN), 40)
    rest = f"\n… {frame.height} rows" if frame.height > ROWS_SHOWN else ""
    return [
        f"## {query.name}",
        query.description,
        table(
            ("parameter", "type", "default", "meaning"),
            ((f"`{p.name}`", p.sql_type, default(p), p.meaning) for p in query.parameters),
        ),
        table(("column", "type", "meaning"), columns(frame, results, meanings)),
        fenced(f"$ lmc-track query {query.name}{options}\n{shown}{rest}", "console"),
    ]


def must_be_given(parameter: Parameter) -> bool:
    return parameter.default is None and parameter.name != "study"


def example_value(query: Query, parameter: Parameter) -> str:
    value = EXAMPLE_VALUES.get(parameter.name) or EXAMPLE_OF_TYPE.get(parameter.sql_type)
    if value is None:
        raise SystemExit(f"EXAMPLE_VALUES lacks {parameter.name}, which {query.name} needs")
    return value


def default(parameter: Parameter) -> str:
    return "must be given" if parameter.default is None else f"`{parameter.default}`"


def columns(
    frame: pl.DataFrame, results: Results, meanings: dict[str, str]
) -> Iterable[tuple[str, str, str]]:
    """Name, SQL type and meaning; the columns named for a model as one."""
    models = set(results.query("models")["name"])
    told = False
    for name, dtype in frame.schema.items():
        if name not in models:
            yield f"`{name}`", sql_type(dtype), meanings.get(name, "")
        elif not told:
            told = True
            yield "one a model", sql_type(dtype), "named as the model"


def sql_type(dtype: pl.DataType) -> str:
    if isinstance(dtype, pl.List):
        return f"{sql_type(pl.Series(dtype=dtype.inner).dtype)}[]"
    if isinstance(dtype, pl.Struct):
        inner = ", ".join(f"{f.name} {sql_type(f.dtype)}" for f in dtype.fields)  # type: ignore[arg-type]
        return f"STRUCT({inner})"
    if isinstance(dtype, pl.Decimal):
        return "HUGEINT" if dtype.scale == 0 else f"DECIMAL({dtype.precision},{dtype.scale})"
    names = {
        pl.String: "VARCHAR", pl.Int64: "BIGINT", pl.Int32: "INTEGER", pl.Float64: "DOUBLE",
        pl.Float32: "FLOAT", pl.Boolean: "BOOLEAN", pl.Datetime: "TIMESTAMP",
    }  # fmt: skip
    return names.get(type(dtype), str(dtype))


def tables_page(items: Sequence[SchemaItem]) -> str:
    parts = [
        "# Tables, views and macros",
        MADE,
        "What SQL can read in `results.duckdb`, by `lmc-track sql` and in your own queries; "
        "`lmc-track schema` prints the same. Ids are MLflow run ids. Macros are called like tables "
        "with their parameters, as in `FROM study_models('demo', NULL)`.",
    ]
    for kind, title in (("table", "Tables"), ("view", "Views"), ("macro", "Macros")):
        parts.append(f"## {title}")
        for item in items:
            if item.kind == kind:
                parts += [f"### {item.name}", item.meaning]
                if kind == "macro":
                    parts.append(f"`{item.signature}`")
                if item.columns:
                    rows = ((f"`{c.name}`", c.sql_type, c.meaning) for c in item.columns)
                    parts.append(table(("column", "type", "meaning"), rows))
    return page(parts)


def study_file_page() -> str:
    parts = [
        "# The study file",
        MADE,
        "A study is one TOML file; `lmc-track init study.toml --task NAME` writes one with every "
        "key explained. Only `study.name` must be given. An unknown key is an error that names "
        "the nearest known one. `--set SECTION.KEY=VALUE` overrides a key on the command line; "
        "folders in the file are relative to it, those typed to the working directory "
        "([running.md](running.md#paths)). A "
        "recorded study may gain seeds, evaluation sets and points of the grid; what else differs "
        "from the record is refused and shown ([README](../README.md#a-study-of-your-own)).",
        fenced(STUDY_FILE_EXAMPLE, "toml"),
    ]
    sections: list[tuple[str, str, type[BaseModel]]] = [("study", "", StudySection)]
    sections += [
        (f'task, name = "{name}"', f'`[task]` with `name = "{name}"`; see [tasks.md](tasks.md).', m)
        for name, m in TASKS.items()
    ]
    sections += [
        ("task.train and task.validation", "Of the task `tabular`: one set each.", SourceSection),
        (
            "task.diagnostics.NAME",
            "Of the task `tabular`: a further evaluation set by name, with the keys of "
            "`[task.validation]` and these.",
            DiagnosticSection,
        ),
        ("model", "", ModelSection),
        ("finetune", "", FinetuneSection),
        ("evaluate", "", EvaluateSection),
        ("interpolate", "", InterpolateSection),
        ("cluster", "", ClusterSection),
    ]
    for title, text, model in sections:
        known = SourceSection.model_fields if model is DiagnosticSection else {}
        rows = (key_row(key, model) for key in model.model_fields if key not in known)
        parts += [f"## {title}", *([text] if text else [])]
        parts.append(table(("key", "type", "default", "meaning"), rows))
    return page(parts)


STUDY_FILE_EXAMPLE = """[study]
name = "cola-bert"

[task]
name = "cola"

[model]
base = "google-bert/bert-base-uncased"

[finetune]
seeds = "0-7"
epochs = 6

[finetune.trainer]
weight_decay = 0.01"""


OWN_MEANINGS = {
    "name": "Which task.",
    "train": "What models are finetuned on: the table `[task.train]`.",
    "validation": "What gaps are measured on: the table `[task.validation]`.",
    "diagnostics": "Further evaluation sets by name: the tables `[task.diagnostics.NAME]`.",
}
"""Of keys of ``[task]`` that the schema explains by what is in them."""


def key_row(key: str, model: type[BaseModel]) -> tuple[str, str, str, str]:
    field = model.model_fields[key]
    schema = model.model_json_schema()["properties"][key]
    meaning = field.description or OWN_MEANINGS.get(key, "")
    given = field.get_default(call_default_factory=True)
    if field.is_required():
        shown = "must be given"
    elif given is None or given == {}:
        shown = "not set"
    else:
        shown = f"`{json.dumps(given)}`"
    return f"`{key}`", type_name(schema), shown, meaning


BOUNDS = {
    "minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most",
    "exclusiveMaximum": "below",
}  # fmt: skip
TYPES = {
    "string": "text", "integer": "integer", "number": "number", "boolean": "true or false",
    "object": "table", "null": "not set",
}  # fmt: skip


def type_name(schema: dict[str, Any]) -> str:
    """A JSON schema in the words of somebody who writes TOML."""
    if "$ref" in schema or schema.get("type") == "object":
        return "table"
    if "anyOf" in schema:
        given = [type_name(one) for one in schema["anyOf"] if one.get("type") != "null"]
        return " or ".join(dict.fromkeys(given))
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    if "enum" in schema:
        return " or ".join(f"`{json.dumps(one)}`" for one in schema["enum"])
    if schema.get("type") == "array":
        if "prefixItems" in schema:
            return "list of " + str(len(schema["prefixItems"])) + " texts"
        return f"list of ({type_name(schema['items'])})"
    bounds = [f"{words} {schema[key]:g}" for key, words in BOUNDS.items() if key in schema]
    return ", ".join([TYPES[schema["type"]], *bounds])


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines
    )


def fenced(text: str, language: str = "text") -> str:
    return f"```{language}\n{text}\n```"


def page(parts: Iterable[str]) -> str:
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    main()

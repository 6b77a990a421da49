"""Small files in the published forms of MNLI, HANS, QQP and PAWS-QQP, and folders of hub layout."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl

PAIRS = (
    ("entailment", 'A "dog barks.', "A dog makes a sound.", "fiction"),
    ("-", "Nobody agreed.", "Somebody did.", "travel"),
    ("contradiction", "It rains.", "It is dry.", "nine/eleven"),
    ("neutral", "It rains.", "It is cold.", "travel"),
)
HANS_HEADER = (
    "gold_label", "sentence1_binary_parse", "sentence2_binary_parse", "sentence1_parse",
    "sentence2_parse", "sentence1", "sentence2", "pairID", "heuristic", "subcase", "template",
)  # fmt: skip
HANS_ROWS = (
    ("non-entailment", "The cat saw the dog .", "The dog saw the cat .", "lexical_overlap",
     "ln_subject/object_swap"),
    ("entailment", "The cat by the dog slept .", "The cat slept .", "lexical_overlap",
     "le_around_prepositional_phrase"),
    ("non-entailment", "The cat near the dog slept .", "The dog slept .", "subsequence",
     "sn_PP_on_subject"),
    ("entailment", "Because it rained , the cat slept .", "It rained .", "constituent",
     "ce_embedded_under_since"),
)  # fmt: skip


def mnli_jsonl(file: Path, pairs: tuple[tuple[str, str, str, str], ...] = PAIRS) -> Path:
    rows = [
        {"gold_label": label, "sentence1": a, "sentence2": b, "genre": genre, "pairID": str(k)}
        for k, (label, a, b, genre) in enumerate(pairs)
    ]
    return written(file, "\n".join(json.dumps(row) for row in rows) + "\n")


def mnli_glue(file: Path) -> Path:
    """GLUE's form: no pairs without a gold label, many columns beside those that are read."""
    header = "index\tpromptID\tpairID\tgenre\tsentence1\tsentence2\tlabel1\tgold_label\n"
    rows = [
        f"{k}\t{k}\t{k}e\t{genre}\t{a}\t{b}\t{label}\t{label}"
        for k, (label, a, b, genre) in enumerate(p for p in PAIRS if p[0] != "-")
    ]
    return written(file, header + "\n".join(rows))


def hans_text(file: Path, rows: tuple[tuple[str, ...], ...] = HANS_ROWS) -> Path:
    lines = ["\t".join(HANS_HEADER)]
    for k, (label, a, b, heuristic, subcase) in enumerate(rows):
        lines.append(
            "\t".join((label, "(", "(", "(", "(", a, b, f"ex{k}", heuristic, subcase, "t"))
        )
    return written(file, "\n".join(lines) + "\n")


def hans_jsonl(file: Path) -> Path:
    names = ("gold_label", "sentence1", "sentence2", "heuristic", "subcase")
    return written(
        file, "\n".join(json.dumps(dict(zip(names, row, strict=True))) for row in HANS_ROWS)
    )


def written(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8", newline="")
    return file


def hub_folder(folder: Path, splits: dict[str, dict[str, list[Any]]], config: str = "") -> Path:
    """A folder of the hub's layout, with one configuration (``default`` where it has no name)."""
    files = "".join(
        f"  - split: {split}\n    path: {config or 'data'}/{split}-*\n" for split in splits
    )
    written(
        folder / "README.md",
        f"---\nconfigs:\n- config_name: {config or 'default'}\n  data_files:\n{files}---\n",
    )
    for split, columns in splits.items():
        file = folder / (config or "data") / f"{split}-00000-of-00001.parquet"
        file.parent.mkdir(parents=True, exist_ok=True)
        pl.DataFrame(columns).write_parquet(file)
    return folder

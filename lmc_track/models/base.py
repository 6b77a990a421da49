"""The pretrained encoder that all models of a study start from: found, checked, identified."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lmc_track.errors import InputError
from lmc_track.models.checkpoints import check_checkpoint, weights_digest
from lmc_track.models.foreign import read_object
from lmc_track.models.hub import TOKENIZER_FILES, VOCABULARIES, fetch
from lmc_track.models.silence import silent_transformers

# Where a model came from and which version wrote it are not what it is.
_PASSING_CONFIG = ("_name_or_path", "transformers_version")
_GIVE_A_FOLDER = (
    "Give a folder that holds config.json, model.safetensors and a tokenizer: "
    "--set model.base=FOLDER"
)
_MOST_TOKENS = 1_000_000
# RoBERTa and its kin, whose position ids start after the padding id.
_POSITIONS_AFTER_PADDING = frozenset(
    {
        "camembert", "data2vec-text", "esm", "ibert", "layoutlmv3", "lilt", "longformer", "luke",
        "markuplm", "mpnet", "roberta", "roberta-prelayernorm", "xlm-roberta", "xlm-roberta-xl",
        "xmod",
    }
)  # fmt: skip


def resolve_base(
    base: str, revision: str | None, cache_dir: Path, environ: Mapping[str, str]
) -> Path:
    """The folder of the encoder ``base``: a folder as it is, a hub id downloaded.

    Downloads go where ``HF_HUB_CACHE`` or ``HF_HOME`` say, else below ``cache_dir``; what is
    there already is used when there is no network.

    Raises:
        InputError: it is not there, or not in a form that can be used.
    """
    if not base:
        raise InputError(
            "model.base: no encoder is named",
            'For example base = "google-bert/bert-base-uncased" in [model]. ' + _GIVE_A_FOLDER,
        )
    folder = Path(base).expanduser()
    if folder.is_dir():
        _check_base(folder)
        return folder.resolve()
    if base.startswith((".", "/", "~")) or base.count("/") > 1 or "\\" in base:
        raise InputError(f"model.base: there is no folder {base}", _GIVE_A_FOLDER)
    folder = fetch(base, revision, cache_dir, environ, key="model.base", remedy=_GIVE_A_FOLDER)
    _check_base(folder)
    return folder


def _check_base(folder: Path) -> None:
    inner = folder / "model"
    if not (folder / "config.json").is_file() and (inner / "config.json").is_file():
        raise InputError(
            f"model.base: {folder} holds no config.json, but {inner} does",
            f"Use that folder: --set model.base={inner}",
        )
    check_checkpoint(folder)
    if not any((folder / name).is_file() for name in VOCABULARIES):
        raise InputError(
            f"model.base: {folder} holds no tokenizer",
            "Save it beside the model, with save_pretrained() of the tokenizer.",
        )


def base_digest(folder: Path) -> str:
    """SHA-256 (hex) over the weights, the configuration and the tokenizer in ``folder``.

    JSON files count by content, not by layout.
    """
    digest = hashlib.sha256(f"lmc-track base v1 {weights_digest(folder)}".encode())
    _add_files(digest, folder, ("config.json", *sorted(TOKENIZER_FILES)), _PASSING_CONFIG)
    return digest.hexdigest()


def reader_digest(folder: Path) -> str:
    """SHA-256 (hex) over the configuration and the tokenizer of a classifier in ``folder``.

    It is what stands for the base model of a study that has none. Names of labels do not count.
    """
    digest = hashlib.sha256(b"lmc-track reader v1")
    passing = (*_PASSING_CONFIG, "id2label", "label2id")
    _add_files(digest, folder, ("config.json", *sorted(TOKENIZER_FILES)), passing)
    return digest.hexdigest()


def tokenizer_digest(folder: Path) -> str:
    """SHA-256 (hex) over the tokenizer in ``folder``."""
    digest = hashlib.sha256(b"lmc-track tokenizer v1")
    _add_files(digest, folder, sorted(TOKENIZER_FILES), ())
    return digest.hexdigest()


def _add_files(
    digest: Any, folder: Path, names: Sequence[str], passing_config: Sequence[str]
) -> None:
    for name in names:
        file = folder / name
        if not file.is_file():
            continue
        content = file.read_bytes()
        if name.endswith(".json"):
            parsed = read_object(file)
            if name == "config.json":
                parsed = {k: v for k, v in parsed.items() if k not in passing_config}
            content = json.dumps(parsed, sort_keys=True).encode()
        digest.update(f"{name} {len(content)} ".encode())
        digest.update(content)


def read_base(folder: Path) -> tuple[Any, Any]:
    """The configuration and the tokenizer of the encoder in ``folder``.

    Raises:
        InputError: transformers cannot make a classifier of it, or only with code that comes
            with it, which is never run.
    """
    from transformers import AutoConfig, AutoTokenizer
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES as CLASSIFIERS,
    )

    try:
        with silent_transformers():
            config, tokenizer = (
                kind.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
                for kind in (AutoConfig, AutoTokenizer)
            )
    except Exception as error:  # whatever transformers makes of odd files
        if "custom code" in str(error):
            raise InputError(
                f"model.base: {folder} can only be loaded with code of its own, which is never run",
                "Take an encoder of an architecture that transformers has.",
            ) from None
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise InputError(
            f"model.base: transformers cannot load {folder}: {reason}", _GIVE_A_FOLDER
        ) from None
    if config.model_type not in CLASSIFIERS:
        raise InputError(
            f"model.base: {folder} is of the architecture {config.model_type!r}, of which "
            "transformers has no sequence classifier",
            "Take an encoder such as BERT, RoBERTa, DeBERTa or ELECTRA.",
        )
    _check_types(folder, config, tokenizer)
    return config, tokenizer


def _check_types(folder: Path, config: Any, tokenizer: Any) -> None:
    """Raise InputError where what is computed with is not a number: transformers does not look."""
    for owner, of, names in (
        (config, "config.json", ("vocab_size", "max_position_embeddings", "pad_token_id")),
        (tokenizer, "tokenizer_config.json", ("model_max_length", "pad_token_id")),
    ):
        for name in names:
            value = getattr(owner, name, None)
            if value is not None and (
                isinstance(value, bool) or not isinstance(value, int | float)
            ):
                raise InputError(
                    f"model.base: {folder / of}: {name} is not a number", _GIVE_A_FOLDER
                )


def longest_input(config: Any, tokenizer: Any) -> int | None:
    """The most tokens that a model of ``config`` can read; None where it has no limit."""
    limits = [tokenizer.model_max_length]
    positions = getattr(config, "max_position_embeddings", None)
    if positions is not None and positions > 0:
        offset = config.model_type in _POSITIONS_AFTER_PADDING
        limits.append(positions - (config.pad_token_id + 1 if offset else 0))
    limit = min(limits)
    return limit if limit < _MOST_TOKENS else None

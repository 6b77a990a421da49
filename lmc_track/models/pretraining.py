"""The agreement task's own base model: a small BERT pretrained by masked language modelling.

Made once for its settings and kept in the cache, named by a digest of all that matters.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lmc_track.damaged_files import set_aside
from lmc_track.errors import InputError
from lmc_track.models.checkpoints import check_checkpoint
from lmc_track.models.foreign import read_object
from lmc_track.models.silence import silent_transformers
from lmc_track.models.threads import one_thread
from lmc_track.models.words import word_tokenizer
from lmc_track.progress import Progress
from lmc_track.study.task_sections import AgreementTask
from lmc_track.tasks.agreement_language import DATA_SEED, pretraining_sentences, vocabulary

_SCHEMA = 1
_MAX_TOKENS = 16
_SUMS = "sha256.json"
_ARCHITECTURE: dict[str, Any] = {
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 256,
    "max_position_embeddings": _MAX_TOKENS,
    "initializer_range": 0.1,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
    # With output weights of its own the model leaves its plateau in half as many steps.
    "tie_word_embeddings": False,
}
_TRAINING = {
    "batch_size": 64,
    "learning_rate": 2e-3,
    "weight_decay": 0.01,
    "warmup_steps": 50,
    "max_grad_norm": 1.0,
    "masked": 0.2,
}


def pretrained_base(section: AgreementTask, cache_dir: Path, progress: Progress) -> Path:
    """The folder of the base model that ``section`` describes, pretrained now if need be.

    It is written beside its place and renamed, so an interruption leaves nothing half-made.
    One thread makes it: it is part of a study's identity, whatever the machine.
    """
    settings = {
        "schema": _SCHEMA,
        "violation_rate": section.violation_rate,
        "seed": section.base_seed,
        "sentences": section.pretraining_sentences,
        "steps": section.pretraining_steps,
        "architecture": _ARCHITECTURE,
        "training": _TRAINING,
        "vocabulary": vocabulary(),
        "data_seed": DATA_SEED,
    }
    text = json.dumps(settings, sort_keys=True)
    folder = cache_dir / "base" / f"agreement-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    if folder.is_dir() and (why := _damage(folder)) is None:
        return folder
    if folder.is_dir():
        kept = set_aside(folder)
        progress.note(f"The pretrained base model {folder} is damaged ({why}) and is made again.")
        if kept is not None:
            progress.note(f"What was there is kept as {kept}.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix="pretraining-", dir=folder.parent))
    try:
        with silent_transformers(), one_thread():
            _pretrain(section, unfinished, progress)
        (unfinished / "pretraining.json").write_text(text + "\n", encoding="utf-8")
        sums = {file.name: _sha256(file) for file in sorted(unfinished.iterdir())}
        (unfinished / _SUMS).write_text(json.dumps(sums, indent=1) + "\n", encoding="utf-8")
        try:
            unfinished.rename(folder)
        except OSError:
            # Another process was first; its model is the same one.
            if not folder.is_dir():
                raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return folder


def _damage(folder: Path) -> str | None:
    """Why the model in ``folder`` is not what was written; None where it is, for all one knows."""
    try:
        check_checkpoint(folder)
        if not (folder / _SUMS).is_file():  # made by an older version
            return None
        for name, digest in read_object(folder / _SUMS).items():
            if _sha256(folder / Path(name).name) != digest:
                return f"{name} is not what was written"
    except InputError as error:
        return error.message
    except OSError as error:
        return f"{error.filename}: {error.strerror}"
    return None


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def base_tokenizer() -> Any:
    """The tokenizer of every model that is pretrained here."""
    return word_tokenizer(vocabulary(), _MAX_TOKENS)


def _pretrain(section: AgreementTask, folder: Path, progress: Progress) -> None:
    import torch
    from transformers import BertConfig, BertForMaskedLM

    tokenizer = base_tokenizer()
    sentences = pretraining_sentences(
        section.violation_rate, section.pretraining_sentences, section.base_seed
    )
    # All sentences have the same number of words, so nothing is padded.
    tokens = torch.tensor(tokenizer(sentences)["input_ids"])
    words = torch.isin(tokens, torch.tensor(tokenizer.all_special_ids), invert=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(section.base_seed)
        model: Any = BertForMaskedLM(BertConfig(vocab_size=len(tokenizer), **_ARCHITECTURE))
        steps, peak = section.pretraining_steps, _TRAINING["learning_rate"]
        optimizer = torch.optim.AdamW(
            model.parameters(), lr=peak, weight_decay=_TRAINING["weight_decay"]
        )
        batches = _batches(len(tokens), int(_TRAINING["batch_size"]))
        model.train()
        with progress.track("Pretraining the base model", steps, "steps") as work:
            for step in range(steps):
                warmup = min(1.0, (step + 1) / _TRAINING["warmup_steps"])
                for group in optimizer.param_groups:
                    group["lr"] = peak * warmup * (1 - step / steps)
                rows = next(batches)
                batch = tokens[rows]
                masked = (torch.rand(batch.shape) < _TRAINING["masked"]) & words[rows]
                loss = model(
                    input_ids=batch.masked_fill(masked, tokenizer.mask_token_id),
                    labels=batch.masked_fill(~masked, -100),
                ).loss
                optimizer.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(model.parameters(), _TRAINING["max_grad_norm"])
                optimizer.step()
                work.advance()
    model.eval().save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _batches(n: int, size: int) -> Iterator[Any]:
    """Row indices, shape (size,), of one random order of ``n`` rows after another."""
    import torch

    rows = torch.empty(0, dtype=torch.int64)
    while True:
        while len(rows) < size:
            rows = torch.cat([rows, torch.randperm(n)])
        yield rows[:size]
        rows = rows[size:]

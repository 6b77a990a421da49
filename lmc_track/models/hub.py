"""Fetching a model from the Hugging Face hub: its configuration, safetensors and tokenizer.

Pickles and code are never fetched, so nothing that is fetched can run when it is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from lmc_track.errors import InputError

VOCABULARIES = (
    "tokenizer.json", "vocab.txt", "vocab.json", "spiece.model", "sentencepiece.bpe.model",
    "tokenizer.model", "spm.model",
)  # fmt: skip
TOKENIZER_FILES = (
    *VOCABULARIES, "merges.txt", "added_tokens.json", "special_tokens_map.json",
    "tokenizer_config.json",
)  # fmt: skip
_FETCHED = [
    "config.json", "adapter_config.json", "model*.safetensors", "model*.safetensors.index.json",
    *TOKENIZER_FILES,
]  # fmt: skip


def fetch(
    repo: str,
    revision: str | None,
    cache_dir: Path,
    environ: Mapping[str, str],
    *,
    key: str,
    remedy: str,
    local_only: bool = False,
    patterns: Sequence[str] = _FETCHED,
) -> Path:
    """The local folder of the model ``repo`` at ``revision``, whose name is the commit.

    Downloads go where ``HF_HUB_CACHE`` or ``HF_HOME`` say, else below ``cache_dir``; what is
    there already is used when there is no network, or when ``local_only``. Errors begin with
    ``key``, what the user named the model by, and end with ``remedy``. Of its files those that fit
    ``patterns`` are wanted.

    Raises:
        InputError: it is not there, or cannot be reached.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    own_cache = environ.get("HF_HUB_CACHE") or environ.get("HF_HOME")
    try:
        found = snapshot_download(
            repo,
            revision=revision,
            cache_dir=None if own_cache else str(cache_dir / "hub"),
            allow_patterns=list(patterns),
            local_files_only=local_only,
        )
    except GatedRepoError:
        raise InputError(
            f"{key}: access to {repo} has to be asked for on the hub",
            "Ask there and log in with: hf auth login. " + remedy,
        ) from None
    except RevisionNotFoundError:
        raise InputError(
            f"{key}: {repo} has no revision {revision!r} on the hub",
            "Correct the revision, or leave it out.",
        ) from None
    except (RepositoryNotFoundError, HFValidationError):
        raise InputError(
            f"{key}: {repo} is neither a folder nor a model on the hub", remedy
        ) from None
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
        raise InputError(
            f"{key}: {repo} is not a folder here, and the hub cannot be reached "
            f"({type(error).__name__})",
            remedy,
        ) from None
    return Path(found)


def fetch_tokenizer(
    repo: str, revision: str | None, cache_dir: Path, environ: Mapping[str, str]
) -> Path:
    """The local folder with configuration and tokenizer of the model ``repo``, as ``fetch``."""
    return fetch(
        repo,
        revision,
        cache_dir,
        environ,
        key="model.base",
        remedy="Give a folder: --set model.base=FOLDER",
        patterns=("config.json", *TOKENIZER_FILES),
    )


def files_on_hub(repo: str, revision: str | None) -> list[str]:
    """Names of the files that ``repo`` has; none where the hub does not answer."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, OfflineModeIsEnabled

    try:
        return list(HfApi().list_repo_files(repo, revision=revision))
    except (HfHubHTTPError, HFValidationError, OfflineModeIsEnabled, OSError):
        return []

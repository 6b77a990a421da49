"""Where tensors are: the device by its name, and how much of its memory weights may take."""

from __future__ import annotations

import os
import re

import torch

from lmc_track.errors import InputError

# Of the memory of this machine or of the device; other processes and activations need the rest.
_SHARE = 0.25


def torch_device(name: str) -> torch.device:
    """The device ``name``: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.

    Raises:
        InputError: there is no such device here.
    """
    there = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "auto":
        name = "cuda" if there else "cpu"
    if name == "cpu":
        return torch.device("cpu")
    match = re.fullmatch(r"cuda(?::(\d+))?", name)
    if match is None:
        raise InputError(
            f"--device: {name!r} is no device", "Write auto, cpu, cuda or cuda:N, such as cuda:0."
        )
    if not there:
        raise InputError(
            f"--device: torch sees no CUDA device for {name!r}",
            "Check nvidia-smi and that torch is a CUDA build, or use --device cpu.",
        )
    if int(match[1] or 0) >= there:
        raise InputError(
            f"--device: there is no {name!r}; torch sees {there} CUDA devices, from cuda:0",
            "Name one of those.",
        )
    return torch.device(name)


def cache_limit(device: torch.device) -> int:
    """How many bytes of weights are held on ``device``."""
    if device.type == "cuda":
        return int(_SHARE * torch.cuda.get_device_properties(device).total_memory)
    return int(_SHARE * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))

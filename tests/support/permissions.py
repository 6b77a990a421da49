"""Being bound by the permissions of files, also as root."""

from __future__ import annotations

import ctypes
import os

# Capabilities of Linux by which root reads and writes what permissions forbid.
_DAC_OVERRIDE, _DAC_READ_SEARCH, _FOWNER = 1, 2, 3
_VERSION_3 = 0x20080522


def give_up_override() -> None:
    """From now on permissions bind this process as they bind any other user."""
    if os.geteuid() != 0:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(_VERSION_3, 0)
    # Two words, each of the effective, the permitted and the inheritable ones.
    words = (ctypes.c_uint32 * 6)()
    _checked(libc.capget(header, words))
    for capability in (_DAC_OVERRIDE, _DAC_READ_SEARCH, _FOWNER):
        words[0] &= ~(1 << capability)
        words[1] &= ~(1 << capability)
    _checked(libc.capset(header, words))


def _checked(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

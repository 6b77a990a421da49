"""A command that computes in its own process sees one device and no other."""

from __future__ import annotations

import pytest

from lmc_track.cli.options import _alone_with


@pytest.mark.parametrize(
    ("device", "visible", "left", "called"),
    [
        ("auto", None, "0", "auto"),
        ("cuda", None, "0", "cuda"),
        ("cuda:3", None, "3", "cuda"),
        ("cuda:1", "4,6", "6", "cuda"),
        ("auto", "GPU-a,GPU-b", "GPU-a", "auto"),
        ("cuda:2", "4,6", "4,6", "cuda:2"),
        ("cpu", "4,6", "", "cpu"),
        ("cuda", "", "", "cuda"),
        ("tpu", None, None, "tpu"),
        ("cuda:x", None, None, "cuda:x"),
    ],
)
def test_one_device_is_left(
    device: str, visible: str | None, left: str | None, called: str
) -> None:
    environ = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}
    assert _alone_with(device, environ) == called
    assert environ.get("CUDA_VISIBLE_DEVICES") == left

"""Videos of an edit, written with PyAV if it is installed."""

from __future__ import annotations

import importlib
import io
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from maskgan_cli.errors import InputError
from maskgan_cli.files import Picture

_RATE: Final = 12  # frames per second
_HELD: Final = 8  # frames for which the first and the last picture are shown
_QUALITY: Final = "18"  # of H.264: 0 is lossless, 23 is the encoder's default


def video_library() -> Any:
    """Import PyAV and return its module ``av``.

    Raises:
        InputError: PyAV is not installed.
    """
    try:
        return importlib.import_module("av")
    except ImportError:
        raise InputError(
            "the video",
            expected="the Python package av (PyAV)",
            found="none",
            hint="install it with `pip install av`, or save a GIF",
        ) from None


def encode_video(pictures: Sequence[Picture]) -> bytes:
    """Encode pictures (H, W, 3) as an MP4 file with H.264, and return its bytes.

    All pictures must have the same size, and H and W must be even.

    Raises:
        InputError: PyAV is not installed.
    """
    library, data = video_library(), io.BytesIO()
    held = [*[pictures[0]] * (_HELD - 1), *pictures, *[pictures[-1]] * (_HELD - 1)]
    with library.open(data, "w", format="mp4") as file:
        stream = file.add_stream("libx264", rate=_RATE, options={"crf": _QUALITY})
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"  # the only format that all browsers and phones play
        for picture in held:
            frame = library.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    return data.getvalue()

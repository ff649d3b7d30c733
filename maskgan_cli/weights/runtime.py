"""Opens ONNX files with onnxruntime. Damaged files raise an InputError, and messages of onnxruntime are not printed."""

from __future__ import annotations

import contextlib
import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from maskgan_cli.errors import InputError
from maskgan_cli.files import unreadable

_MAX_NUMBERS = 1 << 28  # maximum number of values in a tensor: one gigabyte as float32
_FATAL = 4  # onnxruntime's log level for fatal errors only


def open_onnx(path: Path, providers: Sequence[str], expected: str) -> Any:
    """Open an ONNX file, and return the onnxruntime session that runs its network.

    Args:
        path: the file.
        providers: execution providers in order of preference; see `available_providers`.
        expected: description of the expected file for the error message, e.g. ``a network as ONNX``.

    Raises:
        InputError: the file or the package onnxruntime is missing, or the file is damaged.
    """
    onnxruntime = _package(path)
    if not path.is_file():
        raise unreadable(path, FileNotFoundError("no such file"), expected)
    _check_sizes(path, expected)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = torch.get_num_threads(), _FATAL
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # onnxruntime prints errors on stdout
            session = onnxruntime.InferenceSession(str(path), options, providers=list(providers))
        session.disable_fallback()  # raise errors of the provider instead of printing them and trying another one
        for node in (*session.get_inputs(), *session.get_outputs()):
            _ = node.name, node.shape  # raises an error if a name is not valid text
    except Exception as error:  # onnxruntime's errors for damaged files have no common base class
        raise unreadable(path, RuntimeError("a file that onnxruntime cannot read"), expected) from error
    return session


def _check_sizes(path: Path, expected: str) -> None:
    """Reject a file that declares very large tensors, because onnxruntime would allocate them when it opens the file.

    Only sizes that can be inferred from the graph are checked, and only if the package onnx is installed.

    Raises:
        InputError: a tensor is too large, or the file is damaged.
    """
    try:
        import onnx
        from onnx import shape_inference
    except ImportError:
        return
    try:
        model = onnx.load(str(path), load_external_data=False)
        graph = shape_inference.infer_shapes(model, data_prop=True).graph
    except Exception as error:  # onnx's errors for damaged files have no common base class
        raise unreadable(path, RuntimeError("a file that onnx cannot read"), expected) from error
    values = [value.type.tensor_type.shape.dim for value in (*graph.input, *graph.value_info, *graph.output)]
    shapes = [[dim.dim_value for dim in dims if dim.dim_value] for dims in values]
    shapes += [list(tensor.dims) for tensor in graph.initializer]
    if (most := max(map(math.prod, shapes), default=0)) > _MAX_NUMBERS:
        raise InputError(path, expected=expected, found=f"a file with a tensor of {most:,} numbers")


def available_providers(path: Path) -> list[str]:
    """Return the execution providers that onnxruntime supports on this machine.

    Args:
        path: the ONNX file, for the error message.

    Raises:
        InputError: the package onnxruntime is missing.
    """
    names: list[str] = _package(path).get_available_providers()
    return names


def _package(path: Path) -> Any:
    """Import and return onnxruntime, or raise an InputError about ``path`` if it is not installed."""
    try:
        import onnxruntime
    except ImportError as error:
        raise InputError(
            path, expected="the package onnxruntime", found="none", hint='pip install "maskgan[onnx]"'
        ) from error
    return onnxruntime

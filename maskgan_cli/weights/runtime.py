"""ONNX files, opened by onnxruntime: damaged ones are one line here and nothing in the terminal."""

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

_NUMBERS = 1 << 28  # in a tensor: a gigabyte
_FATAL = 4  # onnxruntime's word for what it still logs


def open_onnx(path: Path, providers: Sequence[str], expected: str) -> Any:
    """A network as an onnxruntime session.

    Args:
        path: the file.
        providers: where it may run, the wanted one first; see `there`.
        expected: what the file should be, for the error message.

    Raises:
        InputError: missing or damaged, or the package is missing.
    """
    onnxruntime = _package(path)
    if not path.is_file():
        raise unreadable(path, FileNotFoundError("no such file"), expected)
    _check_sizes(path, expected)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = torch.get_num_threads(), _FATAL
    said = io.StringIO()  # onnxruntime prints where it fails, to where data goes
    try:
        with contextlib.redirect_stdout(said):
            session = onnxruntime.InferenceSession(str(path), options, providers=list(providers))
        session.disable_fallback()  # what fails on faces fails, and prints nothing
        for one in (*session.get_inputs(), *session.get_outputs()):
            _ = one.name, one.shape  # names that are no text fail here
    except Exception as error:  # onnxruntime names no common base for what a damaged file raises
        raise unreadable(path, RuntimeError("a file that onnxruntime cannot read"), expected) from error
    return session


def _check_sizes(path: Path, expected: str) -> None:
    """Refuse a graph that says of itself that it needs gigabytes: onnxruntime would ask for them at once.

    Only what follows from its constants is known beforehand; and nothing without the package onnx.
    """
    try:
        import onnx
        from onnx import shape_inference
    except ImportError:
        return
    try:
        model = onnx.load(str(path), load_external_data=False)
        graph = shape_inference.infer_shapes(model, data_prop=True).graph
    except Exception as error:  # what a damaged file raises has no common base
        raise unreadable(path, RuntimeError("a file that onnx cannot read"), expected) from error
    values = [value.type.tensor_type.shape.dim for value in (*graph.input, *graph.value_info, *graph.output)]
    shapes = [[dim.dim_value for dim in dims if dim.dim_value] for dims in values]
    shapes += [list(tensor.dims) for tensor in graph.initializer]
    if (most := max(map(math.prod, shapes), default=0)) > _NUMBERS:
        raise InputError(path, expected=expected, found=f"one with a tensor of {most:,} numbers")


def there(path: Path) -> list[str]:
    """The providers that this machine's onnxruntime has.

    Raises:
        InputError: the package is missing, which ``path`` needs.
    """
    names: list[str] = _package(path).get_available_providers()
    return names


def _package(path: Path) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise InputError(
            path, expected="the package onnxruntime", found="none", hint='pip install "maskgan[onnx]"'
        ) from error
    return onnxruntime

"""Conversion of checkpoints that others have published to the project's weights files."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from maskgan_cli.errors import InputError
from maskgan_cli.files import sha256
from maskgan_cli.kinds import Kind
from maskgan_cli.networks import choose, imported, resolve
from maskgan_cli.weights.cache import cached_weights
from maskgan_cli.weights.card import check_output
from maskgan_cli.weights.foreign import load_foreign
from maskgan_cli.weights.format import Shapes, build, differences, save_weights, shapes_of, unfit
from maskgan_cli.weights.layouts import Layout, Settings

# Prefixes that training scripts add to the tensor names of a submodule.
_PREFIXES = ("backbone.", "_orig_mod.", "model.backbone.", "model.", "net.", "network.", "encoder.", "features.")
_COUNTER = "num_batches_tracked"  # counter of batch norm; missing in files from before PyTorch 0.4.1


@dataclass(frozen=True)
class Converted:
    """The result of converting a published checkpoint.

    Attributes:
        network: the network with the checkpoint's tensors, on the CPU.
        settings: the network's settings, inferred from the shapes of the tensors.
        remarks: messages for the user about tensors that were dropped or added.
        what: description of the published network for messages, e.g. ``MaskGAN's generator (netG)``.
    """

    network: nn.Module
    settings: Settings
    remarks: list[str]
    what: str


def import_weights(
    kind: str,
    file: Path | Sequence[Path],
    out: Path | None = None,
    *,
    unsaid: Settings | None = None,
    overwrite: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> Path:
    """Convert a published checkpoint to a weights file, and write the weights file with a model card.

    If the checkpoint is not compatible, nothing is written.

    Args:
        kind: a kind with a published layout, see `maskgan_cli.networks`.
        file: the checkpoint, a ``torch.save`` or safetensors file; for a network that is published as several files,
            all of them in the order of `Layout.parts`.
        out: the file to write; by default the cache, in which all commands find it.
        unsaid: values of settings that cannot be inferred from the shapes of the tensors, e.g. ``attributes``; see
            `Layout`.
        overwrite: replace ``out``.
        say: function that receives messages about tensors that were dropped or added.

    Returns:
        The path of the written file.

    Raises:
        InputError: the kind is unknown, the file is not readable, the tensors are not compatible, or ``out`` exists.
    """
    entry = choose(kind, imported(), "KIND")
    out = cached_weights(entry.name) if out is None else out
    check_output(out, ".safetensors", overwrite=overwrite)
    files = [file] if isinstance(file, Path) else list(file)
    converted = convert(entry, files, unsaid or {})
    for remark in converted.remarks:
        say(remark)
    source = {"file": ", ".join(path.name for path in files), "sha256": ", ".join(sha256(path) for path in files)}
    about: dict[str, Any] = {"source": {"what": converted.what, **source}}
    if entry.published is not None:
        about["licence"] = entry.published.licence
    return save_weights(out, converted.network, kind=entry.name, config=converted.settings, about=about)


def convert(kind: Kind, files: Path | Sequence[Path], unsaid: Settings) -> Converted:
    """Build the network whose settings follow from the shapes in a checkpoint, and load the checkpoint's tensors.

    Args:
        kind: registry entry of the kind of network.
        files: the checkpoint, or a list with one file for each of `Layout.parts` in this order. The last files may be
            left out if the network has no such parts.
        unsaid: values of settings that cannot be inferred from the shapes, as in `import_weights`.

    Raises:
        InputError: the file is not readable, or tensors are missing, unexpected, of another shape or type, or not
            finite; the message names them.
    """
    layout: Layout = resolve(kind.layout)
    if known := [name for name in unsaid if name not in layout.unsaid]:
        raise InputError(f"{layout.what}: the file's shapes show {known[0]}", hint="omit the option")
    files = [files] if isinstance(files, Path) else list(files)
    remarks: list[str] = []
    tensors, file = _read(layout, files, remarks.append), files[0]
    if not layout.parts and (prefix := _prefix(layout, kind, tensors, unsaid)):
        others = [name for name in tensors if not name.startswith(prefix)]
        tensors = {name.removeprefix(prefix): x for name, x in tensors.items() if name.startswith(prefix)}
        remarks.append(f"removed the prefix {prefix!r} from the tensor names")
        if others:
            remarks.append(f"dropped tensors without it: {', '.join(others[:3])}{' and more' if others[3:] else ''}")
    remarks += _drop_unused(layout, tensors)
    settings = {**_settings(layout, shapes_of(tensors)), **unsaid}
    if unknown := [name for name, value in settings.items() if value is None]:
        raise InputError(
            file,
            expected=f"the option --{unknown[0]}, because the file does not contain them",
            found="none",
            hint=f"add e.g. --{unknown[0]} Smiling,Eyeglasses, in the order of the training",
        )
    try:
        network = build(kind, settings)
    except ValueError as error:
        raise InputError(file, expected=f"the settings of {layout.what}", found=str(error)) from error
    state = network.state_dict()
    published = _published_names(layout, settings)
    expected = {published(name): tensor for name, tensor in state.items()}
    remarks += _fill_counters(shapes_of(expected), tensors)
    if different := differences(shapes_of(expected), shapes_of(tensors)) or unfit(expected, tensors):
        absent = ", ".join(layout.parts[len(files) :])
        hint = f"also name the file of the {absent}" if absent else ""
        raise InputError(file, expected=f"the tensors of {layout.what}", found=different, hint=hint)
    loaded = {name: tensors[published(name)].detach().to(tensor.dtype) for name, tensor in state.items()}
    network.load_state_dict(loaded, assign=True)
    return Converted(network, settings, remarks, layout.what)


def _prefix(layout: Layout, kind: Kind, tensors: dict[str, Tensor], unsaid: Settings) -> str:
    """Find the prefix (e.g. ``backbone.``) whose removal makes a checkpoint's tensor names match the layout.

    The prefixes in `_PREFIXES` are tried. If none of them makes the names match, return an empty string.
    """
    for prefix in _PREFIXES:
        inner = {name.removeprefix(prefix): x for name, x in tensors.items() if name.startswith(prefix)}
        if not inner:
            continue
        shapes = {name: tuple(x.shape) for name, x in inner.items()}
        used = {name for name in shapes if not any(re.fullmatch(pattern, name) for pattern in layout.unused)}
        try:
            settings = {**layout.settings(shapes), **unsaid}
            names = map(_published_names(layout, settings), build(kind, settings).state_dict())
        except (KeyError, IndexError, ValueError, TypeError, OverflowError):
            continue
        if {name for name in names if not name.endswith(_COUNTER)} == {n for n in used if not n.endswith(_COUNTER)}:
            return prefix
    return ""


def _read(layout: Layout, files: Sequence[Path], say: Callable[[str], None]) -> dict[str, Tensor]:
    """Read all files of a published network, and return a dict from tensor name to tensor.

    If the layout has parts, the names have the form ``PART.NAME``. ``say`` is a function that receives messages, see
    `load_foreign`.
    """
    if len(files) > max(1, len(layout.parts)):
        expected = f"{len(layout.parts)} files ({', '.join(layout.parts)})" if layout.parts else "one file"
        raise InputError(layout.what, expected=expected, found=f"{len(files)} files")
    read = [load_foreign(file, f"weights of {layout.what}", say) for file in files]
    if not layout.parts:
        return read[0]
    return {
        f"{part}.{name}": tensor
        for part, tensors in zip(layout.parts, read, strict=False)
        for name, tensor in tensors.items()
    }


def _settings(layout: Layout, shapes: Shapes) -> Settings:
    """Infer a network's settings from the tensor shapes of a checkpoint.

    If the shapes are those of another kind of network, return the settings of the published network.
    """
    try:
        return layout.settings(shapes)
    except (KeyError, IndexError, ValueError, OverflowError):
        return layout.settings({})


def _published_names(layout: Layout, settings: Settings) -> Callable[[str], str]:
    """Return a function that converts a tensor name of the project to the tensor's name in the published checkpoint."""
    if layout.names is None:
        return lambda name: name
    modules = {ours: theirs for theirs, ours in layout.names(settings).items()}

    def translate(name: str) -> str:
        if name in modules:  # the layout names this single tensor, not its module
            return modules[name]
        module, _, tensor = name.rpartition(".")
        return f"{modules[module]}.{tensor}"

    return translate


def _drop_unused(layout: Layout, tensors: dict[str, Tensor]) -> list[str]:
    """Remove the tensors that the layout lists as unused from ``tensors``, in place.

    Return a list of messages about the removed tensors; empty if there are none.
    """
    remarks = []
    for pattern, what in layout.unused.items():
        names = [name for name in tensors if re.fullmatch(pattern, name)]
        for name in names:
            del tensors[name]
        if names:
            shown = ", ".join(names[:2]) + (f" and {len(names) - 2} more" if names[2:] else "")
            remarks.append(f"dropped {what}: {shown}")
    return remarks


def _fill_counters(expected: Shapes, tensors: dict[str, Tensor]) -> list[str]:
    """Add batch norm's counters (`num_batches_tracked`) with the value 0 to ``tensors`` if it contains no counters.

    Old checkpoints lack these counters; PyTorch also sets the counters to 0 when it loads such checkpoints.

    Args:
        expected: names and shapes of the network's tensors.
        tensors: the checkpoint's tensors, changed in place.

    Returns:
        A list with one message if counters were added, else an empty list.
    """
    counters = [name for name in expected if name.endswith(_COUNTER)]
    if not counters or any(name in tensors for name in counters):
        return []
    tensors.update({name: torch.tensor(0) for name in counters})
    return [f"the file has no counters of batch norm: {len(counters)} {_COUNTER} are set to 0"]

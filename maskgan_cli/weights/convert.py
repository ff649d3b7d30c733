"""A published checkpoint -> weights of ours, tensor by tensor, nothing lost unsaid."""

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

# What training scripts put before the names of a network that is a part of theirs.
_PREFIXES = ("backbone.", "_orig_mod.", "model.backbone.", "model.", "net.", "network.", "encoder.", "features.")
_COUNTER = "num_batches_tracked"  # of batch norm; files older than PyTorch 0.4.1 have none


@dataclass(frozen=True)
class Converted:
    """A checkpoint under our names.

    Attributes:
        network: holds the checkpoint's tensors, on the CPU.
        settings: the network's, read off the shapes.
        remarks: what was left out or filled in, for people.
        what: whose network it is.
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
    """Convert a published checkpoint and write it with its card; nothing is written if it does not fit.

    Args:
        kind: one that has a published layout, see `maskgan_cli.networks`.
        file: the checkpoint, ``torch.save``'s or safetensors; where a network is published as
            several, all of them in the order of `Layout.parts`.
        out: where to; the cache, where commands look for it, if not given.
        unsaid: settings that shapes do not tell, see `Layout`.
        overwrite: replace ``out``.
        say: told what was left out or filled in.

    Raises:
        InputError: an unknown kind, an unreadable file, tensors that do not fit, an ``out`` that exists.
    """
    entry = choose(kind, imported(), "KIND")
    out = cached_weights(entry.name) if out is None else out
    check_output(out, ".safetensors", overwrite=overwrite)
    files = [file] if isinstance(file, Path) else list(file)
    converted = convert(entry, files, unsaid or {})
    for remark in converted.remarks:
        say(remark)
    named = {"file": ", ".join(path.name for path in files), "sha256": ", ".join(sha256(path) for path in files)}
    about: dict[str, Any] = {"source": {"what": converted.what, **named}}
    if entry.published is not None:
        about["licence"] = entry.published.licence
    return save_weights(out, converted.network, kind=entry.name, config=converted.settings, about=about)


def convert(kind: Kind, files: Path | Sequence[Path], unsaid: Settings) -> Converted:
    """Read a checkpoint strictly into the network its shapes describe.

    Args:
        kind: what it is.
        files: one, or one for each of `Layout.parts`; the last parts may be missing where the network has none.
        unsaid: see `import_weights`.

    Raises:
        InputError: unreadable, or naming the tensors that are missing, extra, of another shape or type, or not finite.
    """
    layout: Layout = resolve(kind.layout)
    if strange := [name for name in unsaid if name not in layout.unsaid]:
        raise InputError(f"{layout.what}: {strange[0]} is read off the file's shapes", hint="leave it out")
    files = [files] if isinstance(files, Path) else list(files)
    remarks: list[str] = []
    tensors, file = _read(layout, files, remarks.append), files[0]
    if not layout.parts and (prefix := _prefix(layout, kind, tensors, unsaid)):
        left = [name for name in tensors if not name.startswith(prefix)]
        tensors = {name.removeprefix(prefix): x for name, x in tensors.items() if name.startswith(prefix)}
        remarks.append(f"the prefix {prefix!r} was taken off the tensors' names")
        remarks += [f"left out what lies beside it: {', '.join(left[:3])}{' and more' if left[3:] else ''}"] * bool(
            left
        )
    remarks += _drop_unused(layout, tensors)
    settings = {**_settings(layout, shapes_of(tensors)), **unsaid}
    if nameless := [name for name, value in settings.items() if value is None]:
        raise InputError(
            file, expected=f"to be told its {nameless[0]}, which the file does not say", found="none",
            hint=f"add e.g. --{nameless[0]} Smiling,Eyeglasses, in the order it was trained with",
        )  # fmt: skip
    try:
        network = build(kind, settings)
    except ValueError as error:
        raise InputError(file, expected=f"the settings of {layout.what}", found=str(error)) from error
    ours = network.state_dict()
    theirs = _their_names(layout, settings)
    expected = {theirs(name): tensor for name, tensor in ours.items()}
    remarks += _fill_counters(shapes_of(expected), tensors)
    if different := differences(shapes_of(expected), shapes_of(tensors)) or unfit(expected, tensors):
        absent = ", ".join(layout.parts[len(files) :])
        hint = f"name the file of the {absent} too" if absent else ""
        raise InputError(file, expected=f"the tensors of {layout.what}", found=different, hint=hint)
    loaded = {name: tensors[theirs(name)].detach().to(tensor.dtype) for name, tensor in ours.items()}
    network.load_state_dict(loaded, assign=True)
    return Converted(network, settings, remarks, layout.what)


def _prefix(layout: Layout, kind: Kind, tensors: dict[str, Tensor], unsaid: Settings) -> str:
    """What a training script put before the names of the network's tensors; "" if nothing it is known to put."""
    for prefix in _PREFIXES:
        inner = {name.removeprefix(prefix): x for name, x in tensors.items() if name.startswith(prefix)}
        if not inner:
            continue
        shapes = {name: tuple(x.shape) for name, x in inner.items()}
        used = {name for name in shapes if not any(re.fullmatch(pattern, name) for pattern in layout.unused)}
        try:
            settings = {**layout.settings(shapes), **unsaid}
            names = map(_their_names(layout, settings), build(kind, settings).state_dict())
        except (KeyError, IndexError, ValueError, TypeError, OverflowError):
            continue
        if {name for name in names if not name.endswith(_COUNTER)} == {n for n in used if not n.endswith(_COUNTER)}:
            return prefix
    return ""


def _read(layout: Layout, files: Sequence[Path], say: Callable[[str], None]) -> dict[str, Tensor]:
    """The tensors of all files; of several, each name begins with the part's."""
    if len(files) > max(1, len(layout.parts)):
        expected = f"{len(layout.parts)} files ({', '.join(layout.parts)})" if layout.parts else "one file"
        raise InputError(layout.what, expected=expected, found=f"{len(files)} files")
    read = [load_foreign(file, f"weights of {layout.what}", say) for file in files]
    if not layout.parts:
        return read[0]
    return {f"{part}.{name}": tensor for part, tensors in zip(layout.parts, read, strict=False)
            for name, tensor in tensors.items()}  # fmt: skip


def _settings(layout: Layout, shapes: Shapes) -> Settings:
    """Settings read off the shapes; of a file of another kind the published ones, to compare it with."""
    try:
        return layout.settings(shapes)
    except (KeyError, IndexError, ValueError, OverflowError):
        return layout.settings({})


def _their_names(layout: Layout, settings: Settings) -> Callable[[str], str]:
    if layout.names is None:
        return lambda name: name
    modules = {ours: theirs for theirs, ours in layout.names(settings).items()}

    def translate(name: str) -> str:
        module, _, tensor = name.rpartition(".")
        return f"{modules[module]}.{tensor}"

    return translate


def _drop_unused(layout: Layout, tensors: dict[str, Tensor]) -> list[str]:
    """Take out what nothing here needs, and say what it was."""
    remarks = []
    for pattern, what in layout.unused.items():
        names = [name for name in tensors if re.fullmatch(pattern, name)]
        for name in names:
            del tensors[name]
        if names:
            shown = ", ".join(names[:2]) + (f" and {len(names) - 2} more" if names[2:] else "")
            remarks.append(f"left out {what}: {shown}")
    return remarks


def _fill_counters(expected: Shapes, tensors: dict[str, Tensor]) -> list[str]:
    """Batch norm's counters of a file that has none at all start at 0, as PyTorch reads such files."""
    counters = [name for name in expected if name.endswith(_COUNTER)]
    if not counters or any(name in tensors for name in counters):
        return []
    tensors.update({name: torch.tensor(0) for name in counters})
    return [f"the file is older than batch norm's counters: {len(counters)} {_COUNTER} start at 0"]

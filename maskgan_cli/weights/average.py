"""Averages of two networks' weights: what was learnt last, and what was known before."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from maskgan_cli.errors import InputError
from maskgan_cli.weights.card import check_output
from maskgan_cli.weights.format import kind_of, load, save_weights


def average(first: str | Path, second: str | Path, out: Path, *, share: float = 0.5, overwrite: bool = False) -> None:
    """Write ``(1 - share) * first + share * second``, and its card.

    A network that was trained on for new data often does best between what it was and what it became (Wortsman et al.
    2022, Robust fine-tuning of zero-shot models). It is then another network: its metrics are to be measured anew.

    Args:
        first: weights file or run folder that the training began with.
        second: what it led to, of the same kind and settings.
        out: a ``.safetensors`` file.
        share: of the second, 0 to 1.
        overwrite: replace ``out``.

    Raises:
        InputError: unlike networks, a share outside 0 to 1, an ``out`` that exists or is no ``.safetensors`` file.
    """
    check_output(out, ".safetensors", overwrite=overwrite)
    if not 0 <= share <= 1:
        raise InputError("--share", expected="0 to 1", found=str(share))
    kind, cpu = kind_of(first), torch.device("cpu")
    before, theirs = load(kind, first, cpu)
    after, ours = load(kind, second, cpu)
    if theirs.config != ours.config:
        raise InputError(ours.path, expected=f"the settings of {theirs.path}", found="others")
    old, new = before.state_dict(), after.state_dict()
    after.load_state_dict({name: _between(old[name], new[name], share) for name in new})
    made_of = {"first": theirs.sha256, "second": ours.sha256, "share": share}
    about = {
        key: value for key, value in ours.about.items() if key not in ("version", "metrics", "stored_as", "packed_from")
    }
    save_weights(out, after, kind=kind, config=ours.config, about={**about, "averaged": made_of})


def _between(old: Tensor, new: Tensor, share: float) -> Tensor:
    """Numbers are averaged; what is counted, such as batches seen, is the later network's."""
    return torch.lerp(old, new, share) if new.is_floating_point() else new

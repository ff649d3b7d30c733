"""Averages of the weights of a network and of its fine-tuned version."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from maskgan_cli.errors import InputError
from maskgan_cli.weights.card import check_output
from maskgan_cli.weights.format import kind_of, load, save_weights


def average(first: str | Path, second: str | Path, out: Path, *, share: float = 0.5, overwrite: bool = False) -> None:
    """Average the weights of two networks, ``(1 - share) * first + share * second``; write them with a model card.

    The average of a network before and after fine-tuning is often better than both (Wortsman et al. 2022, Robust
    fine-tuning of zero-shot models). The metrics of the second network are not copied to the result.

    Args:
        first: weights file or run folder before fine-tuning.
        second: weights file or run folder after fine-tuning, of the same kind and settings.
        out: the ``.safetensors`` file to write.
        share: factor of ``second``, 0 to 1.
        overwrite: replace ``out``.

    Raises:
        InputError: the networks differ in kind or settings, the share is not from 0 to 1, or ``out`` exists or is not
            a ``.safetensors`` file.
    """
    check_output(out, ".safetensors", overwrite=overwrite)
    if not 0 <= share <= 1:
        raise InputError("--share", expected="0 to 1", found=str(share))
    kind, cpu = kind_of(first), torch.device("cpu")
    original, original_file = load(kind, first, cpu)
    tuned, tuned_file = load(kind, second, cpu)
    if original_file.config != tuned_file.config:
        raise InputError(tuned_file.path, expected=f"the settings of {original_file.path}", found="other settings")
    old, new = original.state_dict(), tuned.state_dict()
    tuned.load_state_dict({name: _average(old[name], new[name], share) for name in new})
    inputs = {"first": original_file.sha256, "second": tuned_file.sha256, "share": share}
    dropped = ("version", "metrics", "stored_as", "packed_from")
    about = {key: value for key, value in tuned_file.about.items() if key not in dropped}
    save_weights(out, tuned, kind=kind, config=tuned_file.config, about={**about, "averaged": inputs})


def _average(old: Tensor, new: Tensor, share: float) -> Tensor:
    """Return ``(1 - share) * old + share * new``. For integer tensors (batch norm's counters), return ``new``."""
    return torch.lerp(old, new, share) if new.is_floating_point() else new

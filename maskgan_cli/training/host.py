"""Deprecated alias of `maskgan_cli.training.callbacks`; it will be removed in the next release."""

from maskgan_cli.training.callbacks import TrainingCallbacks as Host
from maskgan_cli.training.callbacks import stop_on_signals

__all__ = ["Host", "stop_on_signals"]

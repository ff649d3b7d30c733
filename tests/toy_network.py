"""A network nobody has met: its model, its training and its entry, as a newcomer would write them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from maskgan_cli.config import TrainingRecipe
from maskgan_cli.data.dataset import Batch
from maskgan_cli.files import Picture
from maskgan_cli.kinds import Kind, Option, Published, Training
from maskgan_cli.training.learner import Learner
from maskgan_cli.weights.format import save_weights
from maskgan_cli.weights.layouts import Layout


@dataclass(frozen=True)
class ToneConfig:
    """How many numbers come out."""

    outputs: int = 3

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}


class ToneNet(nn.Module):
    """A face's colours, mixed."""

    def __init__(self, config: ToneConfig) -> None:
        super().__init__()
        self.mix = nn.Linear(3, config.outputs)

    def forward(self, images: Tensor) -> Tensor:
        """Pictures (N, 3, H, W) ``uint8`` -> (N, outputs)."""
        mixed: Tensor = self.mix(images.float().mean((2, 3)) / 255)
        return mixed


class ToneRecipe(TrainingRecipe):
    """Everything ``train tone`` needs."""

    task: Literal["tone"] = "tone"
    network: ToneConfig = ToneConfig()


class ToneTask:
    """The network learns to say ``goal``."""

    def __init__(self, recipe: ToneRecipe, accelerator: Any, validation: Batch, goal: float) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.validation, self.goal = recipe, validation, goal
        self.learner = Learner("tone", ToneNet(recipe.network), recipe.optimiser, accelerator)
        self.networks, self.optimisers = self.learner.networks, self.learner.optimisers

    def step(self, batch: Batch) -> dict[str, Tensor]:
        loss = (self.learner.network(batch.images) - self.goal).square().mean()
        self.learner.update(loss)
        return {"error": loss}

    def validate(self) -> dict[str, float]:
        with torch.no_grad():
            return {"val_error": float((self.learner.network(self.validation.images) - self.goal).square().mean())}

    def sample_grid(self) -> Picture:
        return self.validation.images[0].permute(1, 2, 0).numpy()

    def save_model(self, path: Path, about: Mapping[str, Any]) -> None:
        save_weights(path, self.learner.network, kind="tone", config=asdict(self.recipe.network), about=about)


def prepare_training(plan: Any, recipe: ToneRecipe, *, goal: str) -> Any:
    return plan.loop(
        recipe, lambda faces: ToneTask(recipe, plan.accelerator, faces, float(goal)), {}, start_kind="tone"
    )


LAYOUT = Layout("Tone", lambda shapes: {"outputs": shapes["w.weight"][0] if shapes else 3}, lambda _: {"w": "mix"})

TONE = Kind(
    "tone",
    "mixer of tones",
    "tests.toy_network:ToneNet",
    "tests.toy_network:ToneConfig",
    aliases=("tint",),
    layout="tests.toy_network:LAYOUT",
    published=Published("Tone", "https://example.org/tone", "CC0", 1, "nobody"),
    trainings=(
        Training(
            "tone",
            "tests.toy_network",
            "ToneRecipe",
            "Train a mixer of tones.",
            "maskgan mix {out}",
            options=(
                Option("goal", str, "What it shall say.", required=True),
                Option("outputs", str, "How many.", setting="network.outputs={}"),
            ),
        ),
    ),
)

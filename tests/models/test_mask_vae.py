"""Tests of MaskVAE: published tensor shapes, sizes, sampling, and decoding to label maps."""

from __future__ import annotations

import math

import pytest
import torch

from maskgan_cli.models.layers import one_hot
from maskgan_cli.models.mask_vae import MaskVAE, MaskVAEConfig, decode_labels, draw_code, simulated_edits
from tests.layouts import layout

SMALL = MaskVAEConfig(image_size=64, width=4, latent=8)

# Module names of the published checkpoint -> module names here.
OFFICIAL = {
    **{f"e{i + 1}": f"encoder.{i}.0" for i in range(7)},
    **{f"bn{i + 1}": f"encoder.{i}.1" for i in range(7)},
    "fc1": "to_mean",
    "fc2": "to_log_variance",
    "d1": "from_code",
    **{f"d{i + 2}": f"decoder.{i}.2" for i in range(7)},
    **{f"bn{i + 8}": f"decoder.{i}.3" for i in range(6)},
}


def _mask(count: int, size: int = 64) -> torch.Tensor:
    return one_hot(torch.randint(0, 19, (count, size, size), generator=torch.Generator().manual_seed(0)))


def test_default_tensor_shapes_equal_the_published_ones() -> None:
    with torch.device("meta"):
        ours = {name: tuple(p.shape) for name, p in MaskVAE(MaskVAEConfig()).state_dict().items()}
    theirs = {}
    for key, shape in layout("official_vae").items():
        module, _, kind = key.rpartition(".")
        theirs[f"{OFFICIAL[module]}.{kind}"] = shape
    assert ours == theirs


def test_decoder_norms_have_the_published_epsilon() -> None:
    norms = [m for m in MaskVAE(SMALL).modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert [norm.eps for norm in norms] == [1e-5] * 4 + [1e-3] * 3


@pytest.mark.parametrize(("size", "stages"), [(64, 4), (128, 5), (256, 6), (512, 7), (1024, 8)])
def test_the_encoder_ends_at_4_by_4_for_every_power_of_two(size: int, stages: int) -> None:
    config = MaskVAEConfig(image_size=size)
    assert config.channels == [min(32 * 2**i, 2048) for i in range(stages)]
    with torch.device("meta"):
        network = MaskVAE(config)
        mask = torch.empty(2, 19, size, size)
        assert network.encoder(mask).shape == (2, config.channels[-1], 4, 4)
        logits, mean, log_variance = network(mask)
    assert logits.shape == mask.shape
    assert mean.shape == log_variance.shape == (2, 1024)


@pytest.mark.parametrize("change", [{"image_size": 32}, {"image_size": 96}, {"width": 0}, {"max_width": 16}])
def test_invalid_settings_are_rejected(change: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=" must be "):
        MaskVAEConfig(**change)


def test_sampled_codes_have_the_given_mean_and_deviation() -> None:
    torch.manual_seed(0)
    code = draw_code(torch.full((100_000, 1), 3.0), torch.full((100_000, 1), math.log(0.25)))
    assert abs(code.mean() - 3.0) < 0.01
    assert abs(code.std() - 0.5) < 0.01


def test_sampling_depends_on_the_seed_and_reconstruction_does_not() -> None:
    network, mask = MaskVAE(SMALL).eval(), _mask(2)
    drawn = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        drawn.append(network(mask)[0])
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    assert torch.equal(network.reconstruct(mask), network.reconstruct(mask))


def test_labels_at_the_networks_size_are_the_argmax_of_the_logits() -> None:
    network = MaskVAE(SMALL).eval()
    code, other = torch.randn(2, 3, 8, generator=torch.Generator().manual_seed(0))
    assert torch.equal(decode_labels(network, code, 64), network.decode(code).argmax(1))
    step = (other - code) / 2.5
    for edit, place in zip(simulated_edits(network, code, other, 2.5, 64), (code + step, code - step), strict=True):
        assert torch.equal(edit, network.decode(place).argmax(1))


@pytest.mark.parametrize("side", [24, 256])
def test_labels_at_another_size_have_smoother_outlines_than_resized_ids(
    side: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def disc(size: int) -> torch.Tensor:
        """Signed distance of every pixel to the edge of a disc, as a fraction of the side; positive inside."""
        place = (torch.arange(size) + 0.5) / size - 0.48
        return 0.31 - torch.hypot(place[:, None], place)

    network = MaskVAE(SMALL).eval()
    logits = torch.full((1, 19, 64, 64), -1.0)
    logits[0, 1], logits[0, 2] = disc(64), -disc(64)
    monkeypatch.setattr(network, "decode", lambda _: logits)
    labels = decode_labels(network, torch.zeros(1, 8), side)
    assert (labels.shape, labels.dtype) == ((1, side, side), torch.int64)
    truth = torch.where(disc(side) > 0, 1, 2)
    ids = logits.argmax(1)[None].float()
    resized = torch.nn.functional.interpolate(ids, (side, side), mode="nearest-exact")[0].long()
    assert (labels != truth).sum() < (resized != truth).sum() / 2


def test_every_parameter_receives_a_gradient_and_batches_are_counted() -> None:
    network = MaskVAE(SMALL)
    logits, mean, log_variance = network(_mask(2))
    (logits.square().mean() + mean.square().mean() + log_variance.square().mean()).backward()
    assert [name for name, p in network.named_parameters() if p.grad is None] == []
    assert network.batches_seen == 1

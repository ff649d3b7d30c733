"""Tests of ELEGANT: code slices, exchanges that must be identities, and discriminator inputs."""

from __future__ import annotations

import pytest
import torch

from maskgan_cli.models.baselines.elegant import (
    Elegant,
    ElegantConfig,
    ElegantDiscriminatorConfig,
    ElegantDiscriminators,
    PixelNorm,
)


def _network(*names: str) -> Elegant:
    torch.manual_seed(0)
    return Elegant(ElegantConfig(32, names, 4))


def test_three_attributes_share_512_channels_as_published() -> None:
    with torch.device("meta"):
        network = Elegant(ElegantConfig(attributes=("a", "b", "c")))
    assert [network.slice_of(i) for i in range(3)] == [slice(0, 171), slice(171, 341), slice(341, 512)]


@pytest.mark.parametrize("count", [1, 2, 5, 7])
def test_every_channel_belongs_to_one_attribute(count: int) -> None:
    network = _network(*(f"a{i}" for i in range(count)))
    channels = [c for i in range(count) for c in range(32)[network.slice_of(i)]]
    assert channels == list(range(32))


def test_exchanging_twice_is_the_identity_and_exchanging_all_slices_gives_the_other_code() -> None:
    network = _network("a", "b", "c")
    a, b = torch.rand(2, 1, 32, 1, 1)
    c, d = network.replace(a, b, 1), network.replace(b, a, 1)
    assert torch.equal(network.replace(c, d, 1), a)
    whole = a
    for i in range(3):
        whole = network.replace(whole, b, i)
    assert torch.equal(whole, b)


def test_own_exemplar_and_strength_0_do_not_change_the_code() -> None:
    network = _network("a", "b")
    with torch.no_grad():
        a, b = torch.rand(2, 1, 3, 32, 32) * 2 - 1
        own = network.decode(a, network.encoder(a)[0], network.encoder(a))
        assert torch.equal(network(a, a, 0), own)
        assert torch.equal(network(a, b, 0, 0.0), own)
        assert not torch.equal(network(a, b, 0), own)
        assert network(a, b, 0).abs().max() <= 1


def test_pixel_norm_normalises_every_pixel_to_one_length() -> None:
    norm = PixelNorm()
    x = torch.randn(2, 5, 3, 3)
    torch.testing.assert_close(norm(x).norm(dim=1), torch.ones(2, 3, 3))
    torch.nn.init.constant_(norm.alpha, 2.0)
    torch.nn.init.constant_(norm.beta, 3.0)
    torch.testing.assert_close((norm(x) - 3).norm(dim=1), torch.full((2, 3, 3), 2.0))
    assert torch.isfinite(norm(torch.zeros_like(x))).all()


def test_second_discriminator_reads_half_the_resolution() -> None:
    network = ElegantDiscriminators(ElegantDiscriminatorConfig(64, 1, 2))
    assert [scale.verdict.in_features for scale in network.scales] == [16 * 4 * 4, 16 * 2 * 2]  # type: ignore[union-attr]
    image, label = torch.rand(1, 3, 64, 64), torch.ones(1, 1)
    checks = image.clone()
    checks[..., ::2, ::2] += 0.5  # invisible after 2 x 2 average pooling
    checks[..., 1::2, 1::2] -= 0.5
    (full, half), (other_full, other_half) = network(image, label), network(checks, label)
    assert not torch.equal(full, other_full)
    torch.testing.assert_close(half, other_half)


@pytest.mark.parametrize("settings", [{"attributes": ()}, {"attributes": ("a", "a")}, {"image_size": 40}, {"width": 0}])
def test_invalid_settings_are_rejected(settings: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"attributes|image_size|width"):
        ElegantConfig(**settings)  # type: ignore[arg-type]

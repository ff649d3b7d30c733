"""Features and statistics of pictures: pytorch-fid's network as the reference, the cache, errors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pytorch_fid import inception as theirs
from torch import Tensor, nn

from maskgan_cli.errors import InputError
from maskgan_cli.evaluation import fid
from maskgan_cli.evaluation.picture_set import digest, pictures_of
from maskgan_cli.files import write_image
from maskgan_cli.metrics.frechet import frechet_distance, statistics
from maskgan_cli.models.inception import FIDInception
from maskgan_cli.weights.format import save_weights


class Means:
    """Features that are known in closed form: the mean of each colour channel."""

    name, sha256 = "means", "0" * 64

    def __init__(self, value: float = 0.0) -> None:
        self.value, self.seen = value, 0

    def features(self, images: Tensor) -> Tensor:
        self.seen += len(images)
        return images.float().mean((2, 3)) + self.value


def _watch(items: Iterable[Any], _: int) -> Iterator[Any]:
    yield from items


def _write(folder: Path, count: int, *, size: int = 16, seed: int = 0) -> list[Path]:
    rng = np.random.default_rng(seed)
    return [write_image(folder / f"{i}.png", rng.integers(0, 255, (size, size, 3), np.uint8)) for i in range(count)]


def _measure(paths: list[Path], network: Means, cache: Path | None = None) -> Any:
    return fid.measure(paths, network, batch_size=4, cache=cache, watch=_watch)


def test_statistics_of_a_folder_are_those_of_its_features(tmp_path: Path) -> None:
    paths = _write(tmp_path, 10)
    found = _measure(paths, Means())
    from maskgan_cli.files import read_image

    expected = statistics(np.stack([read_image(path).mean((0, 1)) for path in paths]))
    np.testing.assert_allclose(found.mean, expected.mean, rtol=1e-6)
    np.testing.assert_allclose(found.covariance, expected.covariance, rtol=1e-4)


def test_the_cache_depends_on_contents_and_network_and_not_on_names(tmp_path: Path) -> None:
    paths = _write(tmp_path / "a", 6)
    first, second, other = Means(), Means(), Means(1.0)
    kept = _measure(paths, first, tmp_path / "cache")
    for path in paths:  # other names, other order, same contents
        path.rename(path.with_name(f"x{9 - int(path.stem)}.png"))
    cached = _measure(pictures_of(tmp_path / "a", "test"), second, tmp_path / "cache")
    assert (first.seen, second.seen) == (6, 0)
    assert frechet_distance(kept, cached) == pytest.approx(0, abs=1e-9)
    other.sha256 = "1" * 64
    assert _measure(pictures_of(tmp_path / "a", "test"), other, tmp_path / "cache").mean[0] != kept.mean[0]
    _write(tmp_path / "a", 1, seed=9)
    _measure(pictures_of(tmp_path / "a", "test"), second, tmp_path / "cache")
    assert second.seen == 7, "a set with one more picture is not in the cache"


@pytest.mark.parametrize("how", ["empty", "cut", "bits", "text", "pickle", "shapes", "nan", "names", "folder"])
def test_a_corrupt_cache_is_rewritten(how: str, tmp_path: Path) -> None:
    paths, cache = _write(tmp_path / "a", 6), tmp_path / "cache"
    expected = _measure(paths, Means(), cache)
    (kept,) = cache.iterdir()
    whole = kept.read_bytes()
    arrays: dict[str, dict[str, Any]] = {
        "pickle": {"mean": np.array([{}]), "covariance": np.eye(3), "count": 6},
        "shapes": {"mean": np.zeros(3), "covariance": np.eye(2), "count": 6},
        "nan": {"mean": np.full(3, np.nan), "covariance": np.eye(3), "count": 6},
        "names": {"mean": np.zeros(3)},
    }
    if how in arrays:
        with kept.open("wb") as file:
            np.savez(file, **arrays[how])
    elif how == "folder":
        kept.unlink()
        kept.mkdir()
    else:
        damaged = {
            "empty": b"",
            "cut": whole[: len(whole) // 2],
            "text": b"statistics",
            "bits": whole[:100] + bytes(b ^ 255 for b in whole[100:200]) + whole[200:],
        }
        kept.write_bytes(damaged[how])
    network = Means()
    found = _measure(paths, network, cache)
    assert network.seen == 6
    np.testing.assert_array_equal(found.covariance, expected.covariance)
    if how != "folder":
        assert kept.read_bytes() == whole


def test_a_cache_that_cannot_be_written_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    assert _measure(_write(tmp_path / "a", 6), Means(), tmp_path / "cache").count == 6


def test_the_hash_of_a_folder_is_that_of_sha256sum(tmp_path: Path) -> None:
    import subprocess

    _write(tmp_path, 3)
    command = "LC_ALL=C; sha256sum *.png | sha256sum"
    printed = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert digest(pictures_of(tmp_path, "test"))[0] == printed.split()[0]


def test_masks_beside_the_pictures_are_not_measured(tmp_path: Path) -> None:
    _write(tmp_path, 2)
    write_image(tmp_path / "0.mask.png", np.zeros((16, 16, 3), np.uint8))
    assert [path.name for path in pictures_of(tmp_path, "test")] == ["0.png", "1.png"]


def test_pictures_that_cannot_be_measured_raise_errors(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="empty: expected a folder of pictures, found none in it"):
        pictures_of(tmp_path / "empty", "test")
    with pytest.raises(InputError, match="found no such folder"):
        pictures_of(tmp_path / "nowhere", "test")
    with pytest.raises(InputError, match="expected at least two pictures, found 1"):
        _measure(_write(tmp_path / "one", 1), Means())
    mixed = _write(tmp_path / "mixed", 5)
    write_image(mixed[4], np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(InputError, match=r"4\.png: expected 16x16 as 0\.png, found 8x8"):
        _measure(mixed, Means())
    with pytest.raises(InputError, match="NaN or infinity for 4 of 4"):
        _measure(_write(tmp_path / "nan", 4), Means(float("nan")))
    with pytest.raises(InputError, match="expected inception or parser"):
        fid.load_features("vgg", None, torch.device("cpu"))
    with pytest.raises(InputError, match="--weights: expected pytorch-fid's pt_inception"):
        fid.load_features("inception", None, torch.device("cpu"))


@pytest.fixture(scope="module")
def inception_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights in pytorch-fid's layout; the initialisation keeps the signal's variance through ninety layers."""
    network = FIDInception()
    torch.manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
        elif isinstance(module, nn.BatchNorm2d) and module.running_mean is not None and module.running_var is not None:
            # statistics and scales that `fold_norms` must take into account
            nn.init.uniform_(module.running_mean, -0.2, 0.2)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.uniform_(module.weight, 0.8, 1.2)
            nn.init.uniform_(module.bias, -0.2, 0.2)
    classifier = {"fc.weight": torch.zeros(1008, 2048), "fc.bias": torch.zeros(1008)}
    path = tmp_path_factory.mktemp("inception") / "inception.pth"
    torch.save(network.state_dict() | classifier, path)
    return path


def test_only_the_published_weights_give_fid(inception_weights: Path) -> None:
    network, _ = fid.load_features("inception", inception_weights, torch.device("cpu"))
    assert fid.metric_name(network) == "frechet/inception"
    network.published = True  # type: ignore[attr-defined]
    assert fid.metric_name(network) == "fid"
    assert fid.metric_name(Means()) == "frechet/means"


def test_imported_weights_are_identified_by_their_source(inception_weights: Path, tmp_path: Path) -> None:
    tensors = torch.load(inception_weights, weights_only=True)
    network = FIDInception()
    network.load_state_dict({name: tensor for name, tensor in tensors.items() if not name.startswith("fc.")})
    for source, name in (("6726825d" + "0" * 56, "fid"), ("0" * 64, "frechet/inception")):
        about = {"source": {"what": "Inception", "file": "inception.pth", "sha256": source}}
        path = save_weights(tmp_path / "i.safetensors", network, kind="inception", config={}, about=about)
        assert fid.metric_name(fid.load_features("inception", path, torch.device("cpu"))[0]) == name


def test_features_equal_those_of_pytorch_fid(inception_weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pytorch-fid's constructor loads the file instead of a download."""
    tensors = torch.load(inception_weights, weights_only=True)
    monkeypatch.setattr(theirs, "load_state_dict_from_url", lambda *_, **__: tensors)
    reference = theirs.InceptionV3([theirs.InceptionV3.DEFAULT_BLOCK_INDEX]).eval()
    images = torch.randint(0, 255, (2, 3, 48, 48), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)
    with torch.inference_mode():
        expected = reference(images / 255)[0].flatten(1)
        network, _ = fid.load_features("inception", inception_weights, torch.device("cpu"))
        found = network.features(images)
    assert expected.std() > 0.01
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    assert not any(isinstance(m, nn.BatchNorm2d) for m in network._network.modules())  # type: ignore[attr-defined]


def test_incomplete_inception_weights_are_named(tmp_path: Path) -> None:
    torch.save({"Conv2d_1a_3x3.conv.weight": torch.zeros(32, 3, 3, 3)}, tmp_path / "i.pth")
    with pytest.raises(InputError, match=r"i\.pth: expected the tensors of FIDInception, found missing"):
        fid.load_features("inception", tmp_path / "i.pth", torch.device("cpu"))

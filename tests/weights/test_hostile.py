"""Damaged and malicious weights files give one line, quickly and with little memory."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from maskgan_cli.errors import InputError
from maskgan_cli.models.alpha_blender import AlphaBlender, AlphaBlenderConfig
from maskgan_cli.models.attributes import AttributeConfig, AttributeNet
from maskgan_cli.networks import KINDS
from maskgan_cli.weights.convert import convert
from maskgan_cli.weights.foreign import load_foreign
from maskgan_cli.weights.format import build, kind_of, load, save_weights

CPU = torch.device("cpu")
SMALL = AlphaBlenderConfig(2, 1, 1)


def _described(path: Path, header: str, **tensors: torch.Tensor) -> Path:
    save_file(tensors or {"a": torch.zeros(1)}, path, metadata={"maskgan": header})
    return path


@pytest.mark.parametrize(
    "header",
    [
        "",
        "[]",
        "null",
        "5",
        '"dmn"',
        "{",
        "{}",
        '{"kind": "blender"}',
        '{"config": {}}',
        '{"kind": 5, "config": {}}',
        '{"kind": "blender", "config": []}',
        "[" * 100_000,
        '{"kind": "blender", "config": ' + '{"a":' * 100_000,
    ],
)
def test_wrong_headers_are_one_line(header: str, tmp_path: Path) -> None:
    file = _described(tmp_path / "w.safetensors", header)
    for read in (lambda: load("blender", file, CPU), lambda: kind_of(file)):
        with pytest.raises(InputError, match=r"w\.safetensors: expected .* written by maskgan, found a desc") as error:
            read()
        assert len(str(error.value)) < 300
        assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("kind", "config", "message"),
    [
        ("dmn", {"width": 10**12}, "width must be 1 to 512, not 1000000000000"),
        ("dmn", {"width": "64"}, "width: Input should be a valid integer"),
        ("dmn", {"width": 1.5}, "width: Input should be a valid integer"),
        ("dmn", {"width": [64]}, "width: Input should be a valid integer"),
        ("dmn", {"width": None}, "width: Input should be a valid integer"),
        ("dmn", {"blocks": 10**6}, "blocks must be 1 to 64"),
        ("dmn", {"image_size": 32_000}, "image_size must be a multiple of 32, 64 to 2048, not 32000"),
        ("dmn", {"downs": 60}, "downs must be 1 to 8"),
        ("dmn", {"fusion": "wig"}, "fusion: Input should be 'sft', 'concat' or 'none'"),
        ("dmn", {"wings": 2}, "wings"),
        ("blender", {"blocks": -1}, "blocks must be 1 to 64"),
        ("discriminator", {"scales": 1000}, "scales must be 1 to 8"),
        ("vae", {"latent": 10**9}, "latent must be 1 to 16384"),
        ("vae", {"image_size": 1 << 40}, "image_size must be a power of two, 64 to 2048"),
        ("parser", {"width": 10**6}, "width must be 1 to 512"),
        ("pose", {"blocks": [1, 1, 1, 10**7]}, "blocks must be 1 to 100"),
        ("pose", {"bins": 10**9}, "bins must be 1 to 1000"),
        ("identity", {"embedding": 10**9}, "embedding must be 1 to 8192"),
        ("attributes", {"names": [str(i) for i in range(2000)]}, "names must be at most 1000"),
        ("attributes", {"blocks": [2]}, "blocks"),
        ("resnet18", {"width": 10**9}, "width must be 8 to 512"),
        ("vgg19", {"width": 64}, "no settings, not width"),
        ("inception", {"x" * 1000: 1}, "no settings, not xxxx"),
    ],
)
def test_settings_of_a_wrong_type_or_size_are_named(
    kind: str, config: dict[str, Any], message: str, tmp_path: Path
) -> None:
    file = _described(tmp_path / "w.safetensors", json.dumps({"kind": kind, "config": config}))
    with pytest.raises(InputError) as error:
        load(kind, file, CPU)
    assert f"expected the settings of a {kind}, found " in str(error.value)
    assert message in str(error.value)
    assert len(str(error.value)) < 400


def _blender() -> dict[str, torch.Tensor]:
    return AlphaBlender(SMALL).state_dict()


def _changed(change: Callable[[torch.Tensor], torch.Tensor]) -> dict[str, torch.Tensor]:
    tensors = _blender()
    return {**tensors, "tail.0.1.weight": change(tensors["tail.0.1.weight"])}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.to(torch.int8), "tail.0.1.weight of type int8 instead of float32"),
        (lambda t: t.to(torch.complex64), "tail.0.1.weight of type complex64 instead of float32"),
        (lambda t: t.to(torch.float8_e5m2), "tail.0.1.weight of type float8_e5m2 instead of float32"),
        (lambda t: t.bool(), "tail.0.1.weight of type bool instead of float32"),
        (lambda t: t * float("nan"), "NaN or infinity in tail.0.1.weight"),
        (lambda t: t.index_fill(0, torch.tensor([2]), float("inf")), "NaN or infinity in tail.0.1.weight"),
    ],
)
def test_nan_and_infinity_are_rejected_by_load_and_import(
    change: Callable[[torch.Tensor], torch.Tensor], message: str, tmp_path: Path
) -> None:
    tensors = _changed(change)
    header = json.dumps({"kind": "blender", "config": vars(SMALL)})
    file = _described(tmp_path / "w.safetensors", header, **tensors)
    with pytest.raises(InputError, match=f"expected the tensors of AlphaBlender, found {message}"):
        load("blender", file, CPU)
    names = dict(zip(_blender(), _their_names(), strict=True))
    torch.save({names[name]: tensor for name, tensor in tensors.items()}, tmp_path / "netB.pth")
    theirs = message.replace("tail.0.1.weight", names["tail.0.1.weight"])
    with pytest.raises(InputError, match=f"netB.pth: expected the tensors of MaskGAN's Alpha Blender.*found {theirs}"):
        convert(KINDS["blender"], tmp_path / "netB.pth", {})


def _their_names() -> list[str]:
    places = ["model.1", "model.4", "model.7.conv_block.0.conv", "model.7.conv_block.1.conv", "model.8", "model.12"]
    return [f"{place}.{what}" for place in places for what in ("weight", "bias")]


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_other_float_types_are_converted(kind: torch.dtype, tmp_path: Path) -> None:
    tensors = {name: tensor.to(kind) for name, tensor in _blender().items()}
    header = json.dumps({"kind": "blender", "config": vars(SMALL)})
    network, _ = load("blender", _described(tmp_path / "w.safetensors", header, **tensors), CPU)
    assert all(parameter.dtype is torch.float32 for parameter in network.parameters())
    assert torch.equal(network.tail[0][1].bias, tensors["tail.0.1.bias"].float())


def test_assigned_and_copied_tensors_give_the_same_network(tmp_path: Path) -> None:
    config = AttributeConfig(("Smiling",), 32, 8, (1, 1, 1, 1))
    network = AttributeNet(config).eval()
    file = save_weights(tmp_path / "a.safetensors", network, kind="attributes", config=vars(config), about={})
    loaded, _ = load("attributes", file, CPU)
    images = torch.rand(2, 3, 32, 32)
    with torch.inference_mode():
        torch.testing.assert_close(loaded(images), network(images))
    assert not any(p.requires_grad for p in loaded.parameters())
    before = torch.get_rng_state()
    load("attributes", file, CPU)
    assert torch.equal(torch.get_rng_state(), before), "loading draws no numbers"
    assert all(tensor.is_meta for tensor in build(KINDS["attributes"], vars(config)).state_dict().values())


class _Bytes:
    def __reduce__(self) -> tuple[Any, ...]:
        return bytearray, (3 * 10**9,)


def _itself() -> dict[str, Any]:
    outer: dict[str, Any] = {}
    outer["state_dict"] = outer
    return outer


def _deep() -> Any:
    inner: Any = {"a": torch.zeros(2)}
    for _ in range(100):
        inner = {"model": inner}
    return inner


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small files that claim gigabytes or endless work."""
    folder = tmp_path_factory.mktemp("hostile")
    saved: dict[str, Any] = {
        "zero-stride": {f"a{i}": torch.zeros(1).expand(50_000, 50_000) for i in range(3)},
        "bytearray": {"a": _Bytes()},
        "itself": _itself(),
        "deep": _deep(),
        "sparse": {
            "a": torch.sparse_coo_tensor(
                torch.zeros(2, 1, dtype=torch.long), torch.ones(1), (10**6, 10**6), check_invariants=True
            )
        },
        "meta": {"a": torch.empty(10**6, 10**6, device="meta")},
    }
    for name, content in saved.items():
        torch.save(content, folder / f"{name}.pth")
        if name not in ("meta", "sparse"):
            torch.save(content, folder / f"{name}-old.pth", _use_new_zipfile_serialization=False)
    with zipfile.ZipFile(folder / "bomb.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("x/data/0", "w", force_zip64=True) as record:
            for _ in range(3000):
                record.write(bytes(1 << 20))
        archive.writestr("x/data.pkl", b"\x80\x02}.")
        archive.writestr("x/version", "3\n")
    with zipfile.ZipFile(folder / "nested.pth", "w") as archive:
        archive.writestr("x/data.pkl", b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b".")
        archive.writestr("x/version", "3\n")
    for kind, config in (
        ("dmn", {"width": 512, "downs": 8, "blocks": 64}),
        ("vae", {"width": 512, "latent": 16_384}),
        ("identity", {"width": 512, "blocks": [100] * 4, "image_size": 2048}),
        ("inception", {}),
        ("attributes", {"width": 512, "names": [str(i) for i in range(1000)]}),
        ("parser", {"width": 512}),
    ):
        _described(folder / f"{kind}.safetensors", json.dumps({"kind": kind, "config": config}))
    (folder / "empty.pth").write_bytes(b"")
    return folder


# Every file in a process of its own account: seconds for each, and the most memory at any time.
_READ = """
import json, sys, time
from pathlib import Path
import torch
from maskgan_cli.bench.measure import peak_memory
from maskgan_cli.errors import InputError
from maskgan_cli.weights.foreign import load_foreign
from maskgan_cli.weights.format import load
seconds = {}
for path in sorted(Path(sys.argv[1]).iterdir()):
    start = time.perf_counter()
    try:
        load(path.stem, path, torch.device("cpu")) if path.suffix == ".safetensors" else load_foreign(path, "weights")
    except InputError as error:
        assert "\\n" not in str(error) and len(str(error)) < 400, path
        seconds[path.name] = time.perf_counter() - start
print(json.dumps({"seconds": seconds, "peak": peak_memory()}))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="counts memory as Unix does")
def test_small_malicious_files_need_little_memory_and_time(hostile: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _READ, hostile], capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert set(found["seconds"]) == {path.name for path in hostile.iterdir()}, "each is rejected"
    assert max(found["seconds"].values()) < 20
    assert found["peak"] < 2000  # MB


def test_two_names_for_one_tensor_are_accepted(tmp_path: Path) -> None:
    tied = torch.ones(1000)
    torch.save({"a": tied, "b": tied}, tmp_path / "tied.pth")
    assert set(load_foreign(tmp_path / "tied.pth", "weights")) == {"a", "b"}

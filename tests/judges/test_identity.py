"""Tests of the three kinds of identity network, with networks of known output."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from facenet_pytorch import InceptionResnetV1
from torch import Tensor, nn

from maskgan_cli.data.alignment import TEMPLATE, align, crop_points
from maskgan_cli.errors import InputError
from maskgan_cli.files import sha256
from maskgan_cli.judges.identity import IdentityJudge, load_identity
from maskgan_cli.models.arcface import ArcFaceConfig, IResNet
from maskgan_cli.weights.format import save_weights

CPU = torch.device("cpu")
SMALL = {"blocks": [1, 1, 1, 1], "width": 8, "embedding": 16, "image_size": 48}


@pytest.fixture
def faces() -> Tensor:
    return torch.randint(0, 256, (3, 3, 96, 96), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


def test_arcface_weights_carry_their_threshold(faces: Tensor, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = IResNet(ArcFaceConfig(**SMALL)).eval()  # type: ignore[arg-type]
    path = save_weights(tmp_path / "w.safetensors", network, kind="arcface", config=SMALL, about={"threshold": 0.25})
    judge = load_identity(path, CPU)
    assert (judge.name, judge.size, judge.threshold, judge.sha256) == ("identity/arcface", 48, 0.25, sha256(path))
    with torch.no_grad():
        aligned = align(faces, crop_points(96), 48)
        expected = nn.functional.normalize(network((aligned.float() - 127.5) / 127.5))
    assert torch.allclose(judge(faces), expected, atol=1e-5)
    assert torch.allclose(judge.features(faces).norm(dim=1), torch.ones(3))
    bare = save_weights(tmp_path / "bare.safetensors", network, kind="arcface", config=SMALL, about={})
    assert load_identity(bare, CPU).threshold is None


def test_landmarks_determine_the_aligned_crop(faces: Tensor) -> None:
    judge = IdentityJudge("x", lambda x: x.float().flatten(1), size=112, device=CPU, digest="")
    big = torch.zeros(1, 3, 130, 130, dtype=torch.uint8)
    big[0, :, 5:117, 7:119] = torch.randint(0, 256, (3, 112, 112), dtype=torch.uint8)
    seen = judge(big, TEMPLATE + np.array([7, 5]))
    assert torch.allclose(seen, judge.embed(big[:, :, 5:117, 7:119]))


def _onnx(path: Path, *, batch: int | str, size: int | str, channels: int = 3) -> Path:
    """Write an ONNX network that returns the mean of each colour channel."""
    onnx = pytest.importorskip("onnx", reason="needs the package onnx")
    entry = onnx.helper.make_tensor_value_info("in", onnx.TensorProto.FLOAT, [batch, channels, size, size])
    answer = onnx.helper.make_tensor_value_info("out", onnx.TensorProto.FLOAT, None)
    nodes = [
        onnx.helper.make_node("GlobalAveragePool", ["in"], ["mean"]),
        onnx.helper.make_node("Flatten", ["mean"], ["out"]),
    ]
    graph = onnx.helper.make_graph(nodes, "means", [entry], [answer])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, path)
    return path


@pytest.mark.parametrize(("batch", "size"), [(1, 64), ("N", 64), ("N", "S")])
def test_onnx_embedding_networks_of_several_shapes(
    faces: Tensor, tmp_path: Path, batch: int | str, size: int | str
) -> None:
    pytest.importorskip("onnxruntime", reason="needs the package onnxruntime")
    judge = load_identity(_onnx(tmp_path / "net.onnx", batch=batch, size=size), CPU, divisor=128.0)
    side = size if isinstance(size, int) else 112
    assert (judge.name, judge.size, judge.threshold) == ("identity/onnx", side, None)
    means = (align(faces, crop_points(96), side).float() - 127.5).div(128).mean((2, 3))
    assert torch.allclose(judge(faces), nn.functional.normalize(means), atol=1e-5)


def test_onnx_networks_with_other_inputs_are_rejected(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("onnxruntime", reason="needs the package onnxruntime")
    with pytest.raises(InputError, match=r"expected one input of shape \(1 or N, 3, S, S\), found in \[1, 1, 64, 64\]"):
        load_identity(_onnx(tmp_path / "grey.onnx", batch=1, size=64, channels=1), CPU)
    (tmp_path / "broken.onnx").write_bytes(b"no network")
    with pytest.raises(InputError, match=r"broken.onnx: expected an ONNX network"):
        load_identity(tmp_path / "broken.onnx", CPU)
    whole = _onnx(tmp_path / "whole.onnx", batch="N", size=64).read_bytes()
    for old, new in ((b"in", b"\x96n"), (b"out", b"\xa7ut"), (b"Flatten", b"Flattem")):
        (tmp_path / "text.onnx").write_bytes(whole.replace(old, new))
        with pytest.raises(InputError, match=r"text\.onnx: expected an ONNX network, found a file that onnxruntime"):
            load_identity(tmp_path / "text.onnx", CPU)
    assert capfd.readouterr() == ("", ""), "onnxruntime must not print anything"
    with pytest.raises(InputError, match="no such file"):
        load_identity(tmp_path / "none.onnx", CPU)
    with pytest.raises(InputError, match=r"expected one input of shape|found a file with a tensor of 30,000,000,000"):
        load_identity(_onnx(tmp_path / "vast.onnx", batch=1, size=100_000), CPU)


@pytest.mark.parametrize(("divide", "found"), [(True, "NaN, infinity or no values"), (False, "a network that fails")])
def test_failing_onnx_networks_raise_an_input_error(divide: bool, found: str, faces: Tensor, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="needs the package onnx")
    model = onnx.load(_onnx(tmp_path / "net.onnx", batch="N", size=64))
    model.graph.node.append(
        onnx.helper.make_node("Div", ["out", "zero"], ["last"])
        if divide
        else onnx.helper.make_node("Reshape", ["out", "shape"], ["last"])
    )
    model.graph.initializer.append(onnx.helper.make_tensor("zero", 1, [1], [0.0]))
    model.graph.initializer.append(onnx.helper.make_tensor("shape", 7, [2], [7, 11]))
    model.graph.output[0].CopyFrom(onnx.helper.make_tensor_value_info("last", 1, None))
    onnx.save(model, tmp_path / "fails.onnx")
    with pytest.raises(InputError, match=rf"fails\.onnx: expected one embedding per face, found {found}"):
        load_identity(tmp_path / "fails.onnx", CPU)(faces)


def test_facenet_state_dicts_load_strictly(faces: Tensor, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = InceptionResnetV1(classify=True, num_classes=7).eval()  # published files have a classifier
    torch.save(network.state_dict(), tmp_path / "facenet.pt")
    judge = load_identity(tmp_path / "facenet.pt", CPU)
    assert (judge.name, judge.size) == ("identity/facenet", 160)
    network.classify = False
    with torch.no_grad():
        expected = network((align(faces[:1], crop_points(96), 160).float() - 127.5) / 128)
    assert torch.allclose(judge(faces[:1]), expected, atol=1e-4)
    state = network.state_dict()
    del state["last_bn.weight"]
    torch.save(state, tmp_path / "less.pt")
    with pytest.raises(InputError, match=r"missing last_bn.weight"):
        load_identity(tmp_path / "less.pt", CPU)


def test_error_names_the_missing_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    (tmp_path / "net.onnx").write_bytes(b"")
    with pytest.raises(InputError, match=r'pip install "maskgan\[onnx\]"'):
        load_identity(tmp_path / "net.onnx", CPU)


def test_cosine_of_identical_pictures_is_one(faces: Tensor) -> None:
    judge = IdentityJudge("x", lambda x: x.float().flatten(1) - 100, size=32, device=CPU, digest="")
    embedded = judge(faces)
    assert np.allclose((embedded @ embedded.T).diagonal(), 1.0, atol=1e-6)


def test_onnx_network_with_an_oversized_tensor_is_rejected(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="needs the package onnx")
    pytest.importorskip("onnxruntime", reason="needs the package onnxruntime")
    model = onnx.load(_onnx(tmp_path / "net.onnx", batch="N", size=64))
    model.graph.initializer.append(onnx.helper.make_tensor("shape", onnx.TensorProto.INT64, [2], [1 << 15, 1 << 15]))
    model.graph.node.insert(0, onnx.helper.make_node("ConstantOfShape", ["shape"], ["much"]))
    model.graph.output.append(onnx.helper.make_tensor_value_info("much", onnx.TensorProto.FLOAT, None))
    onnx.save(model, tmp_path / "much.onnx")
    with pytest.raises(
        InputError, match=r"much\.onnx: expected an ONNX network, found a file with a tensor of 1,073,741,824"
    ):
        load_identity(tmp_path / "much.onnx", CPU)


def test_arcfaces_own_checkpoint_needs_no_import(faces: Tensor, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = IResNet(ArcFaceConfig(**SMALL)).eval()  # type: ignore[arg-type]
    torch.save(network.state_dict(), tmp_path / "backbone.pth")
    judge = load_identity(tmp_path / "backbone.pth", CPU)
    assert (judge.name, judge.size, judge.threshold) == ("identity/arcface", 48, None)
    assert judge.sha256 == sha256(tmp_path / "backbone.pth")
    own = save_weights(tmp_path / "w.safetensors", network, kind="arcface", config=SMALL, about={})
    assert torch.equal(judge(faces), load_identity(own, CPU)(faces))

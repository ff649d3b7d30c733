"""What the hard tests begin with: small data sets, networks of a few thousand numbers, results, records. Made once."""

from __future__ import annotations

import contextlib
import io
import json
import re
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
import yaml
from PIL import Image

from maskgan_cli.cli.app import app
from maskgan_cli.cli.shell import run
from maskgan_cli.evaluation.pair_list import as_csv
from maskgan_cli.files import write_bytes, write_image, write_json, write_label_map
from maskgan_cli.models.alpha_blender import AlphaBlender, AlphaBlenderConfig
from maskgan_cli.models.attributes import AttributeConfig, AttributeNet
from maskgan_cli.models.dmn import DenseMappingNetwork, DMNConfig
from maskgan_cli.models.mask_vae import MaskVAE, MaskVAEConfig
from maskgan_cli.models.resnet import MIN_WIDTH
from maskgan_cli.weights.format import save_weights
from maskgan_cli.weights.lookup import bundled
from tests.drawn_faces import draw_face, write_raw

SIDE = 64
_NARROW = {
    "recipe": "tiny-cpu",
    "steps": 2,
    "set": {
        "network.width": 4,
        "network.style_width": 4,
        "discriminator.width": 4,
        "perceptual.width": 4,
        "data.batch_size": 2,
        "data.workers": 0,
        "schedule.checkpoint_every": 1,
        "schedule.validation_samples": 1,
    },
}
_SMALLEST = {
    "size": SIDE,
    "faces": {"count": 10, "people": 10},
    "features": "attributes",
    "shown": 1,
    "pairs": {"smiling": 2},
    "networks": dict.fromkeys(("pix2pixhd-m", "concat", "maskgan"), _NARROW),
}


class Stock:
    """A folder with everything; `make` fills it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.raw, self.data, self.plain, self.plenty = (root / name for name in ("raw", "data", "plain", "plenty"))
        self.dmn, self.vae, self.blender = (root / f"{name}.safetensors" for name in ("dmn", "vae", "blender"))
        self.published_blender, self.embedder = root / "netB.pth", root / "embedder.onnx"
        self.pictures, self.masks = root / "pictures", root / "masks"

    def make(self) -> Stock:
        """Fill the folder."""
        with contextlib.redirect_stdout(io.StringIO()):
            self._make()
        return self

    def for_reproduce(self) -> list[object]:
        """The words after ``reproduce`` of a table that takes seconds: ten faces, two steps, given judges."""
        plain, data, preset = self.root / "ten", self.root / "ten-prepared", self.root / "smallest.yaml"
        judge, parser = self.root / "attributes.safetensors", bundled("parser")
        if not preset.is_file():
            rows = ""
            for i, split in enumerate(("train",) * 5 + ("val", "test", "test", "test", "test")):
                picture, _, labels = draw_face(40 + i, SIDE)
                write_image(plain / "images" / f"{i}.png", picture)
                write_label_map(plain / "masks" / f"{i}.png", labels)
                rows += f"{i},{split},images/{i}.png,masks/{i}.png,{i}.0,-2.0,0.25,{1 - 2 * (i % 2)}\n"
            header = "id,split,image,mask,yaw,pitch,roll,Smiling\n"
            write_bytes(plain / "manifest.csv", f"{header}{rows}".encode())
            with contextlib.redirect_stdout(io.StringIO()):
                assert run(app, ["prep-data", str(plain), str(data), "--size", str(SIDE), "--workers", "1", "-q"]) == 0
            config = AttributeConfig(("Smiling",), 32, MIN_WIDTH, (1, 1, 1, 1))
            save_weights(judge, AttributeNet(config), kind="attributes", config=asdict(config), about={})
            write_bytes(preset, yaml.safe_dump(_SMALLEST).encode())
        return [
            "fusion",
            "--preset",
            preset,
            "--data",
            data,
            "--judge",
            f"attributes={judge}",
            "--judge",
            f"parser={parser}",
            "--workers",
            1,
            "--device",
            "cpu",
        ]

    def _make(self) -> None:
        write_raw(self.raw, 3, size=SIDE)
        for i in range(3):
            picture, _, labels = draw_face(10 + i, SIDE)
            write_image(self.plain / "images" / f"{i}.png", picture)
            write_label_map(self.plain / "masks" / f"{i}.png", labels)
        rows = "".join(
            f"{i},{split},images/{i}.png,masks/{i}.png,{i},{i}.5,-2.0,0.25,{1 - 2 * (i % 2)}\n"
            for i, split in enumerate(("train", "val", "test"))
        )
        write_bytes(
            self.plain / "manifest.csv", f"id,split,image,mask,identity,yaw,pitch,roll,Smiling\n{rows}".encode()
        )
        command = ["prep-data", str(self.plain), str(self.data), "--size", str(SIDE), "--workers", "1", "-q"]
        assert run(app, command) == 0
        more = ["prep-data", str(self.plain), str(self.plenty), "--size", str(SIDE), "--workers", "1", "-q"]
        (self.plain / "manifest.csv").rename(self.root / "manifest.csv")  # without it, shares decide: all train
        assert run(app, [*more, "--val-share", "0", "--test-share", "0"]) == 0
        (self.root / "manifest.csv").rename(self.plain / "manifest.csv")
        torch.manual_seed(0)
        dmn = DMNConfig(image_size=SIDE, width=2, downs=2, blocks=1, style_width=2)
        vae = MaskVAEConfig(image_size=SIDE, width=2, latent=8)
        blender = AlphaBlenderConfig(2, 1, 1)
        save_weights(self.dmn, DenseMappingNetwork(dmn), kind="dmn", config=asdict(dmn), about={})
        save_weights(self.vae, MaskVAE(vae), kind="vae", config=asdict(vae), about={})
        save_weights(self.blender, AlphaBlender(blender), kind="blender", config=asdict(blender), about={})
        places = ["model.1", "model.4", "model.7.conv_block.0.conv", "model.7.conv_block.1.conv", "model.8", "model.12"]
        names = [f"{place}.{what}" for place in places for what in ("weight", "bias")]
        torch.save(dict(zip(names, AlphaBlender(blender).state_dict().values(), strict=True)), self.published_blender)
        self._pictures()
        self._masks()
        self._results()
        self._embedder()

    def _pictures(self) -> None:
        picture = Image.fromarray(draw_face(1, 48)[0])
        self.pictures.mkdir()
        exif = Image.Exif()
        exif[0x0112], exif[0x010F] = 6, "camera"
        for name, image, options in (
            ("rgb.png", picture, {}),
            ("grey.png", picture.convert("L"), {}),
            ("palette.png", picture.quantize(16), {}),
            ("alpha.png", picture.convert("RGBA"), {"dpi": (72, 72)}),
            ("deep.png", _deep(), {}),
            ("photo.jpg", picture, {"exif": exif, "quality": 90}),
            ("cmyk.jpg", picture.convert("CMYK"), {}),
            ("grey.jpg", picture.convert("L"), {}),
            ("rgb.webp", picture, {"exif": exif}),
            ("rgb.bmp", picture, {}),
            ("rgb.tif", picture, {}),
            ("lzw.tif", picture, {"compression": "tiff_lzw"}),
            ("float.tif", Image.fromarray(np.linspace(0, 1, 2304, dtype=np.float32).reshape(48, 48)), {}),
            ("moving.gif", picture, {"save_all": True, "append_images": [picture.rotate(9), picture.rotate(18)]}),
            ("moving.png", picture, {"save_all": True, "append_images": [picture.rotate(9)]}),
            ("pages.tif", picture, {"save_all": True, "append_images": [picture.rotate(9)]}),
        ):
            image.save(self.pictures / name, **options)
        write_image(self.pictures / "made.png", draw_face(2, 48)[0], note={"edit": "swap", "weights": "a" * 64})

    def _masks(self) -> None:
        labels = draw_face(1, 48)[2]
        write_label_map(self.masks / "palette.png", labels)
        Image.fromarray(labels).save(self.masks / "plain.png")
        with Image.open(self.masks / "palette.png") as image:
            image.convert("RGB").save(self.masks / "colours.png")
            image.convert("RGB").save(self.masks / "colours.bmp")

    def _results(self) -> None:
        rows = []
        for i in range(3):
            faces = [str(self.plain / "images" / f"{j % 3}.png") for j in (i, i + 1)]
            masks = [face.replace("images", "masks") for face in faces]
            rows.append(
                {
                    "source": faces[0],
                    "target": faces[1],
                    "source_mask": masks[0],
                    "target_mask": masks[1],
                    "output": f"{i}.png",
                    "distance": "1.5",
                    "Smiling": "1",
                    "protocol": "smiling",
                    "split": "test",
                    "seed": "0",
                    "poses": "manifest",
                    "rule": "any",
                }
            )
            for method, seed in (("ours", 20), ("theirs", 30)):
                write_image(self.root / method / f"{i}.png", draw_face(seed + i, 32)[0], note={"weights": method})
        write_bytes(self.root / "pairs.csv", f"{as_csv(rows)}\n".encode())
        lists = ["--pairs", str(self.root / "pairs.csv")]
        for method in ("ours", "theirs"):
            lists += ["--method", f"{method}={self.root / method}"]
        assert run(app, ["eval", "survey", str(self.root / "survey"), *lists, "-n", "2", "-q"]) == 0
        key = json.loads((self.root / "survey" / "key.json").read_text())
        lines = ["survey,participant,question,criterion,choice,position"]
        for number, question in key["questions"].items():
            token = next(iter(question["options"]))
            lines += [f"{key['survey']},p1,{number},{criterion},{token},1" for criterion in ("quality", "realism")]
        write_bytes(self.root / "answers.csv", ("\n".join(lines) + "\n").encode())
        tally = ["eval", "survey", str(self.root / "survey"), "--tally", str(self.root / "answers.csv")]
        assert run(app, [*tally, "-o", str(self.root / "survey.json"), "-q"]) == 0
        photo = write_image(self.root / "photo.png", draw_face(3, 128)[0])
        write_image(self.root / "crop.png", draw_face(3, 64)[0])
        write_json(
            self.root / "crop.crop.json",
            {
                "source": str(photo),
                "source_sha256": "0" * 64,
                "source_size": [128, 128],
                "orientation": 1,
                "size": 64,
                "matrix": [[1.1, 0.1, 20.0], [-0.1, 1.1, 24.0]],
                "points": [[40.0, 50.0]] * 5,
                "confidence": 0.99,
                "face": 1,
                "faces": 1,
                "version": "0.1.0",
                "image": "crop.png",
            },
        )

    def _embedder(self) -> None:
        try:
            import onnx
        except ImportError:
            return
        from onnx import TensorProto, helper

        weights = np.random.default_rng(0).normal(0, 0.1, (4, 3, 3, 3)).astype(np.float32)
        nodes = [
            helper.make_node("Conv", ["in", "w"], ["c"], pads=[1, 1, 1, 1], strides=[2, 2]),
            helper.make_node("Relu", ["c"], ["r"]),
            helper.make_node("GlobalAveragePool", ["r"], ["p"]),
            helper.make_node("Flatten", ["p"], ["out"]),
        ]
        entry = helper.make_tensor_value_info("in", TensorProto.FLOAT, ["N", 3, 32, 32])
        answer = helper.make_tensor_value_info("out", TensorProto.FLOAT, None)
        tensor = helper.make_tensor("w", TensorProto.FLOAT, weights.shape, weights.tobytes(), raw=True)
        graph = helper.make_graph(nodes, "embedder", [entry], [answer], [tensor])
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), self.embedder)


def _deep() -> Image.Image:
    return Image.fromarray(np.arange(2304, dtype=np.uint16).reshape(48, 48) * 28)


def contents(folder: Path, pattern: str = ".*") -> dict[str, bytes]:
    """The files of a folder whose names (with their folders) match, by name."""
    files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {name: path.read_bytes() for name, path in files.items() if re.fullmatch(pattern, name)}

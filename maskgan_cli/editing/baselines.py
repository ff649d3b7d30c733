"""The paper's baselines as methods: Pix2PixHD-m and SPADE paint masks, StarGAN and ELEGANT change attributes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from maskgan_cli.data.resize import resize_image, resize_labels
from maskgan_cli.devices import pick_device
from maskgan_cli.editing.methods import Request
from maskgan_cli.editing.render import Renderer
from maskgan_cli.editing.transfer import AttributeRequest
from maskgan_cli.errors import InputError
from maskgan_cli.files import Picture
from maskgan_cli.judges.attributes import AttributeJudge, load_attributes
from maskgan_cli.models.baselines.stargan import asked_labels
from maskgan_cli.models.layers import one_hot, to_bytes, to_unit
from maskgan_cli.weights.format import load
from maskgan_cli.weights.lookup import find_weights

Pictures = npt.NDArray[np.uint8]


class Pix2PixHDmRenderer(Renderer):
    """Pix2PixHD-m as a `maskgan_cli.editing.methods.Method`."""

    kind = "pix2pixhd-m"

    @property
    def note(self) -> dict[str, Any]:
        """See `Method.note`."""
        return {"method": self.kind, **super().note}


class SPADERenderer:
    """SPADE as a `maskgan_cli.editing.methods.Method`; of a look's code it takes the mean, which repeats.

    Raises:
        InputError: no such weights, or no such device.
    """

    def __init__(self, weights: Path, device: str = "auto") -> None:
        self.device = pick_device(device)
        self.network, read = load("spade", weights, self.device)
        self.size = int(read.config["image_size"])
        self.note = {"method": "spade", "code": "mean", "weights": read.sha256}

    @torch.inference_mode()
    def paint(self, requests: Sequence[Request]) -> Pictures:
        """Requests -> pictures (N, size, size, 3) at the network's own size."""
        labels = torch.from_numpy(np.stack([resize_labels(r.labels, self.size) for r in requests]))
        looks = _units([r.style_picture for r in requests], self.size, self.device)
        return _pictures(self.network(one_hot(labels.to(self.device)), looks))


class StarGANChanger:
    """StarGAN as a `maskgan_cli.editing.methods.Method`.

    What a face has of the network's other attributes is said by the manifest of its data set, or else
    by an attribute classifier, where one is found.

    Raises:
        InputError: no such weights, or no such device.
    """

    def __init__(self, weights: Path, device: str = "auto") -> None:
        self.device = pick_device(device)
        self.network, read = load("stargan", weights, self.device)
        self.size, self.names = int(read.config["image_size"]), tuple(read.config["attributes"])
        self.note: dict[str, Any] = {"method": "stargan", "weights": read.sha256}
        self.judge = _classifier(self.device) if len(self.names) > 1 else None
        if self.judge is not None:
            self.note["attributes"] = self.judge.sha256

    @torch.inference_mode()
    def paint(self, requests: Sequence[AttributeRequest]) -> Pictures:
        """Requests -> pictures (N, size, size, 3) at the network's own size.

        Raises:
            InputError: an attribute that the network does not know, or another one of a face that nothing tells.
        """
        for request in requests:
            _check(request.attribute, self.names)
        now = torch.stack([self._labels(request) for request in requests])
        asked = torch.cat([
            asked_labels(self.names, now[[i]], r.attribute, r.value) for i, r in enumerate(requests)
        ])  # fmt: skip
        return _pictures(self.network(_units([r.picture for r in requests], self.size, self.device),
                                      asked.to(self.device)))  # fmt: skip

    def _labels(self, request: AttributeRequest) -> Tensor:
        """What the face has now, (attributes,) of 0 and 1; the one that is asked for does not matter."""
        known = {request.attribute: False, **request.known}
        unknown = [name for name in self.names if name not in known]
        if unknown:
            if self.judge is None or (missing := [name for name in unknown if name not in self.judge.names]):
                raise InputError(
                    request.name, expected=f"to know whether the face has {(missing if self.judge else unknown)[0]}",
                    found="nobody to tell", hint="take a face of a prepared data set, or name a classifier in "
                    "MASKGAN_ATTRIBUTES_WEIGHTS (maskgan train attributes)",
                )  # fmt: skip
            (shares,) = self.judge(torch.from_numpy(request.picture.copy()).permute(2, 0, 1)[None])
            known |= {name: bool(share > 0.5) for name, share in zip(self.judge.names, shares, strict=True)
                      if name in unknown}  # fmt: skip
        return torch.tensor([float(known[name]) for name in self.names])


class ElegantChanger:
    """ELEGANT as a `maskgan_cli.editing.methods.Method`.

    Raises:
        InputError: no such weights, or no such device.
    """

    def __init__(self, weights: Path, device: str = "auto") -> None:
        self.device = pick_device(device)
        self.network, read = load("elegant", weights, self.device)
        self.size, self.names = int(read.config["image_size"]), tuple(read.config["attributes"])
        self.note = {"method": "elegant", "weights": read.sha256}

    @torch.inference_mode()
    def paint(self, requests: Sequence[AttributeRequest]) -> Pictures:
        """Requests -> pictures (N, size, size, 3) at the network's own size.

        Raises:
            InputError: an attribute that the network does not know.
        """
        painted = np.empty((len(requests), self.size, self.size, 3), np.uint8)
        for name, strength in {(r.attribute, r.strength) for r in requests}:
            _check(name, self.names)
            places = [i for i, r in enumerate(requests) if (r.attribute, r.strength) == (name, strength)]
            faces = _units([requests[i].picture for i in places], self.size, self.device)
            exemplars = _units([requests[i].needed_exemplar() for i in places], self.size, self.device)
            painted[places] = _pictures(self.network(faces, exemplars, self.names.index(name), strength))
        return painted


def _check(attribute: str, names: tuple[str, ...]) -> None:
    if attribute not in names:
        raise InputError(
            "--attribute", expected=f"what these weights change: {', '.join(names)}", found=attribute
        )  # fmt: skip


def _classifier(device: torch.device) -> AttributeJudge | None:
    """The attribute classifier that commands find, if there is any."""
    try:
        where = find_weights(None, "attributes")
    except InputError:
        return None
    return load_attributes(where, device)


def _units(pictures: Sequence[Picture], size: int, device: torch.device) -> Tensor:
    """Pictures of any square sizes -> (N, 3, size, size) in [-1, 1] on the device."""
    stacked = torch.from_numpy(np.stack([resize_image(picture, size) for picture in pictures]))
    return to_unit(stacked.permute(0, 3, 1, 2).to(device))


def _pictures(images: Tensor) -> Pictures:
    return to_bytes(images).permute(0, 2, 3, 1).cpu().numpy()

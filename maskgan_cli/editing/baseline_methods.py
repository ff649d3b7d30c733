"""Run the paper's baselines as editing methods.

Pix2PixHD-m, SPADE and SEAN paint masks; StarGAN and ELEGANT change attributes of pictures without masks.
"""

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
from maskgan_cli.editing.dmn_method import Renderer
from maskgan_cli.editing.methods import Mixed, Request
from maskgan_cli.editing.painters import open_painter
from maskgan_cli.editing.transfer import AttributeRequest
from maskgan_cli.errors import InputError
from maskgan_cli.files import Picture
from maskgan_cli.judges.attributes import AttributeJudge, SeparateAttributes, load_attributes
from maskgan_cli.labels import NUM_CLASSES
from maskgan_cli.models.baselines.stargan import asked_labels
from maskgan_cli.weights.lookup import find_weights

Pictures = npt.NDArray[np.uint8]


class Pix2PixHDmRenderer(Renderer):
    """The editing method (see `maskgan_cli.editing.methods.Method`) that runs Pix2PixHD-m."""

    kind = "pix2pixhd-m"

    @property
    def note(self) -> dict[str, Any]:
        """Dict that is stored with every result: ``method`` (name) and ``weights`` (SHA-256); see `Method.note`."""
        return {"method": self.kind, **super().note}


class SPADERenderer:
    """The editing method (see `maskgan_cli.editing.methods.Method`) that runs SPADE.

    Results are deterministic: the mean of the style code's distribution is used, not a sample.

    Args:
        weights: a weights file or run folder of the network.
        device: the device that runs the network; see `open_painter`.

    Raises:
        InputError: the weights or the device do not exist.
    """

    def __init__(self, weights: Path, device: str = "auto") -> None:
        self.painter = open_painter("spade", weights, device)
        self.size = int(self.painter.weights.config["image_size"])
        self.note = {"method": "spade", "code": "mean", "weights": self.painter.weights.sha256}

    def paint(self, requests: Sequence[Request]) -> Pictures:
        """Paint the label map of each of N requests in the style (colours and texture) of the request's style picture.

        Returns:
            Pictures (N, size, size, 3), where ``size`` is the network's own image size.
        """
        labels = np.stack([resize_labels(r.labels, self.size) for r in requests])
        return self.painter.paint(labels, _resized([r.style_picture for r in requests], self.size))


class SEANRenderer(Renderer):
    """The editing method (see `maskgan_cli.editing.methods.Method`) that runs SEAN.

    SEAN encodes a separate style (colours and texture) for each part of the face. A part that is missing in the style
    picture has no style code.
    """

    kind = "sean"

    @property
    def note(self) -> dict[str, Any]:
        """Dict that is stored with every result: ``method`` (name) and ``weights`` (SHA-256); see `Method.note`."""
        return {"method": self.kind, **super().note}

    def paint(self, requests: Sequence[Request]) -> Pictures:
        """Paint the label map of each of N requests in the style (colours and texture) of the request's style picture.

        Returns:
            Pictures (N, size, size, 3), where ``size`` is the network's own image size.
        """
        share = np.ones((len(requests), NUM_CLASSES), np.float32)
        own = []
        for taken, request in zip(share, requests, strict=True):
            mixed = request.mixed or Mixed(request.style_labels, request.style_picture, tuple(range(NUM_CLASSES)))
            taken[[i for i in range(NUM_CLASSES) if i not in mixed.parts]] = 0.0
            own.append(mixed)
        masks = ([r.labels for r in requests], [r.style_labels for r in requests], [one.labels for one in own])
        labels, style_labels, own_labels = (np.stack([resize_labels(x, self.size) for x in many]) for many in masks)
        style, own_style = (
            _resized(many, self.size) for many in ([r.style_picture for r in requests], [one.picture for one in own])
        )
        return self.painter.paint(labels, style_labels, style, own_labels, own_style, share)


class StarGANChanger:
    """The editing method (see `maskgan_cli.editing.methods.Method`) that runs StarGAN.

    StarGAN changes one attribute of a picture, without a mask. StarGAN also needs the other attributes of the face as
    input. These are read from the manifest of the face's data set, or else predicted by an attribute classifier, if
    `find_weights` finds one.

    Args:
        weights: a weights file or run folder of the network.
        device: the device that runs the network; see `open_painter`.

    Raises:
        InputError: the weights or the device do not exist.
    """

    def __init__(self, weights: Path, device: str = "auto") -> None:
        self.painter = open_painter("stargan", weights, device)
        read = self.painter.weights
        self.size, self.names = int(read.config["image_size"]), tuple(read.config["attributes"])
        self.note: dict[str, Any] = {"method": "stargan", "weights": read.sha256}
        self.judge = _classifier(device) if len(self.names) > 1 else None
        if self.judge is not None:
            self.note["attributes"] = self.judge.sha256

    def paint(self, requests: Sequence[AttributeRequest]) -> Pictures:
        """Change one attribute of each of N faces to the requested value (present or absent).

        Returns:
            Pictures (N, size, size, 3), where ``size`` is the network's own image size.

        Raises:
            InputError: the network was not trained on the attribute, or the face's other attributes are unknown.
        """
        for request in requests:
            _check(request.attribute, self.names)
        present = torch.stack([self._labels(request) for request in requests])
        target = torch.cat(
            [asked_labels(self.names, present[[i]], r.attribute, r.value) for i, r in enumerate(requests)]
        )
        return self.painter.paint(_resized([r.picture for r in requests], self.size), target.numpy())

    def _labels(self, request: AttributeRequest) -> Tensor:
        """Return the current attributes (attributes,) of the request's face, each 0 or 1, in the order of ``names``.

        The requested attribute is 0 if it is unknown, because `paint` replaces its value anyway.

        Raises:
            InputError: another attribute is unknown, and no classifier predicts it.
        """
        known = {request.attribute: False, **request.known}
        unknown = [name for name in self.names if name not in known]
        if unknown:
            if self.judge is None or (missing := [name for name in unknown if name not in self.judge.names]):
                raise InputError(
                    request.name,
                    expected=f"a face whose attribute {(missing if self.judge else unknown)[0]} is known",
                    found="no label and no classifier of it",
                    hint="take a face of a prepared data set, or name a classifier in MASKGAN_ATTRIBUTES_WEIGHTS "
                    "(maskgan train attributes)",
                )
            (shares,) = self.judge(torch.from_numpy(request.picture.copy()).permute(2, 0, 1)[None])
            found = zip(self.judge.names, shares, strict=True)
            known |= {name: bool(share > 0.5) for name, share in found if name in unknown}
        return torch.tensor([float(known[name]) for name in self.names])


class ElegantChanger:
    """The editing method (see `maskgan_cli.editing.methods.Method`) that runs ELEGANT.

    ELEGANT transfers one attribute from a second face (the exemplar) to the edited face, without masks.

    Args:
        weights: a weights file or run folder of the network.
        device: the device that runs the network; see `open_painter`.

    Raises:
        InputError: the weights or the device do not exist.
    """

    def __init__(self, weights: Path, device: str = "auto") -> None:
        self.painter = open_painter("elegant", weights, device)
        read = self.painter.weights
        self.size, self.names = int(read.config["image_size"]), tuple(read.config["attributes"])
        self.note = {"method": "elegant", "weights": read.sha256}

    def paint(self, requests: Sequence[AttributeRequest]) -> Pictures:
        """Transfer, for each of N requests, the requested attribute from the exemplar to the edited face.

        Returns:
            Pictures (N, size, size, 3), where ``size`` is the network's own image size.

        Raises:
            InputError: the network was not trained on the attribute, or a request has no exemplar.
        """
        shares = np.zeros((len(requests), len(self.names)), np.float32)
        for share, request in zip(shares, requests, strict=True):
            _check(request.attribute, self.names)
            share[self.names.index(request.attribute)] = request.strength
        faces = _resized([r.picture for r in requests], self.size)
        return self.painter.paint(faces, _resized([r.needed_exemplar() for r in requests], self.size), shares)


def _check(attribute: str, names: tuple[str, ...]) -> None:
    """Raise an InputError if ``attribute`` is not in ``names``, the attributes that the network was trained on."""
    if attribute not in names:
        raise InputError("--attribute", expected=f"what these weights change: {', '.join(names)}", found=attribute)


def _classifier(device: str) -> AttributeJudge | SeparateAttributes | None:
    """Load the attribute classifier whose weights `find_weights` finds; return None if there are no such weights."""
    try:
        where = find_weights(None, "attributes")
    except InputError:
        return None
    return load_attributes(where, pick_device(device))


def _resized(pictures: Sequence[Picture], size: int) -> Pictures:
    """Resize N square pictures of any sizes to ``size`` pixels; return them as one array (N, size, size, 3)."""
    return np.stack([resize_image(picture, size) for picture in pictures])

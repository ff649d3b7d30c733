"""Finds the surface that is visible in each pixel, and its class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from maskgan_cli.labels import ID, LabelMap
from maskgan_cli.synth.geometry import F32, I32, Bools, dot, f32, unit, vertex_normals
from maskgan_cli.synth.noise import Noise
from maskgan_cli.synth.parameters import Identity, Scene
from maskgan_cli.synth.raster import Layer
from maskgan_cli.synth.regions import brow, hairline, neck, neckline, nose
from maskgan_cli.synth.shape import Posed, head
from maskgan_cli.synth.wardrobe import Piece

NO_OWNER = 255  # for pixels of clothing and jewellery, which belong to no group of the head


@dataclass(frozen=True)
class Scenery:
    """All meshes of a picture as one mesh: head, clothing and jewellery.

    Attributes:
        vertices: (V, 3) in world coordinates.
        triangles: vertex indices (T, 3).
        normals: unit normals of the vertices (V, 3).
        canonical: for vertices of the head, their positions on the canonical (mean) head; for clothing and jewellery,
            positions on the cloth (V, 3).
        piece: index of the piece of clothing or jewellery for each triangle (T,), or -1 for the head.
        two_sided: boolean mask (T,): True for triangles that are visible from behind too.
    """

    vertices: F32
    triangles: I32
    normals: F32
    canonical: F32
    piece: I32
    two_sided: Bools


def assemble(posed: Posed, pieces: list[Piece]) -> Scenery:
    """Combine the head (without lashes) and the pieces of clothing and jewellery into one mesh."""
    model = head()
    shown = np.array(["lash" not in group for group in model.groups])[model.owner]
    vertices, faces = [posed.vertices], [model.triangles[shown]]
    normals, places = [posed.normals], [model.canonical]
    owner = [np.full(int(shown.sum()), -1, np.int32)]
    start = len(posed.vertices)
    for number, piece in enumerate(pieces):
        vertices.append(piece.vertices)
        faces.append(piece.triangles + np.int32(start))
        normals.append(vertex_normals(piece.vertices, piece.triangles))
        places.append(np.concatenate([piece.texture, np.zeros((len(piece.texture), 1), np.float32)], 1))
        owner.append(np.full(len(piece.triangles), number, np.int32))
        start += len(piece.vertices)
    number_of = np.concatenate(owner)
    return Scenery(
        np.concatenate(vertices),
        np.concatenate(faces),
        np.concatenate(normals),
        np.concatenate(places),
        number_of,
        number_of >= 0,
    )


@dataclass(frozen=True)
class Surface:
    """The surface that is visible in each of N pixels. Pixels that show only the background are left out.

    Attributes:
        pixel: flat indices of the pixels (N,).
        c: positions on the canonical (mean) head (N, 3); for clothing and jewellery, positions on the cloth.
        x: world positions (N, 3).
        n: unit normals (N, 3).
        view: unit vectors to the camera (N, 3).
        jaw: how far the surface follows the jaw (N,), in [0, 1].
        lips, ears, lids, inside: membership in lips, ears, eyelids and inside of the mouth (N,), in [0, 1].
        socket: boolean mask (N,): True for skin in the eye sockets.
        owner: index of the head's group (N,), or ``NO_OWNER`` for clothing and jewellery.
        piece: index of the piece of clothing or jewellery (N,), or -1 for the head.
    """

    pixel: npt.NDArray[np.int64]
    c: F32
    x: F32
    n: F32
    view: F32
    jaw: F32
    lips: F32
    ears: F32
    lids: F32
    inside: F32
    socket: Bools
    owner: npt.NDArray[np.uint8]
    piece: I32

    @property
    def body(self) -> Bools:
        """Boolean mask (N,): True for pixels that show the group ``body`` of the head model.

        These pixels show skin, but not eyes, teeth, tongue, clothing or jewellery.
        """
        return np.asarray(self.owner == head().groups.index("body"))

    def of(self, *groups: str) -> Bools:
        """Return a boolean mask (N,): True for pixels that show one of these groups (parts) of the head model."""
        return np.isin(self.owner, [head().groups.index(group) for group in groups])


def _masks(uv: F32, *, fine: bool) -> F32:
    """Sample the head model's masks at N texture coordinates.

    Args:
        uv: texture coordinates (N, 2).
        fine: interpolate bilinearly; otherwise use the nearest texel.

    Returns:
        membership in lips, ears, eyelids and inside of the mouth (N, 4), in [0, 1].
    """
    masks = head().masks
    size = len(masks)
    x, y = uv[:, 0] * size - (0.5 if fine else 0), (1 - uv[:, 1]) * size - (0.5 if fine else 0)
    left, top = np.floor(x).astype(np.int32), np.floor(y).astype(np.int32)

    def at(dx: int, dy: int) -> F32:
        texel = masks[(top + dy).clip(0, size - 1), (left + dx).clip(0, size - 1)]
        return f32(texel * np.float32(1 / 255))

    if not fine:
        return at(0, 0)
    u, v = f32(x - left)[:, None], f32(y - top)[:, None]
    return f32((at(0, 0) * (1 - u) + at(1, 0) * u) * (1 - v) + (at(0, 1) * (1 - u) + at(1, 1) * u) * v)


def survey(scenery: Scenery, layer: Layer, camera: F32) -> Surface:
    """Return the properties (position, normal, ...) of the surface that is visible in each pixel.

    Args:
        scenery: the meshes of the picture.
        layer: nearest triangle of each pixel, from ``raster.triangles``.
        camera: position of the camera (3,).
    """
    model = head()
    shown = np.flatnonzero(np.array(["lash" not in group for group in model.groups])[model.owner])
    pixel = np.flatnonzero(layer.triangle.ravel() >= 0)
    triangle = layer.triangle.ravel()[pixel]
    weight = layer.bary.reshape(-1, 3)[pixel]
    jaw = np.concatenate([model.jaw, np.zeros(len(scenery.vertices) - len(model.jaw), np.float32)])
    columns = np.concatenate([scenery.canonical, scenery.vertices, scenery.normals, jaw[:, None]], 1, dtype=np.float32)
    corner = scenery.triangles[triangle]
    mixed = sum(weight[:, k, None] * columns[corner[:, k]] for k in range(3))
    mixed = f32(mixed)
    on_head = triangle < len(shown)
    source = shown[np.where(on_head, triangle, 0)]
    uvs = model.uvs[source]
    uv = f32(uvs[:, 0] * weight[:, :1] + uvs[:, 1] * weight[:, 1:2] + uvs[:, 2] * weight[:, 2:])
    owner = np.where(on_head, model.owner[source], NO_OWNER).astype(np.uint8)
    body = owner == model.groups.index("body")
    masks = _masks(uv, fine=len(layer.depth) > 600) * body[:, None]
    view = unit(camera - mixed[:, 3:6])
    normal = unit(mixed[:, 6:9])
    away = dot(normal, view) < 0
    normal = np.where(away[:, None] & ~on_head[:, None], -normal, normal)
    socket = body & (uv[:, 0] < 0.16) & (uv[:, 1] > 0.5) & (uv[:, 1] < 0.66)
    return Surface(
        pixel,
        mixed[:, :3],
        mixed[:, 3:6],
        normal,
        view,
        mixed[:, 9],
        masks[:, 0],
        masks[:, 1],
        masks[:, 2],
        masks[:, 3],
        socket,
        owner,
        scenery.piece[triangle],
    )


@dataclass(frozen=True)
class Classes:
    """The class ids of N surface pixels, and their membership in some regions.

    Attributes:
        label: class ids (N,).
        brow: how far inside a brow a pixel is (N,): 1 on the brow's middle line, 0 at its edge, negative outside.
        scalp: whether hair grows from the skin (N,): 0 for bare skin, 1 for scalp, smooth at the hairline.
        cloth: depth below the clothes' upper edge (N,) in decimetres, positive on cloth.
        eye: boolean mask (N,): True for eyes and eye sockets.
        teeth: boolean mask (N,): True for teeth.
    """

    label: LabelMap
    brow: F32
    scalp: F32
    cloth: F32
    eye: Bools
    teeth: Bools


def classify(s: Surface, identity: Identity, scene: Scene, pieces: list[Piece], noise: Noise) -> Classes:
    """Determine the class of every surface pixel, before hair strands and lenses of glasses are drawn.

    Args:
        s: the surface pixels.
        identity, scene: the parameters of the picture.
        pieces: meshes of clothing and jewellery, with their classes.
        noise: random fields, which make the edges of brows and hair irregular.
    """
    body, left = s.body, s.c[:, 0] > 0  # the person's left is +x, the picture's right
    label = np.full(len(s.pixel), ID["skin"], np.uint8)

    def mark(where: Bools, name: str) -> None:
        label[where] = ID[name]

    mark(body & neck(s.c), "neck")
    mark(body & nose(s.c), "nose")
    for side, name in ((left, "l_ear"), (~left, "r_ear")):
        mark((s.ears > 0.5) & side & body, name)
    lips = s.lips > 0.5
    mark(lips & (s.jaw < 0.33), "u_lip")
    mark(lips & (s.jaw >= 0.33), "l_lip")
    ragged = noise.fine("brow edge", s.c, 10) * 0.12
    hairs = np.where(body, brow(s.c, identity.brow_thickness, identity.brow_height, identity.brow_arch), -9)
    for side, name in ((left, "l_brow"), (~left, "r_brow")):
        mark((hairs + ragged > -0.12) & body & side, name)
    teeth = s.of("helper-lower-teeth", "helper-upper-teeth")
    mark((s.inside > 0.5) | teeth | s.of("helper-tongue"), "mouth")
    eye = s.of("helper-l-eye", "helper-r-eye") | s.socket
    for side, name in ((left, "l_eye"), (~left, "r_eye")):
        mark(eye & side, name)
    scalp = np.zeros(len(s.pixel), np.float32)
    if scene.style.name != "bald":
        above = hairline(s.c, identity.recession, 0.0 if identity.male else 0.12)
        scalp = f32(np.clip((above + noise.fine("hairline", s.c, 8) * 0.02 + 0.03) / 0.08, 0, 1)) * body
        mark((scalp > 0.5) & body & (s.ears < 0.5), "hair")
    depth = neckline(s.c, scene.clothes.kind, scene.clothes.raised)
    mark(body & (depth > 0) & (s.c[:, 1] < 6.75), "cloth")
    for number, piece in enumerate(pieces):
        label[s.piece == number] = piece.label
    return Classes(label, f32(hairs), scalp, f32(depth), eye, teeth)

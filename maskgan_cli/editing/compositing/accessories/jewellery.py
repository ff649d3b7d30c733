"""Builds meshes of earrings and necklaces at the ears and the neck in a mask, and renders these meshes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import ndimage

from maskgan_cli.editing.compositing.accessories.draw import Drawn, Mesh, Window, shade, shrunk
from maskgan_cli.editing.compositing.accessories.photo_light import PhotoLight
from maskgan_cli.editing.masks.head_fit import Floats, HeadFit, fit_head
from maskgan_cli.labels import ID, LabelMap
from maskgan_cli.synth.geometry import F32, I32, f32
from maskgan_cli.synth.lighting import blur
from maskgan_cli.synth.parameters import Colour, linear
from maskgan_cli.synth.raster import triangles
from maskgan_cli.synth.shape import head
from maskgan_cli.synth.wardrobe import ball, tube

EARRINGS: Final = ("earrings-hoop", "earrings-drop")
NECKLACES: Final = ("necklace-pearls",)
JEWELLERY: Final = (*EARRINGS, *NECKLACES)

_GOLD: Final[Colour] = linear([255, 208, 120])
_PEARL: Final[Colour] = linear([255, 250, 242])
_SAMPLES: Final = 3  # samples per pixel and axis
_MOST: Final = 1200  # largest side of the supersampled grid
_DEPTH: Final = 0.4  # decimetres; ears and necks lie this far in front of the head's middle
_EARS: Final = (ID["l_ear"], ID["r_ear"])
_FACE: Final = [ID[name] for name in ("skin", "nose", "l_ear", "r_ear")]
_COVERS: Final = {"earrings": [ID["hair"], ID["hat"]], "necklace": [ID["hair"], ID["cloth"]]}  # classes that hide them
# Lengths in decimetres.
_HOOP: Final = (0.15, 0.011)  # radius of the hoop, and radius of its wire
_DROP: Final = (0.2, 0.047)  # distance of the pearl below the lobe, and radius of the pearl
_BEAD: Final = 0.036  # radius of a pearl of a necklace
_SLACK: Final = 0.34  # depth of a necklace's curve, as a share of the distance between its ends
_LEAST_EAR, _LEAST_NECK = 4e-4, 4e-3  # least visible area of an ear or a neck, as a share of the mask
_LEAST_WIDE: Final = 0.4  # least visible width of a neck, as a share of the face's width
_LOBE: Final = (0.66, 7.0, 7.15)  # earlobes on the mean head: least distance from its middle, range of y
_ASIDE: Final = 0.12  # share of the side; the face's edge is searched up to this far beyond that of the fitted head
_SHADOW: Final = (0.035, 0.045, 0.5)  # a shadow's offset downwards, its blur, and the share of the light it blocks


@dataclass(frozen=True)
class Jewel:
    """A piece of jewellery, and the classes of the mask that hide the piece.

    Attributes:
        mesh: the surface of the piece, in the renderer's coordinates.
        hidden_by: ids of the classes that hide the piece, such as hair.
    """

    mesh: Mesh
    hidden_by: tuple[int, ...]


def jewels(name: str, labels: LabelMap, fit: HeadFit, down: Floats) -> list[Jewel]:
    """Build the meshes of earrings or of a necklace, at the places of the ears or the neck in a mask.

    Args:
        name: one of `JEWELLERY`.
        labels: (S, S), the mask of the face.
        fit: the 3D head fitted to the mask, in the mask's pixels.
        down: (3,), direction of gravity in the renderer's coordinates, as returned by `down_direction`.

    Returns:
        The pieces of jewellery; an empty list if the mask has no place for jewellery, e.g. because the neck is hidden.
    """
    if name in NECKLACES:
        return _necklace(labels, fit)
    lobes = [lobe for ear in _EARS if (lobe := _lobe(labels, ear)) is not None]
    covers = tuple(_COVERS["earrings"])
    if not lobes:  # hair hides both ears, and the earrings lie over the hair
        lobes, covers = _hidden_lobes(labels, fit), ()
    return [jewel for lobe in lobes for jewel in _earring(name, lobe, fit, down, covers)]


def can_hang(name: str, labels: LabelMap) -> bool:
    """Return whether a piece of jewellery can be worn by the person in a mask.

    A necklace needs a visible neck. Earrings need a visible earlobe, or hair that hides the ears.

    Args:
        name: one of `JEWELLERY`.
        labels: (S, S), the mask of the face.
    """
    if name in NECKLACES:
        return _neckline(labels) is not None
    if any(_lobe(labels, ear) is not None for ear in _EARS):
        return True
    return bool((labels == ID["hair"]).any() and _hidden_lobes(labels, fit_head(labels)))


def draw_jewels(found: list[Jewel], fit: HeadFit, light: PhotoLight, window: Window, labels: LabelMap) -> Drawn:
    """Render jewellery, with a soft shadow directly below the jewellery.

    The 3D head does not hide jewellery; only the classes in `Jewel.hidden_by` do.

    Args:
        found: the pieces of jewellery, as returned by `jewels`.
        fit: the fitted head, in the picture's pixels.
        light: the photo's light.
        window: the part of the picture to render, h x h pixels.
        labels: (h, h), the mask in the window.

    Returns:
        The rendered jewellery and its shadow in the window (h x h pixels).
    """
    samples = _SAMPLES if window.side * _SAMPLES <= _MOST else max(1, _MOST // window.side)
    size = window.side * samples
    colour, alpha = np.zeros((size, size, 3), np.float32), np.zeros((size, size), np.float32)
    depth = np.full((size, size), -1e9, np.float32)
    covers: dict[tuple[int, ...], F32] = {}
    for jewel in found:
        if jewel.hidden_by not in covers:
            cover = blur(np.isin(labels, jewel.hidden_by).astype(np.float32), max(light.softness, 0.8))
            covers[jewel.hidden_by] = np.repeat(np.repeat(cover, samples, 0), samples, 1)
        where, far = fit.camera.project(jewel.mesh.vertices)
        layer = triangles(
            f32((where - [window.left, window.top]) * samples),
            far,
            jewel.mesh.triangles,
            size,
            two_sided=np.ones(len(jewel.mesh.triangles), bool),
        )
        seen = (layer.triangle >= 0) & (layer.depth > depth)
        if not seen.any():
            continue
        shown, opacity = shade(jewel.mesh, layer, seen, fit, light)
        opacity = opacity * (1 - covers[jewel.hidden_by][seen])
        colour[seen] = colour[seen] * (1 - opacity[:, None]) + light.coloured(shown) * opacity[:, None]
        alpha[seen] = alpha[seen] * (1 - opacity) + opacity
        depth = np.where(seen, layer.depth, depth)
    colour, alpha = shrunk(colour, samples), shrunk(alpha, samples)
    down, soft, dark = _SHADOW
    scale = fit.camera.scale
    aside = -down * scale * float(light.direction[0])
    cast = blur(f32(ndimage.shift(alpha, (down * scale, aside), order=1)), soft * scale)
    left = 1 - dark * np.clip(1.6 * cast, 0, 1) * (labels > 0)
    return Drawn(blur(colour, light.softness), blur(alpha, light.softness), f32(left))


def _lobe(labels: LabelMap, ear: int) -> Floats | None:
    """Find the lobe of an ear in a mask.

    Args:
        labels: (S, S), the mask.
        ear: id of the ear's class.

    Returns:
        The position (x, y) of the lobe in pixels; None if the ear or the lobe is hidden.
    """
    region = labels == ear
    if region.sum() < _LEAST_EAR * labels.size:
        return None
    rows, columns = np.nonzero(region)
    high = rows.max() - rows.min() + 1
    low = rows >= rows.max() - 0.16 * high
    # If hair hides the lower part of the ear, its lowest visible pixels are not the lobe.
    below = labels[
        min(int(rows.max()) + max(2, round(0.01 * len(labels))), len(labels) - 1), round(columns[low].mean())
    ]
    if below in _COVERS["earrings"]:
        return None
    return np.array([columns[low].mean() + 0.5, rows.max() - 0.1 * high])


def _hidden_lobes(labels: LabelMap, fit: HeadFit) -> list[Floats]:
    """Estimate the positions of the earlobes that hair hides in a mask.

    Args:
        labels: (S, S), the mask.
        fit: the head fitted to the mask, in the mask's pixels.

    Returns:
        The positions (x, y), at most two. There is none for a side on which no hair lies directly beside the face.
    """
    model, found = head(), []
    for side in (1.0, -1.0):
        x, y = model.canonical[:, 0] * side, model.canonical[:, 1]
        near = np.flatnonzero(model.on_body & (x > _LOBE[0]) & (y > _LOBE[1]) & (y < _LOBE[2]))
        lowest = near[np.argsort(y[near], kind="stable")[:4]]
        place = np.asarray(fit.camera.project(fit.posed.vertices[lowest].mean(0)[None])[0][0], float)
        row, across = int(place[1]), place[0] + side * np.arange(round(_ASIDE * len(labels)))
        across = across[(across >= 0) & (across < len(labels))].astype(int)
        if not 0 <= row < len(labels) or not len(across):
            continue
        beside = across[~np.isin(labels[row, across], _FACE)]
        if len(beside) and labels[row, beside[0]] == ID["hair"]:  # hair begins directly beside the face
            found.append(np.array([beside[0] + 0.5, place[1]]))
    return found


def _earring(name: str, lobe: Floats, fit: HeadFit, down: Floats, hidden: tuple[int, ...]) -> list[Jewel]:
    """Build the pieces of one earring, e.g. wire and pearl.

    Args:
        name: one of `EARRINGS`.
        lobe: (x, y), position of the earlobe in the mask.
        fit: the fitted head, in the mask's pixels.
        down: (3,), direction of gravity in the renderer's coordinates.
        hidden: ids of the classes that hide the earring.
    """
    at, right = _unproject(fit, lobe), np.array([-down[1], down[0], 0.0])
    ahead = np.cross(right, -down)
    middle = fit.camera.project(fit.posed.eyes.mean(0)[None])[0][0]
    outwards = 1.0 if lobe[0] > middle[0] else -1.0
    if name == "earrings-drop":
        length, radius = _DROP
        wire = f32([at + down * share * length for share in np.linspace(0, 0.9, 6)])
        pearl = _pearl_drop(at + down * length, radius, right, down, ahead)
        return [
            Jewel(Mesh(*ball(f32(at), 0.024, 9, 16), f32(_GOLD), shine=0.8, gloss=60, metal=True), hidden),
            Jewel(Mesh(*tube(wire, 0.005, closed=False), f32(_GOLD), shine=0.8, gloss=60, metal=True), hidden),
            Jewel(Mesh(*pearl, f32(_PEARL), shine=0.6, gloss=24), hidden),
        ]
    radius, wire_radius = _HOOP
    angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)[:, None]
    # A hoop at the side of a head is narrow when seen from the front.
    ring = at + radius * (down * (1 - np.cos(angle)) + (0.42 * outwards * right + 0.9 * ahead) * np.sin(angle))
    vertices, faces = tube(f32(ring), wire_radius, closed=True, sides=10)
    # Ear and face hide the rear half.
    front = np.asarray(np.sin(angle)[:, 0] >= 0)[(faces // 10).min(1)]
    near, back = (Mesh(vertices, faces[part], f32(_GOLD), shine=0.85, gloss=70, metal=True) for part in (front, ~front))
    return [Jewel(back, (*hidden, *_FACE)), Jewel(near, hidden)]


def _pearl_drop(middle: Floats, radius: float, right: Floats, down: Floats, ahead: Floats) -> tuple[F32, I32]:
    """Build the mesh of a drop-shaped pearl: a ball that narrows upwards.

    Args:
        middle: (3,), centre of the ball.
        radius: radius of the ball in decimetres.
        right, down, ahead: (3,), unit vectors of the drop's axes.

    Returns:
        Vertices (V, 3) and triangles (T, 3), which are indices of the vertices.
    """
    vertices, faces = ball(f32([0, 0, 0]), 1.0, 12, 20)
    up = np.clip(vertices[:, 1:2], 0, 1)
    wide = 1 - 0.55 * up**1.5
    local = vertices * np.concatenate([wide, 1 + 0.5 * up, wide], 1) * radius
    return f32(middle + local[:, :1] * right - local[:, 1:2] * down + local[:, 2:] * ahead), faces


def _necklace(labels: LabelMap, fit: HeadFit) -> list[Jewel]:
    """Build the pearls of a necklace at the neck of a mask.

    Args:
        labels: (S, S), the mask.
        fit: the head fitted to the mask, in the mask's pixels.

    Returns:
        One piece with all pearls; an empty list if too little of the neck is visible.
    """
    line = _neckline(labels)
    if line is None:
        return []
    (left, right), hidden = line, tuple(_COVERS["necklace"])
    scale = fit.camera.scale
    wide = float(np.hypot(*(right - left)))
    share = np.linspace(0, 1, 400)[:, None]
    sag = np.array([0.0, _SLACK * wide])
    path = left + share * (right - left) + 4 * share * (1 - share) * sag
    along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))])
    places = np.arange(0, along[-1], 2.06 * _BEAD * scale)
    beads = [np.array([np.interp(place, along, path[:, k]) for k in (0, 1)]) for place in places]
    pieces = [ball(f32(_unproject(fit, bead)), _BEAD, 9, 16) for bead in beads]
    starts = np.cumsum([0, *(len(vertices) for vertices, _ in pieces)])
    vertices = f32(np.concatenate([vertices for vertices, _ in pieces]))
    faces = np.concatenate([faces + start for (_, faces), start in zip(pieces, starts, strict=False)])
    return [Jewel(Mesh(vertices, faces.astype(np.int32), f32(_PEARL), shine=0.6, gloss=24), hidden)]


def _neckline(labels: LabelMap) -> tuple[Floats, Floats] | None:
    """Find the two ends of a necklace, at the sides of the neck in a mask (S, S).

    Returns:
        The positions (x, y) of the left and the right end; None if too little of the neck is visible.
    """
    neck = labels == ID["neck"]
    if neck.sum() < _LEAST_NECK * labels.size:
        return None
    pieces, count = ndimage.label(neck)
    neck = pieces == 1 + int(np.bincount(pieces.ravel(), minlength=count + 1)[1:].argmax())
    rows = np.flatnonzero(neck.any(1))
    row = int(rows[0] + 0.45 * (rows[-1] - rows[0]))
    columns = np.flatnonzero(neck[row])
    face = np.isin(labels, _FACE).sum(1).max()
    if not len(columns) or np.ptp(columns) < max(_LEAST_WIDE * face, 4):
        return None
    return np.array([columns[0] + 0.0, row]), np.array([columns[-1] + 1.0, row])


def _unproject(fit: HeadFit, place: Floats, depth: float = _DEPTH) -> Floats:
    """Return the 3D point that the camera projects to a given position in the picture.

    Args:
        fit: the fitted head and its camera.
        place: (x, y), the position in pixels.
        depth: z of the point in decimetres, needed because many points are projected to the same position.

    Returns:
        (3,), the point in the renderer's coordinates (decimetres).
    """
    camera = fit.camera
    flat = np.linalg.solve(camera.matrix.astype(float), np.asarray(place, float) - camera.size / 2) + camera.centre
    share = (camera.place[2] - depth) / camera.place[2]
    return np.array([camera.place[0] + flat[0] * share, camera.place[1] - flat[1] * share, depth])


def down_direction(fit: HeadFit) -> Floats:
    """Return the direction that points down in the picture, as a unit vector (3,) in the renderer's coordinates.

    Args:
        fit: the fitted head, whose camera relates the picture to the renderer's coordinates.
    """
    x, y = np.linalg.solve(fit.camera.matrix.astype(float), [0.0, 1.0])
    down = np.array([x, -y, 0.0])
    return np.asarray(down / np.linalg.norm(down))

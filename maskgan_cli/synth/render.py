"""Renders a picture of a person, together with its ground truth."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from maskgan_cli.labels import ID, LabelMap
from maskgan_cli.synth import background
from maskgan_cli.synth.camera import Camera, frame, head_pose
from maskgan_cli.synth.celeba_attributes import attributes
from maskgan_cli.synth.geometry import F32, I32, f32, ramp, vertex_normals
from maskgan_cli.synth.hair import Strands, grow_beard, grow_brows, grow_hair
from maskgan_cli.synth.hats import hat
from maskgan_cli.synth.label_map import label_map, share_of
from maskgan_cli.synth.lighting import ShadowMap, blur
from maskgan_cli.synth.noise import Noise
from maskgan_cli.synth.paint import apply
from maskgan_cli.synth.parameters import Identity, Scene
from maskgan_cli.synth.raster import FAR, triangles
from maskgan_cli.synth.regions import neckline
from maskgan_cli.synth.sampling import sample_identity, sample_scene
from maskgan_cli.synth.shading import (
    Canvas,
    key_direction,
    lash_line,
    shade_hair,
    shade_lashes,
    shade_short_hairs,
    shade_surface,
)
from maskgan_cli.synth.shape import Posed, blend, head, placed, pose
from maskgan_cli.synth.surface import assemble, classify, survey
from maskgan_cli.synth.wardrobe import Piece, earrings, glasses, neckwear

SAMPLES = 2  # samples per pixel along each axis


@dataclass(frozen=True)
class Rendered:
    """A rendered picture and its ground truth.

    Attributes:
        picture: (size, size, 3) ``uint8`` sRGB.
        labels: class ids (size, size), 0..18.
        yaw, pitch, roll: head pose in degrees, with HopeNet's conventions.
        attributes: dict from the name of each of CelebA's 40 attributes to 1 (present) or -1 (absent).
        identity, scene: the parameters that the picture was rendered from.
    """

    picture: npt.NDArray[np.uint8]
    labels: LabelMap
    yaw: float
    pitch: float
    roll: float
    attributes: dict[str, int]
    identity: Identity
    scene: Scene


def render(identity: Identity, scene: Scene, size: int) -> Rendered:
    """Render a picture of a person in a scene, with its ground truth (label map, head pose, attributes).

    ``size`` is the side of the picture in pixels. Each part of the picture has its own random generator, seeded by
    ``scene.noise``. If one parameter (e.g. the expression) changes, the random details of other parts stay the same.
    """

    def rng(part: int) -> np.random.Generator:
        return np.random.default_rng([scene.noise, part])

    posed, neutral, camera = _place(identity, scene, size * SAMPLES)
    pieces, lenses, covered = _clothing(scene, posed, neutral, rng(1), rng(2))
    hair = grow_hair(
        rng(5),
        scene.style,
        neutral,
        identity.recession,
        strands=_strand_count(scene, size),
        covered=covered,
        sideburn=0.0 if identity.male else 0.12,
    )

    scenery = assemble(posed, pieces)
    where, depth = camera.project(scenery.vertices)
    layer = triangles(where, depth, scenery.triangles, camera.size, two_sided=scenery.two_sided)
    towards = key_direction(scene.light)
    shadows = ShadowMap.build(
        towards,
        scenery.vertices,
        scenery.triangles,
        scenery.two_sided,
        None if hair is None else _filled(hair.points),
        128 if size <= 128 else 192,
    )
    noise = Noise(scene.noise, camera.scale)
    surface = survey(scenery, layer, camera.place)
    classes = classify(surface, identity, scene, pieces, noise)
    paint = apply(surface, classes, identity, scene, pieces, posed, towards, noise, camera.scale)
    canvas = Canvas(
        background.paint(scene.background, scene.noise, camera.size),
        np.zeros((camera.size, camera.size), np.uint8),
        layer.depth.copy(),
    )
    shade_surface(canvas, surface, classes, paint, scene.light, shadows, camera)
    _small_hairs(canvas, posed, identity, scene, camera, size, rng(8), rng(9))
    if hair is not None:
        shade_hair(canvas, hair, f32(identity.hair), scene.light, shadows, camera, straight=scene.style.straight)
    for lens in lenses:
        _lens(canvas, lens, scene, camera)
    yaw, pitch, roll = head_pose(posed, camera)
    return Rendered(
        _develop(canvas.colour, identity, scene, rng(10)),
        label_map(canvas.labels, SAMPLES),
        yaw,
        pitch,
        roll,
        attributes(identity, scene),
        identity,
        scene,
    )


def _clothing(
    scene: Scene, posed: Posed, neutral: Posed, hat_rng: np.random.Generator, neck_rng: np.random.Generator
) -> tuple[list[Piece], list[tuple[F32, I32]], float | None]:
    """Build the meshes of clothes and accessories.

    Args:
        scene: the parameters of the picture.
        posed: the person with the scene's expression, who wears the earrings.
        neutral: the person with a neutral face, who wears hat, glasses and collar.
        hat_rng, neck_rng: generators for the random details of hat and collar.

    Returns:
        the meshes, the lenses of glasses as (vertices, triangles), and the height on the canonical (mean) head above
        which a hat covers the hair (None without a hat).
    """
    pieces: list[Piece] = []
    lenses: list[tuple[F32, I32]] = []
    covered: float | None = None
    if scene.hat is not None:
        parts, covered = hat(scene.hat, neutral, scene.style.volume, hat_rng)
        pieces += parts
    if scene.glasses is not None:
        parts, lenses = glasses(scene.glasses, neutral)
        pieces += parts
    if scene.earring is not None:
        pieces += earrings(scene.earring, posed)
    pieces += neckwear(scene.clothes, neutral, neck_rng)
    return pieces, lenses, covered


def _place(identity: Identity, scene: Scene, pixels: int) -> tuple[Posed, Posed, Camera]:
    """Return a person in the scene's pose, and the camera in front of the person.

    Hair, hat, glasses and the camera's crop depend on the neutral face, so that an expression changes only the face.

    Args:
        identity, scene: the parameters of the picture.
        pixels: side of the picture in pixels while it is rendered, `SAMPLES` times the final side.

    Returns:
        the person with the scene's expression, the same person with a neutral face, and the camera.
    """
    calm = blend(identity.shape)
    shaped = _toothed(placed(blend(scene.expression, calm), calm), scene.mouth_open)
    neutral, posed = (pose(_dressed(v, scene), scene.yaw, scene.pitch, scene.lean) for v in (placed(calm), shaped))
    return posed, neutral, frame(neutral, scene, pixels)


def head_truth(identity: Identity, scene: Scene) -> tuple[float, float, float]:
    """Return yaw, pitch and roll of the head in degrees, the same as in `Rendered`, without rendering the picture."""
    posed, _, camera = _place(identity, scene, 64)
    return head_pose(posed, camera)


def face(seed: int, number: int, size: int, identities: int | None = None) -> Rendered:
    """Sample the person and the scene of picture ``number``, and render them. The result depends only on the arguments.

    Args:
        seed: seed of all random choices.
        number: index of the picture.
        size: side of the picture in pixels.
        identities: number of people; picture i shows person i modulo this number. If None, every picture shows a
            new person.
    """
    identity = sample_identity(seed, number if identities is None else number % identities)
    return render(identity, sample_scene(seed, number, identity), size)


def with_expression(scene: Scene, other: Scene) -> Scene:
    """Return a copy of ``scene`` with the expression of the scene ``other``; everything else is unchanged."""
    return replace(scene, expression=other.expression, smiling=other.smiling, mouth_open=other.mouth_open)


def _strand_count(scene: Scene, size: int) -> int:
    """Return the number of hair strands that the scene's hairstyle needs in a picture of ``size`` x ``size`` pixels."""
    base = {"buzz": 7000, "afro": 6000, "afro_short": 6500}.get(scene.style.name, 4200)
    return int(base * np.clip((size / 256) ** 0.8, 0.5, 2.2))


def _filled(points: F32) -> F32:
    """Return the points on the hair that are drawn into the shadow map.

    Args:
        points: points of all strands (S, K, 3).

    Returns:
        the points (N, 3) of every second strand, and the midpoints between neighbouring points of a strand.
    """
    chosen = points[::2]
    return np.concatenate([chosen[:, ::1], (chosen[:, 1:] + chosen[:, :-1]) / 2], 1).reshape(-1, 3)


def _dressed(vertices: F32, scene: Scene) -> F32:
    """Return the person's vertices, with those below the neckline displaced outwards by the thickness of the clothes.

    ``vertices`` and the result have the shape (V, 3).
    """
    model = head()
    thick = {"turtleneck": 0.07, "jacket": 0.09, "hoodie": 0.1, "strap": 0.02}.get(scene.clothes.kind, 0.045)
    cover = ramp(-0.05, 0.07, neckline(model.canonical, scene.clothes.kind, scene.clothes.raised))
    cover = cover * model.on_body * (model.canonical[:, 1] < 6.75) * thick
    return f32(vertices + vertex_normals(vertices, model.group("body")) * cover[:, None])


def _toothed(vertices: F32, opened: bool) -> F32:
    """Correct the position and size of the teeth; ``vertices`` (V, 3) are changed in place and returned.

    If the mouth is ``opened``, the upper teeth get longer, lower and slightly further forward, because they are barely
    visible in the head model. If the mouth is closed, all teeth are moved back.
    """
    upper, lower = head().points("helper-upper-teeth"), head().points("helper-lower-teeth")
    if not opened:  # otherwise the teeth would intersect closed lips
        vertices[upper, 2] -= 0.08
        vertices[lower, 2] -= 0.08
        return vertices
    top = vertices[upper, 1].max()
    vertices[upper, 1] = top + (vertices[upper, 1] - top) * 1.25 - 0.035
    vertices[upper, 2] += 0.012
    vertices[lower, 0] *= 0.9
    vertices[lower, 1] -= 0.015
    vertices[lower, 2] -= 0.06  # otherwise they would intersect the lower lip
    return vertices


def _small_hairs(
    canvas: Canvas,
    posed: Posed,
    identity: Identity,
    scene: Scene,
    camera: Camera,
    size: int,
    brow_rng: np.random.Generator,
    beard_rng: np.random.Generator,
) -> None:
    """Draw brows, beard and lashes on the canvas.

    Args:
        canvas: the picture.
        posed: the head.
        identity, scene: the parameters of the picture.
        camera: the camera.
        size: side of the picture in pixels; larger pictures get more hairs.
        brow_rng, beard_rng: generators for the hairs of brows and beard.
    """
    dark = f32(identity.hair) * np.float32(min(1.0, 0.14 / max(float(np.mean(identity.hair)), 1e-3)))
    many = float(np.clip(size / 256, 0.5, 2))
    hairs = grow_brows(
        brow_rng, posed, identity.brow_thickness, identity.brow_height, identity.brow_arch, int(520 * many)
    )
    shade_short_hairs(canvas, hairs, dark, 0.5, scene.light, camera, brow_rng)
    if scene.beard in ("full", "goatee", "mustache"):
        count = {"full": 3600, "goatee": 1400, "mustache": 900}[scene.beard]
        length = float(beard_rng.uniform(0.06, 0.15))
        hairs = grow_beard(beard_rng, posed, scene.beard, length, int(count * many))
        shade_short_hairs(canvas, hairs, dark * 0.9, 0.75, scene.light, camera, beard_rng)
    lash_line(canvas, camera, 0.55 + 0.4 * scene.makeup - (0.15 if identity.male else 0))
    _lashes(canvas, posed, identity, scene, camera)


def _lashes(canvas: Canvas, posed: Posed, identity: Identity, scene: Scene, camera: Camera) -> None:
    """Draw the lashes of the head ``posed`` on the canvas, which is changed in place."""
    model = head()
    groups = [i for i, name in enumerate(model.groups) if "lash" in name]
    faces: I32 = model.triangles[np.isin(model.owner, groups)]
    where, depth = camera.project(posed.vertices)
    layer = triangles(where, depth, faces, camera.size, two_sided=np.ones(len(faces), bool))
    seen = np.flatnonzero((layer.triangle >= 0) & (layer.depth > canvas.depth - 0.03))
    corner = faces[layer.triangle.ravel()[seen]]
    weight = layer.bary.reshape(-1, 3)[seen]
    c = f32(sum(weight[:, k, None] * model.canonical[corner[:, k]] for k in range(3)))
    upper = c[:, 1] > 7.485
    out = np.clip(1.1 - (c[:, 2] - 1.31) / 0.1, 0, 1)  # thinner towards the tips
    comb = 0.55 + 0.45 * np.sin(c[:, 0] * 300 + np.sin(c[:, 1] * 60) * 2)
    strength = out * comb * np.where(upper, 0.85, 0.25) * (0.55 if identity.male else 0.85 + 0.15 * scene.makeup)
    shade_lashes(canvas, seen, f32(strength.clip(0, 0.95)))


def _lens(canvas: Canvas, lens: tuple[F32, I32], scene: Scene, camera: Camera) -> None:
    """Draw one lens of the glasses on the canvas: tint, reflection of the sky, and the class ``eye_g``.

    ``lens`` is (vertices, triangles). Eyes, brows and hair behind the lens keep their class unless the lens is almost
    opaque.
    """
    assert scene.glasses is not None
    where, depth = camera.project(lens[0])
    layer = triangles(where, depth, lens[1], camera.size, two_sided=np.ones(len(lens[1]), bool))
    seen = (layer.triangle >= 0) & (layer.depth > canvas.depth)
    rows = np.nonzero(seen)[0]
    if not len(rows):
        return
    dark = np.float32(scene.glasses.dark)
    high = 1 - (rows - rows.min()) / max(int(np.ptp(rows)), 1)
    sky = f32(scene.light.ambient) * (0.03 + 0.16 * high[:, None] ** 2)
    behind = canvas.colour[seen]
    tint = f32(scene.glasses.tint) * (0.35 + 0.4 * (1 - high[:, None]))
    canvas.colour[seen] = behind * (1 - dark) * np.float32(0.95) + dark * tint + sky * (0.25 + 0.75 * dark)
    kept = np.isin(canvas.labels, [ID[n] for n in ("l_eye", "r_eye", "l_brow", "r_brow", "hair")])
    canvas.labels[seen & (~kept | (dark > 0.9))] = ID["eye_g"]


def _develop(colour: F32, identity: Identity, scene: Scene, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Convert linear light (W, W, 3) of all samples to an sRGB picture (size, size, 3), with W = SAMPLES * size.

    Like a camera, the conversion applies lens blur, exposure, white balance, tone curve, saturation, contrast and
    sensor noise.
    """
    light = scene.light
    expected = light.key * 0.72 + float(np.mean(light.ambient))
    skin = float(np.mean(identity.skin))
    exposure = scene.exposure / expected * (0.42 / max(skin, 0.03)) ** 0.22
    warm = f32([1 + scene.warmth, 1, 1 - scene.warmth])
    small = blur(colour, 0.55)
    small = np.stack([share_of(small[..., k], SAMPLES) for k in range(3)], -1) * np.float32(exposure) * warm
    small = np.where(small > 0.6, 0.6 + 0.4 * np.tanh((small - 0.6) / 0.4), small)
    picture = np.clip(small, 0, 1) ** np.float32(1 / 2.2)
    grey = picture.mean(-1, keepdims=True)
    picture = grey + (picture - grey) * scene.saturation
    picture = 0.5 + (picture - 0.5) * scene.contrast
    grain = rng.normal(0, 1, picture.shape).astype(np.float32) * 0.5 + rng.normal(0, 1, picture.shape[:2])[..., None]
    picture = picture + np.float32(0.006) * grain
    bytes_: npt.NDArray[np.uint8] = (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)
    return bytes_


__all__ = ["FAR", "Rendered", "Strands", "face", "head_truth", "render", "with_expression"]

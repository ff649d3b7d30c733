"""Computes the 40 CelebA attributes of a rendered picture from its parameters."""

from __future__ import annotations

from typing import Final

from maskgan_cli.synth.parameters import Identity, Scene

CELEBA: Final[tuple[str, ...]] = (
    "5_o_Clock_Shadow",
    "Arched_Eyebrows",
    "Attractive",
    "Bags_Under_Eyes",
    "Bald",
    "Bangs",
    "Big_Lips",
    "Big_Nose",
    "Black_Hair",
    "Blond_Hair",
    "Blurry",
    "Brown_Hair",
    "Bushy_Eyebrows",
    "Chubby",
    "Double_Chin",
    "Eyeglasses",
    "Goatee",
    "Gray_Hair",
    "Heavy_Makeup",
    "High_Cheekbones",
    "Male",
    "Mouth_Slightly_Open",
    "Mustache",
    "Narrow_Eyes",
    "No_Beard",
    "Oval_Face",
    "Pale_Skin",
    "Pointy_Nose",
    "Receding_Hairline",
    "Rosy_Cheeks",
    "Sideburns",
    "Smiling",
    "Straight_Hair",
    "Wavy_Hair",
    "Wearing_Earrings",
    "Wearing_Hat",
    "Wearing_Lipstick",
    "Wearing_Necklace",
    "Wearing_Necktie",
    "Young",
)


def attributes(identity: Identity, scene: Scene) -> dict[str, int]:
    """Return the 40 CelebA attributes as a dict from name to 1 (present) or -1 (absent).

    Attributes that the parameters do not determine are -1. The attributes describe the scene, not the visible pixels:
    an earring counts even if it is hidden by hair. On a bald head, all attributes of hair (e.g. Black_Hair) are -1.
    """
    hair = scene.style.name != "bald"
    style = scene.style
    true = {
        "5_o_Clock_Shadow": scene.beard == "stubble",
        "Arched_Eyebrows": identity.brow_arch > 0.8,
        "Bald": not hair,
        "Bangs": hair and style.fringe > 0.3,
        "Big_Lips": identity.lip_fullness > 0.7,
        "Big_Nose": identity.nose_size > 0.7,
        "Black_Hair": hair and identity.hair_family == "black",
        "Blond_Hair": hair and identity.hair_family == "blond",
        "Brown_Hair": hair and identity.hair_family == "brown",
        "Bushy_Eyebrows": identity.brow_thickness > 1.25,
        "Eyeglasses": scene.glasses is not None,
        "Goatee": scene.beard == "goatee",
        "Gray_Hair": hair and identity.hair_family == "grey",
        "Heavy_Makeup": scene.makeup > 0.5,
        "Male": identity.male,
        "Mouth_Slightly_Open": scene.mouth_open,
        "Mustache": scene.beard in ("mustache", "goatee", "full"),
        "No_Beard": scene.beard == "none",
        "Pale_Skin": identity.tone < 0.7,
        "Receding_Hairline": hair and identity.recession > 0.5,
        "Rosy_Cheeks": identity.ruddiness + 0.55 * scene.makeup > 1.2,
        "Smiling": scene.smiling,
        "Straight_Hair": hair and style.straight,
        "Wavy_Hair": hair and not style.straight,
        "Wearing_Earrings": scene.earring is not None,
        "Wearing_Hat": scene.hat is not None,
        "Wearing_Lipstick": scene.lipstick > 0,
        "Wearing_Necklace": scene.necklace != "none",
        "Wearing_Necktie": scene.clothes.kind == "jacket" and scene.clothes.pitch > 4,
        "Young": identity.age < 0.45,
    }
    return {name: 1 if true.get(name, False) else -1 for name in CELEBA}

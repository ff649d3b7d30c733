"""Define the options of an edit. This module imports nothing slow, because ``--help`` on the command line loads it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Edge(str, Enum):
    """Choices for how a painting is pasted into the photo; see `maskgan_cli.editing.compositing.compose.paste_back`.

    MOVE warps the photo to the edited mask and paints only missing pixels. SEAMLESS blends the whole painting without a
    seam (Poisson image editing). SOFT blends the whole painting with a soft edge.
    """

    MOVE = "move"
    SEAMLESS = "seamless"
    SOFT = "soft"


class Inside(str, Enum):
    """Choices for where the inside of a newly opened mouth comes from; see `maskgan_cli.editing.compositing.mouths`.

    PHOTO is the edited photo, REFERENCE is the second face, PAINTED is the network's painting. AUTO chooses the photo
    or the second face, depending on which mouth is open wide enough.
    """

    AUTO = "auto"
    PHOTO = "photo"
    REFERENCE = "reference"
    PAINTED = "painted"


class Hair(str, Enum):
    """Choices for where the pixels of another person's hair come from; see `maskgan_cli.editing.compositing.hair_swap`.

    REFERENCE copies the pixels from the other person's picture. PAINTED lets the network paint the hair. AUTO copies
    the pixels if possible, and otherwise lets the network paint the hair.
    """

    AUTO = "auto"
    REFERENCE = "reference"
    PAINTED = "painted"


class Accessories(str, Enum):
    """Choices for how glasses, hats, earrings and necklaces are put on: see `editing.compositing.accessories`.

    DRAWN draws the accessories over the photo as objects. PAINTED adds the accessories to the mask, so that the network
    paints them.
    """

    DRAWN = "drawn"
    PAINTED = "painted"


@dataclass(frozen=True)
class Blend:
    """Whether and how a painting is pasted back into the picture that is edited.

    Attributes:
        wanted: True: always paste back. False: never; the result is the bare painting. None: depends on the edit. Most
            edits then paste into photos, but return the bare painting for faces of a prepared data set, because the
            paper's metrics need it.
        edge: how the border between painting and photo is blended.
        softness: width of the soft edge as a share of the picture's side, above 0; used only by ``Edge.SOFT``.
        inside: where the inside of a newly opened mouth comes from; used only by ``Edge.MOVE``.
        hair: where the pixels of another person's hair come from; used only by ``Edge.MOVE``.
        accessories: how accessories are put on.
    """

    wanted: bool | None = None
    edge: Edge = Edge.MOVE
    softness: float = 0.05
    inside: Inside = Inside.AUTO
    hair: Hair = Hair.AUTO
    accessories: Accessories = Accessories.DRAWN

    def or_bare(self, bare: bool) -> Blend | None:
        """Return this object if the painting must be pasted back, else None.

        Args:
            bare: used only if ``wanted`` is None. True: do not paste back (return None). False: paste back.
        """
        return None if (bare if self.wanted is None else not self.wanted) else self

    @property
    def note(self) -> str | float:
        """Value for a result's record: ``softness`` if ``edge`` is ``Edge.SOFT``, else the name of the edge."""
        return self.softness if self.edge is Edge.SOFT else self.edge.value


class Taken(str, Enum):
    """Choices for how a picture is read; see `maskgan_cli.editing.faces.reader.PhotoReader`.

    CROP reads the picture as a face crop. PHOTO detects a face in the picture, and cuts the face out. AUTO reads a
    picture as a crop if the face is framed as in CelebA-HQ, and otherwise as a photo.
    """

    AUTO = "auto"
    CROP = "crop"
    PHOTO = "photo"

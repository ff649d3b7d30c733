"""A documented command at its smallest: as its page has it, but for what takes long."""

from __future__ import annotations

from tests.conftest import TINY, TINY_VAE

_STEPS = ("--set", "schedule.steps=2", "--device", "cpu", "--workers", "0")


def _tiny(*settings: str) -> tuple[str, ...]:
    return ("--recipe", "tiny-cpu", *(word for setting in settings for word in ("--set", setting)), *_STEPS)


_FOUR = ("data.batch_size=4", "schedule.validation_samples=4")
TRAIN = {
    "vae": (*TINY_VAE, *_STEPS),
    "dmn": (*TINY, *_STEPS),
    "ebst": _tiny("discriminator.width=4", "perceptual.width=4", "blender.width=4", *_FOUR),
    "parser": _tiny("network.image_size=64", "data.batch_size=4", "schedule.decay_from=null"),
    "attributes": _tiny("network.width=8", "data.batch_size=4", "schedule.decay_from=null"),
    "pose": _tiny("data.batch_size=4", "schedule.decay_from=null"),
    "identity": _tiny("data.batch_size=4", "schedule.decay_from=null", "pairs=20"),
    "pix2pixhd-m": (*TINY, *_STEPS),
    "spade": _tiny("network.width=4", "discriminator.width=4", "perceptual.width=4", *_FOUR),
    "sean": _tiny("network.width=4", "network.style=16", "discriminator.width=4", "perceptual.width=4", *_FOUR),
    "stargan": _tiny("data.batch_size=4", "schedule.decay_from=null"),
    "elegant": _tiny("data.batch_size=8"),
}


def small(words: list[str]) -> list[str]:
    """The same command where all that takes long is small."""
    words = ["64" if before == "--size" else word for before, word in zip(["", *words], words, strict=False)]
    if words[0] == "examples":  # whatever the test's folder has under these names
        return [*words, "--overwrite"]
    if words[0] == "train":
        given, at = [], 0
        while at < len(words):
            dropped = words[at] == "--recipe" or words[at + 1 : at + 2] == ["perceptual.weights=vgg19.pth"]
            dropped = dropped or words[at : at + 2] == ["--start-from", "bundled"]  # of another shape
            given += [] if dropped else [words[at]]
            at += 2 if dropped else 1
        return [*given, *TRAIN[words[1]]]
    if words[0] == "personalise":
        return [*words, "--steps", "2", "--device", "cpu"]
    if words[0] == "synth":
        words = ["60" if word == "2000" else word for word in words]  # fewer people leave splits with one person
    if "runs/ebst" in words and words[0] != "runs":  # two steps make no parser: its masks are no faces
        words.append("--force")
    return words

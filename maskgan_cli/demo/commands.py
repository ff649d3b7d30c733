"""Build the `maskgan` commands of the demo. The page shows exactly the commands that are run."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskgan_cli.demo.cast import PEOPLE, Cast

PHOTO = Path("astronaut.png")
CROP = Path("photo") / PHOTO.name
EDITED = Path("edited.png")
FETCH = f"python -c \"from skimage import data, io; io.imsave('{PHOTO}', data.astronaut())\""
Perform = Callable[[Sequence[str]], str]  # runs a `maskgan` command and returns its standard output


@dataclass(frozen=True)
class Command:
    """One `maskgan` command. `Path` arguments are relative to the demo's folder.

    Attributes:
        words: arguments after ``maskgan``.
        rerun: additional options that allow the command to replace results of an earlier run; the page does not show
            these options.
        done: a file that exists only after the command has finished; if it exists already, the command is skipped.
        long: whether the command takes long, so that its progress is shown.
    """

    words: tuple[str | Path, ...]
    rerun: tuple[str, ...] = ()
    done: Path | None = None
    long: bool = False

    def __str__(self) -> str:
        return shlex.join(["maskgan", *map(str, self.words)])

    def run(self, folder: Path, perform: Perform) -> dict[str, Any]:
        """Run the command, unless its file ``done`` exists.

        Args:
            folder: the demo's folder.
            perform: function that runs a `maskgan` command and returns its standard output.

        Returns:
            The JSON output of the command; {} if the command was skipped.
        """
        if self.done is not None and (folder / self.done).is_file():
            return {}
        words = [str(folder / word) if isinstance(word, Path) else word for word in self.words]
        quiet = () if self.long else ("--quiet",)
        found: dict[str, Any] = json.loads(perform([*words, *self.rerun, *quiet, "--json"]))
        return found


@dataclass(frozen=True)
class Scale:
    """The size of the demo: numbers of faces, edits and training steps.

    Attributes:
        size: side of the rendered faces in pixels.
        pairs: number of pairs of rendered faces, with ground truth, to edit, show and evaluate.
        steps: number of interpolated masks.
        training: four numbers: training faces, people on these faces, training steps of the generator, and training
            steps of MaskVAE. None: the weights included in the package are used.
    """

    size: int
    pairs: int
    steps: int
    training: tuple[int, int, int, int] | None = None


BUNDLED = Scale(size=256, pairs=5, steps=12)
TRAINED = Scale(size=256, pairs=5, steps=12, training=(400, 100, 500, 400))
SMALLEST = Scale(size=64, pairs=2, steps=3, training=(16, 16, 2, 2))
_TRAINING_SIZE = 64  # image size of the tiny recipes


class Commands:
    """Builds the commands of the demo. Paths are relative to the demo's folder.

    Args:
        scale: how large the demo is.
        cast: the faces selected for the demo.
        seed: seed of the training and of the faces rendered for training.
        device, workers: values of ``--device`` and ``--workers`` for the commands that have these options; None omits
            the option.
    """

    def __init__(self, scale: Scale, cast: Cast, *, seed: int, device: str | None, workers: int | None) -> None:
        self.scale, self.cast, self.seed = scale, cast, seed
        self._device = () if device is None else ("--device", device)
        self._workers = () if workers is None else ("--workers", str(workers))
        trained = scale.training is not None
        self._dmn: tuple[str | Path, ...] = ("--weights", Path("dmn")) if trained else ()
        self._vae: tuple[str | Path, ...] = ("--weights", Path("vae"), "--dmn-weights", Path("dmn")) if trained else ()

    def training(self) -> list[Command]:
        """Return commands that render training faces and train generator and MaskVAE.

        Return an empty list if bundled weights are used.
        """
        if self.scale.training is None:
            return []
        faces, people, steps, vae_steps = self.scale.training
        raw, data = Path("training-faces"), Path("training")
        drawn = ("-n", str(faces), "--identities", str(people), "--size", str(_TRAINING_SIZE), "--seed", str(self.seed))
        return [
            Command(("synth", raw, *drawn, *self._workers), long=True),
            Command(
                ("prep-data", raw, data, "--size", str(_TRAINING_SIZE), *self._workers),
                done=data / "dataset.json",
                long=True,
            ),
            self._train("dmn", steps),
            self._train("vae", vae_steps, "--set", "schedule.decay_from=null"),
        ]

    def _train(self, kind: str, steps: int, *more: str) -> Command:
        """Return the command that trains a network.

        Args:
            kind: ``dmn`` or ``vae``.
            steps: number of training steps.
            more: additional options of the command.
        """
        often = max(1, steps // 3)
        settings = {"steps": steps, "checkpoint_every": often, "sample_every": steps, "validate_every": often}
        changes = [word for name, value in settings.items() for word in ("--set", f"schedule.{name}={value}")]
        words = ("train", kind, Path("training"), "--recipe", "tiny-cpu", "-o", Path(kind), "--seed", str(self.seed))
        return Command((*words, *changes, *more, *self._device), long=True)

    def faces(self) -> list[Command]:
        """Return commands that render and prepare the faces of the demo.

        The rendered data set also contains masks and the ground truth of the pairs.
        """
        size = ("--size", str(self.scale.size))
        people, pairs = str(PEOPLE), str(self.scale.pairs)
        drawn = ("-n", people, "--identities", people, *size, "--counterfactuals", pairs, "--seed", str(self.cast.seed))
        return [
            Command(("synth", Path("faces"), *drawn, *self._workers), long=True),
            Command(("prep-data", Path("faces"), Path("cast"), *size, *self._workers), done=Path("cast/dataset.json")),
        ]

    def crop(self) -> list[Command]:
        """Return commands that crop the photo's face and predict its mask."""
        return [
            Command(("align", PHOTO, "-o", CROP.parent, *self._device), ("--overwrite",)),
            Command(("parse", CROP, *self._device), ("--overwrite",)),
        ]

    def photo(self) -> dict[str, Command]:
        """Return a dict from the name of each edit of the photo's face to the command that applies the edit."""
        cast = self.cast

        def edit(name: str, number: int, *words: str) -> Command:
            return self._edit(words[0], CROP, face(number), *words[1:], "-o", Path(f"{name}.png"), "--save-masks")

        return {
            "mouth": edit("mouth", cast.mouth, "swap-mouth"),
            "brows": self._edit(
                "reshape", CROP, "--part", "brows", "--move", "0,-9", "-o", Path("brows.png"), "--save-masks"
            ),
            "glasses": self._edit("reshape", CROP, "--add", "glasses", "-o", Path("glasses.png"), "--save-masks"),
            "style": edit("style", cast.look, "style-copy"),
        }

    def paste(self) -> Command:
        """Return the command that pastes the result of the mouth edit back into the whole photo."""
        return Command(("paste", CROP, Path("mouth.png"), "-o", EDITED), ("--overwrite",))

    def pairs(self) -> dict[str, Command]:
        """Return a dict from name to command; the commands edit all pairs of rendered faces and evaluate the results.

        ``pairs`` writes the list of pairs to a CSV file. ``bare`` copies the target's mouth shape to the source of each
        pair, without blending; ``seamless`` does the same with blending. ``read`` parses the ``bare`` results and
        compares the parsed masks with the edited masks.
        """
        listed = ("--pairs", Path("pairs.csv"))
        truths = ("--protocol", "counterfactual", "--truths", Path("faces"))
        return {
            "pairs": Command(("eval", "pairs", Path("cast"), *truths, "-o", Path("pairs.csv")), ("--overwrite",)),
            "bare": self._edit("swap-mouth", *listed, "-o", Path("bare"), "--save-masks"),
            "seamless": self._edit("swap-mouth", *listed, "--blend", "-o", Path("seamless")),
            "read": Command(
                ("eval", "segmentation", Path("bare"), *listed, *self._device, "-o", Path("read.json")),
                ("--overwrite",),
            ),
        }

    def way(self) -> Command:
        """Return the command that interpolates between the masks of two faces, in the style of the first face."""
        a, b = (face(number) for number in self.cast.ways)
        words = ("interpolate", a, b, "--steps", str(self.scale.steps), "--style", a, "-o", Path("between"))
        return Command((*words, *self._vae, *self._device), ("--overwrite",))

    def _edit(self, *words: str | Path) -> Command:
        """Return the editing command with the arguments ``words`` and the options for weights and device."""
        return Command((*words, *self._dmn, *self._device), ("--overwrite",))


def face(number: int) -> Path:
    """Return the path of a rendered and prepared face, relative to the demo's folder."""
    return Path("cast/images") / f"{number}.png"

"""The commands of a plan: what is trained, painted and measured, added as tables come to need it.

All tables of one folder share faces, judges and networks, so the second one has less to do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from maskgan_cli.errors import InputError
from maskgan_cli.reproduce.preset import Network, Preset, Protocol, recipe_steps
from maskgan_cli.reproduce.stages import Stage

ATTRIBUTES: Final = "Smiling,Male,Heavy_Makeup,No_Beard"
MASKLESS: Final = ("stargan", "elegant")  # they paint no mask that could be read again
TRUTH: Final = "truth"
_TASKS: Final = {"maskgan": "dmn", "concat": "dmn", "control": "dmn"}  # what trains a row, where it is not called so
# Seconds of one core, as they were measured at 64 px; a start is Python's and PyTorch's.
START, _FACE, _PREPARED, _PAINTED, _JUDGED = 4.0, 0.09, 0.005, 0.1, 0.06


@dataclass(frozen=True)
class Table:
    """A table of the plan: JSON results in, files out."""

    name: str
    results: tuple[str, ...]
    files: tuple[str, ...]


@dataclass
class Plan:
    """Stages in order, added as tables come to need them.

    Attributes:
        preset: how large everything is.
        data: a prepared data set, absolute; None renders faces.
        seed: of everything.
        judges: weights to take instead of training a judge: parser, attributes, identity, inception.
        has_identities: whether the data set says who is who.
        device, workers: words for the commands that have them.
    """

    preset: Preset
    data: str | None = None
    seed: int = 0
    judges: Mapping[str, str] = field(default_factory=dict)
    has_identities: bool = True
    device: tuple[str, ...] = ()
    workers: tuple[str, ...] = ()
    stages: dict[str, Stage] = field(default_factory=dict)
    tables: list[Table] = field(default_factory=list)
    figures: list[str] = field(default_factory=list)

    @property
    def rendered(self) -> bool:
        """Whether faces are rendered here, so that true answers exist."""
        return self.data is None

    @property
    def faces(self) -> str:
        """The data set as the commands name it."""
        return self.data or "data"

    def add(
        self, name: str, words: Sequence[str], outputs: Sequence[str], needs: Sequence[str], seconds: float | None,
        how: tuple[str, ...] = (),
    ) -> str:  # fmt: skip
        """A stage, unless there is one of that name; returns the name."""
        known = tuple(dict.fromkeys(need for need in needs if need))
        self.stages.setdefault(name, Stage(name, tuple(words), tuple(outputs), known, seconds, how))
        return name

    def prepare(self) -> str:
        """The data set; "" where it is there already."""
        if not self.rendered:
            return ""
        size, faces, seed = str(self.preset.size), self.preset.faces, str(self.seed)
        drawn = ("-n", str(faces.count), "--identities", str(faces.people), "--size", size, "--seed", seed)
        slower = (self.preset.size / 64) ** 2
        raw = self.add("render faces", ("synth", "faces", *drawn), ["faces/synth.json"], [],
                       START + _FACE * faces.count * slower, self.workers)  # fmt: skip
        return self.add("prepare", ("prep-data", "faces", "data", "--size", size), ["data"], [raw],
                        START + _PREPARED * faces.count * slower, self.workers)  # fmt: skip

    def train(self, name: str, *, run: str = "", more: Sequence[str] = (), needs: Sequence[str] = (),
              seed: int | None = None) -> str:  # fmt: skip
        """A network to ``runs/RUN``, trained as the preset says of ``name``.

        Args:
            run: of its own name, else ``name``.
            more: further words.
            needs: stages it needs besides the data set.
            seed: of its own, else the plan's.
        """
        entry = self._entry(name)
        task, run = _TASKS.get(name, name), run or name
        words = ["train", task, self.faces, "--recipe", entry.recipe, "-o", f"runs/{run}"]
        words += ["--seed", str(self.seed if seed is None else seed)]
        changes = {}
        if entry.steps is not None:  # the recipe's own last steps are not ours
            changes = {"schedule.steps": entry.steps, "schedule.decay_from": None}
        changes |= entry.set
        words += [w for key, value in changes.items() for w in ("--set", f"{key}={_spelled(value)}")]
        steps = entry.steps or recipe_steps(task, entry.recipe)
        seconds = None if entry.seconds is None or steps is None else START + steps * entry.seconds
        return self.add(f"train {run}", [*words, *more], [f"runs/{run}/model.safetensors"],
                        [self.prepare(), *needs], seconds, self.device)  # fmt: skip

    def _entry(self, name: str) -> Network:
        for known, entry in self.preset.networks.items():
            if known == name:
                return entry
        raise InputError("--preset", expected=f"an entry for {name} among its networks", found="none")

    def method(self, name: str) -> str:
        """The training of a row of the tables."""
        if name == "maskgan-ebst":
            return self.ebst(name, self.seed)
        if name in MASKLESS:
            return self.train(name, more=("--attributes", str(getattr(self.preset.attributes, name))))
        return self.train(name, more=("--set", "network.fusion=concat") if name == "concat" else ())

    def ebst(self, run: str, seed: int) -> str:
        """MaskGAN trained on with simulated edits."""
        stage, vae = self.vae("--vae")
        needs = [self.method("maskgan"), stage]
        return self.train("ebst", run=run, seed=seed, needs=needs, more=("--dmn", "runs/maskgan", *vae))

    def vae(self, option: str) -> tuple[str, tuple[str, ...]]:
        """MaskVAE's stage and the words that name its weights; nothing where the bundled one is taken."""
        return ("", ()) if self._taken_bundled("vae") else (self.train("vae"), (option, "runs/vae"))

    def _taken_bundled(self, name: str) -> bool:
        """Whether a network comes with the package and nothing is trained."""
        return self.rendered and self._entry(name).bundled

    def judge(self, name: str) -> tuple[str, str]:
        """A judge's stage, "" if it needs none, and its weights, "" for those that are found without."""
        if name in self.judges:
            return "", self.judges[name]
        if name == "inception" or self._taken_bundled(name):
            return "", ""
        more = ("--attributes", ATTRIBUTES) if name == "attributes" else ()
        return self.train(name, more=more), f"runs/{name}"

    def pairs(self, protocol: Protocol, *, truths: bool = False) -> tuple[str, str]:
        """The stage and the file of a list of pairs; with ``truths``, their true answers are rendered, if they can."""
        chosen = f"{protocol}/pairs.csv"
        count = ("-n", str(self.preset.pairs[protocol])) if protocol in self.preset.pairs else ()
        words = ("eval", "pairs", self.faces, "--protocol", protocol, *count, "--seed", str(self.seed))
        stage = self.add(f"pairs {protocol}", (*words, "-o", chosen, "--overwrite"), [chosen],
                         [self.prepare()], START)  # fmt: skip
        if not (truths and self.rendered):
            return stage, chosen
        folder = f"{protocol}/{TRUTH}"
        stage = self.add(
            f"{TRUTH} {protocol}", ("eval", "truths", "faces", chosen, "-o", folder, "--overwrite"), [folder],
            [stage, "render faces"], START + self._count(protocol) * _FACE,
        )  # fmt: skip
        return stage, f"{folder}/pairs.csv"

    def _count(self, protocol: Protocol) -> int:
        """About how many pairs there will be."""
        tested = self.preset.faces.count // 10
        most = tested if protocol == "style-copy" else tested // 2
        return self.preset.pairs.get(protocol, most if self.rendered else 400)

    def paint(self, method: str, protocol: Protocol, pairs: tuple[str, str], *, run: str = "", command: str) -> str:
        """Results of a method in ``PROTOCOL/NAME``."""
        name, entry = run or method, {"maskgan-ebst": "dmn", "concat": "dmn", "maskgan": "dmn"}.get(method, method)
        folder = f"{protocol}/{name}"
        words = [*command.split(), "--pairs", pairs[1], "--method", entry, "--weights", f"runs/{name}"]
        words += ["--save-masks"] if command.startswith("transfer") and entry not in MASKLESS else []
        needs = [pairs[0], f"train {name}"]
        return self.add(f"paint {protocol} {name}", [*words, "-o", folder], [folder], needs,
                        START + _PAINTED * self._count(protocol), self.device)  # fmt: skip

    def measure(self, name: str, protocol: Protocol, pairs: tuple[str, str], metrics: Sequence[str],
                needs: Sequence[str], *, masks: str = "") -> str:  # fmt: skip
        """The metrics of one row in ``PROTOCOL/NAME.json``."""
        metrics = [m for m in metrics if m != "identity" or self.has_identities or "identity" in self.judges]
        out = f"{protocol}/{name}.json"
        words = ["eval", "results", self.faces, f"{protocol}/{name}", "--pairs", pairs[1], "--method", name]
        words += ["--metrics", ",".join(metrics), *(("--masks", masks) if masks and "segmentation" in metrics else ())]
        needed = list(needs)
        for judge in ("attributes", "parser", "identity"):
            if {"parser": "segmentation"}.get(judge, judge) in metrics:
                stage, weights = self.judge(judge)
                needed.append(stage)
                words += [f"--{judge}-weights", weights] if weights else []
        if "fid" in metrics:
            stage, weights = self.judge(self.preset.features)
            needed.append(stage)
            words += ["--features", self.preset.features, *(("--features-weights", weights) if weights else ())]
        seconds = START + _JUDGED * self._count(protocol)
        return self.add(f"measure {protocol} {name}", [*words, "-o", out, "--overwrite"], [out],
                        [pairs[0], *needed], seconds, self.device)  # fmt: skip

    def against_truth(self, name: str, protocol: Protocol, pairs: tuple[str, str], needs: Sequence[str]) -> str:
        """One row against the true pictures, in ``PROTOCOL/NAME.truth.json``."""
        out = f"{protocol}/{name}.truth.json"
        words = ["eval", "counterfactual", f"{protocol}/{name}", "--pairs", pairs[1], "--method", name]
        stage, weights = self.judge("identity")
        words += ["--identity-weights", weights] if weights else []
        return self.add(f"compare {protocol} {name} with the truth", [*words, "-o", out, "--overwrite"], [out],
                        [pairs[0], *needs, stage], START + _JUDGED * self._count(protocol), self.device)  # fmt: skip

    def table(self, name: str, stages: Sequence[str]) -> None:
        """Three forms of a table of what these stages measured: ``NAME/table.md``, ``.html`` and ``.tex``."""
        results = [self.stages[stage].outputs[0] for stage in stages]
        files = []
        for form, suffix in (("markdown", "md"), ("html", "html"), ("latex", "tex")):
            files.append(f"{name}/table.{suffix}")
            words = ("eval", "report", *results, "--format", form, "-o", files[-1], "--overwrite")
            self.add(f"table {name} {suffix}", words, files[-1:], stages, START)
        self.tables.append(Table(name, tuple(results), tuple(files)))

    def figure(self, name: str, protocol: Protocol, pairs: tuple[str, str], rows: Sequence[str], needs: Sequence[str],
               masks: str = "") -> None:  # fmt: skip
        """Some pairs as all methods painted them, in ``NAME/figure``."""
        folder = f"{name}/figure"
        methods = [word for row in rows for word in ("--method", f"{row}={protocol}/{row}")]
        words = ("compare", "--pairs", pairs[1], *methods, "-n", str(self.preset.shown), "-o", folder, "--overwrite")
        self.add(f"figure {name}", (*words, *(("--masks", masks) if masks else ())), [folder], needs, START)
        self.figures.append(f"{folder}/comparison.png")


def _spelled(value: object) -> str:
    """A value as ``--set`` reads it."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    return str(value)

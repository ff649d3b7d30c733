"""A plan: the training, editing and evaluation commands (stages) that the tables require, in order.

Tables in one folder share faces, judges (evaluation networks) and trained networks, so further tables need less work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from maskgan_cli.errors import InputError
from maskgan_cli.reproduce.preset import Network, Preset, Protocol, recipe_steps
from maskgan_cli.reproduce.stages import Stage

ATTRIBUTES: Final = "Smiling,Male,Heavy_Makeup,No_Beard"
MASKLESS: Final = ("stargan", "elegant")  # methods that do not generate from a mask
TRUTH: Final = "truth"
_TASKS: Final = {"maskgan": "dmn", "concat": "dmn", "control": "dmn"}  # network -> its training command
# Measured seconds on one core at 64 px: start-up of Python and PyTorch; then rendering, preparing, editing and
# evaluating one face.
START, _FACE, _PREPARED, _PAINTED, _JUDGED = 4.0, 0.09, 0.005, 0.1, 0.06


@dataclass(frozen=True)
class PlannedTable:
    """A table of results that the plan makes, e.g. Table 2 of the paper.

    Attributes:
        name: name of the table.
        results: paths of the JSON files with the metrics that the table shows.
        files: paths of the table itself, one file for each format.
    """

    name: str
    results: tuple[str, ...]
    files: tuple[str, ...]


@dataclass
class ReproductionPlan:
    """A plan: a list of stages (commands) that make the tables. The functions of `tables` add the stages.

    Most methods add a stage and return the stage's name. A stage that the plan has already is not added twice.

    Attributes:
        preset: scale of the data and the networks.
        data: absolute path of a prepared data set; None to render faces.
        seed: seed of all commands.
        judges: dict from the kind (parser, attributes, identity, inception, pose) of each judge (evaluation network)
            that the plan need not train to the path of its weights.
        has_identities: whether the data set has identity labels.
        has_poses: whether the data set has head poses; otherwise a network estimates them.
        attributes: the attributes that the attribute judge learns, comma-separated: those of `ATTRIBUTES` that the data
            set has.
        threshold: minimum cosine similarity at which the identity network verifies two faces as one person. If it is
            None, a stage chooses the threshold on pairs of faces of ``threshold_split``.
        threshold_split: name of a split. If it is empty and ``threshold`` is None, the identity network's own threshold
            is used.
        device, workers: arguments for commands with these options, e.g. ``("--device", "cuda")``; may be empty.
        stages: dict from name to stage; each stage comes after the stages that it needs.
        tables: the tables that the plan makes.
        figures: paths of the figures that the plan makes.
    """

    preset: Preset
    data: str | None = None
    seed: int = 0
    judges: Mapping[str, str] = field(default_factory=dict)
    has_identities: bool = True
    has_poses: bool = True
    attributes: str = ATTRIBUTES
    threshold: float | None = None
    threshold_split: str = ""
    device: tuple[str, ...] = ()
    workers: tuple[str, ...] = ()
    stages: dict[str, Stage] = field(default_factory=dict)
    tables: list[PlannedTable] = field(default_factory=list)
    figures: list[str] = field(default_factory=list)

    @property
    def rendered(self) -> bool:
        """Whether the plan renders the faces, so that the correct results of edits are known."""
        return self.data is None

    @property
    def faces(self) -> str:
        """Path of the data set that the commands read: the given data set, or the folder for rendered faces."""
        return self.data or "data"

    def add(
        self,
        name: str,
        words: Sequence[str],
        outputs: Sequence[str],
        needs: Sequence[str],
        seconds: float | None,
        how: tuple[str, ...] = (),
    ) -> str:
        """Add a stage (command) unless its name exists already; return the name. For the parameters, see `Stage`."""
        known = tuple(dict.fromkeys(need for need in needs if need))
        self.stages.setdefault(name, Stage(name, tuple(words), tuple(outputs), known, seconds, how))
        return name

    def prepare(self) -> str:
        """Add the stages (commands) that render faces and make a data set of them; return the name of the last one.

        If the plan uses a given data set, add nothing and return "".
        """
        if not self.rendered:
            return ""
        return self._rendered("render faces", "faces", "prepare", "data", self.preset.size)

    def _rendered(self, rendering: str, raw: str, preparing: str, data: str, size: int) -> str:
        """Add two stages (commands): render faces, and prepare a data set from the faces; return the second one's name.

        Args:
            rendering, preparing: names for the two stages.
            raw, data: folders of the rendered faces and of the data set.
            size: side of the pictures in pixels.
        """
        faces, seed = self.preset.faces, str(self.seed)
        drawn = ("-n", str(faces.count), "--identities", str(faces.people), "--size", str(size), "--seed", seed)
        slower = (size / 64) ** 2
        stage = self.add(
            rendering,
            ("synth", raw, *drawn),
            [f"{raw}/synth.json"],
            [],
            START + _FACE * faces.count * slower,
            self.workers,
        )
        return self.add(
            preparing,
            ("prep-data", raw, data, "--size", str(size)),
            [data],
            [stage],
            START + _PREPARED * faces.count * slower,
            self.workers,
        )

    def resized(self, size: int | None) -> tuple[str, str]:
        """Add the stage (command) that makes a copy of the data set with pictures of ``size`` pixels.

        If ``size`` is None or the preset's size, no copy is needed, and the data set itself is returned.

        Returns:
            The name of the stage that creates the returned data set ("" if it exists already), and the path of this
            data set.
        """
        if size is None or size == self.preset.size:
            return self.prepare(), self.faces
        source, folder = self.faces if not self.rendered else "faces", f"data-{size}"
        seconds = START + _PREPARED * self.preset.faces.count if self.rendered else None
        return self.add(
            f"prepare {size}",
            ("prep-data", source, folder, "--size", str(size)),
            [folder],
            [self.prepare()],
            seconds,
            self.workers,
        ), folder

    def train(
        self,
        name: str,
        *,
        run: str = "",
        more: Sequence[str] = (),
        needs: Sequence[str] = (),
        seed: int | None = None,
        data: tuple[str, str] | None = None,
    ) -> str:
        """Add the stage (command) that trains a network in the folder ``runs/RUN``; return the stage's name.

        Args:
            name: name of the network in the preset.
            run: name of the training run; ``name`` if empty.
            more: further arguments of the command.
            needs: names of the stages that the training needs besides the data set.
            seed: seed of this run; the plan's if None.
            data: for another data set than the plan's: name of the stage that makes it, and its path.
        """
        entry = self._entry(name)
        task, run = _TASKS.get(name, name), run or name
        prepared, faces = data or self.resized(entry.size)
        words = ["train", task, faces, "--recipe", entry.recipe, "-o", f"runs/{run}"]
        words += ["--seed", str(self.seed if seed is None else seed)]
        changes = {}
        if entry.steps is not None:  # the recipe's decay refers to its own number of steps
            changes = {"schedule.steps": entry.steps, "schedule.decay_from": None}
        changes |= entry.set
        words += [w for key, value in changes.items() for w in ("--set", f"{key}={_spelled(value)}")]
        steps = entry.steps or recipe_steps(task, entry.recipe)
        seconds = None if entry.seconds is None or steps is None else START + steps * entry.seconds
        return self.add(
            f"train {run}", [*words, *more], [f"runs/{run}/model.safetensors"], [prepared, *needs], seconds, self.device
        )

    def _entry(self, name: str) -> Network:
        """Return the training settings of the network ``name``; raise an InputError if the preset has none."""
        for known, entry in self.preset.networks.items():
            if known == name:
                return entry
        raise InputError("--preset", expected=f"an entry for {name} among its networks", found="none")

    def method(self, name: str) -> str:
        """Add the stages (commands) that train one method of the results table; return the name of the last one added.

        Args:
            name: name of the method.
        """
        if name == "maskgan-ebst":
            return self.ebst(name, self.seed)
        if name in MASKLESS:
            return self.train(name, more=("--attributes", str(getattr(self.preset.attributes, name))))
        return self.train(name, more=("--set", "network.fusion=concat") if name == "concat" else ())

    def ebst(self, run: str, seed: int) -> str:
        """Add the stage (command) that trains MaskGAN with simulated edits (EBST), starting from the trained generator.

        Args:
            run: name of the training run, whose folder is ``runs/RUN``.
            seed: seed of the training.

        Returns:
            The name of the stage.
        """
        stage, vae = self.vae("--vae")
        needs = [self.method("maskgan"), stage]
        return self.train("ebst", run=run, seed=seed, needs=needs, more=("--dmn", "runs/maskgan", *vae))

    def vae(self, option: str) -> tuple[str, tuple[str, ...]]:
        """Add the stage (command) that trains MaskVAE, unless the bundled weights are used.

        Args:
            option: name of the option, e.g. ``--vae``, with which another command receives MaskVAE's weights.

        Returns:
            The name of the stage, and the arguments (option and path) for that other command; both are empty if the
            bundled weights are used.
        """
        return ("", ()) if self._uses_bundled("vae") else (self.train("vae"), (option, "runs/vae"))

    def _uses_bundled(self, name: str) -> bool:
        """Return whether the plan uses the bundled weights of the network ``name`` instead of training the network."""
        return self.rendered and self._entry(name).bundled

    def judge(self, name: str) -> tuple[list[str], str]:
        """Add the stages (commands) that train a judge (evaluation network), unless its weights are given or bundled.

        Args:
            name: kind of the judge: parser, attributes, identity or inception.

        Returns:
            The names of the added stages, and the path of the weights ("" for the default weights).
        """
        if name in self.judges:
            return [], self.judges[name]
        if name == "inception" or self._uses_bundled(name):
            return [], ""
        if name == "attributes" and self.preset.separate_attributes:
            names = self.attributes.split(",")
            each = [self.train(name, run=f"{name}/{one}", more=("--attributes", one)) for one in names]
            return each, f"runs/{name}"
        more = ("--attributes", self.attributes) if name == "attributes" else ()
        return [self.train(name, more=more)], f"runs/{name}"

    def poses(self) -> tuple[list[str], list[str]]:
        """Choose the source of the head poses; if it is a network to train, add the stages (commands) for the training.

        The sources in order of preference: the network that the user named, the labels of the data set, and a network
        that is trained on rendered faces.

        Returns:
            The names of the added stages, and the arguments of ``eval pairs`` that name the network. Both lists are
            empty if the poses of the data set are used.
        """
        if "pose" in self.judges:
            return [], ["--pose-weights", self.judges["pose"]]
        if self.has_poses or "pose" not in self.preset.networks:
            return [], []
        data = self._rendered("render faces for poses", "posed-faces", "prepare poses", "posed-data", self.preset.size)
        return [self.train("pose", data=(data, "posed-data"))], ["--pose-weights", "runs/pose"]

    def verified(self) -> tuple[list[str], list[str]]:
        """Add the stage (command) that chooses the threshold of the identity network, if a threshold must be chosen.

        Returns:
            The names of the added stages, and the arguments with which ``eval results`` receives the threshold.
        """
        if self.threshold is not None:
            return [], ["--threshold", str(self.threshold)]
        if not self.threshold_split:
            return [], []
        needed, weights = self.judge("identity")
        chosen = "threshold.json"
        words = (
            "eval",
            "verify",
            self.faces,
            "--weights",
            weights,
            "--split",
            self.threshold_split,
            "--pairs",
            "6000",
            "--points",
            "crop",
            "--seed",
            str(self.seed),
            "-o",
            chosen,
            "--overwrite",
        )
        stage = self.add("choose threshold", words, [chosen], [self.prepare(), *needed], None, self.device)
        return [stage], ["--threshold-from", chosen]

    def pairs(self, protocol: Protocol, *, truths: bool = False) -> tuple[str, str]:
        """Add the stage (command) that chooses pairs of source and target faces.

        Args:
            protocol: the rule by which the pairs are chosen.
            truths: also add the stage that renders the ground truth of the pairs, if the faces are rendered.

        Returns:
            The name of the last added stage, and the path of the list of pairs.
        """
        chosen = f"{protocol}/pairs.csv"
        count = ("-n", str(self.preset.pairs[protocol])) if protocol in self.preset.pairs else ()
        needed, by = self.poses() if protocol != "style-copy" else ([], [])
        words = ("eval", "pairs", self.faces, "--protocol", protocol, *count, "--seed", str(self.seed), *by)
        stage = self.add(
            f"pairs {protocol}", (*words, "-o", chosen, "--overwrite"), [chosen], [self.prepare(), *needed], START
        )
        if not (truths and self.rendered):
            return stage, chosen
        folder = f"{protocol}/{TRUTH}"
        stage = self.add(
            f"{TRUTH} {protocol}",
            ("eval", "truths", "faces", chosen, "-o", folder, "--overwrite"),
            [folder],
            [stage, "render faces"],
            START + self._count(protocol) * _FACE,
        )
        return stage, f"{folder}/pairs.csv"

    def _count(self, protocol: Protocol) -> int:
        """Estimate the number of pairs that a protocol (rule for choosing pairs) gives."""
        tested = self.preset.faces.count // 10
        most = tested if protocol == "style-copy" else tested // 2
        return self.preset.pairs.get(protocol, most if self.rendered else 400)

    def paint(self, method: str, protocol: Protocol, pairs: tuple[str, str], *, run: str = "", command: str) -> str:
        """Add the stage (command) that edits all pairs with a method; return the stage's name.

        The results are written to the folder ``PROTOCOL/RUN``.

        Args:
            method: name of the method.
            protocol: the rule by which the pairs were chosen.
            pairs: name of the stage that chooses the pairs, and path of the list of pairs, from `pairs`.
            run: name of the run whose weights are used; ``method`` if empty.
            command: the editing command, e.g. ``style-copy``.
        """
        name, entry = run or method, {"maskgan-ebst": "dmn", "concat": "dmn", "maskgan": "dmn"}.get(method, method)
        folder = f"{protocol}/{name}"
        words = [*command.split(), "--pairs", pairs[1], "--method", entry, "--weights", f"runs/{name}"]
        words += ["--save-masks"] if command.startswith("transfer") and entry not in MASKLESS else []
        needs = [pairs[0], f"train {name}"]
        return self.add(
            f"paint {protocol} {name}",
            [*words, "-o", folder],
            [folder],
            needs,
            START + _PAINTED * self._count(protocol),
            self.device,
        )

    def measure(
        self,
        name: str,
        protocol: Protocol,
        pairs: tuple[str, str],
        metrics: Sequence[str],
        needs: Sequence[str],
        *,
        masks: str = "",
    ) -> str:
        """Add the stage (command) that computes the metrics of one row of a table; return the stage's name.

        A row shows one method. The metrics are written to ``PROTOCOL/NAME.json``.

        Args:
            name: name of the row, and of the folder with the method's results.
            protocol: the rule by which the pairs were chosen.
            pairs: name of the stage that chooses the pairs, and path of the list of pairs, from `pairs`.
            metrics: the metrics; identity is omitted if the data set has no identities and no network is given.
            needs: names of the stages that write the results to measure.
            masks: folder of the edited masks, if they are not beside the results.
        """
        metrics = [m for m in metrics if m != "identity" or self.has_identities or "identity" in self.judges]
        out = f"{protocol}/{name}.json"
        words = ["eval", "results", self.faces, f"{protocol}/{name}", "--pairs", pairs[1], "--method", name]
        words += ["--metrics", ",".join(metrics), *(("--masks", masks) if masks and "segmentation" in metrics else ())]
        needed = list(needs)
        for judge in ("attributes", "parser", "identity"):
            if {"parser": "segmentation"}.get(judge, judge) in metrics:
                stages, weights = self.judge(judge)
                needed += stages
                words += [f"--{judge}-weights", weights] if weights else []
        if "identity" in metrics:
            stages, least = self.verified()
            needed += stages
            words += least
        if "fid" in metrics:
            stages, weights = self.judge(self.preset.features)
            needed += stages
            words += ["--features", self.preset.features, *(("--features-weights", weights) if weights else ())]
        seconds = START + _JUDGED * self._count(protocol)
        return self.add(
            f"measure {protocol} {name}",
            [*words, "-o", out, "--overwrite"],
            [out],
            [pairs[0], *needed],
            seconds,
            self.device,
        )

    def against_truth(self, name: str, protocol: Protocol, pairs: tuple[str, str], needs: Sequence[str]) -> str:
        """Add the stage (command) that compares the results of one method with the ground truth; return its name.

        The command writes ``PROTOCOL/NAME.truth.json``. For the parameters, see `measure`.
        """
        out = f"{protocol}/{name}.truth.json"
        words = ["eval", "counterfactual", f"{protocol}/{name}", "--pairs", pairs[1], "--method", name]
        stages, weights = self.judge("identity")
        words += ["--identity-weights", weights] if weights else []
        return self.add(
            f"compare {protocol} {name} with the truth",
            [*words, "-o", out, "--overwrite"],
            [out],
            [pairs[0], *needs, *stages],
            START + _JUDGED * self._count(protocol),
            self.device,
        )

    def table(self, name: str, stages: Sequence[str]) -> None:
        """Add the stages (commands) that make a table in three formats: ``NAME/table.md``, ``.html`` and ``.tex``.

        Args:
            name: name of the table.
            stages: names of the stages that compute the metrics of the rows, from `measure` or `against_truth`.
        """
        results = [self.stages[stage].outputs[0] for stage in stages]
        files = []
        for form, suffix in (("markdown", "md"), ("html", "html"), ("latex", "tex")):
            files.append(f"{name}/table.{suffix}")
            words = ("eval", "report", *results, "--format", form, "-o", files[-1], "--overwrite")
            self.add(f"table {name} {suffix}", words, files[-1:], stages, START)
        self.tables.append(PlannedTable(name, tuple(results), tuple(files)))

    def figure(
        self,
        name: str,
        protocol: Protocol,
        pairs: tuple[str, str],
        rows: Sequence[str],
        needs: Sequence[str],
        masks: str = "",
    ) -> None:
        """Add the stage (command) that makes a figure with the results of several methods for some pairs.

        The figure is written to the folder ``NAME/figure``.

        Args:
            name: name of the table that the figure belongs to.
            protocol: the rule by which the pairs were chosen.
            pairs: name of the stage that chooses the pairs, and path of the list of pairs, from `pairs`.
            rows: names of the methods, as in the rows of tables.
            needs: names of the stages that write the results.
            masks: folder of the edited masks, if they are not beside the results.
        """
        folder = f"{name}/figure"
        methods = [word for row in rows for word in ("--method", f"{row}={protocol}/{row}")]
        words = ("compare", "--pairs", pairs[1], *methods, "-n", str(self.preset.shown), "-o", folder, "--overwrite")
        self.add(f"figure {name}", (*words, *(("--masks", masks) if masks else ())), [folder], needs, START)
        self.figures.append(f"{folder}/comparison.png")


def _spelled(value: object) -> str:
    """Format the value of a setting as text for the option ``--set``."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    return str(value)

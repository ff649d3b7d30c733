"""What an entry of the table of networks says; the table is `maskgan_cli.networks`.

Classes and functions are named as ``module:name``, so that whoever reads an entry imports nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Option:
    """An option that one training command has and the others have not.

    Attributes:
        name: of the command line's ``--name`` and of ``prepare_training``'s argument.
        type: `pathlib.Path` or `str`.
        help: one line.
        required: whether the command is refused without it; else it is empty.
        setting: the recipe's setting it is short for, e.g. ``network.names=[{}]``; then
            ``prepare_training`` is not told.
    """

    name: str
    type: type
    help: str
    required: bool = False
    setting: str = ""


@dataclass(frozen=True)
class Training:
    """One command of ``maskgan train``.

    Attributes:
        name: the command's, and the folder of its recipes.
        module: where ``prepare_training(plan, recipe, **own options)`` is.
        recipe: the class of its recipe, in that module.
        help: the command's help.
        next_command: what to type when it is done; ``{out}`` (the run folder), ``{data}``, and ``{source}`` and
            ``{target}`` (two of its faces) are filled in.
        options: its own options.
        several: whether the help tells how to train in several processes.
    """

    name: str
    module: str
    recipe: str
    help: str
    next_command: str
    options: tuple[Option, ...] = ()
    several: bool = False


@dataclass(frozen=True)
class Published:
    """Published weights of a kind: where they are, under which licence, what needs them.

    Attributes:
        what: one line on it.
        page: where it is published, for people.
        licence: as its publishers state it.
        megabytes: size of its tensors in 10^6 bytes (the smallest network's, where there are several).
        needed_by: what here uses it.
        urls: direct downloads of the same file, tried in order; none if it must be fetched by hand.
        sha256: the file's, or its first digits, or empty where it is not known: then the first
            download is remembered and a later one must be the same.
    """

    what: str
    page: str
    licence: str
    megabytes: int
    needed_by: str
    urls: tuple[str, ...] = ()
    sha256: str = ""


@dataclass(frozen=True)
class Kind:
    """A kind of network.

    Attributes:
        name: in weights files, commands, variables and the cache.
        title: for people.
        network: its class, built from its configuration.
        config: the configuration's class; empty if the network has no settings.
        aliases: names it had before, which are still understood.
        variable: the environment variable that names its weights; ``MASKGAN_NAME_WEIGHTS`` if empty.
        layout: how published checkpoints call its tensors (a `weights.layouts.Layout`); empty if none is imported.
        published: where they are; None if nobody publishes any.
        onnx: how it is exported (a `weights.export.Portable`); empty if it is not.
        bundled: whether small weights of it come with the package.
        judge: loads it as a judge: (file or folder, device) -> `judges.Judge`; empty if it judges nothing.
        trainings: the commands that train it, the plain one first.
        start: the submodule of what is trained that ``--start-from`` fills; empty for all of it.
        trunks: other kinds of weights that it may begin with -> the submodule that they fill.
    """

    name: str
    title: str
    network: str
    config: str = ""
    aliases: tuple[str, ...] = ()
    variable: str = ""
    layout: str = ""
    published: Published | None = None
    onnx: str = ""
    bundled: bool = False
    judge: str = ""
    trainings: tuple[Training, ...] = ()
    start: str = ""
    trunks: Mapping[str, str] = field(default_factory=dict)

    @property
    def variables(self) -> tuple[str, ...]:
        """The environment variables that name its weights; the first one found counts."""
        plain = [f"MASKGAN_{name.replace('-', '_').upper()}_WEIGHTS" for name in (self.name, *self.aliases)]
        return (self.variable, *plain) if self.variable else tuple(plain)

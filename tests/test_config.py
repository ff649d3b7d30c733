"""Tests of recipes: the packaged ones load, changes apply, errors are explained."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from maskgan_cli.config import TrainingRecipe, dump_recipe, load_recipe, recipe_folder
from maskgan_cli.errors import InputError
from maskgan_cli.models.alpha_blender import AlphaBlenderConfig
from maskgan_cli.models.arcface import DEPTHS, ArcFaceConfig
from maskgan_cli.models.discriminator import DiscriminatorConfig
from maskgan_cli.models.dmn import DMNConfig
from maskgan_cli.models.hopenet import HopeNetConfig
from maskgan_cli.models.mask_vae import MaskVAEConfig
from maskgan_cli.networks import resolve, trainings
from maskgan_cli.training.tasks.dmn import DMNRecipe
from maskgan_cli.training.tasks.ebst import EBSTRecipe
from maskgan_cli.training.tasks.identity import IdentityRecipe
from maskgan_cli.training.tasks.mask_vae import VAERecipe
from maskgan_cli.training.tasks.pose import PoseRecipe


def _load(*changes: str, name: str = "tiny-cpu") -> DMNRecipe:
    return load_recipe(DMNRecipe, "dmn", name, list(changes))


def test_paper_recipes_have_the_papers_settings() -> None:
    for size in (512, 256):
        recipe = _load(name=f"paper-{size}")
        assert recipe.network == DMNConfig(image_size=size)
        assert (recipe.optimiser.lr, recipe.optimiser.beta1, recipe.optimiser.beta2) == (2e-4, 0.5, 0.999)
        assert recipe.loss.model_dump() == {
            "adversarial": 1.0,
            "feature_matching": 10.0,
            "perceptual": 10.0,
            "pixel": 0.0,
            "small_classes": 1.0,
            "segmentation": 0.0,
            "colours": 0.0,
            "texture": 0.0,
            "identity": 0.0,
        }
        assert (recipe.discriminator, recipe.discriminator_rate, recipe.style_augmentation.others) == (
            DiscriminatorConfig(),
            1.0,
            0.0,
        )
        assert (recipe.data.batch_size, recipe.perceptual.network, recipe.ema) == (8, "vgg19", 0.0)


def test_paper_vae_recipes_have_the_papers_settings() -> None:
    for size in (512, 256):
        recipe = load_recipe(VAERecipe, "vae", f"paper-{size}", [])
        assert recipe.network == MaskVAEConfig(image_size=size)
        assert (recipe.optimiser.lr, recipe.optimiser.beta1, recipe.optimiser.beta2) == (2e-4, 0.5, 0.999)
        assert (recipe.data.batch_size, recipe.loss.kl, recipe.loss.kl_warmup) == (16, 1e-5, 0)


def test_paper_ebst_recipe_has_the_papers_settings() -> None:
    recipe = load_recipe(EBSTRecipe, "ebst", "paper-512", [])
    assert (recipe.optimiser.lr, recipe.lambda_inter, recipe.data.batch_size) == (5e-5, 2.5, 8)
    assert (recipe.blender, recipe.loss) == (AlphaBlenderConfig(), _load(name="paper-512").loss)


def test_paper_recipes_of_judges_use_the_published_networks() -> None:
    pose = load_recipe(PoseRecipe, "pose", "paper", [])
    assert (pose.network, pose.loss.alpha) == (HopeNetConfig(), 1.0)
    identity = load_recipe(IdentityRecipe, "identity", "paper", [])
    assert identity.network == ArcFaceConfig(blocks=DEPTHS[50])
    assert (identity.loss.scale, identity.loss.margin) == (64.0, 0.5)


KINDS: dict[str, type[TrainingRecipe]] = {
    "dmn": DMNRecipe,
    "vae": VAERecipe,
    "ebst": EBSTRecipe,
    "pose": PoseRecipe,
    "identity": IdentityRecipe,
}


@pytest.mark.parametrize(
    ("task", "path"),
    [(task, path) for task in KINDS for path in sorted(recipe_folder(task).glob("*.yaml"))],
    ids=lambda x: x if isinstance(x, str) else x.stem,
)
def test_every_packaged_recipe_round_trips(task: str, path: Path, tmp_path: Path) -> None:
    recipe = load_recipe(KINDS[task], task, path.stem, [])
    (tmp_path / "again.yaml").write_text(dump_recipe(recipe))
    assert load_recipe(KINDS[task], task, str(tmp_path / "again.yaml"), []) == recipe


def test_set_changes_one_value_and_parses_numbers() -> None:
    recipe = _load("optimiser.lr=1e-4", "data.flip=false", "network.fusion=concat", "perceptual.weights=a/b.pth")
    assert recipe.optimiser.lr == 1e-4
    assert recipe.data.flip is False
    assert recipe.network.fusion == "concat"
    assert recipe.perceptual.weights == Path("a/b.pth")
    assert recipe.loss == _load().loss


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("optimiser.learning_rate=1", "unknown setting optimiser.learning_rate"),
        ("network.widht=8", r"did you mean network\.width"),
        ("optimiser.lr=-1", "optimiser.lr: Input should be greater than 0"),
        ("network.image_size=100", "image_size must be a multiple of 32"),
        ("perceptual.network=resnet", "perceptual.network: Input should be 'vgg19', 'random', 'parser' or 'none'"),
        ("optimiser", "expected key=value"),
        ("ema.x=1", "ema is a value"),
        ("seed=-1", "seed: Input should be greater than or equal to 0"),
    ],
)
def test_errors_name_the_setting(change: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        _load(change)


def test_unknown_recipes_list_the_known_ones(tmp_path: Path) -> None:
    known = (
        "bundled-128, bundled-128-first, bundled-256, bundled-faces-256, paper-256, paper-512, published-512, "
        "small-128, small-256, tiny-cpu"
    )
    with pytest.raises(InputError, match=f"one of: {known}"):
        _load(name="huge")
    (tmp_path / "bad.yaml").write_text("a: [1")
    with pytest.raises(InputError, match="expected a YAML recipe"):
        _load(name=str(tmp_path / "bad.yaml"))
    (tmp_path / "list.yaml").write_text(yaml.safe_dump([1]))
    with pytest.raises(InputError, match="found list"):
        _load(name=str(tmp_path / "list.yaml"))


RECIPES = [path for training in trainings() for path in sorted(recipe_folder(training.name).glob("*.yaml"))]


@pytest.mark.parametrize("path", RECIPES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_every_recipe_loads_for_its_task(path: Path) -> None:
    training = next(training for training in trainings() if training.name == path.parent.name)
    recipe = load_recipe(resolve(f"{training.module}:{training.recipe}"), training.name, path.stem, [])
    assert recipe.task == training.name  # type: ignore[attr-defined]
    assert yaml.safe_load(path.read_text())["task"] == training.name


def test_errors_caused_by_set_name_the_change(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text((recipe_folder("dmn") / "tiny-cpu.yaml").read_text().replace("ema: 0.99", "ema: 7"))
    for name, changes, line in (
        ("tiny-cpu", ["ema=0.5", "optimiser.lr=-1"], "--set optimiser.lr=-1: found optimiser.lr: Input"),
        ("tiny-cpu", ["network.widht=4"], "--set network.widht=4: found unknown setting network.widht"),
        ("tiny-cpu", ["seed=1", "loss.segmentation=1"], "--set loss.segmentation=1: found loss.segm"),
        (
            "tiny-cpu",
            ["schedule.steps=9", "schedule.decay_from=9"],
            "--set schedule.steps=9 --set schedule.decay_from=9: found schedule: decay_from=9",
        ),
        (str(wrong), ["seed=1"], f"{wrong}: found ema: Input should be less than 1"),
        (str(wrong), ["optimiser.lr=-1"], f"{wrong}: found optimiser.lr: Input"),
    ):
        with pytest.raises(InputError) as error:
            load_recipe(DMNRecipe, "dmn", name, changes)
        assert str(error.value).startswith(line)


@pytest.mark.parametrize(
    "text",
    [
        "when: 2001-99-99",
        "!!int ''",
        "[" * 20_000,
        "a: &a [*a]",
        "seed: &s {seed: *s}",
        "? [1]\n: 2",
        "1: 2",
        "\x01",
        "!!python/object/apply:os.system ['true']",
        "a: &a [x,x,x,x,x,x,x,x,x]\n"
        + "".join(
            f"{b}: &{b} [" + ",".join([f"*{a}"] * 9) + "]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
        ),
    ],
)
def test_malformed_recipes_are_reported_in_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "r.yaml").write_text(text)
    with pytest.raises(InputError, match=r"r\.yaml") as caught:
        load_recipe(TrainingRecipe, "dmn", str(tmp_path / "r.yaml"), [])
    assert len(str(caught.value)) < 2000


def test_precision_no_is_parsed_as_a_string() -> None:
    assert load_recipe(DMNRecipe, "dmn", "tiny-cpu", ["precision=no"]).precision == "no"


@pytest.mark.parametrize("value", ["'7'", "true", "1.5"])
def test_seed_must_be_an_integer(value: str) -> None:
    with pytest.raises(InputError, match="seed: Input should be a valid integer"):
        _load(f"seed={value}")

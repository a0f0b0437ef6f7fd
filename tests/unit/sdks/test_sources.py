"""The official SDK's sources are fetched by a real git, from repositories that are made here laid out as Envoy's."""

from __future__ import annotations

import os
import socket
import subprocess
import tarfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from dmconform.core.errors import ExitCode, HarnessError, UsageError
from dmconform.sdks import sources as tested
from dmconform.sdks.catalogue import OfficialSource
from dmconform.sdks.sources import DEFAULT_SOURCE, SourceRepository, Unreachable, redact, resolve_source

MODULES = "source/extensions/dynamic_modules"
ABSENT_COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Origin:
    """A repository like the official SDK's; `said` holds what was reported as progress."""

    path: Path
    printed: list[str] = field(default_factory=list)

    def git(self, *words: str) -> str:
        done = subprocess.run(["git", "-C", str(self.path), *words], check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def write(self, name: str, text: str) -> None:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def link(self, name: str, target: str) -> None:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)

    def commit(self, *tag: str) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message=x")
        if tag:
            self.git("tag", *tag)
        return self.git("rev-parse", "HEAD")

    def lose(self, name: str) -> None:
        """Deletes the contents of a file from the repository, so that nothing can transfer them."""
        digest = self.git("rev-parse", f"HEAD:{name}")
        (self.path / ".git/objects" / digest[:2] / digest[2:]).unlink()

    def repository(self, cache: Path) -> SourceRepository:
        return SourceRepository(str(self.path), cache, self.printed.append)


def sources(commit: str | None, tag: str = "v1.38.3", folders: tuple[str, ...] = (MODULES,)) -> OfficialSource:
    return OfficialSource(
        release=tag.removeprefix("v"),
        tag=tag,
        abi_version="v0.1.0",
        panic_guard=True,
        catch_unwind=True,
        commit=commit,
        folders=folders,
    )


def left_behind(cache: Path) -> list[str]:
    """What is in the cache besides locks, trees with their digests, and commits of tags."""
    here = (path.name for path in (cache / "sdk-sources").iterdir())
    return [name for name in here if ".part" in name or name.startswith("git-")]


@pytest.fixture(autouse=True)
def _no_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("GIT_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "x")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "x@example.invalid")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    made = Origin(tmp_path / "envoy")
    made.path.mkdir()
    made.git("init", "--quiet")
    made.write(".gitattributes", "*.rs export-ignore\n*.cc text eol=crlf\n")
    made.write("rustfmt.toml", "max_width = 1\n")
    made.write("source/server/huge.cc", "x" * 100_000)
    made.write(f"{MODULES}/abi/abi.h", "#define ABI 138\n")
    made.write(f"{MODULES}/sdk/rust/lib.rs", "// rust\n")
    made.write(f"{MODULES}/sdk/cpp/sdk.cc", "// cpp\n")
    made.write(f"{MODULES}/sdk/rust/tool.sh", "#!/bin/sh\n")
    (made.path / MODULES / "sdk/rust/tool.sh").chmod(0o755)
    made.link(f"{MODULES}/sdk/rust/abi/abi.h", "../../../abi/abi.h")
    made.link(f"{MODULES}/sdk/rust/rustfmt.toml", "../../../../../rustfmt.toml")
    return made


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def test_the_folders_of_a_commit_are_had_as_they_are(origin: Origin, cache: Path) -> None:
    commit = origin.commit("v1.38.3")
    origin.write(f"{MODULES}/abi/abi.h", "#define ABI 139\n")
    origin.commit("v1.39.0")
    root = origin.repository(cache).tree(sources(commit))
    modules = root / MODULES
    assert root.name.startswith(commit)
    assert [path.name for path in root.iterdir()] == ["source"]
    assert [path.name for path in (root / "source").iterdir()] == ["extensions"]
    assert (modules / "abi/abi.h").read_text() == "#define ABI 138\n"
    assert (modules / "sdk/rust/lib.rs").exists(), "an attribute of the repository was obeyed"
    assert (modules / "sdk/cpp/sdk.cc").read_bytes() == b"// cpp\n"
    assert os.access(modules / "sdk/rust/tool.sh", os.X_OK)
    assert not os.access(modules / "sdk/rust/lib.rs", os.X_OK)
    assert (modules / "sdk/rust/abi/abi.h").is_symlink()
    assert (modules / "sdk/rust/abi/abi.h").read_text() == "#define ABI 138\n"
    assert (modules / "sdk/rust/rustfmt.toml").is_symlink()
    assert left_behind(cache) == []


def test_attributes_in_the_folders_change_nothing(origin: Origin, cache: Path) -> None:
    """Not what releases leave out, not what they put in, not how a working tree would hold the file."""
    texts = {"a.rs": "// $Id$\n", "a.cc": "// $Format:%H$\n", "a.txt": "ü\n", "a.go": "// go\n"}
    for name, text in texts.items():
        origin.write(f"{MODULES}/sdk/{name}", text)
    origin.commit()
    lines = ("*.rs ident", "*.cc export-subst eol=crlf", "*.txt working-tree-encoding=UTF-16", "*.go filter=none export-ignore")
    origin.write(f"{MODULES}/sdk/.gitattributes", "\n".join(lines) + "\n")
    (origin.path / ".git/info/attributes").write_text("* -text -working-tree-encoding\n")  # for `git add` alone
    commit = origin.commit("v1.38.3")
    root = origin.repository(cache).tree(sources(commit))
    assert {name: (root / MODULES / "sdk" / name).read_bytes().decode() for name in texts} == texts


@pytest.mark.parametrize("with_filter", [True, False], ids=["with tarfile's filter", "as in Python 3.11.2"])
def test_who_builds_can_read_what_a_careful_user_has_fetched(
    origin: Origin, cache: Path, monkeypatch: pytest.MonkeyPatch, with_filter: bool
) -> None:
    if not with_filter:
        monkeypatch.setattr(tarfile, "data_filter", None, raising=False)
    commit = origin.commit("v1.38.3")
    before = os.umask(0o077)
    try:
        root = origin.repository(cache).tree(sources(commit))
    finally:
        os.umask(before)
    below = [path for path in root.rglob("*") if not path.is_symlink()]
    assert {path.stat().st_mode & 0o777 for path in below if path.is_dir()} == {0o755}
    modes = {path.name: path.stat().st_mode & 0o777 for path in below if path.is_file()}
    assert modes == {"abi.h": 0o644, "lib.rs": 0o644, "sdk.cc": 0o644, "tool.sh": 0o755}


def test_a_submodule_is_refused(origin: Origin, cache: Path) -> None:
    head = origin.commit()
    origin.git("update-index", "--add", "--cacheinfo", f"160000,{head},{MODULES}/other")
    origin.git("commit", "--quiet", "--message=x")
    commit = origin.git("rev-parse", "HEAD")
    origin.git("tag", "v1.38.3")
    with pytest.raises(HarnessError, match="dynamic_modules/other: expected a file or a link, found a submodule") as caught:
        origin.repository(cache).tree(sources(commit))
    assert not isinstance(caught.value, Unreachable)


def test_nothing_else_is_transferred(origin: Origin, cache: Path) -> None:
    commit = origin.commit("v1.38.3")
    for name in ("source/server/huge.cc", ".gitattributes", "rustfmt.toml"):
        origin.lose(name)
    assert (origin.repository(cache).tree(sources(commit)) / MODULES / "abi/abi.h").exists()


def test_a_missing_file_leaves_nothing_in_the_cache(origin: Origin, cache: Path) -> None:
    commit = origin.commit("v1.38.3")
    origin.lose(f"{MODULES}/abi/abi.h")
    with pytest.raises(Unreachable, match="git says"):
        origin.repository(cache).tree(sources(commit))
    assert [path for path in (cache / "sdk-sources").iterdir() if path.suffix != ".lock"] == []


def test_a_repository_of_another_user_may_be_used(origin: Origin, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = origin.commit("v1.38.3")
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")  # git's own switch for this
    assert (origin.repository(cache).tree(sources(commit)) / MODULES).is_dir()


def test_a_file_address_works_like_a_path(origin: Origin, cache: Path) -> None:
    commit = origin.commit("v1.38.3")
    origin.lose("source/server/huge.cc")
    repository = SourceRepository(origin.path.as_uri(), cache, origin.printed.append)
    assert (repository.tree(sources(commit)) / MODULES).is_dir()


def test_a_release_without_a_recorded_commit_is_had_by_its_tag(origin: Origin, cache: Path) -> None:
    commit = origin.commit("--annotate", "--message=x", "v1.40.0")
    official = sources(None, "v1.40.0")
    root = origin.repository(cache).tree(official)
    assert root.name.startswith(commit)
    origin.path.rename(origin.path.with_name("gone"))
    assert origin.repository(cache).tree(official) == root


def test_a_server_that_serves_no_commits_is_asked_for_the_tag(
    origin: Origin, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = origin.commit("--annotate", "--message=x", "v1.38.3")
    origin.write("later", "x")
    origin.commit()
    monkeypatch.setattr(tested, "_LOCAL_SERVER", "git -c uploadpack.allowTipSHA1InWant=false upload-pack")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "protocol.version")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "0")
    asked: list[str] = []
    fetch = tested._Git.fetch_commit

    def noted(git: tested._Git, what: str) -> None:
        asked.append(what)
        fetch(git, what)

    monkeypatch.setattr(tested._Git, "fetch_commit", noted)
    assert (origin.repository(cache).tree(sources(commit)) / MODULES / "abi/abi.h").exists()
    assert asked == [commit, "refs/tags/v1.38.3"]


def test_a_missing_tag_is_reported(origin: Origin, cache: Path) -> None:
    origin.commit("v1.38.3")
    repository = origin.repository(cache)
    with pytest.raises(Unreachable, match=r"1\.40\.0 .*no such tag") as caught:
        repository.tree(sources(None, "v1.40.0"))
    assert str(origin.path) in str(caught.value)
    assert caught.value.exit_code is ExitCode.ERROR
    assert repository.tree(sources(None)).is_dir(), "one missing tag is no reason to give up on the others"


def test_a_tag_that_is_another_commit_is_reported(origin: Origin, cache: Path) -> None:
    seen = origin.commit("v1.38.3")
    with pytest.raises(Unreachable) as caught:
        origin.repository(cache).tree(sources(ABSENT_COMMIT))
    assert f"tag v1.38.3 is commit {seen}, expected {ABSENT_COMMIT}" in str(caught.value)
    assert left_behind(cache) == []


def test_a_commit_without_its_tag_is_reported(origin: Origin, cache: Path) -> None:
    origin.commit()
    with pytest.raises(Unreachable, match=f"{ABSENT_COMMIT}.* it has no tag v1.38.3"):
        origin.repository(cache).tree(sources(ABSENT_COMMIT))


def test_a_missing_folder_is_reported(origin: Origin, cache: Path) -> None:
    commit = origin.commit("v1.38.3")
    with pytest.raises(Unreachable, match="source/nothing"):
        origin.repository(cache).tree(sources(commit, folders=("source/nothing",)))


def test_other_folders_are_another_tree(origin: Origin, cache: Path) -> None:
    commit = origin.commit("v1.38.3")
    repository = origin.repository(cache)
    both = repository.tree(sources(commit, folders=(MODULES, "source/server")))
    assert (both / "source/server/huge.cc").exists()
    assert not (repository.tree(sources(commit)) / "source/server").exists()


def test_a_repository_that_does_not_exist_is_reported(tmp_path: Path, cache: Path) -> None:
    repository = SourceRepository(str(tmp_path / "none"), cache, print)
    with pytest.raises(Unreachable, match=r"1\.38\.3.*none: git says: fatal: .*not appear to be a git repository"):
        repository.tree(sources(ABSENT_COMMIT))


@pytest.fixture
def silent() -> Iterator[tuple[int, list[float]]]:
    """A server that takes connections and never answers: its port, and when each of its clients went away."""
    gone: list[float] = []

    def serve(client: socket.socket) -> None:
        with client:
            client.settimeout(20)
            try:
                while client.recv(4096):
                    pass
            except TimeoutError:
                return
            except OSError:
                pass
            gone.append(time.monotonic())

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        over = threading.Event()
        threads: list[threading.Thread] = []

        def accept() -> None:
            while not over.is_set():
                try:
                    client, _ = server.accept()
                except TimeoutError:
                    continue
                threads.append(threading.Thread(target=serve, args=(client,)))
                threads[-1].start()

        accepting = threading.Thread(target=accept)
        accepting.start()
        yield server.getsockname()[1], gone
        over.set()
        accepting.join()
        for thread in threads:
            thread.join()


@pytest.mark.parametrize("scheme", ["http", "git"])
def test_a_silent_repository_is_given_up_once_for_all_versions(
    silent: tuple[int, list[float]], scheme: str, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, gone = silent
    monkeypatch.setattr(tested, "GIT_CONNECT_S", 0.5)
    repository = SourceRepository(f"{scheme}://127.0.0.1:{port}/envoy", cache, print)
    for tag in ("v1.38.3", "v1.39.0", "v1.40.0"):
        with pytest.raises(Unreachable, match=rf"tag {tag}.*no answer within 0\.5 s"):
            repository.tree(sources(ABSENT_COMMIT if tag != "v1.40.0" else None, tag))
    ended = time.monotonic()
    deadline = ended + 5
    while not gone and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(gone) == 1, "expected one connection, ended with the git that made it"


def test_credentials_are_not_reported(cache: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    repository = SourceRepository(f"http://user:s3cr@t@127.0.0.1:{port}/envoy", cache, print)
    with pytest.raises(Unreachable) as caught:
        repository.tree(sources(ABSENT_COMMIT))
    assert f"http://***@127.0.0.1:{port}/envoy" in str(caught.value)
    assert "s3cr" not in str(caught.value)
    assert "user" not in str(caught.value)


def test_credentials_that_git_repeats_are_not_reported() -> None:
    """Not every git leaves them out of its messages."""
    error = Unreachable("https://t0ken@host/envoy", sources(None), "fatal: no access to 'https://t0ken@host/envoy/'")
    assert "t0ken" not in f"{error} {error.reason}"


def test_redaction_leaves_the_rest() -> None:
    assert redact("https://token@host/a: ssh://u:p@host/b, https://host/c") == (
        "https://***@host/a: ssh://***@host/b, https://host/c"
    )


@pytest.mark.parametrize("repository", ["", "--upload-pack=touch x", "-x", "ext::sh -c true", "fd::17", "a\nb"])
def test_addresses_that_would_run_something_are_refused(repository: str, cache: Path) -> None:
    with pytest.raises(UsageError, match="expected a URL or the path"):
        SourceRepository(repository, cache, print)


def test_a_commit_that_is_none_is_refused(origin: Origin, cache: Path) -> None:
    with pytest.raises(UsageError, match='commit = "main", expected 40'):
        origin.repository(cache).tree(sources("main"))


def test_two_at_once_fetch_once(origin: Origin, cache: Path) -> None:
    commit = origin.commit("v1.38.3")
    start = threading.Barrier(2)

    def fetch(repository: SourceRepository) -> Path:
        start.wait()
        return repository.tree(sources(commit))

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(fetch, [origin.repository(cache), origin.repository(cache)])
    assert first == second
    assert (first / MODULES / "abi/abi.h").exists()
    assert len(origin.printed) == 1


def test_the_cache_needs_no_repository(origin: Origin, cache: Path) -> None:
    commit = origin.commit("v1.38.3")
    root = origin.repository(cache).tree(sources(commit))
    elsewhere = SourceRepository("https://nowhere.invalid/envoy", cache, origin.printed.append)
    assert elsewhere.tree(sources(commit)) == root


def test_a_changed_tree_is_fetched_again(origin: Origin, cache: Path) -> None:
    commit = origin.commit("v1.38.3")
    root = origin.repository(cache).tree(sources(commit))
    header = root / MODULES / "abi/abi.h"
    header.write_text("#define ABI 0\n")
    (root / "more").write_text("x")
    assert origin.repository(cache).tree(sources(commit)) == root
    assert header.read_text() == "#define ABI 138\n"
    assert not (root / "more").exists()


def test_what_a_killed_run_left_is_no_hindrance(origin: Origin, cache: Path) -> None:
    commit = origin.commit("v1.38.3")
    root = origin.repository(cache).tree(sources(commit))
    root.rename(root.with_name(f"{root.name}.part"))
    assert origin.repository(cache).tree(sources(commit)) == root
    assert left_behind(cache) == []


@pytest.mark.parametrize("with_filter", [True, False], ids=["with tarfile's filter", "as in Python 3.11.2"])
@pytest.mark.parametrize("target", ["/etc/passwd", "../../../../../outside", "sdk/up/../../../../../x", "loop"])
def test_a_link_out_of_the_tree_is_refused(
    target: str, origin: Origin, cache: Path, monkeypatch: pytest.MonkeyPatch, with_filter: bool
) -> None:
    if not with_filter:
        monkeypatch.setattr(tarfile, "data_filter", None, raising=False)
    origin.link(f"{MODULES}/sdk/up", "../..")
    origin.link(f"{MODULES}/loop", target)
    commit = origin.commit("v1.38.3")
    with pytest.raises(HarnessError, match=r"/loop: a link to .*expected one that stays in the tree") as caught:
        origin.repository(cache).tree(sources(commit))
    assert not isinstance(caught.value, Unreachable)
    assert [path for path in (cache / "sdk-sources").iterdir() if path.suffix != ".lock"] == []


def of_trees(origin: Origin, entries: bytes) -> str:
    """A commit whose folder of modules has these entries, which git itself would perhaps never make so."""
    tree = store(origin, "tree", entries)
    for name in reversed(MODULES.split("/")):
        tree = store(origin, "tree", f"40000 {name}\0".encode() + bytes.fromhex(tree))
    commit = origin.git("commit-tree", "-m", "x", tree)
    origin.git("tag", "v1.38.3", commit)
    return commit


def store(origin: Origin, kind: str, data: bytes) -> str:
    """Puts an object into the repository, however it looks."""
    command = ["git", "-C", str(origin.path), "hash-object", "-w", "--literally", "--stdin", "-t", kind]
    return subprocess.run(command, input=data, check=True, capture_output=True).stdout.decode().strip()


@pytest.mark.parametrize("with_filter", [True, False], ids=["with tarfile's filter", "as in Python 3.11.2"])
def test_no_file_is_written_through_a_link(
    origin: Origin, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, with_filter: bool
) -> None:
    """A commit can list a name twice, as a link and as a folder."""
    if not with_filter:
        monkeypatch.setattr(tarfile, "data_filter", None, raising=False)
    outside = tmp_path / "outside"
    outside.mkdir()
    origin.commit()
    link, text = store(origin, "blob", str(outside).encode()), store(origin, "blob", b"text")
    tree = store(origin, "tree", b"100644 file\0" + bytes.fromhex(text))
    commit = of_trees(origin, b"120000 a\0" + bytes.fromhex(link) + b"40000 a\0" + bytes.fromhex(tree))
    with pytest.raises(HarnessError):
        origin.repository(cache).tree(sources(commit))
    assert list(outside.iterdir()) == []
    assert left_behind(cache) == []


@pytest.mark.parametrize("name", ["..", ".git"])
def test_a_name_that_is_none_for_a_source_is_refused(origin: Origin, cache: Path, name: str) -> None:
    origin.commit()
    text = store(origin, "blob", b"text")
    tree = store(origin, "tree", b"100644 config\0" + bytes.fromhex(text))
    commit = of_trees(origin, f"40000 {name}\0".encode() + bytes.fromhex(tree))
    with pytest.raises(HarnessError):
        origin.repository(cache).tree(sources(commit))
    assert [path for path in (cache / "sdk-sources").iterdir() if path.suffix != ".lock"] == []


def test_the_users_configuration_holds_but_its_hooks_do_not_run(
    origin: Origin, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = origin.commit("v1.38.3")
    origin.lose("source/server/huge.cc")
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("reference-transaction", "post-checkout", "pre-auto-gc"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
        (hooks / name).chmod(0o755)
    configuration = tmp_path / "gitconfig"
    configuration.write_text(
        f'[core]\nhooksPath = {hooks}\n[init]\ntemplateDir = {tmp_path}\n[remote "origin"]\nurl = /nowhere\n'
        f'[url "{origin.path}"]\ninsteadOf = https://envoy.invalid/envoy\n'
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(configuration))
    repository = SourceRepository("https://envoy.invalid/envoy", cache, origin.printed.append)
    assert (repository.tree(sources(commit)) / MODULES / "abi/abi.h").exists()
    assert not (tmp_path / "ran").exists()


def test_the_repository_the_harness_runs_in_is_not_touched(
    origin: Origin, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hooks and aliases of git run with variables that name their own repository."""
    commit = origin.commit("v1.38.3")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "own"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(tmp_path / "own/objects"))
    assert (origin.repository(cache).tree(sources(commit)) / MODULES).is_dir()
    assert not (tmp_path / "own").exists()


def test_without_git_the_reason_is_reported(
    origin: Origin, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unreachable, match="git cannot be run: No such file or directory; is it installed"):
        origin.repository(cache).tree(sources(ABSENT_COMMIT))


def test_option_then_environment_then_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DMCONFORM_SDK_SOURCE", raising=False)
    assert resolve_source(None) == DEFAULT_SOURCE
    monkeypatch.setenv("DMCONFORM_SDK_SOURCE", "/a")
    assert resolve_source(None) == "/a"
    assert resolve_source("/b") == "/b"

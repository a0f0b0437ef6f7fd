"""Brings the official SDK's sources of an SDK version to the cache: a few folders of one commit of the Envoy repository.

That repository is enormous, so nothing is cloned: git fetches the one commit without file contents, then the contents
of the wanted files in one request. `git archive` packs them, and they are unpacked as they are in the commit: no
filters, no line-end conversion. What the cache has is used without a network, after its digest has been compared.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import signal
import subprocess
import tarfile
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from filelock import FileLock

from dmconform.core.errors import HarnessError, UsageError
from dmconform.core.timeouts import GIT_CONNECT_S, GIT_S, GIT_STALL_S
from dmconform.hosts.obtain import no_room
from dmconform.sdks.catalogue import OfficialSource

Progress = Callable[[str], None]
DEFAULT_SOURCE = "https://github.com/envoyproxy/envoy"
SOURCE_VARIABLE = "DMCONFORM_SDK_SOURCE"

VERSION_FILE = "VERSION.txt"
"""At the top of the Envoy repository: the release that its commit is, or leads to."""
LOCAL_CLONE = "a local clone"
"""How a repository of this machine is named in what others may read."""
_VERSION_TEXT = re.compile(r"\d+\.\d+\.\d+(-[0-9A-Za-z.]+)?")

_REMOTE = "dmconform-sdk-source"  # a name that no user's configuration has settings for
_WANTED = "refs/dmconform/wanted"
_MESSAGE_LIMIT_BYTES = 1 << 16
_COMMIT = re.compile(r"[0-9a-f]{40}")
_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+-]*")
_BEGINNING = re.compile(r"[0-9A-Fa-f]{4,40}")
_HELPER_ADDRESS = re.compile(r"[A-Za-z0-9+.-]*::")  # ext::, fd:: and the like run programs
_CREDENTIALS = re.compile(r"://[^/\s]*@")
_COMPLAINT = re.compile(r"(?:remote: )?(?:fatal|error): ", re.IGNORECASE)
# What git sets for hooks and aliases, so that it would work on the repository that the harness was started from.
_OF_ANOTHER_REPOSITORY = {
    *(
        "GIT_DIR",
        "GIT_WORK_TREE",
        "GIT_COMMON_DIR",
        "GIT_INDEX_FILE",
        "GIT_NAMESPACE",
        "GIT_PREFIX",
        "GIT_SHALLOW_FILE",
    ),
    *("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_GRAFT_FILE", "GIT_QUARANTINE_PATH"),
    "GIT_IMPLICIT_WORK_TREE",
}
_ENVIRONMENT = {
    "LC_ALL": "C",
    # No one is asked for anything; besides, git runs in a session that has no terminal.
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "true",
    "SSH_ASKPASS": "false",
    "SSH_ASKPASS_REQUIRE": "never",
    "GCM_INTERACTIVE": "never",
    "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh",
    "GIT_NO_REPLACE_OBJECTS": "1",
}
_SETTINGS = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "fetch.recurseSubmodules": "false",
    "fetch.writeCommitGraph": "false",
    "http.lowSpeedLimit": "1000",
    "http.lowSpeedTime": f"{GIT_STALL_S:.0f}",
    "tar.umask": "0022",
}
# Goes before all that a tree says: nothing is left out of an archive, and nothing is changed.
_ATTRIBUTES = "* -export-ignore -export-subst -text -ident -filter -working-tree-encoding\n"
# Serves a repository of this machine as a big host would: partly, by commit, and whoever owns it.
_ANYBODYS = ("-c", "safe.directory=*")  # whoever owns it
_LOCAL_SERVER = "git -c safe.directory='*' -c uploadpack.allowFilter=true -c uploadpack.allowAnySHA1InWant=true upload-pack"


def resolve_source(option: str | None) -> str:
    """Returns the repository to take the official SDK's sources from: the option, else the environment, else the public one."""
    return option or os.environ.get(SOURCE_VARIABLE) or DEFAULT_SOURCE


def redact(text: str) -> str:
    """Returns `text` without the credentials of any URL in it."""
    return _CREDENTIALS.sub("://***@", text)


def shown_source(repository: str) -> str:
    """Returns a repository as others may read it: a URL without credentials, or that it is a clone on this machine."""
    return LOCAL_CLONE if _is_local(repository) else redact(repository)


def require_local(repository: str) -> None:
    """Makes sure that a repository of this machine is there: where the cache has what is wanted, git is not asked.

    Raises:
        UsageError: it is a path, and nothing is there.
    """
    if _is_local(repository):
        path = Path(repository.removeprefix("file://")).expanduser()
        if not path.exists():
            raise UsageError(f"--sdk-source {path}: there is no such folder; expected a URL or the path of a git repository")


class Unreachable(HarnessError):
    """An error: the sources of the official SDK are not available.

    There is no network, no such repository, no answer in time, or no such tag or commit.
    """

    def __init__(self, repository: str, official: OfficialSource, reason: str) -> None:
        commit = f"commit {official.commit}" if official.commit else "no commit recorded"
        super().__init__(
            f"the official SDK's sources of {official.release} (tag {official.tag}, {commit}) are not available from "
            f"{redact(repository)}: {redact(reason)}; "
            f"{SOURCE_VARIABLE} may name another repository, such as a local clone"
        )
        self.reason = redact(reason)


class _GitFailed(Exception):
    """An error of git; the text is the one line with the cause."""


class _NoAnswer(_GitFailed):
    """An error: git was not done in time, or could not be started."""


def _error_text(stderr: bytes, exit_code: int) -> str:
    """Returns the line that names the error: git puts advice after it."""
    lines = [line.strip() for line in re.split(r"[\r\n]+", stderr.decode(errors="replace")) if line.strip()]
    named = next((line for line in lines if _COMPLAINT.match(line)), None)
    return f"git says: {named or lines[-1]}" if lines else f"git ended with {exit_code} and said nothing"


class _Git:
    """Git on a separate repository, `git_dir`, that has the SDK source as its remote."""

    def __init__(self, git_dir: Path, repository: str) -> None:
        self._git_dir = git_dir
        self._env = {key: value for key, value in os.environ.items() if key not in _OF_ANOTHER_REPOSITORY}
        self._env |= _ENVIRONMENT
        self._configure(_SETTINGS)
        self.run("init", "--quiet", "--bare", "--template=", "--object-format=sha1", str(git_dir))
        (git_dir / "info").mkdir(exist_ok=True)
        (git_dir / "info" / "attributes").write_text(_ATTRIBUTES, encoding="utf-8")
        # By environment: the address may hold a password, which has no place in a file.
        self._configure({f"remote.{_REMOTE}.url": repository})
        if _is_local(self.run("ls-remote", "--get-url", _REMOTE).decode(errors="replace").strip()):
            self._configure({f"remote.{_REMOTE}.uploadpack": _LOCAL_SERVER})

    def _configure(self, settings: dict[str, str]) -> None:
        """Adds settings to those that the environment may already have."""
        present = self._env.get("GIT_CONFIG_COUNT", "")
        count = int(present) if present.isdecimal() else 0
        for number, (key, value) in enumerate(settings.items(), count):
            self._env[f"GIT_CONFIG_KEY_{number}"] = key
            self._env[f"GIT_CONFIG_VALUE_{number}"] = value
        self._env["GIT_CONFIG_COUNT"] = str(count + len(settings))

    def run(self, *words: str, timeout_s: float = GIT_S, stdin: bytes = b"", git_dir: bool = True) -> bytes:
        """Returns what the command prints. It and the helpers it starts are gone afterwards, whatever happens.

        Args:
            *words: the command.
            timeout_s: how long it may take.
            stdin: what it reads.
            git_dir: whether it works on the separate repository.

        Raises:
            _GitFailed: with what git printed.
            _NoAnswer: not done in time, or there is no git.
        """
        with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as sink, tempfile.TemporaryFile() as printed:
            source.write(stdin)
            source.seek(0)
            try:
                process = subprocess.Popen(
                    ["git", *([f"--git-dir={self._git_dir}"] if git_dir else _ANYBODYS), *words],
                    stdin=source,
                    stdout=sink,
                    stderr=printed,
                    env=self._env,
                    start_new_session=True,
                )
            except OSError as error:
                raise _NoAnswer(f"git cannot be run: {error.strerror}; is it installed?") from error
            try:
                exit_code = process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                raise _NoAnswer(f"git {words[0]}: no answer within {timeout_s:g} s") from None
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
            if exit_code != 0:
                printed.seek(max(0, printed.seek(0, os.SEEK_END) - _MESSAGE_LIMIT_BYTES))
                raise _GitFailed(_error_text(printed.read(), exit_code))
            sink.seek(0)
            return sink.read()

    def tags(self) -> dict[str, str]:
        """Returns the commit of each tag of the SDK source."""
        found: dict[str, str] = {}
        listed = self.run("ls-remote", "--quiet", "--tags", _REMOTE, timeout_s=GIT_CONNECT_S)
        for line in listed.decode(errors="replace").splitlines():
            object_id, _, ref = line.partition("\t")
            # An annotated tag is followed by a second line, TAG^{}, with its commit.
            found[ref.removeprefix("refs/tags/").removesuffix("^{}")] = object_id
        return found

    def named(self, reference: str) -> set[str]:
        """Returns the commits of the refs of the SDK source with this name: a branch, a tag, or a whole name of a ref."""
        listed = self.run("ls-remote", "--quiet", _REMOTE, timeout_s=GIT_CONNECT_S).decode(errors="replace")
        refs = {ref: object_id for object_id, _, ref in (line.partition("\t") for line in listed.splitlines())}
        names = (reference, f"refs/heads/{reference}", f"refs/tags/{reference}")
        # An annotated tag has a second line, TAG^{}, with its commit.
        return {refs.get(f"{name}^{{}}", refs[name]) for name in names if name in refs}

    def begins(self, digits: str) -> set[str]:
        """Returns the commits of the SDK source, a repository of this machine, that begin with these digits.

        Raises:
            _GitFailed: it is no repository.
        """
        url = self.run("ls-remote", "--get-url", _REMOTE).decode(errors="replace").strip().removeprefix("file://")
        top = self.run("-C", url, "rev-parse", "--absolute-git-dir", git_dir=False).decode().strip()
        listed = self.run(f"--git-dir={top}", "rev-parse", f"--disambiguate={digits.lower()}", git_dir=False).decode().split()
        kinds = self.run(
            *(f"--git-dir={top}", "cat-file", "--batch-check=%(objectname) %(objecttype)"),
            git_dir=False,
            stdin="".join(f"{name}\n" for name in listed).encode(),
        )
        return {line.split()[0] for line in kinds.decode().splitlines() if line.endswith(" commit")}

    def fetch_commit(self, what: str) -> None:
        """Fetches a commit, or the commit of a ref, with its folders and without its files."""
        self.run("fetch", "--quiet", "--depth=1", "--filter=blob:none", "--no-tags", _REMOTE, f"+{what}:{_WANTED}")

    def text_of(self, commit: str, name: str) -> str | None:
        """Returns the text of a file at the top of a commit that was fetched; None where it has none of that name."""
        listed = self.run("ls-tree", commit, "--", name).decode().split()
        if len(listed) < 3 or listed[1] != "blob":
            return None
        self._fetch_objects([listed[2]])
        return self.run("cat-file", "blob", listed[2]).decode(errors="replace")

    def fetch_files(self, trees: Sequence[str]) -> None:
        """Fetches the files below `trees` that are not here yet, in one request."""
        listed = self.run("rev-list", "--objects", "--no-object-names", "--missing=print", *trees).decode()
        absent = [line[1:] for line in listed.splitlines() if line.startswith("?")]
        if absent:
            self._fetch_objects(absent)

    def _fetch_objects(self, names: Sequence[str]) -> None:
        self.run(
            *("-c", "fetch.negotiationAlgorithm=noop", "fetch", "--quiet", "--no-tags", "--no-write-fetch-head"),
            *("--filter=blob:none", "--stdin", _REMOTE),
            stdin="".join(f"{name}\n" for name in names).encode(),
        )


def commit_of(repository: str, reference: str) -> str:
    """Returns the commit that a name has in a repository: a branch, a tag, or the beginning of a commit.

    Raises:
        UsageError: nothing has it there, or several do.
        HarnessError: the repository does not answer.
    """
    _check_address(repository)
    if not _REFERENCE.fullmatch(reference):
        raise UsageError("expected a branch, a tag or a commit behind the #")
    try:
        with tempfile.TemporaryDirectory(prefix="dmconform-git-", ignore_cleanup_errors=True) as scratch:
            git = _Git(Path(scratch), _absolute(repository))
            found: set[str] = {
                *git.named(reference),
                *(git.begins(reference) if _is_local(repository) and _BEGINNING.fullmatch(reference) else ()),
            }
    except _GitFailed as failure:
        raise HarnessError(f"SDK source {redact(repository)}: {redact(str(failure))}") from None
    if len(found) != 1:
        seen = f"it names {', '.join(sorted(found))} there" if found else "nothing has that name there"
        raise UsageError(f"expected a branch, a tag or a commit, {seen}; of a server's commits, give all 40 digits")
    return found.pop()


def _is_local(repository: str) -> bool:
    """Returns whether git takes it for a path of this machine, and not for `HOST:PATH`."""
    if "://" in repository:
        return repository.startswith("file://")
    return ":" not in repository.partition("/")[0]


def _write_tree(git: _Git, commit: str, folders: Sequence[str], root: Path) -> None:
    """Writes the files and links of `commit` in `folders` below `root`.

    Raises:
        HarnessError: a name or a link in it leads elsewhere, or something is neither file nor link.
    """
    root.mkdir()
    for folder in folders:
        # Of the folder's tree, not of the commit: the attributes of folders above it were not fetched.
        packed = git.run("archive", "--format=tar", f"--prefix={folder}/", f"{commit}:{folder}")
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            _unpack(archive, root)
    for path in (root, *root.rglob("*")):
        if path.is_symlink():
            _check_link(path, root)
        elif path.is_dir():
            path.chmod(0o755)  # a build in a container runs as another user


def _unpack(archive: tarfile.TarFile, root: Path) -> None:
    """Unpacks what git has packed: it refuses names with `..` or `.git` in them by itself.

    Raises:
        HarnessError: an entry leads out of `root` or is below a link, or a folder is empty, as a submodule's is in an archive.
    """
    members = archive.getmembers()
    links = {PurePosixPath(one.name) for one in members if one.issym()}
    full = {parent for one in members for parent in PurePosixPath(one.name).parents}
    for path in (PurePosixPath(one.name) for one in members):
        if not links.isdisjoint(path.parents):
            raise HarnessError(f"{path}: below a link, expected it to be below a folder")
    for path in (PurePosixPath(one.name) for one in members if one.isdir()):
        if path not in full:
            raise HarnessError(f"{path}: expected a file or a link, found a submodule or an empty folder")
    # An older Python 3.11 has no filter; what it would refuse is refused above, by git, and in the links afterwards.
    archive.extraction_filter = getattr(tarfile, "data_filter", None)
    try:
        archive.extractall(root)
    except tarfile.TarError as error:
        entry = getattr(error, "tarinfo", None)  # what a filter refuses
        raise HarnessError(_stray(entry.name, entry.linkname) if entry and entry.issym() else str(error)) from None


def _check_link(path: Path, root: Path) -> None:
    """Checks a link.

    One to a file of the repository that was not fetched may dangle; one that leaves the tree may not exist.
    """
    try:
        leaves = not path.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError):
        leaves = True  # a loop
    if leaves:
        raise HarnessError(_stray(path.relative_to(root), path.readlink()))


def _stray(path: str | Path, target: str | Path) -> str:
    return f"{path}: a link to {target}, expected one that stays in the tree"


def _digest(root: Path) -> str:
    """Returns a SHA-256 over names, kinds and contents of all that is below `root`."""
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        if path.is_symlink():
            kind, contents = "link", os.fsencode(path.readlink())
        elif path.is_dir():
            continue
        else:
            kind, contents = ("program" if os.access(path, os.X_OK) else "file"), path.read_bytes()
        name = os.fsencode(path.relative_to(root))
        digest.update(b"%s %d %s %d " % (kind.encode(), len(name), name, len(contents)) + contents)
    return digest.hexdigest()


def _write_text(path: Path, text: str) -> None:
    """Writes a small file in one step that others see."""
    part = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _short_hash(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:12]


def _check_address(repository: str) -> None:
    if not repository or repository.startswith("-") or not repository.isprintable():
        raise UsageError(f"SDK source {redact(repository)!r}: expected a URL or the path of a git repository")
    if _HELPER_ADDRESS.match(repository):
        raise UsageError(
            f"SDK source {redact(repository)!r}: addresses that name a helper program are not accepted; "
            "expected a URL or the path of a git repository"
        )


def _absolute(repository: str) -> str:
    if _is_local(repository) and "://" not in repository:
        return str(Path(repository).expanduser().absolute())
    return repository


class SourceRepository:
    """One repository with the official SDK's sources, for one run. May be used by several threads.

    It is asked for its tags once. Where it does not answer, it is not asked again: each further SDK version gets the
    same reason at once.
    """

    def __init__(self, repository: str, cache: Path, progress: Progress) -> None:
        """Does not look at the repository yet.

        Raises:
            UsageError: git would take `repository` for an option or a program to run.
        """
        _check_address(repository)
        self.repository = _absolute(repository)
        self._folder = cache / "sdk-sources"
        self._progress = progress
        self._asking = threading.Lock()
        self._tags: dict[str, str] | None = None
        self._silent: str | None = None  # why this repository is not asked any more

    def tree(self, official: OfficialSource) -> Path:
        """Returns the folder that has `official.folders` of that commit below it; its name begins with the commit.

        It belongs to the cache: copy it before changing anything.

        Raises:
            Unreachable: it is not in the cache and is not available.
            HarnessError: disk trouble, or a tree that is not acceptable.
        """
        if official.commit and not _COMMIT.fullmatch(official.commit):
            raise UsageError(f'SDK release {official.release}: commit = "{official.commit}", expected 40 hexadecimal digits')
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            commit = official.commit or self._commit_of_tag(official)
            target = self._folder / f"{commit}-{_short_hash(*sorted(official.folders))}"
            record = target.with_name(f"{target.name}.sha256")
            with FileLock(f"{target}.lock", timeout=GIT_S):
                if not (target.is_dir() and record.is_file() and record.read_text(encoding="utf-8") == _digest(target)):
                    self._fetch(official, commit, target, record)
        except TimeoutError:
            raise HarnessError(
                f"{self._folder}: another run has held the lock of {official.tag} for {GIT_S:g} s; is it stuck?"
            ) from None
        except _GitFailed as failure:
            raise Unreachable(self.repository, official, str(failure)) from None
        except OSError as error:
            raise no_room(self._folder, error) from error
        return target

    def version(self, official: OfficialSource) -> str:
        """Returns what `VERSION.txt` of a commit says, such as `1.40.0-dev`; empty where the commit has none.

        Raises:
            Unreachable: the commit is not available.
            HarnessError: disk trouble.
        """
        commit = official.commit or ""
        record = self._folder / f"version-{commit}"
        if record.is_file():
            return record.read_text(encoding="utf-8")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix="dmconform-git-", ignore_cleanup_errors=True) as scratch:
                git = _Git(Path(scratch) / "repository.git", self.repository)
                self._fetch_commit(git, official, commit, self._ask_tags())
                text = git.text_of(commit, VERSION_FILE) or ""
            version = text.strip() if _VERSION_TEXT.fullmatch(text.strip()) else ""
            _write_text(record, version)
        except _GitFailed as failure:
            raise Unreachable(self.repository, official, str(failure)) from None
        except OSError as error:
            raise no_room(self._folder, error) from error
        return version

    def origin(self, tree: Path) -> str:
        """Returns the repository that a folder of `tree` came from, without credentials or a path of this machine."""
        record = tree.with_name(f"{tree.name}.origin")
        return record.read_text(encoding="utf-8") if record.is_file() else ""

    def _commit_of_tag(self, official: OfficialSource) -> str:
        """Returns the commit of a tag for which none is recorded; looked up once, as the tags of releases do not move."""
        record = self._folder / f"tag-{_short_hash(self.repository, official.tag)}"
        known = record.read_text(encoding="utf-8") if record.is_file() else ""
        if _COMMIT.fullmatch(known):
            return known
        commit = self._ask_tags().get(official.tag)
        if commit is None:
            raise _GitFailed("it has no such tag")
        _write_text(record, commit)
        return commit

    def _ask_tags(self) -> dict[str, str]:
        """Returns the repository's tags; the first call finds out whether it answers at all."""
        with self._asking:
            if self._silent:
                raise _GitFailed(self._silent)
            if self._tags is None:
                try:
                    with tempfile.TemporaryDirectory(prefix="dmconform-git-", ignore_cleanup_errors=True) as scratch:
                        self._tags = _Git(Path(scratch), self.repository).tags()
                except _GitFailed as failure:
                    self._silent = str(failure)
                    raise
            return self._tags

    def _fetch(self, official: OfficialSource, commit: str, target: Path, record: Path) -> None:
        """Fills `target` in one step; the lock is held."""
        tags = self._ask_tags()
        self._progress(f"fetching the official SDK's sources of {official.release} from {redact(self.repository)}")
        work = target.with_name(f"{target.name}.part")
        staged = work / "tree"
        shutil.rmtree(work, ignore_errors=True)  # of a run that was killed
        try:
            work.mkdir()
            git = _Git(work / "repository.git", self.repository)
            self._fetch_commit(git, official, commit, tags)
            git.fetch_files([f"{commit}:{folder}" for folder in official.folders])
            _write_tree(git, commit, official.folders, staged)
            record.unlink(missing_ok=True)
            shutil.rmtree(target, ignore_errors=True)
            staged.rename(target)
            _write_text(target.with_name(f"{target.name}.origin"), shown_source(self.repository))
            _write_text(record, _digest(target))
        except _NoAnswer as failure:
            self._silent = str(failure)
            raise
        finally:
            shutil.rmtree(work, ignore_errors=True)

    def _fetch_commit(self, git: _Git, official: OfficialSource, commit: str, tags: dict[str, str]) -> None:
        """Fetches by commit, which names exactly what is wanted.

        Where a server serves no commits, fetches by tag, if the tag is that commit.
        """
        try:
            git.fetch_commit(commit)
        except _NoAnswer:
            raise
        except _GitFailed as failure:
            seen = tags.get(official.tag)
            if seen is None:
                raise _GitFailed(f"it has no tag {official.tag}, and the commit is not served: {failure}") from None
            if seen != commit:
                raise _GitFailed(
                    f"its tag {official.tag} is commit {seen}, expected {commit}, which is not served: {failure}"
                ) from None
            git.fetch_commit(f"refs/tags/{official.tag}")
        fetched = git.run("rev-parse", "--verify", f"{_WANTED}^{{commit}}").decode().strip()
        if fetched != commit:
            raise _GitFailed(f"it sent commit {fetched}, expected {commit}")

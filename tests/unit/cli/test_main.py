"""The command line as a whole: mistakes are named with what was most likely meant, and a reader may leave at any time."""

from __future__ import annotations

import errno
import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from dmconform.cli.main import main
from dmconform.core import paths
from dmconform.core.errors import ExitCode

from tests.unit.elf_samples import Sample, write

TIMEOUT_S = 120.0

MISTAKES = [
    ("lits", "unknown command lits: did you mean list?"),
    ("abi dif", "unknown command dif: did you mean diff?"),
    ("expectations remov r", "unknown command remov: did you mean remove?"),
    ("run --hots 1.39", "unknown option --hots: did you mean --host?"),
    ("run --sdk-sorce=x", "unknown option --sdk-sorce: did you mean --sdk-source?"),
    ("merge a --ot x", "unknown option --ot: did you mean --out?"),
    ("--versoin", "unknown option --versoin: did you mean --version?"),
    ("run --hos 1.39", "unknown option --hos: did you mean --host?"),
    ("run -x", "unknown option -x: expected one of --help, --host"),
    ("run --format txt", "unknown value of --format txt: did you mean text?"),
    ("list host", "unknown value of WHAT host: did you mean hosts?"),
    ("list hosts --host 1.93", "unknown host 1.93: did you mean 1.39?"),
    ("list hosts --host 1.39.33", "unknown host 1.39.33: did you mean 1.39.3?"),
    ("list hosts --host pth:./envoy", "unknown host pth:./envoy: did you mean path:./envoy?"),
    ("list hosts --host 7", "unknown host 7: expected one of 1.36.2,"),
    ("list sdks --sdk rsut@1.39", "--sdk rsut@1.39: unknown language rsut: did you mean rust?"),
    ("list sdks --sdk cobol@1.39", "--sdk cobol@1.39: unknown language cobol: expected one of cpp, go, rust"),
    ("list sdks --sdk rust@1.93", "unknown SDK version rust@1.93: did you mean rust@1.39?"),
    ("list sdks --sdk rust@1.39:offical", "unknown provider offical: did you mean official?"),
    ("list cases --case window/local_reploy", "unknown case window/local_reploy: did you mean window/local_reply?"),
    ("list cases --sdk go@1.39", "--sdk has no effect on list cases"),
    ("bundle window/lods/go@1.39:reference/1.39.3", "unknown case window/lods: did you mean window/loads?"),
    ("bundle window/loads/go@1.39:refrence/1.39.3", "did you mean go@1.39:reference?"),
    ("bundle window/loads/go@1.39:reference/1.39.33", "unknown host 1.39.33: did you mean 1.39.3?"),
    ("abi diff 1.93 1.40", "unknown minor 1.93: did you mean 1.39?"),
    ("abi diff 1.39.33 1.40", "unknown release 1.39.33: did you mean 1.39.3?"),
    ("differential --abi 1.93", "unknown minor 1.93: did you mean 1.39?"),
    ("gate x --policy sdk-relase", "unknown policy sdk-relase: did you mean sdk-release?"),
    ("check x --extension-point http_filtr", "unknown extension point http_filtr: did you mean http_filter?"),
    ("expectations extend rust-sdk-1.38-has-no-gard --until 1.42", "did you mean rust-sdk-1.38-has-no-guard?"),
]


@pytest.mark.parametrize(("words", "printed"), MISTAKES)
def test_a_mistake_is_named_with_the_nearest_name(words: str, printed: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code = main(words.split())
    except SystemExit as end:  # argparse
        code = int(end.code or 0)
    seen = capsys.readouterr()
    assert (code, seen.out) == (ExitCode.USAGE, "")
    assert printed in seen.err
    assert len(seen.err.splitlines()) <= 2


def test_a_value_that_looks_like_an_option_is_taken_where_it_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    """A negative number, a dash alone, and words with blanks are no options."""
    code = main(["check", "/nonexistent.so", "--json", "-", "--filter-config", "-- a text", "--no-run"])
    assert code == ExitCode.USAGE
    assert "unknown option" not in capsys.readouterr().err


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A module's file."""
    file = tmp_path_factory.mktemp("module") / "libm.so"
    file.write_bytes(write(Sample()))
    return file


PRINTING = {
    "help": ("--help", 0),
    "list": ("list cells --everywhere", 0),
    "list --json": ("list cells --json", 0),
    "abi diff": ("abi diff 1.38 1.39", 1),
    "coverage": ("coverage", 0),
    "findings": ("findings", 0),
    "expectations": ("expectations", 0),
    "check": ("check MODULE --no-run", 4),
    "check --json": ("check MODULE --no-run --json -", 4),
}


def start(words: str, module: Path, stdout: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "dmconform", *words.replace("MODULE", str(module)).split()]
    return subprocess.Popen(command, stdout=stdout, stderr=subprocess.PIPE)


@pytest.mark.parametrize("name", PRINTING)
@pytest.mark.parametrize("lines", [0, 1])
def test_a_reader_that_has_seen_enough_changes_nothing(name: str, lines: int, module: Path) -> None:
    """As with `| head -1`: the exit code is the command's, and nothing is said of it, at shutdown neither."""
    words, code = PRINTING[name]
    reads, writes = os.pipe()
    reader = open(reads, "rb")  # noqa: PTH123, SIM115
    if not lines:
        reader.close()  # before the first line, so that every command meets it, however little it prints
    process = start(words, module, writes)
    os.close(writes)
    if lines:
        assert reader.readline().strip()
        reader.close()
    _, printed = process.communicate(timeout=TIMEOUT_S)
    assert (process.returncode, printed.decode()) == (code, "")


FULL = "dmconform: standard output cannot be written: No space left on device\n"
CLOSED = "dmconform: standard output cannot be written: it is closed\n"


@pytest.mark.parametrize("words", [*(words for words, _ in PRINTING.values()), "list hosts"])
@pytest.mark.parametrize(("redirected", "printed"), [(">/dev/full", FULL), (">&-", CLOSED)], ids=["full", "closed"])
def test_an_output_that_cannot_be_written_is_an_error(words: str, redirected: str, printed: str, module: Path) -> None:
    done = run_in_shell(words, redirected, module)
    assert (done.returncode, done.stderr) == (4, printed)


@pytest.mark.parametrize("redirected", ["2>/dev/full", "2>&-", "<&- 2>&-"])
@pytest.mark.parametrize("name", ["abi diff", "list", "check --json"])
def test_an_error_output_that_cannot_be_written_changes_nothing(name: str, redirected: str, module: Path) -> None:
    words, code = PRINTING[name]
    done = run_in_shell(words, redirected, module)
    assert (done.returncode, bool(done.stdout)) == (code, True)


def run_in_shell(words: str, redirected: str, module: Path) -> subprocess.CompletedProcess[str]:
    """Runs the tool with something done to its descriptors."""
    command = f"exec {sys.executable} -m dmconform {words.replace('MODULE', str(module))} {redirected}"
    return subprocess.run(["/bin/sh", "-c", command], capture_output=True, encoding="utf-8", check=False, timeout=TIMEOUT_S)


def failing(error: BaseException) -> Callable[..., object]:
    def fail(*_: object, **__: object) -> object:
        raise error

    return fail


@pytest.fixture
def unexpected(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Makes `coverage` end with an error."""
    return lambda error: monkeypatch.setattr("dmconform.spec.catalogue.load_catalogue", failing(error))


def test_a_defect_is_one_sentence_with_where_to_report_it(
    unexpected: Callable[[BaseException], None], capsys: pytest.CaptureFixture[str]
) -> None:
    unexpected(KeyError("surprise\x1b[31m"))
    assert main(["coverage"]) == ExitCode.ERROR
    printed = capsys.readouterr().err
    assert len(printed.splitlines()) == 1
    assert printed.startswith("dmconform: internal error: KeyError in test_main.py, line ")
    assert "SECURITY.md" in printed
    assert "dmconform --debug coverage" in printed
    assert "\x1b" not in printed


@pytest.mark.parametrize("words", [["--debug", "coverage"]])
def test_a_traceback_is_there_for_those_who_ask(
    words: list[str], unexpected: Callable[[BaseException], None], capsys: pytest.CaptureFixture[str]
) -> None:
    unexpected(KeyError("surprise"))
    assert main(words) == ExitCode.ERROR
    printed = capsys.readouterr().err
    assert printed.startswith("Traceback (most recent call last):")
    assert printed.splitlines()[-1].startswith("dmconform: internal error: KeyError")


@pytest.mark.parametrize(("words", "tracebacks"), [("", 0), ("--debug ", 1)])
def test_an_error_at_the_end_of_the_interpreter_is_one_line(words: str, tracebacks: int) -> None:
    """As from a library's `atexit` where no thread can be started any more."""
    code = f"""
import atexit, sys
atexit.register(lambda: {{}}["surprise"])
sys.argv[1:] = "{words}list hosts".split()
from dmconform.cli.main import main
sys.exit(main())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=False, timeout=TIMEOUT_S)
    assert (done.returncode, done.stderr.count("Traceback")) == (0, tracebacks)
    if not tracebacks:
        assert done.stderr == "dmconform: besides: KeyError: 'surprise'\n"


@pytest.mark.parametrize("words", ["list", "--debug list"])
def test_an_interrupt_in_a_destructor_is_not_lost(words: str) -> None:
    code = f"""
import os, signal, sys, time
class Late:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        for _ in range(100): pass
def wait(*_):
    Late()
    time.sleep(60)
from dmconform.cli import list as command, main
object.__setattr__(command.COMMAND, "run", wait)
sys.argv[1:] = "{words} hosts".split()
sys.exit(main.main())
"""
    command = ["env", "--default-signal=INT", sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, timeout=TIMEOUT_S)
    assert (done.returncode, done.stderr) == (ExitCode.ERROR, "dmconform: interrupted\n")


def ends_with(source: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """`python -m dmconform` with another text in the place of the command line's module."""
    package = tmp_path / "dmconform"
    (package / "cli").mkdir(parents=True)
    shutil.copy(paths.PACKAGE / "__main__.py", package)
    (package / "__init__.py").touch()
    (package / "cli" / "main.py").write_text(source, encoding="utf-8")
    command = [sys.executable, "-m", "dmconform"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    return subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, encoding="utf-8", check=False, timeout=TIMEOUT_S
    )


@pytest.mark.parametrize("place", ["main", "import"])
def test_an_interrupt_in_the_making_of_a_class_ends_as_any_other(place: str, tmp_path: Path) -> None:
    """`python -m` ends by SIGINT where an interrupt passed through an `exec` of a text, even if it was caught."""
    caught = "    try:\n        exec('raise KeyboardInterrupt')\n    except KeyboardInterrupt:\n        return 4\n"
    source = {"main": f"def main():\n{caught}", "import": "exec('raise KeyboardInterrupt')\n"}[place]
    done = ends_with(source, tmp_path)
    assert done.returncode == ExitCode.ERROR
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
@pytest.mark.parametrize("end", ["return 4", "raise KeyboardInterrupt"])
def test_an_interrupt_when_all_is_done_changes_nothing(end: str, name: str, tmp_path: Path) -> None:
    """Python gives signals their usual effect back while it ends: one more made the exit code that of a signal."""
    source = f"import atexit, os, signal\natexit.register(os.kill, os.getpid(), signal.{name})\ndef main():\n    {end}\n"
    done = ends_with(source, tmp_path)
    assert done.returncode == ExitCode.ERROR
    assert "KeyboardInterrupt" not in done.stderr


def test_an_option_of_a_command_does_not_ask_for_it(capsys: pytest.CaptureFixture[str]) -> None:
    """`--debug` behind `reproduce` and `build` is about modules."""
    assert main(["reproduce", "window/lods/go@1.39:reference/1.39.3", "--debug"]) == ExitCode.USAGE
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "printed"),
    [
        (OSError(errno.ENOSPC, "", "/some/file"), "/some/file: No space left on device; free room there"),
        (OSError(errno.EMFILE, ""), "Too many open files; raise the limit of open files (ulimit -n)"),
        (RuntimeError("can't start new thread"), "no more threads can be started; raise the limit of processes"),
        (MemoryError(), "there is no memory left; give it more"),
    ],
)
def test_trouble_of_the_machine_is_no_defect(
    error: Exception, printed: str, unexpected: Callable[[BaseException], None], capsys: pytest.CaptureFixture[str]
) -> None:
    unexpected(error)
    assert main(["coverage"]) == ExitCode.ERROR
    seen = capsys.readouterr().err
    assert seen.startswith(f"dmconform: {printed}")
    assert "internal error" not in seen


@pytest.fixture(scope="module")
def latin(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a user whose locale is ISO-8859-1."""
    folder = tmp_path_factory.mktemp("locales")
    name = "en_US.ISO-8859-1"
    localedef = shutil.which("localedef")
    if localedef is None:
        pytest.skip("localedef is not installed, so there is no other locale")
    subprocess.run([localedef, "-i", "en_US", "-f", "ISO-8859-1", str(folder / name)], capture_output=True, check=False)
    if not (folder / name).is_dir():
        pytest.skip("the sources of locales are not installed")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "LC_", "LANG"))}
    return {**environment, "PYTHONPATH": str(paths.IMPORT_ROOT), "LOCPATH": str(folder), "LC_ALL": name}


def test_a_pipe_gets_utf8_whatever_the_locale(latin: dict[str, str]) -> None:
    code = "import locale; print(locale.getencoding())"
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, env=latin, check=True, timeout=TIMEOUT_S)
    assert seen.stdout == b"ISO-8859-1\n"
    command = [sys.executable, "-m", "dmconform", "abi", "diff", "1.38", "1.39"]
    done = subprocess.run(command, capture_output=True, env=latin, check=False, timeout=TIMEOUT_S)
    assert (done.returncode, done.stderr) == (1, b"")
    assert "ABI string v0.1.0) → Envoy 1.39" in done.stdout.decode("utf-8")


def test_a_terminal_shows_what_it_can(latin: dict[str, str]) -> None:
    """The arrow of `abi diff` is not in ISO-8859-1."""
    controller, terminal = pty.openpty()
    command = [sys.executable, "-m", "dmconform", "abi", "diff", "1.38", "1.39"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=terminal, stderr=subprocess.PIPE, env=latin)
    os.close(terminal)
    shown = b""
    while block := _read(controller):
        shown += block
    _, printed = process.communicate(timeout=TIMEOUT_S)
    os.close(controller)
    assert (process.returncode, printed) == (1, b"")
    assert b"ABI string v0.1.0) ? Envoy 1.39" in shown


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 1 << 16)
    except OSError:  # what a terminal ends with
        return b""

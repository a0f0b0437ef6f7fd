"""Archives of cells: what is recorded, what becomes of paths, and the parts of the program that replays them."""

from __future__ import annotations

import ast
import importlib.metadata
import io
import json
import os
import signal
import stat
import sys
import tarfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
from dmconform.bundle.archive import Content, with_sums, write_archive
from dmconform.bundle.collect import collect
from dmconform.bundle.make import default_name, program_files, rewriter_for
from dmconform.bundle.replay import main as replay_main
from dmconform.bundle.replay.answer import differences
from dmconform.bundle.replay.connections import Connections
from dmconform.bundle.replay.places import Places, Trouble
from dmconform.bundle.replay.plain import Plain
from dmconform.bundle.rewrite import CELL, Rewriter
from dmconform.bundle.steps import CloseStep, EndStep, FilesStep, LookStep, RequestStep, StartStep, UpdateStep
from dmconform.bundle.vendored import MINIMAL_PYTHON, PACKAGES, libraries
from dmconform.core import paths
from dmconform.core.errors import HarnessError
from dmconform.core.waiting import poll
from dmconform.envoy.client import Answer
from dmconform.envoy.headers import Headers
from dmconform.envoy.launch import BOOTSTRAP_FILE, Launch
from dmconform.envoy.observer import CONNECTIONS
from dmconform.envoy.placed import Changed, PlacedFiles, PlaceKind, read_changes, recording
from dmconform.envoy.transcript import OWN_CONNECTION, Ending, Look, RequestId, Transcript
from dmconform.envoy.upstream import upstream

from tests.checkout import ROOT

# --- the files of a case ---


def last_change(files: PlacedFiles) -> dict[str, dict[str, Any]]:
    """What the newest look found, by path."""
    files.look()
    newest = read_changes(files.root)[-1]
    assert isinstance(newest, Changed)
    return {one.path: msgspec.to_builtins(one) for one in newest.changes}


def test_a_file_written_into_is_distinguished_from_one_replaced(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one")
    (tmp_path / "b").write_text("one")
    with recording(tmp_path) as files:
        first = last_change(files)
        assert (first["a"]["in_place"], first["b"]["in_place"]) == (False, False)
        with (tmp_path / "a").open("a") as sink:
            sink.write(" more")
        (tmp_path / "part").write_text("one more")
        (tmp_path / "part").replace(tmp_path / "b")
        second = last_change(files)
    assert (second["a"]["in_place"], second["b"]["in_place"]) == (True, False)
    assert second["a"]["sha256"] == second["b"]["sha256"] != first["a"]["sha256"]
    assert (tmp_path / "recorded" / second["a"]["sha256"]).read_text() == "one more"


def test_a_file_made_anew_is_not_taken_for_the_removed_one(tmp_path: Path) -> None:
    with recording(tmp_path) as files:
        for text in ("one", "two", "three"):  # without care, a file system gives the same number again
            (tmp_path / "a").unlink(missing_ok=True)
            (tmp_path / "a").write_text(text)
            assert not last_change(files)["a"]["in_place"], text


def test_links_folders_fifos_rights_and_removals_are_reported(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/file").write_text("text")
    (tmp_path / "folder/file").chmod(0)
    (tmp_path / "same").hardlink_to(tmp_path / "folder/file")
    (tmp_path / "link").symlink_to("nowhere")
    os.mkfifo(tmp_path / "fifo")
    with recording(tmp_path) as files:
        seen = last_change(files)
        assert {path: one["kind"] for path, one in seen.items()} == {
            "folder": "folder",
            "folder/file": "file",
            "same": "file",
            "link": "link",
            "fifo": "fifo",
        }
        assert (seen["link"]["target"], seen["folder/file"]["mode"], seen["same"]["same_as"]) == ("nowhere", 0, "folder/file")
        (tmp_path / "link").unlink()
        assert last_change(files)["link"]["kind"] == PlaceKind.GONE.value
    assert stat.S_IMODE((tmp_path / "folder/file").stat().st_mode) == 0, "expected its rights to be as before"


def test_a_file_that_goes_while_it_is_looked_at_was_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep = PlacedFiles._keep

    def renamed_meanwhile(files: PlacedFiles, place: Path) -> str:
        if place.suffix == ".part":
            place.rename(place.with_suffix(".so"))
        return keep(files, place)

    monkeypatch.setattr(PlacedFiles, "_keep", renamed_meanwhile)
    (tmp_path / "kept").touch()
    (tmp_path / "module.part").touch()
    with recording(tmp_path) as files:
        assert set(last_change(files)) == {"kept"}
        assert set(last_change(files)) == {"module.so"}


def test_what_the_harness_writes_is_no_file_of_the_case(tmp_path: Path) -> None:
    for name in ("bootstrap.json", "envoy.log", "envoy-2/listeners.json", "modules/envoy.log"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    with recording(tmp_path) as files:
        assert set(last_change(files)) == {"envoy-2", "modules", "modules/envoy.log"}


# --- from a folder to steps ---


NO_ANSWER = "Nobody answers here for the cluster source, whatever the case had there."


def an_envoy(folder: Path) -> Path:
    """The folder of a cell with what an Envoy would leave there, but for its transcript; returns its binary."""
    folder.mkdir(parents=True)
    binary = folder.parent / "the-envoy"
    exchange = {
        "listener": "main",
        "request": {"method": "GET", "path": "/", "headers": {}, "body": None},
        "answer": {"status": 200, "headers": {}, "body": str(folder), "trailers": {}, "reset": None},
    }
    cluster = {"endpoints": [{"lb_endpoints": [{"endpoint": {"address": {"socket_address": {"port_value": 4321}}}}]}]}
    clusters = [{"name": name, "load_assignment": cluster} for name in ("upstream", "source")]
    (folder / "bootstrap.json").write_text(json.dumps({"static_resources": {"clusters": clusters}}))
    (folder / "exchanges.jsonl").write_text((json.dumps(exchange) + "\n") * 6)
    (folder / "envoy.log").write_text(f"{binary}: dmconform\n")
    return binary


def a_cell(folder: Path) -> Path:
    """The folder of a cell as a case would leave it: an Envoy, an update, a request, an end."""
    binary = an_envoy(folder)
    (folder / "text").write_text(f"see {folder}")
    with recording(folder) as files:
        transcript = Transcript(folder, files)
        transcript.gives(1, json.dumps({"file": f"{folder}/text"}))
        transcript.starts(Launch(binary, {"VARIABLE": f"{folder}/modules"}))
        transcript.took(1, True, "")
        transcript.exchanged("HTTP/1.1", OWN_CONNECTION, 5.0)
        (folder / "text").write_bytes(b"\xff")
        transcript.gives(2, "{}")
        transcript.ends(Ending.ITSELF, -7)
        transcript.ends(Ending.KILLED, None)  # the first one stands
    return binary


def test_a_folder_becomes_steps_without_its_paths(tmp_path: Path) -> None:
    folder = tmp_path / "evidence" / "cell"
    binary = a_cell(folder)
    made = collect(folder, Rewriter({folder: CELL, binary: "{{ENVOY}}"}), "none")
    kinds = [type(step) for step in made.steps]
    assert kinds == [FilesStep, StartStep, RequestStep, FilesStep, UpdateStep, EndStep]
    _, start, request, _, update, end = made.steps
    assert isinstance(start, StartStep) and isinstance(update, UpdateStep) and isinstance(end, EndStep)
    assert (start.outcome, update.outcome, end.ending, end.exit_code) == ("accepted", "neither", "by itself", -7)
    assert start.environment["VARIABLE"] == "{{CELL}}/modules"
    assert isinstance(request, RequestStep) and request.answer["body"] == "{{CELL}}"
    assert made.other_clusters == {"source"}
    bootstrap = made.contents["envoy-1/bootstrap.json"].data.decode()
    assert '"{{PORT upstream}}"' in bootstrap and "4321" not in bootstrap
    assert made.contents["envoy-1/log.txt"].data == b"{{ENVOY}}: dmconform\n"
    everything = b"".join(content.data for content in made.contents.values()) + msgspec.json.encode(made.steps)
    assert str(tmp_path).encode() not in everything


def test_what_was_asked_again_and_again_becomes_one_step(tmp_path: Path) -> None:
    folder = tmp_path / "cell"
    binary = an_envoy(folder)
    left = iter((False, False, True))

    with recording(folder) as files:
        transcript = Transcript(folder, files)
        transcript.gives(1, "{}")
        transcript.starts(Launch(binary))

        def satisfied() -> bool:
            found = next(left)
            transcript.exchanged("HTTP/1.1", OWN_CONNECTION, 5.0)
            transcript.sees(Look.MAPPED, f"{folder}/a.so", found)
            transcript.sees(Look.STATISTIC, "some", None)
            return found

        assert poll(satisfied, 5.0)
        transcript.exchanged("HTTP/1.1", OWN_CONNECTION, 5.0)
        transcript.exchanged("HTTP/2", RequestId(1, 1), 0.25)  # nothing in time; then the case waits longer
        transcript.exchanged("HTTP/2", RequestId(1, 1), 0.25)
        transcript.closes(1)
        files.note_unreplayed("the log")
        files.note_unreplayed("the log")
        transcript.ends(Ending.KILLED, None)
    made = collect(folder, Rewriter({folder: CELL, binary: "{{ENVOY}}"}), "none")
    after = made.steps[1:]
    kinds = [type(step) for step in after]
    assert kinds == [RequestStep, LookStep, LookStep, RequestStep, RequestStep, CloseStep, EndStep]
    assert [(one.again, one.connection) for one in after if isinstance(one, RequestStep)] == [(True, 0), (False, 0), (False, 1)]
    looks = [(one.what, one.name, one.value) for one in after if isinstance(one, LookStep)]
    assert looks == [("mapped", "{{CELL}}/a.so", True), ("statistic", "some", None)]
    assert made.limits - {NO_ANSWER} == {"The case also looked at the log, which is not compared."}


def test_statistics_of_what_is_not_replayed_are_not_compared(tmp_path: Path) -> None:
    folder = tmp_path / "cell"
    binary = an_envoy(folder)
    with recording(folder) as files:
        transcript = Transcript(folder, files)
        transcript.gives(1, "{}")
        transcript.starts(Launch(binary))
        files.note_unreplayed(CONNECTIONS)
        transcript.sees(Look.STATISTIC, "some", 1)
        transcript.ends(Ending.KILLED, None)
    made = collect(folder, Rewriter({folder: CELL, binary: "{{ENVOY}}"}), "none")
    assert not any(isinstance(step, LookStep) for step in made.steps)
    assert made.limits - {NO_ANSWER} == {
        "The case opened its own connections: what it sent on them is not replayed.",
        "Statistics are not compared: they counted what is not replayed.",
    }


@pytest.mark.parametrize("name", ["envoy.log", BOOTSTRAP_FILE, "exchanges.jsonl", "updates/2.json"])
@pytest.mark.parametrize("what", ["a pipe", "a link", "a huge file", "no JSON"])
def test_what_a_module_put_in_the_place_of_a_file_is_not_read(tmp_path: Path, name: str, what: str) -> None:
    """A pipe would be waited for, a link would put a file of the user's into the bundle, and a huge file fill the memory."""
    folder = tmp_path / "cell"
    binary = a_cell(folder)
    file = folder / name
    file.unlink(missing_ok=True)
    if what == "a pipe":
        os.mkfifo(file)
    elif what == "a link":
        file.symlink_to("/etc/passwd")
    elif what == "a huge file":
        file.touch()
        os.truncate(file, 1 << 40)
    else:
        file.write_text("[" * 100_000)
    if what == "no JSON" and name == "envoy.log":
        assert collect(folder, Rewriter({folder: CELL, binary: "{{ENVOY}}"}), "none").contents["envoy-1/log.txt"]
        return
    with pytest.raises(HarnessError, match=f"{file.name} of the cell cannot be put into a bundle"):
        collect(folder, Rewriter({folder: CELL, binary: "{{ENVOY}}"}), "none")


@pytest.mark.parametrize(("workers", "status_only"), [(1, False), (2, True)])
def test_which_worker_answers_is_not_compared(tmp_path: Path, workers: int, status_only: bool) -> None:
    folder = tmp_path / "cell"
    binary = an_envoy(folder)
    transcript = Transcript(folder)
    transcript.gives(1, "{}")
    transcript.starts(Launch(binary, concurrency=workers))
    transcript.exchanged("HTTP/1.1", OWN_CONNECTION, 5.0)
    made = collect(folder, Rewriter({folder: CELL, binary: "{{ENVOY}}"}), "none")
    (request,) = (step for step in made.steps if isinstance(step, RequestStep))
    assert request.status_only == status_only
    assert any("2 workers" in one for one in made.limits) == status_only
    assert differences(Answer(200, body="a"), Answer(200, body="b"), status_only=True) == []
    assert differences(Answer(200), Answer(503), status_only=True)


def test_a_folder_without_an_envoy_is_no_archive(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="expected a cell that starts an Envoy"):
        collect(tmp_path, Rewriter({tmp_path: CELL}), "none")


def test_a_binary_with_a_path_of_this_machine_does_not_travel(tmp_path: Path) -> None:
    folder = tmp_path / "cell"
    binary = a_cell(folder)
    with recording(folder) as files:
        (folder / "module.so").write_bytes(b"\xff\x00" + str(folder).encode())
        files.look()
    with pytest.raises(HarnessError, match=r"module\.so: a binary file of the case has a path"):
        collect(folder, Rewriter({folder: CELL, binary: "{{ENVOY}}"}), "none")


def test_the_longest_path_is_replaced_and_no_other_name() -> None:
    rewriter = Rewriter({Path("/a"): "{{A}}", Path("/a/b"): "{{B}}", Path("/ü"): "{{U}}"})
    assert rewriter.text("/a/b/c /a/bc /ab /a") == "{{B}}/c {{A}}/bc /ab {{A}}"
    assert rewriter.text(json.dumps(["/ü/x"])) == '["{{U}}/x"]'


def test_the_places_of_this_machine_are_known_by_name() -> None:
    evidence, binary = Path("/run/evidence/area/name/sdk/host"), Path("/hosts/envoy")
    rewriter = rewriter_for(evidence, binary)
    reported = {
        evidence / "modules": "{{CELL}}/modules",
        binary: "{{ENVOY}}",
        Path("/run/plan.json"): "{{RUN}}/plan.json",
        ROOT / "harness": "{{PROJECT}}/harness",
        paths.cache_folder() / "modules": "{{CACHE}}/modules",
    }
    assert {path: rewriter.text(str(path)) for path in reported} == reported


# --- the archive ---


def test_an_archive_is_the_same_each_time_and_shows_nothing_of_its_maker(tmp_path: Path) -> None:
    contents = with_sums({"b/x": Content(b"1"), "a": Content(b"2", is_program=True)})
    files = [tmp_path / "one.tar.gz", tmp_path / "two.tar.gz"]
    for file in files:
        write_archive(file, "top", contents)
    assert files[0].read_bytes() == files[1].read_bytes()
    with tarfile.open(files[0]) as archive:
        entries = archive.getmembers()
    assert [one.name for one in entries] == ["top/SHA256SUMS", "top/a", "top/b/x"]
    assert {(one.mtime, one.uid, one.gid, one.uname, one.gname) for one in entries} == {(0, 0, 0, "", "")}
    assert [one.mode for one in entries] == [0o644, 0o755, 0o644]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.tar.gz", "two.tar.gz"]


def test_the_name_of_a_folder_is_safe_whatever_the_cell_is_called() -> None:
    assert default_name("window/a/cpp@1.39:reference/1.39.1~002c") == "cell-window-a-cpp-1.39-reference-1.39.1-002c"
    assert default_name("../../etc/x") == "cell-etc-x"


# --- what travels with it ---


NEWER_IN_TYPING = (
    "LiteralString",
    "Never",
    "NotRequired",
    "Required",
    "Self",
    "TypeVarTuple",
    "Unpack",
    "assert_never",
    "override",
)


def imported(file: Path) -> set[str]:
    """The modules that a file names in imports which are done when it runs."""
    tree = ast.parse(file.read_text(), feature_version=MINIMAL_PYTHON)
    typing_only = {
        id(one)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for one in ast.walk(node)
    }
    named: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) and id(node) not in typing_only:
            named |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom) and id(node) not in typing_only:
            assert not node.level, f"{file}: expected whole names in imports"
            # `from package import module` names the module.
            named |= {str(node.module), *(f"{node.module}.{one.name}" for one in node.names)}
    return named


@pytest.mark.parametrize("file", program_files(), ids=lambda file: str(file.relative_to(paths.IMPORT_ROOT)))
def test_what_travels_needs_only_what_travels_too(file: Path) -> None:
    there = {".".join(one.relative_to(paths.IMPORT_ROOT).with_suffix("").parts) for one in program_files()}
    known = {".".join(one.relative_to(paths.IMPORT_ROOT).with_suffix("").parts) for one in paths.PACKAGE.glob("**/*.py")}
    named = imported(file)
    assert named & known <= there
    others = {name.partition(".")[0] for name in named} - {"dmconform", "__future__"}
    assert others <= sys.stdlib_module_names | set(PACKAGES)


@pytest.mark.parametrize("file", program_files(), ids=lambda file: str(file.relative_to(paths.IMPORT_ROOT)))
def test_what_travels_imports_nothing_that_came_after_its_oldest_python(file: Path) -> None:
    newer = {"tomllib", "datetime.UTC", "enum.StrEnum", "asyncio.TaskGroup", *(f"typing.{one}" for one in NEWER_IN_TYPING)}
    assert not imported(file) & newer


def test_the_libraries_are_whole_and_their_oldest_python_is_reported() -> None:
    names = set(libraries())
    assert {f"vendored/{one}.LICENSE.txt" for one in PACKAGES} <= names
    assert {f"vendored/{one}/__init__.py" for one in PACKAGES} <= names
    assert all(".." not in name for name in names)
    wanted = [importlib.metadata.metadata(one)["Requires-Python"] for one in PACKAGES]
    assert max(tuple(map(int, one.removeprefix(">=").split("."))) for one in wanted) == MINIMAL_PYTHON
    needed = {
        one.partition(";")[0].split()[0].split("<")[0].split(">")[0].split("=")[0]
        for package in PACKAGES
        for one in importlib.metadata.requires(package) or ()
        if "extra ==" not in one
    }
    assert needed <= set(PACKAGES)


def put(places: Places, **change: object) -> None:
    usual = {"kind": "file", "mode": 0o644, "sha256": "hash", "target": "", "in_place": False, "same_as": ""}
    places.put({**usual, "is_text": False, "is_envoy": False, **change})


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """An archive with one file, and an empty folder for its cell."""
    (tmp_path / "archive/files").mkdir(parents=True)
    (tmp_path / "archive/files/hash").write_text("in {{CELL}}")
    (tmp_path / "cell").mkdir()
    return Places(tmp_path / "archive", tmp_path / "cell", tmp_path / "envoy", {"upstream": 7})


def test_an_interrupt_leaves_no_part_of_an_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(tarfile.TarFile, "addfile", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_archive(tmp_path / "cell.tar.gz", "cell", {"a": Content(b"1")})
    assert not list(tmp_path.iterdir())


def test_nothing_is_put_or_read_outside(places: Places) -> None:
    """Whoever replays an archive means to run its modules, and not to have other files changed."""
    put(places, path="out", kind="link", target="..")
    with pytest.raises(Trouble, match="a link leads elsewhere from 'out/file'"):
        put(places, path="out/file")
    for name in ("../envoy", "/etc/passwd", ""):
        for reads in (places.configuration, places.bytes_of, lambda one: places.folder(one or "..")):
            with pytest.raises(Trouble, match="expected a path below a folder"):
                reads(name)


def test_what_an_archive_says_does_nothing_to_a_terminal() -> None:
    shown = io.StringIO()
    print("a\x1b[2Jb\x9b\u202ec\ud800", "d\n\te", file=Plain(shown), flush=True)
    assert shown.getvalue() == "a?[2Jb??c? d\n\te\n"


def test_files_are_put_where_they_were_and_as_they_came_there(places: Places) -> None:
    file = places.cell / "modules/a"
    put(places, path="modules", kind="folder", mode=0o755)
    put(places, path="modules/a")
    number = file.stat().st_ino
    put(places, path="modules/a", in_place=True, is_text=True, mode=0o400)
    assert (file.read_text(), file.stat().st_ino, stat.S_IMODE(file.stat().st_mode)) == (f"in {places.cell}", number, 0o400)
    os.utime(file, (0, 0))
    put(places, path="modules/a", in_place=True, is_text=True, mode=0o400)
    assert file.stat().st_mtime_ns > 0, "expected the same bytes to be written again: who has the file mapped notices"
    put(places, path="b", same_as="modules/a")
    assert (places.cell / "b").stat().st_ino == number
    put(places, path="modules/a")
    assert (file.read_text(), file.stat().st_ino == number) == ("in {{CELL}}", False)
    put(places, path="link", kind="link", target="{{ENVOY}}")
    assert (places.cell / "link").readlink() == places.envoy
    put(places, path="modules/a", kind="gone")
    assert not file.exists()
    assert sorted(path.name for path in places.cell.rglob("*")) == ["b", "link", "modules"]


@pytest.mark.parametrize("path", ["/etc/x", "../x", "a/../../x", ""])
def test_no_file_is_put_elsewhere(places: Places, path: str) -> None:
    with pytest.raises(Trouble, match="expected a path below a folder"):
        put(places, path=path)


SAME = Answer(200, Headers({"date": "then", "x-a": "1"}), "127.0.0.1:4000 0xabcdef01 5b0c4f1e-0000-4000-8000-123456789abc")


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (Answer(200, Headers({"date": "now", "x-a": "1"}), "127.0.0.1:5 0xfedcba98 00000000-0000-4000-8000-123456789abc"), []),
        (Answer(200, Headers({"date": "now"}), SAME.body), ['header x-a: expected "1", saw none']),
        (Answer(200, Headers({"x-a": "1"}), "other"), ['body: expected "127.0.0.1:PORT ADDRESS UUID", saw "other"']),
        (Answer(200, SAME.headers, SAME.body, trailers=Headers({"x-t": "2"})), ['trailer x-t: expected none, saw "2"']),
        (
            Answer(200, Headers([*SAME.headers.pairs, ("x-a", "2")]), SAME.body),
            ['header x-a: expected "1", saw "1\\n2"'],
        ),
        (Answer(503), ["expected status 200, saw status 503"]),
        (Answer(None), ["expected status 200, saw connection cut"]),
        (Answer(None, reset="CANCEL"), ["expected status 200, saw stream reset with CANCEL"]),
    ],
)
def test_what_differs_is_reported_and_what_always_differs_is_not(now: Answer, expected: list[str]) -> None:
    assert differences(SAME, now) == expected


def test_json_has_no_order_and_differing_texts_are_shown_from_where_they_differ() -> None:
    one, other = Answer(200, body='{"a": 1, "b": [1, 2]}'), Answer(200, body='{"b": [1, 2], "a": 1}')
    assert differences(one, other) == []
    assert differences(one, Answer(200, body='{"b": [2, 1], "a": 1}'))
    (printed,) = differences(Answer(200, body="x" * 5000 + "then"), Answer(200, body="x" * 5000 + "now"))
    assert printed == f'body: from character 4960 on expected "{"x" * 40}then", saw "{"x" * 40}now"'


def test_a_connection_that_an_answer_closes_is_opened_again_for_the_next_request() -> None:
    step = {"envoy": 1, "connection": 1, "protocol": "HTTP/1.1", "act": "send", "text": "", "answer": {}, "timeout_s": 5.0}
    request: dict[str, Any] = {"path": "/a", "method": "GET", "body": None, "trailers": {}}
    connections = Connections()
    with upstream() as server:
        for number, headers in enumerate(({"connection": "close"}, {}), start=1):
            asked = {**step, "number": number, "request": {**request, "headers": headers}}
            connections.act(server.port if number == 1 else 0, asked)
            answer = connections.ask(0, asked)
            assert isinstance(answer, Answer) and answer.status == 200, answer
        connections.close_all()
        connections.act(server.port, {**step, "number": 1, "act": "cancel", "request": {**request, "headers": {}}})
        assert connections.ask(0, {**step, "number": 1, "request": request}) == Answer(None)
        connections.close_all()


def test_no_answer_is_the_same_only_as_no_answer() -> None:
    assert differences("nothing", "nothing else") == []
    assert differences(Answer(None), Answer(None)) == []
    assert differences("nothing", Answer(None))
    assert differences(Answer(200), "nothing")


def test_a_changed_archive_is_refused_and_a_mistake_is_no_verdict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # this process goes on
    for name, content in with_sums({"cell.json": Content(b"{}"), "files/a": Content(b"1")}).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content.data)
    assert replay_main.main(tmp_path, ["/bin/true"]) == replay_main.NOT_REPLAYED
    assert "run.py: this archive makes no sense, or run.py has a defect: main.py, line " in capsys.readouterr().out
    (tmp_path / "files/a").write_bytes(b"2")
    assert replay_main.main(tmp_path, ["/bin/true"]) == replay_main.NOT_REPLAYED
    assert "run.py: files/a: expected SHA-256" in capsys.readouterr().out

"""The frame of the permanent attack: what fails is found, kept and found again; time is kept; trouble is no success."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from dmconform.core.errors import ExitCode
from dmconform.core.paths import IMPORT_ROOT
from dmconform.core.waiting import poll

from tests.attack.attack import Attack, Try
from tests.attack.attacks import ATTACKS
from tests.attack.campaign import Campaign
from tests.attack.files.commands import command, documented, forked
from tests.attack.main import main
from tests.attack.result import BEGIN, END, HEADINGS, NOT_TRIED, Result, rows, with_table
from tests.checkout import ROOT

FINE = Try(None, 0.25, 0.5, 3 << 20)


def planted(chance: random.Random, folder: Path) -> Try:
    """A defect that one of about ten tries meets."""
    drawn = chance.randrange(10)
    (folder / "input").write_text(str(drawn))
    return replace(FINE, failure="it drew a 7") if drawn == 7 else FINE


def slow(_: random.Random, __: Path) -> Try:
    time.sleep(0.2)
    return FINE


def hanging(_: random.Random, folder: Path) -> Try:
    (folder / "input").touch()
    time.sleep(600)
    return FINE


def raising(_: random.Random, __: Path) -> Try:
    raise ValueError("the attack has a defect")


def ending(_: random.Random, __: Path) -> Try:
    os._exit(3)


PLANTED = Attack("Planted defect", 40, 1, planted)


def campaign(folder: Path, **more: object) -> Campaign:
    made = Campaign(seed=1, seconds=60.0, keep=folder / "kept", say=lambda _: None)
    return replace(made, **more)  # type: ignore[arg-type]


class TestPlantedDefect:
    def test_it_is_found_kept_and_found_again(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        words = ["--seed", "5", "--keep", str(tmp_path), "--minutes", "1"]
        assert main(words, [PLANTED]) == ExitCode.FAIL
        printed = capsys.readouterr().out
        numbers = [int(one) for one in re.findall(r"--only (\d+)", printed)]
        expected = [number for number in range(40) if PLANTED.chance(5, number).randrange(10) == 7]
        assert sorted(numbers) == expected != []
        assert "it drew a 7" in printed
        assert f"again: ./toxw -e attack -- --attack 'Planted defect' --seed 5 --only {numbers[0]}" in printed
        kept = tmp_path / f"planted-defect-{numbers[0]}"
        assert f"its input: {kept}" in printed
        assert (kept / "input").read_text() == "7"
        assert len(list(tmp_path.iterdir())) == len(numbers), "expected nothing of tries that did not fail"

        again = [*words, "--attack", "Planted defect", "--only"]
        assert main([*again, str(numbers[0])], [PLANTED]) == ExitCode.FAIL
        fine = next(number for number in range(40) if number not in expected)
        assert main([*again, str(fine)], [PLANTED]) == ExitCode.OK

    def test_the_worst_of_all_tries_is_in_the_table(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["--tries", "1", "--keep", str(tmp_path)], [PLANTED]) == ExitCode.OK
        _, row = capsys.readouterr().out.splitlines()[:2]
        assert row.split() == ["Planted", "defect", "40", "1", "0", "0.25", "s", "0.50", "s", "3", "MiB"]


class TestTime:
    def test_an_attack_ends_when_its_time_does(self, tmp_path: Path) -> None:
        begun = time.monotonic()
        (found,) = campaign(tmp_path, seconds=1.0).run([Attack("slow", 10_000, 1, slow)])
        assert 1.0 <= time.monotonic() - begun < 10.0
        assert 2 <= found.tries < 100
        assert not found.failures

    def test_it_is_shared_by_weight_and_each_has_a_try(self, tmp_path: Path) -> None:
        attacks = [Attack("large", 10_000, 3, slow), Attack("small", 10_000, 1, slow)]
        large, small = campaign(tmp_path, seconds=4.0).run(attacks)
        assert small.tries < large.tries
        assert [one.tries for one in campaign(tmp_path, seconds=0.0).run(attacks)] == [1, 1]

    def test_what_is_not_done_is_ended_and_has_failed(self, tmp_path: Path) -> None:
        (found,) = campaign(tmp_path, seconds=0.5, try_s=1.0, at_once=1).run([Attack("hanging", 9, 1, hanging)])
        (failure,) = found.failures
        assert failure.words == "it hangs: it was not done within 1 s"
        assert failure.kept is not None
        assert (failure.kept / "input").exists()


@pytest.mark.parametrize(("attempt", "words"), [(raising, "the attack has a defect"), (ending, "its worker ended with 3")])
def test_a_defect_of_the_attack_is_no_success(
    attempt: object, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = Attack("broken", 3, 1, attempt)  # type: ignore[arg-type]
    assert main(["--keep", str(tmp_path), "--minutes", "0.1"], [broken, PLANTED]) in (ExitCode.ERROR, ExitCode.FAIL)
    assert main(["--keep", str(tmp_path), "--attack", "broken"], [broken, PLANTED]) == ExitCode.ERROR
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_nothing(number: signal.Signals, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "tests.attack", "--attack", "mutated headers"]
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(IMPORT_ROOT)}
    process = subprocess.Popen(words, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
    assert poll(lambda: bool(list(tmp_path.glob("attack-*/*"))), 30.0)
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors.splitlines()[-1]) == (ExitCode.ERROR, "interrupted")
    assert list(tmp_path.iterdir()) == []


def test_words_that_make_no_sense(capsys: pytest.CaptureFixture[str]) -> None:
    for words, printed in ((["--attack", "none"], "no attack 'none'"), (["--only", "3"], "--only: expected the --attack")):
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code == ExitCode.USAGE
        assert printed in capsys.readouterr().err


class TestJudging:
    """What a command does wrong is a failure of its try."""

    def test_a_traceback(self, tmp_path: Path) -> None:
        found = forked(lambda: print("Traceback (most recent call last):\n", file=sys.stderr) or 0, tmp_path)
        assert "Traceback" in str(found.judged({0}).failure)

    def test_an_exception(self, tmp_path: Path) -> None:
        assert "ends with 97" in str(forked(lambda: 1 // 0, tmp_path).judged({0, 1}).failure)

    def test_an_exit_code_that_the_help_does_not_name(self, tmp_path: Path) -> None:
        assert documented("diff") == {0, 1, 2, 4}
        assert "ends with 3, expected one of [0, 1, 2, 4]" in str(
            forked(lambda: 3, tmp_path).judged(documented("diff")).failure
        )

    def test_a_signal(self, tmp_path: Path) -> None:
        def act() -> int:
            os.kill(os.getpid(), signal.SIGKILL)
            return 0

        found = forked(act, tmp_path)
        assert "ends with -9" in str(found.judged({0}).failure)

    def test_something_left(self, tmp_path: Path) -> None:
        found = forked(lambda: (Path(os.environ["TMPDIR"]) / "left").write_text(""), tmp_path)
        assert found.judged({0}).failure == "left in its folder of temporary files: left"

    def test_memory(self, tmp_path: Path) -> None:
        found = forked(lambda: len(b"x" * (230 << 20)) * 0, tmp_path).judged({0})
        assert "MiB, expected up to 200 MiB" in str(found.failure)

    def test_time(self, tmp_path: Path) -> None:
        def act() -> int:
            while time.process_time() < 5.2:
                pass
            return 0

        assert "s of processor time, expected up to 5 s" in str(forked(act, tmp_path).judged({0}).failure)

    def test_nothing(self, tmp_path: Path) -> None:
        ended = command("list", "hosts", folder=tmp_path)
        assert b"1.40.0" in ended.printed
        assert ended.memory_bytes > 1 << 20
        # This process, of which it is a fork, has grown in other tests.
        found = replace(ended, memory_bytes=1).judged(documented("list", "hosts"))
        assert found.failure is None
        assert found.processor_s > 0


class TestPage:
    def test_rows_of_other_attacks_stay(self) -> None:
        other, new = Attack("other", 5, 1, planted), Attack("new", 6, 1, planted)
        page = f"before\n{BEGIN}\n{END}\nafter\n"
        page = with_table(page, [PLANTED, other], [Result(other).with_try(FINE, None)])
        page = with_table(page, [PLANTED, other, new], [Result(PLANTED).with_try(FINE, None)])
        assert rows(page) == [
            ("Planted defect", "40", "1", "0", "0.25 s", "0.50 s", "3 MiB"),
            ("other", "5", "1", "0", "0.25 s", "0.50 s", "3 MiB"),
            ("new", "6", *[NOT_TRIED] * 5),
        ]
        assert page.startswith("before\n")
        assert page.endswith("after\n")

    def test_the_document_has_all_attacks(self) -> None:
        """`./toxw -e attack -- --attack NAME --markdown docs/security.md` adds one."""
        page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
        table = page[page.index(BEGIN) : page.index(END)]
        assert f"| {' | '.join(HEADINGS)} |" in table
        assert [row[:2] for row in rows(table)] == [(one.name, f"{one.aim:,}") for one in ATTACKS]
        for row in rows(table):
            assert row[3] in ("0", NOT_TRIED), row

    def test_a_page_without_a_place(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        page = tmp_path / "page.md"
        page.write_text("nothing")
        assert main(["--tries", "1", "--keep", str(tmp_path), "--markdown", str(page)], [PLANTED]) == ExitCode.ERROR
        assert "expected a table between" in capsys.readouterr().err


def test_names_and_aims_are_distinct_and_positive() -> None:
    assert len({one.folder_name for one in ATTACKS}) == len(ATTACKS)
    assert all(one.aim > 0 and one.share > 0 for one in ATTACKS)

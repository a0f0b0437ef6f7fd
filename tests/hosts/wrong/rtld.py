"""Ways to make the cases of `rtld` wrong."""

from __future__ import annotations

from dataclasses import replace

from harness.model import Outcome
from tests.hosts import sabotage
from tests.hosts.wrong import Wrong

TABLE = (
    Wrong(
        "rtld/local_by_default",
        "loaded globally",
        sabotage.modules(lambda module: replace(module, load_globally=True)),
        "expected no module's symbols to be visible globally, those of libfirst.so are",
    ),
    Wrong(
        "rtld/local_by_default",
        "one file twice",
        sabotage.same_file("first", "second"),
        "expected libsecond.so to answer, libfirst.so did",
    ),
    Wrong(
        "rtld/load_globally",
        "loaded locally",
        sabotage.modules(lambda module: replace(module, load_globally=False)),
        "expected the symbols of libglobal.so to be visible globally, found none",
    ),
    Wrong(
        "rtld/load_globally",
        "the local one too",
        sabotage.modules(lambda module: replace(module, load_globally=True)),
        "expected the symbols of libglobal.so to be visible globally, found liblocal.so",
    ),
    Wrong(
        "rtld/unloaded_at_last_reference",
        "never closed",
        sabotage.impatient(sabotage.modules(lambda module: replace(module, do_not_close=module.name == "probe"))),
        "expected the module to be unloaded when nothing uses it",
    ),
    Wrong(
        "rtld/unloaded_at_last_reference",
        "nothing is closed",
        sabotage.impatient(sabotage.modules(lambda module: replace(module, do_not_close=True))),
        "a module without a user is loaded after",
    ),
    Wrong(
        "rtld/unloaded_at_last_reference",
        "closed too early",
        sabotage.listener_uses_copy("b"),
        "expected the module to stay loaded while a listener uses it",
    ),
    Wrong(
        "rtld/unloaded_at_last_reference",
        "never unloads",
        sabotage.recorded_of_sdk(unloads=False, unloads_reason="for a test"),
        "for a test",
        Outcome.NOT_APPLICABLE,
    ),
    Wrong(
        "rtld/do_not_close",
        "flag not set",
        sabotage.modules(lambda module: replace(module, do_not_close=False)),
        "expected a module with do_not_close to stay loaded",
    ),
    Wrong(
        "rtld/do_not_close",
        "nothing is closed",
        sabotage.impatient(sabotage.modules(lambda module: replace(module, do_not_close=True))),
        "a module without a user is loaded after",
    ),
    Wrong(
        "rtld/same_file_initialised_once",
        "two files",
        sabotage.listener_uses_copy("b"),
        "expected both listeners to use one module",
    ),
    Wrong(
        "rtld/same_file_initialised_once",
        "initialised again",
        sabotage.listener_uses_copy("b", also=True),
        "expected the module to be initialised once, it was 2 times",
    ),
)

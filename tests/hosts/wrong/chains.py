"""Ways to make the cases of `chains` wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType

import pytest
from dmconform.envoy.config import HttpFilter, Listener
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.update import Update

from tests.hosts import sabotage
from tests.hosts.bench import Bench
from tests.hosts.sabotage import Sabotage
from tests.hosts.wrong import Wrong

Filters = tuple[HttpFilter, ...]


def chains(change: Callable[[Filters], Filters]) -> Sabotage:
    """The filter chains that reach Envoy are not those of the case."""

    def apply(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        to_json = Listener.to_json
        patch.setattr(Listener, "to_json", lambda one: to_json(replace(one, filters=change(one.filters))))
        return bench

    return apply


def updates_are_lost(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """Envoy goes on as it was configured first."""
    patch.setattr(Envoy, "update", lambda *_: Update(True))
    return bench


def _seen_alike(given: Filters) -> Filters:
    return tuple(replace(one, config="alike") for one in given)


def _first_alone(given: Filters) -> Filters:
    return given[:1]


def _first_twice(given: Filters) -> Filters:
    return (given[0],) * len(given)


def _one_is_idle(given: Filters) -> Filters:
    return (*given[:-1], replace(given[-1], filter_name="identity"))


backwards = chains(lambda given: given[::-1])
WROTE = "expected the (first|last) of .* to write the re(quest|sponse) header"
NESTED = "expected res.res"

TABLE = (
    Wrong("chains/same_file_twice", "in another order", backwards, WROTE),
    Wrong("chains/same_file_twice", "once", chains(_first_alone), NESTED),
    Wrong("chains/same_file_twice", "told alike", chains(_seen_alike), WROTE),
    Wrong(
        "chains/same_file_twice",
        "initialised twice",
        sabotage.log_says("dmconform: initialised", "dmconform: initialised dmconform: initialised"),
        "expected the module to be initialised once, it was 2 times",
    ),
    Wrong("chains/two_copies", "one file", sabotage.same_file("own", "copied"), "expected file and count .* from copied, saw"),
    Wrong("chains/two_copies", "in another order", backwards, WROTE),
    Wrong(
        "chains/two_copies",
        "not initialised",
        sabotage.impatient(sabotage.log_says("initialised", "quiet")),
        "expected each of the two to be initialised once, saw 0 lines",
    ),
    Wrong("chains/pairs", "in another order", backwards, WROTE),
    Wrong("chains/pairs", "the same one twice", chains(_first_twice), WROTE),
    Wrong("chains/pairs", "one does nothing", chains(_one_is_idle), NESTED),
    Wrong("chains/all_together", "in another order", backwards, WROTE),
    Wrong("chains/all_together", "one does nothing", chains(_one_is_idle), NESTED),
    Wrong(
        "chains/all_under_load",
        "another answer",
        sabotage.filter_named("local_reply", "418"),
        "expected each of 100 requests to be answered with 200, saw {'status 418': 100}",
    ),
    Wrong("chains/all_under_load", "one does nothing", chains(_one_is_idle), "expected 100 requests .* saw 0"),
    Wrong(
        "chains/reply_of_another",
        "another status",
        sabotage.answer_header("x-dmconform-local", "x"),
        "expected .* saw .418, 'x'",
    ),
    Wrong("chains/reply_of_another", "no reply", chains(_first_alone), "expected .* to change the reply .* saw .200, None"),
    Wrong("chains/others_come_and_go", "they do not go", updates_are_lost, "expected an answer of the upstream server"),
    Wrong("chains/others_come_and_go", "one does nothing", chains(_one_is_idle), NESTED),
)

"""Modules of several SDK versions and languages in one filter chain of one host: does each see what the others have done?

The documents promise each of them, and that their symbols do not collide. They do not say that a module must be alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from dmconform.casekit import (
    LOG_LINE_S,
    Answer,
    Cell,
    Envoy,
    HttpFilter,
    Listener,
    ModuleRef,
    PlannedSdk,
    Received,
    Relation,
    Request,
    burst,
    case,
    poll,
)

OWN = "own"
REPLY = "418"


@dataclass(frozen=True)
class Member:
    """A module of a chain."""

    language: str
    name: str  # of its file, and its filter's configuration unless there is another

    @property
    def signature(self) -> str:
        """What its filter writes into headers."""
        return f"{self.language} {self.name}"

    def filter(self, filter_name: str = "transform", config: str | None = None) -> HttpFilter:
        """Returns its filter, whose configuration is its name where none is given."""
        return HttpFilter(ModuleRef(self.name), filter_name, self.name if config is None else config)


def own(cell: Cell, name: str = OWN) -> Member:
    """Installs the cell's own probe as a file of this name."""
    cell.install(name=name)
    return Member(cell.language, name)


def others(cell: Cell) -> list[Member]:
    """Installs the probes of the other SDK versions that are promised to work on the host."""
    cell.needs(cell.relation is Relation.SUPPORTED, "takes many modules, and is tried where all of them are promised to work")
    found = []
    for sdk in cell.companions():
        if sdk.id != cell.sdk.id:
            name = f"{language_of(sdk)}_{sdk.minor}".replace(".", "_")
            cell.install(name=name, sdk=sdk)
            found.append(Member(language_of(sdk), name))
    cell.facts["others"] = ", ".join(one.name for one in found)
    return found


def language_of(sdk: PlannedSdk) -> str:
    """Returns the language of an SDK version."""
    return sdk.id.partition("@")[0]


def environment(cell: Cell) -> dict[str, str]:
    """Returns what hosts need in their environment for all of these modules."""
    merged: dict[str, str] = {}
    for sdk in (cell.sdk, *cell.companions()):
        for name, value in sdk.host_environment.items():
            assert merged.setdefault(name, value) == value, (
                f"expected one value of {name} to do for all, {sdk.id} wants {value}"
            )
    return merged


def chain(members: list[Member], name: str = "main") -> Listener:
    """Returns a listener whose requests go through the filters of all members, in this order."""
    return Listener(name, tuple(one.filter() for one in members))


def assert_in_order(answer: Answer, members: list[Member]) -> None:
    """Asserts that each member changed the request after the ones before it, and the response before them."""
    order = " → ".join(one.name for one in members)
    assert answer.status == 200, f"expected status 200 through {order}, saw {answer.summary}: {answer.problem}"
    start, end = "res[" * len(members), "]" * len(members)
    assert answer.body.startswith(start) and answer.body.endswith(end), (
        f"expected {start}…{end} around the body through {order}, saw {answer.body[:100]!r} … {answer.body[-20:]!r}"
    )
    received = Received.from_json(answer.body[len(start) : -len(end)])
    expected = "req[" * len(members) + "hello" + end
    assert received.body == expected, f"expected the upstream to receive {expected!r} through {order}, saw {received.body!r}"
    last = received.headers.get("x-dmconform-request")
    assert last == f"{members[-1].signature} -", f"expected the last of {order} to write the request header, it is {last!r}"
    first = answer.headers.get("x-dmconform-response")
    assert first == members[0].signature, f"expected the first of {order} to write the response header, it is {first!r}"


def post(envoy: Envoy, listener: str = "main") -> Answer:
    """Sends a request with a body."""
    return envoy.request("/chain", listener=listener, method="POST", body="hello")


def initialised(envoy: Envoy, times: int) -> int:
    """Returns how many modules have been initialised; waits for the lines of so many, which may come a moment late."""

    def lines() -> int:
        return envoy.read_log().count("dmconform: initialised")

    poll(lambda: lines() >= times, LOG_LINE_S)
    return lines()


@case("window.forward", "policy.result", "identity.reuse")
def test_same_file_twice(cell: Cell) -> None:
    """One module twice in a chain, with another configuration each time: both filters work, in order."""
    own(cell)
    first, second = Member(cell.language, "first"), Member(cell.language, "second")
    filters = tuple(HttpFilter(ModuleRef(OWN), "transform", one.name) for one in (first, second))
    with cell.start(Listener("main", filters), module=OWN) as envoy:
        assert_in_order(post(envoy), [first, second])
        lines = initialised(envoy, 1)
    assert lines == 1, f"expected the module to be initialised once, it was {lines} times"


@case("window.forward", "policy.result", "identity.path_and_inode", "rtld.local_by_default")
def test_two_copies(cell: Cell) -> None:
    """A module and its copy in a chain are two modules, with separate state: both work, in order."""
    members = [own(cell), own(cell, "copied")]
    alone = [Listener(one.name, (one.filter("identity"),)) for one in members]
    with cell.start(chain(members), *alone, module=OWN) as envoy:
        assert_in_order(post(envoy), members)
        for one in members:
            answer = envoy.request("/identity", listener=one.name)
            seen = (answer.headers.get("x-dmconform-module"), answer.headers.get("x-dmconform-count"))
            expected = (f"lib{one.name}.so", "1")
            assert seen == expected, f"expected file and count {expected} from {one.name}, saw {seen}"
        lines = initialised(envoy, 2)
    assert lines == 2, f"expected each of the two to be initialised once, saw {lines} lines of it"


@case("window.forward", "policy.result", "rtld.local_by_default", companions=True)
def test_pairs(cell: Cell) -> None:
    """The module and each other one that is promised here, in one chain, in either order: each sees what the other has done."""
    first = own(cell)
    pairs = [pair for other in others(cell) for pair in ([first, other], [other, first])]
    listeners = [chain(pair, f"pair_{number}") for number, pair in enumerate(pairs)]
    with cell.start(*listeners, module=OWN, environment=environment(cell)) as envoy:
        for one, pair in zip(listeners, pairs, strict=True):
            assert_in_order(post(envoy, one.name), pair)


@case("window.forward", "policy.result", "rtld.local_by_default", companions=True)
def test_all_together(cell: Cell) -> None:
    """The module and all others that are promised here, in one chain, in either order: each sees what the others have done."""
    members = [own(cell), *others(cell)]
    backwards = members[::-1]
    listeners = (chain(members), chain(backwards, "backwards"))
    with cell.start(*listeners, module=OWN, environment=environment(cell)) as envoy:
        assert_in_order(post(envoy), members)
        assert_in_order(post(envoy, "backwards"), backwards)


@case("window.forward", "policy.result", "rtld.local_by_default", companions=True)
def test_all_under_load(cell: Cell) -> None:
    """The same with several clients at once, on two worker threads: each request is answered, and changed by all."""
    members = [own(cell), *others(cell)]
    request = Request("/load", "POST", {}, "hello")
    with (
        cell.upstream() as server,
        cell.start(
            chain(members),
            module=OWN,
            environment=environment(cell),
            clusters={"upstream": server.port},
            concurrency=2,
        ) as envoy,
    ):
        seen = burst(envoy.take_port("main"), request, clients=2, requests=25)
        envoy.check_survived("under load")
        received = server.read_received("/load")
    assert seen == {"status 200": 100}, f"expected each of 100 requests to be answered with 200, saw {dict(seen)}"
    body = "req[" * len(members) + "hello" + "]" * len(members)
    right = sum(one.body == body for one in received)
    assert (len(received), right) == (100, 100), (
        f"expected 100 requests at the upstream, all with the body {body!r}; saw {right}"
    )


@case("window.forward", "policy.result", companions=True)
def test_reply_of_another(cell: Cell) -> None:
    """What another module answers by itself is changed by the module, and what the module answers by the other."""
    mine = own(cell)
    pairs = [pair for other in others(cell) for pair in ([mine, other], [other, mine])]
    listeners = [Listener(f"pair_{n}", (a.filter(), b.filter("local_reply", REPLY))) for n, (a, b) in enumerate(pairs)]
    with cell.start(*listeners, module=OWN, environment=environment(cell)) as envoy:
        for one, (changes, replies) in zip(listeners, pairs, strict=True):
            answer = post(envoy, one.name)
            seen = (
                answer.status,
                answer.headers.get("x-dmconform-local"),
                answer.headers.get("x-dmconform-response"),
                answer.body,
            )
            expected = (int(REPLY), replies.language, changes.signature, "res[local reply]")
            assert seen == expected, f"expected {changes.name} to change the reply of {replies.name} to {expected}, saw {seen}"


@case("window.forward", "policy.result", "rtld.closed_at_last_reference", companions=True)
def test_others_come_and_go(cell: Cell) -> None:
    """The module serves on while the others of its chain leave and come back."""
    mine, rest = own(cell), others(cell)
    with cell.start(chain([mine, *rest]), module=OWN, environment=environment(cell)) as envoy:
        for members in ([mine, *rest], [mine], [*rest, mine], [mine], [mine, *rest]):
            cell.reconfigure(envoy, chain(members))
            assert_in_order(post(envoy), members)

"""How a module's configuration becomes a message."""

from __future__ import annotations

import pytest
from dmconform.envoy.client import Answer
from dmconform.envoy.extension_points.use import Attempt, AttemptEnd, Config, Phase, SentExchange, any_message

BYTES = {"@type": "type.googleapis.com/google.protobuf.BytesValue", "value": "aGVsbG8="}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("", {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": ""}),
        ("text", {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": "text"}),
        ({"a": [1]}, {"@type": "type.googleapis.com/google.protobuf.Struct", "value": {"a": [1]}}),
        (BYTES, BYTES),
    ],
)
def test_text_objects_and_messages(config: Config, message: dict[str, object]) -> None:
    assert any_message(config) == message


@pytest.mark.parametrize(
    ("ended", "phase", "accepted"),
    [
        (AttemptEnd.WORKED, Phase.STOPPING, True),
        (AttemptEnd.NOT_DRIVEN, Phase.STOPPING, True),
        (AttemptEnd.REFUSED, Phase.LOADING, False),
        (AttemptEnd.REFUSED, Phase.DRIVING, True),
        (AttemptEnd.CRASHED, Phase.LOADING, False),
        (AttemptEnd.CRASHED, Phase.DRIVING, True),
        (AttemptEnd.HUNG, Phase.STOPPING, True),
        (AttemptEnd.NO_WAY, Phase.LOADING, False),
    ],
)
def test_what_counts_as_accepted(ended: AttemptEnd, phase: Phase, accepted: bool) -> None:
    assert Attempt(ended, phase).accepted is accepted


@pytest.mark.parametrize(
    ("answer", "finding"),
    [
        (Answer(None, body="rejected"), "rejected"),
        (Answer(200, body="x"), ""),
        (Answer(None, body="half of", status_so_far=200), ""),
        (Answer(None, problem="cut"), ""),
    ],
)
def test_a_part_of_a_body_is_no_finding(answer: Answer, finding: str) -> None:
    assert SentExchange("discovery", answer).finding == finding

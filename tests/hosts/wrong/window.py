"""Ways to make the cases of `window` wrong."""

from __future__ import annotations

from harness.model import Outcome
from tests.hosts import sabotage
from tests.hosts.wrong import Wrong

TABLE = (
    Wrong(
        "window/loads",
        "ABI of the SDK wrong",
        sabotage.recorded_of_sdk(abi_version="v9.9.9"),
        "expected a warning, the verdict is matched",
    ),
    Wrong(
        "window/loads",
        "ABI of the host wrong",
        sabotage.recorded_of_host(abi_version="v9.9.9"),
        "expected a warning, the verdict is matched",
    ),
    Wrong(
        "window/loads",
        "a warning without reason",
        sabotage.log_says("ABI version v0.1.0 matched", "ABI version v0.1.0 is deprecated"),
        "expected no warning, the verdict is deprecated",
    ),
    Wrong(
        "window/loads",
        "the host says nothing",
        sabotage.log_without("ABI version"),
        "expected the host to say whether the ABI string matches, it is silent",
    ),
    Wrong(
        "window/loads",
        "not a module",
        sabotage.module_is("probe", "no_program_init"),
        "program_init",
        Outcome.REJECTED,
    ),
    Wrong("window/proxied_traffic", "another language", sabotage.language_is("go"), "expected the response header to be set"),
    Wrong(
        "window/proxied_traffic",
        "nothing is changed",
        sabotage.filter_named("identity"),
        "expected the response header to be set",
    ),
    Wrong(
        "window/proxied_traffic", "another configuration", sabotage.configured("x"), "expected the response header to be set"
    ),
    Wrong(
        "window/proxied_traffic",
        "request header not read",
        sabotage.headers_at("/proxied", {}),
        "expected the request header at the upstream, saw 'cpp window -'",
    ),
    Wrong(
        "window/proxied_traffic",
        "no body",
        sabotage.requests(lambda _, options: options.update(body="")),
        "expected the upstream to receive 'req.hello.'",
    ),
    Wrong(
        "window/proxied_traffic",
        "the body is garbled",
        sabotage.filters_twice,
        "expected an answer of the upstream server, saw 'res.",
    ),
    Wrong("window/direct_traffic", "another language", sabotage.language_is("go"), "expected the response header to be set"),
    Wrong(
        "window/direct_traffic",
        "nothing is changed",
        sabotage.filter_named("identity"),
        "expected the response header to be set",
    ),
    Wrong("window/local_reply", "another status", sabotage.configured("419"), "expected status, header and body .* saw .419"),
    Wrong("window/local_reply", "another language", sabotage.language_is("go"), "expected status, header and body .*'go'"),
    Wrong("window/local_reply", "no reply", sabotage.filter_named("identity"), "expected status, header and body .* saw .200"),
)

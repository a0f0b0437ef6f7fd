"""Where connections and datagrams meet modules: in listeners."""

from __future__ import annotations

import copy

from dmconform.envoy.extension_points.draft import Draft, Message, extension, message_of, module_message
from dmconform.envoy.extension_points.tls import write_certificates
from dmconform.envoy.extension_points.use import ModuleUse

UDP = "udp"
"""The listener that datagrams go to."""


def network_filter(draft: Draft, use: ModuleUse) -> None:
    """Puts the module before a TCP proxy, which leads to the upstream server."""
    filter_ = module_message("filters.network.dynamic_modules.v3.DynamicModuleNetworkFilter", use, "filter")
    proxy = message_of("filters.network.tcp_proxy.v3.TcpProxy", stat_prefix="tcp", cluster="upstream")
    draft.chain["filters"] = [extension(filter_), {"name": "tcp_proxy", "typed_config": proxy}]


def listener_filter(draft: Draft, use: ModuleUse) -> None:
    """Puts the module where it sees a socket before a filter chain is chosen."""
    filter_ = module_message("filters.listener.dynamic_modules.v3.DynamicModuleListenerFilter", use, "filter")
    draft.main["listener_filters"] = [extension(filter_)]


def udp_listener_filter(draft: Draft, use: ModuleUse) -> None:
    """Puts the module in a separate listener, beside the one for HTTP."""
    filter_ = module_message("filters.udp.dynamic_modules.v3.DynamicModuleUdpListenerFilter", use, "filter")
    address = copy.deepcopy(draft.main["address"])
    address["socket_address"]["protocol"] = "UDP"
    draft.listeners.append(
        {
            "@type": draft.main["@type"],
            "name": UDP,
            "address": address,
            "udp_listener_config": {},
            "listener_filters": [extension(filter_)],
        }
    )


def transport_socket(draft: Draft, use: ModuleUse) -> None:
    """Puts the module between a client's TCP connection and the connection manager."""
    type_name = "transport_sockets.dynamic_modules.v3.DynamicModuleTransportSocket"
    draft.chain["transport_socket"] = extension(module_message(type_name, use, "transport_socket"))


def cert_validator(draft: Draft, use: ModuleUse) -> None:
    """Makes the module judge clients' certificates. Here Envoy goes by the extension's name."""
    type_name = "transport_sockets.tls.cert_validator.dynamic_modules.v3.DynamicModuleCertValidatorConfig"
    validator = {
        "name": "envoy.tls.cert_validator.dynamic_modules",
        "typed_config": module_message(type_name, use, "validator"),
    }
    _serve_tls(draft, {"validation_context": {"custom_validator_config": validator}})


def tls_handshaker(draft: Draft, use: ModuleUse) -> None:
    """Makes the module do the TLS handshake with clients."""
    type_name = "transport_sockets.tls.handshakers.dynamic_modules.v3.DynamicModuleTlsHandshaker"
    _serve_tls(draft, {"custom_handshaker": extension(module_message(type_name, use, "handshaker"))})


def _serve_tls(draft: Draft, common: Message) -> None:
    """Lets clients speak TLS, and show a certificate if they have one."""
    files = write_certificates(draft.folder)
    pair = {"certificate_chain": {"filename": str(files.chain)}, "private_key": {"filename": str(files.key)}}
    draft.chain["transport_socket"] = {
        "name": "tls",
        "typed_config": message_of(
            "transport_sockets.tls.v3.DownstreamTlsContext",
            common_tls_context={"tls_certificates": [pair], **common},
        ),
    }

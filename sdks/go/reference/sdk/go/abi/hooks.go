// Package abi has the hooks that the host looks for in a module. A module imports it for that alone.
package abi

/*
#cgo CFLAGS: -Wall -Wextra -Werror
#include "abi.h"

static inline const char *abi_version(void) { return DMCONFORM_ABI_VERSION; }
*/
import "C"

import (
	"unsafe"

	sdk "github.com/envoyproxy/envoy/source/extensions/dynamic_modules/sdk/go"
	"github.com/envoyproxy/envoy/source/extensions/dynamic_modules/sdk/go/shared"
)

//export envoy_dynamic_module_on_program_init
func envoy_dynamic_module_on_program_init() C.envoy_dynamic_module_type_abi_version_module_ptr {
	return C.abi_version()
}

//export envoy_dynamic_module_on_http_filter_config_new
func envoy_dynamic_module_on_http_filter_config_new(
	host C.envoy_dynamic_module_type_http_filter_config_envoy_ptr,
	name C.envoy_dynamic_module_type_envoy_buffer,
	config C.envoy_dynamic_module_type_envoy_buffer,
) C.envoy_dynamic_module_type_http_filter_config_module_ptr {
	filterName := string(hostBytes(name))
	return C.envoy_dynamic_module_type_http_filter_config_module_ptr(
		configured("configuration of "+filterName, func() (shared.HttpFilterFactory, error) {
			return sdk.NewHttpFilterFactory(configHandle{config: host}, filterName, hostBytes(config))
		}))
}

//export envoy_dynamic_module_on_http_filter_config_destroy
func envoy_dynamic_module_on_http_filter_config_destroy(
	config C.envoy_dynamic_module_type_http_filter_config_module_ptr,
) {
	recovered("destruction of a configuration", inCell[shared.HttpFilterFactory](unsafe.Pointer(config)).OnDestroy)
	freeCell(unsafe.Pointer(config))
}

//export envoy_dynamic_module_on_http_filter_new
func envoy_dynamic_module_on_http_filter_new(
	config C.envoy_dynamic_module_type_http_filter_config_module_ptr,
	stream C.envoy_dynamic_module_type_http_filter_envoy_ptr,
) C.envoy_dynamic_module_type_http_filter_module_ptr {
	f := newFilter(inCell[shared.HttpFilterFactory](unsafe.Pointer(config)), stream)
	return C.envoy_dynamic_module_type_http_filter_module_ptr(newCell(f))
}

//export envoy_dynamic_module_on_http_filter_stream_complete
func envoy_dynamic_module_on_http_filter_stream_complete(
	_ C.envoy_dynamic_module_type_http_filter_envoy_ptr,
	self C.envoy_dynamic_module_type_http_filter_module_ptr,
) {
	recovered("stream_complete", filterIn(self).module.OnStreamComplete)
}

//export envoy_dynamic_module_on_http_filter_destroy
func envoy_dynamic_module_on_http_filter_destroy(self C.envoy_dynamic_module_type_http_filter_module_ptr) {
	f := filterIn(self)
	f.ended = true
	if f.scheduler != nil {
		f.scheduler.close()
	}
	recovered("destruction of a filter", f.module.OnDestroy)
	freeCell(unsafe.Pointer(self))
}

//export envoy_dynamic_module_on_http_filter_request_headers
func envoy_dynamic_module_on_http_filter_request_headers(
	_ C.envoy_dynamic_module_type_http_filter_envoy_ptr,
	self C.envoy_dynamic_module_type_http_filter_module_ptr,
	endOfStream C.bool,
) C.envoy_dynamic_module_type_on_http_filter_request_headers_status {
	f := filterIn(self)
	status := onRequest(f, "request_headers", shared.HeadersStatusStop, func() shared.HeadersStatus {
		return f.module.OnRequestHeaders(f.RequestHeaders(), bool(endOfStream))
	})
	return C.envoy_dynamic_module_type_on_http_filter_request_headers_status(status)
}

//export envoy_dynamic_module_on_http_filter_request_body
func envoy_dynamic_module_on_http_filter_request_body(
	_ C.envoy_dynamic_module_type_http_filter_envoy_ptr,
	self C.envoy_dynamic_module_type_http_filter_module_ptr,
	endOfStream C.bool,
) C.envoy_dynamic_module_type_on_http_filter_request_body_status {
	f := filterIn(self)
	status := onRequest(f, "request_body", shared.BodyStatusStopNoBuffer, func() shared.BodyStatus {
		return f.module.OnRequestBody(
			f.body(C.envoy_dynamic_module_type_http_body_type_ReceivedRequestBody), bool(endOfStream))
	})
	return C.envoy_dynamic_module_type_on_http_filter_request_body_status(status)
}

//export envoy_dynamic_module_on_http_filter_request_trailers
func envoy_dynamic_module_on_http_filter_request_trailers(
	_ C.envoy_dynamic_module_type_http_filter_envoy_ptr,
	self C.envoy_dynamic_module_type_http_filter_module_ptr,
) C.envoy_dynamic_module_type_on_http_filter_request_trailers_status {
	f := filterIn(self)
	status := onRequest(f, "request_trailers", shared.TrailersStatusStop, func() shared.TrailersStatus {
		return f.module.OnRequestTrailers(f.RequestTrailers())
	})
	return C.envoy_dynamic_module_type_on_http_filter_request_trailers_status(status)
}

//export envoy_dynamic_module_on_http_filter_response_headers
func envoy_dynamic_module_on_http_filter_response_headers(
	_ C.envoy_dynamic_module_type_http_filter_envoy_ptr,
	self C.envoy_dynamic_module_type_http_filter_module_ptr,
	endOfStream C.bool,
) C.envoy_dynamic_module_type_on_http_filter_response_headers_status {
	f := filterIn(self)
	status := onResponse(f, "response_headers", shared.HeadersStatusStop, func() shared.HeadersStatus {
		return f.module.OnResponseHeaders(f.ResponseHeaders(), bool(endOfStream))
	})
	return C.envoy_dynamic_module_type_on_http_filter_response_headers_status(status)
}

//export envoy_dynamic_module_on_http_filter_response_body
func envoy_dynamic_module_on_http_filter_response_body(
	_ C.envoy_dynamic_module_type_http_filter_envoy_ptr,
	self C.envoy_dynamic_module_type_http_filter_module_ptr,
	endOfStream C.bool,
) C.envoy_dynamic_module_type_on_http_filter_response_body_status {
	f := filterIn(self)
	status := onResponse(f, "response_body", shared.BodyStatusStopNoBuffer, func() shared.BodyStatus {
		return f.module.OnResponseBody(
			f.body(C.envoy_dynamic_module_type_http_body_type_ReceivedResponseBody), bool(endOfStream))
	})
	return C.envoy_dynamic_module_type_on_http_filter_response_body_status(status)
}

//export envoy_dynamic_module_on_http_filter_response_trailers
func envoy_dynamic_module_on_http_filter_response_trailers(
	_ C.envoy_dynamic_module_type_http_filter_envoy_ptr,
	self C.envoy_dynamic_module_type_http_filter_module_ptr,
) C.envoy_dynamic_module_type_on_http_filter_response_trailers_status {
	f := filterIn(self)
	status := onResponse(f, "response_trailers", shared.TrailersStatusStop, func() shared.TrailersStatus {
		return f.module.OnResponseTrailers(f.ResponseTrailers())
	})
	return C.envoy_dynamic_module_type_on_http_filter_response_trailers_status(status)
}

func filterIn(self C.envoy_dynamic_module_type_http_filter_module_ptr) *filter {
	return inCell[*filter](unsafe.Pointer(self))
}

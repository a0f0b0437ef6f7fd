package abi

/*
#include "abi.h"
*/
import "C"

import (
	"runtime"
	"unsafe"

	"github.com/envoyproxy/envoy/source/extensions/dynamic_modules/sdk/go/shared"
)

// A filter is a module's filter together with the host's side of it.
type filter struct {
	hostLog
	module     shared.HttpFilter
	stream     C.envoy_dynamic_module_type_http_filter_envoy_ptr
	scheduler  *scheduler // nil until asked for
	callouts   map[uint64]shared.HttpCalloutCallback
	answered   bool // by a local response
	responding bool // a response has come this far
	failed     bool // a callback panicked
	ended      bool // the host has destroyed its side
}

// newFilter has the filter of one request made. If that fails, the request is answered with an error.
func newFilter(factory shared.HttpFilterFactory, stream C.envoy_dynamic_module_type_http_filter_envoy_ptr) *filter {
	f := &filter{stream: stream, callouts: map[uint64]shared.HttpCalloutCallback{}}
	recovered("creation of a filter", func() { f.module = factory.Create(f) })
	if f.module == nil {
		f.module = &missing{}
	}
	return f
}

// missing takes the place of a filter that could not be made. It panics at the first chance to answer the request.
type missing struct{ shared.EmptyHttpFilter }

func (*missing) OnRequestHeaders(shared.HeaderMap, bool) shared.HeadersStatus {
	panic("there is no filter: it could not be created")
}

func (f *filter) headers(kind C.envoy_dynamic_module_type_http_header_type) shared.HeaderMap {
	return headerMap{stream: f.stream, kind: kind}
}

func (f *filter) body(kind C.envoy_dynamic_module_type_http_body_type) shared.BodyBuffer {
	return bodyBuffer{stream: f.stream, kind: kind}
}

func (f *filter) RequestHeaders() shared.HeaderMap {
	return f.headers(C.envoy_dynamic_module_type_http_header_type_RequestHeader)
}

func (f *filter) RequestTrailers() shared.HeaderMap {
	return f.headers(C.envoy_dynamic_module_type_http_header_type_RequestTrailer)
}

func (f *filter) ResponseHeaders() shared.HeaderMap {
	return f.headers(C.envoy_dynamic_module_type_http_header_type_ResponseHeader)
}

func (f *filter) ResponseTrailers() shared.HeaderMap {
	return f.headers(C.envoy_dynamic_module_type_http_header_type_ResponseTrailer)
}

func (f *filter) BufferedRequestBody() shared.BodyBuffer {
	return f.body(C.envoy_dynamic_module_type_http_body_type_BufferedRequestBody)
}

func (f *filter) BufferedResponseBody() shared.BodyBuffer {
	return f.body(C.envoy_dynamic_module_type_http_body_type_BufferedResponseBody)
}

func (f *filter) ContinueRequest() {
	C.envoy_dynamic_module_callback_http_filter_continue_decoding(f.stream)
}

func (f *filter) SendLocalResponse(status uint32, headers [][2]string, body []byte, detail string) {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	f.answered = true
	lentHeaders := ofHeaders(headers, &pinner)
	C.envoy_dynamic_module_callback_http_send_response(
		f.stream, C.uint32_t(status), unsafe.SliceData(lentHeaders), C.size_t(len(lentHeaders)),
		ofBytes(body, &pinner), ofText(detail, &pinner),
	)
}

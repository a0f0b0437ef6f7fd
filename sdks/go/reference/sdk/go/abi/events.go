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

// What a filter asks for, and the hooks by which it comes.

func (f *filter) GetScheduler() shared.Scheduler {
	if f.scheduler == nil {
		f.scheduler = newScheduler(f.stream)
	}
	return f.scheduler
}

//export envoy_dynamic_module_on_http_filter_scheduled
func envoy_dynamic_module_on_http_filter_scheduled(
	_ C.envoy_dynamic_module_type_http_filter_envoy_ptr,
	self C.envoy_dynamic_module_type_http_filter_module_ptr,
	event C.uint64_t,
) {
	f := filterIn(self)
	if f.scheduler == nil {
		return
	}
	if task := f.scheduler.take(uint64(event)); task != nil {
		onEvent(f, "scheduled", task)
	}
}

func (f *filter) HttpCallout(
	cluster string, headers [][2]string, body []byte, timeoutMs uint64, cb shared.HttpCalloutCallback,
) (shared.HttpCalloutInitResult, uint64) {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	var id C.uint64_t
	lentHeaders := ofHeaders(headers, &pinner)
	result := shared.HttpCalloutInitResult(C.envoy_dynamic_module_callback_http_filter_http_callout(
		f.stream, &id, ofText(cluster, &pinner), unsafe.SliceData(lentHeaders), C.size_t(len(lentHeaders)),
		ofBytes(body, &pinner), C.uint64_t(timeoutMs),
	))
	if result != shared.HttpCalloutInitSuccess {
		return result, 0
	}
	f.callouts[uint64(id)] = cb
	return result, uint64(id)
}

//export envoy_dynamic_module_on_http_filter_http_callout_done
func envoy_dynamic_module_on_http_filter_http_callout_done(
	_ C.envoy_dynamic_module_type_http_filter_envoy_ptr,
	self C.envoy_dynamic_module_type_http_filter_module_ptr,
	id C.uint64_t,
	result C.envoy_dynamic_module_type_http_callout_result,
	headers *C.envoy_dynamic_module_type_envoy_http_header,
	headersSize C.size_t,
	chunks *C.envoy_dynamic_module_type_envoy_buffer,
	chunksSize C.size_t,
) {
	f := filterIn(self)
	callback := f.callouts[uint64(id)]
	if callback == nil {
		return
	}
	delete(f.callouts, uint64(id))
	onEvent(f, "callout_done", func() {
		callback.OnHttpCalloutDone(
			uint64(id), shared.HttpCalloutResult(result),
			headerPairs(unsafe.Slice(headers, headersSize)), bodyChunks(unsafe.Slice(chunks, chunksSize)),
		)
	})
}

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

// bodyBuffer is a body of one kind of one stream.
type bodyBuffer struct {
	stream C.envoy_dynamic_module_type_http_filter_envoy_ptr
	kind   C.envoy_dynamic_module_type_http_body_type
}

func (b bodyBuffer) GetChunks() []shared.BodyChunk {
	count := C.envoy_dynamic_module_callback_http_get_body_chunks_size(b.stream, b.kind)
	if count == 0 {
		return nil
	}
	found := make([]C.envoy_dynamic_module_type_envoy_buffer, count)
	if !C.envoy_dynamic_module_callback_http_get_body_chunks(b.stream, b.kind, unsafe.SliceData(found)) {
		return nil
	}
	return bodyChunks(found)
}

// bodyChunks is the host's memory as pieces of a body.
func bodyChunks(found []C.envoy_dynamic_module_type_envoy_buffer) []shared.BodyChunk {
	chunks := make([]shared.BodyChunk, len(found))
	for i, chunk := range found {
		chunks[i] = bodyChunk(hostBytes(chunk))
	}
	return chunks
}

func (b bodyBuffer) GetSize() uint64 {
	return uint64(C.envoy_dynamic_module_callback_http_get_body_size(b.stream, b.kind))
}

func (b bodyBuffer) Drain(numBytes uint64) {
	C.envoy_dynamic_module_callback_http_drain_body(b.stream, b.kind, C.size_t(numBytes))
}

func (b bodyBuffer) Append(data []byte) {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	C.envoy_dynamic_module_callback_http_append_body(b.stream, b.kind, ofBytes(data, &pinner))
}

//go:build !sdk_1_37 && !sdk_1_38

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

// readBuffer is what has come on a connection.
type readBuffer struct {
	connection C.envoy_dynamic_module_type_network_filter_envoy_ptr
}

func (b readBuffer) GetChunks() []shared.UnsafeEnvoyBuffer {
	count := C.envoy_dynamic_module_callback_network_filter_get_read_buffer_chunks_size(b.connection)
	if count == 0 {
		return nil
	}
	found := make([]C.envoy_dynamic_module_type_envoy_buffer, count)
	if !C.envoy_dynamic_module_callback_network_filter_get_read_buffer_chunks(b.connection, unsafe.SliceData(found)) {
		return nil
	}
	return bodyChunks(found)
}

func (b readBuffer) GetSize() uint64 {
	return uint64(C.envoy_dynamic_module_callback_network_filter_get_read_buffer_size(b.connection))
}

func (b readBuffer) Drain(numBytes uint64) bool {
	return bool(C.envoy_dynamic_module_callback_network_filter_drain_read_buffer(b.connection, C.size_t(numBytes)))
}

func (b readBuffer) Prepend(data []byte) bool {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	return bool(C.envoy_dynamic_module_callback_network_filter_prepend_read_buffer(b.connection, ofBytes(data, &pinner)))
}

func (b readBuffer) Append(data []byte) bool {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	return bool(C.envoy_dynamic_module_callback_network_filter_append_read_buffer(b.connection, ofBytes(data, &pinner)))
}

// writeBuffer is what is to go on a connection.
type writeBuffer struct {
	connection C.envoy_dynamic_module_type_network_filter_envoy_ptr
}

func (b writeBuffer) GetChunks() []shared.UnsafeEnvoyBuffer {
	count := C.envoy_dynamic_module_callback_network_filter_get_write_buffer_chunks_size(b.connection)
	if count == 0 {
		return nil
	}
	found := make([]C.envoy_dynamic_module_type_envoy_buffer, count)
	if !C.envoy_dynamic_module_callback_network_filter_get_write_buffer_chunks(b.connection, unsafe.SliceData(found)) {
		return nil
	}
	return bodyChunks(found)
}

func (b writeBuffer) GetSize() uint64 {
	return uint64(C.envoy_dynamic_module_callback_network_filter_get_write_buffer_size(b.connection))
}

func (b writeBuffer) Drain(numBytes uint64) bool {
	return bool(C.envoy_dynamic_module_callback_network_filter_drain_write_buffer(b.connection, C.size_t(numBytes)))
}

func (b writeBuffer) Prepend(data []byte) bool {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	return bool(C.envoy_dynamic_module_callback_network_filter_prepend_write_buffer(b.connection, ofBytes(data, &pinner)))
}

func (b writeBuffer) Append(data []byte) bool {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	return bool(C.envoy_dynamic_module_callback_network_filter_append_write_buffer(b.connection, ofBytes(data, &pinner)))
}

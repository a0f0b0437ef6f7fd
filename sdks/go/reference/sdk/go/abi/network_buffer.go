//go:build !sdk_1_37 && !sdk_1_38

package abi

/*
#include "abi.h"
*/
import "C"

import (
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

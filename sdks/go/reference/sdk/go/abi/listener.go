//go:build !sdk_1_37 && !sdk_1_38

package abi

/*
#include "abi.h"
*/
import "C"

import (
	"runtime"
	"unsafe"

	sdk "github.com/envoyproxy/envoy/source/extensions/dynamic_modules/sdk/go"
	"github.com/envoyproxy/envoy/source/extensions/dynamic_modules/sdk/go/shared"
)

// A listenerFilter is a module's filter of an accepted socket together with the host's side of it.
type listenerFilter struct {
	hostLog
	module shared.ListenerFilter
	socket C.envoy_dynamic_module_type_listener_filter_envoy_ptr
	failed bool // a callback panicked
}

// guarded runs a callback. After a panic the socket is closed, and does not become a connection.
func (f *listenerFilter) guarded(where string, run func() shared.ListenerFilterStatus) (status shared.ListenerFilterStatus) {
	if f.failed {
		return shared.ListenerFilterStatusStop
	}
	if recovered(where, func() { status = run() }) {
		return status
	}
	f.failed = true
	var pinner runtime.Pinner
	defer pinner.Unpin()
	C.envoy_dynamic_module_callback_listener_filter_close_socket(f.socket, ofText(panicDetail, &pinner))
	return shared.ListenerFilterStatusStop
}

func (f *listenerFilter) GetBufferChunk() (shared.UnsafeEnvoyBuffer, bool) {
	var found C.envoy_dynamic_module_type_envoy_buffer
	if !C.envoy_dynamic_module_callback_listener_filter_get_buffer_chunk(f.socket, &found) {
		return shared.UnsafeEnvoyBuffer{}, false
	}
	return bodyChunk(hostBytes(found)), true
}

//export envoy_dynamic_module_on_listener_filter_config_new
func envoy_dynamic_module_on_listener_filter_config_new(
	_ C.envoy_dynamic_module_type_listener_filter_config_envoy_ptr,
	name C.envoy_dynamic_module_type_envoy_buffer,
	config C.envoy_dynamic_module_type_envoy_buffer,
) C.envoy_dynamic_module_type_listener_filter_config_module_ptr {
	filterName := string(hostBytes(name))
	return C.envoy_dynamic_module_type_listener_filter_config_module_ptr(
		configured("configuration of "+filterName, func() (shared.ListenerFilterFactory, error) {
			return sdk.NewListenerFilterFactory(hostLog{}, filterName, hostBytes(config))
		}))
}

//export envoy_dynamic_module_on_listener_filter_config_destroy
func envoy_dynamic_module_on_listener_filter_config_destroy(
	config C.envoy_dynamic_module_type_listener_filter_config_module_ptr,
) {
	recovered("destruction of a configuration", inCell[shared.ListenerFilterFactory](unsafe.Pointer(config)).OnDestroy)
	freeCell(unsafe.Pointer(config))
}

// With null the host closes the socket.
//
//export envoy_dynamic_module_on_listener_filter_new
func envoy_dynamic_module_on_listener_filter_new(
	config C.envoy_dynamic_module_type_listener_filter_config_module_ptr,
	socket C.envoy_dynamic_module_type_listener_filter_envoy_ptr,
) C.envoy_dynamic_module_type_listener_filter_module_ptr {
	f := &listenerFilter{socket: socket}
	factory := inCell[shared.ListenerFilterFactory](unsafe.Pointer(config))
	if !recovered("creation of a filter", func() { f.module = factory.Create(f) }) || f.module == nil {
		return nil
	}
	return C.envoy_dynamic_module_type_listener_filter_module_ptr(newCell(f))
}

//export envoy_dynamic_module_on_listener_filter_on_accept
func envoy_dynamic_module_on_listener_filter_on_accept(
	_ C.envoy_dynamic_module_type_listener_filter_envoy_ptr,
	self C.envoy_dynamic_module_type_listener_filter_module_ptr,
) C.envoy_dynamic_module_type_on_listener_filter_status {
	f := listenerFilterIn(self)
	return C.envoy_dynamic_module_type_on_listener_filter_status(f.guarded("accept", f.module.OnAccept))
}

//export envoy_dynamic_module_on_listener_filter_on_data
func envoy_dynamic_module_on_listener_filter_on_data(
	_ C.envoy_dynamic_module_type_listener_filter_envoy_ptr,
	self C.envoy_dynamic_module_type_listener_filter_module_ptr,
	length C.size_t,
) C.envoy_dynamic_module_type_on_listener_filter_status {
	f := listenerFilterIn(self)
	status := f.guarded("data", func() shared.ListenerFilterStatus { return f.module.OnData(uint64(length)) })
	return C.envoy_dynamic_module_type_on_listener_filter_status(status)
}

//export envoy_dynamic_module_on_listener_filter_on_close
func envoy_dynamic_module_on_listener_filter_on_close(
	_ C.envoy_dynamic_module_type_listener_filter_envoy_ptr,
	self C.envoy_dynamic_module_type_listener_filter_module_ptr,
) {
	recovered("close", listenerFilterIn(self).module.OnClose)
}

//export envoy_dynamic_module_on_listener_filter_get_max_read_bytes
func envoy_dynamic_module_on_listener_filter_get_max_read_bytes(
	_ C.envoy_dynamic_module_type_listener_filter_envoy_ptr,
	self C.envoy_dynamic_module_type_listener_filter_module_ptr,
) (bytes C.size_t) {
	recovered("max_read_bytes", func() { bytes = C.size_t(listenerFilterIn(self).module.MaxReadBytes()) })
	return bytes
}

//export envoy_dynamic_module_on_listener_filter_destroy
func envoy_dynamic_module_on_listener_filter_destroy(self C.envoy_dynamic_module_type_listener_filter_module_ptr) {
	recovered("destruction of a filter", listenerFilterIn(self).module.OnDestroy)
	freeCell(unsafe.Pointer(self))
}

func listenerFilterIn(self C.envoy_dynamic_module_type_listener_filter_module_ptr) *listenerFilter {
	return inCell[*listenerFilter](unsafe.Pointer(self))
}

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

func (f *listenerFilter) DrainBuffer(length uint64) bool {
	return bool(C.envoy_dynamic_module_callback_listener_filter_drain_buffer(f.socket, C.size_t(length)))
}

func (f *listenerFilter) SetRequestedServerName(name string) {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	C.envoy_dynamic_module_callback_listener_filter_set_requested_server_name(f.socket, ofText(name, &pinner))
}

func (f *listenerFilter) SetRequestedApplicationProtocols(protocols []string) {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	names := ofTexts(protocols, &pinner)
	C.envoy_dynamic_module_callback_listener_filter_set_requested_application_protocols(
		f.socket, unsafe.SliceData(names), C.size_t(len(names)),
	)
}

func (f *listenerFilter) WriteToSocket(data []byte) int64 {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	return int64(C.envoy_dynamic_module_callback_listener_filter_write_to_socket(f.socket, ofBytes(data, &pinner)))
}

func (f *listenerFilter) SetDynamicMetadataString(metadataNamespace, key, value string) {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	C.envoy_dynamic_module_callback_listener_filter_set_dynamic_metadata_string(
		f.socket, ofText(metadataNamespace, &pinner), ofText(key, &pinner), ofText(value, &pinner),
	)
}

func (f *listenerFilter) SetDynamicMetadataNumber(metadataNamespace, key string, value float64) {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	C.envoy_dynamic_module_callback_listener_filter_set_dynamic_metadata_number(
		f.socket, ofText(metadataNamespace, &pinner), ofText(key, &pinner), C.double(value),
	)
}

func (f *listenerFilter) IncrementCounterValue(id shared.MetricID, value uint64) shared.MetricsResult {
	return shared.MetricsResult(C.envoy_dynamic_module_callback_listener_filter_increment_counter(
		f.socket, C.size_t(id), C.uint64_t(value),
	))
}

// listenerConfigHandle is the host's side of a filter configuration.
type listenerConfigHandle struct {
	hostLog
	config C.envoy_dynamic_module_type_listener_filter_config_envoy_ptr
}

func (h listenerConfigHandle) DefineCounter(name string) (shared.MetricID, shared.MetricsResult) {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	var id C.size_t
	result := C.envoy_dynamic_module_callback_listener_filter_config_define_counter(h.config, ofText(name, &pinner), &id)
	return shared.MetricID(id), shared.MetricsResult(result)
}

//export envoy_dynamic_module_on_listener_filter_config_new
func envoy_dynamic_module_on_listener_filter_config_new(
	handle C.envoy_dynamic_module_type_listener_filter_config_envoy_ptr,
	name C.envoy_dynamic_module_type_envoy_buffer,
	config C.envoy_dynamic_module_type_envoy_buffer,
) C.envoy_dynamic_module_type_listener_filter_config_module_ptr {
	filterName := string(hostBytes(name))
	return C.envoy_dynamic_module_type_listener_filter_config_module_ptr(
		configured("configuration of "+filterName, func() (shared.ListenerFilterFactory, error) {
			return sdk.NewListenerFilterFactory(listenerConfigHandle{config: handle}, filterName, hostBytes(config))
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

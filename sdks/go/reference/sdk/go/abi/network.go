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

// A networkFilter is a module's filter of a connection together with the host's side of it.
type networkFilter struct {
	hostLog
	module     shared.NetworkFilter
	connection C.envoy_dynamic_module_type_network_filter_envoy_ptr
	failed     bool // a callback panicked
}

// guarded runs a callback. After a panic the connection is closed, and nothing more of it passes.
func (f *networkFilter) guarded(where string, run func() shared.NetworkFilterStatus) (status shared.NetworkFilterStatus) {
	if f.failed {
		return shared.NetworkFilterStatusStop
	}
	if recovered(where, func() { status = run() }) {
		return status
	}
	f.failed = true
	C.envoy_dynamic_module_callback_network_filter_close(
		f.connection, C.envoy_dynamic_module_type_network_connection_close_type_NoFlush,
	)
	return shared.NetworkFilterStatusStop
}

func (f *networkFilter) IncrementCounterValue(id shared.MetricID, value uint64) shared.MetricsResult {
	return shared.MetricsResult(C.envoy_dynamic_module_callback_network_filter_increment_counter(
		f.connection, C.size_t(id), C.uint64_t(value),
	))
}

// networkConfigHandle is the host's side of a filter configuration.
type networkConfigHandle struct {
	hostLog
	config C.envoy_dynamic_module_type_network_filter_config_envoy_ptr
}

func (h networkConfigHandle) DefineCounter(name string) (shared.MetricID, shared.MetricsResult) {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	var id C.size_t
	result := C.envoy_dynamic_module_callback_network_filter_config_define_counter(h.config, ofText(name, &pinner), &id)
	return shared.MetricID(id), shared.MetricsResult(result)
}

//export envoy_dynamic_module_on_network_filter_config_new
func envoy_dynamic_module_on_network_filter_config_new(
	handle C.envoy_dynamic_module_type_network_filter_config_envoy_ptr,
	name C.envoy_dynamic_module_type_envoy_buffer,
	config C.envoy_dynamic_module_type_envoy_buffer,
) C.envoy_dynamic_module_type_network_filter_config_module_ptr {
	filterName := string(hostBytes(name))
	return C.envoy_dynamic_module_type_network_filter_config_module_ptr(
		configured("configuration of "+filterName, func() (shared.NetworkFilterFactory, error) {
			return sdk.NewNetworkFilterFactory(networkConfigHandle{config: handle}, filterName, hostBytes(config))
		}))
}

//export envoy_dynamic_module_on_network_filter_config_destroy
func envoy_dynamic_module_on_network_filter_config_destroy(
	config C.envoy_dynamic_module_type_network_filter_config_module_ptr,
) {
	recovered("destruction of a configuration", inCell[shared.NetworkFilterFactory](unsafe.Pointer(config)).OnDestroy)
	freeCell(unsafe.Pointer(config))
}

// With null the host closes the connection.
//
//export envoy_dynamic_module_on_network_filter_new
func envoy_dynamic_module_on_network_filter_new(
	config C.envoy_dynamic_module_type_network_filter_config_module_ptr,
	connection C.envoy_dynamic_module_type_network_filter_envoy_ptr,
) C.envoy_dynamic_module_type_network_filter_module_ptr {
	f := &networkFilter{connection: connection}
	factory := inCell[shared.NetworkFilterFactory](unsafe.Pointer(config))
	if !recovered("creation of a filter", func() { f.module = factory.Create(f) }) || f.module == nil {
		return nil
	}
	return C.envoy_dynamic_module_type_network_filter_module_ptr(newCell(f))
}

//export envoy_dynamic_module_on_network_filter_new_connection
func envoy_dynamic_module_on_network_filter_new_connection(
	_ C.envoy_dynamic_module_type_network_filter_envoy_ptr,
	self C.envoy_dynamic_module_type_network_filter_module_ptr,
) C.envoy_dynamic_module_type_on_network_filter_data_status {
	f := networkFilterIn(self)
	return C.envoy_dynamic_module_type_on_network_filter_data_status(f.guarded("new_connection", f.module.OnNewConnection))
}

//export envoy_dynamic_module_on_network_filter_read
func envoy_dynamic_module_on_network_filter_read(
	_ C.envoy_dynamic_module_type_network_filter_envoy_ptr,
	self C.envoy_dynamic_module_type_network_filter_module_ptr,
	length C.size_t,
	endOfStream C.bool,
) C.envoy_dynamic_module_type_on_network_filter_data_status {
	f := networkFilterIn(self)
	status := f.guarded("read", func() shared.NetworkFilterStatus {
		return f.module.OnRead(readBuffer{f.connection}, bool(endOfStream))
	})
	return C.envoy_dynamic_module_type_on_network_filter_data_status(status)
}

//export envoy_dynamic_module_on_network_filter_write
func envoy_dynamic_module_on_network_filter_write(
	_ C.envoy_dynamic_module_type_network_filter_envoy_ptr,
	self C.envoy_dynamic_module_type_network_filter_module_ptr,
	length C.size_t,
	endOfStream C.bool,
) C.envoy_dynamic_module_type_on_network_filter_data_status {
	f := networkFilterIn(self)
	status := f.guarded("write", func() shared.NetworkFilterStatus {
		return f.module.OnWrite(writeBuffer{f.connection}, bool(endOfStream))
	})
	return C.envoy_dynamic_module_type_on_network_filter_data_status(status)
}

//export envoy_dynamic_module_on_network_filter_event
func envoy_dynamic_module_on_network_filter_event(
	_ C.envoy_dynamic_module_type_network_filter_envoy_ptr,
	self C.envoy_dynamic_module_type_network_filter_module_ptr,
	event C.envoy_dynamic_module_type_network_connection_event,
) {
	f := networkFilterIn(self)
	f.guarded("event", func() shared.NetworkFilterStatus {
		f.module.OnEvent(shared.NetworkConnectionEvent(event))
		return shared.NetworkFilterStatusContinue
	})
}

//export envoy_dynamic_module_on_network_filter_destroy
func envoy_dynamic_module_on_network_filter_destroy(self C.envoy_dynamic_module_type_network_filter_module_ptr) {
	recovered("destruction of a filter", networkFilterIn(self).module.OnDestroy)
	freeCell(unsafe.Pointer(self))
}

func networkFilterIn(self C.envoy_dynamic_module_type_network_filter_module_ptr) *networkFilter {
	return inCell[*networkFilter](unsafe.Pointer(self))
}

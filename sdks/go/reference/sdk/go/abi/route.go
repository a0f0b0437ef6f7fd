package abi

/*
#include "abi.h"
*/
import "C"

import (
	"unsafe"

	sdk "github.com/envoyproxy/envoy/source/extensions/dynamic_modules/sdk/go"
)

//export envoy_dynamic_module_on_http_filter_per_route_config_new
func envoy_dynamic_module_on_http_filter_per_route_config_new(
	name C.envoy_dynamic_module_type_envoy_buffer,
	config C.envoy_dynamic_module_type_envoy_buffer,
) C.envoy_dynamic_module_type_http_filter_per_route_config_module_ptr {
	filterName := string(hostBytes(name))
	return C.envoy_dynamic_module_type_http_filter_per_route_config_module_ptr(
		configured("per-route configuration of "+filterName, func() (any, error) {
			return sdk.NewHttpFilterRouteConfig(filterName, hostBytes(config))
		}))
}

//export envoy_dynamic_module_on_http_filter_per_route_config_destroy
func envoy_dynamic_module_on_http_filter_per_route_config_destroy(
	config C.envoy_dynamic_module_type_http_filter_per_route_config_module_ptr,
) {
	freeCell(unsafe.Pointer(config))
}

func (f *filter) GetMostSpecificConfig() any {
	config := C.envoy_dynamic_module_callback_get_most_specific_route_config(f.stream)
	if config == nil {
		return nil
	}
	return inCell[any](unsafe.Pointer(config))
}

//go:build !sdk_1_37 && !sdk_1_38

package abi

/*
#include "abi.h"
*/
import "C"

import (
	"runtime"
	"unsafe"
)

// RecreateStream starts the stream anew.
func (f *filter) RecreateStream(headers [][2]string) bool {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	lent := ofHeaders(headers, &pinner)
	return bool(C.envoy_dynamic_module_callback_http_filter_recreate_stream(
		f.stream, unsafe.SliceData(lent), C.size_t(len(lent)),
	))
}

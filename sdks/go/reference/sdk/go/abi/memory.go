package abi

/*
#include <stdlib.h>
#include "abi.h"
*/
import "C"

import (
	"runtime"
	"runtime/cgo"
	"unsafe"
)

// The host keeps a pointer for each configuration and each filter. A pointer to Go memory must not be kept by C, and the Go
// runtime aborts the host when it sees one returned (unless GODEBUG=cgocheck=0). So the host gets a cell: C memory that
// holds the number under which the runtime keeps the Go value.

func newCell(value any) unsafe.Pointer {
	cell := C.malloc(C.size_t(unsafe.Sizeof(cgo.Handle(0))))
	*(*cgo.Handle)(cell) = cgo.NewHandle(value)
	return cell
}

func inCell[T any](cell unsafe.Pointer) T {
	return (*(*cgo.Handle)(cell)).Value().(T)
}

func freeCell(cell unsafe.Pointer) {
	(*(*cgo.Handle)(cell)).Delete()
	C.free(cell)
}

// ofText lends a string to the host for as long as the pinner holds.
func ofText(text string, pinner *runtime.Pinner) C.envoy_dynamic_module_type_module_buffer {
	return C.envoy_dynamic_module_type_module_buffer{
		ptr: (*C.char)(lent(unsafe.Pointer(unsafe.StringData(text)), len(text), pinner)), length: C.size_t(len(text)),
	}
}

// ofBytes lends bytes to the host for as long as the pinner holds.
func ofBytes(data []byte, pinner *runtime.Pinner) C.envoy_dynamic_module_type_module_buffer {
	return C.envoy_dynamic_module_type_module_buffer{
		ptr: (*C.char)(lent(unsafe.Pointer(unsafe.SliceData(data)), len(data), pinner)), length: C.size_t(len(data)),
	}
}

// ofTexts lends strings to the host for as long as the pinner holds.
func ofTexts(texts []string, pinner *runtime.Pinner) []C.envoy_dynamic_module_type_module_buffer {
	lentTexts := make([]C.envoy_dynamic_module_type_module_buffer, len(texts))
	for i, text := range texts {
		lentTexts[i] = ofText(text, pinner)
	}
	return lentTexts
}

// ofHeaders lends names and values to the host for as long as the pinner holds.
func ofHeaders(headers [][2]string, pinner *runtime.Pinner) []C.envoy_dynamic_module_type_module_http_header {
	lentHeaders := make([]C.envoy_dynamic_module_type_module_http_header, len(headers))
	for i, header := range headers {
		key, value := ofText(header[0], pinner), ofText(header[1], pinner)
		lentHeaders[i] = C.envoy_dynamic_module_type_module_http_header{
			key_ptr: key.ptr, key_length: key.length, value_ptr: value.ptr, value_length: value.length,
		}
	}
	return lentHeaders
}

// lent pins memory, which keeps it alive and lets other Go memory that the host is shown point to it.
func lent(memory unsafe.Pointer, size int, pinner *runtime.Pinner) unsafe.Pointer {
	if size == 0 {
		return nil
	}
	pinner.Pin((*byte)(memory))
	return memory
}

// hostBytes is the host's memory as a slice.
func hostBytes(buffer C.envoy_dynamic_module_type_envoy_buffer) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(buffer.ptr)), buffer.length)
}

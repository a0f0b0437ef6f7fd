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

// headerMap is the headers or trailers of one kind of one stream.
type headerMap struct {
	stream C.envoy_dynamic_module_type_http_filter_envoy_ptr
	kind   C.envoy_dynamic_module_type_http_header_type
}

func (m headerMap) GetOne(key string) shared.HeaderValue {
	value, _ := m.value(key, 0)
	return value
}

func (m headerMap) Get(key string) []shared.HeaderValue {
	first, count := m.value(key, 0)
	if count == 0 {
		return nil
	}
	values := append(make([]shared.HeaderValue, 0, count), first)
	for i := 1; i < count; i++ {
		value, _ := m.value(key, i)
		values = append(values, value)
	}
	return values
}

// value returns a header's value by position, and how many it has.
func (m headerMap) value(key string, position int) (shared.HeaderValue, int) {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	var found C.envoy_dynamic_module_type_envoy_buffer
	var count C.size_t
	if !C.envoy_dynamic_module_callback_http_get_header(
		m.stream, m.kind, ofText(key, &pinner), &found, C.size_t(position), &count,
	) {
		return headerValue(nil), 0
	}
	return headerValue(hostBytes(found)), int(count)
}

func (m headerMap) GetAll() [][2]shared.HeaderValue {
	count := C.envoy_dynamic_module_callback_http_get_headers_size(m.stream, m.kind)
	if count == 0 {
		return nil
	}
	found := make([]C.envoy_dynamic_module_type_envoy_http_header, count)
	if !C.envoy_dynamic_module_callback_http_get_headers(m.stream, m.kind, unsafe.SliceData(found)) {
		return nil
	}
	return headerPairs(found)
}

// headerPairs is the host's headers as names and values.
func headerPairs(found []C.envoy_dynamic_module_type_envoy_http_header) [][2]shared.HeaderValue {
	headers := make([][2]shared.HeaderValue, len(found))
	for i, header := range found {
		headers[i] = [2]shared.HeaderValue{
			headerValue(unsafe.Slice((*byte)(unsafe.Pointer(header.key_ptr)), header.key_length)),
			headerValue(unsafe.Slice((*byte)(unsafe.Pointer(header.value_ptr)), header.value_length)),
		}
	}
	return headers
}

func (m headerMap) Set(key string, value string) {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	C.envoy_dynamic_module_callback_http_set_header(m.stream, m.kind, ofText(key, &pinner), ofText(value, &pinner))
}

func (m headerMap) Add(key string, value string) {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	C.envoy_dynamic_module_callback_http_add_header(m.stream, m.kind, ofText(key, &pinner), ofText(value, &pinner))
}

// Remove sets a header to no value at all, which is how the ABI removes it.
func (m headerMap) Remove(key string) {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	C.envoy_dynamic_module_callback_http_set_header(
		m.stream, m.kind, ofText(key, &pinner), C.envoy_dynamic_module_type_module_buffer{},
	)
}

package abi

/*
#include "abi.h"
*/
import "C"

import (
	"runtime"

	"github.com/envoyproxy/envoy/source/extensions/dynamic_modules/sdk/go/shared"
)

func (f *filter) GetMetadataString(
	source shared.MetadataSourceType, metadataNamespace, key string,
) (shared.HeaderValue, bool) {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	var found C.envoy_dynamic_module_type_envoy_buffer
	if !C.envoy_dynamic_module_callback_http_get_metadata_string(
		f.stream, C.envoy_dynamic_module_type_metadata_source(source),
		ofText(metadataNamespace, &pinner), ofText(key, &pinner), &found,
	) {
		return headerValue(nil), false
	}
	return headerValue(hostBytes(found)), true
}

func (f *filter) GetMetadataNumber(source shared.MetadataSourceType, metadataNamespace, key string) (float64, bool) {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	var found C.double
	there := C.envoy_dynamic_module_callback_http_get_metadata_number(
		f.stream, C.envoy_dynamic_module_type_metadata_source(source),
		ofText(metadataNamespace, &pinner), ofText(key, &pinner), &found,
	)
	return float64(found), bool(there)
}

func (f *filter) SetMetadata(metadataNamespace, key string, value any) {
	switch value := value.(type) {
	case string:
		f.setMetadataString(metadataNamespace, key, value)
	case int:
		f.setMetadataNumber(metadataNamespace, key, float64(value))
	case float64:
		f.setMetadataNumber(metadataNamespace, key, value)
	}
}

func (f *filter) setMetadataString(metadataNamespace, key string, value string) {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	C.envoy_dynamic_module_callback_http_set_dynamic_metadata_string(
		f.stream, ofText(metadataNamespace, &pinner), ofText(key, &pinner), ofText(value, &pinner),
	)
}

func (f *filter) setMetadataNumber(metadataNamespace, key string, value float64) {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	C.envoy_dynamic_module_callback_http_set_dynamic_metadata_number(
		f.stream, ofText(metadataNamespace, &pinner), ofText(key, &pinner), C.double(value),
	)
}

func (f *filter) GetFilterState(key string) (shared.BodyChunk, bool) {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	var found C.envoy_dynamic_module_type_envoy_buffer
	if !C.envoy_dynamic_module_callback_http_get_filter_state_bytes(f.stream, ofText(key, &pinner), &found) {
		return bodyChunk(nil), false
	}
	return bodyChunk(hostBytes(found)), true
}

func (f *filter) SetFilterState(key string, value []byte) {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	C.envoy_dynamic_module_callback_http_set_filter_state_bytes(f.stream, ofText(key, &pinner), ofBytes(value, &pinner))
}

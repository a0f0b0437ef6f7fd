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

// configHandle is the host's side of a filter configuration.
type configHandle struct {
	hostLog
	config C.envoy_dynamic_module_type_http_filter_config_envoy_ptr
}

func (h configHandle) DefineHistogram(name string, tagKeys ...string) (shared.MetricID, shared.MetricsResult) {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	var id C.size_t
	keys := ofTexts(tagKeys, &pinner)
	result := C.envoy_dynamic_module_callback_http_filter_config_define_histogram(
		h.config, ofText(name, &pinner), unsafe.SliceData(keys), C.size_t(len(keys)), &id,
	)
	return shared.MetricID(id), shared.MetricsResult(result)
}

func (h configHandle) DefineGauge(name string, tagKeys ...string) (shared.MetricID, shared.MetricsResult) {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	var id C.size_t
	keys := ofTexts(tagKeys, &pinner)
	result := C.envoy_dynamic_module_callback_http_filter_config_define_gauge(
		h.config, ofText(name, &pinner), unsafe.SliceData(keys), C.size_t(len(keys)), &id,
	)
	return shared.MetricID(id), shared.MetricsResult(result)
}

func (h configHandle) DefineCounter(name string, tagKeys ...string) (shared.MetricID, shared.MetricsResult) {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	var id C.size_t
	keys := ofTexts(tagKeys, &pinner)
	result := C.envoy_dynamic_module_callback_http_filter_config_define_counter(
		h.config, ofText(name, &pinner), unsafe.SliceData(keys), C.size_t(len(keys)), &id,
	)
	return shared.MetricID(id), shared.MetricsResult(result)
}

func (f *filter) RecordHistogramValue(id shared.MetricID, value uint64, tagsValues ...string) shared.MetricsResult {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	values := ofTexts(tagsValues, &pinner)
	return shared.MetricsResult(C.envoy_dynamic_module_callback_http_filter_record_histogram_value(
		f.stream, C.size_t(id), unsafe.SliceData(values), C.size_t(len(values)), C.uint64_t(value),
	))
}

func (f *filter) SetGaugeValue(id shared.MetricID, value uint64, tagsValues ...string) shared.MetricsResult {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	values := ofTexts(tagsValues, &pinner)
	return shared.MetricsResult(C.envoy_dynamic_module_callback_http_filter_set_gauge(
		f.stream, C.size_t(id), unsafe.SliceData(values), C.size_t(len(values)), C.uint64_t(value),
	))
}

func (f *filter) IncrementCounterValue(id shared.MetricID, value uint64, tagsValues ...string) shared.MetricsResult {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	values := ofTexts(tagsValues, &pinner)
	return shared.MetricsResult(C.envoy_dynamic_module_callback_http_filter_increment_counter(
		f.stream, C.size_t(id), unsafe.SliceData(values), C.size_t(len(values)), C.uint64_t(value),
	))
}

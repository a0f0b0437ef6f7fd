//go:build !sdk_1_37 && !sdk_1_38

package abi

/*
#include "abi.h"
*/
import "C"

import (
	"errors"
	"runtime"
	"sync"
	"unsafe"

	sdk "github.com/envoyproxy/envoy/source/extensions/dynamic_modules/sdk/go"
	"github.com/envoyproxy/envoy/source/extensions/dynamic_modules/sdk/go/shared"
)

// A statSink is a module's sink together with the host's side of it.
type statSink struct {
	hostLog
	module    shared.StatSink
	host      C.envoy_dynamic_module_type_stat_sink_config_envoy_ptr
	scheduler *sinkScheduler // nil as long as nobody has asked for it
}

func (s *statSink) DefineGauge(name string) (shared.MetricID, shared.MetricsResult) {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	var id C.size_t
	result := C.envoy_dynamic_module_callback_stat_sink_config_define_gauge(s.host, ofText(name, &pinner), &id)
	return shared.MetricID(id), shared.MetricsResult(result)
}

func (s *statSink) SetGauge(id shared.MetricID, value uint64) shared.MetricsResult {
	result := C.envoy_dynamic_module_callback_stat_sink_config_set_gauge(s.host, C.size_t(id), C.uint64_t(value))
	return shared.MetricsResult(result)
}

func (s *statSink) GetScheduler() shared.Scheduler {
	if s.scheduler == nil {
		host := C.envoy_dynamic_module_callback_stat_sink_config_scheduler_new(s.host)
		s.scheduler = &sinkScheduler{host: host, tasks: map[uint64]func(){}}
	}
	return s.scheduler
}

// sinkScheduler keeps the functions that are to run on the main thread; the host knows each by its number.
type sinkScheduler struct {
	lock  sync.Mutex
	host  C.envoy_dynamic_module_type_stat_sink_config_scheduler_module_ptr // nil from the sink's end on
	next  uint64
	tasks map[uint64]func()
}

// Schedule is called on any thread. The function runs in a callback of the host's, never here.
func (s *sinkScheduler) Schedule(task func()) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.host == nil {
		return
	}
	s.next++
	s.tasks[s.next] = task
	C.envoy_dynamic_module_callback_stat_sink_config_scheduler_commit(s.host, C.uint64_t(s.next))
}

// take returns a function for its one run; nil if there is none of that number.
func (s *sinkScheduler) take(number uint64) func() {
	s.lock.Lock()
	defer s.lock.Unlock()
	task := s.tasks[number]
	delete(s.tasks, number)
	return task
}

// close drops what has not run.
func (s *sinkScheduler) close() {
	s.lock.Lock()
	defer s.lock.Unlock()
	C.envoy_dynamic_module_callback_stat_sink_config_scheduler_delete(s.host)
	s.host, s.tasks = nil, nil
}

// snapshot is the metrics of a flush.
type snapshot struct {
	host C.envoy_dynamic_module_type_stat_sink_snapshot_envoy_ptr
}

func (s snapshot) CounterCount() uint64 {
	return uint64(C.envoy_dynamic_module_callback_stat_sink_snapshot_get_counter_count(s.host))
}

func (s snapshot) GetCounter(index uint64, name []byte) ([]byte, shared.CounterValue, bool) {
	var value, delta C.uint64_t
	name, found := filled(name, func(room *C.char, capacity C.size_t, size *C.size_t) bool {
		return bool(C.envoy_dynamic_module_callback_stat_sink_snapshot_get_counter(
			s.host, C.size_t(index), room, capacity, size, &value, &delta))
	})
	if !found {
		return name, shared.CounterValue{}, false
	}
	return name, shared.CounterValue{Value: uint64(value), Delta: uint64(delta)}, true
}

func (s snapshot) GaugeCount() uint64 {
	return uint64(C.envoy_dynamic_module_callback_stat_sink_snapshot_get_gauge_count(s.host))
}

func (s snapshot) GetGauge(index uint64, name []byte) ([]byte, uint64, bool) {
	var value C.uint64_t
	name, found := filled(name, func(room *C.char, capacity C.size_t, size *C.size_t) bool {
		return bool(C.envoy_dynamic_module_callback_stat_sink_snapshot_get_gauge(
			s.host, C.size_t(index), room, capacity, size, &value))
	})
	return name, uint64(value), found
}

func (s snapshot) TextReadoutCount() uint64 {
	return uint64(C.envoy_dynamic_module_callback_stat_sink_snapshot_get_text_readout_count(s.host))
}

func (s snapshot) GetTextReadout(index uint64, name, value []byte) ([]byte, []byte, bool) {
	for {
		var nameSize, valueSize C.size_t
		var pinner runtime.Pinner
		found := bool(C.envoy_dynamic_module_callback_stat_sink_snapshot_get_text_readout(
			s.host, C.size_t(index),
			roomIn(name, &pinner), C.size_t(cap(name)), &nameSize,
			roomIn(value, &pinner), C.size_t(cap(value)), &valueSize))
		pinner.Unpin()
		nameFits, valueFits := int(nameSize) <= cap(name), int(valueSize) <= cap(value)
		switch {
		case !found:
			return name, value, false
		case nameFits && valueFits:
			return name[:nameSize], value[:valueSize], true
		}
		if !nameFits {
			name = make([]byte, 0, nameSize)
		}
		if !valueFits {
			value = make([]byte, 0, valueSize)
		}
	}
}

// filled has the host write a text, with more room if it needs it.
func filled(text []byte, fill func(room *C.char, capacity C.size_t, size *C.size_t) bool) ([]byte, bool) {
	for {
		var size C.size_t
		var pinner runtime.Pinner
		found := fill(roomIn(text, &pinner), C.size_t(cap(text)), &size)
		pinner.Unpin()
		if !found {
			return text, false
		}
		if int(size) <= cap(text) {
			return text[:size], true
		}
		text = make([]byte, 0, size)
	}
}

// roomIn lends what there is room for in a slice to the host for as long as the pinner holds.
func roomIn(text []byte, pinner *runtime.Pinner) *C.char {
	return (*C.char)(lent(unsafe.Pointer(unsafe.SliceData(text)), cap(text), pinner))
}

//export envoy_dynamic_module_on_stat_sink_config_new
func envoy_dynamic_module_on_stat_sink_config_new(
	host C.envoy_dynamic_module_type_stat_sink_config_envoy_ptr,
	name C.envoy_dynamic_module_type_envoy_buffer,
	config C.envoy_dynamic_module_type_envoy_buffer,
) C.envoy_dynamic_module_type_stat_sink_config_module_ptr {
	sinkName := string(hostBytes(name))
	return C.envoy_dynamic_module_type_stat_sink_config_module_ptr(
		configured("configuration of "+sinkName, func() (*statSink, error) {
			sink := &statSink{host: host}
			module, err := sdk.NewStatSink(sink, sinkName, hostBytes(config))
			if err == nil && module == nil {
				err = errors.New("no sink")
			}
			if err != nil {
				sink.close()
				return nil, err
			}
			sink.module = module
			return sink, nil
		}))
}

func (s *statSink) close() {
	if s.scheduler != nil {
		s.scheduler.close()
	}
}

//export envoy_dynamic_module_on_stat_sink_config_destroy
func envoy_dynamic_module_on_stat_sink_config_destroy(
	config C.envoy_dynamic_module_type_stat_sink_config_module_ptr,
) {
	sink := statSinkIn(config)
	recovered("destruction of a sink", sink.module.OnDestroy)
	sink.close()
	freeCell(unsafe.Pointer(config))
}

//export envoy_dynamic_module_on_stat_sink_flush
func envoy_dynamic_module_on_stat_sink_flush(
	config C.envoy_dynamic_module_type_stat_sink_config_module_ptr,
	metrics C.envoy_dynamic_module_type_stat_sink_snapshot_envoy_ptr,
) {
	recovered("flush", func() { statSinkIn(config).module.OnFlush(snapshot{metrics}) })
}

//export envoy_dynamic_module_on_stat_sink_on_histogram_complete
func envoy_dynamic_module_on_stat_sink_on_histogram_complete(
	config C.envoy_dynamic_module_type_stat_sink_config_module_ptr,
	name C.envoy_dynamic_module_type_envoy_buffer,
	value C.uint64_t,
) {
	text := shared.UnsafeEnvoyBuffer{Ptr: (*byte)(unsafe.Pointer(name.ptr)), Len: uint64(name.length)}
	recovered("value of a histogram", func() { statSinkIn(config).module.OnHistogramComplete(text, uint64(value)) })
}

//export envoy_dynamic_module_on_stat_sink_config_scheduled
func envoy_dynamic_module_on_stat_sink_config_scheduled(
	_ C.envoy_dynamic_module_type_stat_sink_config_envoy_ptr,
	config C.envoy_dynamic_module_type_stat_sink_config_module_ptr,
	number C.uint64_t,
) {
	if task := statSinkIn(config).scheduler.take(uint64(number)); task != nil {
		recovered("scheduled function", task)
	}
}

func statSinkIn(config C.envoy_dynamic_module_type_stat_sink_config_module_ptr) *statSink {
	return inCell[*statSink](unsafe.Pointer(config))
}

package abi

/*
#include "abi.h"
*/
import "C"

import "sync"

// scheduler keeps the functions that are to run on a stream's thread; the host knows each by its number.
type scheduler struct {
	lock  sync.Mutex
	host  C.envoy_dynamic_module_type_http_filter_scheduler_module_ptr // nil from the stream's end on
	next  uint64
	tasks map[uint64]func()
}

func newScheduler(stream C.envoy_dynamic_module_type_http_filter_envoy_ptr) *scheduler {
	return &scheduler{
		host: C.envoy_dynamic_module_callback_http_filter_scheduler_new(stream), tasks: map[uint64]func(){},
	}
}

// Schedule is called on any thread. The function runs in a callback of the host's, never here.
func (s *scheduler) Schedule(task func()) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.host == nil {
		return
	}
	s.next++
	s.tasks[s.next] = task
	C.envoy_dynamic_module_callback_http_filter_scheduler_commit(s.host, C.uint64_t(s.next))
}

// take returns a function for its one run; nil if there is none of that number.
func (s *scheduler) take(number uint64) func() {
	s.lock.Lock()
	defer s.lock.Unlock()
	task := s.tasks[number]
	delete(s.tasks, number)
	return task
}

// close drops what has not run.
func (s *scheduler) close() {
	s.lock.Lock()
	defer s.lock.Unlock()
	C.envoy_dynamic_module_callback_http_filter_scheduler_delete(s.host)
	s.host, s.tasks = nil, nil
}

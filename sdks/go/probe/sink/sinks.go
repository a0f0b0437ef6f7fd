//go:build !sdk_1_37 && !sdk_1_38

// Package sink holds the stats sinks of the probe contract. The SDK has sinks from 1.39 on.
package sink

import (
	"fmt"
	"os"
	"strings"
	"sync/atomic"

	"github.com/envoyproxy/envoy/source/extensions/dynamic_modules/sdk/go/shared"

	"dmconform/probe/life"
	"dmconform/probe/panics"
)

const (
	// cluster is what the names begin with of the metrics that are written.
	cluster = "cluster.upstream."
	// times is the histogram whose values are counted.
	times = cluster + "upstream_rq_time"
	// asking is what a name has in it of a metric of the requests that ask for a panic: the server says that it is a canary.
	asking = ".canary."
)

// Factories returns every sink by its name. Any other is refused, and so is `refuse`.
func Factories() map[string]shared.StatSinkConfigFactory {
	return map[string]shared.StatSinkConfigFactory{
		"snapshots": configFactory(newSnapshots),
		"panic":     configFactory(newPanic),
	}
}

// A configFactory makes the sink of a configuration.
type configFactory func(handle shared.StatSinkHandle, config []byte) (shared.StatSink, error)

// Create is called once for each configuration.
func (create configFactory) Create(handle shared.StatSinkHandle, config []byte) (shared.StatSink, error) {
	return create(handle, config)
}

// snapshots writes what it is given at each flush.
type snapshots struct {
	handle                      shared.StatSinkHandle
	scheduler                   shared.Scheduler
	gauge                       shared.MetricID
	life                        *life.Life
	flushes, samples, totalTime atomic.Uint64
}

func newSnapshots(handle shared.StatSinkHandle, config []byte) (shared.StatSink, error) {
	gauge, result := handle.DefineGauge("dmconform_flushes")
	if result != shared.MetricsSuccess {
		return nil, fmt.Errorf("snapshots: the host does not define a gauge: result %d", result)
	}
	begun := life.Begin("stat_sink", "configuration", config)
	return &snapshots{handle: handle, scheduler: handle.GetScheduler(), gauge: gauge, life: begun}, nil
}

// OnFlush writes a line, and has another thread schedule an event.
func (s *snapshots) OnFlush(metrics shared.MetricSnapshot) {
	s.life.Used()
	flush := s.flushes.Add(1)
	var line strings.Builder
	fmt.Fprintf(&line, "dmconform stats go [%s] flush=%d counters=%d gauges=%d readouts=%d samples=%d milliseconds=%d",
		s.life.Config(), flush, metrics.CounterCount(), metrics.GaugeCount(), metrics.TextReadoutCount(),
		s.samples.Load(), s.totalTime.Load())
	writeSeen(&line, metrics)
	line.WriteByte('\n')
	_, _ = os.Stderr.WriteString(line.String())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.scheduler.Schedule(func() { s.handle.SetGauge(s.gauge, flush) })
	}()
	<-done
}

// writeSeen writes the metrics of the cluster that are not 0, a counter with its growth; and all text.
func writeSeen(line *strings.Builder, metrics shared.MetricSnapshot) {
	var name, text []byte
	for index := range metrics.CounterCount() {
		var counter shared.CounterValue
		var found bool
		name, counter, found = metrics.GetCounter(index, name[:0])
		if found && counter.Value > 0 && strings.HasPrefix(string(name), cluster) {
			fmt.Fprintf(line, " %s=%d+%d", name, counter.Value, counter.Delta)
		}
	}
	for index := range metrics.GaugeCount() {
		var value uint64
		var found bool
		name, value, found = metrics.GetGauge(index, name[:0])
		if found && value > 0 && strings.HasPrefix(string(name), cluster) {
			fmt.Fprintf(line, " %s=%d", name, value)
		}
	}
	for index := range metrics.TextReadoutCount() {
		var found bool
		name, text, found = metrics.GetTextReadout(index, name[:0], text[:0])
		if found {
			fmt.Fprintf(line, " %s=%s", name, text)
		}
	}
}

// OnHistogramComplete counts.
func (s *snapshots) OnHistogramComplete(name shared.UnsafeEnvoyBuffer, value uint64) {
	if name.ToUnsafeString() == times {
		s.samples.Add(1)
		s.totalTime.Add(value)
	}
}

// OnDestroy is the last call.
func (s *snapshots) OnDestroy() { s.life.End() }

// panicking panics at flushes, for values and events of requests that ask for it, or when it is destroyed.
type panicking struct {
	scheduler shared.Scheduler
	place     panics.Place
}

func newPanic(handle shared.StatSinkHandle, config []byte) (shared.StatSink, error) {
	place, err := panics.Parse(string(config), "none", "configuration", "flush", "histogram", "scheduled", "destroy")
	if err != nil {
		return nil, err
	}
	place.Reached("configuration")
	return &panicking{handle.GetScheduler(), place}, nil
}

// OnFlush panics if a counter of such requests has grown.
func (s *panicking) OnFlush(metrics shared.MetricSnapshot) {
	var name []byte
	for index := range metrics.CounterCount() {
		var counter shared.CounterValue
		var found bool
		name, counter, found = metrics.GetCounter(index, name[:0])
		if found && counter.Delta > 0 && strings.Contains(string(name), asking) {
			s.scheduler.Schedule(func() { s.place.Reached("scheduled") })
			s.place.Reached("flush")
			return
		}
	}
}

// OnHistogramComplete panics if the value is of such a request.
func (s *panicking) OnHistogramComplete(name shared.UnsafeEnvoyBuffer, _ uint64) {
	if strings.Contains(name.ToUnsafeString(), asking) {
		s.place.Reached("histogram")
	}
}

// OnDestroy is the last call.
func (s *panicking) OnDestroy() { s.place.Reached("destroy") }

//go:build !sdk_1_37 && !sdk_1_38

package shared

// CounterValue is what a counter is, and by how much it has grown since the flush before.
type CounterValue struct {
	Value uint64
	Delta uint64
}

// MetricSnapshot is all metrics at a flush; it may be used during the callback only. A metric is asked for by its place among
// those of its kind. Texts are written into what is given, which grows as it needs to, and returned; without such a metric
// they are returned as they were, and false.
type MetricSnapshot interface {
	CounterCount() uint64
	GetCounter(index uint64, name []byte) ([]byte, CounterValue, bool)
	GaugeCount() uint64
	GetGauge(index uint64, name []byte) ([]byte, uint64, bool)
	TextReadoutCount() uint64
	GetTextReadout(index uint64, name, value []byte) ([]byte, []byte, bool)
}

// StatSinkHandle is the host's side of a sink.
type StatSinkHandle interface {
	// Log writes to the host's log.
	Log(level LogLevel, format string, args ...any)
	// DefineGauge defines a gauge; only while the sink is made.
	DefineGauge(name string) (MetricID, MetricsResult)
	// SetGauge sets a gauge, on the main thread.
	SetGauge(id MetricID, value uint64) MetricsResult
	// GetScheduler returns what brings functions to the main thread. It is asked for while the sink is made.
	GetScheduler() Scheduler
}

// StatSink is given the host's statistics.
type StatSink interface {
	// OnFlush is called on the main thread.
	OnFlush(snapshot MetricSnapshot)
	// OnHistogramComplete is called for each value of a histogram, on the thread that recorded it.
	OnHistogramComplete(name UnsafeEnvoyBuffer, value uint64)
	// OnDestroy is the last call.
	OnDestroy()
}

// EmptyStatSink does nothing; sinks embed it.
type EmptyStatSink struct{}

// OnFlush does nothing.
func (*EmptyStatSink) OnFlush(MetricSnapshot) {}

// OnHistogramComplete does nothing.
func (*EmptyStatSink) OnHistogramComplete(UnsafeEnvoyBuffer, uint64) {}

// OnDestroy does nothing.
func (*EmptyStatSink) OnDestroy() {}

// StatSinkConfigFactory makes the sinks of one name.
type StatSinkConfigFactory interface {
	// Create makes the sink of a configuration; with an error, the host refuses it. The bytes may be used during the call only.
	Create(handle StatSinkHandle, config []byte) (StatSink, error)
}

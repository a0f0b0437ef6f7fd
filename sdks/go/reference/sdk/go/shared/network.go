//go:build !sdk_1_37 && !sdk_1_38

package shared

// NetworkFilterStatus is what a filter has the host do after a callback of a connection.
type NetworkFilterStatus int32

// The numbers are the ABI's.
const (
	NetworkFilterStatusContinue NetworkFilterStatus = 0
	NetworkFilterStatusStop     NetworkFilterStatus = 1
	NetworkFilterStatusDefault  NetworkFilterStatus = NetworkFilterStatusContinue
)

// NetworkConnectionEvent is what has happened to a connection.
type NetworkConnectionEvent uint32

// The numbers are the ABI's.
const (
	NetworkConnectionEventRemoteClose NetworkConnectionEvent = iota
	NetworkConnectionEventLocalClose
	NetworkConnectionEventConnected
	NetworkConnectionEventConnectedZeroRTT
)

// NetworkBuffer is what has come on a connection, or is to go. Chunks may be used during the callback only.
type NetworkBuffer interface {
	// GetChunks returns the pieces of memory that hold the bytes.
	GetChunks() []UnsafeEnvoyBuffer
	// GetSize returns the number of bytes.
	GetSize() uint64
	// Drain removes bytes from the start; false outside of the callback for the direction, as for the others.
	Drain(numBytes uint64) bool
	// Prepend adds bytes at the start.
	Prepend(data []byte) bool
	// Append adds bytes at the end.
	Append(data []byte) bool
}

// NetworkFilterHandle is the host's side of a filter.
type NetworkFilterHandle interface {
	// IncrementCounterValue adds to a counter.
	IncrementCounterValue(id MetricID, value uint64) MetricsResult
	// Log writes to the host's log.
	Log(level LogLevel, format string, args ...any)
}

// NetworkFilterConfigHandle is the host's side of a filter configuration.
type NetworkFilterConfigHandle interface {
	// DefineCounter defines a counter.
	DefineCounter(name string) (MetricID, MetricsResult)
	// Log writes to the host's log.
	Log(level LogLevel, format string, args ...any)
}

// NetworkFilter handles one connection.
type NetworkFilter interface {
	OnNewConnection() NetworkFilterStatus
	// OnRead is called with what has come from downstream.
	OnRead(data NetworkBuffer, endOfStream bool) NetworkFilterStatus
	// OnWrite is called with what is to go downstream.
	OnWrite(data NetworkBuffer, endOfStream bool) NetworkFilterStatus
	OnEvent(event NetworkConnectionEvent)
	// OnDestroy is the last call.
	OnDestroy()
}

// EmptyNetworkFilter lets everything pass; filters embed it.
type EmptyNetworkFilter struct{}

// OnNewConnection lets the connection pass.
func (*EmptyNetworkFilter) OnNewConnection() NetworkFilterStatus { return NetworkFilterStatusDefault }

// OnRead lets the bytes pass.
func (*EmptyNetworkFilter) OnRead(NetworkBuffer, bool) NetworkFilterStatus {
	return NetworkFilterStatusDefault
}

// OnWrite lets the bytes pass.
func (*EmptyNetworkFilter) OnWrite(NetworkBuffer, bool) NetworkFilterStatus {
	return NetworkFilterStatusDefault
}

// OnEvent does nothing.
func (*EmptyNetworkFilter) OnEvent(NetworkConnectionEvent) {}

// OnDestroy does nothing.
func (*EmptyNetworkFilter) OnDestroy() {}

// NetworkFilterFactory makes the filters of one configuration. Several threads call it at the same time.
type NetworkFilterFactory interface {
	// Create makes the filter of one connection; where it returns nil, the connection is closed.
	Create(handle NetworkFilterHandle) NetworkFilter
	// OnDestroy is called when the host is done with the configuration.
	OnDestroy()
}

// NetworkFilterConfigFactory parses the configurations of one filter.
type NetworkFilterConfigFactory interface {
	// Create parses a configuration; with an error, the host refuses it. The bytes may be used during the call only.
	Create(handle NetworkFilterConfigHandle, unparsedConfig []byte) (NetworkFilterFactory, error)
}

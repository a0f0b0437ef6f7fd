//go:build !sdk_1_37 && !sdk_1_38

package shared

// ListenerFilterStatus is what a filter has the host do after a callback of a socket.
type ListenerFilterStatus int32

// The numbers are the ABI's.
const (
	ListenerFilterStatusContinue ListenerFilterStatus = 0
	ListenerFilterStatusStop     ListenerFilterStatus = 1
	ListenerFilterStatusDefault  ListenerFilterStatus = ListenerFilterStatusContinue
)

// ListenerFilterHandle is the host's side of a filter.
type ListenerFilterHandle interface {
	// GetBufferChunk returns what has come, in OnData, and whether there is any. It may be used during the callback only.
	GetBufferChunk() (UnsafeEnvoyBuffer, bool)
	// DrainBuffer removes bytes from the start of what has come: nothing behind the filter sees them.
	DrainBuffer(length uint64) bool
	// SetRequestedServerName says which server the client has asked for, as TLS does.
	SetRequestedServerName(name string)
	// SetRequestedApplicationProtocols says which protocols the client offers, as TLS does.
	SetRequestedApplicationProtocols(protocols []string)
	// WriteToSocket sends bytes to the client, and returns how many, or -1.
	WriteToSocket(data []byte) int64
	// SetDynamicMetadataString sets dynamic metadata of the connection to a text.
	SetDynamicMetadataString(metadataNamespace, key, value string)
	// SetDynamicMetadataNumber sets dynamic metadata of the connection to a number.
	SetDynamicMetadataNumber(metadataNamespace, key string, value float64)
	// IncrementCounterValue adds to a counter.
	IncrementCounterValue(id MetricID, value uint64) MetricsResult
	// Log writes to the host's log.
	Log(level LogLevel, format string, args ...any)
}

// ListenerFilterConfigHandle is the host's side of a filter configuration.
type ListenerFilterConfigHandle interface {
	// DefineCounter defines a counter.
	DefineCounter(name string) (MetricID, MetricsResult)
	// Log writes to the host's log.
	Log(level LogLevel, format string, args ...any)
}

// ListenerFilter handles one accepted socket.
type ListenerFilter interface {
	OnAccept() ListenerFilterStatus
	// OnData is called when data have come, after an OnAccept that stopped.
	OnData(dataLength uint64) ListenerFilterStatus
	// OnClose is called when the socket closes while the filter holds it up.
	OnClose()
	// OnDestroy is the last call.
	OnDestroy()
	// MaxReadBytes is how many bytes the filter wants to look at.
	MaxReadBytes() uint64
}

// EmptyListenerFilter lets everything pass; filters embed it.
type EmptyListenerFilter struct{}

// OnAccept lets the socket pass.
func (*EmptyListenerFilter) OnAccept() ListenerFilterStatus { return ListenerFilterStatusDefault }

// OnData lets the socket pass.
func (*EmptyListenerFilter) OnData(uint64) ListenerFilterStatus { return ListenerFilterStatusDefault }

// OnClose does nothing.
func (*EmptyListenerFilter) OnClose() {}

// OnDestroy does nothing.
func (*EmptyListenerFilter) OnDestroy() {}

// MaxReadBytes wants none.
func (*EmptyListenerFilter) MaxReadBytes() uint64 { return 0 }

// ListenerFilterFactory makes the filters of one configuration. Several threads call it at the same time.
type ListenerFilterFactory interface {
	// Create makes the filter of one socket; where it returns nil, the socket is closed.
	Create(handle ListenerFilterHandle) ListenerFilter
	// OnDestroy is called when the host is done with the configuration.
	OnDestroy()
}

// ListenerFilterConfigFactory parses the configurations of one filter.
type ListenerFilterConfigFactory interface {
	// Create parses a configuration; with an error, the host refuses it. The bytes may be used during the call only.
	Create(handle ListenerFilterConfigHandle, unparsedConfig []byte) (ListenerFilterFactory, error)
}

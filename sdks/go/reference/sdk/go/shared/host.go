// Package shared holds the interfaces between a module's filters and the host.
package shared

// HeaderMap is the headers or the trailers of a message. Values that it returns may be used during the callback only.
type HeaderMap interface {
	// Get returns every value of a header.
	Get(key string) []HeaderValue
	// GetOne returns a header's first value; an empty one if there is none.
	GetOne(key string) HeaderValue
	// GetAll returns every header: name and value.
	GetAll() [][2]HeaderValue
	// Set replaces every value of a header by one.
	Set(key string, value string)
	// Add adds a value to a header.
	Add(key string, value string)
	// Remove removes every value of a header.
	Remove(key string)
}

// BodyBuffer is a part of a message's body. Chunks may be used during the callback only.
type BodyBuffer interface {
	// GetChunks returns the pieces of memory that hold the bytes.
	GetChunks() []BodyChunk
	// GetSize returns the number of bytes.
	GetSize() uint64
	// Drain removes bytes from the start.
	Drain(numBytes uint64)
	// Append adds bytes at the end.
	Append(data []byte)
}

// HttpFilterHandle is the host's side of a filter.
type HttpFilterHandle interface {
	StreamMetadata
	FilterMetrics
	RequestHeaders() HeaderMap
	RequestTrailers() HeaderMap
	ResponseHeaders() HeaderMap
	ResponseTrailers() HeaderMap
	// BufferedRequestBody is what the host has put by of the request's body.
	BufferedRequestBody() BodyBuffer
	// BufferedResponseBody is what the host has put by of the response's body.
	BufferedResponseBody() BodyBuffer
	recreator
	// SendLocalResponse answers the request. The filter's callbacks for a response are not called for this one.
	SendLocalResponse(status uint32, headers [][2]string, body []byte, detail string)
	// ContinueRequest lets a request go on that a callback has stopped.
	ContinueRequest()
	// GetMostSpecificConfig returns what the filter made of the configuration of the stream's route; nil if that has none.
	GetMostSpecificConfig() any
	// GetScheduler returns what brings functions to the stream's thread. It may be called in callbacks only.
	GetScheduler() Scheduler
	// HttpCallout sends a request of the filter's own to a cluster, and returns the callout's number.
	HttpCallout(
		cluster string, headers [][2]string, body []byte, timeoutMs uint64, cb HttpCalloutCallback,
	) (HttpCalloutInitResult, uint64)
	// Log writes to the host's log.
	Log(level LogLevel, format string, args ...any)
}

// HttpFilterConfigHandle is the host's side of a filter configuration.
type HttpFilterConfigHandle interface {
	MetricDefinitions
	// Log writes to the host's log.
	Log(level LogLevel, format string, args ...any)
}

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
	RequestHeaders() HeaderMap
	RequestTrailers() HeaderMap
	ResponseHeaders() HeaderMap
	ResponseTrailers() HeaderMap
	// BufferedRequestBody is what the host has put by of the request's body.
	BufferedRequestBody() BodyBuffer
	// BufferedResponseBody is what the host has put by of the response's body.
	BufferedResponseBody() BodyBuffer
	// SendLocalResponse answers the request. The filter's callbacks for a response are not called for this one.
	SendLocalResponse(status uint32, headers [][2]string, body []byte, detail string)
	// Log writes to the host's log.
	Log(level LogLevel, format string, args ...any)
}

// HttpFilterConfigHandle is the host's side of a filter configuration.
type HttpFilterConfigHandle interface {
	// Log writes to the host's log.
	Log(level LogLevel, format string, args ...any)
}

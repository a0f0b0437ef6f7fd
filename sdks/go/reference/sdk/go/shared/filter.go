package shared

// HttpFilter handles one request and its response.
type HttpFilter interface {
	OnRequestHeaders(headers HeaderMap, endOfStream bool) HeadersStatus
	OnRequestBody(body BodyBuffer, endOfStream bool) BodyStatus
	OnRequestTrailers(trailers HeaderMap) TrailersStatus
	OnResponseHeaders(headers HeaderMap, endOfStream bool) HeadersStatus
	OnResponseBody(body BodyBuffer, endOfStream bool) BodyStatus
	OnResponseTrailers(trailers HeaderMap) TrailersStatus
	// OnStreamComplete is called when request and response are done.
	OnStreamComplete()
	// OnDestroy is the last call.
	OnDestroy()
}

// EmptyHttpFilter lets everything pass; filters embed it.
type EmptyHttpFilter struct{}

// OnRequestHeaders lets the headers pass.
func (*EmptyHttpFilter) OnRequestHeaders(HeaderMap, bool) HeadersStatus { return HeadersStatusDefault }

// OnRequestBody lets the body pass.
func (*EmptyHttpFilter) OnRequestBody(BodyBuffer, bool) BodyStatus { return BodyStatusDefault }

// OnRequestTrailers lets the trailers pass.
func (*EmptyHttpFilter) OnRequestTrailers(HeaderMap) TrailersStatus { return TrailersStatusDefault }

// OnResponseHeaders lets the headers pass.
func (*EmptyHttpFilter) OnResponseHeaders(HeaderMap, bool) HeadersStatus { return HeadersStatusDefault }

// OnResponseBody lets the body pass.
func (*EmptyHttpFilter) OnResponseBody(BodyBuffer, bool) BodyStatus { return BodyStatusDefault }

// OnResponseTrailers lets the trailers pass.
func (*EmptyHttpFilter) OnResponseTrailers(HeaderMap) TrailersStatus { return TrailersStatusDefault }

// OnStreamComplete does nothing.
func (*EmptyHttpFilter) OnStreamComplete() {}

// OnDestroy does nothing.
func (*EmptyHttpFilter) OnDestroy() {}

// HttpFilterFactory makes the filters of one configuration. Several threads call it at the same time.
type HttpFilterFactory interface {
	// Create makes the filter of one request.
	Create(handle HttpFilterHandle) HttpFilter
	// OnDestroy is called when the host is done with the configuration.
	OnDestroy()
}

// HttpFilterConfigFactory parses the configurations of one filter.
type HttpFilterConfigFactory interface {
	// Create parses a configuration; with an error, the host refuses it. The bytes may be used during the call only.
	Create(handle HttpFilterConfigHandle, unparsedConfig []byte) (HttpFilterFactory, error)
	// CreatePerRoute parses a route's configuration; with an error, the host refuses it. The bytes may be used during the
	// call only.
	CreatePerRoute(unparsedConfig []byte) (any, error)
}

package filters

import (
	"github.com/envoyproxy/envoy/source/extensions/dynamic_modules/sdk/go/shared"

	"dmconform/probe/panics"
)

// panicking panics in one callback of a request that asks for it by a header.
type panicking struct {
	shared.EmptyHttpFilter
	handle shared.HttpFilterHandle
	config panics.Place
	place  panics.Place // none for a request that does not ask
}

func newPanic(config string) (filterFactory, error) {
	place, err := panics.Parse(config, panicCallbacks()...)
	if err != nil {
		return nil, err
	}
	place.Reached("configuration")
	return func(handle shared.HttpFilterHandle) shared.HttpFilter {
		// Host 1.37.0 has no headers to show yet.
		if asksToPanic(handle.RequestHeaders()) {
			place.Reached("creation")
		}
		return &panicking{handle: handle, config: place}
	}, nil
}

func panicCallbacks() []string {
	callbacks := []string{
		"none", "configuration", "creation", "request_headers", "request_body", "request_trailers",
		"response_headers", "response_body", "response_trailers", "stream_complete", "callout_done", "scheduled",
	}
	if filtersAreDestroyed {
		callbacks = append(callbacks, "destroy")
	}
	return callbacks
}

func asksToPanic(request shared.HeaderMap) bool {
	return len(request.Get("x-dmconform-panic")) > 0
}

func (f *panicking) OnRequestHeaders(headers shared.HeaderMap, _ bool) shared.HeadersStatus {
	if asksToPanic(headers) {
		f.place = f.config
	}
	f.place.Reached("request_headers")
	switch f.place {
	case "callout_done":
		return stopForCallout(f.handle, "upstream", "/", f)
	case "scheduled":
		return stopForEvent(f.handle, func() { f.place.Reached("scheduled") })
	}
	return shared.HeadersStatusContinue
}

func (f *panicking) OnRequestBody(shared.BodyBuffer, bool) shared.BodyStatus {
	f.place.Reached("request_body")
	return shared.BodyStatusContinue
}

func (f *panicking) OnRequestTrailers(shared.HeaderMap) shared.TrailersStatus {
	f.place.Reached("request_trailers")
	return shared.TrailersStatusContinue
}

func (f *panicking) OnResponseHeaders(shared.HeaderMap, bool) shared.HeadersStatus {
	f.place.Reached("response_headers")
	return shared.HeadersStatusContinue
}

func (f *panicking) OnResponseBody(shared.BodyBuffer, bool) shared.BodyStatus {
	f.place.Reached("response_body")
	return shared.BodyStatusContinue
}

func (f *panicking) OnResponseTrailers(shared.HeaderMap) shared.TrailersStatus {
	f.place.Reached("response_trailers")
	return shared.TrailersStatusContinue
}

func (f *panicking) OnStreamComplete() { f.place.Reached("stream_complete") }

// OnDestroy is never called by SDKs before 1.38.
func (f *panicking) OnDestroy() { f.place.Reached("destroy") }

// OnHttpCalloutDone is called however the callout has ended.
func (f *panicking) OnHttpCalloutDone(uint64, shared.HttpCalloutResult, [][2]headerValue, []bodyChunk) {
	f.place.Reached("callout_done")
}

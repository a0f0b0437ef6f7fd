package filters

import (
	"fmt"
	"slices"
	"strings"

	"github.com/envoyproxy/envoy/source/extensions/dynamic_modules/sdk/go/shared"
)

// noStatus is none of the numbers that a callback may return.
const noStatus = 77

var nonsenseCallbacks = []string{
	"request_headers", "request_body", "request_trailers", "response_headers", "response_body", "response_trailers",
}

// nonsense returns a number that is no status from one callback of a request that asks for it by a header.
type nonsense struct {
	shared.EmptyHttpFilter
	config   string
	callback string // empty for a request that does not ask
}

func newNonsense(config string) (filterFactory, error) {
	if !slices.Contains(nonsenseCallbacks, config) {
		return nil, fmt.Errorf("nonsense: the configuration must be one of %s", strings.Join(nonsenseCallbacks, ", "))
	}
	return func(shared.HttpFilterHandle) shared.HttpFilter { return &nonsense{config: config} }, nil
}

// statusIn is what to return from a callback: nonsense in the one that was configured, and else to go on.
func statusIn[S ~int32](f *nonsense, callback string) S {
	if f.callback == callback {
		return noStatus
	}
	return 0
}

func (f *nonsense) OnRequestHeaders(headers shared.HeaderMap, _ bool) shared.HeadersStatus {
	if len(headers.Get("x-dmconform-nonsense")) > 0 {
		f.callback = f.config
	}
	return statusIn[shared.HeadersStatus](f, "request_headers")
}

func (f *nonsense) OnRequestBody(shared.BodyBuffer, bool) shared.BodyStatus {
	return statusIn[shared.BodyStatus](f, "request_body")
}

func (f *nonsense) OnRequestTrailers(shared.HeaderMap) shared.TrailersStatus {
	return statusIn[shared.TrailersStatus](f, "request_trailers")
}

func (f *nonsense) OnResponseHeaders(shared.HeaderMap, bool) shared.HeadersStatus {
	return statusIn[shared.HeadersStatus](f, "response_headers")
}

func (f *nonsense) OnResponseBody(shared.BodyBuffer, bool) shared.BodyStatus {
	return statusIn[shared.BodyStatus](f, "response_body")
}

func (f *nonsense) OnResponseTrailers(shared.HeaderMap) shared.TrailersStatus {
	return statusIn[shared.TrailersStatus](f, "response_trailers")
}

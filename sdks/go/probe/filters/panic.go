package filters

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/envoyproxy/envoy/source/extensions/dynamic_modules/sdk/go/shared"
)

var panicCallbacks = []string{"request_headers", "request_body", "response_headers", "response_body"}

// panicking panics in one callback of a request that asks for it by a header.
type panicking struct {
	shared.EmptyHttpFilter
	callback string
	asked    bool
}

func newPanic(config string) (filterFactory, error) {
	callback, option, _ := strings.Cut(config, " ")
	if !slices.Contains(panicCallbacks, callback) {
		return nil, fmt.Errorf("panic: the configuration must start with one of %s", strings.Join(panicCallbacks, ", "))
	}
	switch option {
	case "":
	case "guarded":
		return nil, errors.New("panic: the SDK has no guard that a filter can opt into")
	default:
		return nil, fmt.Errorf("panic: unknown option %q", option)
	}
	return func(shared.HttpFilterHandle) shared.HttpFilter { return &panicking{callback: callback} }, nil
}

func (f *panicking) OnRequestHeaders(headers shared.HeaderMap, _ bool) shared.HeadersStatus {
	f.asked = len(headers.Get("x-dmconform-panic")) > 0
	f.panicIn("request_headers")
	return shared.HeadersStatusContinue
}

func (f *panicking) OnRequestBody(shared.BodyBuffer, bool) shared.BodyStatus {
	f.panicIn("request_body")
	return shared.BodyStatusContinue
}

func (f *panicking) OnResponseHeaders(shared.HeaderMap, bool) shared.HeadersStatus {
	f.panicIn("response_headers")
	return shared.HeadersStatusContinue
}

func (f *panicking) OnResponseBody(shared.BodyBuffer, bool) shared.BodyStatus {
	f.panicIn("response_body")
	return shared.BodyStatusContinue
}

func (f *panicking) panicIn(callback string) {
	if f.asked && f.callback == callback {
		panic("dmconform panic in " + callback)
	}
}

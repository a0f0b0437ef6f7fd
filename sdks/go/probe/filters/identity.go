package filters

import (
	"strconv"

	"github.com/envoyproxy/envoy/source/extensions/dynamic_modules/sdk/go/shared"

	"dmconform/probe/handled"
	"dmconform/probe/marker"
)

// identity tells which loaded library serves a request.
type identity struct{ shared.EmptyHttpFilter }

func newIdentity(string) (filterFactory, error) {
	return func(shared.HttpFilterHandle) shared.HttpFilter { return &identity{} }, nil
}

func (f *identity) OnResponseHeaders(headers shared.HeaderMap, _ bool) shared.HeadersStatus {
	headers.Set("x-dmconform-module", marker.OwnLibrary())
	headers.Set("x-dmconform-count", strconv.FormatUint(handled.Responses.Add(1), 10))
	headers.Set("x-dmconform-global", marker.GlobalLibrary())
	return shared.HeadersStatusContinue
}

package filters

import (
	"strconv"
	"sync/atomic"

	"github.com/envoyproxy/envoy/source/extensions/dynamic_modules/sdk/go/shared"

	"dmconform/probe/marker"
)

// identified counts the response headers that identity has handled in this loaded library, over all configurations.
var identified atomic.Uint64

// identity tells which loaded library serves a request.
type identity struct{ shared.EmptyHttpFilter }

func newIdentity(string) (filterFactory, error) {
	return func(shared.HttpFilterHandle) shared.HttpFilter { return &identity{} }, nil
}

func (f *identity) OnResponseHeaders(headers shared.HeaderMap, _ bool) shared.HeadersStatus {
	headers.Set("x-dmconform-module", marker.OwnLibrary())
	headers.Set("x-dmconform-count", strconv.FormatUint(identified.Add(1), 10))
	headers.Set("x-dmconform-global", marker.GlobalLibrary())
	return shared.HeadersStatusContinue
}

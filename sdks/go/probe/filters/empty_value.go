package filters

import "github.com/envoyproxy/envoy/source/extensions/dynamic_modules/sdk/go/shared"

// emptyValue sets headers to an empty value.
type emptyValue struct{ shared.EmptyHttpFilter }

func newEmptyValue(string) (filterFactory, error) {
	return func(shared.HttpFilterHandle) shared.HttpFilter { return &emptyValue{} }, nil
}

func (*emptyValue) OnRequestHeaders(headers shared.HeaderMap, _ bool) shared.HeadersStatus {
	headers.Set("x-dmconform-empty", "")
	return shared.HeadersStatusContinue
}

func (*emptyValue) OnResponseHeaders(headers shared.HeaderMap, _ bool) shared.HeadersStatus {
	headers.Set("x-dmconform-empty", "")
	return shared.HeadersStatusContinue
}

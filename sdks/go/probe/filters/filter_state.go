package filters

import "github.com/envoyproxy/envoy/source/extensions/dynamic_modules/sdk/go/shared"

const filterStateKey = "dmconform.state"

// filterState sets filter state on the request and reads it on the response.
type filterState struct {
	shared.EmptyHttpFilter
	handle shared.HttpFilterHandle
	text   string
}

func newFilterState(config string) (filterFactory, error) {
	return func(handle shared.HttpFilterHandle) shared.HttpFilter {
		return &filterState{handle: handle, text: config}
	}, nil
}

func (f *filterState) OnRequestHeaders(shared.HeaderMap, bool) shared.HeadersStatus {
	f.handle.SetFilterState(filterStateKey, []byte(f.text))
	return shared.HeadersStatusContinue
}

func (f *filterState) OnResponseHeaders(headers shared.HeaderMap, _ bool) shared.HeadersStatus {
	text := "-"
	if found, there := f.handle.GetFilterState(filterStateKey); there {
		text = orDash(string(chunkBytes(found)))
	}
	headers.Set("x-dmconform-state", text)
	return shared.HeadersStatusContinue
}

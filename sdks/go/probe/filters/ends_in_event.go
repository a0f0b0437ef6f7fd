package filters

import (
	"errors"
	"fmt"

	"github.com/envoyproxy/envoy/source/extensions/dynamic_modules/sdk/go/shared"
)

// endsInEventFactory defines the counter of one configuration.
type endsInEventFactory struct{}

// Create is called once for each filter configuration.
func (endsInEventFactory) Create(host shared.HttpFilterConfigHandle, config []byte) (shared.HttpFilterFactory, error) {
	if len(config) != 0 {
		return nil, errors.New("ends_in_event: the SDK has no guard that a filter can opt into")
	}
	complete, result := host.DefineCounter("dmconform_complete")
	if result != shared.MetricsSuccess {
		return nil, fmt.Errorf("ends_in_event: the host does not define a counter: result %d", result)
	}
	return filterFactory(func(handle shared.HttpFilterHandle) shared.HttpFilter {
		return &endsInEvent{handle: handle, complete: complete}
	}), nil
}

// CreatePerRoute refuses.
func (endsInEventFactory) CreatePerRoute([]byte) (any, error) {
	return nil, errors.New("no configuration for a route")
}

// endsInEvent answers a request in an event, and counts how many of its streams were reported complete.
type endsInEvent struct {
	shared.EmptyHttpFilter
	handle   shared.HttpFilterHandle
	complete shared.MetricID
}

func (f *endsInEvent) OnRequestHeaders(shared.HeaderMap, bool) shared.HeadersStatus {
	return stopForEvent(f.handle, func() {
		f.handle.SendLocalResponse(200, nil, []byte("ended in an event"), "dmconform")
	})
}

func (f *endsInEvent) OnStreamComplete() { f.handle.IncrementCounterValue(f.complete, 1) }

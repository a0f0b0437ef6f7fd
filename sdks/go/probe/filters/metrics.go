package filters

import (
	"errors"
	"fmt"

	"github.com/envoyproxy/envoy/source/extensions/dynamic_modules/sdk/go/shared"
)

// metricsFactory defines the metrics of one configuration.
type metricsFactory struct{}

// Create is called once for each filter configuration.
func (metricsFactory) Create(host shared.HttpFilterConfigHandle, _ []byte) (shared.HttpFilterFactory, error) {
	count, counted := host.DefineCounter("dmconform_count")
	level, levelled := host.DefineGauge("dmconform_level")
	size, sized := host.DefineHistogram("dmconform_size")
	for _, result := range []shared.MetricsResult{counted, levelled, sized} {
		if result != shared.MetricsSuccess {
			return nil, fmt.Errorf("metrics: the host does not define a metric: result %d", result)
		}
	}
	return filterFactory(func(handle shared.HttpFilterHandle) shared.HttpFilter {
		return &metrics{handle: handle, count: count, level: level, size: size}
	}), nil
}

// CreatePerRoute refuses.
func (metricsFactory) CreatePerRoute([]byte) (any, error) {
	return nil, errors.New("no configuration for a route")
}

// metrics changes each metric on a request.
type metrics struct {
	shared.EmptyHttpFilter
	handle             shared.HttpFilterHandle
	count, level, size shared.MetricID
}

func (f *metrics) OnRequestHeaders(shared.HeaderMap, bool) shared.HeadersStatus {
	f.handle.IncrementCounterValue(f.count, 2)
	f.handle.SetGaugeValue(f.level, 5)
	f.handle.RecordHistogramValue(f.size, 3)
	return shared.HeadersStatusContinue
}

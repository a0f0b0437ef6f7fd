package shared

// MetricID is a metric's number in one filter configuration.
type MetricID uint64

// MetricsResult tells what became of a call for a metric.
type MetricsResult uint32

// The numbers are the ABI's.
const (
	MetricsSuccess MetricsResult = iota
	MetricsNotFound
	MetricsInvalidTags
	MetricsFrozen
)

// MetricDefinitions defines the metrics of a filter configuration.
type MetricDefinitions interface {
	DefineHistogram(name string, tagKeys ...string) (MetricID, MetricsResult)
	DefineGauge(name string, tagKeys ...string) (MetricID, MetricsResult)
	DefineCounter(name string, tagKeys ...string) (MetricID, MetricsResult)
}

// FilterMetrics changes metrics. There is a value for each key that a metric was defined with.
type FilterMetrics interface {
	RecordHistogramValue(id MetricID, value uint64, tagsValues ...string) MetricsResult
	SetGaugeValue(id MetricID, value uint64, tagsValues ...string) MetricsResult
	IncrementCounterValue(id MetricID, value uint64, tagsValues ...string) MetricsResult
}

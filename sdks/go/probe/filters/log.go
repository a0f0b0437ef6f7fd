package filters

import "github.com/envoyproxy/envoy/source/extensions/dynamic_modules/sdk/go/shared"

var logLevels = []struct {
	level shared.LogLevel
	name  string
}{
	{shared.LogLevelTrace, "trace"},
	{shared.LogLevelDebug, "debug"},
	{shared.LogLevelInfo, "info"},
	{shared.LogLevelWarn, "warn"},
	{shared.LogLevelError, "error"},
	{shared.LogLevelCritical, "critical"},
}

// logging writes to the host's log at each level.
type logging struct {
	shared.EmptyHttpFilter
	handle shared.HttpFilterHandle
	text   string
}

func newLog(config string) (filterFactory, error) {
	return func(handle shared.HttpFilterHandle) shared.HttpFilter {
		return &logging{handle: handle, text: config}
	}, nil
}

func (f *logging) OnRequestHeaders(shared.HeaderMap, bool) shared.HeadersStatus {
	for _, at := range logLevels {
		f.handle.Log(at.level, "dmconform log %s %s", at.name, f.text)
	}
	return shared.HeadersStatusContinue
}

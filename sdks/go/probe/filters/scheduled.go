package filters

import "github.com/envoyproxy/envoy/source/extensions/dynamic_modules/sdk/go/shared"

// scheduled lets a request go on in an event that another thread schedules.
type scheduled struct {
	shared.EmptyHttpFilter
	handle shared.HttpFilterHandle
}

func newScheduled(string) (filterFactory, error) {
	return func(handle shared.HttpFilterHandle) shared.HttpFilter { return &scheduled{handle: handle} }, nil
}

func (f *scheduled) OnRequestHeaders(shared.HeaderMap, bool) shared.HeadersStatus {
	return stopForEvent(f.handle, func() {
		f.handle.RequestHeaders().Set("x-dmconform-scheduled", language)
		f.handle.ContinueRequest()
	})
}

// stopForEvent holds a request back, headers and body, until an event. The host's thread is bound to the callback that runs
// here, so the goroutine runs on another one.
func stopForEvent(handle shared.HttpFilterHandle, event func()) shared.HeadersStatus {
	scheduler := handle.GetScheduler()
	go scheduler.Schedule(event)
	return shared.HeadersStatusStopAllAndBuffer
}

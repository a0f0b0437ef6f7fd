package filters

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/envoyproxy/envoy/source/extensions/dynamic_modules/sdk/go/shared"
)

// keptScheduler schedules an event on the stream before, which is over.
type keptScheduler struct {
	shared.EmptyHttpFilter
	handle shared.HttpFilterHandle
	kept   *atomic.Pointer[shared.Scheduler]
}

func newKeptScheduler(string) (filterFactory, error) {
	kept := new(atomic.Pointer[shared.Scheduler])
	return func(handle shared.HttpFilterHandle) shared.HttpFilter {
		return &keptScheduler{handle: handle, kept: kept}
	}, nil
}

func (f *keptScheduler) OnRequestHeaders(shared.HeaderMap, bool) shared.HeadersStatus {
	scheduler := f.handle.GetScheduler()
	if before := f.kept.Swap(&scheduler); before != nil {
		done := make(chan struct{})
		go func() {
			(*before).Schedule(func() {})
			close(done)
		}()
		<-done
	}
	return shared.HeadersStatusContinue
}

// keptHandle uses the handle of the stream before, which is over.
type keptHandle struct {
	shared.EmptyHttpFilter
	handle shared.HttpFilterHandle
	use    string
	kept   *atomic.Pointer[shared.HttpFilterHandle]
}

func newKeptHandle(config string) (filterFactory, error) {
	uses := []string{"read", "answer", "schedule"}
	if !slices.Contains(uses, config) {
		return nil, fmt.Errorf("kept_handle: the configuration must be one of %s", strings.Join(uses, ", "))
	}
	kept := new(atomic.Pointer[shared.HttpFilterHandle])
	return func(handle shared.HttpFilterHandle) shared.HttpFilter {
		return &keptHandle{handle: handle, use: config, kept: kept}
	}, nil
}

func (f *keptHandle) OnRequestHeaders(headers shared.HeaderMap, _ bool) shared.HeadersStatus {
	kept := f.kept.Swap(&f.handle)
	if kept == nil {
		return shared.HeadersStatusContinue
	}
	before := *kept
	switch f.use {
	case "read":
		headers.Set("x-dmconform-kept", orDash(ownText(before.RequestHeaders().GetOne("x-dmconform-in"))))
	case "answer":
		before.SendLocalResponse(418, nil, []byte("kept"), "dmconform")
	case "schedule":
		before.GetScheduler().Schedule(func() {})
	}
	return shared.HeadersStatusContinue
}

// keptView reads a view of a header after the header was changed.
type keptView struct{ shared.EmptyHttpFilter }

func newKeptView(string) (filterFactory, error) {
	return func(shared.HttpFilterHandle) shared.HttpFilter { return &keptView{} }, nil
}

func (*keptView) OnRequestHeaders(headers shared.HeaderMap, _ bool) shared.HeadersStatus {
	view := headers.GetOne("x-dmconform-in")
	headers.Set("x-dmconform-in", "other")
	headers.Set("x-dmconform-kept", orDash(ownText(view)))
	return shared.HeadersStatusContinue
}

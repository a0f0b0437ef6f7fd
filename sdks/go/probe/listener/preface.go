//go:build !sdk_1_37 && !sdk_1_38

package listener

import (
	"errors"
	"strings"

	"github.com/envoyproxy/envoy/source/extensions/dynamic_modules/sdk/go/shared"

	"dmconform/probe/life"
)

// prefaceWord is what the line begins with; a server name follows.
const prefaceWord = "dmconform "

// preface takes a first line off connections that have it, and chooses a filter chain by it.
type preface struct {
	shared.EmptyListenerFilter
	handle shared.ListenerFilterHandle
	chosen shared.MetricID
	life   *life.Life
}

// MaxReadBytes is how long the line may be.
func (f *preface) MaxReadBytes() uint64 { return wantedBytes }

// OnAccept waits for data.
func (f *preface) OnAccept() shared.ListenerFilterStatus { return shared.ListenerFilterStatusStop }

func (f *preface) OnData(uint64) shared.ListenerFilterStatus {
	chunk, _ := f.handle.GetBufferChunk()
	come := chunk.ToString()
	begins := strings.HasPrefix(come, prefaceWord) || strings.HasPrefix(prefaceWord, come)
	line, _, ended := strings.Cut(come, "\n")
	if begins && !ended && len(come) < wantedBytes {
		return shared.ListenerFilterStatusStop
	}
	f.life.Used()
	if begins && ended {
		f.choose(strings.TrimPrefix(line, prefaceWord))
		f.handle.DrainBuffer(uint64(len(line) + 1))
		f.handle.WriteToSocket([]byte("go [" + f.life.Config() + "]\n"))
		f.handle.IncrementCounterValue(f.chosen, 1)
	}
	return shared.ListenerFilterStatusContinue
}

func (f *preface) choose(name string) {
	f.handle.SetRequestedServerName(name)
	f.handle.SetRequestedApplicationProtocols([]string{"dmconform", "go"})
	f.handle.SetDynamicMetadataString("dmconform", "text", f.life.Config())
	f.handle.SetDynamicMetadataNumber("dmconform", "number", float64(len(name)))
}

func (f *preface) OnDestroy() { f.life.End() }

// prefaceFactory reads configurations.
type prefaceFactory struct{}

// Create is called once for each filter configuration.
func (prefaceFactory) Create(
	handle shared.ListenerFilterConfigHandle, config []byte,
) (shared.ListenerFilterFactory, error) {
	counter, result := handle.DefineCounter("dmconform_chosen")
	if result != shared.MetricsSuccess {
		return nil, errors.New("preface: no counter")
	}
	return &prefaceFilters{counter, life.Begin("listener_filter", "configuration", config)}, nil
}

// prefaceFilters makes the filters of a configuration.
type prefaceFilters struct {
	chosen shared.MetricID
	life   *life.Life
}

// Create is called once for each connection.
func (f *prefaceFilters) Create(handle shared.ListenerFilterHandle) shared.ListenerFilter {
	return &preface{handle: handle, chosen: f.chosen, life: f.life.Part("filter")}
}

// OnDestroy is called when the configuration goes away.
func (f *prefaceFilters) OnDestroy() { f.life.End() }

//go:build !sdk_1_37 && !sdk_1_38

// Package listener holds the listener filters of the probe contract. The SDK has such filters from 1.39 on.
package listener

import (
	"errors"
	"strings"

	"github.com/envoyproxy/envoy/source/extensions/dynamic_modules/sdk/go/shared"

	"dmconform/probe/panics"
)

// wantedBytes is how much of what has come the filter looks at.
const wantedBytes = 64

// Factories returns every filter by its name.
func Factories() map[string]shared.ListenerFilterConfigFactory {
	return map[string]shared.ListenerFilterConfigFactory{
		"preface": prefaceFactory{},
		"panic":   configFactory(newPanic),
		"refuse":  configFactory(newRefuse),
	}
}

// A configFactory turns the text of a filter configuration into what makes the filters.
type configFactory func(config string) (filterFactory, error)

// Create is called once for each filter configuration.
func (create configFactory) Create(
	_ shared.ListenerFilterConfigHandle, config []byte,
) (shared.ListenerFilterFactory, error) {
	factory, err := create(string(config))
	if err != nil {
		return nil, err
	}
	return factory, nil
}

// A filterFactory makes the filter of one connection.
type filterFactory func(handle shared.ListenerFilterHandle) shared.ListenerFilter

// Create is called once for each connection.
func (create filterFactory) Create(handle shared.ListenerFilterHandle) shared.ListenerFilter {
	return create(handle)
}

// OnDestroy is called when the configuration goes away.
func (filterFactory) OnDestroy() {}

func newRefuse(string) (filterFactory, error) {
	return nil, errors.New("refuse: every configuration is refused")
}

// panicking panics in one callback of a connection.
type panicking struct {
	shared.EmptyListenerFilter
	handle shared.ListenerFilterHandle
	place  panics.Place
}

func newPanic(config string) (filterFactory, error) {
	place, err := panics.Parse(config, "none", "configuration", "creation", "accept", "data")
	if err != nil {
		return nil, err
	}
	place.Reached("configuration")
	return func(handle shared.ListenerFilterHandle) shared.ListenerFilter {
		place.Reached("creation")
		return &panicking{handle: handle, place: place}
	}, nil
}

// MaxReadBytes says that data are wanted where they decide about a panic.
func (f *panicking) MaxReadBytes() uint64 {
	if f.place == "data" {
		return wantedBytes
	}
	return 0
}

// OnAccept waits for data where they are wanted: a filter that goes on is not shown any.
func (f *panicking) OnAccept() shared.ListenerFilterStatus {
	f.place.Reached("accept")
	if f.place == "data" {
		return shared.ListenerFilterStatusStop
	}
	return shared.ListenerFilterStatusContinue
}

func (f *panicking) OnData(uint64) shared.ListenerFilterStatus {
	chunk, _ := f.handle.GetBufferChunk()
	if strings.Contains(chunk.ToString(), panics.Request) {
		f.place.Reached("data")
	}
	return shared.ListenerFilterStatusContinue
}

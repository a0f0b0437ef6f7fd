//go:build !sdk_1_37 && !sdk_1_38

// Package network holds the network filters of the probe contract. The SDK has such filters from 1.39 on.
package network

import (
	"bytes"
	"errors"

	"github.com/envoyproxy/envoy/source/extensions/dynamic_modules/sdk/go/shared"

	"dmconform/probe/panics"
)

// Factories returns every filter by its name.
func Factories() map[string]shared.NetworkFilterConfigFactory {
	return map[string]shared.NetworkFilterConfigFactory{
		"cipher": cipherFactory{},
		"panic":  configFactory(newPanic),
		"refuse": configFactory(newRefuse),
	}
}

// A configFactory turns the text of a filter configuration into what makes the filters.
type configFactory func(config string) (filterFactory, error)

// Create is called once for each filter configuration.
func (create configFactory) Create(
	_ shared.NetworkFilterConfigHandle, config []byte,
) (shared.NetworkFilterFactory, error) {
	factory, err := create(string(config))
	if err != nil {
		return nil, err
	}
	return factory, nil
}

// A filterFactory makes the filter of one connection.
type filterFactory func() shared.NetworkFilter

// Create is called once for each connection.
func (create filterFactory) Create(shared.NetworkFilterHandle) shared.NetworkFilter { return create() }

// OnDestroy is called when the configuration goes away.
func (filterFactory) OnDestroy() {}

func newRefuse(string) (filterFactory, error) {
	return nil, errors.New("refuse: every configuration is refused")
}

// panicking panics in one callback of a connection.
type panicking struct {
	shared.EmptyNetworkFilter
	place panics.Place
	asked bool // by what was read
}

func newPanic(config string) (filterFactory, error) {
	place, err := panics.Parse(
		config, "none", "configuration", "creation", "new_connection", "read", "write", "event", "destroy",
	)
	if err != nil {
		return nil, err
	}
	place.Reached("configuration")
	return func() shared.NetworkFilter {
		place.Reached("creation")
		return &panicking{place: place}
	}, nil
}

func (f *panicking) OnNewConnection() shared.NetworkFilterStatus {
	f.place.Reached("new_connection")
	return shared.NetworkFilterStatusContinue
}

func (f *panicking) OnRead(data shared.NetworkBuffer, _ bool) shared.NetworkFilterStatus {
	if asksToPanic(data) {
		f.asked = true
		f.place.Reached("read")
	}
	return shared.NetworkFilterStatusContinue
}

func (f *panicking) OnWrite(data shared.NetworkBuffer, _ bool) shared.NetworkFilterStatus {
	if asksToPanic(data) {
		f.place.Reached("write")
	}
	return shared.NetworkFilterStatusContinue
}

func (f *panicking) OnEvent(shared.NetworkConnectionEvent) {
	if f.asked {
		f.place.Reached("event")
	}
}

func (f *panicking) OnDestroy() {
	if f.asked {
		f.place.Reached("destroy")
	}
}

func asksToPanic(data shared.NetworkBuffer) bool {
	return bytes.Contains(whole(data), []byte(panics.Request))
}

// whole is a copy of all that is in a buffer.
func whole(data shared.NetworkBuffer) []byte {
	var found []byte
	for _, chunk := range data.GetChunks() {
		found = append(found, chunk.ToUnsafeBytes()...)
	}
	return found
}

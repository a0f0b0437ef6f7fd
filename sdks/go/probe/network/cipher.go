//go:build !sdk_1_37 && !sdk_1_38

package network

import (
	"bytes"
	"errors"

	"github.com/envoyproxy/envoy/source/extensions/dynamic_modules/sdk/go/shared"

	"dmconform/probe/life"
)

// preface is what a connection begins with that asks for it.
const preface = "dmconform cipher\n"

// A stage is how far a connection has come.
type stage int

const (
	undecided stage = iota // too little has come
	plain                  // the connection did not ask
	exchanging
)

// cipher exchanges the letters of connections that ask for it, in both directions.
type cipher struct {
	shared.EmptyNetworkFilter
	handle    shared.NetworkFilterHandle
	exchanged shared.MetricID
	stage     stage
	greeting  []byte // what goes to the client first; none once it has gone
	life      *life.Life
}

func (f *cipher) OnRead(data shared.NetworkBuffer, endOfStream bool) shared.NetworkFilterStatus {
	letters := whole(data)
	if f.stage == undecided {
		if len(letters) < len(preface) && bytes.HasPrefix([]byte(preface), letters) && !endOfStream {
			return shared.NetworkFilterStatusStop
		}
		f.life.Used()
		f.stage = plain
		if rest, asked := bytes.CutPrefix(letters, []byte(preface)); asked {
			f.stage, letters = exchanging, rest
		}
	}
	f.exchange(data, letters)
	return shared.NetworkFilterStatusContinue
}

func (f *cipher) OnWrite(data shared.NetworkBuffer, _ bool) shared.NetworkFilterStatus {
	f.exchange(data, whole(data))
	if f.stage == exchanging {
		data.Prepend(f.greeting)
		f.greeting = nil
	}
	return shared.NetworkFilterStatusContinue
}

func (f *cipher) OnDestroy() { f.life.End() }

// exchange puts letters, exchanged, in the place of all that is in the buffer.
func (f *cipher) exchange(data shared.NetworkBuffer, letters []byte) {
	if f.stage != exchanging {
		return
	}
	data.Drain(data.GetSize())
	data.Append(exchanged(letters))
	f.handle.IncrementCounterValue(f.exchanged, uint64(len(letters)))
}

// exchanged puts for each letter the one that is 13 places on (ROT13): twice is as before.
func exchanged(letters []byte) []byte {
	found := bytes.Clone(letters)
	for i, letter := range letters {
		switch {
		case 'a' <= letter && letter <= 'z':
			found[i] = (letter-'a'+13)%26 + 'a'
		case 'A' <= letter && letter <= 'Z':
			found[i] = (letter-'A'+13)%26 + 'A'
		}
	}
	return found
}

// cipherFactory reads configurations.
type cipherFactory struct{}

// Create is called once for each filter configuration.
func (cipherFactory) Create(
	handle shared.NetworkFilterConfigHandle, config []byte,
) (shared.NetworkFilterFactory, error) {
	counter, result := handle.DefineCounter("dmconform_exchanged")
	if result != shared.MetricsSuccess {
		return nil, errors.New("cipher: no counter")
	}
	return &cipherFilters{counter, life.Begin("network_filter", "configuration", config)}, nil
}

// cipherFilters makes the filters of a configuration.
type cipherFilters struct {
	exchanged shared.MetricID
	life      *life.Life
}

// Create is called once for each connection.
func (f *cipherFilters) Create(handle shared.NetworkFilterHandle) shared.NetworkFilter {
	return &cipher{
		handle: handle, exchanged: f.exchanged, greeting: []byte("go [" + f.life.Config() + "]\n"),
		life: f.life.Part("filter"),
	}
}

// OnDestroy is called when the configuration goes away.
func (f *cipherFilters) OnDestroy() { f.life.End() }

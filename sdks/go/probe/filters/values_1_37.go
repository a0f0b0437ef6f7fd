//go:build sdk_1_37

package filters

import "strings"

// In 1.37 header values and body chunks are plain Go values that point into the host's memory.

type headerValue = string

type bodyChunk = []byte

func ownText(value headerValue) string { return strings.Clone(value) }

func chunkBytes(chunk bodyChunk) []byte { return chunk }

// filtersAreDestroyed tells whether the SDK calls a filter when it ends.
const filtersAreDestroyed = false

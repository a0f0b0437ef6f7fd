//go:build sdk_1_37

package shared

// HeaderValue is a header's name or value.
type HeaderValue = string

// BodyChunk is a piece of a body, in the host's memory.
type BodyChunk = []byte

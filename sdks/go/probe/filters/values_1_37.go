//go:build sdk_1_37

package filters

import "strings"

// In 1.37 header values and body chunks are plain Go values that point into the host's memory.

func ownText(value string) string { return strings.Clone(value) }

func chunkBytes(chunk []byte) []byte { return chunk }

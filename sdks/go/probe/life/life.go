// Package life says of the things that a host has the probe make at an extension point that they begin, are used, and end.
package life

import (
	"fmt"
	"os"
	"strings"
	"syscall"

	"dmconform/probe/handled"
	"dmconform/probe/marker"
)

// A Life is that of a thing with a beginning and an end: a configuration, or what a host makes with one.
type Life struct {
	point  string
	what   string
	config string
}

// Begin begins one: `point` is the extension point, as the ABI's hooks call it, `what` what it is there, and `config` the
// configuration that the host gave.
func Begin(point, what string, config []byte) *Life {
	return begun(&Life{point, what, escaped(config)})
}

// Part begins a thing that is made with the configuration that this is the life of.
func (l *Life) Part(what string) *Life {
	return begun(&Life{l.point, what, l.config})
}

func begun(l *Life) *Life {
	l.tell("begins", "")
	return l
}

// Config is the configuration, as printable text.
func (l *Life) Config() string { return l.config }

// Used says that it does its work.
func (l *Life) Used() {
	l.tell("used", fmt.Sprintf(" module=%s responses=%d", marker.OwnLibrary(), handled.Responses.Load()))
}

// End says that it ends.
func (l *Life) End() { l.tell("ends", "") }

// tell writes a line, in one write.
func (l *Life) tell(event, more string) {
	line := fmt.Sprintf("dmconform life %s %s go [%s] %s on=%s%s\n", l.point, l.what, l.config, event, thread(), more)
	_, _ = os.Stderr.WriteString(line)
}

// thread says which of the host's threads this is, in a callback: `main`, or else `worker`.
func thread() string {
	if syscall.Gettid() == syscall.Getpid() {
		return "main"
	}
	return "worker"
}

// escaped is bytes as printable text, escaped as in a Rust byte string.
func escaped(data []byte) string {
	var text strings.Builder
	for _, b := range data {
		switch {
		case b == '\t':
			text.WriteString(`\t`)
		case b == '\r':
			text.WriteString(`\r`)
		case b == '\n':
			text.WriteString(`\n`)
		case b == '\'' || b == '"' || b == '\\':
			text.Write([]byte{'\\', b})
		case ' ' <= b && b <= '~':
			text.WriteByte(b)
		default:
			fmt.Fprintf(&text, `\x%02x`, b)
		}
	}
	return text.String()
}

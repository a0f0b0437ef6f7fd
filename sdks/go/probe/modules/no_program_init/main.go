// The module `no_program_init`: a library without the hook that every module must have.
package main

import "C"

import _ "dmconform/probe/marker" // exports dmconform_marker

func main() {}

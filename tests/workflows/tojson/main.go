// Prints a YAML file as JSON: Python's own library reads no YAML, and actionlint's reader is here anyway.
package main

import (
	"encoding/json"
	"log"
	"os"

	"go.yaml.in/yaml/v4"
)

func main() {
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	var content map[string]any
	if err := yaml.Unmarshal(text, &content); err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(content); err != nil {
		log.Fatal(err)
	}
}

package filters

// orDash is a text, or a dash for one that is empty.
func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

package filters

import "errors"

func newRefuse(string) (filterFactory, error) {
	return nil, errors.New("refuse: every configuration is refused")
}

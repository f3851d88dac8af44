package e2e_test

import "go.opentelemetry.io/otel/attribute"

func holds(have []attribute.KeyValue, want map[string]string) bool {
	n := 0
	for _, kv := range have {
		if v, ok := want[string(kv.Key)]; ok {
			if kv.Value.String() != v {
				return false
			}
			n++
		}
	}
	return n == len(want)
}

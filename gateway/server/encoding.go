package server

import (
	"strconv"
	"strings"

	"jamf-gateway/cache"
)

// acceptedEncoding chooses a content coding (RFC 9110, 12.5.3): the heaviest of those the client takes, and of equal
// ones zstd before gzip before identity. "*" stands for gzip, which every client that says it can read. ok is false
// where the client refuses even identity.
func acceptedEncoding(header string) (encoding string, ok bool) {
	weights := encodingWeights(header)
	star, starred := weights["*"]
	gzip, named := weights[cache.EncodingGzip]
	if !named {
		gzip = star
	}
	identity, named := weights["identity"]
	if !named {
		identity, ok = 0, !starred || star > 0 // acceptable, but liked less than what was named
	} else {
		ok = identity > 0
	}
	best := identity
	if gzip > 0 && gzip >= best {
		encoding, best = cache.EncodingGzip, gzip
	}
	if zstd := weights[cache.EncodingZstd]; zstd > 0 && zstd >= best {
		encoding = cache.EncodingZstd
	}
	return encoding, ok || encoding != ""
}

// encodingWeights reads an Accept-Encoding header: coding in lower case -> its weight. Of a repeated coding the last counts.
func encodingWeights(header string) map[string]float64 {
	out := map[string]float64{}
	for part := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(part, ";")
		name = strings.ToLower(strings.TrimSpace(name))
		switch name {
		case "":
			continue
		case "x-gzip":
			name = cache.EncodingGzip
		}
		out[name] = weight(params)
	}
	return out
}

// weight reads a q parameter; 1 when there is none, 0 when it is no number.
func weight(params string) float64 {
	for p := range strings.SplitSeq(params, ";") {
		name, value, ok := strings.Cut(p, "=")
		if !ok || !strings.EqualFold(strings.TrimSpace(name), "q") {
			continue
		}
		q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil || !(q >= 0 && q <= 1) { // NaN is no weight either
			return 0
		}
		return q
	}
	return 1
}

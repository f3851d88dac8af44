package cache

import (
	"bytes"
	"fmt"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// The content codings of Key.Encoding besides identity, "".
const (
	EncodingGzip = "gzip"
	EncodingZstd = "zstd"
)

func knownEncoding(name string) bool {
	return name == "" || name == EncodingGzip || name == EncodingZstd
}

// zstdWindow keeps to what every decoder of the content coding must take: 8 MiB (RFC 9659).
const zstdWindow = 8 << 20

// newVariantEncoder is for EncodeAll by many goroutines.
func newVariantEncoder() (*zstd.Encoder, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(maxReaders()),
		zstd.WithWindowSize(zstdWindow), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, fmt.Errorf("make encoder of answers: %w", err)
	}
	return enc, nil
}

// compress makes one variant of a body. The same body gives the same bytes, so a variant that was not kept has the
// ETag of the one that is.
func (s *Store) compress(body []byte, encoding string) ([]byte, error) {
	if encoding == EncodingZstd {
		return bytes.Clone(s.variants.EncodeAll(body, make([]byte, 0, len(body)/4+64))), nil
	}
	var buf bytes.Buffer
	buf.Grow(len(body)/4 + 64)
	w, err := gzip.NewWriterLevel(&buf, gzip.BestSpeed)
	if err != nil {
		return nil, fmt.Errorf("compress answer: %w", err)
	}
	if _, err := w.Write(body); err != nil {
		return nil, fmt.Errorf("compress answer: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("compress answer: %w", err)
	}
	return bytes.Clone(buf.Bytes()), nil // without the buffer's spare room, which ristretto would not count
}

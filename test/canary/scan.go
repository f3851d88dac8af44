package canary

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"
)

const (
	unpacked = 64 << 20 // bytes that one compressed piece may come to
	depth    = 3        // of compressed pieces inside one another
)

// Scan looks through data, and through whatever in it is gzip, zlib or zstd. place is what the hits call it.
func (s *Scanner) Scan(place string, data []byte) []Hit {
	u := &unpacker{}
	defer u.close()
	return s.scan(place, data, u, depth)
}

// ScanReader is Scan over everything that can be read.
func (s *Scanner) ScanReader(place string, r io.Reader) ([]Hit, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", place, err)
	}
	return s.Scan(place, data), nil
}

// ScanDir looks through the names and the bytes of every file below dir, and through the cells of SQLite databases, whose records
// it unpacks with the dictionary that stands in the table meta. Names that skip returns true for (relative to dir) are left out; nil = none.
func (s *Scanner) ScanDir(dir string, skip func(name string) bool) ([]Hit, error) {
	var hits []Hit
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err //nolint:wrapcheck // both come from the walk
		}
		if skip != nil && skip(name) {
			return nil
		}
		hits = append(hits, s.Scan("the name of "+name, []byte(name))...)
		if !d.Type().IsRegular() {
			return nil
		}
		data, err := os.ReadFile(path) //nolint:gosec // G122: nobody else writes where a test looks
		if err != nil {
			return err //nolint:wrapcheck // names the file
		}
		hits = append(hits, s.Scan(name, data)...)
		if bytes.HasPrefix(data, []byte("SQLite format 3\x00")) {
			more, err := s.scanDatabase(name, path)
			hits = append(hits, more...)
			return err
		}
		return nil
	})
	if err != nil {
		return hits, fmt.Errorf("scan %s: %w", dir, err)
	}
	return hits, nil
}

func (s *Scanner) scan(place string, data []byte, u *unpacker, levels int) []Hit {
	hits := s.find(place, data)
	if levels == 0 {
		return hits
	}
	for _, packing := range u.packings() {
		for at := 0; ; at++ {
			i := bytes.Index(data[at:], packing.magic)
			if i < 0 {
				break
			}
			at += i
			if plain := packing.open(data[at:]); len(plain) > 0 {
				hits = append(hits, s.scan(fmt.Sprintf("%s, %s at %d", place, packing.name, at), plain, u, levels-1)...)
			}
		}
	}
	return hits
}

// find looks for the forms in one pass.
func (s *Scanner) find(place string, data []byte) []Hit {
	var hits []Hit
	for i := 0; i+MinLength <= len(data); i++ {
		if !s.heads[int(data[i])<<8|int(data[i+1])] {
			continue
		}
		for _, f := range s.forms[[MinLength]byte(data[i:])] {
			if bytes.HasPrefix(data[i:], []byte(f.text)) {
				around := data[max(0, i-40):min(len(data), i+len(f.text)+40)]
				hits = append(hits, Hit{f.name, f.spelling, place, fmt.Sprintf("%q", around)})
			}
		}
	}
	return hits
}

// packing is a way to compress, known by how it begins. open reads as far as it can: what is cut off says something too.
type packing struct {
	name  string
	magic []byte
	open  func(data []byte) []byte
}

// unpacker reads compressed pieces, one after another.
type unpacker struct {
	dictionary []byte        // of zstd; nil = none
	decoder    *zstd.Decoder // nil until one is needed
}

func (u *unpacker) close() {
	if u.decoder != nil {
		u.decoder.Close()
	}
}

func (u *unpacker) packings() []packing {
	return []packing{
		{"gzip", []byte{0x1f, 0x8b, 0x08}, func(data []byte) []byte {
			r, err := gzip.NewReader(bytes.NewReader(data))
			if err != nil {
				return nil
			}
			r.Multistream(false)
			return some(r)
		}},
		{"zlib", []byte{0x78, 0x9c}, func(data []byte) []byte {
			r, err := zlib.NewReader(bytes.NewReader(data))
			if err != nil {
				return nil
			}
			return some(r)
		}},
		{"zstd", []byte{0x28, 0xb5, 0x2f, 0xfd}, u.zstd},
	}
}

// zstd reads a frame. Making a decoder takes longer than reading a record with it.
func (u *unpacker) zstd(data []byte) []byte {
	if u.decoder == nil {
		options := []zstd.DOption{zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(unpacked)}
		if len(u.dictionary) > 0 {
			options = append(options, zstd.WithDecoderDicts(u.dictionary))
		}
		var err error
		if u.decoder, err = zstd.NewReader(nil, options...); err != nil {
			return nil
		}
	}
	if err := u.decoder.Reset(bytes.NewReader(data)); err != nil {
		return nil
	}
	return some(u.decoder)
}

// some is what can be read before an error or the bound.
func some(r io.Reader) []byte {
	plain, _ := io.ReadAll(io.LimitReader(r, unpacked))
	return plain
}

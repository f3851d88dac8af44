package cache

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/klauspost/compress/zstd"
)

const (
	maxRecordBytes = 16 << 20 // of one uncompressed body; Jamf's records are capped at 4 MiB before they come here
	dictionaryID   = 1
	dictionaryFill = 64 << 10 // bytes of sample records in a dictionary
	minSamples     = 16       // fewer records cannot teach a dictionary anything
)

// trainDictionary makes a zstd dictionary from sample records, spread evenly over them; nil where that is not worth it.
// A generation without a dictionary is larger and else the same, so nothing here is an error.
func trainDictionary(samples [][]byte) (dictionary []byte) {
	if len(samples) < minSamples {
		return nil
	}
	defer func() {
		if recover() != nil {
			dictionary = nil // the trainer of klauspost/compress has met inputs it did not expect
		}
	}()
	var total int
	for _, s := range samples {
		total += len(s)
	}
	step := max(1, total/dictionaryFill)
	var history []byte
	for i := 0; i < len(samples) && len(history) < dictionaryFill; i += step {
		history = append(history, samples[i][:min(len(samples[i]), dictionaryFill-len(history))]...)
	}
	trained, err := zstd.BuildDict(zstd.BuildDictOptions{
		ID: dictionaryID, Contents: samples, History: history, Offsets: [3]int{1, 4, 8}, Level: zstd.SpeedFastest,
	})
	if err != nil || !proves(trained, samples) {
		return nil
	}
	return trained
}

// proves tells whether every sample comes back through the dictionary as it went in.
func proves(dictionary []byte, samples [][]byte) bool {
	enc, err := newEncoder(dictionary)
	if err != nil {
		return false
	}
	dec, err := newDecoder(dictionary)
	if err != nil {
		return false
	}
	defer dec.Close()
	return !slices.ContainsFunc(samples, func(sample []byte) bool {
		back, err := dec.DecodeAll(enc.EncodeAll(sample, nil), nil)
		return err != nil || !bytes.Equal(back, sample)
	})
}

// newEncoder is for EncodeAll by one goroutine.
func newEncoder(dictionary []byte) (*zstd.Encoder, error) {
	options := []zstd.EOption{
		zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithLowerEncoderMem(true),
		zstd.WithEncoderCRC(false), // every record has a checksum of its own
		zstd.WithSingleSegment(true),
	}
	if len(dictionary) > 0 {
		options = append(options, zstd.WithEncoderDict(dictionary))
	}
	return zstd.NewWriter(nil, options...)
}

// newDecoder is for DecodeAll by many goroutines.
func newDecoder(dictionary []byte) (*zstd.Decoder, error) {
	options := []zstd.DOption{
		zstd.WithDecoderConcurrency(maxReaders()), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(maxRecordBytes),
	}
	if len(dictionary) > 0 {
		options = append(options, zstd.WithDecoderDicts(dictionary))
	}
	return zstd.NewReader(nil, options...)
}

var errChecksum = errors.New("checksum does not match")

// decodeRecord inflates a body and compares its checksum. The body is new memory.
func decodeRecord(dec *zstd.Decoder, id int64, state string, sum, packed []byte) (Record, error) {
	body, err := dec.DecodeAll(packed, nil)
	if err != nil {
		return Record{}, fmt.Errorf("inflate record %d: %w", id, err)
	}
	want := checksumOf(id, state, body)
	if !bytes.Equal(sum, want[:]) {
		return Record{}, fmt.Errorf("record %d: %w", id, errChecksum)
	}
	return Record{ID: id, State: state, Body: body}, nil
}

package cache

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
)

// checksumSize is enough of a SHA-256 that two different records of a fleet never share one.
const checksumSize = 16

type checksum [checksumSize]byte

// checksumOf covers all that a read of a record answers: id, state and the uncompressed body.
func checksumOf(id int64, state string, body []byte) checksum {
	head := make([]byte, 0, 32)
	head = binary.BigEndian.AppendUint64(head, uint64(id))
	head = binary.AppendUvarint(head, uint64(len(state)))
	head = append(head, state...)
	h := sha256.New()
	h.Write(head)
	h.Write(body)
	var full [sha256.Size]byte
	return checksum(h.Sum(full[:0])[:checksumSize])
}

// contentDigest is built over (id, state, checksum) in id order.
type contentDigest struct{ hash hash.Hash }

func newContentDigest() contentDigest { return contentDigest{sha256.New()} }

func (d contentDigest) add(r recordSum) {
	line := make([]byte, 0, 64)
	line = binary.BigEndian.AppendUint64(line, uint64(r.id))
	line = binary.AppendUvarint(line, uint64(len(r.state)))
	line = append(line, r.state...)
	d.hash.Write(append(line, r.sum[:]...))
}

func (d contentDigest) hex() string { return hex.EncodeToString(d.hash.Sum(nil)) }

// recordSum is what the change list compares.
type recordSum struct {
	id    int64
	state string
	sum   checksum
}

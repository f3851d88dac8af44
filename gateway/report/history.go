package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// historyFile lies in the data directory; no source has a name with a dot.
const historyFile = ".policies.jsonl"

// maxHistory bounds the file. A change of all fields of one client is a few kilobytes.
const maxHistory = 32 << 20

// ErrFull means that the history has reached its bound: it must be moved elsewhere before more is written.
var ErrFull = errors.New("the history of policies is full; keep .policies.jsonl elsewhere and remove it here")

// History is which policy began when, oldest first. It holds settings and nothing of any device.
type History struct {
	Entries []Entry
	Damaged int // lines that cannot be read
}

// Entry is a policy that began.
type Entry struct {
	Since   time.Time
	Version string // of the program that began it
	Digest  string
	Policy  Policy
}

// Current is the digest of the last one, "" of an empty history.
func (h History) Current() string {
	if len(h.Entries) == 0 {
		return ""
	}
	return h.Entries[len(h.Entries)-1].Digest
}

// line is one of the file: a list of fields under its digest, written once, or an entry in which such digests stand for lists.
type line struct {
	List    string    `json:"list,omitempty"`
	Fields  []string  `json:"fields,omitempty"`
	Since   time.Time `json:"since,omitzero"`
	Version string    `json:"version,omitempty"`
	Digest  string    `json:"digest,omitempty"`
	Policy  *Policy   `json:"policy,omitempty"`
}

// disk is how the history changes the file system; *cache.Disk is one.
type disk interface {
	MkdirAll(path string) error
	Append(path string, data []byte) error
}

// Record appends the policy to the history in the data directory if it is not the last one there, and tells whether it did. What
// was written is never changed, whatever becomes of the lines.
func Record(d disk, dataDir string, now time.Time, version string, p Policy) (began bool, err error) {
	file := filepath.Join(dataDir, historyFile)
	data, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("read the history of policies: %w", err)
	}
	h, lists := parseHistory(data)
	digest := p.Digest()
	if h.Current() == digest {
		return false, nil
	}
	var out bytes.Buffer
	if len(data) > 0 && data[len(data)-1] != '\n' {
		out.WriteByte('\n') // the program died in the middle of a line
	}
	write := func(l line) { err = errors.Join(err, json.NewEncoder(&out).Encode(l)) }
	err = nil
	short := p.each(func(fields []string) []string {
		id := listDigest(fields)
		if _, known := lists[id]; !known {
			write(line{List: id, Fields: fields})
			lists[id] = fields
		}
		return []string{id}
	})
	write(line{Since: now.UTC().Truncate(time.Second), Version: version, Digest: digest, Policy: &short})
	switch {
	case err != nil:
	case len(data)+out.Len() > maxHistory:
		err = ErrFull
	default:
		if err = d.MkdirAll(dataDir); err == nil {
			err = d.Append(file, out.Bytes())
		}
	}
	if err != nil {
		return false, fmt.Errorf("append to the history of policies: %w", err)
	}
	return true, nil
}

// ReadHistory reads the history in a data directory, whether a gateway runs or not. None is an empty one.
func ReadHistory(dataDir string) (History, error) {
	data, err := os.ReadFile(filepath.Join(dataDir, historyFile))
	if errors.Is(err, fs.ErrNotExist) {
		return History{}, nil
	}
	if err != nil {
		return History{}, fmt.Errorf("read the history of policies: %w", err)
	}
	h, _ := parseHistory(data)
	return h, nil
}

// parseHistory believes an entry only if its digest is that of its policy.
func parseHistory(data []byte) (h History, lists map[string][]string) {
	lists = map[string][]string{}
	for text := range bytes.Lines(data) {
		if len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		var l line
		switch err := json.Unmarshal(text, &l); {
		case err == nil && l.List != "" && l.List == listDigest(l.Fields):
			lists[l.List] = l.Fields
			continue
		case err == nil && l.Policy != nil:
			whole := l.Policy.each(func(ids []string) []string {
				if len(ids) != 1 {
					return nil
				}
				return lists[ids[0]]
			})
			if whole.Digest() == l.Digest {
				h.Entries = append(h.Entries, Entry{Since: l.Since, Version: l.Version, Digest: l.Digest, Policy: whole})
				continue
			}
		}
		h.Damaged++
	}
	return h, lists
}

// each is the policy with every list of fields put through f.
func (p Policy) each(f func(fields []string) []string) Policy {
	out := Policy{Sources: append([]KeptPolicy{}, p.Sources...), Clients: append([]ClientPolicy{}, p.Clients...)}
	for i := range out.Sources {
		out.Sources[i].Fields = f(out.Sources[i].Fields)
	}
	for i := range out.Clients {
		shown := append([]ShownPolicy{}, out.Clients[i].Shown...)
		for j := range shown {
			shown[j].Fields = f(shown[j].Fields)
		}
		out.Clients[i].Shown = shown
	}
	return out
}

func listDigest(fields []string) string {
	sum := sha256.Sum256([]byte(strings.Join(fields, "\n")))
	return hex.EncodeToString(sum[:8])
}

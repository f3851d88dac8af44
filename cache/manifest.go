package cache

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

const manifestName = "manifest.json"

// manifest is what a series is: replaced as a whole with every publish, and the only thing that makes a file a generation.
type manifest struct {
	Format  int        `json:"format"`
	Store   string     `json:"store"`
	Series             // the series it belongs to: a directory that was copied elsewhere is foreign
	Current uint64     `json:"current"` // 0 = nothing published yet
	Kept    []keptFile `json:"kept"`    // newest first
	Held    *heldFile  `json:"held,omitempty"`
}

// keptFile is one generation file that the manifest answers for.
type keptFile struct {
	Number       uint64    `json:"number"`
	File         string    `json:"file"`
	SHA256       string    `json:"sha256"`
	Bytes        int64     `json:"bytes"`
	SupersededAt time.Time `json:"supersededAt,omitzero"`
	Info         Info      `json:"info"` // without the quarantined records, which can be many

	verified bool // its SHA-256 was compared since the program started
	damaged  bool // it failed; it leaves the list with the next publish
}

func fileName(number uint64) string { return fmt.Sprintf("%08d%s", number, generationSuffix) }

func readManifest(dir string) (manifest, error) {
	data, err := os.ReadFile(filepath.Join(dir, manifestName))
	if err != nil {
		return manifest{}, err
	}
	return parseManifest(data)
}

func parseManifest(data []byte) (m manifest, err error) {
	if err := checkSeal(data); err != nil {
		return m, err
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return manifest{}, fmt.Errorf("read manifest: %w", err)
	}
	return m, nil
}

func (s *Store) writeManifest(dir string, m manifest) error {
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("write manifest: %w", err)
	}
	return s.disk.ReplaceFile(filepath.Join(dir, manifestName), seal(data))
}

// The last member of a manifest is the SHA-256 of the text before it, in this and in every later format: a flipped byte
// must not pass for a newer format, another store, or other files.
const (
	sealBefore = ",\n  \"seal\": \""
	sealAfter  = "\"\n}\n"
	sealSize   = len(sealBefore) + 2*sha256.Size + len(sealAfter)
)

// seal turns an indented object into the text of a manifest.
func seal(object []byte) []byte {
	text := bytes.TrimSuffix(object, []byte("\n}"))
	return append(slices.Clip(text), sealOf(text)...)
}

func sealOf(text []byte) string {
	sum := sha256.Sum256(text)
	return sealBefore + hex.EncodeToString(sum[:]) + sealAfter
}

// checkSeal refuses a text that is not the sealed one. Manifests of releases before the seal have none.
func checkSeal(data []byte) error {
	at := len(data) - sealSize
	if at < 0 || !bytes.HasPrefix(data[at:], []byte(sealBefore)) || !bytes.HasSuffix(data, []byte(sealAfter)) {
		return nil
	}
	if string(data[at:]) != sealOf(data[:at]) {
		return errors.New("the manifest is damaged: it does not have the digest that it was written with")
	}
	return nil
}

// manifestOf is the manifest of a line as this process knows it, which is what it wrote or read last: nobody else writes there.
func (s *Store) manifestOf(l *line) manifest {
	l.mu.RLock()
	defer l.mu.RUnlock()
	kept := l.kept
	if kept == nil {
		kept = []keptFile{}
	}
	return manifest{Format: formatVersion, Store: s.identity, Series: l.series, Current: l.highestKeptLocked(), Kept: kept, Held: l.held}
}

// mendManifest writes the manifest of a line that is served anew where the disk no longer gives it back: with the next start all would be
// lost, though every file is good. One of a newer version stays.
func (s *Store) mendManifest(ctx context.Context, l *line) {
	l.work.Lock()
	defer l.work.Unlock()
	l.mu.RLock()
	served := l.serving != nil
	l.mu.RUnlock()
	if !served {
		return // whatever is there says why, or nothing is
	}
	numbers, err := l.files()
	if err != nil {
		return // the files cannot be read either, and say so
	}
	m, err := readManifest(l.dir)
	if err == nil && m.Format > formatVersion {
		err = newerManifest(m)
		s.counts.openErrors.Add(1)
		s.log.ErrorContext(ctx, "the manifest was replaced while it is served", "jamf.source", l.series.Source, "kind", l.series.Kind, "error", err)
		return
	}
	if err == nil {
		err = m.check(s.identity, l.series, numbers)
	}
	if want := s.manifestOf(l); err == nil && m.Current == want.Current && len(m.Kept) == len(want.Kept) {
		return
	}
	s.counts.openErrors.Add(1)
	s.log.ErrorContext(ctx, "the manifest has changed on disk and is written anew", "jamf.source", l.series.Source, "kind", l.series.Kind,
		"error", errors.Join(err, s.writeManifest(l.dir, s.manifestOf(l))))
}

// check tells why a manifest cannot be followed. there are the numbers of the generation files beside it.
func (m manifest) check(identity string, q Series, there []uint64) error {
	switch {
	case m.Format < 1 || m.Store == "":
		return fmt.Errorf("%w: the manifest is no manifest", ErrLost)
	case m.Store != identity:
		return fmt.Errorf("%w: the manifest belongs to another store (%s)", ErrLost, m.Store)
	case m.Series != q:
		return fmt.Errorf("%w: the manifest belongs to %s/%s", ErrLost, m.Source, m.Kind)
	case m.Current > maxNumber:
		return fmt.Errorf("%w: the manifest names generation %d", ErrLost, m.Current)
	}
	for i, k := range m.Kept {
		if k.Number == 0 || k.File != fileName(k.Number) || k.Number > m.Current || i > 0 && k.Number >= m.Kept[i-1].Number {
			return fmt.Errorf("%w: the manifest's list of generations is not in order", ErrLost)
		}
	}
	if m.Current > 0 && len(m.Kept) == 0 {
		return fmt.Errorf("%w: the manifest names generation %d and no file", ErrLost, m.Current)
	}
	if h := m.Held; h != nil && (h.File.Number <= m.Current || h.File.Number > maxNumber || h.File.File != fileName(h.File.Number)) {
		return fmt.Errorf("%w: the manifest holds generation %d back behind %d", ErrLost, h.File.Number, m.Current)
	}
	// A crash leaves one file that no manifest names yet, and the next start removes it.
	unknown := func(n uint64) bool { return n > m.Current && (m.Held == nil || n != m.Held.File.Number) }
	if later := slices.DeleteFunc(slices.Clone(there), func(n uint64) bool { return !unknown(n) }); len(later) > 1 {
		return fmt.Errorf("%w: the manifest ends with generation %d, but there are files up to %d: it is an older one that was put back",
			ErrLost, m.Current, slices.Max(later))
	}
	return nil
}

const (
	maxKept   = 12            // however fast generations follow each other
	keptGrace = 2 * time.Hour // the longest client run
)

// prune takes the generations before the current one, newest first, and returns those that stay: with the current one
// the last keep, and what was superseded less than 2 h ago, up to 12 in all. Damaged ones go.
func prune(before []keptFile, keep int, now time.Time) (stay []keptFile) {
	for _, k := range before {
		held := len(stay) + 1
		young := held < maxKept && now.Sub(k.SupersededAt) < keptGrace
		if !k.damaged && (held < keep || young) {
			stay = append(stay, k)
		}
	}
	return stay
}

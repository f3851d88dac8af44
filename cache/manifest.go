package cache

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
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
	var m manifest
	data, err := os.ReadFile(filepath.Join(dir, manifestName))
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return m, fmt.Errorf("read manifest: %w", err)
	}
	return m, nil
}

func writeManifest(dir string, m manifest) error {
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("write manifest: %w", err)
	}
	return ReplaceFile(filepath.Join(dir, manifestName), append(data, '\n'))
}

// check tells why a manifest cannot be followed.
func (m manifest) check(identity string, q Series) error {
	switch {
	case m.Format < 1 || m.Store == "":
		return fmt.Errorf("%w: the manifest is no manifest", ErrLost)
	case m.Store != identity:
		return fmt.Errorf("%w: the manifest belongs to another store (%s)", ErrLost, m.Store)
	case m.Series != q:
		return fmt.Errorf("%w: the manifest belongs to %s/%s", ErrLost, m.Source, m.Kind)
	}
	for i, k := range m.Kept {
		if k.Number == 0 || k.File != fileName(k.Number) || k.Number > m.Current || i > 0 && k.Number >= m.Kept[i-1].Number {
			return fmt.Errorf("%w: the manifest's list of generations is not in order", ErrLost)
		}
	}
	if m.Current > 0 && len(m.Kept) == 0 {
		return fmt.Errorf("%w: the manifest names generation %d and no file", ErrLost, m.Current)
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

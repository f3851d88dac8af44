package cache

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
)

// Survey lists the generations that the manifest of a series keeps, newest first, without opening the store or a
// generation: a running gateway is not disturbed. None is no error; ErrLost means that the manifest cannot be followed.
func Survey(dir string, q Series) ([]Info, error) {
	m, err := readManifest(filepath.Join(dir, q.Source, string(q.Kind)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrLost, err.Error())
	}
	out := make([]Info, 0, len(m.Kept))
	for _, k := range m.Kept {
		k.Info.Bytes = k.Bytes
		out = append(out, k.Info)
	}
	return out, nil
}

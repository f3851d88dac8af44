package cache

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Op is one way to change the file system.
type Op string

// The operations of a Disk.
const (
	OpCreate Op = "create"
	OpWrite  Op = "write"
	OpSync   Op = "fsync" // of a file or a directory
	OpRename Op = "rename"
	OpRemove Op = "remove"
	OpMkdir  Op = "mkdir"
)

// Disk is everything by which the store, and whatever else lies in the data directory, changes the file system. nil and the zero value are
// the file system as it is. A test makes it fail where it wants: see docs/adr/0046-failing-disk.md.
type Disk struct {
	// Fail is asked before each operation, from any goroutine. What it returns is the operation's error, and the operation is not
	// done; of a write the first half is.
	Fail func(op Op, path string) error

	// Pages bounds the unfinished file of a generation, asked when it is begun, in pages of 8 KiB: what SQLite would write
	// beyond them meets a full disk. 0: no bound.
	Pages func() int
}

func (d *Disk) ask(op Op, path string) error {
	if d == nil || d.Fail == nil {
		return nil
	}
	return d.Fail(op, path)
}

func (d *Disk) pages() int {
	if d == nil || d.Pages == nil {
		return 0
	}
	return d.Pages()
}

// ReplaceFile writes data to path atomically (temporary file in the same directory, fsync, rename, fsync of the directory), mode 0600.
// On an error path holds either the old or the new content, whole.
func (d *Disk) ReplaceFile(path string, data []byte) (err error) {
	dir := filepath.Dir(path)
	if err := d.ask(OpCreate, path); err != nil {
		return writeError("replace "+filepath.Base(path), err)
	}
	file, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*"+temporarySuffix) // mode 0600
	if err != nil {
		return writeError("replace "+filepath.Base(path), err)
	}
	defer func() {
		if err != nil {
			err = writeError("replace "+filepath.Base(path), err)
			_ = d.Remove(file.Name()) // gone already when the rename was done
		}
	}()
	if err = d.fill(file, path, data); err != nil {
		return err
	}
	if err = d.ask(OpRename, path); err != nil {
		return err
	}
	if err = os.Rename(file.Name(), path); err != nil {
		return err
	}
	return d.Sync(dir)
}

// fill writes, syncs and closes an open file. path is what Fail is asked about.
func (d *Disk) fill(file *os.File, path string, data []byte) error {
	err := d.ask(OpWrite, path)
	if err != nil {
		_, _ = file.Write(data[:len(data)/2]) // as a disk does that gets full
	} else {
		_, err = file.Write(data)
	}
	if err == nil {
		err = d.ask(OpSync, path)
	}
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// Append writes data at the end of a file, mode 0600, and syncs it. On an error a part of data may stand there.
func (d *Disk) Append(path string, data []byte) error {
	_, err := os.Stat(path)
	fresh := errors.Is(err, fs.ErrNotExist)
	if err := d.ask(OpCreate, path); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := d.fill(file, path, data); err != nil || !fresh {
		return err
	}
	return d.Sync(filepath.Dir(path))
}

// create makes an empty file that was not there, mode 0600.
func (d *Disk) create(path string) error {
	if err := d.ask(OpCreate, path); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return file.Close()
}

// Sync fsyncs a file or a directory.
func (d *Disk) Sync(path string) error {
	if err := d.ask(OpSync, path); err != nil {
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

// AsideMark stands between the name of a file that was set aside and a number.
const AsideMark = ".aside-"

// SetAside moves a file out of the way that must not be written over, and returns where it lies. Nothing that was set aside before is
// touched. Whether the move outlives a power cut is not waited for: the file would be found once more.
func (d *Disk) SetAside(path string) (string, error) {
	for n := 1; ; n++ {
		to := fmt.Sprintf("%s%s%d", path, AsideMark, n)
		_, err := os.Lstat(to)
		if errors.Is(err, fs.ErrNotExist) {
			err = d.rename(path, to)
		} else if err == nil {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("set %s aside: %w", filepath.Base(path), err)
		}
		return to, nil
	}
}

func (d *Disk) rename(from, to string) error {
	if err := d.ask(OpRename, to); err != nil {
		return err
	}
	return os.Rename(from, to)
}

// Remove unlinks a file, or an empty directory.
func (d *Disk) Remove(path string) error {
	if err := d.ask(OpRemove, path); err != nil {
		return err
	}
	return os.Remove(path)
}

// removeTree unlinks a directory with what is in it, which are files.
func (d *Disk) removeTree(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := d.Remove(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return d.Remove(dir)
}

// MkdirAll makes a directory and those above it, mode 0700. One that is there is no operation.
func (d *Disk) MkdirAll(path string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return nil
	}
	if err := d.ask(OpMkdir, path); err != nil {
		return err
	}
	return os.MkdirAll(path, 0o700)
}

func (d *Disk) mkdir(path string) error {
	if err := d.ask(OpMkdir, path); err != nil {
		return err
	}
	return os.Mkdir(path, 0o700)
}

// ReplaceFile is Disk.ReplaceFile of the file system as it is.
func ReplaceFile(path string, data []byte) error {
	var d *Disk
	return d.ReplaceFile(path, data)
}

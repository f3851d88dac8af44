package main

import (
	"io/fs"
	"path"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
)

// limitMemory lets the collector work harder before the kernel kills: nine tenths of what the container or unit may use, for what is beyond
// the heap counts as well. Whoever sets GOMEMLIMIT knows better.
func limitMemory(env []string, root fs.FS) {
	if slices.ContainsFunc(env, func(v string) bool { return strings.HasPrefix(v, "GOMEMLIMIT=") }) {
		return
	}
	if most := memoryMax(root); most > 0 {
		debug.SetMemoryLimit(most / 10 * 9)
	}
}

// memoryMax is how many bytes the control group (v2) of this process, or one around it, may use; 0 = there is no limit that can be read. In a
// container the group is its root.
func memoryMax(root fs.FS) (most int64) {
	groups, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return 0
	}
	const mount = "sys/fs/cgroup"
	for line := range strings.Lines(string(groups)) {
		group, v2 := strings.CutPrefix(strings.TrimSpace(line), "0::/")
		if !v2 {
			continue
		}
		for dir := path.Join(mount, path.Clean("/"+group)); ; dir = path.Dir(dir) {
			text, err := fs.ReadFile(root, path.Join(dir, "memory.max"))
			if n, bad := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil && bad == nil && n > 0 && (most == 0 || n < most) {
				most = n
			}
			if dir == mount {
				return most
			}
		}
	}
	return most
}

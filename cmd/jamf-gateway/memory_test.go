package main

import (
	"runtime/debug"
	"testing"
	"testing/fstest"
)

func TestTheMemoryOfTheContainerIsTheLimit(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	t.Cleanup(func() { debug.SetMemoryLimit(before) })
	for name, tc := range map[string]struct {
		files map[string]string
		env   string
		want  int64 // 0 = as before
	}{
		"container":              {map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "536870912\n"}, "", 536870912 / 10 * 9},
		"unit below a slice":     {map[string]string{"proc/self/cgroup": "0::/a.slice/b.service\n", "sys/fs/cgroup/a.slice/memory.max": "1000\n", "sys/fs/cgroup/a.slice/b.service/memory.max": "max\n"}, "", 900},
		"the narrowest":          {map[string]string{"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/memory.max": "1000\n", "sys/fs/cgroup/a/memory.max": "500\n"}, "", 450},
		"the group is elsewhere": {map[string]string{"proc/self/cgroup": "0::/../../x\n", "sys/fs/cgroup/memory.max": "1000\n"}, "", 900},
		"the operator's own":     {map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "1000\n"}, "GOMEMLIMIT=1GiB", 0},
		"none":                   {map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "max\n"}, "", 0},
		"version 1":              {map[string]string{"proc/self/cgroup": "4:memory:/x\n"}, "", 0},
		"no proc":                {nil, "", 0},
	} {
		debug.SetMemoryLimit(before)
		root := fstest.MapFS{}
		for file, text := range tc.files {
			root[file] = &fstest.MapFile{Data: []byte(text)}
		}
		limitMemory([]string{"HOME=/", tc.env}, root)
		want := tc.want
		if want == 0 {
			want = before
		}
		if got := debug.SetMemoryLimit(-1); got != want {
			t.Errorf("%s: limit %d, want %d", name, got, want)
		}
	}
}

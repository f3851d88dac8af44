package device_test

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/gateway/device"
)

// key is one key of Jamf's records, made of the lines of the table by code of its own.
type key struct {
	name, path string
	array      bool // of objects
	scalars    bool
	members    []*key
	leaves     []string // the paths of the lines below it, or its own
}

// keys builds the tree of a kind's keys.
func keys(t testing.TB, k device.Kind) *key {
	t.Helper()
	root := &key{}
	for _, l := range linesOf(t, k) {
		at := root
		for part := range strings.SplitSeq(l.path, ".") {
			name, array := strings.CutSuffix(part, "[]")
			found := slices.IndexFunc(at.members, func(m *key) bool { return m.name == name })
			if found < 0 {
				found = len(at.members)
				at.members = append(at.members, &key{name: name, path: strings.TrimPrefix(at.path+"."+name, "."), array: array})
			}
			at.leaves = append(at.leaves, l.path)
			at = at.members[found]
		}
		at.leaves, at.scalars = []string{l.path}, l.typ == "scalars"
	}
	return root
}

// all lists a key with all that are below it.
func (k *key) all() []*key {
	out := []*key{k}
	for _, m := range k.members {
		out = append(out, m.all()...)
	}
	return out
}

// telling are values that something is derived from.
func telling() []string {
	return []string{
		`""`, `"x"`, `"Mac"`, `"iOS"`, `"macOS"`, `"iPad7,3"`, `"iPhone12,1"`, `"MacBookPro18,1"`, `"VMware7,1"`, `"15.5"`, `"15.5.1 (a)"`, `"0"`, `"16"`, `16`, `3.5`, `true`,
		`false`, `"192.0.2.1"`, `"2001:db8::1"`, `"2026-11-20T10:00:00Z"`, `"2026-11-20"`, `"1970-01-01T00:00:00Z"`, `"ENABLED"`, `"DISABLED"`, `"ESCROWED"`,
		`"ENCRYPTED"`, `"NOT_ENCRYPTED"`, `"BOOT_ENCRYPTED"`, `"APP_STORE"`, `"00:11:22:33:44:55"`, `"310"`, `"Not Available"`, `"$1,200.00"`, `"APFS Media"`,
	}
}

// usual are values that the keys with a meaning of their own usually have.
func usual(key string) []string {
	return map[string][]string{
		"deviceType":                           {`"iOS"`, `"iOS"`, `"tvOS"`, `"watchOS"`, `"visionOS"`, `"Unknown"`, `"homeOS"`, `null`},
		"model":                                {`"iPhone 12"`, `"iPad (9th generation)"`, `"MacBook Pro"`, `"VMware"`, `"APFS Media"`},
		"modelIdentifier":                      {`"iPad7,3"`, `"iPhone12,1"`, `"MacBookPro18,1"`, `null`, `""`},
		"platform":                             {`"Mac"`, `""`, `null`},
		"name":                                 {`"macOS"`, `"x"`},
		"serialNumber":                         {`"C02"`, `"C03"`, `"Not Available"`},
		"sizeMegabytes":                        {`500000`, `250000`, `null`},
		"partitionFileVault2State":             {`"ENCRYPTED"`, `"NOT_ENCRYPTED"`, `"UNKNOWN"`, `null`},
		"fileVault2Status":                     {`"BOOT_ENCRYPTED"`, `"NOT_ENCRYPTED"`, `null`},
		"lastReportedIp":                       {`"192.0.2.1"`, `"2001:db8::1"`, `null`},
		"lastReportedIpV4":                     {`"192.0.2.4"`, `null`},
		"lastReportedIpV6":                     {`"2001:db8::6"`, `null`},
		"ipAddress":                            {`"192.0.2.9"`, `"2001:db8::9"`},
		"homeMobileCountryCode":                {`"262"`, `"Germany"`, `null`},
		"groupId":                              {`"1"`, `"2"`, `null`},
		"lastContact":                          {`"2026-11-20T10:00:00Z"`, `null`},
		"lastCheckIn":                          {`"2026-11-19T10:00:00Z"`, `null`},
		"lastContactTime":                      {`"2026-11-18T10:00:00Z"`, `null`},
		"mobileDevicePrestageId":               {`"3"`, `null`},
		"enrolledViaAutomatedDeviceEnrollment": {`true`, `null`},
	}[key]
}

// dice decide the value of each key: one that has other dice has another value, and the rest of the record stays.
type dice struct {
	seed  uint64
	other func(k *key) bool
}

func (d dice) of(k *key, element int) *rand.Rand {
	h := fnv.New64a()
	_, _ = io.WriteString(h, k.path)
	salt := uint64(element) * 2
	if d.other(k) {
		salt++
	}
	return rand.New(rand.NewPCG(d.seed<<16+salt, h.Sum64()))
}

// append appends a key with its value where it has one.
func (k *key) append(dst []byte, d dice, element int) []byte {
	r := d.of(k, element)
	how := r.IntN(12)
	if how == 0 {
		return dst
	}
	if dst[len(dst)-1] != '{' {
		dst = append(dst, ',')
	}
	dst = append(append(append(dst, '"'), k.name...), `":`...)
	switch {
	case k.path == "id" || k.path == "mobileDeviceId":
		return append(dst, `"5"`...)
	case how == 1:
		return append(dst, "null"...)
	case k.array:
		dst = append(dst, '[')
		for i := range r.IntN(3) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = k.object(dst, d, i+1)
		}
		return append(dst, ']')
	case k.members != nil:
		return k.object(dst, d, element)
	}
	words := telling()
	if known := usual(k.name); known != nil && r.IntN(4) > 0 {
		words = known
	}
	if !k.scalars {
		return append(dst, words[r.IntN(len(words))]...)
	}
	return append(append(append(dst, '['), strings.Join([]string{words[r.IntN(len(words))], words[r.IntN(len(words))]}[:r.IntN(3)], ",")...), ']')
}

func (k *key) object(dst []byte, d dice, element int) []byte {
	dst = append(dst, '{')
	for _, m := range k.members {
		dst = m.append(dst, d, element)
	}
	return append(dst, '}')
}

// TestRecordsThatDifferInHiddenFieldsAreAnsweredAlike makes pairs of records that are the same in what a profile keeps, and differ in
// everything else down to whole sections: each shape must show the same bytes, and each filter and sort that is allowed must
// find the same value.
func TestRecordsThatDifferInHiddenFieldsAreAnsweredAlike(t *testing.T) {
	everything := wholeProfile(t)
	compared := 0
	for seed := range uint64(8) {
		profile, kept := randomProfile(t, rand.New(rand.NewPCG(seed, 5)))
		for _, k := range []device.Kind{device.Computer, device.Mobile} {
			root := keys(t, k)
			hidden := func(key *key) bool {
				return !slices.ContainsFunc(key.leaves, func(path string) bool { return kept[string(k)+":"+path] })
			}
			allowed := map[string]bool{}
			for _, n := range selectorLines(t) {
				if n.kind() == k && n.from != "-" && n.typ != "id" && n.bind(n.view(t, everything, profile)) == nil {
					allowed[n.column()] = true
				}
			}
			for round := range uint64(4) {
				a := cut(t, everything, k, root.object(nil, dice{seed<<8 + round, func(*key) bool { return false }}, 0))
				b := cut(t, everything, k, root.object(nil, dice{seed<<8 + round, hidden}, 0))
				if bytes.Equal(a, b) {
					t.Fatal("nothing is hidden")
				}
				if diff := differences(t, k, profile, a, b); diff != "" {
					t.Errorf("seed %d: a hidden field is seen:\n%s", seed, diff)
				}
				fa, fb := factsOf(t, k, everything, a), factsOf(t, k, everything, b)
				for name := range allowed {
					compared++
					if diff := cmp.Diff(fa[name], fb[name]); diff != "" {
						t.Errorf("seed %d: the %s column %s tells a hidden field:\n%s", seed, k, name, diff)
					}
				}
			}
		}
	}
	if compared < 500 {
		t.Errorf("%d comparisons witness little", compared)
	}
}

// differences shows two records in every shape of their kind, and tells where they are not the same.
func differences(t *testing.T, k device.Kind, profile *device.Profile, a, b []byte) string {
	t.Helper()
	views := map[string]func(record []byte) ([]byte, error){
		"normalized": func(record []byte) ([]byte, error) {
			return device.AppendNormalized(nil, device.View{Source: "s", Kind: k, ID: 5, Profile: profile, State: "present", Record: record})
		},
		"applications": func(record []byte) ([]byte, error) {
			return device.AppendApplications(nil, device.View{Source: "s", Kind: k, ID: 5, Profile: profile, State: "present", Record: record})
		},
	}
	for _, s := range []device.Shape{
		device.ComputerV1, device.ComputerV2, device.ComputerV3, device.ComputerV4, device.MobileDetail, device.MobileSummary, device.MobileByID,
	} {
		if s.Kind() != k {
			continue
		}
		for _, omits := range []bool{false, true} {
			views[fmt.Sprintf("shape %d, omits %v", s, omits)] = func(record []byte) ([]byte, error) {
				return device.AppendJamf(nil, s, device.AllSections(s), profile.Omitting(omits), record)
			}
		}
	}
	out := ""
	for name, view := range views {
		va, errA := view(a)
		vb, errB := view(b)
		if errA != nil || errB != nil || !bytes.Equal(va, vb) {
			out += fmt.Sprintf("%s (%v, %v):\n%s\n%s\n", name, errA, errB, va, vb)
		}
	}
	return out
}

// TestNoFactTellsMoreThanTheFieldsThatItIsMadeOf changes one key of a record after the other, down to whole sections: only the columns that are made of
// something in it may change. The type of a device is no secret to anybody.
func TestNoFactTellsMoreThanTheFieldsThatItIsMadeOf(t *testing.T) {
	if raceEnabled {
		t.Skip("one goroutine, and slow under the race detector")
	}
	everything := wholeProfile(t)
	for _, k := range []device.Kind{device.Computer, device.Mobile} {
		columns := device.FactColumns(k, everything.Paths(k))
		tells := map[string]map[string]bool{} // path -> the columns that are made of it
		for _, l := range linesOf(t, k) {
			tells[l.path] = map[string]bool{}
			for _, c := range device.FactColumns(k, []string{l.path}) {
				tells[l.path][c.Name] = true
			}
		}
		root := keys(t, k)
		for _, seed := range []uint64{1, 44, 115} { // the last two have told something
			facts := func(changed *key) []any {
				out, err := device.Facts(k, columns, root.object(nil, dice{seed, func(key *key) bool { return key == changed }}, 0))
				if err != nil {
					t.Fatal(err)
				}
				return out
			}
			before := facts(nil)
			for _, changed := range root.all()[1:] {
				if changed.path == "deviceType" {
					continue
				}
				after := facts(changed)
				for c, column := range columns {
					made := slices.ContainsFunc(changed.leaves, func(path string) bool { return tells[path][column.Name] })
					if !made && !cmp.Equal(before[c], after[c]) {
						t.Errorf("seed %d: %s %s tells of %s: %v, and %v", seed, k, column.Name, changed.path, before[c], after[c])
					}
				}
			}
		}
	}
}

// wholeProfile keeps whatever can be kept.
func wholeProfile(t testing.TB) *device.Profile {
	t.Helper()
	var fields []string
	for _, l := range lines(t) {
		if !l.never() {
			fields = append(fields, string(l.kind)+":"+l.path)
		}
	}
	p, err := device.NewProfile("whole", nil, fields)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

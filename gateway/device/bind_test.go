package device_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/rsql"
)

func dialectOf(letter string) device.Dialect {
	return map[string]device.Dialect{
		"1": device.ComputersV1, "2": device.ComputersV2, "3": device.ComputersV3, "4": device.ComputersV4,
		"d": device.MobileDetails, "l": device.MobileList, "c": device.NormalizedNames, "m": device.NormalizedNames,
	}[letter]
}

func (n selectorLine) view(t testing.TB, kept, shown *device.Profile) device.Selectors {
	t.Helper()
	return device.Selectors{Kind: n.kind(), Dialect: dialectOf(n.in), Kept: kept.Paths(n.kind()), Profile: shown}
}

// bind asks for a selector in a filter or a sort, where it may stand.
func (n selectorLine) bind(v device.Selectors) error {
	if strings.Contains(n.use, "f") {
		_, err := v.Bind(rsql.Comparison{Selector: n.selector, Op: rsql.Equal, Values: []rsql.Value{{Text: "", Parts: []string{""}}}})
		return err
	}
	_, err := v.BindSort(n.selector)
	return err
}

func refusal(err error) device.Refusal {
	if e, ok := errors.AsType[*device.SelectorError](err); ok {
		return e.Why
	}
	return 0
}

// TestSelectorIsHiddenByEachOfItsFields drops one field after the other from what the caller is shown: what is made of
// it must be refused, and nothing else.
func TestSelectorIsHiddenByEachOfItsFields(t *testing.T) {
	if raceEnabled {
		t.Skip("one goroutine, and slow under the race detector")
	}
	full := builtin(t, "full")
	hidden := map[string]bool{}
	for _, k := range []device.Kind{device.Computer, device.Mobile} {
		for i, dropped := range linesOf(t, k) {
			columns := device.FactColumns(k, []string{dropped.path})
			if dropped.never() || dropped.profiles == "always" || len(columns) == 0 && i%20 != 0 {
				continue // of the fields that no column is made of some are enough
			}
			var fields []string
			for _, l := range linesOf(t, k) {
				if !l.never() && l.path != dropped.path {
					fields = append(fields, string(k)+":"+l.path)
				}
			}
			shown, err := device.NewProfile("but one", nil, fields)
			if err != nil {
				t.Fatal(err)
			}
			made := map[string]bool{}
			for _, c := range columns {
				made[c.Name] = true
			}
			for _, n := range selectorLines(t) {
				if n.kind() != k || n.from == "-" {
					continue
				}
				want := device.Refusal(0)
				if made[n.column()] {
					want = device.Hidden
					hidden[n.in+" "+n.selector] = true
				}
				if got := refusal(n.bind(n.view(t, full, shown))); got != want {
					t.Errorf("%s %s without %s: refusal %d, want %d", n.in, n.selector, dropped.path, got, want)
				}
			}
		}
	}
	for _, n := range selectorLines(t) {
		// What is made of a mobile device's type alone is shown by every profile.
		always := n.typ == "id" || n.in == "l" && n.selector == "type" || n.in == "m" && n.selector == "manufacturer"
		isFact := slices.ContainsFunc(device.FactColumns(n.kind(), full.Paths(n.kind())), func(c device.Column) bool { return c.Name == n.column() })
		if isFact && !always && !hidden[n.in+" "+n.selector] {
			t.Errorf("no field hides %s %s", n.in, n.selector)
		}
	}
}

// TestNoAnswerDependsOnAFieldThatTheCallerIsNotShown holds that what may be asked for is the same with and without the
// other fields, whatever the two profiles are.
func TestNoAnswerDependsOnAFieldThatTheCallerIsNotShown(t *testing.T) {
	full, minimal := builtin(t, "full"), builtin(t, "minimal")
	asked := 0
	for recordName, record := range ownRecords(t) {
		k := kindOf(recordName)
		kept := factsOf(t, k, full, record)
		seen := factsOf(t, k, minimal, record)
		for _, n := range selectorLines(t) {
			if n.kind() != k || n.from == "-" || n.typ == "id" || n.bind(n.view(t, full, minimal)) != nil {
				continue
			}
			asked++
			if diff := cmp.Diff(kept[n.column()], seen[n.column()]); diff != "" {
				t.Errorf("%s: %s %s shows a hidden field:\n%s", recordName, n.in, n.selector, diff)
			}
		}
	}
	if asked < 100 {
		t.Errorf("%d selectors witness little", asked)
	}
}

func filter(t testing.TB, text string) rsql.Expr {
	t.Helper()
	e, err := rsql.Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return e
}

func TestRefusalsMatchTheGoldenFile(t *testing.T) {
	full, minimal := builtin(t, "full"), builtin(t, "minimal")
	var out strings.Builder
	ask := func(n selectorLine, kept, shown *device.Profile, filters, sorts []string) {
		v := n.view(t, kept, shown)
		for _, text := range filters {
			_, err := v.Bind(filter(t, text))
			place := -2
			if e, ok := errors.AsType[*device.SelectorError](err); ok {
				place = e.At
			}
			fmt.Fprintf(&out, "%s filter %s\n\t%d %v\n", n.in, text, place, err)
		}
		for _, text := range sorts {
			_, err := v.BindSort(text)
			fmt.Fprintf(&out, "%s sort %s\n\t%v\n", n.in, text, err)
		}
	}
	ask(selectorLine{in: "4"}, full, full, []string{
		`general.nmae==x`, `id==1;general.Name==x`, `general.lastContactTime==*`, `general.mdmCertificateExpiration==*`,
		`general.supervised==yes`, `general.supervised<true`, `general.supervised==tr*`, `general.reportDate>yesterday`,
		`general.reportDate=="2026-*"`, `general.reportDate<""`, `purchasing.lifeExpectancy=in=(1,two)`, `purchasing.lifeExpectancy==0x10`,
		`purchasing.lifeExpectancy==Infinity`, `purchasing.lifeExpectancy==1e999`, `id==first`, `id=lt=""`, `general.name<a*`,
	}, []string{
		`general.barcode1:asc`, `general.name:up`, `general.name:`, `general.name:asc,general.name:desc`, `name`, `general.mdmCertificateExpiration:desc`,
	})
	ask(selectorLine{in: "1"}, full, full, []string{`general.lastContact==*`}, []string{`general.lastCheckIn`})
	ask(selectorLine{in: "4"}, full, minimal, []string{`general.lastIpAddress==*`, `general.name==a,userAndLocation.email==*`}, []string{`userAndLocation.realname:desc`})
	ask(selectorLine{in: "4"}, minimal, minimal, []string{`general.lastIpAddress==*`}, []string{`userAndLocation.realname:desc`})
	ask(selectorLine{in: "d"}, full, full, []string{`airPlayPassword==x`, `imei2==1`, `network==x`, `purchasedOrLeased==true`, `batteryHealth==NORMAL`, `groupId<5`},
		[]string{`airPlayPassword`, `lostModeEnabledDate`, `groupName:asc`})
	ask(selectorLine{in: "l"}, full, full, []string{`name==x`}, []string{`date:desc,name:asc`})
	ask(selectorLine{in: "c"}, full, full, []string{
		`user.department.name==x`, `user.building.name==x`, `os.versionNormalized==new`, `os.versionNormalized=="15*"`, `os.versionNormalized=="*.5"`,
		`os.versionNormalized=="15.5.1.*"`, `cellular.roaming==maybe`, `kind==computer`, `groups.name>a`,
	}, []string{`groups.name`, `uid`})
	ask(selectorLine{in: "m"}, full, full, []string{`site.name==x`}, nil)
	file := filepath.Join("testdata", "golden", "refusals.txt")
	if *update {
		if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), out.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if strings.Contains(out.String(), "<nil>") {
		t.Error("something was not refused")
	}
}

// describe writes a condition on one line.
func describe(c device.Condition) string {
	list := func(name string, members []device.Condition) string {
		var all []string
		for _, m := range members {
			all = append(all, describe(m))
		}
		return name + "(" + strings.Join(all, " ") + ")"
	}
	switch {
	case c.All != nil:
		return list("all", c.All)
	case c.Any != nil:
		return list("any", c.Any)
	case c.Op == 0:
		return "true"
	}
	text := fmt.Sprintf("%s:%d%s", c.Column.Name, c.Column.Type, c.Op)
	for i, o := range c.Operands {
		if i > 0 {
			text += "|"
		}
		switch {
		case o.Parts != nil:
			text += strings.Join(o.Parts, "*")
		case c.Column.Type == device.NumberColumn:
			text += fmt.Sprint(o.Number)
		default:
			text += fmt.Sprint(o.Int)
		}
	}
	return text
}

func TestFiltersAreBoundToColumns(t *testing.T) {
	for _, c := range []struct{ in, filter, want string }{
		{"4", `general.name==MacBook`, `jamf:general.name:1==macbook`},
		{"4", `general.name!="M*ÄR*"`, `jamf:general.name:1!=m*är*`},
		{"4", `general.name==""`, `jamf:general.name:1!=*`},
		{"4", `general.name!=""`, `jamf:general.name:1==*`},
		{"4", `general.name==**`, `jamf:general.name:1==*`},
		{"4", `general.name>""`, `jamf:general.name:1=gt=`},
		{"4", `general.name=in=(A,"",b*)`, `any(jamf:general.name:1=in=a|b* jamf:general.name:1!=*)`},
		{"4", `general.name=out=(A,"")`, `all(jamf:general.name:1=out=a jamf:general.name:1==*)`},
		{"4", `general.supervised==TRUE`, `jamf:general.supervised:3==1`},
		{"4", `general.supervised==*`, `jamf:general.supervised:3==*`},
		{"4", `general.supervised==""`, `jamf:general.supervised:3!=*`},
		{"4", `general.supervised=in=(true,"")`, `any(jamf:general.supervised:3=in=1 jamf:general.supervised:3!=*)`},
		{"4", `general.reportDate>="2024-06-19T15:54:37.690Z"`, `jamf:general.reportDate:4=ge=1718812477690`},
		{"4", `general.reportDate<2024-06-19`, `jamf:general.reportDate:4=lt=1718755200000`},
		{"4", `general.reportDate==2024-06-19T15:54:37.123000000+02:00`, `jamf:general.reportDate:4==1718805277123`},
		{"4", `purchasing.lifeExpectancy=in=(1,2.5)`, `jamf:purchasing.lifeExpectancy:2=in=1|2.5`},
		{"4", `id=in=(1,"")`, `id:6=in=1`},
		{"4", `id==*`, `true`},
		{"4", `id!=*`, `id:6=lt=1`},
		{"4", `id!=""`, `true`},
		{"4", `id>007`, `id:6=gt=7`},
		{"1", `general.lastContactTime>2024-06-19`, `jamf:general.lastContactTime:4=gt=1718755200000`},
		{"d", `mobileDeviceId==5;groupName==A`, `all(id:6==5 jamf:groups[].groupName:5==a)`},
		{"d", `username==X,(userPhoneNumber==1;imei==2)`, `any(jamf:userAndLocation.username:1==x all(jamf:userAndLocation.phoneNumber:1==1 jamf:network.imei:1==2))`},
		{"c", `os.versionNormalized>=15.5`, `os.versionNormalized:1=ge=0000000015.0000000005.0000000000`},
		{"c", `os.versionNormalized=="15.*"`, `os.versionNormalized:1==0000000015.*`},
		{"c", `os.versionNormalized=="15.10.*"`, `os.versionNormalized:1==0000000015.0000000010.*`},
		{"c", `cellular.imei==1`, `id:6=lt=1`},
		{"c", `cellular.imei!=1`, `true`},
		{"c", `cellular.imei==""`, `true`},
		{"c", `cellular.imei==*`, `id:6=lt=1`},
		{"c", `cellular.imei<1`, `id:6=lt=1`},
		{"c", `cellular.imei==1,name==a`, `any(id:6=lt=1 name:1==a)`},
		{"c", `cellular.imei!=1,name==a`, `true`},
		{"c", `cellular.imei!=1;name==a`, `name:1==a`},
		{"m", `cellular.imei==1;identity.jamfId==5`, `all(cellular.imei:1==1 id:6==5)`},
	} {
		n := selectorLine{in: c.in}
		got, err := n.view(t, builtin(t, "full"), builtin(t, "full")).Bind(filter(t, c.filter))
		if err != nil || describe(got) != c.want {
			t.Errorf("%s %s\n got %s, %v\nwant %s", c.in, c.filter, describe(got), err, c.want)
		}
	}
	if got, err := (device.Selectors{}).Bind(nil); err != nil || describe(got) != "true" {
		t.Errorf("no filter: %s, %v", describe(got), err)
	}
}

func TestSortsAreBoundToColumns(t *testing.T) {
	full, minimal := builtin(t, "full"), builtin(t, "minimal")
	nameless, err := device.NewProfile("nameless", nil, []string{"os"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		in          string
		kept, shown *device.Profile
		sort, want  string
	}{
		{"4", full, full, "", "jamf:general.name:1:asc"},
		{"4", full, full, " , ", "jamf:general.name:1:asc"},
		{"4", full, nameless, "", "id:6:asc"},
		{"4", nameless, nameless, "", "id:6:asc"},
		{"d", full, minimal, "", "jamf:general.displayName:1:asc"},
		{"d", full, nameless, "", "id:6:asc"},
		{"l", full, full, "", "id:6:asc"},
		{"c", full, full, "", "id:6:asc"},
		{"4", full, full, "udid:DESC, general.name", "jamf:udid:1:desc jamf:general.name:1:asc"},
		{"d", full, full, "mobileDeviceId:asc", "id:6:asc"},
		{"l", full, full, "type,id:desc", "jamf:deviceType:1:asc id:6:desc"},
		{"c", full, full, "cellular.imei:desc,name", "cellular.imei:7:desc name:1:asc"},
		{"m", full, full, "cellular.imei:desc,name", "cellular.imei:1:desc name:1:asc"},
	} {
		orders, err := selectorLine{in: c.in}.view(t, c.kept, c.shown).BindSort(c.sort)
		var got []string
		for _, o := range orders {
			got = append(got, fmt.Sprintf("%s:%d:%s", o.Column.Name, o.Column.Type, map[bool]string{true: "desc", false: "asc"}[o.Descending]))
		}
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%s %q: %v, %v, want %s", c.in, c.sort, got, err, c.want)
		}
	}
}

// TestEveryBoundColumnIsAFact holds that what Bind answers can be read from the generation.
func TestEveryBoundColumnIsAFact(t *testing.T) {
	for _, kept := range []*device.Profile{builtin(t, "full"), builtin(t, "minimal")} {
		for _, n := range selectorLines(t) {
			if strings.Contains(n.use, "s") {
				orders, err := n.view(t, kept, kept).BindSort(n.selector)
				if err != nil {
					continue
				}
				c := orders[0].Column
				if c.Type != device.IDColumn && c.Type != device.NullColumn && !slices.Contains(device.FactColumns(n.kind(), kept.Paths(n.kind())), c) {
					t.Errorf("%s %s: %v is no fact of profile %s", n.in, n.selector, c, kept.Name())
				}
			}
		}
	}
}

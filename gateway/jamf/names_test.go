package jamf_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/gateway/jamf"
	"jamf-gateway/test/fakejamf"
)

const (
	departments = "/api/v1/departments"
)

func TestListsOfNamesAreReadAsJamfSendsThem(t *testing.T) {
	for name, c := range map[string]struct {
		list jamf.NameList
		body string
		want map[int64]string
		kind error
	}{
		"departments":         {jamf.Departments, `{"totalCount":2,"results":[{"id":"1","name":"IT"},{"id":"2","name":"Küche"}]}`, map[int64]string{1: "IT", 2: "Küche"}, nil},
		"none":                {jamf.Departments, `{"totalCount":0,"results":[]}`, map[int64]string{}, nil},
		"a number as id":      {jamf.Departments, `{"totalCount":1,"results":[{"id":7,"name":"IT"}]}`, map[int64]string{7: "IT"}, nil},
		"odd entries":         {jamf.Departments, `{"totalCount":6,"results":[{"id":"-1","name":"None"},{"id":"x","name":"a"},{"id":"05","name":"b"},{"name":"c"},{"id":"4","name":null},{"id":"5","name":"IT"}]}`, map[int64]string{5: "IT"}, nil},
		"an entry twice":      {jamf.Departments, `{"totalCount":2,"results":[{"id":"1","id":"2","name":"IT"},{"id":"3","name":"X"}]}`, map[int64]string{3: "X"}, nil},
		"a very long name":    {jamf.Departments, `{"totalCount":2,"results":[{"id":"1","name":"` + strings.Repeat("x", 1025) + `"},{"id":"2","name":"Y"}]}`, map[int64]string{2: "Y"}, nil},
		"sites":               {jamf.Sites, `[{"id":"1","divisionId":null,"name":"Süd"},{"id":"x"}]`, map[int64]string{1: "Süd"}, nil},
		"no sites":            {jamf.Sites, `[]`, map[int64]string{}, nil},
		"more than it counts": {jamf.Departments, `{"totalCount":1,"results":[{"id":"1","name":"IT"},{"id":"2","name":"X"}]}`, nil, jamf.ErrSchema},
		"fewer, then nothing": {jamf.Departments, `{"totalCount":3,"results":[]}`, nil, jamf.ErrSchema},
		"no list":             {jamf.Departments, `{}`, nil, jamf.ErrSchema},
		"no array":            {jamf.Sites, `{"totalCount":0,"results":[]}`, nil, jamf.ErrSchema},
		"cut off":             {jamf.Sites, `[{"id":"1","name":"Süd"}`, nil, jamf.ErrSchema},
		"goes on":             {jamf.Sites, `[] []`, nil, jamf.ErrSchema},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := connect(t, &upstream{api: func(w http.ResponseWriter, _ *http.Request, _ int) { giveJSON(w, 200, c.body) }}, fast, nil)
				got, err := r.src.NewWalk().Names(t.Context(), c.list)
				if c.kind != nil {
					must(t, err, c.kind, "unexpected_answer")
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

func TestALongListOfNamesIsReadToItsEndWhateverAPageHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const total, clamp = 2601, 1000
		u := &upstream{api: func(w http.ResponseWriter, r *http.Request, _ int) {
			q := r.URL.Query()
			page, _ := strconv.Atoi(q.Get("page"))
			size, _ := strconv.Atoi(q.Get("page-size"))
			var rows []string
			for id := page*size + 1; id <= min(total, (page+1)*size, page*size+clamp); id++ {
				rows = append(rows, fmt.Sprintf(`{"id":"%d","name":"D%d"}`, id, id))
			}
			giveJSON(w, 200, fmt.Sprintf(`{"totalCount":%d,"results":[%s]}`, total, strings.Join(rows, ",")))
		}}
		r := connect(t, u, fast, nil)
		got, err := r.src.NewWalk().Names(t.Context(), jamf.Departments)
		if err != nil || len(got) != total || got[1] != "D1" || got[2601] != "D2601" {
			t.Fatalf("%d names, %v", len(got), err)
		}
		first := u.requests()[1]
		query, _ := url.ParseQuery(first.query)
		if first.path != departments || query.Get("sort") != "id:asc" || len(u.requests()) != 1+3 {
			t.Errorf("%d requests, first %s?%s", len(u.requests())-1, first.path, first.query)
		}
	})
}

func TestAMissingRightForNamesIsNoFaultOfTheSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := script(healthy(answers{departments: func(w http.ResponseWriter, _ *http.Request) { giveEnvelope(w, 403) }}))
		r := connect(t, u, fast, nil)
		w := r.src.NewWalk()
		_, err := w.Names(t.Context(), jamf.Departments)
		must(t, err, jamf.ErrForbidden, "right_missing")
		if st := r.src.Status(); st.LastError != nil {
			t.Errorf("remembered: %+v", st.LastError)
		}
		tokens, calls, _ := u.counts()
		if tokens != 1 || calls != 1 {
			t.Errorf("%d tokens, %d calls", tokens, calls)
		}
		_, err = w.Names(t.Context(), "divisions")
		must(t, err, jamf.ErrBadRequest, "bad_request")
	})
}

func TestAConnectionTestTellsRightsForNamesFromThoseThatAreTooMany(t *testing.T) {
	for name, c := range map[string]struct {
		has, names []string
		result     string
		detail     string
	}{
		"used":            {[]string{jamf.ReadDepartments}, []string{jamf.ReadDepartments}, "ok", "Read Computers, Read Mobile Devices; only for names: Read Departments"},
		"missing":         {nil, []string{jamf.ReadSites}, "ok", "Read Computers, Read Mobile Devices; optional, ids stay without names without it: Read Sites"},
		"one of two":      {[]string{jamf.ReadBuildings}, []string{jamf.ReadBuildings, jamf.ReadSites}, "ok", "Read Computers, Read Mobile Devices; only for names: Read Buildings; optional, ids stay without names without it: Read Sites"},
		"not used":        {[]string{jamf.ReadDepartments}, nil, "warning", "1 more than needed: Read Departments (only useful for names, which the settings do not use)"},
		"really too many": {[]string{jamf.ReadDepartments, "Delete Computers"}, []string{jamf.ReadDepartments}, "warning", "1 more than needed: Delete Computers; only for names: Read Departments"},
		"nothing to tell": {nil, nil, "ok", "Read Computers, Read Mobile Devices"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := connect(t, script(healthy(answers{"/api/v1/auth": rightsSay(append(both(), c.has...)...)})), fast, nil)
				got := r.src.Test(t.Context(), both(), c.names...)
				step := got.Steps[5]
				if !got.OK || step.Name != "rights" || step.Result != c.result || step.Detail != c.detail {
					t.Errorf("step %+v, want %s: %s", step, c.result, c.detail)
				}
			})
		})
	}
}

func TestARightForAPathThatIsPassedOnIsNotTooMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		has := append(both(), jamf.ReadDepartments, "Read Smart Computer Groups", "Update Departments", "Read Categories")
		r := connect(t, script(healthy(answers{"/api/v1/auth": rightsSay(has...)})), fast, func(o *jamf.SourceOptions) {
			o.Passed = []string{"/v1/departments", "/v1/computer-groups/{id}"}
		})
		got := r.src.Test(t.Context(), both())
		if !slices.Equal(got.Surplus, []string{"Read Categories", "Update Departments"}) {
			t.Errorf("too many: %q", got.Surplus)
		}
	})
}

func TestTheSimulatedJamfGivesNamesWithTheRights(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := fakejamf.New(fakejamf.Options{Computers: 3, Mobiles: 3, Privileges: append(both(), jamf.ReadDepartments, jamf.ReadBuildings, jamf.ReadSites)})
		fake.RenameEntry("departments", 2, "Kollegium")
		r := connect(t, fake, jamf.Limits{}, asDemo)
		for _, l := range []jamf.NameList{jamf.Departments, jamf.Buildings, jamf.Sites} {
			got, err := r.src.NewWalk().Names(t.Context(), l)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(fake.Entries(string(l)), got); diff != "" || len(got) == 0 {
				t.Errorf("%s (-want +got):\n%s", l, diff)
			}
		}
		fake.SetPrivileges(both()...)
		_, err := r.src.NewWalk().Names(t.Context(), jamf.Sites)
		must(t, err, jamf.ErrForbidden, "right_missing")
	})
}

func TestAnArrayOfNamesThatNeverEndsIsEnded(t *testing.T) {
	body := "[" + strings.Repeat("{},", 100_000) + "{}]"
	_, err := jamf.DecodeNames(strings.NewReader(body))
	must(t, err, jamf.ErrTooLarge, "answer_too_large")
}

func FuzzNames(f *testing.F) {
	f.Add([]byte(`{"totalCount":1,"results":[{"id":"1","name":"IT"}]}`))
	f.Add([]byte(`[{"id":"1","divisionId":null,"name":"Süd"}]`))
	f.Add([]byte(`[{"id":"1"`))
	f.Add([]byte(`<html>`))
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := jamf.DecodeNames(bytes.NewReader(body))
		if err != nil && got != nil {
			t.Error("names beside an error")
		}
		for id, name := range got {
			if id <= 0 || name == "" || len(name) > 1024 {
				t.Errorf("%d: %q", id, name)
			}
		}
	})
}

package jamf_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"jamf-gateway/gateway/jamf"
)

// script answers by path; a path that it does not name is 404 in Jamf's shape.
func script(answers map[string]func(w http.ResponseWriter, r *http.Request)) *upstream {
	return &upstream{api: func(w http.ResponseWriter, r *http.Request, _ int) {
		if give, ok := answers[r.URL.Path]; ok {
			give(w, r)
			return
		}
		giveEnvelope(w, 404)
	}}
}

func say(status int, body string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) { giveJSON(w, status, body) }
}

func html(status int) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) { giveHTML(w, status) }
}

type answers = map[string]func(w http.ResponseWriter, r *http.Request)

const (
	v4List = "/api/v4/computers-inventory"
	v1List = "/api/v1/computers-inventory"
	detail = "/api/v2/mobile-devices/detail"
	plain  = "/api/v2/mobile-devices"
)

func TestARecordIsReadByItsIDOrIsGoneOnlyWhenJamfSaysSo(t *testing.T) {
	empty := say(200, `{"totalCount":0,"results":[]}`)
	one := say(200, `{"totalCount":1,"results":[{"id":"1"}]}`)
	for name, c := range map[string]struct {
		list jamf.List
		give answers
		want string
		kind error
		code string
	}{
		"computer":                  {jamf.Computers, answers{v4List: one, v4List + "/7": say(200, `{"id" : "7", "udid":null}`)}, `{"id" : "7", "udid":null}`, nil, ""},
		"computer of v1":            {jamf.Computers, answers{v1List: one, v1List + "/7": say(200, `{"id":7}`)}, `{"id":7}`, nil, ""},
		"computer gone":             {jamf.Computers, answers{v4List: one}, "", jamf.ErrNotFound, "not_found"},
		"computer gone, v1":         {jamf.Computers, answers{v1List: one}, "", jamf.ErrNotFound, "not_found"},
		"no list of computers":      {jamf.Computers, answers{}, "", jamf.ErrUnavailable, "not_found"},
		"404 of something in front": {jamf.Computers, answers{v4List: one, v4List + "/7": html(404)}, "", jamf.ErrUnavailable, "unexpected_answer"},
		"404 in plain text":         {jamf.Computers, answers{v4List: one, v4List + "/7": func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "404 page not found", 404) }}, "", jamf.ErrUnavailable, "unexpected_answer"},
		"another computer":          {jamf.Computers, answers{v4List: one, v4List + "/7": say(200, `{"id":"8"}`)}, "", jamf.ErrSchema, "unexpected_answer"},
		"empty object":              {jamf.Computers, answers{v4List: one, v4List + "/7": say(200, `{}`)}, "", jamf.ErrSchema, "unexpected_answer"},
		"name twice":                {jamf.Computers, answers{v4List: one, v4List + "/7": say(200, `{"id":"7","id":"7"}`)}, "", jamf.ErrSchema, "unexpected_answer"},
		"truncated":                 {jamf.Computers, answers{v4List: one, v4List + "/7": say(200, `{"id":"7"`)}, "", jamf.ErrSchema, "unexpected_answer"},
		"too large":                 {jamf.Computers, answers{v4List: one, v4List + "/7": say(200, `{"id":"7","x":"`+strings.Repeat("x", 4<<20)+`"}`)}, "", jamf.ErrTooLarge, "answer_too_large"},
		"cannot be rendered":        {jamf.Computers, answers{v4List: one, v4List + "/7": func(w http.ResponseWriter, _ *http.Request) { giveEnvelope(w, 500) }}, "", jamf.ErrServerError, "jamf_cannot_render"},
		"mobile":                    {jamf.MobileDetail, answers{detail: say(200, `{"totalCount":1,"results":[ {"mobileDeviceId":"7","deviceType":"iOS"} ]}`)}, `{"mobileDeviceId":"7","deviceType":"iOS"}`, nil, ""},
		"mobile gone":               {jamf.MobileDetail, answers{detail: empty}, "", jamf.ErrNotFound, "not_found"},
		"mobile hidden by a filter": {jamf.MobileDetail, answers{detail: empty, plain + "/7": say(200, `{"id":"7"}`)}, "", jamf.ErrSchema, "unexpected_answer"},
		"mobile, filter ignored":    {jamf.MobileDetail, answers{detail: say(200, `{"totalCount":900,"results":[{"mobileDeviceId":"1"},{"mobileDeviceId":"2"}]}`)}, "", jamf.ErrSchema, "unexpected_answer"},
		"no detail list":            {jamf.MobileDetail, answers{}, "", jamf.ErrUnavailable, "not_found"},
		"mobile plain":              {jamf.MobilePlain, answers{plain + "/7": say(200, `{"id":"7","name":"iPad"}`)}, `{"id":"7","name":"iPad"}`, nil, ""},
		"mobile plain gone":         {jamf.MobilePlain, answers{}, "", jamf.ErrNotFound, "not_found"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := connect(t, script(c.give), fast, nil)
				raw, err := r.src.NewWalk().Record(t.Context(), c.list, []string{"GENERAL"}, 7)
				if c.kind != nil {
					must(t, err, c.kind, c.code)
					if !errors.Is(c.kind, jamf.ErrNotFound) && errors.Is(err, jamf.ErrNotFound) {
						t.Errorf("looks like a deletion: %v", err)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(c.want, string(raw)); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

func TestARecordOfAKnownVersionCostsOneCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := script(answers{
			v4List: say(200, `{"totalCount":1,"results":[{"id":"7"}]}`), v4List + "/7": say(200, `{"id":"7"}`),
			detail: say(200, `{"totalCount":1,"results":[{"mobileDeviceId":"7"}]}`),
		})
		r := connect(t, u, fast, nil)
		w := r.src.NewWalk()
		if _, err := page(t, w, jamf.Computers); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Record(t.Context(), jamf.Computers, []string{"GENERAL", "HARDWARE"}, 7); err != nil {
			t.Fatal(err)
		}
		if _, err := r.src.NewWalk().Record(t.Context(), jamf.MobileDetail, []string{"SECURITY"}, 7); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range u.requests()[2:] {
			query, err := url.QueryUnescape(s.query)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprintf("%s?%s", s.path, query))
		}
		want := []string{
			v4List + "/7?section=GENERAL&section=HARDWARE",
			detail + "?exception-handling=LENIENT&filter=mobileDeviceId==7&page=0&page-size=2&section=SECURITY&sort=mobileDeviceId:asc",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

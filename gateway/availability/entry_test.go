package availability_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"jamf-gateway/gateway/availability"
)

func TestOnlyLinesThatAGatewayWritesAreRead(t *testing.T) {
	const at = `"t":"2026-11-23T04:12:09Z"`
	for name, tc := range map[string]struct {
		line string
		want bool
	}{
		"heartbeat":             {`{` + at + `,"state":"up","next":300,"authMs":80.5,"counts":{"computer":{"ms":12.5,"n":1200}},"rights":["Read Computers"]}`, true},
		"outage":                {`{` + at + `,"state":"down","code":"timeout","next":30}`, true},
		"start":                 {`{` + at + `,"event":"start"}`, true},
		"of a later gateway":    {`{` + at + `,"state":"up","weather":"fine"}`, true},
		"blanks around":         {" \t{" + at + `,"state":"up"} ` + "\r", true},
		"torn":                  {`{` + at + `,"state":"u`, false},
		"empty":                 {``, false},
		"outage since before":   {`{` + at + `,"state":"down","code":"timeout","since":"2026-11-23T04:10:09Z"}`, true},
		"outage since later":    {`{` + at + `,"state":"down","code":"timeout","since":"2026-11-23T04:13:09Z"}`, false},
		"up since":              {`{` + at + `,"state":"up","since":"2026-11-23T04:10:09Z"}`, false},
		"start that waits":      {`{` + at + `,"event":"start","next":20}`, true},
		"start that goes back":  {`{` + at + `,"event":"start","next":-1}`, false},
		"no time":               {`{"state":"up"}`, false},
		"no state":              {`{` + at + `}`, false},
		"unknown state":         {`{` + at + `,"state":"sideways"}`, false},
		"unknown event":         {`{` + at + `,"event":"nap"}`, false},
		"event with a state":    {`{` + at + `,"event":"stop","state":"down"}`, false},
		"negative wait":         {`{` + at + `,"state":"up","next":-1}`, false},
		"wait that overflows":   {`{` + at + `,"state":"up","next":9223372036854775807}`, false},
		"negative latency":      {`{` + at + `,"state":"up","authMs":-1}`, false},
		"negative count":        {`{` + at + `,"state":"up","counts":{"computer":{"ms":1,"n":-1}}}`, false},
		"negative list latency": {`{` + at + `,"state":"up","counts":{"computer":{"ms":-1,"n":1}}}`, false},
		"two in one line":       {`{` + at + `,"state":"up"}{` + at + `,"state":"up"}`, false},
		"too long":              {`{` + at + `,"state":"up","code":"` + strings.Repeat("x", availability.MaxLine) + `"}`, false},
	} {
		if _, ok := availability.Parse([]byte(tc.line)); ok != tc.want {
			t.Errorf("%s: read %v, want %v", name, ok, tc.want)
		}
	}
}

// What is read can be written again, is read the same, and can be summed up.
func FuzzParse(f *testing.F) {
	for _, line := range []string{
		`{"t":"2026-11-23T04:12:09Z","state":"up","next":300,"authMs":80.5,"counts":{"computer":{"ms":12.5,"n":1200}},"rights":["Read Computers"]}`,
		`{"t":"2026-11-23T04:12:09.123+01:00","state":"down","code":"timeout","next":30}`,
		`{"t":"2026-11-23T04:12:09Z","event":"start"}`,
		`{"t":"2026-11-23T04:12:09Z","state":"down","code":"timeout","since":"2026-11-23T05:10:09.5+01:00"}`,
		`{"t":"2026-11-23T04:12:09Z","state":"unasked","next":86400}`,
		`{"t":"2026-11-23T04:12:09Z","sta`,
	} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		e, ok := availability.Parse(line)
		if !ok {
			return
		}
		again, err := json.Marshal(e)
		if err != nil {
			t.Fatalf("%q was read and cannot be written: %v", line, err)
		}
		if len(again) <= availability.MaxLine {
			if got, ok := availability.Parse(again); !ok || !cmp.Equal(e, got, cmpopts.EquateEmpty()) {
				t.Fatalf("%q became %s, which is read as %v, %v", line, again, got, ok)
			}
		}
		from := e.At.Add(-time.Hour)
		r := availability.Make([]availability.Entry{e}, from, from.Add(48*time.Hour), time.UTC)
		want := int64(47*60*60) + int64(min(e.At.Sub(e.Begun()), time.Hour)/time.Second)
		if got := r.UpSeconds + r.DownSeconds + r.GapSeconds; got < want-1 || got > want+1 {
			t.Fatalf("%q: %d seconds of %d", line, got, want)
		}
	})
}

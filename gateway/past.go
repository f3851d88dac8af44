package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/config"
	"jamf-gateway/gateway/usage"
)

// Past is what the data directory tells of the syncs of one source. It needs no running gateway and disturbs none.
type Past struct {
	Source      string           `json:"source"`
	Last        json.RawMessage  `json:"last"` // as the schedule remembers it; null = there was no sync
	Generations []PastGeneration `json:"generations"`
}

// PastGeneration is one sync that ended well and whose data is kept.
type PastGeneration struct {
	Kind          string    `json:"kind"`
	Number        uint64    `json:"number"`
	Started       time.Time `json:"startedAt"`
	Ended         time.Time `json:"endedAt"`
	Count         int       `json:"count"`
	ReportedTotal int       `json:"reportedTotal"`
	Added         int       `json:"added"`
	Changed       int       `json:"changed"`
	Removed       int       `json:"removed"`
	Upstream      string    `json:"upstream"`
	JamfVersion   string    `json:"jamfVersion"`
	Profile       string    `json:"profile"`
	Bytes         int64     `json:"bytes"`
}

// maxBook is the most that is read of what the schedule remembers.
const maxBook = 1 << 20

// ReadPast reads it. What can be read is returned beside the error of what cannot.
func ReadPast(c *config.Config, src config.Source) (Past, error) {
	p := Past{Source: src.Name, Last: json.RawMessage("null"), Generations: []PastGeneration{}}
	var errs []error
	data, err := os.ReadFile(filepath.Join(c.DataDir, scheduleDir, src.Name+".json"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		errs = append(errs, err)
	case len(data) > maxBook || !json.Valid(data):
		errs = append(errs, fmt.Errorf("what the schedule remembers of %s is damaged", src.Name))
	default:
		p.Last = data
	}
	for _, k := range kindsOf(src) {
		kept, err := cache.Survey(c.DataDir, cache.Series{Source: src.Name, Kind: k})
		errs = append(errs, err)
		for _, i := range kept {
			p.Generations = append(p.Generations, PastGeneration{
				Kind: string(k), Number: i.Number, Started: i.Started, Ended: i.Ended, Count: i.Count, ReportedTotal: i.ReportedTotal, Added: i.Added,
				Changed: i.Changed, Removed: i.Removed, Upstream: i.Upstream, JamfVersion: i.JamfVersion, Profile: i.ProfileName, Bytes: i.Bytes,
			})
		}
	}
	return p, errors.Join(errs...)
}

// ReadUsage reads how clients called until the records were last written, without a running gateway.
func ReadUsage(c *config.Config) (clients []usage.ClientRecord, unidentified usage.Record, err error) {
	return usage.Read(filepath.Join(c.DataDir, usageFile))
}

package syncer

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"

	"jamf-gateway/gateway/jamf"
)

func serverError() error {
	return &jamf.Error{Kind: jamf.ErrServerError, Code: "jamf_cannot_render", Status: 500}
}

// Each question that a walk asks Jamf fails once, or a few times in a row, with 500: no sync may end by that.
func TestMomentOfJamfThatCannotRenderCostsNoSync(t *testing.T) {
	t.Parallel()
	// A full page that holds this row never renders; the light list and the record itself do.
	const poisoned = 70
	holds := func(page, size int) bool { return page*size < poisoned && poisoned <= (page+1)*size }
	for name, c := range map[string]struct {
		fleet int
		heavy func(n int) bool // the n-th page of the walk fails, from 0
		light func(n int) bool // the n-th page with the poisoned row fails, once that was given up at the floor
	}{
		"each third page":                          {fleet: 400, heavy: func(n int) bool { return n%3 == 2 }},
		"the first page, twice":                    {fleet: 400, heavy: func(n int) bool { return n < 2 }},
		"the light list of the floor":              {fleet: 400, light: func(n int) bool { return n == 0 }},
		"the light list of the floor, three times": {fleet: 400, light: func(n int) bool { return n < 3 }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				inv := fleet(c.fleet)
				pages, floor, lights := 0, 0, 0
				inv.page = func(_ jamf.List, page, size int) (*jamf.Page, error) {
					pages++
					switch {
					case c.heavy != nil && c.heavy(pages-1):
						return nil, serverError()
					case c.light == nil || !holds(page, size):
						return nil, nil
					case size > floorSize+floorSize/8 || floor < 2:
						if size <= floorSize+floorSize/8 {
							floor++
						}
						return nil, serverError() // the full list
					}
					if lights++; c.light(lights - 1) {
						return nil, serverError()
					}
					return nil, nil
				}
				info := newPump(t, inv).good()
				if info.Count != c.fleet {
					t.Errorf("%d of %d devices", info.Count, c.fleet)
				}
				if c.light != nil && (lights == 0 || !slices.Contains(inv.asked, poisoned)) {
					t.Error("the window was never read record by record")
				}
			})
		})
	}
}

func TestMomentInTheLookAfterTheWalkCostsNoSync(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		inv := fleet(130)
		pages, failed := 0, 0
		inv.page = func(_ jamf.List, page, size int) (*jamf.Page, error) {
			if pages++; pages == 1 { // one device more than there are: the list is looked at again
				p := &jamf.Page{Total: len(inv.ids), Version: "v4"}
				for _, id := range inv.ids[:size] {
					p.Rows = append(p.Rows, jamf.Row{Raw: computer(id)})
				}
				inv.ids = inv.ids[1:]
				return p, nil
			}
			// From here on the page of the floor that holds the end fails three times.
			if page > 0 && size <= floorSize+floorSize/8 && failed < 3 {
				failed++
				return nil, serverError()
			}
			if page == 0 && size > floorSize && pages > 3 {
				return nil, serverError()
			}
			return nil, nil
		}
		if info := newPump(t, inv).good(); info.Count != 129 {
			t.Errorf("%d devices", info.Count)
		}
		if failed == 0 {
			t.Error("nothing failed at the floor")
		}
	})
}

func TestDeviceThatOnlyTheLookShowsAndThatDoesNotRenderIsKeptAsASkeleton(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		inv := fleet(131)
		const late = 131
		looks := false
		inv.page = func(_ jamf.List, page, size int) (*jamf.Page, error) {
			if looks = looks || size > 60; looks { // the settings allow the walk no larger page
				return nil, nil
			}
			p := &jamf.Page{Total: 131, Version: "v4", Rows: []jamf.Row{}}
			for _, id := range inv.ids[min(page*size, 130):min((page+1)*size, 130)] {
				p.Rows = append(p.Rows, jamf.Row{Raw: computer(id)})
			}
			return p, nil
		}
		inv.record = func(id int64) ([]byte, error) {
			if id == late {
				return nil, serverError()
			}
			return nil, nil
		}
		info := newPump(t, inv).good()
		if info.Count != 131 || len(info.Quarantined) != 1 || info.Quarantined[0].ID != late || info.Quarantined[0].Kept != keptSkeleton {
			t.Errorf("%d devices, %+v", info.Count, info.Quarantined)
		}
	})
}

func TestMomentAtTheQuestionForTheEndCostsNoWalk(t *testing.T) {
	t.Parallel()
	tab := newTable(3, 300, 0)
	failed := 0
	o := &overlap{
		ceiling: 100, progress: func(int, int) {}, take: func(context.Context, row) error { return nil },
		fetch: func(_ context.Context, w window) (*jamf.Page, []row, error) {
			if w.size == 1 && failed == 0 {
				failed++
				return nil, nil, serverError()
			}
			p, rows, err := tab.page(w)
			if err == nil {
				p.Total += 20 // the count is too high for good
			}
			return p, rows, err
		},
	}
	if err := o.run(t.Context()); err != nil || len(o.held) != 300 {
		t.Errorf("%d held: %v", len(o.held), err)
	}
	if failed == 0 {
		t.Error("the end was never asked for")
	}
}

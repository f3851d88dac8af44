package syncer

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/jamf"
)

// errGone tells that a device was deleted while it was read.
var errGone = errors.New("device is gone")

// confirmations is the most GETs by id that one walk spends on devices that are in doubt.
const confirmations = 2000

// lightCeiling is the largest page of a light list.
const lightCeiling = 1000

// States of a stored record.
const (
	statePresent     = "present"
	stateQuarantined = "quarantined" // could not be read as usual: last good version or skeleton
	stateMissing     = "missing"     // in the parent, not in the list, and Jamf did not confirm the deletion
)

// reader is one walk: it reads every record of a kind into a builder and proves that none is missing.
type reader struct {
	walk     Walk
	kind     device.Kind
	profile  *device.Profile
	sections []string
	builder  *cache.Builder
	parent   *cache.Generation // nil on the first sync
	pageSize int
	progress func(held, total int)

	list        *overlap
	quarantined []cache.Quarantine
	asked       int // confirmations spent
	version     string
	rereadOrder bool
}

// run walks the list, then settles proofs 1 to 4. The counts are those of Jamf's last page.
func (r *reader) run(ctx context.Context) (reported int, err error) {
	r.list = &overlap{
		ceiling:  max(floorSize, r.pageSize),
		progress: r.progress,
		fetch: func(ctx context.Context, w window) (*jamf.Page, []row, error) {
			return r.fetch(ctx, w)
		},
		take:    r.take,
		isolate: r.isolate,
	}
	if err := r.list.run(ctx); err != nil {
		return 0, err
	}
	r.rereadOrder = r.list.reread
	if err := r.settleSuspects(ctx); err != nil {
		return 0, err
	}
	reported, err = r.reconcile(ctx)
	if err != nil {
		return 0, err
	}
	if err := r.confirmAbsentees(ctx); err != nil {
		return 0, err
	}
	return reported, r.checkQuarantine()
}

// fetch asks for one page with everything. An element that is not strict JSON or has no id makes the page one that
// Jamf cannot render: it is narrowed down and read record by record.
func (r *reader) fetch(ctx context.Context, w window) (*jamf.Page, []row, error) {
	p, err := r.walk.Page(ctx, listOf(r.kind), r.sections, w.page, w.size)
	if err != nil {
		return nil, nil, err
	}
	r.version = p.Version
	rows := make([]row, len(p.Rows))
	for i, e := range p.Rows {
		id, err := device.RecordID(r.kind, e.Raw)
		if e.Err != nil || err != nil {
			return nil, nil, fmt.Errorf("row %d of page %d: %w", i, w.page, errors.Join(jamf.ErrServerError, e.Err, err))
		}
		rows[i] = row{id: id, raw: e.Raw}
	}
	return p, rows, nil
}

// isolate reads a window whose page fails: a light list names the ids, then each new record is read by id.
func (r *reader) isolate(ctx context.Context, w window) (*jamf.Page, []row, error) {
	list, sections := lightListOf(r.kind)
	p, err := r.walk.Page(ctx, list, sections, w.page, w.size)
	if err != nil {
		return nil, nil, err
	}
	rows := make([]row, len(p.Rows))
	for i, e := range p.Rows {
		id, err := device.RecordID(r.kind, e.Raw)
		if err != nil {
			return nil, nil, &failure{Code: "jamf_cannot_render", Detail: "a record has no readable id", Err: err}
		}
		rows[i] = row{id: id}
		if r.list.holds(id) {
			continue
		}
		raw, err := r.walk.Record(ctx, listOf(r.kind), r.sections, id)
		switch {
		case err == nil:
			rows[i].raw = raw
		case errors.Is(err, jamf.ErrNotFound), ofTheRecord(err):
			rows[i].why = err
			rows[i].skeleton = skeleton(r.kind, e.Raw)
		default:
			return nil, nil, err
		}
	}
	return p, rows, nil
}

// ofTheRecord tells that an error is about one record and not about Jamf as a whole.
func ofTheRecord(err error) bool {
	return errors.Is(err, jamf.ErrServerError) || errors.Is(err, jamf.ErrSchema) || errors.Is(err, jamf.ErrTooLarge)
}

// take stores one new record. errGone when it was deleted meanwhile.
func (r *reader) take(ctx context.Context, e row) error {
	if errors.Is(e.why, jamf.ErrNotFound) {
		return errGone
	}
	if e.why == nil {
		err := r.store(ctx, e.id, e.raw, statePresent)
		var bad *device.RecordError
		if !errors.As(err, &bad) {
			return err
		}
		raw, again := r.walk.Record(ctx, listOf(r.kind), r.sections, e.id)
		switch {
		case errors.Is(again, jamf.ErrNotFound):
			return errGone
		case again != nil && !ofTheRecord(again):
			return again
		case again == nil:
			if err = r.store(ctx, e.id, raw, statePresent); !errors.As(err, &bad) {
				return err
			}
		}
		e.why = err
	}
	return r.quarantine(ctx, e)
}

// store cuts a record to the profile, keeps what the parent knew of sections that came back blank, and puts it.
func (r *reader) store(ctx context.Context, id int64, raw []byte, state string) error {
	body, err := r.profile.Cut(r.kind, nil, raw)
	if err != nil {
		return err
	}
	if state == statePresent {
		filled, blank, err := r.fillBlank(ctx, id, body)
		if err != nil {
			return err
		}
		if len(blank) > 0 {
			body, state = filled, stateQuarantined
			r.quarantined = append(r.quarantined, cache.Quarantine{ID: id, Reason: "blank " + blank[0], Kept: "previous"})
		}
	}
	columns, err := device.ColumnsOf(r.kind, body)
	if err != nil {
		return err
	}
	return r.builder.Put(ctx, id, body, columns, state)
}

// quarantine keeps the last good version of a record that cannot be had, else its skeleton (proof 4).
func (r *reader) quarantine(ctx context.Context, e row) error {
	reason := "unreadable"
	if errors.Is(e.why, jamf.ErrServerError) {
		reason = "jamf_cannot_render"
	}
	if r.parent != nil {
		old, err := r.parent.Get(ctx, e.id)
		if err == nil {
			r.quarantined = append(r.quarantined, cache.Quarantine{ID: e.id, Reason: reason, Kept: "previous"})
			return r.keepOld(ctx, old, stateQuarantined)
		}
		if !errors.Is(err, cache.ErrNotFound) {
			return fmt.Errorf("read the last good version of a record: %w", err)
		}
	}
	if e.skeleton == nil {
		return &failure{Code: "jamf_cannot_render", Detail: "a record can be read neither whole nor in part", Err: e.why}
	}
	r.quarantined = append(r.quarantined, cache.Quarantine{ID: e.id, Reason: reason, Kept: "skeleton"})
	return r.store(ctx, e.id, e.skeleton, stateQuarantined)
}

func (r *reader) keepOld(ctx context.Context, old cache.Record, state string) error {
	body, err := r.profile.Cut(r.kind, nil, old.Body)
	if err != nil {
		return fmt.Errorf("cut the last good version of a record: %w", err)
	}
	columns, err := device.ColumnsOf(r.kind, body)
	if err != nil {
		return fmt.Errorf("read the last good version of a record: %w", err)
	}
	return r.builder.Put(ctx, old.ID, body, columns, state)
}

// checkQuarantine rejects the walk when too much could not be read: more than max(10, 1 %), or more than 2 below 50 devices.
func (r *reader) checkQuarantine() error {
	n, limit := len(r.list.held), 2
	if n >= 50 {
		limit = max(10, n/100)
	}
	if len(r.quarantined) > limit {
		return reject("too_many_quarantined", "%d of %d records could not be read as usual, %d are allowed", len(r.quarantined), n, limit)
	}
	return nil
}

// settleSuspects asks by id for every held device that a re-read stretch no longer showed.
func (r *reader) settleSuspects(ctx context.Context) error {
	for id := range r.list.suspects {
		if _, err := r.confirm(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// confirm asks for one held device by id: gone devices are taken out, live ones are read again. Anything that is not a
// clear answer keeps what is held.
func (r *reader) confirm(ctx context.Context, id int64) (alive bool, err error) {
	if r.asked++; r.asked > confirmations {
		return true, nil
	}
	raw, err := r.walk.Record(ctx, listOf(r.kind), r.sections, id)
	switch {
	case errors.Is(err, jamf.ErrNotFound):
		r.list.drop(id)
		r.quarantined = slices.DeleteFunc(r.quarantined, func(q cache.Quarantine) bool { return q.ID == id })
		return false, r.builder.Delete(ctx, id)
	case err == nil:
		var bad *device.RecordError
		if err := r.store(ctx, id, raw, statePresent); err != nil && !errors.As(err, &bad) {
			return true, err
		}
		return true, nil
	case ofTheRecord(err):
		return true, nil
	default:
		return true, err
	}
}

// reconcile puts the held ids beside Jamf's last totalCount (proof 2). A difference is looked into by reading the ids
// of the list again, cheaply; what is held but not shown is confirmed by id, what is shown but not held is read.
// Two rounds; then only devices that left the list during the last look may remain, and they are kept until the next walk.
func (r *reader) reconcile(ctx context.Context) (reported int, err error) {
	reported = r.list.total
	if len(r.list.held) == reported {
		return reported, nil
	}
	for round := 1; round <= 2; round++ {
		look, drift, err := r.look(ctx)
		if err != nil {
			return 0, err
		}
		reported = look.total
		left := len(r.list.held) - drift - reported
		if left == 0 || round == 2 && left > 0 && left <= look.vanished {
			return reported, nil
		}
	}
	return 0, reject("count_mismatch", "%d devices were read, Jamf counts %d", len(r.list.held), reported)
}

// look reads the ids of the list once more. drift is the number of devices that Jamf knows by id and does not list.
func (r *reader) look(ctx context.Context) (look *overlap, drift int, err error) {
	list, sections := lightListOf(r.kind)
	look = &overlap{
		ceiling:  min(max(floorSize, 4*r.pageSize), lightCeiling),
		progress: func(int, int) {},
		fetch: func(ctx context.Context, w window) (*jamf.Page, []row, error) {
			p, err := r.walk.Page(ctx, list, sections, w.page, w.size)
			if err != nil {
				return nil, nil, err
			}
			rows := make([]row, len(p.Rows))
			for i, e := range p.Rows {
				if rows[i].id, err = device.RecordID(r.kind, e.Raw); err != nil {
					return nil, nil, fmt.Errorf("row %d of page %d: %w", i, w.page, err)
				}
			}
			return p, rows, nil
		},
		take: func(ctx context.Context, e row) error { return r.takeMissed(ctx, e) },
	}
	if err := look.run(ctx); err != nil {
		return nil, 0, fmt.Errorf("look at the list again: %w", err)
	}
	for _, id := range slices.Clone(r.list.held) {
		if look.holds(id) {
			continue
		}
		alive, err := r.confirm(ctx, id)
		if err != nil {
			return nil, 0, err
		}
		if alive {
			drift++
		}
	}
	return look, drift, nil
}

// takeMissed reads a device that the look shows and the walk did not.
func (r *reader) takeMissed(ctx context.Context, e row) error {
	if r.list.holds(e.id) {
		return nil
	}
	raw, err := r.walk.Record(ctx, listOf(r.kind), r.sections, e.id)
	if err != nil && !errors.Is(err, jamf.ErrNotFound) && !ofTheRecord(err) {
		return err
	}
	switch err := r.take(ctx, row{id: e.id, raw: raw, why: err}); {
	case errors.Is(err, errGone):
		return errGone
	case err != nil:
		return err
	}
	r.list.hold(e.id)
	return nil
}

// confirmAbsentees asks by id for every device of the parent that was not read now (proof 3): 404 means deleted, an
// answer means it is there and was read; anything else, and what is beyond the budget, keeps the parent's version, flagged.
func (r *reader) confirmAbsentees(ctx context.Context) error {
	if r.parent == nil || len(r.list.held) == 0 {
		return nil
	}
	ids, err := r.parent.IDs(ctx)
	if err != nil {
		return fmt.Errorf("read the ids of the parent: %w", err)
	}
	for _, id := range ids {
		if r.list.holds(id) {
			continue
		}
		if err := r.confirmAbsentee(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) confirmAbsentee(ctx context.Context, id int64) error {
	var raw []byte
	err := error(jamf.ErrServerError)
	if r.asked++; r.asked <= confirmations {
		raw, err = r.walk.Record(ctx, listOf(r.kind), r.sections, id)
	}
	switch {
	case errors.Is(err, jamf.ErrNotFound):
		return nil
	case err == nil:
		var bad *device.RecordError
		if err := r.store(ctx, id, raw, statePresent); !errors.As(err, &bad) {
			return err
		}
	case !ofTheRecord(err):
		return err
	}
	old, err := r.parent.Get(ctx, id)
	if err != nil {
		return fmt.Errorf("read the last good version of a record: %w", err)
	}
	return r.keepOld(ctx, old, stateMissing)
}

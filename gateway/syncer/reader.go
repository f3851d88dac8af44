package syncer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/jamf"
)

// errGone tells that a device was deleted while it was read.
var errGone = errors.New("device is gone")

// confirmations is the most GETs by id that one walk spends on devices that are in doubt.
const confirmations = 2000

// emptyConfirmations is how many devices are asked for by id before a list without any is believed.
const emptyConfirmations = 10

// errNotAsked tells that a confirmation was not spent.
var errNotAsked = errors.New("not asked")

// Words of a quarantine entry.
const (
	reasonNotListed = "not_listed" // in the parent, no longer listed, and Jamf did not confirm the deletion
	keptPrevious    = "previous"
	keptSkeleton    = "skeleton"
)

// lightCeiling is the largest page of a light list.
const lightCeiling = 1000

// maxUnanswered is how many confirmations in a row may stay without a clear answer before the walk asks no more.
const maxUnanswered = 10

// reader is one walk: it reads every record of a kind into a builder and proves that none is missing.
type reader struct {
	walk     Walk
	kind     device.Kind
	profile  *device.Profile
	terms    *device.TermReader // what the views of clients ask of a record before it is cut
	sections []string
	builder  *cache.Builder
	parent   *cache.Generation                                         // nil on the first sync
	older    func(ctx context.Context, id int64) (cache.Record, error) // from a generation before the parent; nil = none
	pageSize int
	progress func(held, total int)
	now      func() time.Time // nil: time.Now

	stretches int
	turn      sync.Mutex // see overlap

	list        *overlap
	quarantined map[int64]cache.Quarantine
	asked       int // confirmations spent
	unanswered  int // confirmations in a row without a clear answer
	version     string
	sent        sent
	rereadOrder bool
}

// run walks the list, then settles proofs 1 to 4. The counts are those of Jamf's last page.
func (r *reader) run(ctx context.Context) (reported int, err error) {
	r.quarantined = map[int64]cache.Quarantine{}
	r.sent = newSent(r.sections)
	if r.now == nil {
		r.now = time.Now
	}
	r.turn.Lock()
	defer r.turn.Unlock()
	r.walk = yielding{r.walk, &r.turn}
	r.list = &overlap{
		abreast:  r.stretches,
		turn:     &r.turn,
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

// fetch asks for one page with everything. An element that is no strict JSON costs itself; one without a readable id makes
// the page one that Jamf cannot render: it is narrowed down and read record by record.
func (r *reader) fetch(ctx context.Context, w window) (*jamf.Page, []row, error) {
	p, err := r.walk.Page(ctx, listOf(r.kind), r.sections, w.page, w.size)
	if err != nil {
		return nil, nil, err
	}
	r.version = p.Version
	rows := make([]row, len(p.Rows))
	for i, e := range p.Rows {
		id, raw, err := r.identify(e)
		if err != nil {
			return nil, nil, fmt.Errorf("row %d of page %d: %w", i, w.page, errors.Join(jamf.ErrServerError, e.Err, err))
		}
		rows[i] = row{id: id, raw: e.Raw}
		if e.Err != nil {
			rows[i] = row{id: id, unfit: e.Err, skeleton: raw}
		}
	}
	r.sent.learn(rows)
	return p, rows, nil
}

// identify finds the id of an element, also of one that is no strict JSON: of that, raw is what can be saved.
func (r *reader) identify(e jamf.Row) (id int64, raw []byte, err error) {
	raw = e.Raw
	if e.Err != nil {
		if raw = salvage(e.Raw); raw == nil {
			return 0, nil, e.Err
		}
	}
	id, err = device.RecordID(r.kind, raw)
	return id, raw, err
}

// isolate reads a window whose page fails: a light list names the ids, then each new record is read by id.
func (r *reader) isolate(ctx context.Context, w window) (*jamf.Page, []row, error) {
	list, sections := lightListOf(r.kind)
	p, err := insist(ctx, r.walk, list, sections, w)
	if err != nil {
		return nil, nil, err
	}
	rows := make([]row, len(p.Rows))
	for i, e := range p.Rows {
		id, light, err := r.identify(e)
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
			rows[i].skeleton = skeleton(r.kind, light)
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
		var bad *device.RecordError
		err := e.unfit
		if err == nil {
			if err = r.store(ctx, e.id, e.raw, cache.StatePresent); !errors.As(err, &bad) {
				return err
			}
		}
		raw, again := r.walk.Record(ctx, listOf(r.kind), r.sections, e.id)
		switch {
		case errors.Is(again, jamf.ErrNotFound):
			return errGone
		case again != nil && !ofTheRecord(again):
			return again
		case again == nil:
			if err = r.store(ctx, e.id, raw, cache.StatePresent); !errors.As(err, &bad) {
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
	whole := state == cache.StatePresent
	if whole {
		delete(r.quarantined, id) // it can be read now
		filled, blank, err := r.fillBlank(ctx, id, raw, body)
		if err != nil {
			return err
		}
		if len(blank) > 0 {
			body, state = filled, cache.StateQuarantined
			r.quarantined[id] = cache.Quarantine{ID: id, Reason: "blank " + blank[0], Kept: keptPrevious}
		}
	}
	columns, err := device.ColumnsOf(r.kind, r.builder.Columns(), body)
	if err != nil {
		return err
	}
	if whole { // a skeleton says nothing of sites and groups: what the parent knew stays
		if columns.Terms, err = r.terms.Of(raw); err != nil {
			return err
		}
	}
	return r.builder.Put(ctx, id, body, columns, state)
}

// quarantine keeps the last good version of a record that cannot be had, else its skeleton (proof 4).
func (r *reader) quarantine(ctx context.Context, e row) error {
	reason := "unreadable"
	if errors.Is(e.why, jamf.ErrServerError) {
		reason = "jamf_cannot_render"
	}
	old, err := r.lastGood(ctx, e.id)
	switch {
	case err == nil:
		r.quarantined[e.id] = cache.Quarantine{ID: e.id, Reason: reason, Kept: keptPrevious}
		return r.keepOld(ctx, old, cache.StateQuarantined)
	case ctx.Err() != nil:
		return ctx.Err()
	}
	if e.skeleton == nil {
		return &failure{Code: "jamf_cannot_render", Detail: "a record can be read neither whole nor in part", Err: e.why}
	}
	r.quarantined[e.id] = cache.Quarantine{ID: e.id, Reason: reason, Kept: keptSkeleton}
	err = r.store(ctx, e.id, e.skeleton, cache.StateQuarantined)
	if _, bad := errors.AsType[*device.RecordError](err); bad {
		return &failure{Code: "jamf_cannot_render", Detail: "a record can be read neither whole nor in part", Err: err}
	}
	return err
}

func (r *reader) keepOld(ctx context.Context, old cache.Record, state string) error {
	body, err := r.profile.Cut(r.kind, nil, old.Body)
	if err != nil {
		return fmt.Errorf("cut the last good version of a record: %w", err)
	}
	columns, err := device.ColumnsOf(r.kind, r.builder.Columns(), body)
	if err != nil {
		return fmt.Errorf("read the last good version of a record: %w", err)
	}
	return r.builder.Put(ctx, old.ID, body, columns, state)
}

// lastGood is the newest version of a record that any kept generation can still give.
func (r *reader) lastGood(ctx context.Context, id int64) (cache.Record, error) {
	if r.parent == nil {
		return cache.Record{}, cache.ErrNotFound
	}
	old, err := r.parent.Get(ctx, id)
	if err == nil || errors.Is(err, cache.ErrNotFound) || r.older == nil {
		return old, err
	}
	if old, again := r.older(ctx, id); again == nil {
		return old, nil
	}
	return cache.Record{}, err
}

// flags lists what is flagged, for the generation's description.
func (r *reader) flags() []cache.Quarantine { return slices.Collect(maps.Values(r.quarantined)) }

// checkQuarantine rejects the walk when too much could not be read: more than max(10, 1 %), or more than 2 below 50 devices.
func (r *reader) checkQuarantine() error {
	n, limit := len(r.list.held), 2
	if n >= 50 {
		limit = max(10, n/100)
	}
	unreadable := 0
	for _, q := range r.quarantined {
		if q.Reason != reasonNotListed { // what Jamf no longer lists says nothing about what it can render
			unreadable++
		}
	}
	if unreadable > limit {
		return reject("too_many_quarantined", "%d of %d records could not be read as usual, %d are allowed", unreadable, n, limit)
	}
	return nil
}

// settleSuspects asks by id for every held device that a re-read stretch no longer showed.
func (r *reader) settleSuspects(ctx context.Context) error {
	for _, id := range slices.Sorted(maps.Keys(r.list.suspects)) { // in one order: what is beyond the budget must not be chance
		if _, err := r.confirm(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// confirm asks for one held device by id: gone devices are taken out, live ones are read again. Anything that is not a
// clear answer keeps what is held.
func (r *reader) confirm(ctx context.Context, id int64) (alive bool, err error) {
	raw, err := r.ask(ctx, id)
	switch {
	case errors.Is(err, jamf.ErrNotFound):
		r.list.drop(id)
		delete(r.quarantined, id)
		return false, r.builder.Delete(ctx, id)
	case err == nil:
		var bad *device.RecordError
		if err := r.store(ctx, id, raw, cache.StatePresent); err != nil && !errors.As(err, &bad) {
			return true, err
		}
		return true, nil
	default:
		return true, ctx.Err()
	}
}

// ask is one confirmation by id. Beyond the budget, and once Jamf stopped to answer - its breaker is open, it refuses the
// credentials, or ten confirmations in a row brought nothing clear -, no more is asked and every device in doubt is kept:
// the list itself was read to its end and proved, so nothing is lost by publishing it, while waiting for one hanging record
// could keep a walk for days, and rejecting it would throw away what was proved for devices that are kept either way.
func (r *reader) ask(ctx context.Context, id int64) ([]byte, error) {
	if r.asked >= confirmations || r.unanswered >= maxUnanswered {
		return nil, errNotAsked
	}
	r.asked++
	raw, err := r.walk.Record(ctx, listOf(r.kind), r.sections, id)
	switch {
	case err == nil, errors.Is(err, jamf.ErrNotFound):
		r.unanswered = 0
	case errors.Is(err, jamf.ErrBreakerOpen), errors.Is(err, jamf.ErrAuthFailed):
		r.unanswered = maxUnanswered
	default:
		r.unanswered++
	}
	return raw, err
}

// reconcile puts the held ids beside Jamf's last totalCount (proof 2). A difference is looked into by reading the ids
// of the list again, cheaply; what is held but not shown is confirmed by id, what is shown but not held is read.
// Two rounds; then only devices that left the list during the last look may remain, and they are kept until the next walk.
func (r *reader) reconcile(ctx context.Context) (reported int, err error) {
	reported = r.list.total
	if len(r.list.held) == reported && !r.list.short { // a row that was left out and a held one that was deleted make an equal number
		return reported, nil
	}
	for round := 1; round <= 2; round++ {
		look, drift, err := r.look(ctx)
		if err != nil {
			return 0, err
		}
		reported = look.total
		if drift > 0 && drift == len(r.list.held) { // it is empty, and whatever is held lives: it proves nothing, whatever the numbers say
			return 0, reject("count_mismatch", "%d devices were read and live, and none of them was listed a moment later", drift)
		}
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
		abreast:  r.stretches,
		turn:     &r.turn,
		ceiling:  min(max(floorSize, 4*r.pageSize), lightCeiling),
		progress: func(int, int) {},
		fetch: func(ctx context.Context, w window) (*jamf.Page, []row, error) {
			p, err := r.walk.Page(ctx, list, sections, w.page, w.size)
			if err != nil {
				return nil, nil, err
			}
			rows := make([]row, len(p.Rows))
			for i, e := range p.Rows {
				id, light, err := r.identify(e)
				if err != nil {
					return nil, nil, fmt.Errorf("row %d of page %d: %w", i, w.page, err)
				}
				rows[i] = row{id: id, skeleton: skeleton(r.kind, light)}
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
	switch err := r.take(ctx, row{id: e.id, raw: raw, skeleton: e.skeleton, why: err}); {
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

// confirmEmpty asks for the first devices of the parent by id, where the list shows none: unless Jamf says of each that it is
// deleted, the list is not believed.
func (r *reader) confirmEmpty(ctx context.Context) error {
	ids, err := r.parent.IDs(ctx)
	if err != nil {
		return fmt.Errorf("read the ids of the parent: %w", err)
	}
	r.turn.Lock()
	defer r.turn.Unlock()
	for _, id := range ids[:min(len(ids), emptyConfirmations)] {
		switch _, err := r.ask(ctx, id); {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil:
			return reject("empty_unconfirmed", "Jamf lists none of %d devices, and still knows the first of them", len(ids))
		case !errors.Is(err, jamf.ErrNotFound):
			return reject("empty_unconfirmed", "Jamf lists none of %d devices, and does not confirm that they are deleted", len(ids))
		}
	}
	return nil
}

func (r *reader) confirmAbsentee(ctx context.Context, id int64) error {
	raw, err := r.ask(ctx, id)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, jamf.ErrNotFound):
		return nil
	case err == nil:
		var bad *device.RecordError
		if err := r.store(ctx, id, raw, cache.StatePresent); !errors.As(err, &bad) {
			return err
		}
	}
	old, err := r.lastGood(ctx, id)
	if err != nil {
		return &failure{Code: "store_corrupt", Detail: "a device that Jamf neither lists nor confirms as deleted cannot be read from disk", Err: err}
	}
	r.quarantined[id] = cache.Quarantine{ID: id, Reason: reasonNotListed, Kept: keptPrevious, Since: r.missingSince(id)}
	return r.keepOld(ctx, old, cache.StateMissing)
}

// missingSince is when a device was first kept although it was no longer listed: now, or as the parent has it.
func (r *reader) missingSince(id int64) time.Time {
	now := r.now().UTC().Round(0)
	info := r.parent.Info()
	at, found := slices.BinarySearchFunc(info.Quarantined, id, func(q cache.Quarantine, id int64) int { return cmp.Compare(q.ID, id) })
	switch {
	case !found || info.Quarantined[at].Reason != reasonNotListed:
		return now
	case info.Quarantined[at].Since.IsZero(): // by a release that did not write it
		return info.Ended
	}
	return info.Quarantined[at].Since
}

package server

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/rsql"
)

const (
	paramFilter = "filter"
	paramSort   = "sort"
)

// question is a filter and a sort as a request writes them; both may be absent.
type question struct {
	dialect device.Dialect
	filter  rsql.Expr // nil = everything
	sort    string    // "" = the order of the dialect
}

// ask reads the filter of a question; where it stops being one is said in the answer.
func newQuestion(d device.Dialect, filter, sort string) (question, *fault) {
	q := question{dialect: d, sort: sort}
	if strings.TrimSpace(filter) == "" {
		return q, nil
	}
	expr, err := rsql.Parse(filter)
	if err != nil {
		if at, ok := errors.AsType[*rsql.SyntaxError](err); ok {
			return q, &fault{code: codeFilter, field: paramFilter, detail: clip(fmt.Sprintf("At character %d: %s.", at.At+1, printable(at.Problem)), maxDetail)}
		}
		return q, &fault{code: codeFilter, field: paramFilter}
	}
	q.filter = expr
	return q, nil
}

// asked tells that there is a filter or a sort.
func (q question) asked() bool { return q.filter != nil || q.sort != "" }

// canonical is the question in one spelling.
func (q question) canonical() string {
	filter := ""
	if q.filter != nil {
		filter = rsql.Canonical(q.filter)
	}
	return fmt.Sprintf("filter=%q sort=%q", filter, q.sort)
}

// parts binds a normalized query to every series that has a generation. The short forms are comparisons like others.
func (q devicesQuery) parts(r *reading) ([]cache.Part, *fault) {
	parts := []cache.Part{}
	for _, sr := range r.concerned {
		if sr.generation == nil {
			continue
		}
		p, f := q.question.with(q.shortForms()).part(sr)
		if f != nil {
			return nil, f
		}
		parts = append(parts, p)
	}
	return parts, nil
}

// selects tells that a list is not all devices in their usual order.
func (q devicesQuery) selects() bool { return q.question.asked() || len(q.shortForms()) > 0 }

// shortForms are serialNumber=, udid=, name= and platform= as comparisons.
func (q devicesQuery) shortForms() []rsql.Expr {
	var out []rsql.Expr
	for _, short := range [][2]string{{fieldSerial, q.serial}, {fieldUDID, q.udid}, {fieldName, q.name}, {fieldPlatform, q.platform}} {
		if short[1] != "" {
			out = append(out, rsql.Comparison{Selector: short[0], Op: rsql.Equal, Values: []rsql.Value{{Text: short[1], Parts: []string{short[1]}}}})
		}
	}
	return out
}

// with adds conditions to the filter.
func (q question) with(more []rsql.Expr) question {
	if len(more) == 0 {
		return q
	}
	if q.filter != nil {
		more = append(more, q.filter)
	}
	q.filter = rsql.And(more)
	return q
}

// part binds the question to what its asker sees of one series.
func (q question) part(sr *series) (cache.Part, *fault) {
	if q.asked() && sr.info.MappingVersion != device.MappingVersion {
		return cache.Part{}, &fault{code: codeRemapping, source: sr.Source, retryAfter: shortestRetryAfter}
	}
	if q.asked() && sr.info.ProfilePaths == nil {
		return cache.Part{}, &fault{code: codeNoColumns, source: sr.Source, retryAfter: longestRetryAfter}
	}
	scope := device.Selectors{Kind: sr.Kind, Dialect: q.dialect, Kept: sr.info.ProfilePaths, Profile: sr.profile}
	p := cache.Part{Generation: sr.generation, View: sr.view}
	var err error
	if q.filter != nil {
		if p.Where, err = scope.Bind(q.filter); err != nil {
			return p, selectorFault(paramFilter, codeFilter, sr.Source, err)
		}
	}
	if q.sort == "" && q.dialect == device.NormalizedNames {
		return p, nil // by source, kind and id
	}
	if p.Order, err = scope.BindSort(q.sort); err != nil {
		return p, selectorFault(paramSort, codeSort, sr.Source, err)
	}
	return p, nil
}

// selectorFault says which name of a filter or sort cannot be used, and why.
func selectorFault(param, code, source string, err error) *fault {
	refused, ok := errors.AsType[*device.SelectorError](err)
	if !ok {
		return &fault{code: code, field: param, source: source, cause: err}
	}
	if refused.Why == device.Hidden || refused.Why == device.NotKept {
		code = codeHiddenField
	}
	where := ""
	if refused.At >= 0 {
		where = fmt.Sprintf("At character %d: ", refused.At+1)
	}
	return &fault{code: code, field: param, source: source, detail: clip(where+printable(refused.Error())+".", maxDetail)}
}

// plain tells that a part is all of its generation in id order: it needs no selection.
func plain(p cache.Part) bool {
	everything := len(p.Where.All) == 0 && len(p.Where.Any) == 0 && p.Where.Op == 0
	return everything && (len(p.Order) == 0 || p.Order[0].Column.Type == device.IDColumn && !p.Order[0].Descending)
}

// rows is the ordered list of one series that a façade request pages through.
type rows struct {
	count     int
	view      *cache.View      // in id order, where there is no selection
	selection *cache.Selection // nil: id order
}

// rows finds what the question selects of the series. A generation of an older program has nothing to sort by: its
// usual order is then that of the ids, and a filter or sort that was asked for is a 503 until the next sync.
func (s *Server) rows(ctx context.Context, q question, sr *series) (rows, *fault) {
	part, f := q.part(sr)
	if f != nil {
		return rows{}, f
	}
	if plain(part) {
		return rows{count: sr.count(), view: sr.view}, nil
	}
	selection, err := s.o.Store.Select(ctx, []cache.Part{part})
	switch {
	case errors.Is(err, cache.ErrNoFacts) && q.filter == nil && q.sort == "":
		return rows{count: sr.count(), view: sr.view}, nil
	case err != nil:
		return rows{}, storeFault(err, sr.Source)
	}
	return rows{count: selection.Len(), selection: &selection}, nil
}

// records reads n rows from the offset-th on.
func (r rows) records(ctx context.Context, g *cache.Generation, offset, n int) ([]cache.Record, error) {
	switch {
	case r.selection == nil && r.view.Digest() == "":
		return g.Page(ctx, offset, n)
	case r.selection == nil:
		return g.Records(ctx, r.view.Slice(offset, n))
	}
	places := r.selection.Places(offset, n)
	ids := make([]int64, len(places))
	for i, p := range places {
		ids[i] = p.ID
	}
	return g.Records(ctx, ids)
}

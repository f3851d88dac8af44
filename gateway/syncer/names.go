package syncer

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"jamf-gateway/cache"
	"jamf-gateway/gateway/device"
	"jamf-gateway/gateway/jamf"
)

// namesPatience is how long a walk that has all its devices waits for their names.
const namesPatience = 2 * time.Minute

// sites reads what Jamf's sites are called, where a filter names one: mobile devices come with its id alone. nil = not known, and then a
// filter by name stays as it was in the parent.
func (s *Syncer) sites(ctx context.Context, l *line, w Walk, rights jamf.Rights, terms []string) *device.Names {
	from := jamf.NameList(device.Sites)
	if l.kind != device.Mobile || !device.NeedsSites(terms) || rights.Known && !rights.Has(from.Right()) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, namesPatience)
	defer cancel()
	got, err := w.Names(ctx, from)
	if err != nil {
		s.log.WarnContext(ctx, "sites could not be read, which devices are of one by its name stays as it was",
			"source", l.src.Name, "kind", l.kind, "code", codeOf(err), "detail", detailOf(err))
		return nil
	}
	return device.SiteNames(got)
}

// names reads what the ids in the records are called: the lists that the profile needs and the rights allow. It never
// fails a walk: a list that cannot be read keeps the names of the parent. Without the right a list has no names.
func (s *Syncer) names(ctx context.Context, l *line, w Walk, rights jamf.Rights, parent *cache.Generation) *device.Names {
	lists := l.src.Profile.NameLists(l.kind)
	if l.src.SkipNames || len(lists) == 0 {
		return nil
	}
	ctx, span := s.tracer.Start(ctx, "names", trace.WithAttributes(
		attribute.String("jamf.source", l.src.Name), attribute.String("jamf.kind", string(l.kind))))
	defer span.End()
	ctx, cancel := context.WithTimeout(ctx, namesPatience)
	defer cancel()
	var kept *device.Names
	if parent != nil {
		kept = parent.Names().Only(lists...)
	}
	for _, list := range lists {
		from := jamf.NameList(list)
		if rights.Known && !rights.Has(from.Right()) {
			kept = kept.Replace(list, nil)
			continue
		}
		got, err := w.Names(ctx, from)
		switch {
		case err == nil:
			kept = kept.Replace(list, got)
		case errors.Is(err, jamf.ErrForbidden) && !rights.Known:
			kept = kept.Replace(list, nil)
		default:
			s.log.WarnContext(ctx, "names could not be read, those of the generation before are kept",
				"source", l.src.Name, "kind", l.kind, "list", list, "code", codeOf(err), "detail", detailOf(err))
		}
	}
	return kept
}

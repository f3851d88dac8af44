package server

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"jamf-gateway/gateway/device"
)

// Normalized names of the fields that can be filtered by, as profiles know them.
const (
	fieldSerial   = "identity.serialNumber"
	fieldUDID     = "identity.udid"
	fieldName     = "name"
	fieldPlatform = "os.platform"

	fieldApplications = "applications"
)

const (
	defaultLimit   = 100
	maxLimit       = 1000
	maxQueryValue  = 512
	paramSource    = "source"
	paramKind      = "kind"
	paramSerial    = "serialNumber"
	paramUDID      = "udid"
	paramName      = "name"
	paramPlatform  = "platform"
	paramLimit     = "limit"
	paramCursor    = "cursor"
	paramRequire   = "require"
	paramFields    = "fields"
	requireFresh   = "fresh"
	maxFilterValue = 8192
)

// devicesQuery is the query of GET /v1/devices, typed. "" = not given.
type devicesQuery struct {
	source   string
	kind     device.Kind
	serial   string
	udid     string
	name     string
	platform string
	limit    int
	cursor   string
	fresh    bool
	filter   string
	sort     string
	question question // filter and sort, read
	show     *device.Projection

	asked struct { // what stands in the query, whatever holds without it
		limit  int
		fields string
	}
}

// parseDevicesQuery reads the raw query of GET /v1/devices. Nothing is ignored: what it does not know is a 400.
func parseDevicesQuery(raw string) (devicesQuery, *fault) {
	q := devicesQuery{limit: defaultLimit}
	values, f := singleValues(strings.ReplaceAll(raw, ";", "%3B")) // as filters are often sent
	if f != nil {
		return q, f
	}
	for _, name := range sortedKeys(values) {
		if f := q.set(name, values[name]); f != nil {
			return q, f
		}
	}
	q.question, f = newQuestion(device.NormalizedNames, q.filter, q.sort)
	return q, f
}

func (q *devicesQuery) set(name, value string) *fault {
	if value == "" && name != paramRequire {
		return badParameter(name, fmt.Sprintf("%s is empty.", printable(clip(name, 64))))
	}
	switch name {
	case paramSource:
		q.source = value
	case paramKind:
		q.kind = device.Kind(value)
		if q.kind != device.Computer && q.kind != device.Mobile {
			return badParameter(name, "kind must be computer or mobile.")
		}
	case paramSerial:
		q.serial = strings.ToUpper(strings.TrimSpace(value))
	case paramUDID:
		q.udid = strings.ToUpper(value)
	case paramName:
		q.name = value
	case paramPlatform:
		switch value {
		case "macos", "ios", "ipados", "tvos", "watchos", "visionos", "unknown":
			q.platform = value
		default:
			return badParameter(name, "platform must be macos, ios, ipados, tvos, watchos, visionos or unknown.")
		}
	case paramLimit:
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 || n > maxLimit {
			return badParameter(name, fmt.Sprintf("limit must be a number from 1 to %d.", maxLimit))
		}
		q.limit, q.asked.limit = n, n
	case paramCursor:
		q.cursor = value
	case paramRequire:
		return q.require(value)
	case paramFilter:
		q.filter = value
	case paramSort:
		q.sort = value
	case paramFields:
		var f *fault
		if q.show, f = parseFields(value); f == nil {
			q.asked.fields = value
		}
		return f
	default:
		return unknownParameter(name, paramCursor, paramFields, paramFilter, paramKind, paramLimit, paramName, paramPlatform,
			paramRequire, paramSerial, paramSort, paramSource, paramUDID)
	}
	return nil
}

func (q *devicesQuery) require(value string) *fault {
	if value != requireFresh {
		return badParameter(paramRequire, "require can only be fresh.")
	}
	q.fresh = true
	return nil
}

// parseFields reads the fields that are asked for.
func parseFields(value string) (*device.Projection, *fault) {
	p, err := device.ParseProjection(value)
	if wrong, ok := errors.AsType[*device.FieldNameError](err); ok {
		return nil, badParameter(paramFields, fmt.Sprintf("fields: there is no field %q here, the nearest is %s.", clip(printable(wrong.Name), 64), wrong.Nearest))
	}
	return p, nil
}

// deviceQuery is the query of GET /v1/devices/{uid}, typed.
type deviceQuery struct {
	fresh  bool
	show   *device.Projection
	fields string // as asked
}

func parseDeviceQuery(raw string) (deviceQuery, *fault) {
	values, f := singleValues(raw)
	if f != nil {
		return deviceQuery{}, f
	}
	var q devicesQuery
	for _, name := range sortedKeys(values) {
		switch name {
		case paramRequire, paramFields:
			f = q.set(name, values[name])
		default:
			f = unknownParameter(name, paramFields, paramRequire)
		}
		if f != nil {
			return deviceQuery{}, f
		}
	}
	return deviceQuery{fresh: q.fresh, show: q.show, fields: q.asked.fields}, nil
}

// parseRequireOnly reads a query in which only require=fresh may stand.
func parseRequireOnly(raw string) (fresh bool, f *fault) {
	values, f := singleValues(raw)
	if f != nil {
		return false, f
	}
	var q devicesQuery
	for _, name := range sortedKeys(values) {
		if name != paramRequire {
			return false, unknownParameter(name, paramRequire)
		}
		if f := q.require(values[name]); f != nil {
			return false, f
		}
	}
	return q.fresh, nil
}

// parseNoQuery refuses any parameter.
func parseNoQuery(raw string) *fault {
	values, f := singleValues(raw)
	if f != nil {
		return f
	}
	for _, name := range sortedKeys(values) {
		return unknownParameter(name)
	}
	return nil
}

// unknownParameter names what could be asked instead, in alphabetical order; valid empty = nothing.
func unknownParameter(name string, valid ...string) *fault {
	rest := "It takes none."
	if len(valid) > 0 {
		rest = "It takes " + strings.Join(valid, ", ") + "."
	}
	f := badParameter(name, fmt.Sprintf("%s is not a parameter of this path. %s", printable(clip(name, 64)), rest))
	f.code = codeUnknownParameter
	return f
}

// canonical is the part of the query that selects devices, in one spelling: two queries that mean the same have the
// same canonical form, and no two others.
func (q devicesQuery) canonical() string {
	short := fmt.Sprintf("source=%q kind=%q serial=%q udid=%q name=%q platform=%q", q.source, string(q.kind), q.serial, q.udid, q.name, q.platform)
	if q.question.asked() {
		short += " " + q.question.canonical()
	}
	return short
}

// filtered lists the normalized fields that the query filters by, with the parameter of each.
func (q devicesQuery) filtered() map[string]string {
	out := map[string]string{}
	for field, f := range map[string][2]string{
		fieldSerial: {paramSerial, q.serial}, fieldUDID: {paramUDID, q.udid},
		fieldName: {paramName, q.name}, fieldPlatform: {paramPlatform, q.platform},
	} {
		if f[1] != "" {
			out[field] = f[0]
		}
	}
	return out
}

// singleValues decodes a raw query in which no parameter may be repeated.
func singleValues(raw string) (map[string]string, *fault) {
	values, f := queryValues(raw, maxQueryValue)
	if f != nil {
		return nil, f
	}
	out := make(map[string]string, len(values))
	for name, list := range values {
		if len(list) > 1 {
			return nil, badParameter(name, fmt.Sprintf("%s stands more than once.", printable(clip(name, 64))))
		}
		out[name] = list[0]
	}
	return out, nil
}

// queryValues decodes a raw query strictly: whole percent-encodings, valid UTF-8, no control characters, bounded lengths.
func queryValues(raw string, longest int) (url.Values, *fault) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return nil, &fault{code: codeBadRequest, detail: "The query holds a broken percent-encoding or a semicolon."}
	}
	for name, list := range values {
		for _, v := range list {
			most := longest
			if name == paramFilter || name == paramFields {
				most = max(longest, maxFilterValue)
			}
			if len(v) > most && name != paramCursor {
				return nil, badParameter(name, fmt.Sprintf("%s is longer than %d bytes.", printable(clip(name, 64)), most))
			}
			if !utf8.ValidString(v) || strings.ContainsFunc(v, isControl) {
				return nil, badParameter(name, fmt.Sprintf("%s holds a byte that is no text.", printable(clip(name, 64))))
			}
		}
	}
	return values, nil
}

func isControl(r rune) bool { return r < 0x20 || r == 0x7f }

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

package server

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"jamf-gateway/gateway/device"
)

const (
	jamfDefaultPageSize = 100
	maxJamfValue        = 8192      // real filters are long
	jamfMaxNumber       = 1<<31 - 1 // Jamf's page and page-size are int32
)

// jamfQuery is the query of a façade list, typed.
type jamfQuery struct {
	page, size int
	sections   device.Sections
	question   question

	asked struct { // what stands in the query, whatever holds without it
		size     int
		sections device.Sections
	}
}

// step is what the page means for the client's run.
func (q jamfQuery) step(list listID) step {
	if q.page == 0 {
		return step{ask: askFirst, list: list, columns: q.question.asked()}
	}
	return step{ask: askMore, list: list}
}

// parseJamfQuery reads the query of a façade list. What Jamf does not know, Jamf ignores, and so does the façade. Filters
// are often sent with a bare semicolon.
func parseJamfQuery(raw string, l facadeList) (jamfQuery, *fault) {
	q := jamfQuery{}
	values, f := queryValues(strings.ReplaceAll(raw, ";", "%3B"), maxJamfValue)
	if f != nil {
		return q, f
	}
	if q.page, f = jamfNumber(values, 0, 0, "page"); f != nil {
		return q, f
	}
	if q.asked.size, f = jamfNumber(values, 0, 1, "page-size", "pagesize", "size"); f != nil {
		return q, f
	}
	q.size = cmp.Or(q.asked.size, jamfDefaultPageSize)
	filter := ""
	if !l.ignoresFilter {
		if filter, f = jamfFilter(values[paramFilter]); f != nil {
			return q, f
		}
	}
	if q.question, f = newQuestion(l.shape.Dialect(), filter, strings.Join(values[paramSort], ",")); f != nil {
		return q, f
	}
	if l.sections {
		q.sections, f = jamfSections(l.shape, values["section"])
	}
	if values.Has("section") {
		q.asked.sections = q.sections
	}
	return q, f
}

// jamfNumber reads the first of the spellings that is given; every repetition of it must be the same number.
func jamfNumber(values url.Values, otherwise, least int, spellings ...string) (int, *fault) {
	for _, name := range spellings {
		given := values[name]
		if len(given) == 0 {
			continue
		}
		n, err := strconv.ParseInt(given[0], 10, 64)
		if err != nil || n < int64(least) || n > jamfMaxNumber {
			return 0, badParameter(name, fmt.Sprintf("%s must be a whole number from %d to %d.", name, least, jamfMaxNumber))
		}
		for _, again := range given[1:] {
			if again != given[0] {
				return 0, badParameter(name, fmt.Sprintf("%s stands more than once.", name))
			}
		}
		return int(n), nil
	}
	return otherwise, nil
}

// jamfFilter is the one filter of a query; of two, one would have to be ignored.
func jamfFilter(given []string) (string, *fault) {
	filter := ""
	for _, one := range given {
		switch {
		case strings.TrimSpace(one) == "":
		case filter != "" && filter != one:
			return "", badParameter(paramFilter, "filter stands more than once.")
		default:
			filter = one
		}
	}
	return filter, nil
}

// jamfSections reads section parameters; an unknown section is Jamf's 400.
func jamfSections(shape device.Shape, given []string) (device.Sections, *fault) {
	sections, err := device.ParseSections(shape, given)
	if err != nil {
		if unknown, ok := errors.AsType[*device.UnknownSectionError](err); ok {
			return 0, badParameter("section", fmt.Sprintf("The section %q does not exist here.", clip(printable(unknown.Section), 64)))
		}
		return 0, badParameter("section", "")
	}
	return sections, nil
}

// jamfID reads an id of a path: Jamf's ids are positive decimal numbers.
func jamfID(text string) (int64, *fault) {
	if len(text) == 0 || len(text) > 19 {
		return 0, badParameter("id", "id must be a decimal number.")
	}
	for _, b := range []byte(text) {
		if b < '0' || b > '9' {
			return 0, badParameter("id", "id must be a decimal number.")
		}
	}
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, &fault{code: codeUnknownDevice} // beyond 63 bits: nothing has such an id
	}
	return id, nil
}

// pageWindow tells which rows of a list of count a page shows. tooLarge: it would show more than limit rows; Jamf cuts
// such a page silently, which shortens the list of a client that stops at a short page.
func pageWindow(count, page, size, limit int) (offset, rows int, tooLarge bool) {
	from := int64(page) * int64(size)
	if from >= int64(count) {
		return count, 0, false
	}
	rows = int(min(int64(size), int64(count)-from))
	return int(from), rows, rows > limit
}

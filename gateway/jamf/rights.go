package jamf

import (
	"context"
	"io"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// The two rights of the gateway.
const (
	ReadComputers     = "Read Computers"
	ReadMobileDevices = "Read Mobile Devices"
)

// Rights is what GET /v1/auth says of the token (both old and new shapes are read; global rights and those by site).
type Rights struct {
	Privileges []string // sorted, distinct
	Known      bool     // false when the answer held no privileges anywhere
}

// Has tells whether the right is among them.
func (r Rights) Has(name string) bool { return slices.Contains(r.Privileges, name) }

// readsOneOf tells whether a right is one to read what one of the paths names: Read Departments of /v1/departments, Read Smart
// Computer Groups of /v1/computer-groups/{id}. Inferred from how Jamf names both.
func readsOneOf(paths []string, right string) bool {
	what, reads := strings.CutPrefix(strings.ToLower(right), "read ")
	return reads && slices.ContainsFunc(paths, func(path string) bool {
		for segment := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
			words := strings.ReplaceAll(segment, "-", " ")
			if strings.HasSuffix(" "+what, " "+words) {
				return true
			}
		}
		return false
	})
}

// Rights asks what the token may do.
func (w *Walk) Rights(ctx context.Context) (Rights, error) {
	ctx, span := w.src.startCall(ctx, "jamf auth", "auth")
	var out Rights
	err := w.ask(ctx, rightsCall(&out))
	if err != nil {
		endSpan(span, err)
		return Rights{}, err
	}
	endSpan(span, nil)
	return out, nil
}

func rightsCall(out *Rights) *call {
	return &call{op: "auth", path: "/v1/auth", limit: maxSmallBytes, first: true, read: func(r io.Reader) error {
		b, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		*out, err = readRights(b)
		return err
	}}
}

// readRights reads all places where Jamf has been seen to put privileges: account.privilegesBySite (key "-1" = global),
// account.privileges, accountGroups[].privileges, and top-level authorizations and privileges.
func readRights(b []byte) (Rights, error) {
	lenient := json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	var top map[string]jsontext.Value
	if jsontext.Value(b).Kind() != '{' || json.Unmarshal(b, &top, lenient) != nil {
		if startsLikeHTML(b) {
			return Rights{}, &Error{Kind: ErrSchema, Code: codeHTML, Detail: "HTML came where JSON was due: something in front of Jamf answered"}
		}
		return Rights{}, notAPage("the answer is no JSON object")
	}
	members := func(v jsontext.Value) map[string]jsontext.Value {
		var m map[string]jsontext.Value
		if v.Kind() != '{' || json.Unmarshal(v, &m, lenient) != nil {
			return nil
		}
		return m
	}
	elements := func(v jsontext.Value) []jsontext.Value {
		var a []jsontext.Value
		if v.Kind() != '[' || json.Unmarshal(v, &a, lenient) != nil {
			return nil
		}
		return a
	}
	var names []string
	collect := func(v jsontext.Value) {
		for _, e := range elements(v) {
			name := textOf(e)
			if e.Kind() == '{' {
				name = textOf(members(e)["name"])
			}
			if name = printable(name, 100); name != "" {
				names = append(names, name)
			}
		}
	}
	account := members(top["account"])
	for _, v := range members(account["privilegesBySite"]) {
		collect(v)
	}
	for _, group := range elements(top["accountGroups"]) {
		collect(members(group)["privileges"])
	}
	collect(account["privileges"])
	collect(top["authorizations"])
	collect(top["privileges"])
	slices.Sort(names)
	names = slices.Compact(names)
	return Rights{Privileges: names, Known: len(names) > 0}, nil
}

// Version asks which Jamf Pro answers, such as "11.30.2-t1785446884863".
func (w *Walk) Version(ctx context.Context) (string, error) {
	ctx, span := w.src.startCall(ctx, "jamf version", "version")
	var out string
	err := w.ask(ctx, versionCall(&out))
	if err != nil {
		endSpan(span, err)
		return "", err
	}
	endSpan(span, nil)
	w.src.learnRelease(out)
	return out, nil
}

func versionCall(out *string) *call {
	return &call{op: "version", path: "/v1/jamf-pro-version", limit: maxSmallBytes, first: true, read: func(r io.Reader) error {
		b, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		var said struct {
			Version jsontext.Value `json:"version"`
		}
		if json.Unmarshal(b, &said) != nil {
			return notAPage("the answer is no JSON object")
		}
		if *out = textOf(said.Version); *out == "" || len(*out) > 64 || printable(*out, 64) != *out {
			return notAPage("the answer holds no version")
		}
		return nil
	}}
}

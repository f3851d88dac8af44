package device

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json/jsontext"
)

// Policy is how a client is shown what names people. The zero value shows all as it is.
type Policy struct {
	Names         string   // "", NamesSerial, NamesStripped, Pseudonyms
	Users         string   // "", UsersDropped, Pseudonyms
	NullSentinels bool     // words that stand for "nothing" are null in Jamf's shapes as well
	Key           [32]byte // of the pseudonyms: the same person has the same one, under another key another one
}

// The words of a policy.
const (
	NamesSerial   = "serial"      // the serial number stands in for the name
	NamesStripped = "strip_owner" // what seems to be a person's name is taken out
	UsersDropped  = "drop"
	Pseudonyms    = "pseudonym"
)

// policy is a Policy compiled for a profile.
type policy struct {
	Policy
	digest string
}

// masked are the normalized fields whose values are exchanged.
func (p Policy) masked() []string {
	var out []string
	if p.Names != "" {
		out = append(out, "name")
	}
	if p.Users == Pseudonyms {
		out = append(out, "user.username", "user.fullName", "user.email")
	}
	return out
}

// Under is the profile as a client sees it under a policy. Of the fields about users, pseudonyms leave the user name, the full name and the
// address; all others are dropped. What is exchanged can be neither filtered nor sorted by.
func (p *Profile) Under(o Policy) *Profile {
	if o.Names == "" && o.Users == "" && !o.NullSentinels {
		return p
	}
	t, q := fieldTable(), p
	if o.Users != "" {
		masked := o.masked()
		q = t.compile(p.name, func(f *field) bool {
			s := t.schemaOfField(f)
			kept := p.keepOf(s.kind).fields[f.leaf.lo]
			return kept && (f.class != "user" || slices.ContainsFunc(f.normalized, func(n string) bool { return slices.Contains(masked, n) }))
		})
	}
	r := *q
	r.omits = p.omits
	sum := sha256.Sum256([]byte(strings.Join([]string{o.Names, o.Users, string(o.Key[:])}, "\x00")))
	r.policy = &policy{Policy: o, digest: hex.EncodeToString(sum[:8])}
	if o.NullSentinels {
		r.policy.digest += "n"
	}
	return &r
}

// schemaOfField is the kind's schema that a field belongs to.
func (t *table) schemaOfField(f *field) *schema {
	if f.leaf.lo < len(t.computer.fields) && &t.computer.fields[f.leaf.lo] == f {
		return t.computer
	}
	return t.mobile
}

// Rendering is equal for profiles that show the same in the normalized shape.
func (p *Profile) Rendering() string {
	if p.policy == nil {
		return p.digest
	}
	return p.digest + " " + p.policy.digest
}

// Policy is the one that the profile is under.
func (p *Profile) Policy() Policy {
	if p.policy == nil {
		return Policy{}
	}
	return p.policy.Policy
}

// askable tells for each field whether a filter or a sort may name it: it is shown, and as it is.
func (p *Profile) askable(k Kind) []bool {
	shown := p.keepOf(k).fields
	if p.policy == nil || len(p.policy.masked()) == 0 {
		return shown
	}
	shown = slices.Clone(shown)
	for _, name := range p.policy.masked() {
		for _, i := range fieldTable().schemaOf(k).normalized[name] {
			shown[i] = false
		}
	}
	return shown
}

// apply exchanges what the policy says in a record that was read. It stands behind every shape.
func (r *reader) apply(p *policy) {
	if p.NullSentinels {
		r.nullSentinels()
	}
	for _, name := range p.masked() {
		for _, n := range r.schema.sources[name] {
			at := r.at[n.id]
			if at == 0 || r.entries[at].kind == jsontext.KindNull {
				continue
			}
			r.replace(at, p.exchange(r, name, r.content(at)))
		}
	}
}

// replace puts another text in the place of a value; nil is null.
func (r *reader) replace(at int32, text []byte) {
	e := &r.entries[at]
	if text == nil {
		e.kind = jsontext.KindNull
		return
	}
	start := len(r.src)
	r.src, _ = jsontext.AppendQuote(slices.Clip(r.src), text) // what is not UTF-8 becomes U+FFFD; the record itself is not written to
	e.kind, e.value = jsontext.KindString, span{int32(start), int32(len(r.src))}
}

// exchange is what is shown in place of a value.
func (p *policy) exchange(r *reader, field string, value []byte) []byte {
	switch {
	case sentinel(value):
		return value
	case field != "name":
		out := p.pseudonym("user", "u-", value)
		if field == "user.email" {
			return append(out, "@pseudonym.invalid"...) // RFC 2606: it reaches nobody
		}
		return out
	case p.Names == NamesSerial:
		if serial := parseSerial(r.find("identity.serialNumber")); serial != "" {
			return []byte(serial)
		}
		return r.nameless()
	case p.Names == NamesStripped:
		if name := stripOwner(string(value), r.ownerWords()); name != "" {
			return []byte(name)
		}
		return r.nameless()
	default:
		return p.pseudonym("name", "n-", value)
	}
}

// nameless is a name of which only Jamf knows whose it is.
func (r *reader) nameless() []byte {
	return append([]byte(string(r.schema.kind)+"-"), r.find("identity.jamfId")...)
}

// pseudonym is a keyed hash of a text without regard to case: 64 bits.
func (p *policy) pseudonym(what, prefix string, text []byte) []byte {
	h := hmac.New(sha256.New, p.Key[:])
	_, _ = h.Write([]byte(what + "\x00" + Fold(strings.TrimSpace(string(text))))) // it never fails
	return []byte(prefix + hex.EncodeToString(h.Sum(nil)[:8]))
}

// nullSentinels makes null of the words that stand for nothing. Free text stays: values of extension attributes and names of groups.
func (r *reader) nullSentinels() {
	for i := range r.entries {
		e := &r.entries[i]
		scalar := e.kind == jsontext.KindString || e.kind == jsontext.KindNumber
		if !scalar || e.name == (span{}) || e.node.name == "groupName" || inAttributes(e.node) || !sentinel(r.content(int32(i))) {
			continue
		}
		e.kind = jsontext.KindNull
	}
}

func inAttributes(n *node) bool {
	for ; n != nil; n = n.parent {
		if n.name == "extensionAttributes" {
			return true
		}
	}
	return false
}

// ownerWords are the words by which the stored record names the user: of at least three letters, folded.
func (r *reader) ownerWords() []string {
	all, err := read(r.schema.kind, fieldTable().everything, r.src[:r.length])
	if err != nil {
		return nil // it was read a moment ago
	}
	defer all.release()
	var out []string
	for _, field := range []string{"user.username", "user.fullName", "user.email"} {
		text, _, _ := strings.Cut(string(all.find(field)), "@")
		for _, word := range append(wordsOf(text), text) {
			if len([]rune(word)) >= 3 {
				out = append(out, Fold(word))
			}
		}
	}
	return out
}

func wordsOf(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// product are the words by which Apple's devices name themselves.
var product = regexp.MustCompile(`(?i)(macbook( pro| air| neo)?|imac( pro)?|mac ?(mini|studio|pro)|ipad( pro| air| mini)?|iphone|ipod( touch)?|apple ?(tv|watch)|vision ?pro|\bmac\b)`)

// stripOwner takes a person's name out of a device's, "" where nothing is left. A name that says which product it is keeps that and
// its numbers alone: what else stands in it is mostly whose it is ("Annas iPad (2)" -> "iPad 2"). Any other name loses the words of the user.
func stripOwner(name string, owner []string) string {
	if what := product.FindString(name); what != "" {
		rest := strings.Replace(name, what, " ", 1)
		for _, word := range wordsOf(rest) {
			if !strings.ContainsFunc(word, unicode.IsLetter) {
				what += " " + word
			}
		}
		return what
	}
	if slices.Contains(owner, Fold(strings.TrimSpace(name))) {
		return ""
	}
	var kept []string
	words := wordsOf(name)
	for _, word := range words {
		folded := Fold(word)
		if !slices.ContainsFunc(owner, func(o string) bool { return folded == o || strings.TrimSuffix(folded, "s") == o }) {
			kept = append(kept, word)
		}
	}
	if len(kept) == len(words) {
		return name
	}
	return strings.Join(kept, "-")
}

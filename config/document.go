package config

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// document is a settings file while it is read: its tree, the environment over it, and what was found wrong.
type document struct {
	name     string
	dir      string
	env      map[string]string // every variable
	asked    map[string]string // variable -> the setting that it sets
	mentions map[string]bool   // variables that secrets refer to
	settings []string          // every setting that can be written, as "sources[].url"
	problems []Problem
	warnings []Problem
	unknown  []unknown
	maxStale origin
	literal  bool // a secret stands in the file
	outline  bool // secrets and files are not looked at
}

// value is one scalar and where it comes from.
type value struct {
	text   string
	origin origin
	set    bool // false: the default
}

// mapping is one mapping of the file, or the place where one could stand: the environment reaches it either way.
type mapping struct {
	doc     *document
	path    string // "sources.schule-a"
	pattern string // "sources[]"
	line    int
	nodes   map[string]*yaml.Node // key -> what was written
	lines   map[string]int        // key -> line
	known   []string
}

func newDocument(name, dir string, env []string) *document {
	d := &document{name: name, dir: dir, env: map[string]string{}, asked: map[string]string{}, mentions: map[string]bool{}}
	for _, e := range env {
		if k, v, ok := strings.Cut(e, "="); ok {
			d.env[k] = v
		}
	}
	return d
}

// path makes a file name of the settings relative to the settings file.
func (d *document) path(name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(d.dir, name)
}

// parse builds the tree. Messages of the parser that could quote a value are replaced.
func (d *document) parse(data []byte) *mapping {
	root := &mapping{doc: d}
	var tree yaml.Node
	err := yaml.Load(data, &tree)
	if many, ok := errors.AsType[*yaml.LoadErrors](err); ok && len(many.Errors) > 0 {
		if many.Errors[0].Message == "yaml: no documents in stream" {
			return root
		}
		d.problem(origin{line: many.Errors[0].Mark.Line}, "must be one YAML document")
		return root
	}
	if one, ok := errors.AsType[*yaml.LoadError](err); ok {
		text := one.Message
		if one.Stage == yaml.ComposerStage {
			text = "an alias names no anchor; put a value that begins with * in quotes"
		}
		d.problem(origin{line: one.Mark.Line}, "no valid YAML: %s", text)
		return root
	}
	if err != nil {
		d.problem(origin{}, "no valid YAML")
		return root
	}
	if len(tree.Content) == 1 {
		root.fill(tree.Content[0])
	}
	return root
}

// fill takes the keys of a node. A key that stands twice is a problem; the first counts.
func (m *mapping) fill(n *yaml.Node) {
	n = resolved(n)
	m.line = n.Line
	if isNull(n) {
		return
	}
	if n.Kind != yaml.MappingNode {
		m.doc.problem(origin{line: n.Line, setting: m.path}, "must be a mapping of settings (name: value)")
		return
	}
	m.nodes, m.lines = map[string]*yaml.Node{}, map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, val := n.Content[i], n.Content[i+1]
		if key.Kind != yaml.ScalarNode {
			m.doc.problem(origin{line: key.Line, setting: m.path}, "the name of a setting must be a plain word")
			continue
		}
		if first, twice := m.lines[key.Value]; twice {
			m.doc.problem(origin{line: key.Line, setting: m.join(clip(key.Value))}, "stands twice, first in line %d", first)
			continue
		}
		m.nodes[key.Value], m.lines[key.Value] = val, key.Line
	}
}

// done notes the keys that nobody asked for.
func (m *mapping) done() {
	for _, key := range slices.Sorted(maps.Keys(m.nodes)) {
		if !slices.Contains(m.known, key) {
			m.doc.unknown = append(m.doc.unknown, unknown{m, key})
		}
	}
}

func (m *mapping) join(key string) string {
	if m.path == "" {
		return key
	}
	return m.path + "." + key
}

func (m *mapping) joinPattern(key string) string {
	if m.pattern == "" {
		return key
	}
	return m.pattern + "." + key
}

// at is the place of a key: its line, or the line of the mapping where it could stand.
func (m *mapping) at(key string) origin {
	if line, ok := m.lines[key]; ok {
		return origin{line: line, setting: m.join(key)}
	}
	return origin{line: m.line, setting: m.join(key)}
}

// setting notes that a value can be written here.
func (m *mapping) setting(key string) {
	m.known = append(m.known, key)
	m.doc.settings = append(m.doc.settings, m.joinPattern(key))
}

// from is where a value was set: in the environment or in the file.
func (m *mapping) from(key string) origin {
	name := variableName(m.join(key))
	if _, ok := m.doc.env[name]; ok {
		return origin{variable: name, setting: m.join(key)}
	}
	return m.at(key)
}

// scalar reads one value; the environment wins.
func (m *mapping) scalar(key string) value {
	m.setting(key)
	if v, ok := m.variable(key); ok {
		return v
	}
	return m.own(key)
}

// own reads one value of the file alone.
func (m *mapping) own(key string) value {
	o := m.at(key)
	n, ok := m.nodes[key]
	if !ok {
		return value{origin: o}
	}
	return m.doc.single(n, o)
}

// single takes the text of a scalar as it was written, whatever type YAML sees in it: 0123 stays 0123.
func (d *document) single(n *yaml.Node, o origin) value {
	n = resolved(n)
	switch {
	case isNull(n):
		d.problem(o, "has no value; give it one or remove the line")
	case n.Kind != yaml.ScalarNode:
		d.problem(o, "must be a single value")
	case !plain(n):
		d.problem(o, "must be a plain value without a tag")
	default:
		return value{text: n.Value, origin: o, set: true}
	}
	return value{origin: o}
}

// values reads a list of single values; in the environment they are separated by commas. ok tells whether it was written.
func (m *mapping) values(key string) (list []value, ok bool) {
	m.setting(key)
	if v, found := m.variable(key); found {
		for part := range strings.SplitSeq(v.text, ",") {
			if part = strings.TrimSpace(part); part != "" {
				list = append(list, value{text: part, origin: v.origin, set: true})
			}
		}
		return list, true
	}
	n, found := m.nodes[key]
	if !found {
		return nil, false
	}
	o := m.at(key)
	n = resolved(n)
	if n.Kind != yaml.SequenceNode {
		m.doc.problem(o, "must be a list")
		return nil, true
	}
	for i, item := range n.Content {
		v := m.doc.single(item, origin{line: item.Line, setting: fmt.Sprintf("%s[%d]", o.setting, i)})
		if v.set {
			list = append(list, v)
		}
	}
	return list, true
}

// section returns the mapping below a key, an empty one when it is not written.
func (m *mapping) section(key string) *mapping {
	m.known = append(m.known, key)
	sub := &mapping{doc: m.doc, path: m.join(key), pattern: m.joinPattern(key), line: m.line}
	if n, ok := m.nodes[key]; ok {
		sub.fill(n)
		sub.line = m.lines[key]
	}
	return sub
}

// list returns the mappings of a list; each is called by its own name or id where it has a good one.
func (m *mapping) list(key, nameKey string) []*mapping {
	m.known = append(m.known, key)
	n, ok := m.nodes[key]
	if !ok {
		return nil
	}
	n = resolved(n)
	if isNull(n) {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		m.doc.problem(m.at(key), "must be a list (each entry begins with a dash)")
		return nil
	}
	var out []*mapping
	for i, item := range n.Content {
		sub := &mapping{doc: m.doc, path: fmt.Sprintf("%s[%d]", m.join(key), i), pattern: m.joinPattern(key) + "[]"}
		sub.fill(item)
		if name, ok := sub.nodes[nameKey]; ok && clientID.MatchString(resolved(name).Value) {
			sub.path = m.join(key) + "." + resolved(name).Value
		}
		out = append(out, sub)
	}
	return out
}

// entries returns the mappings of a mapping with free names, sorted: name -> mapping.
func (m *mapping) entries(key string) map[string]*mapping {
	all := m.section(key)
	out := map[string]*mapping{}
	for name, n := range all.nodes {
		sub := &mapping{doc: m.doc, path: all.join(clip(name)), pattern: all.pattern + ".NAME"}
		sub.fill(n)
		sub.line = all.lines[name]
		out[name] = sub
	}
	return out
}

func resolved(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		return n.Alias
	}
	return n
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// plain tells that a scalar is one of YAML's own types that are written as text.
func plain(n *yaml.Node) bool {
	switch n.ShortTag() {
	case "!!str", "!!int", "!!float", "!!bool", "!!timestamp":
		return true
	}
	return false
}

// clip shortens a name of the file before it is repeated.
func clip(s string) string {
	const most = 40
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// Package contract holds answers against an OpenAPI 3.1 document: status, headers, media type and shape, and remembers
// what was seen. It knows HTTP and the document, and nothing of the gateway; only tests use it.
//
// Two extensions of the document are read: x-every-response (its headers stand on every answer) and
// x-every-other-request (an operation for paths and methods that the document does not have).
package contract

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"
)

// resource is the name under which the schemas of the document refer to it.
const resource = "contract:///openapi.yaml"

// Answer is one answer and what was asked.
type Answer struct {
	Method string
	Target string // path and query
	Status int
	Header http.Header
	Body   []byte // as it came over the wire
}

// Operation is one method of one path.
type Operation struct {
	Method string // GET
	Path   string // template
	Open   bool   // needs no credentials
}

// Document is a parsed OpenAPI document. It is safe for concurrent use.
type Document struct {
	root       map[string]any
	compiler   *jsonschema.Compiler
	operations map[Operation]operation
	other      operation
	everywhere map[string]header

	mu   sync.Mutex
	seen map[string]bool // "GET /path 200"
}

// operation is what an operation may answer: status or "default" -> response.
type operation map[string]response

// response is one documented response.
type response struct {
	headers map[string]header             // in canonical form
	content map[string]*jsonschema.Schema // media type -> its schema
}

// header is one documented header.
type header struct {
	required bool
	number   bool
	schema   *jsonschema.Schema
}

// Parse reads a document and compiles every schema in it.
func Parse(document []byte) (*Document, error) {
	var loaded any
	if err := yaml.Unmarshal(document, &loaded); err != nil {
		return nil, fmt.Errorf("read the document: %w", err)
	}
	root, ok := loaded.(map[string]any)
	if !ok {
		return nil, errors.New("read the document: it is no mapping")
	}
	d := &Document{root: root, compiler: jsonschema.NewCompiler(), operations: map[Operation]operation{}, seen: map[string]bool{}}
	d.compiler.DefaultDraft(jsonschema.Draft2020)
	d.compiler.AssertFormat()
	normal, err := throughJSON(root)
	if err != nil {
		return nil, err
	}
	if err := d.compiler.AddResource(resource, normal); err != nil {
		return nil, fmt.Errorf("add the document: %w", err)
	}
	if err := d.readSchemas(); err != nil {
		return nil, err
	}
	if d.everywhere, err = d.headers(at(d.root, "x-every-response", "headers"), "/x-every-response/headers"); err != nil {
		return nil, err
	}
	if d.other, err = d.operation(at(d.root, "x-every-other-request"), "/x-every-other-request"); err != nil {
		return nil, err
	}
	return d, d.readPaths()
}

// throughJSON gives numbers the one form that schemas are compiled from.
func throughJSON(v any) (any, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("read the document: %w", err)
	}
	out, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		return nil, fmt.Errorf("read the document: %w", err)
	}
	return out, nil
}

// readSchemas compiles what no path may name.
func (d *Document) readSchemas() error {
	for name := range at(d.root, "components", "schemas") {
		if _, err := d.schema("/components/schemas/" + escape(name)); err != nil {
			return err
		}
	}
	return nil
}

func (d *Document) readPaths() error {
	for path, item := range at(d.root, "paths") {
		for method, node := range mapping(item) {
			pointer := "/paths/" + escape(path) + "/" + method
			o, err := d.operation(mapping(node), pointer)
			if err != nil {
				return err
			}
			if len(o) == 0 {
				return fmt.Errorf("%s: no responses", pointer)
			}
			d.operations[Operation{Method: strings.ToUpper(method), Path: path, Open: d.open(mapping(node))}] = o
		}
	}
	return nil
}

// open tells whether an operation is answered without credentials.
func (d *Document) open(node map[string]any) bool {
	asked, own := node["security"]
	if !own {
		asked = d.root["security"]
	}
	list, _ := asked.([]any)
	return len(list) == 0 || slices.ContainsFunc(list, func(v any) bool { return len(mapping(v)) == 0 })
}

func (d *Document) operation(node map[string]any, pointer string) (operation, error) {
	out := operation{}
	for status, v := range mapping(node["responses"]) {
		r, where, err := d.follow(mapping(v), pointer+"/responses/"+status)
		if err != nil {
			return nil, err
		}
		if out[status], err = d.response(r, where); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (d *Document) response(node map[string]any, pointer string) (response, error) {
	headers, err := d.headers(mapping(node["headers"]), pointer+"/headers")
	if err != nil {
		return response{}, err
	}
	r := response{headers: headers, content: map[string]*jsonschema.Schema{}}
	for media := range mapping(node["content"]) {
		if r.content[media], err = d.schema(pointer + "/content/" + escape(media) + "/schema"); err != nil {
			return response{}, err
		}
	}
	return r, nil
}

func (d *Document) headers(node map[string]any, pointer string) (map[string]header, error) {
	out := make(map[string]header, len(node))
	for name, v := range node {
		h, where, err := d.follow(mapping(v), pointer+"/"+escape(name))
		if err != nil {
			return nil, err
		}
		schema, err := d.schema(where + "/schema")
		if err != nil {
			return nil, err
		}
		required, _ := h["required"].(bool)
		out[http.CanonicalHeaderKey(name)] = header{required, mapping(h["schema"])["type"] == "integer", schema}
	}
	return out, nil
}

// follow resolves a reference of the document itself; schemas resolve theirs alone.
func (d *Document) follow(node map[string]any, pointer string) (target map[string]any, where string, err error) {
	ref, ok := node["$ref"].(string)
	if !ok {
		return node, pointer, nil
	}
	where, local := strings.CutPrefix(ref, "#")
	target = d.root
	for token := range strings.SplitSeq(strings.TrimPrefix(where, "/"), "/") {
		target = mapping(target[strings.NewReplacer("~1", "/", "~0", "~").Replace(token)])
	}
	if !local || target == nil {
		return nil, "", fmt.Errorf("%s: %s leads nowhere", pointer, ref)
	}
	return target, where, nil
}

func (d *Document) schema(pointer string) (*jsonschema.Schema, error) {
	s, err := d.compiler.Compile(resource + "#" + percent(pointer))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", pointer, err)
	}
	return s, nil
}

// Operations lists what the document has, by path and method.
func (d *Document) Operations() []Operation {
	return slices.SortedFunc(maps.Keys(d.operations), func(a, b Operation) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Method, b.Method))
	})
}

// Words are the values of the enum at a place in the document, given as keys from the root.
func (d *Document) Words(keys ...string) []string {
	list, _ := at(d.root, keys[:len(keys)-1]...)[keys[len(keys)-1]].([]any)
	out := make([]string, 0, len(list))
	for _, v := range list {
		if s, ok := v.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// Unseen lists the documented responses that no checked answer had: "GET /path 200".
func (d *Document) Unseen() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []string
	for op, responses := range d.operations {
		for status := range responses {
			if key := op.Method + " " + op.Path + " " + status; !d.seen[key] {
				out = append(out, key)
			}
		}
	}
	slices.Sort(out)
	return out
}

func (d *Document) see(op Operation, status string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.seen[op.Method+" "+op.Path+" "+status] = true
}

func mapping(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

func at(m map[string]any, keys ...string) map[string]any {
	for _, key := range keys {
		m = mapping(m[key])
	}
	return m
}

// escape makes a key a token of a JSON pointer.
func escape(key string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(key) }

// percent makes a JSON pointer a fragment.
func percent(pointer string) string {
	return strings.NewReplacer("%", "%25", "{", "%7B", "}", "%7D").Replace(pointer)
}

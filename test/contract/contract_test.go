package contract_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"jamf-gateway/test/contract"
)

const document = `
openapi: 3.1.1
security: [{token: []}]
x-every-response:
  headers:
    X-Id: {required: true, schema: {type: string, minLength: 1}}
x-every-other-request:
  responses:
    '404': {description: not here}
paths:
  /things:
    get:
      responses:
        '200':
          description: all
          headers:
            Age: {required: true, schema: {type: integer, minimum: 0}}
          content:
            application/json:
              schema: {type: array, items: {$ref: '#/components/schemas/Thing'}}
        default: {$ref: '#/components/responses/Wrong'}
  /things/{id}:
    get:
      security: []
      responses:
        '200':
          description: one
          content:
            application/json: {schema: {$ref: '#/components/schemas/Thing'}}
  /things/best:
    get:
      responses:
        '204': {description: none}
components:
  responses:
    Wrong:
      description: wrong
      content:
        application/problem+json:
          schema: {type: object, required: [status]}
  schemas:
    Thing:
      type: object
      additionalProperties: false
      required: [id]
      properties: {id: {type: integer}, at: {type: string, format: date-time}}
`

func parse(t *testing.T, text string) *contract.Document {
	t.Helper()
	d, err := contract.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// answer is 200 with JSON; header is name, value, name, value, and an empty value takes the header away.
func answer(target, body string, header ...string) contract.Answer {
	a := contract.Answer{Method: http.MethodGet, Target: target, Status: http.StatusOK, Body: []byte(body), Header: http.Header{}}
	header = append([]string{"X-Id", "1", "Age", "0", "Content-Type", "application/json"}, header...)
	for i := 0; i < len(header); i += 2 {
		a.Header.Set(header[i], header[i+1])
		if header[i+1] == "" {
			a.Header.Del(header[i])
		}
	}
	return a
}

func TestAnAnswerThatDiffersIsNamed(t *testing.T) {
	problem := func(body string) contract.Answer {
		a := answer("/things", body, "Content-Type", "application/problem+json", "Age", "")
		a.Status = http.StatusTeapot
		return a
	}
	elsewhere := func(status int, header ...string) contract.Answer {
		a := answer("/elsewhere", "", append([]string{"Content-Type", "", "Age", ""}, header...)...)
		a.Status = status
		return a
	}
	head := answer("/things", "")
	head.Method = http.MethodHead
	headWithBody := answer("/things", "[]")
	headWithBody.Method = http.MethodHead
	for name, tc := range map[string]struct {
		answer contract.Answer
		want   string // "" = as documented
	}{
		"as documented":                 {answer("/things?page=1", `[{"id":1}]`), ""},
		"another key":                   {answer("/things", `[{"id":1,"name":"x"}]`), "additional properties 'name'"},
		"a key is missing":              {answer("/things", `[{"at":"2026-11-23T04:12:09Z"}]`), "missing property 'id'"},
		"another type":                  {answer("/things", `[{"id":"1"}]`), "got string, want integer"},
		"a format":                      {answer("/things", `[{"id":1,"at":"yesterday"}]`), "date-time"},
		"no JSON":                       {answer("/things", `[`), "no JSON"},
		"more than one JSON":            {answer("/things", `[][]`), "no JSON"},
		"another media type":            {answer("/things", `[]`, "Content-Type", "text/html"), "text/html is not documented"},
		"no media type":                 {answer("/things", `[]`, "Content-Type", ""), "media type"},
		"a header is missing":           {answer("/things", `[]`, "Age", ""), "header Age is missing"},
		"a header of all is missing":    {answer("/things", `[]`, "X-Id", ""), "header X-Id is missing"},
		"a header of another shape":     {answer("/things", `[]`, "Age", "-1"), "header Age"},
		"a header that is no number":    {answer("/things", `[]`, "Age", "old"), "header Age"},
		"a header that nobody knows":    {answer("/things", `[]`, "X-Powered-By", "x"), "X-Powered-By is not documented"},
		"headers of the transport":      {answer("/things", `[]`, "Date", "x", "Content-Length", "2"), ""},
		"broken gzip":                   {answer("/things", `[]`, "Content-Encoding", "gzip"), "gzip"},
		"the default":                   {problem(`{"status":418}`), ""},
		"a problem of another status":   {problem(`{"status":400}`), "says status 400"},
		"an undocumented status":        {func() contract.Answer { a := answer("/things/1", `{}`); a.Status = 404; return a }(), "status 404 is not documented"},
		"a literal path is nearer":      {answer("/things/best", `{"id":1}`, "Age", ""), "status 200 is not documented"},
		"HEAD":                          {head, ""},
		"HEAD with a body":              {headWithBody, "HEAD has 2 bytes"},
		"another path":                  {elsewhere(404), ""},
		"another path with a body":      {elsewhere(404, "Content-Type", "text/html"), "no content is documented"},
		"another path that is answered": {elsewhere(200), "status 200 is not documented"},
	} {
		err := parse(t, document).Check(tc.answer)
		if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%s: %v, want %q", name, err, tc.want)
		}
	}
}

func TestWhatWasNotSeenIsListed(t *testing.T) {
	d := parse(t, document)
	want := []string{"GET /things 200", "GET /things default", "GET /things/best 204", "GET /things/{id} 200"}
	if got := d.Unseen(); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	head := answer("/things/7", "", "Age", "")
	head.Method = http.MethodHead
	for _, a := range []contract.Answer{answer("/things", `[]`), head} {
		if err := d.Check(a); err != nil {
			t.Error(err)
		}
	}
	if got := d.Unseen(); !slices.Equal(got, want[1:]) {
		t.Errorf("after one list and a HEAD: %q", got)
	}
	if ops := d.Operations(); len(ops) != 3 || ops[0] != (contract.Operation{Method: "GET", Path: "/things"}) || !ops[2].Open {
		t.Errorf("%+v", ops)
	}
}

func TestADocumentThatLeadsNowhereIsRefused(t *testing.T) {
	for name, change := range map[string][2]string{
		"no mapping":         {document, "- x"},
		"no YAML":            {document, "a: ["},
		"a response":         {"responses/Wrong'", "responses/Nothing'"},
		"a schema":           {"schemas/Thing'", "schemas/Nothing'"},
		"a broken schema":    {"{type: integer}", "{type: whole}"},
		"a header":           {"Age: {required: true, schema: {type: integer, minimum: 0}}", "Age: {$ref: '#/nowhere'}"},
		"an empty operation": {"responses:\n        '204': {description: none}", "summary: x"},
	} {
		if _, err := contract.Parse([]byte(strings.Replace(document, change[0], change[1], 1))); err == nil {
			t.Errorf("%s: it was parsed", name)
		}
	}
}

package server_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// document is what is needed of Jamf's OpenAPI document, which stands beside the checkout where it stands at all.
type document struct {
	Paths map[string]map[string]struct {
		Responses map[string]struct {
			Content map[string]struct {
				Schema schema `json:"schema"`
			} `json:"content"`
		} `json:"responses"`
	} `json:"paths"`
	Components struct {
		Schemas map[string]schema `json:"schemas"`
	} `json:"components"`
}

type schema struct {
	Ref           string            `json:"$ref"`
	Type          string            `json:"type"`
	Enum          []any             `json:"enum"`
	Properties    map[string]schema `json:"properties"`
	Items         *schema           `json:"items"`
	AllOf         []schema          `json:"allOf"`
	Discriminator *struct {
		PropertyName string            `json:"propertyName"`
		Mapping      map[string]string `json:"mapping"`
	} `json:"discriminator"`
	AdditionalProperties any `json:"additionalProperties"`
}

func jamfDocument(t *testing.T) document {
	t.Helper()
	path := filepath.Join("..", "..", "..", "shared", "jamf-openapi", "jamf-pro-11.30.2-inventory-subset.json")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Skipf("Jamf's OpenAPI document does not stand beside this checkout: %v", err)
	}
	var d document
	if err := json.Unmarshal(raw, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// resolve follows references, merges allOf and chooses the type that the discriminator names.
func (d document) resolve(s schema, value any) schema {
	if s.Ref != "" {
		return d.resolve(d.Components.Schemas[s.Ref[strings.LastIndex(s.Ref, "/")+1:]], value)
	}
	if record, ok := value.(map[string]any); ok && s.Discriminator != nil {
		chosen, _ := record[s.Discriminator.PropertyName].(string)
		if ref, known := s.Discriminator.Mapping[chosen]; known {
			s = schema{Type: "object", Properties: s.Properties, AllOf: []schema{d.Components.Schemas[ref[strings.LastIndex(ref, "/")+1:]]}}
		}
	}
	if len(s.AllOf) == 0 {
		return s
	}
	merged := schema{Type: "object", Properties: map[string]schema{}, AdditionalProperties: s.AdditionalProperties}
	maps.Copy(merged.Properties, s.Properties)
	for _, part := range s.AllOf {
		part.Discriminator = nil
		if part.Ref != "" {
			part = d.Components.Schemas[part.Ref[strings.LastIndex(part.Ref, "/")+1:]]
			part.Discriminator = nil
		}
		maps.Copy(merged.Properties, d.resolve(part, nil).Properties)
	}
	return merged
}

// check lists what is wrong with a value: types, enums and keys that the schema does not have. A null is never wrong:
// the wire is full of them whatever the document says.
func (d document) check(s schema, value any, at string) []string {
	s = d.resolve(s, value)
	if value == nil {
		return nil
	}
	var wrong []string
	switch v := value.(type) {
	case map[string]any:
		if s.Type != "object" && len(s.Properties) == 0 {
			return []string{at + ": an object, not " + s.Type}
		}
		for name, member := range v {
			p, known := s.Properties[name]
			if !known && s.AdditionalProperties == nil && !added[name] {
				wrong = append(wrong, at+"."+name+": no such key")
			}
			if known {
				wrong = append(wrong, d.check(p, member, at+"."+name)...)
			}
		}
	case []any:
		if s.Type != "array" || s.Items == nil {
			return []string{at + ": an array, not " + s.Type}
		}
		for i, member := range v {
			wrong = append(wrong, d.check(*s.Items, member, fmt.Sprintf("%s[%d]", at, i))...)
		}
	default:
		wrong = append(wrong, checkScalar(s, v, at)...)
	}
	return wrong
}

func checkScalar(s schema, value any, at string) []string {
	good := false
	switch v := value.(type) {
	case string:
		good = s.Type == "string"
	case bool:
		good = s.Type == "boolean"
	case float64:
		good = s.Type == "number" || s.Type == "integer" && v == float64(int64(v))
	}
	if !good {
		return []string{fmt.Sprintf("%s: %v is no %s", at, value, s.Type)}
	}
	if len(s.Enum) > 0 && !slices.Contains(s.Enum, value) {
		return []string{fmt.Sprintf("%s: %v is not in the enum", at, value)}
	}
	return nil
}

// added are keys that 11.32 has added to every version, after the document.
var added = map[string]bool{
	"appleEnrollmentType": true, "awaitingConfiguration": true, "lockdownModeEnabled": true, "returnToServiceEnabled": true, "systemHealth": true,
}

func TestFacadeAnswersFitTheOpenAPIDocumentOfJamf(t *testing.T) {
	d := jamfDocument(t)
	w := newWorld(t)
	w.publishAll(3)
	all := "GENERAL,DISK_ENCRYPTION,PURCHASING,APPLICATIONS,STORAGE,USER_AND_LOCATION,CONFIGURATION_PROFILES,HARDWARE,CERTIFICATES,SECURITY,OPERATING_SYSTEM,EXTENSION_ATTRIBUTES,GROUP_MEMBERSHIPS"
	mobileAll := "GENERAL,HARDWARE,USER_AND_LOCATION,PURCHASING,SECURITY,APPLICATIONS,NETWORK,CERTIFICATES,PROFILES,GROUPS,EXTENSION_ATTRIBUTES"
	paths := map[string]string{
		"/v2/mobile-devices":             "/v2/mobile-devices",
		"/v2/mobile-devices/detail":      "/v2/mobile-devices/detail?section=" + mobileAll,
		"/v2/mobile-devices/{id}":        "/v2/mobile-devices/1",
		"/v2/mobile-devices/{id}/detail": "/v2/mobile-devices/1/detail",
		"/v1/auth":                       "/v1/auth",
		"/v1/jamf-pro-version":           "/v1/jamf-pro-version",
		"/startup-status":                "/startup-status",
	}
	for _, version := range []string{"/v1", "/v2", "/v3", "/v4"} {
		paths[version+"/computers-inventory"] = version + "/computers-inventory?section=" + all
		paths[version+"/computers-inventory/{id}"] = version + "/computers-inventory/1?section=" + all
		paths[version+"/computers-inventory-detail/{id}"] = version + "/computers-inventory-detail/1"
	}
	for template, path := range paths {
		r := w.get("all", "/api"+path)
		s := d.Paths[template]["get"].Responses["200"].Content["application/json"].Schema
		if r.status != http.StatusOK || s.Ref == "" && s.Type == "" {
			t.Errorf("%s: %s, schema %+v", path, r, s)
			continue
		}
		var value any
		r.decode(t, &value)
		for _, wrong := range d.check(s, value, template) {
			t.Error(wrong)
		}
		record, _ := value.(map[string]any)
		for name := range d.resolve(s, value).Properties {
			if _, there := record[name]; !there && name != "currentDivisionId" {
				t.Errorf("%s: the key %s is absent", template, name)
			}
		}
	}
	envelope := d.Components.Schemas["ApiError"]
	for _, path := range []string{"/v1/computers-inventory/77", "/v1/nothing", "/v1/computers-inventory?page=-1", "/v4/computers-inventory?sort=uuid"} {
		var value any
		w.get("all", "/api"+path).decode(t, &value)
		for _, wrong := range d.check(envelope, value, path) {
			t.Error(wrong)
		}
	}
	if wrong := d.check(envelope, map[string]any{"httpStatus": "404", "error": 1.0}, "x"); len(wrong) != 2 {
		t.Errorf("the check itself misses something: %v", wrong)
	}
}

package jamf_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"jamf-gateway/gateway/jamf"
)

func TestDetailsAreSaidInGermanWithTheirValues(t *testing.T) {
	for english, want := range map[string]string{
		"https to jamf.example.com":                                 "https zu jamf.example.com",
		"https to jamf.example.com through the proxy proxy.example": "https zu jamf.example.com über den Proxy proxy.example",
		"1200 devices, read by v4":                                  "1200 Geräte, gelesen über v4",
		"7 devices":                                                 "7 Geräte",
		"1 addresses":                                               "1 Adresse",
		"TLS 1.3, the certificate is valid until 2027-01-01":        "TLS 1.3, das Zertifikat gilt bis 2027-01-01",
		"Jamf answered with HTTP 503":                               "Jamf antwortete mit HTTP 503",
		"Jamf answered with HTTP 302 and a redirect to sso.example": "Jamf antwortete mit HTTP 302 und einer Umleitung nach sso.example",
		"Jamf answered with HTTP 401: the token endpoint refused the API client: invalid_client":                        "Jamf antwortete mit HTTP 401: Der Token-Endpunkt lehnte den API-Client ab: invalid_client",
		"Jamf answered with HTTP 400: the token endpoint refused the API client: another error":                         "Jamf antwortete mit HTTP 400: Der Token-Endpunkt lehnte den API-Client ab: ein anderer Fehler",
		"2 more than needed: Read Sites (only useful for names, which the settings do not use), Send Command to Update": "2 mehr als nötig: Read Sites (nur für Namen nützlich, die nach den Einstellungen nicht gelesen werden), Send Command to Update",
		"Read Computers; only for names: Read Sites; optional, ids stay without names without it: Read Buildings":       "Read Computers; nur für Namen: Read Sites; freiwillig, ohne bleiben Ids ohne Namen: Read Buildings",
		"Read Computers, Read Mobile Devices": "Read Computers, Read Mobile Devices", // names of Jamf
		"11.30.2-t1785446884863":              "11.30.2-t1785446884863",
	} {
		if got := jamf.German(english); got != want {
			t.Errorf("%q became %q, want %q", english, got, want)
		}
	}
}

// Every sentence of the code that can become the detail of a step has a German one: it is looked for in the source.
func TestEveryDetailHasAGermanSentence(t *testing.T) {
	outside := []string{ // said of walks, records and lists of names, which no step of the connection test reads
		"beat.go", "names.go", "record.go",
	}
	makers := []string{"notAPage", "fault", "proxyInvalid", "refusedCredentials", "badURL"}
	files := token.NewFileSet()
	packages, err := parser.ParseDir(files, ".", nil, 0) //nolint:staticcheck // one directory, no build tags
	if err != nil {
		t.Fatal(err)
	}
	known := strings.Join(jamf.EnglishDetails(), "\n")
	seen := 0
	look := func(file string, e ast.Node) {
		ast.Inspect(e, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			text, _ := strconv.Unquote(lit.Value)
			fragment := strings.NewReplacer("%d", "%s").Replace(strings.TrimSpace(text))
			if !strings.Contains(fragment, " ") || fragment == ", ..." || strings.HasPrefix(fragment, "the record ") || strings.HasPrefix(fragment, "the list ") {
				return true
			}
			seen++
			if !strings.Contains(known, fragment) {
				t.Errorf("%s: no German for %q", file, text)
			}
			return true
		})
	}
	for name, f := range packages["jamf"].Files {
		if strings.HasSuffix(name, "_test.go") || slices.Contains(outside, name) {
			continue
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.KeyValueExpr:
				if key, ok := n.Key.(*ast.Ident); ok && strings.EqualFold(key.Name, "detail") {
					look(name, n.Value)
				}
			case *ast.AssignStmt:
				for i, left := range n.Lhs {
					named := ""
					switch left := left.(type) {
					case *ast.SelectorExpr:
						named = left.Sel.Name
					case *ast.Ident:
						named = left.Name
					}
					if (strings.EqualFold(named, "detail") || named == "said") && i < len(n.Rhs) {
						look(name, n.Rhs[i])
					}
				}
			case *ast.CallExpr:
				if f, ok := n.Fun.(*ast.Ident); ok && slices.Contains(makers, f.Name) {
					for _, arg := range n.Args {
						look(name, arg)
					}
				}
			case *ast.FuncDecl:
				if n.Name.Name == "tlsDetail" {
					look(name, n)
				}
			}
			return true
		})
	}
	if seen < 60 {
		t.Errorf("only %d sentences were found in the source", seen)
	}
}

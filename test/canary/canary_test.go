package canary_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"jamf-gateway/test/canary"
)

const secret = `geheim/Ä "7?x=1`

func scanner(t *testing.T, values ...canary.Value) *canary.Scanner {
	t.Helper()
	s, err := canary.New(values...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func gzipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(text))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func zstandard(t *testing.T, text string, dictionary []byte) string {
	t.Helper()
	var options []zstd.EOption
	if dictionary != nil {
		options = append(options, zstd.WithEncoderDict(dictionary))
	}
	w, err := zstd.NewWriter(nil, options...)
	if err != nil {
		t.Fatal(err)
	}
	return string(w.EncodeAll([]byte(text), nil))
}

func TestEverySpellingIsFound(t *testing.T) {
	s := scanner(t, canary.Value{Name: "secret", Text: secret})
	inJSON, _ := json.Marshal(map[string]string{"at": secret})
	inner, _ := json.Marshal(string(inJSON))
	var deflated bytes.Buffer
	z := zlib.NewWriter(&deflated)
	_, _ = z.Write([]byte("text " + secret))
	_ = z.Close()
	places := map[string]string{
		"plain": "a " + secret + " b", "upper": strings.ToUpper(secret), "hex": "x" + hex.EncodeToString([]byte(secret)) + "y",
		"HEX": strings.ToUpper(hex.EncodeToString([]byte(secret))), "query": "?secret=" + url.QueryEscape(secret), "path": "/" + url.PathEscape(secret),
		"lower escapes": strings.ToLower(url.QueryEscape(secret)), "JSON": string(inJSON), "JSON in JSON": string(inner),
		"%q": fmt.Sprintf("%q", secret), "%+q": fmt.Sprintf("%+q", secret), "printed bytes": fmt.Sprintf("%d", []byte("ab"+secret)),
		"escaped slash": strings.ReplaceAll(string(inJSON), "/", `\/`),
		"gzip":          "before" + gzipped(t, "text "+secret) + "after", "gzip in gzip": gzipped(t, gzipped(t, secret)), "zstd": "before" + zstandard(t, "text "+secret, nil),
		"zlib": "before" + deflated.String(), "cut off gzip": gzipped(t, strings.Repeat(secret, 9000)+"end")[:150],
	}
	for offset := range 3 {
		around := strings.Repeat("z", offset) + secret + "and more"
		places[fmt.Sprint("base64 at ", offset)] = base64.StdEncoding.EncodeToString([]byte(around))
		places[fmt.Sprint("base64url at ", offset)] = base64.RawURLEncoding.EncodeToString([]byte(around))
		places[fmt.Sprint("base64 at the end, ", offset)] = base64.StdEncoding.EncodeToString([]byte(strings.Repeat("z", offset) + secret))
		places[fmt.Sprint("Basic, ", offset)] = "Basic " + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("i", 3+offset)+":"+secret))
	}
	for place, text := range places {
		if len(s.Scan(place, []byte(text))) == 0 {
			t.Errorf("not found in %s: %q", place, text)
		}
	}
	for _, text := range []string{"", "geheim", secret[1:], secret[:len(secret)-1], gzipped(t, "nothing"), "\x28\xb5\x2f\xfd broken", "\x1f\x8b\x08 broken"} {
		if hits := s.Scan("clean", []byte(text)); len(hits) > 0 {
			t.Errorf("found in %q: %v", text, hits)
		}
	}
}

func TestAShortValueIsRefusedInsteadOfMetByChance(t *testing.T) {
	if _, err := canary.New(canary.Value{Name: "pin", Text: "12345"}); err == nil {
		t.Error("5 bytes were taken")
	}
	if _, err := canary.New(); err == nil {
		t.Error("a scanner that looks for nothing proves nothing")
	}
}

func TestFilesNamesAndPackedRowsOfDatabasesAreSearched(t *testing.T) {
	dir := t.TempDir()
	var samples [][]byte
	for i := range 100 {
		samples = append(samples, fmt.Appendf(nil, `{"id":"%d","general":{"name":"mac %d","platform":"Mac"},"hardware":{"serialNumber":"C02%d"}}`, i, i*7, i*13))
	}
	dictionary, err := zstd.BuildDict(zstd.BuildDictOptions{ID: 1, Contents: samples, History: bytes.Join(samples[:20], nil), Offsets: [3]int{1, 4, 8}})
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, "1.db"))
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{`CREATE TABLE meta (key TEXT PRIMARY KEY, value NOT NULL)`, `CREATE TABLE body (id INTEGER PRIMARY KEY, record BLOB)`} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.Exec(`INSERT INTO meta VALUES ('dictionary', ?)`, dictionary); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`INSERT INTO body VALUES (7, ?)`, []byte(zstandard(t, `{"id":"7","general":{"name":"mac of anna.canary"}}`, dictionary))); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"of-file.canary.json": "{}", "log.gz": gzipped(t, "user=log.canary"), "skipped": "skip.canary"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := scanner(t, canary.Value{Name: "row", Text: "anna.canary"}, canary.Value{Name: "name", Text: "file.canary"}, canary.Value{Name: "log", Text: "log.canary"}, canary.Value{Name: "skipped", Text: "skip.canary"})
	hits, err := s.ScanDir(dir, func(name string) bool { return name == "skipped" })
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, h := range hits {
		found[h.Name] = h.Place
	}
	if len(found) != 3 || !strings.Contains(found["row"], "zstd") || found["name"] == "" || found["log"] == "" {
		t.Errorf("found %v", hits)
	}
}

func BenchmarkScan(b *testing.B) {
	var values []canary.Value
	for i := range 1000 {
		values = append(values, canary.Value{Name: "v", Text: fmt.Sprintf("canary-of-a-person-%d", i)})
	}
	s, err := canary.New(values...)
	if err != nil {
		b.Fatal(err)
	}
	data := []byte(strings.Repeat(`{"id":"7","general":{"name":"mac","platform":"Mac"}}`, 20000))
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		s.Scan("data", data)
	}
}

package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestEveryDecisionIsListed: docs/adr/README.md names each record by its number and its title.
func TestEveryDecisionIsListed(t *testing.T) {
	t.Parallel()
	const dir = "../../docs/adr"
	list, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	records, err := filepath.Glob(filepath.Join(dir, "[0-9]*.md"))
	if err != nil || len(records) == 0 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	for _, file := range records {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(file)
		number, _, _ := strings.Cut(name, "-")
		first, _, _ := strings.Cut(string(data), "\n")
		_, title, _ := strings.Cut(strings.TrimPrefix(first, "# "), " ")
		if row := "| [" + number + "](" + name + ") | " + strings.TrimSpace(title) + " |"; !strings.Contains(string(list), row) {
			t.Errorf("no row %s", row)
		}
	}
}

package oracle

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

const casesPerFunction = 400

type object = map[string]any

// Each function has a stream of its own, so that more cases of one leave the others alone. Both releases get the same.
func seeded(stream uint64) *rand.Rand {
	return rand.New(rand.NewPCG(20261125, stream))
}

// One line a case: small, and a change shows as a line.
func write(t *testing.T, name string, cases []any) {
	root := os.Getenv("ORACLE_OUT")
	if root == "" {
		t.Fatal("set ORACLE_OUT to the directory for the JSON")
	}
	directory := filepath.Join(root, release)
	if err := os.MkdirAll(directory, 0o755); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	out.WriteString(`{"module":"istio.io/istio ` + istioVersion(t) + `","cases":[`)
	for i, one := range cases {
		if i > 0 {
			out.WriteString(",")
		}
		line, err := json.Marshal(one)
		if err != nil {
			t.Fatal(err)
		}
		out.WriteString("\n")
		out.Write(line)
	}
	out.WriteString("\n]}\n")
	if err := os.WriteFile(filepath.Join(directory, name+".json"), out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// From the module file, as a test's build does not list its modules.
func istioVersion(t *testing.T) string {
	module, err := os.ReadFile(moduleFile)
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)\bistio\.io/istio (v\S+)`).FindSubmatch(module)
	if found == nil {
		t.Fatalf("%s names no version of istio.io/istio", moduleFile)
	}
	return string(found[1])
}

func pick[T any](random *rand.Rand, values ...T) T {
	return values[random.IntN(len(values))]
}

// True once in n draws.
func oneIn(random *rand.Rand, n int) bool {
	return random.IntN(n) == 0
}

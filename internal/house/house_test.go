package house_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = "../.."

// mayImport says which rooms of this module a room may import. All arrows
// point to pipeline; siblings do not know each other; only cmd knows all.
var mayImport = map[string][]string{
	"pipeline":             {},
	"config":               {"pipeline"},
	"extract":              {"pipeline", "extract", "internal/duck"},
	"transform":            {"pipeline", "internal/duck", "transform"},
	"transform/methods":    {"internal/u01", "transform/statistics"},
	"transform/statistics": {"internal/u01"},
	"load":                 {"pipeline"},
	"lineage":              {"pipeline"},
	"lineage/standards":    {"pipeline"},
	"load/dirstore":        {"load"},
	"load/s3store":         {"load", "pipeline"},
	"load/storetest":       {"load", "pipeline"},
	"schedule":             {"pipeline"},
	"sql":                  {},
	"internal/duck":        {"pipeline"},
	"internal/u01":         {},
	"internal/s3server":    {},
	"internal/sample":      {"internal/u01"},
	"internal/house":       {},
	"internal/words":       {"pipeline"},
	"schedule/notice":      {"pipeline"},
	"extract/csvtext":      {"pipeline"},
	"extract/biff":         {},
	"extract/dbase":        {},
	"extract/jsontext":     {},
	"extract/shape":        {"extract/dbase"},
	"extract/stata":        {},
	"extract/web":          {},
	"extract/xlsx":         {"extract/zipped"},
	"extract/zipped":       {},
	"bench":                {"config", "pipeline", "internal/duck", "sql"},
	"cmd/tamiz":            {"*"},
}

// onlyIn says which outside packages are known in which rooms alone.
var onlyIn = map[string][]string{
	"github.com/duckdb/duckdb-go/v2": {"internal/duck"},
	"github.com/goccy/go-yaml":       {"config"},
	"aead.dev/minisign":              {"load"},
	"github.com/spf13/cobra":         {"cmd/tamiz"},
	"github.com/aws/aws-sdk-go-v2":   {"load/s3store", "extract", "internal/s3server"},
	"go.uber.org/zap":                {"cmd/tamiz", "schedule"},
	"github.com/nicksnyder/go-i18n":  {"internal/words"},
	"github.com/wneessen/go-mail":    {"schedule/notice"},
	"math/rand":                      {},
	"math/rand/v2":                   {},
}

type goFile struct {
	path, room string
	text       []byte
	syntax     *ast.File
}

// goFiles parses all Go files that are no tests.
func goFiles(t *testing.T) []goFile {
	t.Helper()
	var files []goFile
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			base := entry.Name()
			if base != ".." && strings.HasPrefix(base, ".") || base == "testdata" || base == "tools" || base == "demo" {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		syntax, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ParseComments)
		if err != nil {
			return err
		}
		relative := strings.TrimPrefix(filepath.ToSlash(name), root+"/")
		files = append(files, goFile{path: relative, room: path.Dir(relative), text: text, syntax: syntax})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 20 {
		t.Fatalf("found only %d Go files: the walk is broken", len(files))
	}
	return files
}

func TestRoomsImportOnlyWhatTheyMay(t *testing.T) {
	seen := map[string]bool{}
	for _, file := range goFiles(t) {
		seen[file.room] = true
		allowed, known := mayImport[file.room]
		if !known {
			t.Errorf("%s: the room %s is new: say in mayImport what it may import, and in docs/architecture.md what it is", file.path, file.room)
			continue
		}
		for _, spec := range file.syntax.Imports {
			imported := strings.Trim(spec.Path.Value, `"`)
			if inner, ok := strings.CutPrefix(imported, "tamiz/"); ok && !allows(allowed, file.room, inner) {
				t.Errorf("%s imports %s: %s may import only %v", file.path, imported, file.room, allowed)
			}
			for outside, rooms := range onlyIn {
				if imported == outside || strings.HasPrefix(imported, outside+"/") && outside != "math/rand" {
					if !allows(rooms, "", file.room) {
						t.Errorf("%s imports %s, which only %v may know", file.path, imported, rooms)
					}
				}
			}
		}
	}
	for room := range mayImport {
		if !seen[room] {
			t.Errorf("mayImport names %s, which does not exist", room)
		}
	}
}

func allows(allowed []string, self, wanted string) bool {
	for _, room := range allowed {
		if room == "*" || wanted == room || (room == self && strings.HasPrefix(wanted, self+"/")) || strings.HasPrefix(wanted, room+"/") && room == "extract" {
			return true
		}
	}
	return false
}

func TestPipelineImportsOnlyTheStandardLibrary(t *testing.T) {
	for _, file := range goFiles(t) {
		if file.room != "pipeline" {
			continue
		}
		for _, spec := range file.syntax.Imports {
			if strings.Contains(spec.Path.Value, ".") || strings.Contains(spec.Path.Value, "tamiz/") {
				t.Errorf("%s imports %s: the language stands on the standard library alone", file.path, spec.Path.Value)
			}
		}
	}
}

func TestEveryPackageHasADoc(t *testing.T) {
	docs := map[string]string{}
	for _, file := range goFiles(t) {
		if _, ok := docs[file.room]; !ok {
			docs[file.room] = ""
		}
		if file.syntax.Doc != nil {
			docs[file.room] += file.syntax.Doc.Text()
		}
	}
	for room, doc := range docs {
		if len(strings.Fields(doc)) < 15 {
			t.Errorf("package %s has no doc that says what comes in, what goes out, and what it never does", room)
		}
	}
}

func TestEveryExportedNameHasADoc(t *testing.T) {
	for _, file := range goFiles(t) {
		for _, declaration := range file.syntax.Decls {
			switch d := declaration.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && d.Doc == nil && (d.Recv == nil || receiverIsExported(d)) {
					t.Errorf("%s: func %s has no doc", file.path, d.Name.Name)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if s, ok := spec.(*ast.TypeSpec); ok && s.Name.IsExported() && d.Doc == nil && s.Doc == nil {
						t.Errorf("%s: type %s has no doc", file.path, s.Name.Name)
					}
				}
			}
		}
	}
}

func receiverIsExported(d *ast.FuncDecl) bool {
	kind := d.Recv.List[0].Type
	if star, ok := kind.(*ast.StarExpr); ok {
		kind = star.X
	}
	name, ok := kind.(*ast.Ident)
	return ok && name.IsExported()
}

// countryWords would betray that Go knows a country.
var countryWords = regexp.MustCompile(`(?i)\b(mexico|méxico|nepal|jalisco|planea|enlace|inegi|conapo|ageb|cvegeo|dalit|janajati|turno|matutino|marginaci[oó]n|cct)\b`)

func TestNoGoKnowsACountry(t *testing.T) {
	for _, file := range goFiles(t) {
		if file.room == "internal/sample" || file.room == "internal/house" {
			continue
		}
		for i, line := range bytes.Split(file.text, []byte("\n")) {
			if word := countryWords.Find(line); word != nil {
				t.Errorf("%s:%d mentions %q: what belongs to a country belongs into config/ or sql/", file.path, i+1, word)
			}
		}
	}
}

func TestGoFilesAndFunctionsFitTheEye(t *testing.T) {
	const maxLines, maxFunction = 450, 90
	for _, file := range goFiles(t) {
		if lines := bytes.Count(file.text, []byte("\n")); lines > maxLines {
			t.Errorf("%s has %d lines, more than %d: divide it", file.path, lines, maxLines)
		}
		set := token.NewFileSet()
		syntax, err := parser.ParseFile(set, file.path, file.text, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range syntax.Decls {
			f, ok := declaration.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if lines := set.Position(f.End()).Line - set.Position(f.Pos()).Line; lines > maxFunction {
				t.Errorf("%s: func %s has %d lines, more than %d", file.path, f.Name.Name, lines, maxFunction)
			}
		}
	}
}

func TestNoInitAndNoHiddenContext(t *testing.T) {
	for _, file := range goFiles(t) {
		for _, declaration := range file.syntax.Decls {
			if f, ok := declaration.(*ast.FuncDecl); ok && f.Name.Name == "init" && f.Recv == nil {
				t.Errorf("%s: func init hides wiring; cmd passes things by hand", file.path)
			}
		}
		if path.Base(file.path) != "main.go" && bytes.Contains(file.text, []byte("context.Background()")) {
			t.Errorf("%s: context.Background outside main cannot be interrupted", file.path)
		}
	}
}

// sqlFiles lists the models.
func sqlFiles(t *testing.T) []string {
	t.Helper()
	var files []string
	for _, layer := range []string{"staging", "intermediate", "marts"} {
		found, err := filepath.Glob(filepath.Join(root, "sql", "*", layer, "*.sql"))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	if len(files) == 0 {
		t.Fatal("found no models")
	}
	return files
}

func TestModelsLookAlike(t *testing.T) {
	for _, file := range sqlFiles(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimPrefix(filepath.ToSlash(file), root+"/")
		lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
		if !strings.HasPrefix(lines[0], "-- One row") {
			t.Errorf("%s:1: the first line says the grain: -- One row per …", name)
		}
		if len(lines) > 110 {
			t.Errorf("%s has %d lines: put a thought into an intermediate model", name, len(lines))
		}
		for i, line := range lines {
			if len([]rune(line)) > 100 {
				t.Errorf("%s:%d has %d columns, more than 100", name, i+1, len([]rune(line)))
			}
			if strings.Contains(line, "\t") || strings.Contains(line, "{{") {
				t.Errorf("%s:%d: no tabs, no templates", name, i+1)
			}
		}
		for _, extension := range []string{".yml", ".txtar"} {
			if _, err := os.Stat(strings.TrimSuffix(file, ".sql") + extension); err != nil {
				t.Errorf("%s: its %s is missing", name, extension)
			}
		}
	}
}

func TestDocsNameEveryRoom(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	for room := range mayImport {
		if !bytes.Contains(text, []byte(fmt.Sprintf("`%s`", room))) {
			t.Errorf("docs/architecture.md does not name the room `%s`", room)
		}
	}
}

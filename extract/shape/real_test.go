package shape_test

import (
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/wroge/wgs84"

	"tamiz/extract/shape"
)

type geometry struct {
	Type        string
	Coordinates [][][][2]float64
}

func realFile(t *testing.T, name string) []byte {
	t.Helper()
	root := os.Getenv("TAMIZ_DATA")
	if root == "" {
		root = "../../../shared/data"
	}
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Skip("the real files are not there: set TAMIZ_DATA")
	}
	return text
}

func readReal(t *testing.T, in shape.Files) (rows [][]string, shapes []geometry) {
	t.Helper()
	rows, _, err := readAll(in)
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range rows {
		var g geometry
		if err := json.Unmarshal([]byte(row[len(row)-1]), &g); err != nil || g.Type != "MultiPolygon" {
			t.Fatalf("row %d: %v, type %q", i+1, err, g.Type)
		}
		shapes = append(shapes, g)
	}
	return rows, shapes
}

// rawPoints reads the points of each polygon as they stand in the file.
func rawPoints(file []byte) (shapes [][][2]float64) {
	for at := 100; at < len(file); {
		size := 2 * int(binary.BigEndian.Uint32(file[at+4:]))
		content := file[at+8 : at+8+size]
		parts, points := int(binary.LittleEndian.Uint32(content[36:])), int(binary.LittleEndian.Uint32(content[40:]))
		var list [][2]float64
		for i := range points {
			pair := content[44+4*parts+16*i:]
			list = append(list, [2]float64{math.Float64frombits(binary.LittleEndian.Uint64(pair)), math.Float64frombits(binary.LittleEndian.Uint64(pair[8:]))})
		}
		shapes = append(shapes, list)
		at += 8 + size
	}
	return shapes
}

func conicFiles(t *testing.T) (shape.Files, []byte) {
	shapes := realFile(t, "geo/mx_yucatan_ageb/31a.shp")
	return files(shapes, realFile(t, "geo/mx_yucatan_ageb/31a.dbf"),
		string(realFile(t, "geo/mx_yucatan_ageb/31a.prj")), string(realFile(t, "geo/mx_yucatan_ageb/31a.cpg"))), shapes
}

func TestLayer_ProjectsARealLayer(t *testing.T) {
	in, raw := conicFiles(t)
	rows, shapes := readReal(t, in)
	if len(rows) != 1532 || rows[0][0] != "3100100010130" {
		t.Fatalf("got %d rows, the first is %q", len(rows), rows[0][0])
	}
	system := wgs84.ETRS89().LambertConformalConic2SP(-102, 12, 17.5, 29.5, 2500000, 0)
	points, polygons, holes, worst := 0, 0, 0, 0.0
	for i, list := range rawPoints(raw) {
		cells := map[[2]int][][2]float64{}
		for _, p := range list {
			lon, lat := system.Projection.ToLonLat(p[0], p[1], wgs84.GRS80{})
			cell := [2]int{int(math.Floor(lon * 1e6)), int(math.Floor(lat * 1e6))}
			cells[cell] = append(cells[cell], [2]float64{lon, lat})
		}
		count := 0
		for _, polygon := range shapes[i].Coordinates {
			polygons++
			holes += len(polygon) - 1
			for _, ring := range polygon {
				count += len(ring)
				for _, p := range ring {
					if p[0] < -91 || p[0] > -87 || p[1] < 19 || p[1] > 22 {
						t.Fatalf("record %d: %v is somewhere else", i+1, p)
					}
					distance := nearest(cells, p)
					if worst = max(worst, distance); distance > 1e-8 {
						t.Fatalf("record %d: %v is %v degrees off", i+1, p, distance)
					}
				}
			}
		}
		if count != len(list) {
			t.Fatalf("record %d: %d points became %d", i+1, len(list), count)
		}
		points += count
	}
	if points != 82653 {
		t.Errorf("got %d points, want 82653", points)
	}
	t.Logf("%d points in %d polygons with %d holes, at most %.2g degrees off", points, polygons, holes, worst)
}

// nearest tells how far, in degrees, the next of the points is.
func nearest(cells map[[2]int][][2]float64, p [2]float64) float64 {
	best := math.Inf(1)
	for i := -1; i <= 1; i++ {
		for j := -1; j <= 1; j++ {
			for _, q := range cells[[2]int{int(math.Floor(p[0]*1e6)) + i, int(math.Floor(p[1]*1e6)) + j}] {
				best = min(best, max(math.Abs(p[0]-q[0]), math.Abs(p[1]-q[1])))
			}
		}
	}
	return best
}

func TestLayer_HoldsMostSchoolsOfARealState(t *testing.T) {
	in, _ := conicFiles(t)
	var schools []struct{ Coords struct{ Lat, Lng float64 } }
	if err := json.Unmarshal(realFile(t, "mx/registry/yucatan_schools_coords.json"), &schools); err != nil {
		t.Fatal(err)
	}
	_, shapes := readReal(t, in)
	held := 0
	for _, school := range schools {
		for _, g := range shapes {
			if within(g, school.Coords.Lng, school.Coords.Lat) {
				held++
				break
			}
		}
	}
	if len(schools) != 1604 || held != 1212 {
		t.Errorf("got %d of %d schools, want 1212 of 1604", held, len(schools))
	}
}

// within is the even-odd rule.
func within(g geometry, x, y float64) bool {
	odd := false
	for _, polygon := range g.Coordinates {
		for _, ring := range polygon {
			for i := 1; i < len(ring); i++ {
				a, b := ring[i-1], ring[i]
				if (a[1] > y) != (b[1] > y) && x < (b[0]-a[0])*(y-a[1])/(b[1]-a[1])+a[0] {
					odd = !odd
				}
			}
		}
	}
	return odd
}

func TestLayer_LeavesDegreesOfARealLayer(t *testing.T) {
	raw := realFile(t, "np/emis/geoda_nepal_75districts.shp")
	rows, shapes := readReal(t, files(raw, realFile(t, "np/emis/geoda_nepal_75districts.dbf"), string(realFile(t, "np/emis/geoda_nepal_75districts.prj")), ""))
	if len(rows) != 75 {
		t.Fatalf("got %d rows", len(rows))
	}
	points, polygons := 0, 0
	for i, list := range rawPoints(raw) {
		cells := map[[2]int][][2]float64{}
		for _, p := range list {
			cell := [2]int{int(math.Floor(p[0] * 1e6)), int(math.Floor(p[1] * 1e6))}
			cells[cell] = append(cells[cell], p)
		}
		count := 0
		for _, polygon := range shapes[i].Coordinates {
			polygons++
			for _, ring := range polygon {
				count += len(ring)
				for _, p := range ring {
					if distance := nearest(cells, p); distance > 5.1e-10 {
						t.Fatalf("record %d: %v is %v degrees off", i+1, p, distance)
					}
				}
			}
		}
		if points += count; count != len(list) {
			t.Fatalf("record %d: %d points became %d", i+1, len(list), count)
		}
	}
	t.Logf("%d points in %d polygons", points, polygons)
}

func TestLayer_AttributesOfARealLayer(t *testing.T) {
	raw := realFile(t, "np/emis/geoda_nepal_75districts.shp")
	rows, _ := readReal(t, files(raw, realFile(t, "np/emis/geoda_nepal_75districts.dbf"), "", ""))
	want, err := csv.NewReader(bytes.NewReader(realFile(t, "derived/geoda_nepal_75districts.csv"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range rows {
		for j, cell := range row[:len(row)-1] {
			if cell != want[i+1][j] {
				t.Errorf("record %d, %s: got %q, want %q", i+1, want[0][j], cell, want[i+1][j])
			}
		}
	}
}

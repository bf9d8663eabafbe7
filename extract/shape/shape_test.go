package shape_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	"tamiz/extract/shape"
)

// Squares as the format has them: outer ones clockwise, holes the other way.
var (
	square = line{0, 0, 0, 10, 10, 10, 10, 0, 0, 0}
	far    = line{20, 0, 20, 10, 30, 10, 30, 0, 20, 0}
	hole   = line{2, 2, 8, 2, 8, 8, 2, 8, 2, 2}
	island = line{4, 4, 4, 6, 6, 6, 6, 4, 4, 4}
	pond   = line{4.5, 4.5, 5.5, 4.5, 5.5, 5.5, 4.5, 5.5, 4.5, 4.5}
)

func backwards(ring line) line {
	var turned line
	for i := len(ring) - 2; i >= 0; i -= 2 {
		turned = append(turned, ring[i], ring[i+1])
	}
	return turned
}

// As they come out.
const (
	squareText = "[[0,0],[10,0],[10,10],[0,10],[0,0]]"
	farText    = "[[20,0],[30,0],[30,10],[20,10],[20,0]]"
	holeText   = "[[2,2],[2,8],[8,8],[8,2],[2,2]]"
	islandText = "[[4,4],[6,4],[6,6],[4,6],[4,4]]"
	pondText   = "[[4.5,4.5],[4.5,5.5],[5.5,5.5],[5.5,4.5],[4.5,4.5]]"
)

func TestLayer_ArrangesRings(t *testing.T) {
	cases := []struct {
		name  string
		rings []line
		want  string // polygons
	}{
		{"one ring", []line{square}, "[" + squareText + "]"},
		{"an open ring", []line{square[:8]}, "[" + squareText + "]"},
		{"an open triangle", []line{{0, 0, 0, 1, 1, 0}}, "[[[0,0],[1,0],[0,1],[0,0]]]"},
		{"a hole", []line{square, hole}, "[" + squareText + "," + holeText + "]"},
		{"the hole goes first", []line{hole, square}, "[" + squareText + "," + holeText + "]"},
		{"two outer rings", []line{far, square, hole}, "[" + farText + "],[" + squareText + "," + holeText + "]"},
		{"an island in the hole", []line{square, island, hole, pond}, "[" + squareText + "," + holeText + "],[" + islandText + "," + pondText + "]"},
		{"all the other way round", []line{backwards(square), backwards(hole)}, "[" + squareText + "," + holeText + "]"},
		{"a hole in nothing", []line{square, backwards(far)}, "[" + squareText + "],[" + farText + "]"},
		{"a hole that touches the edge", []line{square, {0, 0, 5, 0, 5, 5, 0, 0}}, "[" + squareText + ",[[0,0],[5,5],[5,0],[0,0]]]"},
		{"a hole that touches another ring's corner", []line{far, square, {20, 0, 20, -10, 10, -10, 10, 0, 20, 0}, backwards(line{20, 0, 19, -1, 18, 0, 20, 0})},
			"[" + farText + "],[" + squareText + "],[[[20,0],[10,0],[10,-10],[20,-10],[20,0]],[[20,0],[19,-1],[18,0],[20,0]]]"},
		{"a ring without area", []line{square, {1, 1, 2, 2, 3, 3, 1, 1}}, "[" + squareText + "],[[[1,1],[2,2],[3,3],[1,1]]]"},
		{"no ring", nil, ""},
	}
	for _, c := range cases {
		for _, kind := range []uint32{5, 15, 25} {
			t.Run(fmt.Sprintf("%s, kind %d", c.name, kind), func(t *testing.T) {
				rows, _, err := readAll(files(shp(kind, polygonOf(kind, c.rings...)), dbf(" "), wgs84Text, ""))
				if err != nil {
					t.Fatal(err)
				}
				want := c.want
				if want != "" {
					want = `{"type":"MultiPolygon","coordinates":[` + want + "]}"
				}
				if got := rows[0][1]; got != want {
					t.Errorf("got  %s\nwant %s", got, want)
				}
			})
		}
	}
}

func TestLayer_GivesRowsOfBothFiles(t *testing.T) {
	layer, err := shape.Open(files(
		shp(1, pointOf(1, -89.5, 20.25), pointOf(1, 1, 1), pointOf(0), pointOf(1, -0.0000000001, 0.12345678949)), dbf(" *  "), "", " UTF-8\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(layer.Titles()); got != "[ID geometry]" {
		t.Errorf("titles: got %s", got)
	}
	for _, want := range []string{
		`1 ["1" "{\"type\":\"Point\",\"coordinates\":[-89.5,20.25]}"]`,
		`3 ["3" ""]`,
		`4 ["4" "{\"type\":\"Point\",\"coordinates\":[0,0.123456789]}"]`,
	} {
		cells, number, err := layer.Next()
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%d %q", number, cells); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if _, _, err := layer.Next(); err != io.EOF || layer.Deleted() != 1 {
		t.Errorf("the end: got %v, %d deleted", err, layer.Deleted())
	}
}

func TestLayer_ReadsPointsWithHeights(t *testing.T) {
	for _, kind := range []uint32{11, 21} {
		rows, _, err := readAll(files(shp(kind, pointOf(kind, 1, 2, 3)), dbf(" "), wgs84Text, ""))
		if err != nil || rows[0][1] != `{"type":"Point","coordinates":[1,2]}` {
			t.Errorf("kind %d: got %q, %v", kind, rows, err)
		}
	}
}

func TestLayer_RefusesDamagedFiles(t *testing.T) {
	one := polygonOf(5, square)
	good := shp(5, one, polygonOf(5, far))
	second := 100 + 8 + len(one) // header of the second record
	cases := []struct {
		name          string
		shapes, table []byte
		prj, cpg      string
		want          string
	}{
		{"no shapes", nil, dbf("  "), "", "", "the shapes (.shp): the file is no shapefile: it has only 0 bytes"},
		{"another file", with(good, 0, 'P', 'K'), dbf("  "), "", "", "the shapes (.shp): the file is no shapefile: it does not begin with"},
		{"no length", with(good, 24, 0, 0, 0, 0), dbf("  "), "", "", "the shapes (.shp): the header says that the file has 0 bytes"},
		{"cut short", good[:len(good)-2], dbf("  "), "", "", "the shapes (.shp): the file is cut short: its header says 372 bytes, it has 370: 2 are missing"},
		{"lines", with(good, 32, 3), dbf("  "), "", "", "the shapes (.shp): the file holds shapes of kind PolyLine"},
		{"an odd kind", with(good, 32, 99), dbf("  "), "", "", "the shapes (.shp): the file holds shapes of kind number 99"},
		{"two kinds", with(good, second+8, 15), dbf("  "), "", "", "the shapes (.shp): record 2: the shape is of kind PolygonZ, but the header of the file says Polygon"},
		{"out of order", with(good, second, 0, 0, 0, 7), dbf("  "), "", "", "the shapes (.shp): record 2 has the number 7"},
		{"a long record", with(good, second+4, 0xFF, 0xFF, 0xFF, 0xFF), dbf("  "), "", "", "the shapes (.shp): record 2 goes on for 8589934462 bytes behind the end"},
		{"a short record", with(good, second+4, 0, 0, 0, 1), dbf("  "), "", "", "the shapes (.shp): record 2 has 2 bytes, too few"},
		{"fewer attributes", good, dbf(" "), "", "", "the shapes (.shp) are 2, but the attributes (.dbf) have 1 records"},
		{"no attributes", good, nil, "", "", "the attributes (.dbf): the file is no dBase table"},
		{"an odd encoding", good, dbf("  "), "", "Klingon", `the encoding (.cpg): "Klingon" is not known`},
		{"too many points", with(good, second+8+40, 0xFF, 0xFF, 0xFF, 0x7F), dbf("  "), "", "", "the shapes (.shp): record 2: it says that it has 1 rings with 2147483647 points"},
		{"too many rings", with(good, second+8+36, 0xFF, 0xFF, 0xFF, 0xFF), dbf("  "), "", "", "the shapes (.shp): record 2: it says that it has 4294967295 rings"},
		{"points in no ring", with(good, second+8+36, 0), dbf("  "), "", "", "the shapes (.shp): record 2: it has 5 points, but no ring"},
		{"a ring that begins late", with(good, second+8+44, 1), dbf("  "), "", "", "the shapes (.shp): record 2: ring 1 goes from point 2 to point 5 of 5"},
		{"a ring of two points", shp(5, polygonOf(5, line{0, 0, 1, 1})), dbf(" "), "", "", "the shapes (.shp): record 1: ring 1: it has 3 points, want 4"},
		{"an empty ring", shp(5, polygonOf(5, line{}, square)), dbf(" "), "", "", "the shapes (.shp): record 1: ring 1: it has 0 points, want 4"},
		{"a short point", shp(1, pointOf(1, 1)), dbf(" "), "", "", "the shapes (.shp): record 1: the record has 12 bytes"},
		{"a short polygon", shp(5, one[:20]), dbf(" "), "", "", "the shapes (.shp): record 1: the record has 20 bytes"},
		{"no number", shp(1, pointOf(1, math.NaN(), 0)), dbf(" "), "", "", "the shapes (.shp): record 1: the coordinates NaN, 0 are no longitude and latitude"},
		{"metres without a projection", shp(1, pointOf(1, 3777000, 1040000)), dbf(" "), "", "", "the shapes (.shp): record 1: the coordinates 3.777e+06, 1.04e+06 are no degrees, and there is no .prj"},
		{"metres said to be degrees", shp(5, polygonOf(5, line{0, 0, 0, 91, 1, 1})), dbf(" "), wgs84Text, "", "the shapes (.shp): record 1: ring 1, point 2: the coordinates 0, 91 are no longitude and latitude"},
		{"no place in the projection", shp(1, pointOf(1, math.Inf(1), 0)), dbf(" "), conicText, "", "the shapes (.shp): record 1: the coordinates +Inf, 0 are no place in the projection"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if _, _, err := readAll(files(c.shapes, c.table, c.prj, c.cpg)); err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestLayer_SaysThatReadingFailed(t *testing.T) {
	whole := shp(5, polygonOf(5, square))
	in := files(whole[:150], dbf(" "), "", "")
	in.SHP.Size = int64(len(whole))
	if _, _, err := readAll(in); !errors.Is(err, io.ErrUnexpectedEOF) || !strings.HasPrefix(err.Error(), "the shapes (.shp): read record 1: ") {
		t.Errorf("got %v", err)
	}
}

func TestLayer_BoundsTheWorkOfHoles(t *testing.T) {
	outer, rings := line{}, []line{nil}
	for i := range 200_000 { // a comb
		outer = append(outer, float64(i%100)/100, 60-float64(i)/4000)
	}
	rings[0] = append(outer, -1, 0, -1, 60)
	for range 20_000 {
		rings = append(rings, line{0.001, 20, 0.002, 20, 0.002, 20.001, 0.001, 20})
	}
	_, _, err := readAll(files(shp(5, polygonOf(5, rings...)), dbf(" "), "", ""))
	if err == nil || !strings.Contains(err.Error(), "too many holes") {
		t.Errorf("got %v", err)
	}
}

func FuzzLayer(f *testing.F) {
	for _, kind := range []uint32{5, 15, 25} {
		good := shp(kind, polygonOf(kind, square, island, hole, pond), polygonOf(kind, far), pointOf(0))
		f.Add(good, dbf(" * "), wgs84Text, "UTF-8")
		f.Add(good[:len(good)-50], dbf("   "), "", "")
		f.Add(good, dbf("   "), conicText, "ISO 88591")
	}
	f.Add(shp(1, pointOf(1, 3777000, 1040000)), dbf(" "), conicText, "1252")
	f.Fuzz(func(t *testing.T, shapes, table []byte, prj, cpg string) {
		rows, _, _ := readAll(files(shapes, table, prj, cpg))
		if len(rows) > len(shapes)/12 {
			t.Fatalf("%d rows of %d bytes of shapes", len(rows), len(shapes))
		}
		total := 0
		for _, row := range rows {
			text := row[len(row)-1]
			total += len(text)
			if text != "" && !json.Valid([]byte(text)) {
				t.Fatalf("no JSON: %s", text)
			}
		}
		if total > 4*len(shapes) { // a point of 16 bytes makes 31 at most, and closing a ring one more point
			t.Fatalf("%d bytes of geometry of %d bytes of shapes", total, len(shapes))
		}
	})
}

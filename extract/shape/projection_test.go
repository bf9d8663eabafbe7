package shape_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/wroge/wgs84"

	"tamiz/extract/shape"
)

// project reads a point by way of a file.
func project(prj string, x, y float64) (lon, lat float64, err error) {
	rows, _, err := readAll(files(shp(1, pointOf(1, x, y)), dbf(" "), prj, ""))
	if err != nil {
		return 0, 0, err
	}
	var point struct{ Coordinates [2]float64 }
	err = json.Unmarshal([]byte(rows[0][1]), &point)
	return point.Coordinates[0], point.Coordinates[1], err
}

// TestInverseConic_IsSnydersExample is the worked example of USGS Professional
// Paper 1395, pages 296 to 298 (Clarke 1866).
func TestInverseConic_IsSnydersExample(t *testing.T) {
	lon, lat, err := shape.InverseConic(6378206.4, 0.00676866, 33, 45, 23, -96, 1894410.9, 1564649.5)
	if err != nil || math.Abs(lon+75) > 3e-6 || math.Abs(lat-35) > 3e-6 {
		t.Errorf("got %v, %v, %v, want -75, 35", lon, lat, err)
	}
}

func TestProjection_GoesThereAndBack(t *testing.T) {
	cases := []struct{ parallel1, parallel2, latitude, meridian, east, north, unit float64 }{
		{17.5, 29.5, 12, -102, 2500000, 0, 1},
		{-18, -36, -10, 134, 0, 500000, 1},
		{30, 30, 30, 84, 1000, -1000, 1},
		{45, 33, 0, -179, 0, 0, 0.3048006096012192},
	}
	for _, c := range cases {
		system := wgs84.ETRS89().LambertConformalConic2SP(c.meridian, c.latitude, c.parallel1, c.parallel2, c.east*c.unit, c.north*c.unit)
		prj := fmt.Sprintf(`projcs [ "x", GEOGCS["y",DATUM["NAD83",SPHEROID["GRS 1980",6378137,298.257222101,AUTHORITY["EPSG","7019"]]],UNIT["degree",0.0174532925199433]],
			PROJECTION["Lambert_Conformal_Conic_2SP"],PARAMETER["standard_parallel_1",%v],PARAMETER["standard_parallel_2",%v],PARAMETER["latitude_of_origin",%v],
			PARAMETER["central_meridian",%v],PARAMETER["false_easting",%v],PARAMETER["false_northing",%v],PARAMETER["scale_factor",1],UNIT["a ""unit""",%v],AXIS["X",EAST]],VERTCS["z"]`,
			c.parallel1, c.parallel2, c.latitude, c.meridian, c.east, c.north, c.unit)
		for lat := -80.0; lat <= 80; lat += 7.3 {
			for lon := -179.0; lon < 180; lon += 13.7 {
				x, y := system.Projection.FromLonLat(lon, lat, wgs84.GRS80{})
				if theta := math.Abs(lon - c.meridian); theta > 180 { // the other side of the date line
					x, y = system.Projection.FromLonLat(lon-math.Copysign(360, lon-c.meridian), lat, wgs84.GRS80{})
				}
				gotLon, gotLat, err := project(prj, x/c.unit, y/c.unit)
				if err != nil {
					t.Fatalf("%+v: %v, %v: %v", c, lon, lat, err)
				}
				if math.Abs(gotLon-lon) > 1e-8 || math.Abs(gotLat-lat) > 1e-8 {
					t.Fatalf("%+v: got %v, %v, want %v, %v", c, gotLon, gotLat, lon, lat)
				}
			}
		}
	}
}

func TestOpen_RefusesProjections(t *testing.T) {
	change := func(text, old, replaced string) string {
		if !strings.Contains(text, old) {
			t.Fatalf("%s is not in %s", old, text)
		}
		return strings.Replace(text, old, replaced, 1)
	}
	cases := []struct{ name, prj, want string }{
		{"UTM", change(conicText, "Lambert_Conformal_Conic", "Transverse_Mercator"), `the projection "X_LCC" (Transverse_Mercator) is not read: ask for the layer in WGS 84`},
		{"another datum", change(conicText, "6378137.0,298.257222101", "6378206.4,294.9786982"), `the datum "D_ITRF_2008" is not WGS 84 or near it`},
		{"another datum of degrees", change(wgs84Text, "6378137", "6377276.345"), `the datum "D_WGS_1984" is not WGS 84 or near it`},
		{"Paris", change(wgs84Text, `"Greenwich",0`, `"Paris",2.5969213`), `longitudes are counted from "Paris"`},
		{"grads", change(wgs84Text, `"Degree",0.017453292519943295`, `"Grad",0.015707963267948967`), `angles are in "Grad"`},
		{"no datum", `GEOGCS["x"]`, `GEOGCS "x" does not tell its DATUM`},
		{"no spheroid", `GEOGCS["x",DATUM["y"]]`, `DATUM "y" does not tell its SPHEROID`},
		{"no method", `PROJCS["x"]`, `"x" does not tell its PROJECTION`},
		{"one parallel", change(conicText, `PARAMETER["Standard_Parallel_2",29.5],`, ""), `the projection "X_LCC" does not tell its Standard_Parallel_2`},
		{"a scale", change(conicText, `Latitude_Of_Origin",12.0]`, `Latitude_Of_Origin",12.0],PARAMETER["Scale_Factor",0.9996]`), `the projection "X_LCC" has the parameter "Scale_Factor" of 0.9996, which is not read`},
		{"a parameter too many", change(conicText, `False_Northing",0.0]`, `False_Northing",0.0],PARAMETER["Azimuth",3]`), `the projection "X_LCC" has the parameter "Azimuth" of 3`},
		{"a cylinder", change(conicText, "29.5", "-17.5"), `the projection "X_LCC": its parallels or its origin make no cone`},
		{"an origin at the far pole", change(conicText, "12.0", "-90"), `the projection "X_LCC": its parallels or its origin make no cone`},
		{"a parallel at the pole", change(conicText, "29.5", "90"), `the projection "X_LCC": its parallels or its origin make no cone`},
		{"no unit", change(conicText, `"Meter",1.0`, `"Meter",0`), `the projection "X_LCC" has an odd unit`},
		{"a local system", `LOCAL_CS["here",UNIT["metre",1]]`, `LOCAL_CS "here" is not read`},
		{"cut short", conicText[:len(conicText)-1], "it ends too early"},
		{"an open quote", conicText[:10], "a quote is never closed"},
		{"no text", "\x01\x02", "it is not written as projections are"},
		{"an odd number", `GEOGCS["x",1e]`, `"1e" is no number`},
		{"too deep", strings.Repeat("A[", 40), "it is nested deeper than 16"},
		{"too long", strings.Repeat("A", 1<<17), "it has 131072 bytes, more than 65536"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := shape.Open(files(shp(1), dbf(""), c.prj, ""))
			if want := "the projection (.prj): " + c.want; err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("got %v\nwant %s", err, want)
			}
		})
	}
}

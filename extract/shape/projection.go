package shape

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// projection turns coordinates of a file into degrees.
type projection struct {
	assumed bool   // there is no .prj
	conic   *conic // nil: coordinates are degrees
}

const advice = "ask for the layer in WGS 84 longitude and latitude, or in Lambert Conformal Conic with two standard parallels on ITRF or WGS 84"

// conicParameters are what tells the projection, in the order that readConic
// wants.
var conicParameters = []string{"Standard_Parallel_1", "Standard_Parallel_2", "Latitude_Of_Origin", "Central_Meridian", "False_Easting", "False_Northing"}

const degree = math.Pi / 180

// readProjection reads a .prj, which may be missing.
func readProjection(prj []byte) (projection, error) {
	text := strings.Trim(strings.TrimPrefix(string(prj), "\ufeff"), " \t\r\n\x00")
	if text == "" {
		return projection{assumed: true}, nil
	}
	root, err := parseWKT(text)
	if err != nil {
		return projection{}, err
	}
	switch root.keyword {
	case "GEOGCS":
		_, _, err := readDatum(root)
		return projection{}, err
	case "PROJCS":
		c, err := readConic(root)
		return projection{conic: c}, err
	}
	return projection{}, fmt.Errorf("%s %q is not read: %s", root.keyword, root.name, advice)
}

// readDatum gives the spheroid of a system of degrees: its radius in metres and
// its squared eccentricity.
func readDatum(system *node) (radius, squared float64, err error) {
	datum := system.child("DATUM")
	if datum == nil {
		return 0, 0, fmt.Errorf("%s %q does not tell its DATUM", system.keyword, system.name)
	}
	radius, err = datum.number("SPHEROID", 0)
	if err != nil {
		return 0, 0, err
	}
	flattening, err := datum.number("SPHEROID", 1) // its inverse
	if err != nil {
		return 0, 0, err
	}
	// GRS 1980 is 298.257222101, WGS 1984 is 298.257223563.
	if radius != 6378137 || math.Abs(flattening-298.257) > 1e-3 {
		return 0, 0, fmt.Errorf("the datum %q is not WGS 84 or near it, so that places would be off by many metres: %s", datum.name, advice)
	}
	if prime := system.child("PRIMEM"); prime != nil && (len(prime.numbers) == 0 || prime.numbers[0] != 0) {
		return 0, 0, fmt.Errorf("longitudes are counted from %q, not from Greenwich: %s", prime.name, advice)
	}
	unit, err := system.number("UNIT", 0)
	if err != nil {
		return 0, 0, err
	}
	if math.Abs(unit-degree) > 1e-10 {
		return 0, 0, fmt.Errorf("angles are in %q, not in degrees: %s", system.child("UNIT").name, advice)
	}
	f := 1 / flattening
	return radius, f * (2 - f), nil
}

// readConic reads a Lambert Conformal Conic projection.
func readConic(root *node) (*conic, error) {
	method := root.child("PROJECTION")
	if method == nil {
		return nil, fmt.Errorf("%q does not tell its PROJECTION", root.name)
	}
	switch fold(method.name) {
	case "lambertconformalconic", "lambertconformalconic2sp":
	default:
		return nil, fmt.Errorf("the projection %q (%s) is not read: %s", root.name, method.name, advice)
	}
	system := root.child("GEOGCS")
	if system == nil {
		return nil, fmt.Errorf("%q does not tell its GEOGCS", root.name)
	}
	radius, squared, err := readDatum(system)
	if err != nil {
		return nil, err
	}
	unit, err := root.number("UNIT", 0)
	if err != nil {
		return nil, err
	}
	parameters := map[string]float64{}
	for _, inner := range root.nodes {
		if inner.keyword != "PARAMETER" {
			continue
		}
		if len(inner.numbers) != 1 {
			return nil, fmt.Errorf("the parameter %q has %d numbers, want one", inner.name, len(inner.numbers))
		}
		name := fold(inner.name)
		switch {
		case name == "scalefactor" && inner.numbers[0] == 1:
		case slices.ContainsFunc(conicParameters, func(known string) bool { return fold(known) == name }):
			parameters[name] = inner.numbers[0]
		default:
			return nil, fmt.Errorf("the projection %q has the parameter %q of %v, which is not read: %s", root.name, inner.name, inner.numbers[0], advice)
		}
	}
	var values [6]float64
	for i, name := range conicParameters {
		value, ok := parameters[fold(name)]
		if !ok {
			return nil, fmt.Errorf("the projection %q does not tell its %s: %s", root.name, name, advice)
		}
		values[i] = value
	}
	c, err := newConic(radius, squared, values[0], values[1], values[2], values[3])
	if err != nil {
		return nil, fmt.Errorf("the projection %q: %w", root.name, err)
	}
	c.unit, c.east, c.north = unit, values[4]*unit, values[5]*unit
	if !(unit > 0) || !finite(unit, c.east, c.north) {
		return nil, fmt.Errorf("the projection %q has an odd unit or false origin", root.name)
	}
	return c, nil
}

// fold makes names alike that differ in capitals and marks.
func fold(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "", " ", "").Replace(name))
}

// inverse gives the place in degrees that coordinates stand for. What is no
// place on earth is an error.
func (p projection) inverse(x, y float64) (position, error) {
	at := position{x, y}
	if p.conic != nil {
		at = p.conic.inverse(x, y)
	}
	if finite(at.lon, at.lat) && math.Abs(at.lon) <= 180 && math.Abs(at.lat) <= 90 {
		return at, nil
	}
	switch {
	case p.assumed && finite(x, y):
		return at, fmt.Errorf("the coordinates %v, %v are no degrees, and there is no .prj that tells the projection: give that file too", x, y)
	case p.conic != nil:
		return at, fmt.Errorf("the coordinates %v, %v are no place in the projection that the .prj tells", x, y)
	}
	return at, fmt.Errorf("the coordinates %v, %v are no longitude and latitude", x, y)
}

// conic is the Lambert Conformal Conic projection with two standard parallels
// of an ellipsoid: J. P. Snyder, Map Projections: A Working Manual, USGS
// Professional Paper 1395 (1987), pages 107 to 109; equations by their numbers.
type conic struct {
	e           float64 // eccentricity
	n, af, rho0 float64 // af is the radius times F, in metres
	meridian    float64 // in radians
	unit        float64 // metres
	east, north float64 // false origin, in metres
}

// newConic takes the parallels and the origin in degrees.
func newConic(radius, squared, parallel1, parallel2, latitude, meridian float64) (*conic, error) {
	if !finite(parallel1, parallel2, latitude, meridian) || math.Abs(parallel1) >= 90 || math.Abs(parallel2) >= 90 ||
		math.Abs(latitude) > 90 || math.Abs(meridian) > 180 || math.Abs(parallel1+parallel2) < 1e-6 {
		return nil, errors.New("its parallels or its origin make no cone")
	}
	c := &conic{e: math.Sqrt(squared), meridian: meridian * degree, unit: 1}
	phi1, phi2 := parallel1*degree, parallel2*degree
	m1, m2 := c.m(phi1), c.m(phi2)
	t1, t2 := c.t(phi1), c.t(phi2)
	c.n = math.Sin(phi1)
	if math.Abs(phi1-phi2) > 1e-10 {
		c.n = (math.Log(m1) - math.Log(m2)) / (math.Log(t1) - math.Log(t2)) // 15-8
	}
	c.af = radius * m1 / (c.n * math.Pow(t1, c.n))                                                           // 15-10
	c.rho0 = c.af * math.Pow(c.t(latitude*degree), c.n)                                                      // 15-7a
	if !finite(c.n, c.af, c.rho0) || c.n == 0 || c.af == 0 || math.Abs(latitude) == 90 && latitude*c.n < 0 { // an origin at the far pole
		return nil, errors.New("its parallels or its origin make no cone")
	}
	return c, nil
}

// m is 14-15.
func (c *conic) m(phi float64) float64 {
	sin := c.e * math.Sin(phi)
	return math.Cos(phi) / math.Sqrt(1-sin*sin)
}

// t is 15-9.
func (c *conic) t(phi float64) float64 {
	return math.Tan(math.Pi/4-phi/2) / c.bend(phi)
}

func (c *conic) bend(phi float64) float64 {
	sin := c.e * math.Sin(phi)
	return math.Pow((1-sin)/(1+sin), c.e/2)
}

// inverse gives NaN where there is no place.
func (c *conic) inverse(x, y float64) position {
	nowhere := position{math.NaN(), math.NaN()}
	x, y = x*c.unit-c.east, c.rho0-(y*c.unit-c.north)
	rho := math.Copysign(math.Hypot(x, y), c.n) // 14-10
	theta := math.Atan2(x, y)                   // 14-11
	if c.n < 0 {
		theta = math.Atan2(-x, -y)
	}
	turn := theta / c.n
	if !(math.Abs(turn) <= math.Pi) { // in the gap of the cone
		return nowhere
	}
	lambda := turn + c.meridian // 14-9
	if math.Abs(lambda) > math.Pi {
		lambda -= math.Copysign(2*math.Pi, lambda)
	}
	t := math.Pow(rho/c.af, 1/c.n) // 15-11
	phi := math.Pi/2 - 2*math.Atan(t)
	for range 20 {
		next := math.Pi/2 - 2*math.Atan(t*c.bend(phi)) // 7-9
		if math.Abs(next-phi) < 1e-12 {
			return position{lambda / degree, next / degree}
		}
		phi = next
	}
	return nowhere
}

func finite(values ...float64) bool {
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}

package shape

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
)

// TestsLimit bounds the work of finding the outer rings that holes lie in: the
// number of edges looked at, for each point of the shape. Shapes of fewer than
// about 16,000 points cannot reach it.
const TestsLimit = 1024

// position is a place in degrees.
type position struct{ lon, lat float64 }

// ring is closed: its last point is its first.
type ring struct {
	points   []position
	area     float64 // in square degrees; negative if clockwise
	low, top position
}

// polygon is an outer ring, and its holes.
type polygon []*ring

var errTooManyHoles = fmt.Errorf("it has too many holes in rings of too many points: to place them takes more than %d tests a point", TestsLimit)

// Where a place is, seen from a ring.
const (
	outside = iota
	inside
	onEdge
)

// rings reads the rings of a polygon, in degrees, and closes them.
func (l *Layer) rings() ([]*ring, error) {
	const fixed = 44 // kind, box, and the two counts
	if len(l.content) < fixed {
		return nil, fmt.Errorf("the record has %d bytes, too few for a polygon: the file is damaged", len(l.content))
	}
	parts := int64(binary.LittleEndian.Uint32(l.content[36:]))
	points := int64(binary.LittleEndian.Uint32(l.content[40:]))
	need := fixed + 4*parts + pointSize*points
	if l.kind == kindPolygonZ {
		need += pointSize + 8*points // range and values of z
	}
	if need > int64(len(l.content)) {
		return nil, fmt.Errorf("it says that it has %d rings with %d points, which are %d bytes, but it has only %d: the file is damaged",
			parts, points, need, len(l.content))
	}
	if parts == 0 && points > 0 {
		return nil, fmt.Errorf("it has %d points, but no ring: the file is damaged", points)
	}
	begins, coordinates := l.content[fixed:fixed+4*parts], l.content[fixed+4*parts:]
	rings := make([]*ring, 0, parts)
	for i := range parts {
		begin, end := int64(binary.LittleEndian.Uint32(begins[4*i:])), points
		if i+1 < parts {
			end = int64(binary.LittleEndian.Uint32(begins[4*(i+1):]))
		}
		if begin > end || end > points || i == 0 && begin != 0 {
			return nil, fmt.Errorf("ring %d goes from point %d to point %d of %d: the file is damaged", i+1, begin+1, end, points)
		}
		r := &ring{points: make([]position, 0, end-begin+1)}
		for at := begin; at < end; at++ {
			p, err := l.position(coordinates[pointSize*at:])
			if err != nil {
				return nil, fmt.Errorf("ring %d, point %d: %w", i+1, at-begin+1, err)
			}
			r.points = append(r.points, p)
		}
		if err := r.close(); err != nil {
			return nil, fmt.Errorf("ring %d: %w", i+1, err)
		}
		rings = append(rings, r)
	}
	return rings, nil
}

// close ends a ring where it began, and measures it.
func (r *ring) close() error {
	if n := len(r.points); n > 0 && r.points[0] != r.points[n-1] {
		r.points = append(r.points, r.points[0])
	}
	if len(r.points) < 4 {
		return fmt.Errorf("it has %d points, want 4 or more (the last being the first again)", len(r.points))
	}
	origin := r.points[0]
	r.low, r.top = origin, origin
	for i, p := range r.points[1:] {
		last := r.points[i]
		r.area += ((last.lon-origin.lon)*(p.lat-origin.lat) - (p.lon-origin.lon)*(last.lat-origin.lat)) / 2
		r.low = position{min(r.low.lon, p.lon), min(r.low.lat, p.lat)}
		r.top = position{max(r.top.lon, p.lon), max(r.top.lat, p.lat)}
	}
	return nil
}

// turn makes a ring go around as wanted.
func (r *ring) turn(clockwise bool) {
	if clockwise != (r.area < 0) && r.area != 0 {
		slices.Reverse(r.points)
		r.area = -r.area
	}
}

// arrange gives each hole to the smallest outer ring that contains it. Outer
// rings go around as the largest one does: clockwise by the format, but some
// files have it the other way round. A hole that lies in no outer ring, and a
// ring without area, stand for themselves.
func arrange(rings []*ring) ([]polygon, error) {
	largest, budget := rings[0], 0
	for _, r := range rings {
		if math.Abs(r.area) > math.Abs(largest.area) {
			largest = r
		}
		budget += TestsLimit * len(r.points)
	}
	var polygons []polygon
	var holes []*ring
	for _, r := range rings {
		if r.area != 0 && (r.area < 0) != (largest.area < 0) {
			holes = append(holes, r)
			continue
		}
		polygons = append(polygons, polygon{r})
	}
	outers := len(polygons)
	for _, hole := range holes {
		best := -1
		for i, candidate := range polygons[:outers] {
			outer := candidate[0]
			if budget--; budget < 0 {
				return nil, errTooManyHoles
			}
			if !outer.covers(hole) || best >= 0 && math.Abs(polygons[best][0].area) <= math.Abs(outer.area) {
				continue
			}
			if outer.contains(hole, &budget) {
				best = i
			}
		}
		if budget < 0 {
			return nil, errTooManyHoles
		}
		if best < 0 {
			polygons = append(polygons, polygon{hole})
			continue
		}
		polygons[best] = append(polygons[best], hole)
	}
	for _, p := range polygons {
		for i, r := range p {
			r.turn(i > 0)
		}
	}
	return polygons, nil
}

// covers tells whether the box of a hole is in that of a ring.
func (r *ring) covers(hole *ring) bool {
	return r.low.lon <= hole.low.lon && r.low.lat <= hole.low.lat && r.top.lon >= hole.top.lon && r.top.lat >= hole.top.lat
}

// contains tells whether a hole lies in a ring, by the first of its points, or
// of the middles of its edges, that is not on the ring itself.
func (r *ring) contains(hole *ring, budget *int) bool {
	for i, p := range hole.points[1:] {
		last := hole.points[i]
		for _, at := range []position{p, {(last.lon + p.lon) / 2, (last.lat + p.lat) / 2}} {
			if *budget -= len(r.points); *budget < 0 {
				return false
			}
			if where := r.where(at); where != onEdge {
				return where == inside
			}
		}
	}
	return true // all of it is on the ring
}

// where tells by the even-odd rule where a place is.
func (r *ring) where(p position) int {
	odd := false
	for i, b := range r.points[1:] {
		a := r.points[i]
		cross := (b.lon-a.lon)*(p.lat-a.lat) - (p.lon-a.lon)*(b.lat-a.lat)
		if cross == 0 && min(a.lon, b.lon) <= p.lon && p.lon <= max(a.lon, b.lon) && min(a.lat, b.lat) <= p.lat && p.lat <= max(a.lat, b.lat) {
			return onEdge
		}
		if (a.lat > p.lat) != (b.lat > p.lat) && (cross > 0) == (b.lat > a.lat) {
			odd = !odd
		}
	}
	if odd {
		return inside
	}
	return outside
}

func polygonText(polygons []polygon) string {
	text := []byte(`{"type":"MultiPolygon","coordinates":[`)
	for i, p := range polygons {
		text = appendComma(text, i)
		text = append(text, '[')
		for j, r := range p {
			text = appendComma(text, j)
			text = append(text, '[')
			for k, at := range r.points {
				text = appendComma(text, k)
				text = appendPosition(text, at)
			}
			text = append(text, ']')
		}
		text = append(text, ']')
	}
	return string(append(text, "]}"...))
}

func pointText(p position) string {
	return string(append(appendPosition([]byte(`{"type":"Point","coordinates":`), p), '}'))
}

func appendComma(text []byte, i int) []byte {
	if i > 0 {
		return append(text, ',')
	}
	return text
}

func appendPosition(text []byte, p position) []byte {
	text = appendDegrees(append(text, '['), p.lon)
	return append(appendDegrees(append(text, ','), p.lat), ']')
}

// appendDegrees writes a number with nine decimals, less the zeros at its end.
func appendDegrees(text []byte, degrees float64) []byte {
	begin := len(text)
	text = strconv.AppendFloat(text, degrees, 'f', 9, 64)
	for text[len(text)-1] == '0' {
		text = text[:len(text)-1]
	}
	if text[len(text)-1] == '.' {
		text = text[:len(text)-1]
	}
	if string(text[begin:]) == "-0" {
		return append(text[:begin], '0')
	}
	return text
}

// Package shape reads layers of polygons or points in ESRI shapefiles.
//
// In come the files of one layer: the shapes (.shp), their attributes (.dbf),
// and, if there are such, the projection (.prj) and the encoding (.cpg). Out
// come rows: the attributes as text, and the shape as GeoJSON (RFC 7946) in
// longitude and latitude. The format is told in "ESRI Shapefile Technical
// Description", July 1998. The index (.shx) is not needed: shapes must stand in
// the order of their numbers.
//
// This package knows two kinds of coordinates: degrees, and metres (or other
// units) of a Lambert Conformal Conic projection with two standard parallels.
// Both must be on the GRS 1980 or the WGS 1984 spheroid; data on these are taken
// as WGS 84, which is within two metres. It never guesses another projection,
// and never mends a shape but to close its rings.
package shape

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"tamiz/extract/dbase"
)

// Part is one file of a layer: random access to Size bytes.
type Part struct {
	R    io.ReaderAt
	Size int64
}

// Files are the files of a layer. PRJ and CPG may be empty.
type Files struct {
	SHP, DBF Part
	PRJ, CPG []byte
}

// Layer gives the rows of a shapefile, from the first to the last.
type Layer struct {
	shapes     Part
	end        int64 // of the shapes, as their header says
	kind       uint32
	table      *dbase.Table
	projection projection
	offset     int64 // of the next shape
	at         int64 // shapes passed so far
	content    []byte
	row        []string
}

const (
	fileHeaderSize   = 100
	recordHeaderSize = 8
	fileCode         = 9994
)

// Kinds of shapes.
const (
	kindNull     = 0
	kindPoint    = 1
	kindPolygon  = 5
	kindPointZ   = 11
	kindPolygonZ = 15
	kindPointM   = 21
	kindPolygonM = 25
)

var kindNames = map[uint32]string{
	kindNull: "Null", kindPoint: "Point", 3: "PolyLine", kindPolygon: "Polygon", 8: "MultiPoint",
	kindPointZ: "PointZ", 13: "PolyLineZ", kindPolygonZ: "PolygonZ", 18: "MultiPointZ",
	kindPointM: "PointM", 23: "PolyLineM", kindPolygonM: "PolygonM", 28: "MultiPointM", 31: "MultiPatch",
}

// Open looks at the headers of all files, and at the header of each shape.
//
// Without a .prj, coordinates are taken as degrees of WGS 84, and it becomes an
// error of [Layer.Next] if they do not look so. Without a .cpg, the encoding of
// the attributes is the one that their table names, or windows-1252. It is an
// error if shapes are of a kind other than polygons and points, if their number
// is not that of the attributes' records, if a file is cut short, or if the
// projection is not one of those that the package tells of.
func Open(files Files) (*Layer, error) {
	l := &Layer{shapes: files.SHP, offset: fileHeaderSize}
	var err error
	if l.projection, err = readProjection(files.PRJ); err != nil {
		return nil, fmt.Errorf("the projection (.prj): %w", err)
	}
	if err = l.readHeader(); err != nil {
		return nil, fmt.Errorf("the shapes (.shp): %w", err)
	}
	encoding := strings.TrimSpace(strings.TrimPrefix(string(files.CPG), "\ufeff"))
	if _, ok := dbase.Encoding(encoding); !ok && encoding != "" {
		return nil, fmt.Errorf("the encoding (.cpg): %.40q is not known: want a name such as UTF-8, ISO-8859-1, 1252 or CP850", encoding)
	}
	if l.table, err = dbase.Open(files.DBF.R, files.DBF.Size, encoding); err != nil {
		return nil, fmt.Errorf("the attributes (.dbf): %w", err)
	}
	count, err := l.countShapes()
	if err != nil {
		return nil, fmt.Errorf("the shapes (.shp): %w", err)
	}
	if records := l.table.Records(); count != records {
		return nil, fmt.Errorf("the shapes (.shp) are %d, but the attributes (.dbf) have %d records: the files do not belong together, or one is damaged", count, records)
	}
	return l, nil
}

// Titles gives the titles of the attributes, and "geometry".
func (l *Layer) Titles() []string { return append(l.table.Titles(), "geometry") }

// Deleted is the number of records passed over so far because they are marked
// as deleted.
func (l *Layer) Deleted() int { return l.table.Deleted() }

// Next gives the next row, and its number, as [dbase.Table.Next] does; the shape
// of a deleted record is passed over with it.
//
// The last cell is the shape: a MultiPolygon for every polygon, with outer rings
// counter-clockwise and holes clockwise, or a Point; coordinates are [longitude,
// latitude] in degrees, rounded to nine decimals (0.1 mm). It is "" for a null
// shape and for a polygon without rings. An error names the record.
func (l *Layer) Next() (cells []string, number int64, err error) {
	attributes, number, err := l.table.Next()
	if errors.Is(err, io.EOF) {
		return nil, 0, io.EOF
	}
	if err != nil {
		return nil, 0, fmt.Errorf("the attributes (.dbf): %w", err)
	}
	for l.at < number {
		size, err := l.readRecordHeader()
		if err != nil {
			return nil, 0, fmt.Errorf("the shapes (.shp): %w", err)
		}
		if l.at == number {
			if int64(cap(l.content)) < size {
				l.content = make([]byte, size)
			}
			l.content = l.content[:size]
			if err := readAt(l.shapes.R, l.content, l.offset); err != nil {
				return nil, 0, fmt.Errorf("the shapes (.shp): read record %d: %w", number, err)
			}
		}
		l.offset += size
	}
	geometry, err := l.geometry()
	if err != nil {
		return nil, 0, fmt.Errorf("the shapes (.shp): record %d: %w", number, err)
	}
	l.row = append(append(l.row[:0], attributes...), geometry)
	return l.row, number, nil
}

// readHeader reads the header of the shapes' file.
func (l *Layer) readHeader() error {
	if l.shapes.Size < fileHeaderSize {
		return fmt.Errorf("the file is no shapefile: it has only %d bytes", max(l.shapes.Size, 0))
	}
	var header [fileHeaderSize]byte
	if err := readAt(l.shapes.R, header[:], 0); err != nil {
		return fmt.Errorf("read the header: %w", err)
	}
	if binary.BigEndian.Uint32(header[:]) != fileCode {
		return errors.New("the file is no shapefile: it does not begin with the number 9994")
	}
	l.end = 2 * int64(binary.BigEndian.Uint32(header[24:]))
	switch {
	case l.end < fileHeaderSize:
		return fmt.Errorf("the header says that the file has %d bytes, which is less than a header has: the file is damaged", l.end)
	case l.end > l.shapes.Size:
		return fmt.Errorf("the file is cut short: its header says %d bytes, it has %d: %d are missing", l.end, l.shapes.Size, l.end-l.shapes.Size)
	}
	l.kind = binary.LittleEndian.Uint32(header[32:])
	switch l.kind {
	case kindNull, kindPoint, kindPointZ, kindPointM, kindPolygon, kindPolygonZ, kindPolygonM:
		return nil
	}
	return fmt.Errorf("the file holds shapes of kind %s: only polygons and points are read", kindName(l.kind))
}

// countShapes walks over the headers of all shapes, and goes back.
func (l *Layer) countShapes() (int64, error) {
	for l.offset < l.end {
		size, err := l.readRecordHeader()
		if err != nil {
			return 0, err
		}
		l.offset += size
	}
	count := l.at
	l.offset, l.at = fileHeaderSize, 0
	return count, nil
}

// readRecordHeader steps over the header of the next shape, to its content of
// size bytes, which is within the file.
func (l *Layer) readRecordHeader() (size int64, err error) {
	if l.end-l.offset < recordHeaderSize {
		return 0, fmt.Errorf("the file is cut short: it ends within the header of record %d", l.at+1)
	}
	var header [recordHeaderSize]byte
	if err := readAt(l.shapes.R, header[:], l.offset); err != nil {
		return 0, fmt.Errorf("read the header of record %d: %w", l.at+1, err)
	}
	l.at++
	l.offset += recordHeaderSize
	if number := int64(binary.BigEndian.Uint32(header[:])); number != l.at {
		return 0, fmt.Errorf("record %d has the number %d: the records are out of order, or the file is damaged; save the layer anew", l.at, number)
	}
	size = 2 * int64(binary.BigEndian.Uint32(header[4:]))
	if size < 4 {
		return 0, fmt.Errorf("record %d has %d bytes, too few for a shape: the file is damaged", l.at, size)
	}
	if missing := size - (l.end - l.offset); missing > 0 {
		return 0, fmt.Errorf("record %d goes on for %d bytes behind the end: the file is cut short or damaged", l.at, missing)
	}
	return size, nil
}

// geometry turns the content of a record into GeoJSON.
func (l *Layer) geometry() (string, error) {
	kind := binary.LittleEndian.Uint32(l.content)
	if kind == kindNull {
		return "", nil
	}
	if kind != l.kind {
		return "", fmt.Errorf("the shape is of kind %s, but the header of the file says %s", kindName(kind), kindName(l.kind))
	}
	switch kind {
	case kindPoint, kindPointZ, kindPointM:
		return l.point()
	}
	rings, err := l.rings()
	if err != nil || len(rings) == 0 {
		return "", err
	}
	polygons, err := arrange(rings)
	if err != nil {
		return "", err
	}
	return polygonText(polygons), nil
}

func (l *Layer) point() (string, error) {
	if len(l.content) < 4+pointSize {
		return "", fmt.Errorf("the record has %d bytes, too few for a point: the file is damaged", len(l.content))
	}
	p, err := l.position(l.content[4:])
	if err != nil {
		return "", err
	}
	return pointText(p), nil
}

const pointSize = 16

// position reads one point and turns it into degrees.
func (l *Layer) position(raw []byte) (position, error) {
	x := math.Float64frombits(binary.LittleEndian.Uint64(raw))
	y := math.Float64frombits(binary.LittleEndian.Uint64(raw[8:]))
	return l.projection.inverse(x, y)
}

func kindName(kind uint32) string {
	if name, ok := kindNames[kind]; ok {
		return name
	}
	return fmt.Sprintf("number %d", kind)
}

func readAt(r io.ReaderAt, into []byte, offset int64) error {
	n, err := r.ReadAt(into, offset)
	if n == len(into) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

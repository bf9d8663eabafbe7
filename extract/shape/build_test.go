package shape_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"slices"
	"strconv"

	"tamiz/extract/shape"
)

const wgs84Text = `GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137,298.257223563]],PRIMEM["Greenwich",0],UNIT["Degree",0.017453292519943295]]`

const conicText = `PROJCS["X_LCC",GEOGCS["GCS_ITRF_2008",DATUM["D_ITRF_2008",SPHEROID["GRS_1980",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Lambert_Conformal_Conic"],PARAMETER["False_Easting",2500000.0],PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",-102.0],PARAMETER["Standard_Parallel_1",17.5],PARAMETER["Standard_Parallel_2",29.5],PARAMETER["Latitude_Of_Origin",12.0],UNIT["Meter",1.0]]`

type line []float64 // x, y, x, y, …

// polygonOf writes the content of a record; with z and m, if the kind has them.
func polygonOf(kind uint32, rings ...line) []byte {
	b := binary.LittleEndian.AppendUint32(nil, kind)
	b = append(b, make([]byte, 32)...)
	points := 0
	for _, r := range rings {
		points += len(r) / 2
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(len(rings)))
	b = binary.LittleEndian.AppendUint32(b, uint32(points))
	at := 0
	for _, r := range rings {
		b = binary.LittleEndian.AppendUint32(b, uint32(at))
		at += len(r) / 2
	}
	b = append(b, numbers(slices.Concat(rings...)...)...)
	for _, with := range []uint32{15, 25} {
		if kind == with || kind == 15 {
			b = append(b, numbers(make([]float64, 2+points)...)...)
		}
	}
	return b
}

func pointOf(kind uint32, values ...float64) []byte {
	return append(binary.LittleEndian.AppendUint32(nil, kind), numbers(values...)...)
}

func numbers(values ...float64) []byte {
	var b []byte
	for _, v := range values {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	}
	return b
}

// shp writes a file of shapes.
func shp(kind uint32, contents ...[]byte) []byte {
	file := make([]byte, 100)
	binary.BigEndian.PutUint32(file, 9994)
	binary.LittleEndian.PutUint32(file[28:], 1000)
	binary.LittleEndian.PutUint32(file[32:], kind)
	for i, content := range contents {
		file = binary.BigEndian.AppendUint32(file, uint32(i+1))
		file = binary.BigEndian.AppendUint32(file, uint32(len(content)/2))
		file = append(file, content...)
	}
	binary.BigEndian.PutUint32(file[24:], uint32(len(file)/2))
	return file
}

// dbf writes a table of one column, ID; flags has a blank or an asterisk for
// each record.
func dbf(flags string) []byte {
	file := make([]byte, 32+32)
	file[0] = 0x03
	binary.LittleEndian.PutUint32(file[4:], uint32(len(flags)))
	binary.LittleEndian.PutUint16(file[8:], uint16(len(file)+1))
	binary.LittleEndian.PutUint16(file[10:], 4)
	copy(file[32:], "ID")
	file[32+11], file[32+16] = 'C', 3
	file = append(file, 0x0D)
	for i := range len(flags) {
		file = append(append(file, flags[i]), (strconv.Itoa(i+1) + "   ")[:3]...)
	}
	return append(file, 0x1A)
}

func part(file []byte) shape.Part {
	return shape.Part{R: bytes.NewReader(file), Size: int64(len(file))}
}

func files(shapes, table []byte, prj, cpg string) shape.Files {
	return shape.Files{SHP: part(shapes), DBF: part(table), PRJ: []byte(prj), CPG: []byte(cpg)}
}

func readAll(files shape.Files) (rows [][]string, recordNumbers []int64, err error) {
	layer, err := shape.Open(files)
	if err != nil {
		return nil, nil, err
	}
	for {
		cells, number, err := layer.Next()
		if err == io.EOF {
			return rows, recordNumbers, nil
		}
		if err != nil {
			return rows, recordNumbers, err
		}
		rows, recordNumbers = append(rows, slices.Clone(cells)), append(recordNumbers, number)
	}
}

// with gives a copy of a file with other bytes at one place.
func with(file []byte, at int, replaced ...byte) []byte {
	file = bytes.Clone(file)
	copy(file[at:], replaced)
	return file
}

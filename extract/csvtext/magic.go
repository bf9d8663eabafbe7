package csvtext

import (
	"bytes"
	"strings"

	"tamiz/pipeline"
)

var (
	utf8Mark = []byte("\xEF\xBB\xBF")
	magics   = []struct{ start, what string }{
		{"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "an old Excel workbook (.xls) or another Office file"},
		{"%PDF-", "a PDF document"},
		{"\x1F\x8B", "a gzip archive"},
		{"7z\xBC\xAF\x27\x1C", "a 7z archive"},
		{"Rar!\x1A\x07", "a RAR archive"},
		{"\xFF\xFE", "text in UTF-16"},
		{"\xFE\xFF", "text in UTF-16"},
		{"PK\x05\x06", "an empty ZIP archive"},
	}
)

// Foreign says what a file is if its beginning shows that it is no table in
// text at all. wanted names, for the message, what should have been there.
func Foreign(head []byte, wanted string) *pipeline.Error {
	if len(head) == 0 {
		return &pipeline.Error{Kind: pipeline.Drift, Problem: "the file is empty", Found: "0 bytes",
			Hint: "the download may have been cut short; get the file again"}
	}
	what := ""
	for _, magic := range magics {
		if bytes.HasPrefix(head, []byte(magic.start)) {
			what = magic.what
		}
	}
	if bytes.HasPrefix(head, []byte("PK\x03\x04")) {
		what = "a ZIP archive"
		if bytes.Contains(head, []byte("[Content_Types].xml")) || bytes.Contains(head, []byte("xl/")) {
			what = "an Excel workbook (.xlsx)"
		}
	}
	start := strings.ToLower(string(bytes.TrimSpace(bytes.TrimPrefix(head, utf8Mark))))
	for _, tag := range []string{"<!doctype", "<html", "<head", "<body", "<script"} {
		if strings.HasPrefix(start, tag) {
			return &pipeline.Error{Kind: pipeline.Drift, Problem: "got a web page instead of a table",
				Expected: wanted, Found: Cut(string(head[:min(len(head), 200)])),
				Hint: "the publisher's server may have answered with an error page; open the address in a browser and save the file itself"}
		}
	}
	if strings.HasPrefix(start, "<?xml") {
		what = "an XML document"
	}
	if what == "" {
		return nil
	}
	return &pipeline.Error{Kind: pipeline.Drift, Problem: "the file is " + what + ", not " + wanted,
		Hint: "unpack it, or export the table as CSV in UTF-8, and put that file into the folder"}
}

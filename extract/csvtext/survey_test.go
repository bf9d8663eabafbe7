package csvtext_test

import (
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"

	"tamiz/extract/csvtext"
	"tamiz/pipeline"
)

// in writes text in an encoding.
func in(t *testing.T, encoding, text string) string {
	t.Helper()
	tables := map[string]*charmap.Charmap{"latin-1": charmap.ISO8859_1, "windows-1252": charmap.Windows1252, "mac-roman": charmap.Macintosh}
	if encoding == "utf-8" {
		return text
	}
	encoded, err := tables[encoding].NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

// survey writes text in pieces of a size and asks for the encoding.
func survey(t *testing.T, text string, size int, encodings, words []string) (csvtext.Choice, error) {
	t.Helper()
	s, err := csvtext.NewSurvey(encodings, words)
	if err != nil {
		t.Fatal(err)
	}
	for rest := text; len(rest) > 0; rest = rest[min(size, len(rest)):] {
		if _, err := s.Write([]byte(rest[:min(size, len(rest))])); err != nil {
			t.Fatal(err)
		}
	}
	return s.Choose()
}

const spanish = "ESCUELA,MATRÍCULA\n“Niños Héroes” en Tonalá,12\nPeña Nieto ¿así?,3\n"

var all = []string{"utf-8", "mac-roman", "windows-1252", "latin-1"}

func TestSurvey_FindsTheEncoding(t *testing.T) {
	noQuotes := strings.NewReplacer("“", "", "”", "").Replace(spanish)
	cases := []struct {
		name, text      string
		allowed, words  []string
		want, reasonHas string
	}{
		{"utf-8", spanish, all, []string{"MATRÍCULA"}, "utf-8", "1 of 1 expected words"},
		{"mac-roman", in(t, "mac-roman", spanish), all, []string{"MATRÍCULA"}, "mac-roman", "utf-8: byte 0xEA at offset 12 (line 1)"},
		{"windows-1252", in(t, "windows-1252", spanish), all, []string{"MATRÍCULA", "Tonalá"}, "windows-1252", "2 of 2"},
		{"latin-1 before windows-1252 where both fit", in(t, "latin-1", noQuotes), []string{"latin-1", "windows-1252"}, []string{"MATRÍCULA"}, "latin-1", "1 of 1"},
		{"windows-1252 before latin-1 where both fit", in(t, "latin-1", noQuotes), []string{"windows-1252", "latin-1"}, []string{"MATRÍCULA"}, "windows-1252", "1 of 1"},
		{"latin-1 has no curly quotes", in(t, "windows-1252", spanish), []string{"latin-1", "windows-1252"}, nil, "windows-1252", "latin-1: byte 0x93"},
		{"windows-1252 lacks five bytes", "a\x81,\xE9\n", []string{"windows-1252", "mac-roman"}, nil, "mac-roman", "windows-1252: byte 0x81"},
		{"utf-8 is not torn even if asked for last", spanish, []string{"windows-1252", "mac-roman", "utf-8"}, nil, "utf-8", "torn"},
		{"words decide, not the order", in(t, "windows-1252", spanish), []string{"mac-roman", "windows-1252"}, []string{"Tonalá"}, "windows-1252", "mac-roman: 0 of 1"},
		{"without words the order decides", in(t, "windows-1252", noQuotes), []string{"mac-roman", "windows-1252"}, nil, "mac-roman", "windows-1252 fits as well"},
		{"plain ASCII", "CCT,TOTAL\n1,2\n", []string{"latin-1"}, nil, "utf-8", "plain ASCII"},
		{"plain ASCII lacks words that it cannot hold", "GUADALAJARA\n", all, []string{"MATRÍCULA", "GUADALAJARA"}, "utf-8", "plain ASCII"},
		{"blanks are folded", "a,\"EN\n  LA\tESCUELA\"\n", all, []string{" EN LA  ESCUELA "}, "utf-8", ""},
		{"Nepali", "जिल्ला,काठमाडौं\n", all, []string{"काठमाडौं"}, "utf-8", ""},
		{"a mark", "\xEF\xBB\xBFaño\n", all, []string{"año"}, "utf-8", "marked so"},
		{"a mark before plain ASCII", "\xEF\xBB\xBFENTIDAD\n", all, nil, "utf-8", "plain ASCII"},
		{"a little is torn, the most is not", in(t, "windows-1252", "año,niño,señal,T\u201CCNICA Ã©\n"), []string{"utf-8", "windows-1252"}, nil, "windows-1252", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for _, size := range []int{1, 3, 1 << 20} {
				choice, err := survey(t, c.text, size, c.allowed, c.words)
				if err != nil {
					t.Fatalf("in pieces of %d: %v", size, err)
				}
				if choice.Encoding.Name() != c.want || !strings.Contains(choice.Reason, c.reasonHas) {
					t.Errorf("in pieces of %d: got %s (%s), want %s (%s)", size, choice.Encoding.Name(), choice.Reason, c.want, c.reasonHas)
				}
				if marked := strings.HasPrefix(c.text, "\xEF\xBB\xBF"); marked != (choice.Mark == 3) {
					t.Errorf("mark: got %d bytes", choice.Mark)
				}
			}
		})
	}
}

func TestSurvey_RefusesWhatIsNoText(t *testing.T) {
	twice := in(t, "utf-8", strings.NewReplacer("Í", "Ã\u008d", "ñ", "Ã±", "é", "Ã©", "á", "Ã¡", "í", "Ã\u00AD", "“", "", "”", "", "¿", "Â¿").Replace(spanish))
	twiceLower := strings.NewReplacer("Í", "I", "ñ", "Ã±", "é", "Ã©", "á", "Ã¡", "í", "Ã\u00AD", "“", "", "”", "", "¿", "Â¿").Replace(spanish)
	cases := []struct {
		name, text     string
		allowed, words []string
		want           []string
	}{
		{"empty", "", all, nil, []string{"the file is empty"}},
		{"web page", "\n <!DOCTYPE html><html>Error 404</html>", all, nil, []string{"got a web page"}},
		{"web page with a mark", "\xEF\xBB\xBF<html><body>", all, nil, []string{"got a web page"}},
		{"XML", "<?xml version=\"1.0\"?>", all, nil, []string{"an XML document"}},
		{"ZIP", "PK\x03\x04\x14\x00data.csv", all, nil, []string{"a ZIP archive"}},
		{"XLSX", "PK\x03\x04\x14\x00\x00[Content_Types].xml", all, nil, []string{"(.xlsx)"}},
		{"XLS", "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1\x00", all, nil, []string{"(.xls)"}},
		{"PDF", "%PDF-1.7", all, nil, []string{"a PDF document"}},
		{"UTF-16", "\xFF\xFEa\x00,\x00", all, nil, []string{"UTF-16"}},
		{"NUL bytes", "a,b\n1,\x002\n", all, nil, []string{"NUL bytes", "line 2"}},
		{"control characters", "a,b\r1,2\r\x1A", all, nil, []string{"control characters", "0x1A", "line 3"}},
		{"a mark that the card does not allow", "\xEF\xBB\xBFaño\n", []string{"latin-1"}, nil, []string{"add utf-8"}},
		{"words that are not there", "año,cosa\n", all, []string{"MATRÍCULA", "ESCUELA"}, []string{"expected words are missing", `"MATRÍCULA", "ESCUELA"`, "año,cosa"}},
		{"encoded twice", twice, all, []string{"MATRÍCULA", "ESCUELA"}, []string{"encoded twice", "expected words are missing"}},
		{"encoded twice, in lower case only", twiceLower, all, []string{"ESCUELA"}, []string{"encoded twice", "expected words are missing"}},
		{"encoded twice, other encodings not allowed", twiceLower, []string{"utf-8"}, nil, []string{"encoded twice"}},
		{"a damaged byte", "año,niño\nseñal\xF1,x\n", []string{"utf-8", "windows-1252"}, nil, []string{"fits no encoding", "byte 0xF1 at offset 17 (line 2)", "torn"}},
		{"a cut character", "año,cos\xC3", []string{"utf-8"}, nil, []string{"fits no encoding", "byte 0xC3"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for _, size := range []int{1, 1 << 20} {
				choice, err := survey(t, c.text, size, c.allowed, c.words)
				if err == nil {
					t.Fatalf("in pieces of %d: got %s (%s), want an error", size, choice.Encoding.Name(), choice.Reason)
				}
				if kind := pipeline.KindOf(err); kind != pipeline.Drift {
					t.Errorf("kind: got %s, want drift", kind)
				}
				for _, want := range c.want {
					if !strings.Contains(err.Error(), want) {
						t.Errorf("in pieces of %d: %q is not in\n%v", size, want, err)
					}
				}
			}
		})
	}
}

func TestSurvey_JudgesLongRuns(t *testing.T) {
	nepali := strings.Repeat("काठमाडौं", 20_000) // no ASCII in it
	if choice, err := survey(t, nepali+"\n", 7, []string{"utf-8"}, nil); err != nil || choice.Encoding.Name() != "utf-8" {
		t.Errorf("got %v, %v", choice, err)
	}
	if _, err := survey(t, nepali+"\xFF"+nepali, 7, []string{"utf-8"}, nil); err == nil || !strings.Contains(err.Error(), "byte 0xFF at offset 480,000 (line 1)") {
		t.Errorf("got %v", err)
	}
}

func TestEncoding_DecodesEveryByteAsTheTablesDo(t *testing.T) {
	for name, table := range map[string]*charmap.Charmap{"latin-1": charmap.ISO8859_1, "windows-1252": charmap.Windows1252, "mac-roman": charmap.Macintosh} {
		encoding, err := csvtext.FindEncoding(name)
		if err != nil {
			t.Fatal(err)
		}
		for b := range 256 {
			want := table.DecodeByte(byte(b))
			if want >= 0x80 && want <= 0x9F {
				want = '�' // never reached: the survey refuses it
			}
			if got := string(encoding.AppendText(nil, []byte{byte(b)})); got != string(want) {
				t.Errorf("%s 0x%02X: got %q, want %q", name, b, got, want)
			}
		}
	}
	if _, err := csvtext.FindEncoding("ebcdic"); err == nil {
		t.Error("an unknown encoding was found")
	}
}

func TestCut_KeepsMessagesShort(t *testing.T) {
	if got := csvtext.Cut("a\r\nb\rc\nd\xFF"); got != "a b c d�" {
		t.Errorf("got %q", got)
	}
	if got := []rune(csvtext.Cut(strings.Repeat("ñ", 500))); len(got) != 201 {
		t.Errorf("got %d characters, want 200 and an ellipsis", len(got))
	}
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 14018: "14,018", -1234567: "-1,234,567", -999: "-999"} {
		if got := csvtext.Count(n); got != want {
			t.Errorf("count %d: got %s, want %s", n, got, want)
		}
	}
}

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"tamiz/internal/duck"
	"tamiz/pipeline"
)

// strange writes rows of the enrolment file: one school of one district that
// does what no school should.
type strange struct {
	rows []string
}

func (s *strange) add(year int, district, school string, grade any, sex, disability, enrolled, repeaters string) {
	s.rows = append(s.rows, fmt.Sprintf("%d,%s,V,%s,%v,%s,Other,%s,rural,%s,%s", year, district, school, grade, sex, disability, enrolled, repeaters))
}

// grades adds eight grades of the two years, with all that is usual: 100
// pupils, of whom 10 repeat. What differs is by grade.
func (s *strange) grades(district, school string, differs func(year, grade int) (enrolled, repeaters string)) {
	for year := 2070; year <= 2071; year++ {
		for grade := 1; grade <= 8; grade++ {
			enrolled, repeaters := "100", "10"
			if differs != nil {
				if e, r := differs(year, grade); e != "" {
					enrolled, repeaters = e, r
				}
			}
			if enrolled != "none" {
				s.add(year, district, school, grade, "F", "no", enrolled, repeaters)
			}
		}
	}
}

// at gives one grade of one year other figures.
func at(year, grade int, enrolled, repeaters string) func(int, int) (string, string) {
	return func(y, g int) (string, string) {
		if y == year && g == grade {
			return enrolled, repeaters
		}
		return "", ""
	}
}

// TestAdversarialNp puts into a file what a ministry's export may hold and
// should not: each gives the flag or the reason of METHODS 1 and 11.
func TestAdversarialNp_EveryOddityHasItsFlagAndNothingFails(t *testing.T) {
	dir := sampleProject(t, "np", 100)
	s := &strange{}
	s.grades("Dang", "9001", at(2070, 3, "100", "120"))            // more repeaters than pupils
	s.grades("Dang", "9002", at(2070, 4, "0", "0"))                // a grade without pupils
	s.grades("Dang", "9003", at(2071, 5, "105", "10"))             // promotion over 1: 95 of 90
	s.grades("Dang", "9004", at(2071, 5, "101", "10"))             // promotion over 1, below 1.05: 91 of 90
	s.grades("Dang", "9005", at(2070, 6, "100", "100"))            // all repeat
	s.grades("Dang", "9006", at(2071, 2, "5", "0"))                // fewer next year than repeaters this year: none promoted
	s.grades("Dang", "9007", func(_, grade int) (string, string) { // grades that are skipped
		if grade == 4 || grade == 5 {
			return "none", ""
		}
		return "", ""
	})
	s.grades("Dang", "9008", at(2070, 7, "१००", "१०")) // the country's digits
	s.grades("Dang", "9009", at(2070, 7, "85%", "10")) // a percentage is no count
	s.grades("Newdistrict", "9010", nil)               // a district that nobody knows, of one school
	s.grades("Kabhre-Palanchok", "9011", nil)          // a known variant
	s.grades("Dang", "9012", nil)
	s.add(2070, "Dang", "9012", 1, "F", "no", "100", "10") // the same again
	s.add(2070, "Dang", "9012", 2, "F", "no", "70", "7")   // the same key, other figures
	s.add(2070, "Dang", "9012", 3, "X", "no", "50", "5")   // a word that is no sex
	s.add(1870, "Dang", "9012", 3, "F", "no", "50", "5")   // a year outside
	s.add(2070, "Dang", "9012", "Nursery", "F", "no", "9", "0")
	s.add(2070, "Dang", "9012", 3, "F", "yes", "40", "4") // disabled pupils with repeaters of their own
	s.grades("Maskedfew", "9020", nil)
	s.grades("Maskedmany", "9021", nil)
	for i := range 30 { // one row of the grade's 31 is masked: 3 %, and 7 of 38: more than 5 %
		s.add(2070, "Maskedfew", fmt.Sprint(9100+i), 1, "F", "no", "10", "1")
		s.add(2070, "Maskedmany", fmt.Sprint(9200+i), 1, "F", "no", "10", "1")
	}
	s.add(2070, "Maskedfew", "9150", 1, "F", "no", "*", "1")
	for i := range 7 {
		s.add(2070, "Maskedmany", fmt.Sprint(9250+i), 1, "F", "no", []string{"*", "N/D"}[i%2], "1")
	}
	header := "year_bs,district,vdc,school_code,grade,sex,caste,disability,location,enrolled,repeaters_next\n"
	file := filepath.Join(dir, "sample", "enrolment", "strange.csv")
	if err := os.WriteFile(file, []byte(header+strings.Join(s.rows, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	record := runRecord(t, "np", "--project", dir)
	told := tamiz(t, "runs", record.ID, "--project", dir)
	for _, check := range []string{"repeaters_were_pupils", "districts_are_known", "numbers_can_be_read"} {
		_, after, found := strings.Cut(told, check)
		if line := strings.SplitN(after, "\n", 3); !found || len(line) < 2 || !strings.Contains(line[1], `"_record":`) {
			t.Errorf("tamiz runs does not name the record of %s", check)
		}
	}
	aside := setAside(t, dir, record, "staging.stg_enrolment__cells", file)
	for line, reason := range map[string]string{
		",9012,1,F,Other,no,rural,100,10": "DUPLICATE",
		",9012,2,F,Other,no,rural,70,7":   "CONFLICTING_DUPLICATE",
		"1870,":                           "UNREADABLE_YEAR",
		",Nursery,":                       "UNREADABLE_GRADE",
	} {
		number := 0 // the last record with it
		for i, row := range s.rows {
			if strings.Contains(row, line) {
				number = i + 1
			}
		}
		if got := aside[strconv.Itoa(number)]; got != reason {
			t.Errorf("record %d (%s) is set aside for %q, want %s; all: %v", number, s.rows[number-1], got, reason, aside)
		}
	}
	const transition = "select flags from transitions where unit_level = 'school' and level = 'basic' and year_bs = 2070 and unit_code = "
	const survival = "select flags from survival where unit_level = 'school' and level = 'basic' and year_bs = 2070 and unit_code = "
	for _, c := range []struct{ what, sql, want string }{
		{"more repeaters than pupils", transition + "'9001' and grade = 3", "DENOM_NONPOS"},
		{"a grade without pupils", transition + "'9002' and grade = 4", "ZERO_ENROL"},
		{"promotion over 1.05", transition + "'9003' and grade = 4", "S_GT105"},
		{"promotion over 1", transition + "'9004' and grade = 4", "S_GT1"},
		{"all repeat", transition + "'9005' and grade = 6", "DENOM_NONPOS"},
		{"negative promotion", transition + "'9006' and grade = 1", "NEG_PROMOTION"},
		{"a school that skips grades", survival + "'9007'", "GRADE_GAP"},
		{"the country's digits", "select coalesce(transition::varchar, 'none') from transitions where unit_level = 'school' and level = 'basic' and year_bs = 2070 and unit_code = '9008' and grade = 7", "1.0"},
		{"a percentage", transition + "'9009' and grade = 7", "MISSING"},
		{"a new district", "select flags from district_index where level = 'basic' and year_bs = 2070 and district_name = 'Newdistrict'", "UNKNOWN_DISTRICT"},
		{"a new district stands in the crosswalk", "select flags from crosswalk where list_contains(written, 'Newdistrict')", "UNKNOWN_DISTRICT"},
		{"it has no quadrant", "select coalesce(quadrant, 'none') from quadrants where district_name = 'Newdistrict' and level = 'basic' and year_bs = 2070", "none"},
		{"a known variant", "select district_name from crosswalk where list_contains(written, 'Kabhre-Palanchok')", "Kavrepalanchok"},
		{"a word that is no sex: its row is left out", "select flags from district_index where level = 'basic' and year_bs = 2070 and district_name = 'Dang'", "PARTIAL"},
		{"few masks", "select flags from district_index where level = 'basic' and year_bs = 2070 and district_name = 'Maskedfew'", "PARTIAL"},
		{"many masks", "select concat(ei_reason, ' ', flags::varchar) from district_index where level = 'basic' and year_bs = 2070 and district_name = 'Maskedmany'", "MISSING"},
	} {
		t.Run(c.what, func(t *testing.T) {
			rows := query(t, dir, c.sql)
			if len(rows) != 1 || !strings.Contains(rows[0][0], c.want) {
				t.Errorf("%s: got %v, want one row with %s", c.sql, rows, c.want)
			}
		})
	}
}

// setAside gives the reasons for which records of a file were set aside.
func setAside(t *testing.T, dir string, record *pipeline.RunRecord, model, file string) map[string]string {
	t.Helper()
	digest, _, err := pipeline.HashFile(file)
	if err != nil {
		t.Fatal(err)
	}
	db, err := duck.Open(t.Context(), duck.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	reasons := map[string]string{}
	for _, step := range record.Steps {
		if step.Step != model {
			continue
		}
		made := string(step.Fingerprint)
		path := filepath.Join(dir, "warehouse", "artifacts", made[:2], made, "aside.parquet")
		_, rows, err := db.Rows(t.Context(), "select _record::varchar, _set_aside from read_parquet("+pipeline.QuoteText(path)+") where starts_with("+pipeline.QuoteText(string(digest))+", _file)")
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			reasons[*row[0]] = *row[1]
		}
	}
	return reasons
}

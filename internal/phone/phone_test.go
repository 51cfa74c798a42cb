package phone

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "rewrite plans.tsv")

// The table is what the library has.
func TestGoldenPlans(t *testing.T) {
	var b strings.Builder
	for _, code := range slices.Sorted(maps.Keys(phonenumbers.GetSupportedCallingCodes())) {
		for _, region := range phonenumbers.GetRegionCodesForCountryCode(code) {
			fmt.Fprintln(&b, strings.Join(row(t, code, region), "\t"))
		}
	}
	if *update {
		require.NoError(t, os.WriteFile("plans.tsv", []byte(b.String()), 0o600))
		return
	}
	assert.Equal(t, b.String(), table, "run go test ./internal/phone -run Golden -update")
}

// row is one line of the table.
func row(t *testing.T, code int, region string) []string {
	all, err := phonenumbers.MetadataCollection()
	require.NoError(t, err)
	at := slices.IndexFunc(all.Metadata, func(m *phonenumbers.PhoneMetadata) bool {
		return m.GetId() == region && int(m.GetCountryCode()) == code
	})
	require.GreaterOrEqual(t, at, 0, "%d %s", code, region)
	m := all.Metadata[at]
	same := ""
	if m.GetSameMobileAndFixedLinePattern() {
		same = "same"
	}
	cells := []string{
		strconv.Itoa(code), region, m.GetInternationalPrefix(), m.GetNationalPrefixForParsing(), m.GetNationalPrefixTransformRule(), m.GetLeadingDigits(),
		joined(m.GetGeneralDesc().GetPossibleLengthLocalOnly()), same, cell(m.GetGeneralDesc()), cell(m.GetFixedLine()), cell(m.GetMobile()),
	}
	for _, d := range []*phonenumbers.PhoneNumberDesc{
		m.GetPremiumRate(), m.GetTollFree(), m.GetSharedCost(), m.GetVoip(), m.GetPersonalNumber(), m.GetPager(), m.GetUan(), m.GetVoicemail(),
	} {
		if d.GetNationalNumberPattern() != "" {
			cells = append(cells, cell(d))
		}
	}
	for _, c := range cells {
		require.NotContains(t, c, "\t")
		require.NotContains(t, c, "\n")
	}
	require.NotEmpty(t, m.GetGeneralDesc().GetNationalNumberPattern())
	return cells
}

func cell(d *phonenumbers.PhoneNumberDesc) string {
	return joined(d.GetPossibleLength()) + " " + d.GetNationalNumberPattern()
}

func joined(lengths []int32) string {
	var out []string
	for _, n := range lengths {
		out = append(out, strconv.Itoa(int(n)))
	}
	return strings.Join(out, ",")
}

// verdict is what is said of digits.
type verdict struct {
	read            bool
	code            int
	national        string
	valid, possible bool
	mobile          bool
}

func ours(digits, region string) verdict {
	n, ok := Parse(digits, region)
	if !ok {
		return verdict{}
	}
	return verdict{true, n.Code(), n.National(), n.Valid(), n.Possible(), region != "" && n.MobileIn(region)}
}

func theirs(digits, region string) verdict {
	plus := digits
	if region == "" {
		plus = "+" + digits
	}
	p, err := phonenumbers.Parse(plus, region)
	if err != nil {
		return verdict{}
	}
	return verdict{
		true, int(p.GetCountryCode()), phonenumbers.GetNationalSignificantNumber(p), phonenumbers.IsValidNumber(p), phonenumbers.IsPossibleNumber(p),
		region != "" && phonenumbers.IsValidNumberForRegion(p, region) && phonenumbers.GetNumberType(p) == phonenumbers.MOBILE,
	}
}

// Digits of any region and about any length are read as the library reads them.
// PHONES sets how many are tried.
func TestPhonesAsTheLibrary(t *testing.T) {
	count := 3000
	if s := os.Getenv("PHONES"); s != "" {
		count, _ = strconv.Atoi(s)
	}
	regions := append([]string{""}, slices.Sorted(maps.Keys(phonenumbers.GetSupportedRegions()))...)
	digits := rapid.OneOf(
		rapid.StringMatching(`\d{2,18}`), rapid.StringMatching(`0{1,3}[1-9]\d{4,13}`), rapid.StringMatching(`(1|011|00)?[2-9]\d{9}`), rapid.StringMatching(`0*`),
	)
	gen := rapid.Custom(func(t *rapid.T) [2]string {
		region := rapid.SampledFrom(regions).Draw(t, "region")
		if region == "" || rapid.Bool().Draw(t, "random") {
			return [2]string{digits.Draw(t, "digits"), region}
		}
		return [2]string{near(t, region), rapid.SampledFrom([]string{region, region, region, "", "US", "DE"}).Draw(t, "dialled in")}
	})
	valid, mobile := 0, 0
	for i := range count {
		x := gen.Example(i)
		want := theirs(x[0], x[1])
		require.Equal(t, want, ours(x[0], x[1]), "%s in %q", x[0], x[1])
		if want.valid {
			valid++
		}
		if want.mobile {
			mobile++
		}
	}
	t.Logf("%d numbers, %d valid, %d mobile", count, valid, mobile)
	assert.Greater(t, valid, count/10)
	assert.Greater(t, mobile, count/100)
}

// near is an example of a region's numbers, with some digits others, as it is
// dialled at home or from abroad.
func near(t *rapid.T, region string) string {
	kind := rapid.SampledFrom([]phonenumbers.PhoneNumberType{
		phonenumbers.FIXED_LINE, phonenumbers.MOBILE, phonenumbers.MOBILE, phonenumbers.TOLL_FREE, phonenumbers.VOIP, phonenumbers.UAN, phonenumbers.PERSONAL_NUMBER,
	}).Draw(t, "kind")
	n := phonenumbers.GetExampleNumberForType(region, kind)
	if n == nil {
		n = phonenumbers.GetExampleNumber(region)
	}
	national := []byte(phonenumbers.GetNationalSignificantNumber(n))
	for range rapid.IntRange(0, 3).Draw(t, "changes") {
		national[rapid.IntRange(0, len(national)-1).Draw(t, "at")] = byte('0' + rapid.IntRange(0, 9).Draw(t, "digit"))
	}
	if rapid.IntRange(0, 9).Draw(t, "cut") == 0 {
		national = national[:len(national)-1]
	}
	code := strconv.Itoa(int(n.GetCountryCode()))
	front := rapid.SampledFrom([]string{"", "", "0", code, code, "00" + code, "011" + code, "8", "1", "06", "015", code + "0"}).Draw(t, "front")
	return front + string(national)
}

func BenchmarkValid(b *testing.B) {
	for b.Loop() {
		n, _ := Parse("14155550123", "")
		_ = n.Valid()
	}
}

func BenchmarkLibraryValid(b *testing.B) {
	for b.Loop() {
		n, _ := phonenumbers.Parse("+14155550123", "")
		_ = phonenumbers.IsValidNumber(n)
	}
}

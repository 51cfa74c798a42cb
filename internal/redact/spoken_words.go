package redact

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// What a spoken word is to a dictation.
type spoken uint8

const (
	nothingSpoken spoken = iota
	aDigit               // or several
	aTen                 // twenty, which a digit may complete
	aTeen
	aHundred // which follows a digit
	aFactor  // double, triple
	aFiller
)

// A saying is a word of a dictation, and what it means.
type saying struct {
	what spoken
	n    int    // the number of a ten, a teen or a factor
	d    string // the digits of an aDigit
	// numeral says that it is written in digits.
	numeral bool
}

// maxSaying is the longest word of sayings, in bytes.
const maxSaying = 26

// sayingOf tells what a word means, in the languages of digitWords.
func sayingOf(word string) saying {
	if len(word) > maxSaying {
		return saying{}
	}
	if len(word) == 1 && word[0] >= '0' && word[0] <= '9' {
		return saying{what: aDigit, n: int(word[0] - '0'), d: word, numeral: true}
	}
	var low [maxSaying]byte
	if s, ok := sayings[string(lowered(low[:], word))]; ok {
		return s
	}
	if word != "" && word[0] >= utf8.RuneSelf {
		return runTogether(word)
	}
	return saying{}
}

// runTogether reads a word that is digits of a script without spaces alone.
func runTogether(word string) saying {
	var d strings.Builder
	for _, r := range word {
		i := strings.IndexRune(unspacedDigits, r)
		if i < 0 {
			return saying{}
		}
		d.WriteByte(byte('0' + utf8.RuneCountInString(unspacedDigits[:i])%10))
	}
	if d.Len() == 0 {
		return saying{}
	}
	return saying{what: aDigit, d: d.String()}
}

// unspacedDigits are rows of ten digits, 0 first: Chinese and Japanese, as
// telephone numbers are read in Chinese, formal, Korean.
const unspacedDigits = "零一二三四五六七八九" + "〇幺两叁肆伍陆柒捌玖" + "공일이삼사오육칠팔구" + "영하둘셋넷닷륙칠팔구"

// digitWords are the words for 0 to 9 of a language, alternatives with a slash.
var digitWords = []string{
	"zero/oh/o/nought one two three four five six seven eight nine/niner",
	"cero uno/una dos tres cuatro cinco seis siete ocho nueve",
	"null eins/ein zwei/zwo drei vier fünf/fuenf sechs sieben acht neun",
	"zéro un/une deux trois quatre cinq six sept huit neuf",
	"zero um/uma dois/duas três/tres quatro cinco seis/meia sete oito nove",
	"zero uno due tre quattro cinque sei sette otto nove",
	"nul een/één twee drie vier vijf zes zeven acht negen",
	"noll/nul/null ett/en två/to tre fyra/fire fem sex/seks sju/syv åtta/otte/åtte nio/ni",
	"ноль/нуль один/адин/раз два три четыре/чотири пять/п'ять шесть/шість семь/сім восемь/вісім девять/дев'ять",
	"zero jeden dwa trzy cztery pięć sześć siedem osiem dziewięć",
	"nula jedna dva tři čtyři pět šest sedm osm devět",
	"sıfır bir iki üç dört beş altı yedi sekiz dokuz",
	"शून्य/ज़ीरो/जीरो एक दो तीन चार पांच/पाँच छह/छः/छै सात आठ नौ",
	"shunya ek do teen char/chaar paanch/panch chhe/cheh saat aath nau",
	"صفر واحد اثنين/اتنين/اثنان ثلاثة/تلاتة اربعة/أربعة خمسة ستة سبعة ثمانية/تمانية تسعة",
	"אפס אחת/אחד שתיים/שניים שלוש ארבע חמש שש שבע שמונה תשע",
	"nol/kosong satu dua tiga empat lima enam tujuh delapan sembilan",
	"không một hai ba bốn năm sáu bảy tám chín",
	"ศูนย์ หนึ่ง สอง สาม สี่ ห้า หก เจ็ด แปด เก้า",
	"ゼロ/ぜろ/れい いち に さん よん/し ご ろく なな/しち はち きゅう/く",
	"μηδέν ένα δύο τρία τέσσερα πέντε έξι επτά/εφτά οκτώ/οχτώ εννέα/εννιά",
	"nolla yksi kaksi kolme neljä viisi kuusi seitsemän kahdeksan yhdeksän",
	"nulla egy kettő három négy öt hat hét nyolc kilenc",
	"zero unu doi trei patru cinci șase/sase șapte/sapte opt nouă/noua",
}

// tenWords are 20, 30 … 90 of a language, 0 where it has none.
var tenWords = []string{
	"twenty thirty forty/fourty fifty sixty seventy eighty ninety",
	"veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa",
	"zwanzig dreißig/dreissig vierzig fünfzig sechzig siebzig achtzig neunzig",
	"vingt trente quarante cinquante soixante septante huitante nonante",
	"vinte trinta quarenta cinquenta sessenta setenta oitenta noventa",
	"venti trenta quaranta cinquanta sessanta settanta ottanta novanta",
	"twintig dertig veertig vijftig zestig zeventig tachtig negentig",
}

// french marks the tens that a teen goes on: soixante-dix.
const french = "fr"

// teenWords are 10 to 19.
var teenWords = []string{
	"ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen",
	"diez once doce trece catorce quince dieciséis/dieciseis diecisiete dieciocho diecinueve",
	"zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn",
	"dix onze douze treize quatorze quinze seize - - -",
	"dez onze doze treze catorze/quatorze quinze dezesseis/dezasseis dezessete/dezassete dezoito dezenove/dezanove",
	"dieci undici dodici tredici quattordici quindici sedici diciassette diciotto diciannove",
}

const (
	factorWords  = "double/doppelt/doble/doppio/dobro/dubbel=2 triple/treble/triplo=3 quadruple=4"
	hundredWords = "hundred cien hundert cent cem cento"
	fillerWords  = "uh um er erm ah eh hmm mm dash hyphen space so then and sorry wait no i mean make that scratch okay ok yes yeah right well let see actually like followed by the to too " +
		"y e et und äh ähm entonces euh alors puis con guion strich tiret sonra و और oder correction correct is it 's"
)

// sayings are all words of dictations.
var sayings = func() map[string]saying {
	m := map[string]saying{}
	put := func(words string, s saying) {
		for w := range strings.SplitSeq(words, "/") {
			if _, ok := m[w]; !ok && w != "-" {
				m[w] = s
			}
		}
	}
	for w := range strings.FieldsSeq(fillerWords) {
		m[w] = saying{what: aFiller}
	}
	for _, words := range digitWords {
		for n, w := range strings.Fields(words) {
			put(w, saying{what: aDigit, n: n, d: strconv.Itoa(n)})
		}
	}
	for k, words := range tenWords {
		for i, w := range strings.Fields(words) {
			s := saying{what: aTen, n: 10 * (i + 2)}
			if k == 3 {
				s.d = french
			}
			put(w, s)
		}
	}
	for _, words := range teenWords {
		for i, w := range strings.Fields(words) {
			put(w, saying{what: aTeen, n: 10 + i})
		}
	}
	for w := range strings.FieldsSeq(factorWords) {
		word, n, _ := strings.Cut(w, "=")
		put(word, saying{what: aFactor, n: int(n[0] - '0')})
	}
	for w := range strings.FieldsSeq(hundredWords) {
		put(w, saying{what: aHundred})
	}
	compounds(put)
	return m
}()

// compounds puts the numbers that are one word: einundzwanzig, veintiuno, trentadue.
func compounds(put func(string, saying)) {
	german, dutch := strings.Fields(tenWords[2]), strings.Fields(tenWords[6])
	spanish, italian := strings.Fields(digitWords[1]), strings.Fields(digitWords[5])
	for d := 1; d < 10; d++ {
		one := strings.Split(strings.Fields(digitWords[2])[d], "/")
		for i := range german {
			n := saying{what: aTeen, n: 10*(i+2) + d}
			for _, ten := range strings.Split(german[i], "/") {
				put(one[len(one)-1]+"und"+ten, n)
				put(one[0]+"und"+ten, n)
			}
			first := strings.Split(strings.Fields(digitWords[6])[d], "/")[0]
			put(first+"en"+dutch[i], n)
			put(first+"ën"+dutch[i], n)
			ten := strings.Fields(tenWords[5])[i]
			if d == 1 || d == 8 {
				ten = ten[:len(ten)-1]
			}
			put(ten+italian[d], n)
		}
		put("veinti"+strings.Split(spanish[d], "/")[0], saying{what: aTeen, n: 20 + d})
	}
}

// unspacedWords are the words for digits that are written without spaces in
// Thai and in Japanese kana.
var unspacedWords = [10][]string{
	{"ศูนย์", "ゼロ", "ぜろ", "れい"}, {"หนึ่ง", "いち"}, {"สอง", "に"}, {"สาม", "さん"}, {"สี่", "よん"}, {"ห้า", "ご"}, {"หก", "ろく"}, {"เจ็ด", "なな"}, {"แปด", "はち"}, {"เก้า", "きゅう"},
}

package redact

import (
	"strings"

	"call-logs-mcp/internal/lazyregexp"
)

// Strict returns a Masker that also masks dates of birth, street addresses and
// names, where the words before or the form say what they are. It cannot know a
// name that nobody introduces, nor an address without a number or the word for
// a street.
func Strict() *Masker { return &Masker{strict: true} }

// The patterns of Strict: what is hidden is the last group.
var strictPatterns = []*lazyregexp.Regexp{
	// dates of birth
	lazyregexp.New(`(?i)\b((?:date of birth|birth ?date|birthday|d\.?o\.?b\.?|born|geboren|geburtsdatum|geburtstag|nacimiento|nací|naissance|née?|nascimento|nasci|nascita|nato|nata)\b[^\d\n]{0,24}?)(\d{1,4}(?:st|nd|rd|th|\.)?[\s./-]+(?:of\s+|de\s+)?(?:\d{1,2}|\p{L}{3,10})\.?,?[\s./-]+(?:de\s+)?\d{1,4})`),
	lazyregexp.New(`(?i)\b((?:date of birth|birth ?date|birthday|d\.?o\.?b\.?|born)\b(?:\s+(?:is|was|on|the|it's|in))*[\s:,]+)((?:january|february|march|april|may|june|july|august|september|october|november|december|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\.?\s+[\p{L}\d]+(?:[\s,-]+(?:nineteen|twenty|two|thousand|and|hundred|oh|one|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|thirty|forty|fifty|sixty|seventy|eighty|ninety|first|second|third|\d{2,4})\b)*)`),
	// street addresses
	lazyregexp.New(`(?i)()(\b\d{1,5}[a-z]?,?\s+(?:(?:north|south|east|west|n|s|e|w)\.?\s+)?(?:[\p{L}'’.]+\s+){1,4}?(?:street|st|avenue|ave|road|rd|boulevard|blvd|lane|drive|court|ct|square|terrace|highway|hwy|parkway|crescent)\b\.?(?:,?\s+(?:apt|apartment|unit|suite|flat|#)\.?\s*\w+)?)`),
	lazyregexp.New(`(?i)()(\b[\p{L}-]+(?:straße|strasse|str\.|weg|gasse|allee|platz|straat|laan|gatan|vägen)\s+\d{1,4}\s?[a-z]?\b)`),
	lazyregexp.New(`(?i)()(\b(?:\d{1,4}(?:\s?bis)?,?\s+)?(?:rue|avenue|boulevard|chemin|calle|avenida|paseo|via|viale|corso|rua|travessa)\s+(?:de\s+|del\s+|della\s+|des\s+|du\s+|la\s+|do\s+|da\s+)*\p{L}[\p{L}'’-]*(?:\s+\p{Lu}[\p{L}'’-]*)*,?\s*\d{1,4}\b)`),
	lazyregexp.New(`(?i)()(\b\d{1,4}(?:\s?bis)?,?\s+(?:rue|avenue|boulevard|chemin|impasse|place)\s+(?:de\s+|des\s+|du\s+|la\s+|l['’])*\p{L}[\p{L}'’-]*)`),
	// names
	lazyregexp.New(`(?i:\b((?:my (?:full |first |last |maiden )?name is|my name's|the name is|name's|this is|i am called|speaking with|mein name ist|ich heiße|ich bin (?:herr|frau)|me llamo|mi nombre es|je m['’]appelle|mon nom est|mi chiamo|il mio nome è|meu nome é|me chamo|mijn naam is|mitt namn är|меня зовут)\s+(?:(?:mr|mrs|ms|dr|herr|frau)\.?\s+)?))(\p{Lu}[\p{L}'’-]+(?:\s+(?:(?:de|la|van|von|der|da|bin|al)\s+)*\p{Lu}[\p{L}'’-]+){0,3})`),
	lazyregexp.New(`(?i)\b(my (?:full |first |last |maiden )?name is\s+|my name's\s+|first name\s+|last name\s+|surname\s+|mein name ist\s+|me llamo\s+|mi nombre es\s+|je m['’]appelle\s+|mi chiamo\s+|meu nome é\s+)(\p{L}{2,}(?:\s+\p{L}{2,})?)`),
	lazyregexp.New(`(\b(?:Mr|Mrs|Ms|Dr|Herr|Frau|Señora?|Monsieur|Madame|Sig\.ra|Sig)\.?\s+)(\p{Lu}[\p{L}'’-]+(?:\s+\p{Lu}[\p{L}'’-]+)?)`),
}

// strictly masks what only Strict does.
func strictly(s string) string {
	for _, p := range strictPatterns {
		if !p.MatchString(s) {
			continue
		}
		s = p.ReplaceAllStringFunc(s, func(found string) string {
			part := p.FindStringSubmatch(found)
			for w := range strings.FieldsSeq(strings.ToLower(part[2])) {
				if part[1] == "" && notInAddress[w] {
					return found
				}
			}
			return part[1] + hidden
		})
	}
	return s
}

// notInAddress are words that a number and a street have between them by chance.
var notInAddress = setOf("was is were are been sent by on to in and for my your it that will have has not of or from with at this")

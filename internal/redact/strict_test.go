package redact

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestStrict(t *testing.T) {
	m := Strict()
	for said, shown := range map[string]string{
		"my date of birth is 12/04/1985":                      "my date of birth is •••",
		"I was born on the 4th of March 1985 in Leeds":        "I was born on the ••• in Leeds",
		"date of birth march fourth nineteen eighty five":     "date of birth •••",
		"geboren am 4. März 1985":                             "geboren am •••",
		"fecha de nacimiento 4 de marzo de 1985":              "fecha de nacimiento •••",
		"DOB: 1985-03-04":                                     "DOB: •••",
		"I live at 742 Evergreen Terrace, apt 4":              "I live at •••",
		"send it to 12 North Main Street please":              "send it to ••• please",
		"ich wohne in der Musterstraße 12 a":                  "ich wohne in der •••",
		"vivo en la calle de Alcalá 45":                       "vivo en la •••",
		"j'habite 12 rue de Rivoli":                           "j'habite •••",
		"my name is Jane Doe and I have a question":           "my name is ••• and I have a question",
		"hi this is Peter van Dyk calling about my order":     "hi this is ••• calling about my order",
		"my name is jane doe":                                 "my name is •••",
		"mein Name ist Anna Schmidt":                          "mein Name ist •••",
		"je m'appelle Claire Dubois":                          "je m'appelle •••",
		"put me through to Mrs. Jones please":                 "put me through to Mrs. ••• please",
		"my number is 415-555-0100":                           "my number is •••••••0100",
		"the appointment is on 12/04/2026 at ten":             "the appointment is on 12/04/2026 at ten",
		"this is about my order of 3 chairs, this is not new": "this is about my order of 3 chairs, this is not new",
		"order 48213 was sent by road":                        "order 48213 was sent by road",
	} {
		assert.Equal(t, shown, m.Mask(said))
		assert.Equal(t, shown, m.Mask(shown), "masked twice")
	}
}

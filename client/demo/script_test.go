package demo

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestScriptsAreWhole(t *testing.T) {
	lib, err := newLibrary()
	require.NoError(t, err)
	assert.GreaterOrEqual(t, len(lib.kinds), 8)
	assert.GreaterOrEqual(t, len(lib.broken), 3)
	assert.NotEmpty(t, lib.deaf.steps)
	metrics := []string{metricInstruction, metricGreeting, metricHallucination}
	for _, k := range lib.kinds {
		assert.NotEmpty(t, k.weights, k.topic)
		for agent := range k.weights {
			assert.True(t, slices.ContainsFunc(lines(), func(l line) bool { return l.id == agent }), "%s: agent %d", k.topic, agent)
		}
		own := 0
		p := player{lib: lib, kind: &k}
		var check func(where string, steps []step)
		check = func(where string, steps []step) {
			for _, s := range steps {
				switch s.verb {
				case do, some:
					ways := p.block(s.name)
					require.NotEmpty(t, ways, "%s: no block %s", where, s.name)
					assert.LessOrEqual(t, s.m, len(ways), where)
					for _, w := range ways {
						check(where+" "+s.name, w.steps)
					}
				case fault:
					assert.Contains(t, metrics, s.name, where)
				case mood:
					assert.Contains(t, []string{"positive", "negative", "angry"}, s.name, where)
				}
			}
		}
		for _, c := range slices.Concat(k.courses, lib.broken, []course{lib.deaf}) {
			check(k.topic+" "+c.name, c.steps)
			assert.NotEmpty(t, c.sum, c.name)
			if !slices.ContainsFunc(lib.shared.courses, func(s course) bool { return s.name == c.name }) {
				own++
			}
		}
		assert.GreaterOrEqual(t, own, 4, "courses of %s's own", k.topic)
	}
}

// Every course can be played, and leaves no slot open.
func TestEveryCoursePlays(t *testing.T) {
	lib, err := newLibrary()
	require.NoError(t, err)
	for i := range lib.kinds {
		k := &lib.kinds[i]
		for _, c := range slices.Concat(k.courses, []course{lib.deaf}, lib.broken) {
			for seed := range uint64(6) {
				rng := rand.New(rand.NewPCG(seed, 1))
				p := &player{lib: lib, kind: k, rng: rng, at: sampleNow(), agent: lines()[0], number: number(rng),
					slow: seed > 3, facts: map[string]string{}, recent: map[string]int{}}
				p.play(&c)
				words := p.expand(p.course.sum) + p.expand(p.course.drop) + transcript(p.turns)
				for _, m := range p.evaluate() {
					words += m.Explanation[0]
				}
				assert.NotRegexp(t, `\{[a-z_]+\}`, words, "%s %s", k.topic, c.name)
				assert.NotContains(t, words, "(not in the transcript)", "%s %s", k.topic, c.name)
			}
		}
	}
}

func TestScriptMistakesAreNamed(t *testing.T) {
	for text, says := range map[string]string{
		"topic x\nagent: hello":                      "line 2",
		"course a maybe over 3":                      "course NAME",
		"block a\n  tool find {}":                    "no => answer",
		"block a\n  shout: hello":                    "no such word",
		"fact name: x":                               `" = "`,
		"sum all went well":                          "outside a course",
		"block a\n  some steps 3":                    "BLOCK MIN MAX",
		"course a ok bye 1\n\n// why\n  whistle all": "line 4",
	} {
		_, err := parseKind(text)
		assert.ErrorContains(t, err, says, text)
	}
}

package call

// WordsOf is for the tests of Words, which splits in another way.
var WordsOf = wordsOf

/** A suffix, its replacement, and a condition on the stem before it. The default condition is a measure above 0. */
type Rule = readonly [suffix: string, replacement: string, condition?: (stem: string) => boolean];

const always = () => true;
const isLong = (stem: string) => measure(stem) > 1;

/** Words whose stems differ from what the rules give. */
const IRREGULAR: ReadonlyMap<string, string> = new Map(
  Object.entries({
    ...{ sky: 'sky', skies: 'sky', dying: 'die', lying: 'lie', tying: 'tie', news: 'news', howe: 'howe' },
    ...{ inning: 'inning', innings: 'inning', outing: 'outing', outings: 'outing' },
    ...{ canning: 'canning', cannings: 'canning' },
    ...{ proceed: 'proceed', exceed: 'exceed', succeed: 'succeed' },
  }),
);

const PLURALS: readonly Rule[] = [
  ['sses', 'ss', always],
  ['ies', 'i', always],
  ['ss', 'ss', always],
  ['s', '', always],
];

const DOUBLE_SUFFIXES: readonly Rule[] = [
  ...Object.entries({
    ...{ ational: 'ate', tional: 'tion', enci: 'ence', anci: 'ance', izer: 'ize', bli: 'ble', alli: 'al' },
    ...{ entli: 'ent', eli: 'e', ousli: 'ous', ization: 'ize', ation: 'ate', ator: 'ate', alism: 'al' },
    ...{ iveness: 'ive', fulness: 'ful', ousness: 'ous', aliti: 'al', iviti: 'ive', biliti: 'ble' },
    ...{ fulli: 'ful' },
  }),
  ['logi', 'log', (stem) => measure(`${stem}l`) > 0],
];

const SUFFIXES: readonly Rule[] = Object.entries({
  icate: 'ic',
  ative: '',
  alize: 'al',
  iciti: 'ic',
  ical: 'ic',
  ful: '',
  ness: '',
});

const ENDINGS: readonly Rule[] = [
  ...['al', 'ance', 'ence', 'er', 'ic', 'able', 'ible', 'ant', 'ement', 'ment', 'ent', 'ion'],
  ...['ou', 'ism', 'ate', 'iti', 'ous', 'ive', 'ize'],
].map((suffix) => [suffix, '', suffix === 'ion' ? (stem) => isLong(stem) && /[st]$/.test(stem) : isLong]);

/**
 * The stem of a lowercase word by Porter's algorithm (1980), with the changes of NLTK's `PorterStemmer` in
 * its default mode. ROUGE's Python package uses this stemmer.
 */
export function porterStem(word: string): string {
  const irregular = IRREGULAR.get(word);
  if (irregular !== undefined || word.length <= 2) return irregular ?? word;
  let stem = withoutPlural(word);
  stem = withoutTense(stem);
  if (/..y$/.test(stem) && isConsonant(stem, stem.length - 2)) stem = `${stem.slice(0, -1)}i`;
  stem = withoutDoubleSuffix(stem);
  stem = applyRules(SUFFIXES, stem);
  stem = applyRules(ENDINGS, stem);
  return withoutLastLetter(stem);
}

/** Applies the first rule with a matching suffix. If its condition is not met, the word stays unchanged. */
function applyRules(rules: readonly Rule[], word: string): string {
  const rule = rules.find(([suffix]) => word.endsWith(suffix));
  if (!rule) return word;
  const [suffix, replacement, condition = (stem: string) => measure(stem) > 0] = rule;
  const stem = word.slice(0, word.length - suffix.length);
  return condition(stem) ? stem + replacement : word;
}

function withoutPlural(word: string): string {
  return /^.ies$/.test(word) ? word.slice(0, -1) : applyRules(PLURALS, word);
}

function withoutTense(word: string): string {
  if (word.endsWith('ied')) return word.slice(0, word.length === 4 ? -1 : -2);
  if (word.endsWith('eed')) return applyRules([['eed', 'ee']], word);
  const suffix = ['ed', 'ing'].find((ending) => word.endsWith(ending));
  const stem = word.slice(0, word.length - (suffix?.length ?? 0));
  if (suffix === undefined || !consonants(stem).includes(false)) return word;
  if (/(at|bl|iz)$/.test(stem)) return `${stem}e`;
  if (isDoubled(stem)) return /[lsz]$/.test(stem) ? stem : stem.slice(0, -1);
  return measure(stem) === 1 && endsShort(stem) ? `${stem}e` : stem;
}

function withoutDoubleSuffix(word: string): string {
  const isTwice = word.endsWith('alli') && measure(word.slice(0, -4)) > 0;
  return isTwice ? withoutDoubleSuffix(word.slice(0, -2)) : applyRules(DOUBLE_SUFFIXES, word);
}

/** Removes a silent final e, and shortens a final ll to l. */
function withoutLastLetter(word: string): string {
  const stem = word.slice(0, -1);
  if (word.endsWith('e')) {
    const syllables = measure(stem);
    if (syllables > 1 || (syllables === 1 && !endsShort(stem))) return withoutDoubleL(stem);
  }
  return withoutDoubleL(word);
}

function withoutDoubleL(word: string): string {
  return word.endsWith('ll') && isLong(word.slice(0, -1)) ? word.slice(0, -1) : word;
}

/** Whether each letter is a consonant: neither a vowel nor a y after a consonant. */
function consonants(word: string): boolean[] {
  const flags: boolean[] = [];
  for (const letter of word) {
    flags.push(letter === 'y' ? !(flags.at(-1) ?? false) : !'aeiou'.includes(letter));
  }
  return flags;
}

function isConsonant(word: string, at: number): boolean {
  return consonants(word.slice(0, at + 1))[at]!;
}

/** Porter's measure m: the number of vowel-consonant sequences. */
function measure(word: string): number {
  const flags = consonants(word);
  return flags.filter((flag, i) => flag && i > 0 && !flags[i - 1]).length;
}

function isDoubled(word: string): boolean {
  return word.length >= 2 && word.at(-1) === word.at(-2) && isConsonant(word, word.length - 1);
}

/**
 * Porter's condition *o: the word ends in consonant, vowel, consonant, where the last is not w, x or y. A
 * word of only a vowel and a consonant also counts.
 */
function endsShort(word: string): boolean {
  const flags = consonants(word);
  const [before, vowel, last] = [flags.at(-3), flags.at(-2), flags.at(-1)];
  if (vowel !== false || last !== true) return false;
  return word.length === 2 || (before === true && !/[wxy]$/.test(word));
}

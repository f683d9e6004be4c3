/** Makes a text from outside safe for a terminal: escapes control characters and direction marks. */
export function printable(text: string): string {
  return text.replace(/(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, spelt);
}

/** Makes data safe for a terminal: escapes control characters that do not occur in text. */
export function withoutControls(text: string): string {
  return text.replace(/(?![\n\t\r])\p{Cc}/gu, spelt);
}

function spelt(character: string): string {
  const code = character.codePointAt(0) as number;
  return `\\u{${code.toString(16)}}`;
}

/** The last name of a path. */
export function lastPart(path: string): string {
  return path.split(/[\\/]/).findLast((part) => part !== '') ?? path;
}

const MAX = 40;

/** Lists names in a sentence. Long lists are truncated, because a file can have any number of names. */
export function listNames(names: readonly string[]): string {
  const more = names.length > MAX ? ` and ${names.length - MAX} more` : '';
  return `${names.slice(0, MAX).join(', ')}${more}`;
}

/** Joins words: `a, b and c`. */
export function listed(words: readonly string[], last: 'and' | 'or' = 'and'): string {
  return [words.slice(0, -1).join(', '), ...words.slice(-1)].filter((part) => part !== '').join(` ${last} `);
}

const MAX_SUGGESTIONS = 3;
/** Longer names get no suggestions. */
const MAX_COMPARED = 200;

/** Shorter names are not searched for within other names, where they would occur by chance. */
const MIN_CONTAINED = 4;

/**
 * The names from `known` that are closest to `name` by edit distance (case-insensitive), best first. If none is
 * close, returns the known names that contain `name`.
 */
export function nearest(name: string, known: Iterable<string>): string[] {
  const wanted = name.toLowerCase();
  if (wanted.length > MAX_COMPARED) return [];
  const limit = Math.max(2, Math.ceil(wanted.length / 2));
  const names = [...new Set(known)];
  const near = names
    // The edit distance is at least the difference in length.
    .filter((candidate) => Math.abs(candidate.length - wanted.length) <= limit)
    .map((candidate) => ({ candidate, distance: editDistance(wanted, candidate.toLowerCase()) }))
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1))
    .map(({ candidate }) => candidate);
  if (near.length > 0) return near.slice(0, MAX_SUGGESTIONS);
  if (wanted.length < MIN_CONTAINED) return [];
  const containing = names.filter((candidate) => candidate.toLowerCase().includes(wanted));
  return containing.sort((a, b) => a.length - b.length || (a < b ? -1 : 1)).slice(0, MAX_SUGGESTIONS);
}

/** The last sentence of an "unknown name" message: names that are close, or all names if none is close. */
export function suggest(name: string, known: Iterable<string>): string {
  const names = [...known];
  return near(name, names) ?? `Known: ${listNames(names)}.`;
}

/** Like {@link suggest}, but `all` describes the names instead of listing them. */
export function suggestAmong(name: string, known: Iterable<string>, all: string): string {
  const names = [...known];
  return [near(name, names), `${all}: ${listNames(names)}.`].filter((sentence) => sentence).join(' ');
}

function near(name: string, names: readonly string[]): string | undefined {
  const matches = nearest(name, names);
  return matches.length > 0 ? `Did you mean ${matches.join(', ')}?` : undefined;
}

/** The least number of replaced, removed and added parts that turn one text, or list of words, into another. */
export function editDistance(a: string | readonly string[], b: string | readonly string[]): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(substitution, previous[j]! + 1, row[j - 1]! + 1));
    }
    previous = row;
  }
  return previous[b.length]!;
}

/** The white space of Python's `str.split`, `strip` and `isspace`, for a regular expression's character class. */
export const PYTHON_SPACE =
  '\\t-\\r\\x1c- \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';

/**
 * Removes matching characters from the end of a text. A regular expression with `$` would take quadratic time: it
 * starts again at every space of a run of spaces.
 */
export function trimEnd(text: string, characters: RegExp): string {
  let end = text.length;
  while (end > 0 && characters.test(text[end - 1]!)) end--;
  return text.slice(0, end);
}

/** Sorts the keys of objects in the text that `JSON.stringify` makes. */
export function sortKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

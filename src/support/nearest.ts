import { listNames } from './list-names.ts';

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

function editDistance(a: string, b: string): number {
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

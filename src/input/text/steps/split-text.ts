import type { AlignedText } from './aligned-text.ts';
import type { Find } from './compile-pattern.ts';

/** How delimiters are treated when a text is split. */
export type SplitBehavior = 'Removed' | 'Isolated' | 'MergedWithPrevious' | 'MergedWithNext' | 'Contiguous';

interface Part {
  from: number;
  to: number;
  matches: boolean;
}

/**
 * Splits a text into parts that are not empty.
 *
 * @param find finds the delimiters
 * @param invert whether the parts between matches count as matches
 */
export function splitText(
  text: AlignedText,
  find: Find,
  behavior: SplitBehavior,
  invert = false,
): AlignedText[] {
  const parts = listParts(text.text, find, invert);
  return JOINED[behavior](parts)
    .filter(({ from, to }) => from < to)
    .map(({ from, to }) => text.slice(from, to));
}

function listParts(text: string, find: Find, invert: boolean): Part[] {
  const parts: Part[] = [];
  let end = 0;
  for (const { from, to } of find(text)) {
    if (from > end) parts.push({ from: end, to: from, matches: invert });
    parts.push({ from, to, matches: !invert });
    end = to;
  }
  if (end < text.length) parts.push({ from: end, to: text.length, matches: invert });
  return parts;
}

const JOINED: Record<SplitBehavior, (parts: Part[]) => Part[]> = {
  Removed: (parts) => parts.filter(({ matches }) => !matches),
  Isolated: (parts) => parts,
  Contiguous: (parts) => join(parts, (part, before) => part.matches === before.matches),
  MergedWithPrevious: (parts) => join(parts, (part, before) => part.matches && !before.matches),
  MergedWithNext: (parts) => join(parts, (part, before) => before.matches && !part.matches),
};

/** Joins a part to the previous one if `joins` accepts both. */
function join(parts: Part[], joins: (part: Part, before: Part) => boolean): Part[] {
  const joined: Part[] = [];
  for (const [i, part] of parts.entries()) {
    if (i > 0 && joins(part, parts[i - 1]!)) joined[joined.length - 1]!.to = part.to;
    else joined.push({ ...part });
  }
  return joined;
}

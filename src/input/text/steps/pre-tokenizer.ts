import type { Effort } from '../../../support/regex/effort.ts';
import { type AlignedText, Changes } from './aligned-text.ts';
import { BYTE_CHARACTERS } from './bpe.ts';
import { CHARACTER_CLASSES } from './character-classes.ts';
import { compilePattern, type Find, findAll } from './compile-pattern.ts';
import type { PreTokenizerConfig } from './tokenizer-json.ts';

/** The second step: splits a normalized text into pieces. The model tokenizes each piece separately. */
export type PreTokenize = (text: AlignedText) => AlignedText[];

const SPACE = findAll(/\p{White_Space}/gu);
const PUNCTUATION = findAll(new RegExp(CHARACTER_CLASSES.punctuation, 'gu'));
const DIGIT = findAll(/\p{N}/gu);
const WORD = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}';
const WORDS = findAll(new RegExp(`[${WORD}]+|[^${WORD}\\p{White_Space}]+`, 'gu'));
const BYTE_LEVEL = findAll(
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu,
);

/** The steps of a step for a piece, in addition to its characters. */
const PER_PIECE = 8;

/**
 * Builds the step of a `pre_tokenizer` section.
 *
 * @param effort what the step may spend, with others
 * @throws Error for an invalid pattern; TooMuchEffort
 */
export function preTokenizer(config: PreTokenizerConfig | null, effort: Effort): PreTokenize {
  switch (config?.type) {
    case undefined:
      return (text) => [text];
    case 'Sequence': {
      const steps = config.pretokenizers.map((inner) => preTokenizer(inner, effort));
      const counted = (step: PreTokenize) => (piece: AlignedText) => {
        effort.spend(PER_PIECE + piece.text.length);
        return step(piece);
      };
      return (text) => steps.reduce((pieces, step) => pieces.flatMap(counted(step)), [text]);
    }
    case 'BertPreTokenizer':
      return (text) =>
        splitText(text, SPACE, 'Removed').flatMap((word) => splitText(word, PUNCTUATION, 'Isolated'));
    case 'Whitespace':
      return (text) => splitText(text, WORDS, 'Removed', true);
    case 'WhitespaceSplit':
      return (text) => splitText(text, SPACE, 'Removed');
    case 'ByteLevel':
      return (text) => byteLevel(text, config);
    case 'Metaspace': {
      const { replacement, split } = config;
      const scheme = config.prepend_scheme ?? (config.add_prefix_space === false ? 'never' : 'always');
      const mark = compilePattern({ String: replacement }, effort);
      return (text) => {
        let marked = text.withText(text.text.replaceAll(' ', replacement));
        const mayPrepend = scheme === 'always' || (scheme === 'first' && text.isFirst);
        if (mayPrepend && !marked.text.startsWith(replacement)) marked = marked.prepend(replacement);
        return split ? splitText(marked, mark, 'MergedWithNext') : [marked];
      };
    }
    case 'Split': {
      const pattern = compilePattern(config.pattern, effort);
      return (text) => splitText(text, pattern, config.behavior, config.invert);
    }
    case 'Punctuation':
      return (text) => splitText(text, PUNCTUATION, config.behavior);
    case 'Digits':
      return (text) => splitText(text, DIGIT, config.individual_digits ? 'Isolated' : 'Contiguous');
    case 'CharDelimiterSplit': {
      const pattern = compilePattern({ String: config.delimiter }, effort);
      return (text) => splitText(text, pattern, 'Removed');
    }
    case 'FixedLength': {
      const pattern = findAll(new RegExp(`[^]{1,${config.length}}`, 'gu'));
      return (text) => splitText(text, pattern, 'Isolated');
    }
  }
}

function byteLevel(
  text: AlignedText,
  config: { add_prefix_space: boolean; use_regex: boolean },
): AlignedText[] {
  if (config.add_prefix_space && !text.text.startsWith(' ')) text = text.prepend(' ');
  return (config.use_regex ? splitText(text, BYTE_LEVEL, 'Isolated') : [text]).map(asBytes);
}

/** Turns each UTF-8 byte of a text into a visible character. */
function asBytes(text: AlignedText): AlignedText {
  if (/^[\x21-\x7e]*$/.test(text.text)) return text;
  if (/^[\x20-\x7e]*$/.test(text.text)) return text.withText(text.text.replaceAll(' ', 'Ġ'));
  const changes = new Changes();
  for (const character of text.text) {
    for (const [i, byte] of encoder.encode(character).entries())
      changes.add(BYTE_CHARACTERS[byte]!, i === 0 ? 0 : 1);
  }
  return text.transform(changes);
}

const encoder = new TextEncoder();

/** How delimiters are treated when a text is split. */
type SplitBehavior = 'Removed' | 'Isolated' | 'MergedWithPrevious' | 'MergedWithNext' | 'Contiguous';

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
function splitText(text: AlignedText, find: Find, behavior: SplitBehavior, invert = false): AlignedText[] {
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

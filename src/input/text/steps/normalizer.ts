import type { Effort } from '../../../support/regex/effort.ts';
import { UserError } from '../../../support/user-error.ts';
import { AlignedText, Changes } from './aligned-text.ts';
import { bertNormalized } from './bert-normalizer.ts';
import { CHARACTER_CLASSES } from './character-classes.ts';
import { Charsmap } from './charsmap.ts';
import { compilePattern, type Find } from './compile-pattern.ts';
import type { NormalizerConfig } from './tokenizer-json.ts';
import { type NormalizationForm, unicodeNormalized } from './unicode-normalizer.ts';

const MARK = new RegExp(CHARACTER_CLASSES.combining, 'u');

/** The first step: transforms a text, or the part between added tokens. */
export type Normalize = (text: AlignedText) => AlignedText;

/** A single step of the normalizer. Its result may have at most `most` characters. */
type Step = (text: AlignedText, most: number) => AlignedText;

/** The steps of a step, in addition to the characters of the text. */
const PER_TEXT = 8;
/** Maximum growth factor of a text. Unicode normalization turns a character into at most 18. */
const MAX_GROWTH = 32;
/** Maximum length of the result for a short text. */
const SHORT = 1000;

/**
 * Builds the first step of a tokenizer from a `normalizer` section. The returned function throws a UserError for a text
 * that becomes far longer, because a chain of replacements that each double the text would fill the memory.
 *
 * @param effort what the step may spend, with others
 * @throws Error for an invalid pattern or charsmap; TooMuchEffort
 */
export function normalizer(config: NormalizerConfig | null, effort: Effort): Normalize {
  if (!config) return (text) => text;
  const step = stepOf(config, effort);
  return (text) => step(text, SHORT + MAX_GROWTH * text.text.length);
}

function checkLength(length: number, most: number): void {
  if (length <= most) return;
  throw new UserError({
    where: 'tokenizer.json, normalizer',
    fault: `makes at least ${length} characters of a text, more than the maximum of ${most}`,
  });
}

function stepOf(config: NormalizerConfig, effort: Effort): Step {
  switch (config.type) {
    case 'Sequence': {
      const steps = config.normalizers.map((inner) => stepOf(inner, effort));
      return (text, most) =>
        steps.reduce((made, step) => {
          effort.spend(PER_TEXT + made.text.length);
          const next = step(made, most);
          checkLength(next.text.length, most);
          return next;
        }, text);
    }
    case 'BertNormalizer':
      return (text) => bertNormalized(text, config);
    case 'NFC':
    case 'NFD':
    case 'NFKC':
    case 'NFKD':
      return unicodeForm(config.type);
    case 'Lowercase':
      return lowercased;
    case 'StripAccents':
      return (text) => text.filter((character) => !MARK.test(character));
    case 'Strip':
      return (text) => stripped(text, config);
    case 'Prepend':
      return (text, most) => {
        checkLength(text.text.length + config.prepend.length, most);
        return text.prepend(config.prepend);
      };
    case 'Replace': {
      const find = compilePattern(config.pattern, effort);
      return (text, most) => replaced(text, find, config.content, most);
    }
    case 'Precompiled': {
      if (!config.precompiled_charsmap) return (text) => text;
      const bytes = Uint8Array.from(atob(config.precompiled_charsmap), (character) =>
        character.charCodeAt(0),
      );
      const charsmap = new Charsmap(bytes);
      return (text) => charsmap.normalize(text);
    }
  }
}

const unicodeForm =
  (form: NormalizationForm): Normalize =>
  (text) =>
    unicodeNormalized(text, form);

/** Lowercases each character by itself, so a final sigma is not special. */
export function lowercased(text: AlignedText): AlignedText {
  if (/^[\0-\x7f]*$/.test(text.text)) return text.withText(text.text.toLowerCase());
  const changes = new Changes();
  for (const character of text.text) {
    for (const [i, small] of [...character.toLowerCase()].entries()) changes.add(small, i === 0 ? 0 : 1);
  }
  return text.transform(changes);
}

function stripped(text: AlignedText, sides: { strip_left: boolean; strip_right: boolean }): AlignedText {
  const start = sides.strip_left ? text.text.match(/^\p{White_Space}*/u)![0].length : 0;
  // Searched from the end, because a regular expression would start at every space of the text.
  let end = text.text.length;
  while (sides.strip_right && end > start && /\p{White_Space}/u.test(text.text[end - 1]!)) end--;
  return text.slice(start, end);
}

/** Replaces matches. The new text represents the last character of its match. */
function replaced(text: AlignedText, find: Find, content: string, most: number): AlignedText {
  const units: string[] = [];
  const starts: number[] = [];
  const ends: number[] = [];
  let end = 0;
  const keepUntil = (to: number) => {
    units.push(text.text.slice(end, to));
    for (; end < to; end++) {
      starts.push(text.starts[end]!);
      ends.push(text.ends[end]!);
    }
  };
  for (const { from, to } of find(text.text)) {
    keepUntil(from);
    end = to;
    units.push(content);
    checkLength(starts.length + content.length, most);
    for (let i = 0; i < content.length; i++) {
      starts.push(end === 0 ? 0 : text.starts[end - 1]!);
      ends.push(end === 0 ? 0 : text.ends[end - 1]!);
    }
  }
  if (end === 0) return text;
  keepUntil(text.text.length);
  return new AlignedText(units.join(''), Int32Array.from(starts), Int32Array.from(ends));
}

import { lazy } from '../../../support/options.ts';
import type { Effort } from '../../../support/regex/effort.ts';
import { InvalidFile } from '../../../support/user-error.ts';
import { AlignedText, Changes } from './aligned-text.ts';
import { CHARACTER_CLASSES } from './character-classes.ts';
import { compilePattern, type Find } from './compile-pattern.ts';
import type { BertNormalizerConfig, NormalizerConfig } from './tokenizer-json.ts';

type NormalizationForm = 'NFC' | 'NFD' | 'NFKC' | 'NFKD';

/** Characters that the Rust library does not decompose, because its tables are older than the engine's. */
const WHOLE =
  /([\u32ff\ua7f1-\ua7f4\uab69\u{105c9}\u{105e4}\u{10781}-\u{107ba}\u{11383}\u{11385}\u{1138e}\u{11391}\u{113c5}-\u{113c8}\u{11938}\u{16121}-\u{16128}\u{16d68}-\u{16d6a}\u{1ccd6}-\u{1ccf9}\u{1e030}-\u{1e06d}\u{1f16c}\u{1fbf0}-\u{1fbf9}])/u;

/**
 * Converts a text to a Unicode normalization form. Each new character represents what the first of its old characters
 * represented.
 */
export function unicodeNormalized(text: AlignedText, form: NormalizationForm): AlignedText {
  const normalized = inForm(text.text, form);
  if (normalized === text.text) return text;
  const decomposition = form === 'NFC' || form === 'NFD' ? 'NFD' : 'NFKD';
  const pending: [character: string, count: number][] = [];
  for (const character of text.text) {
    for (const [i, part] of [...inForm(character, decomposition)].entries())
      pending.push([part, i === 0 ? 0 : 1]);
  }
  const changes = new Changes();
  // The first character is searched for, because marks may be reordered, and combined characters need not have been
  // adjacent.
  let first = 0;
  for (const character of normalized) {
    let count = 1;
    for (const part of form === decomposition ? [character] : inForm(character, decomposition)) {
      let at = first;
      while (at < pending.length && pending[at]![0] !== part) at++;
      count += (pending[at]?.[1] ?? 1) - 1;
      pending.splice(at, 1, ['', 1]);
      while (first < pending.length && pending[first]![0] === '') first++;
    }
    changes.add(character, count);
  }
  return text.transform(changes);
}

function inForm(text: string, form: NormalizationForm): string {
  if (!WHOLE.test(text)) return text.normalize(form);
  const parts = text.split(WHOLE).map((part, i) => (i % 2 === 0 ? part.normalize(form) : part));
  return parts.join('');
}

/** Lowercases each character by itself, so a final sigma is not special. */
function lowercased(text: AlignedText): AlignedText {
  if (/^[\0-\x7f]*$/.test(text.text)) return text.withText(text.text.toLowerCase());
  const changes = new Changes();
  for (const character of text.text) {
    for (const [i, small] of [...character.toLowerCase()].entries()) changes.add(small, i === 0 ? 0 : 1);
  }
  return text.transform(changes);
}

/** The ideographs that BERT treats as words, as the Rust library lists them. */
const IDEOGRAPH =
  /[\u4e00-\u9fff\u3400-\u4dbf\uf900-\ufaff\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\u{2f800}-\u{2fa1f}]/u;

/** Characters to remove: control characters, except those that are newer than the Rust library's tables. */
const DROPPED = /[\ufffd\p{Cc}\p{Cf}\p{Co}]/u;
const KEPT = /[\t\n\r\u0890\u0891\u08e2\u{110cd}\u{13430}-\u{1343f}]/u;

const ACCENT = new RegExp(CHARACTER_CLASSES.nonspacing, 'u');

const PLAIN = /^[\x20-\x7e]*$/;

/** Removes control characters, puts spaces around ideographs, lowercases and removes accents, as configured. */
export function bertNormalized(text: AlignedText, config: BertNormalizerConfig): AlignedText {
  if (PLAIN.test(text.text)) return config.lowercase ? lowercased(text) : text;
  if (config.clean_text) text = cleaned(text);
  if (config.handle_chinese_chars) text = spaced(text);
  if (config.strip_accents ?? config.lowercase)
    text = unicodeNormalized(text, 'NFD').filter((character) => !ACCENT.test(character));
  return config.lowercase ? lowercased(text) : text;
}

function cleaned(text: AlignedText): AlignedText {
  const kept = text.filter((character) => !DROPPED.test(character) || KEPT.test(character));
  return kept.withText(kept.text.replace(/\p{White_Space}/gu, ' '));
}

function spaced(text: AlignedText): AlignedText {
  if (!IDEOGRAPH.test(text.text)) return text;
  const changes = new Changes();
  for (const character of text.text) {
    if (!IDEOGRAPH.test(character)) changes.add(character, 0);
    else changes.replace(character, ` ${character} `);
  }
  return text.transform(changes);
}

/**
 * Merges settings of tokenizer_config.json into the section. As in transformers, they override those of tokenizer.json.
 */
export function withTokenizerConfig(
  config: BertNormalizerConfig,
  tokenizerConfig: Readonly<Record<string, unknown>>,
): BertNormalizerConfig {
  const { do_lower_case, strip_accents, tokenize_chinese_chars } = tokenizerConfig;
  const setting = <T>(value: unknown, otherwise: T) => (typeof value === 'boolean' ? value : otherwise);
  return {
    ...config,
    lowercase: setting(do_lower_case, config.lowercase),
    strip_accents: setting(strip_accents, config.strip_accents),
    handle_chinese_chars: setting(tokenize_chinese_chars, config.handle_chinese_chars),
  };
}

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
  const step = createStep(config, effort);
  return (text) => step(text, SHORT + MAX_GROWTH * text.text.length);
}

function checkLength(length: number, most: number): void {
  if (length <= most) return;
  throw new InvalidFile({
    where: 'tokenizer.json, normalizer',
    fault: `makes at least ${length} characters of a text, more than the maximum of ${most}`,
  });
}

function createStep(config: NormalizerConfig, effort: Effort): Step {
  switch (config.type) {
    case 'Sequence': {
      const steps = config.normalizers.map((inner) => createStep(inner, effort));
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

/** Maximum size of a grapheme that is looked up as a whole, in bytes, as in the Rust library. */
const MAX_GRAPHEME_BYTES = 5;

/**
 * The normalization of a sentencepiece model: a double array of the texts to replace, and their replacements.
 *
 * @see https://github.com/google/sentencepiece/blob/master/doc/normalization.md
 */
class Charsmap {
  readonly #units: Uint32Array;
  readonly #texts: Uint8Array;
  readonly #found = new Map<string, string | undefined>();
  /** Whether printable ASCII is unchanged. Then it need not be looked up. */
  readonly #keepsAscii: boolean;

  /**
   * @param bytes the size of the double array in four bytes, the array, then the texts, each followed by a zero byte
   * @throws Error for an impossible size
   */
  constructor(bytes: Uint8Array) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const size = bytes.length < 4 ? 0 : view.getUint32(0, true);
    if (size === 0 || size % 4 !== 0 || size > bytes.length - 4)
      throw new Error(`the charsmap has ${bytes.length} bytes, but its table needs ${size}`);
    this.#units = Uint32Array.from({ length: size / 4 }, (_, i) => view.getUint32(4 + 4 * i, true));
    this.#texts = bytes.subarray(4 + size);
    this.#keepsAscii = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).every(
      (character) => this.#replacement(character) === undefined,
    );
  }

  normalize(text: AlignedText): AlignedText {
    if (this.#keepsAscii && /^[\x20-\x7e]*$/.test(text.text)) return text;
    const changes = new Changes();
    let modified = false;
    const replaced = (part: string): boolean => {
      const replacement = this.#replacement(part);
      if (replacement === undefined) return false;
      changes.replace(part, replacement);
      modified = true;
      return true;
    };
    for (const { segment } of graphemes().segment(text.text)) {
      if (utf8Length(segment) <= MAX_GRAPHEME_BYTES && replaced(segment)) continue;
      for (const character of segment) if (!replaced(character)) changes.add(character, 0);
    }
    return modified ? text.transform(changes) : text;
  }

  /** The replacement of a text: the table's entry for its shortest prefix, as in the Rust library. */
  #replacement(part: string): string | undefined {
    if (this.#found.has(part)) return this.#found.get(part);
    const at = this.#find(encoder.encode(part));
    const end = at === undefined ? -1 : this.#texts.indexOf(0, at);
    const text =
      at === undefined ? undefined : decoder.decode(this.#texts.subarray(at, end < 0 ? undefined : end));
    if (this.#found.size >= MAX_FOUND) this.#found.clear();
    this.#found.set(part, text);
    return text;
  }

  #find(key: Uint8Array): number | undefined {
    const units = this.#units;
    let at = readOffset(units[0]!);
    for (const byte of key) {
      if (byte === 0) return undefined;
      at ^= byte;
      const unit = units[at];
      if (unit === undefined || (unit & 0x800000ff) >>> 0 !== byte) return undefined;
      at ^= readOffset(unit);
      if (unit & 0x100) return (units[at] ?? 0) & 0x7fffffff;
    }
    return undefined;
  }
}

/** Maximum number of cached characters. Common texts have fewer. */
const MAX_FOUND = 50_000;
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const graphemes = lazy(() => new Intl.Segmenter('en', { granularity: 'grapheme' }));

/** The offset from a unit of a double array to its children. */
function readOffset(unit: number): number {
  return ((unit >>> 10) << ((unit & 0x200) >>> 6)) >>> 0;
}

function utf8Length(text: string): number {
  // A text has at least as many bytes as UTF-16 units, so a long text need not be encoded.
  return text.length > MAX_GRAPHEME_BYTES ? text.length : encoder.encode(text).length;
}

import { lazy } from '../../../support/options.ts';
import { type AlignedText, Changes } from './aligned-text.ts';

/** Maximum size of a grapheme that is looked up as a whole, in bytes, as in the Rust library. */
const MAX_GRAPHEME_BYTES = 5;

/**
 * The normalization of a sentencepiece model: a double array of the texts to replace, and their replacements.
 *
 * @see https://github.com/google/sentencepiece/blob/master/doc/normalization.md
 */
export class Charsmap {
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

/** A token of a text. */
export interface TextToken {
  id: number;
  /** The token as the Rust library shows it. */
  token: string;
  /** The token represents the code points [start, end) of the text. */
  start: number;
  end: number;
}

/** Excludes spaces at either end from the tokens' offsets, like the Rust library's `trim_offsets`. */
export function trimSpaces(
  tokens: TextToken[],
  { add_prefix_space }: { add_prefix_space: boolean },
): TextToken[] {
  return tokens.map(({ start, end, ...token }, i) => {
    const characters = [...token.token];
    let leading = characters.findIndex((character) => !isSpace(character));
    if (leading < 0) leading = characters.length;
    const trailing = characters.length - 1 - characters.findLastIndex((character) => !isSpace(character));
    if (leading > 0) {
      // A single leading space may be the prefix space that was added.
      if (add_prefix_space && leading === 1 && (i === 0 || start === 0)) leading = 0;
      start = Math.min(start + leading, end);
    }
    if (trailing > 0 && end >= trailing) end = Math.max(end - trailing, start);
    return { ...token, start, end };
  });
}

const isSpace = (character: string) => character === 'Ġ' || /\p{White_Space}/u.test(character);

/**
 * A text during tokenization. Each of its UTF-16 units represents code points [start, end) of the original text.
 * Changes are described as in the Rust library, so that offsets are the same.
 */
export class AlignedText {
  readonly text: string;
  readonly starts: Int32Array;
  readonly ends: Int32Array;

  constructor(text: string, starts: Int32Array, ends: Int32Array) {
    this.text = text;
    this.starts = starts;
    this.ends = ends;
  }

  /** The original text. Each character represents itself. */
  static of(text: string): AlignedText {
    const starts = new Int32Array(text.length);
    let point = 0;
    for (let unit = 0; unit < text.length; point++) {
      const width = widthAt(text, unit);
      for (const end = unit + width; unit < end; unit++) starts[unit] = point;
    }
    return new AlignedText(
      text,
      starts,
      starts.map((start) => start + 1),
    );
  }

  /** Replaces the text by another of the same length. The meaning of its units does not change. */
  withText(text: string): AlignedText {
    return new AlignedText(text, this.starts, this.ends);
  }

  slice(from: number, to: number): AlignedText {
    if (from === 0 && to === this.text.length) return this;
    return new AlignedText(
      this.text.slice(from, to),
      this.starts.subarray(from, to),
      this.ends.subarray(from, to),
    );
  }

  /**
   * Replaces the characters in order.
   *
   * @param removedBefore the number of characters removed before the first
   */
  transform(changes: Changes, removedBefore = 0): AlignedText {
    const { text } = this;
    let at = 0;
    const skip = (characters: number) => {
      for (; characters > 0 && at < text.length; characters--) at += widthAt(text, at);
    };
    skip(removedBefore);
    const made = changes.characters.join('');
    const starts = new Int32Array(made.length);
    const ends = new Int32Array(made.length);
    let unit = 0;
    changes.characters.forEach((character, i) => {
      const change = changes.counts[i]!;
      const from = change > 0 ? at - 1 : Math.min(at, text.length - 1);
      for (const end = unit + character.length; unit < end; unit++) {
        starts[unit] = from < 0 ? 0 : this.starts[from]!;
        ends[unit] = from < 0 ? 0 : this.ends[from]!;
      }
      if (change <= 0) skip(1 - change);
    });
    return new AlignedText(made, starts, ends);
  }

  /** Keeps the characters that `keep` accepts. */
  filter(keep: (character: string) => boolean): AlignedText {
    const kept: number[] = [];
    for (let unit = 0; unit < this.text.length; ) {
      const width = widthAt(this.text, unit);
      const keeps = keep(this.text.slice(unit, unit + width));
      for (const end = unit + width; unit < end; unit++) if (keeps) kept.push(unit);
    }
    if (kept.length === this.text.length) return this;
    return new AlignedText(
      kept.map((unit) => this.text[unit]).join(''),
      Int32Array.from(kept, (unit) => this.starts[unit]!),
      Int32Array.from(kept, (unit) => this.ends[unit]!),
    );
  }

  /**
   * Puts `prefix` before the text. It represents the same code points as the first character. Empty texts do not
   * change.
   */
  prepend(prefix: string): AlignedText {
    if (this.text === '' || prefix === '') return this;
    const shifted = (alignments: Int32Array) => {
      const longer = new Int32Array(prefix.length + alignments.length).fill(alignments[0]!, 0, prefix.length);
      longer.set(alignments, prefix.length);
      return longer;
    };
    return new AlignedText(prefix + this.text, shifted(this.starts), shifted(this.ends));
  }

  /** Whether the text begins where the original text begins. */
  get isFirst(): boolean {
    return this.text === '' || this.starts[0] === 0;
  }
}

/**
 * The characters of a replacement text, each with a count. With 0, a character replaces the next character. With 1, it
 * is inserted after the previous character. With -n, it replaces the next character and removes n more.
 */
export class Changes {
  readonly characters: string[] = [];
  readonly counts: number[] = [];

  add(character: string, count: number): void {
    this.characters.push(character);
    this.counts.push(count);
  }

  /** Replaces `before` by `after`, character by character. */
  replace(before: string, after: string): void {
    const removed = [...before].length;
    const added = [...after];
    for (const [i, character] of added.entries()) this.add(character, i < removed ? 0 : 1);
    const last = this.counts.length - 1;
    // As in the Rust library, removed characters are not counted if no character precedes them.
    if (added.length < removed && last >= 0) this.counts[last]! += added.length - removed;
  }
}

/** The number of UTF-16 units of the character at `unit`. */
export function widthAt(text: string, unit: number): 1 | 2 {
  const code = text.charCodeAt(unit);
  return code >= 0xd800 && code <= 0xdbff && unit + 1 < text.length ? 2 : 1;
}

import { describe, expect, it } from 'vitest';
import { Random } from '../random.ts';
import { Effort, TooMuchEffort } from './effort.ts';
import { LinearRegex } from './linear-regex.ts';

const effort = () => new Effort(2 ** 25);
const ranges = (source: string, text: string) =>
  [...new LinearRegex(source, effort()).matches(text)].map(({ from, to }) => `${from}-${to}`).join(' ');
const native = (source: string, text: string) =>
  [...text.matchAll(new RegExp(source, 'gu'))]
    .map(({ index, 0: { length } }) => `${index}-${index + length}`)
    .join(' ');

/** Writes random patterns and texts. */
class Writer {
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = new Random(seed, 'patterns');
  }

  oneOf<T>(values: readonly T[]): T {
    return values[this.#random.integer(values.length)]!;
  }

  pattern(depth: number): string {
    if (depth === 0) return this.oneOf(ATOMS);
    const inner = () => this.pattern(depth - 1);
    const kinds = [
      () => this.oneOf(ATOMS),
      () => inner() + inner(),
      () => inner() + inner(),
      () => `(?:${inner()}|${inner()})`,
      () => `(${inner()})${this.oneOf(QUANTIFIERS)}`,
      () => `(?:${inner()})${this.oneOf(QUANTIFIERS)}`,
      () => `(?${this.oneOf(['=', '!', '<=', '<!'])}${inner()})`,
    ];
    return this.oneOf(kinds)();
  }

  text(): string {
    return Array.from({ length: this.#random.integer(9) }, () => this.oneOf([...'aabbc \n😀'])).join('');
  }
}

const ATOMS = [...'abc.^$', '[ab]', '[^a]', '\\w', '\\p{L}', '\\b', '\\B', '', '😀', '\\u{1F600}'];
const QUANTIFIERS = ['*', '+', '?', '*?', '+?', '??', '{2}', '{1,3}', '{0,2}?', '{2,}'];

describe('a linear regular expression', () => {
  it.each([1, 3, 4, 5, 6])('has the matches of RegExp, seed %d', (seed) => {
    const writer = new Writer(seed);
    for (let i = 0; i < 400; i++) {
      const source = writer.pattern(4);
      const text = writer.text();
      // After a failed assertion, RegExp tries the middle of a surrogate pair too.
      if (/\\[bB]|!/.test(source) && text.includes('😀')) continue;
      expect(ranges(source, text), `${source} in ${JSON.stringify(text)}`).toBe(native(source, text));
      // The start takes so many steps that from there on, failed states are remembered.
      const slow = `(?:(?:x|x)*y|${source})`;
      const long = 'x'.repeat(12) + text;
      expect(ranges(slow, long), `${slow} in ${JSON.stringify(long)}`).toBe(native(slow, long));
    }
  });

  it.each([
    ['(?:(?:a{1,15}){1,15}){1,15}b', 500],
    ['(?:a?a?){15}(?:a?a?){15}b', 12_500],
    ['(?:a|a){1,15}(?:a|a){1,15}b', 12_500],
    ['a{0,15}a{0,15}a{0,15}a{0,15}a{0,15}a{0,15}a{0,15}a{0,15}b', 12_500],
    ['(?=.)(?:[a-z0-9._]+)+!', 50_000],
    ['(?:a*)*(?:a|b)*(?:a*|b*)*c', 50_000],
    ['(?:(?:(?:a*)*)*)*!', 50_000],
    ['(?=.*b)c|(?<=(?:a|a)*)b', 50_000],
    ['(?=(?=(?:a|a)*b)a*b)c', 50_000],
  ])('%s does not match a long run of a, within its effort', (source, length) => {
    // RegExp takes longer than the age of the universe for all but the last but one.
    expect(ranges(source, 'a'.repeat(length))).toBe('');
  });

  it('spends effort in searches and for its states', () => {
    const few = new Effort(10_000);
    const regex = new LinearRegex('(?:a|b)+', few);
    expect(few.left).toBeLessThan(10_000);
    expect(regex.test('abc')).toBe(true);
    const once = few.left;
    regex.test('abc');
    expect(few.left).toBeLessThan(once);
    expect(() => [...regex.matches('ab'.repeat(10_000))]).toThrow(TooMuchEffort);
    few.renew();
    expect(few.left).toBe(10_000);
    expect(() => new LinearRegex('a{500}', new Effort(10_000))).toThrow(TooMuchEffort);
  });

  it.each([
    ['(a)\\1', 'it refers to what a group matched'],
    ['(?<n>a)\\k<n>', 'it refers to what a group matched'],
    ['(?:a{1,200}){1,200}', 'it has more than 10000 states when its repetitions are written out'],
    ['(?:(?:(?:){9999}){9999}){9999}', 'it has more than 100000 parts when its repetitions are written out'],
    ['(?:'.repeat(101) + ')'.repeat(101), 'its groups are more than 100 deep'],
    ['(?i:a)', 'the group (?i: is not supported'],
  ])('rejects %s', (source, reason) => {
    expect(() => new LinearRegex(source, effort())).toThrow(reason);
  });

  it('needs a limited amount of memory', () => {
    const wide = `(?:${'a?'.repeat(2000)})*b`;
    expect(() => ranges(wide, 'a'.repeat(100_000))).toThrow(TooMuchEffort);
  });
});

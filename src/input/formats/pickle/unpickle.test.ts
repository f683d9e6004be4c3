import { describe, expect, it } from 'vitest';
import { readOrRefuse } from '../../../../tests/support/read-or-refuse.ts';
import { concatBytes, u16, u32 } from '../../../../tests/support/write-zip.ts';
import { PickleFunction, PickleList, PickleReader } from './pickle-machine.ts';
import { unpickle } from './unpickle.ts';

type Part = string | number | Uint8Array;

/** Concatenates parts: a text is its bytes, a number is one byte. */
const bytesOf = (parts: readonly Part[]) =>
  concatBytes(
    parts.map((part) => {
      if (typeof part === 'number') return Uint8Array.of(part);
      return typeof part === 'string' ? new TextEncoder().encode(part) : part;
    }),
  );
const text = (value: string) => bytesOf(['X', u32(value.length), value]);

/** Opcodes that make a tuple of two copies of the value on top of the stack, again and again. */
const twice = (times: number) => Array.from({ length: times }, () => ['q', 0, 'h', 0, 0x86] as Part[]).flat();

/** Counts the different values inside a value. Throws an Error for a value that no pickle may return. */
function checkedValues(root: unknown): number {
  const seen = new Set<unknown>();
  const left = [root];
  while (left.length > 0) {
    const value = left.pop();
    if (seen.has(value)) continue;
    seen.add(value);
    if (Array.isArray(value)) left.push(...value);
    else if (value instanceof PickleList) left.push(...value.items);
    else if (value instanceof Map) left.push(...value.keys(), ...value.values());
    else if (!isPlain(value)) throw new Error(`a pickle gave ${String(value)}`);
  }
  return seen.size;
}

const isPlain = (value: unknown) =>
  value === null || ['boolean', 'number', 'string'].includes(typeof value) || value === globals.get('a.f');

const globals = new Map<string, unknown>([
  ['a.f', new PickleFunction(([first]) => first)],
  ['a.value', 7],
]);
const load = (...parts: Part[]) =>
  unpickle(new PickleReader(bytesOf(parts)), {
    globals,
    persistent: (id) => (id === 'known' ? 'kept' : undefined),
    where: 'x.bin',
  });

describe('a pickle of data', () => {
  it.each<[string, Part[], unknown]>([
    ['numbers', ['(K', 255, 'M', u16(0x1234), 'J', u32(2 ** 32 - 2), 't.'], [255, 0x1234, -2]],
    ['long numbers', ['(', 0x8a, 0, 0x8a, 2, 254, 255, 0x8a, 5, 0, 0, 0, 0, 1, 't.'], [0, -2, 2 ** 32]],
    ['a real number', ['G', 0x3f, 0xf8, 0, 0, 0, 0, 0, 0, '.'], 1.5],
    ['words', ['(N', 0x88, 0x89, 0x8c, 1, 'b', text('c'), 't.'], [null, true, false, 'b', 'c']],
    ['tuples', [')', 0x85, 'N', 0x86, 'NN', 0x87, '.'], [[[[]], null], null, null]],
    [
      'a dictionary',
      ['}', text('k'), 'K', 1, 's(', text('__proto__'), 'K', 2, 'u.'],
      new Map(Object.entries({ k: 1, ['__proto__']: 2 })),
    ],
    [
      'kept values',
      ['K', 5, 'q', 0, 'r', u32(300), 0x94, '(h', 0, 'j', u32(300), 'h', 2, 't', 0x86, '.'],
      [5, [5, 5, 5]],
    ],
    ['globals', ['ca\nvalue\n', text('a'), text('value'), 0x93, 0x86, '.'], [7, 7]],
    ['a call', ['ca\nf\n', text('x'), 0x85, 'R.'], 'x'],
    ['a list', [']', 'K', 1, 'a(K', 2, 'K', 3, 'e.'], Object.assign(new PickleList(), { items: [1, 2, 3] })],
    ['attributes, without them', ['}', text('_metadata'), 'b.'], new Map()],
    ['an id', [text('known'), 'Q.'], 'kept'],
    ['a frame', [0x80, 4, 0x95, new Uint8Array(8), 'N.'], null],
  ])('%s', (_, parts, expected) => expect(load(...parts)).toEqual(expected));

  it('may be followed by another', () => {
    const reader = new PickleReader(bytesOf(['K', 1, '.', 'K', 2, '.']));
    const options = { globals, persistent: () => undefined, where: 'x.bin' };
    expect([unpickle(reader, options), unpickle(reader, options), reader.at]).toEqual([1, 2, 6]);
  });
});

describe('a pickle with unsupported content', () => {
  it.each<[string, Part[]]>([
    ['uses the global os.system', ['cos\nsystem\n', text('touch executed'), 0x85, 'R.']],
    ['uses the global os.system', [text('os'), text('system'), 0x93, '.']],
    ['uses the global builtins.eval', ['cbuiltins\neval\n.']],
    // Neither attributes of an allowed global nor properties of JavaScript objects are allowed.
    ['uses the global a.f.__globals__', ['ca\nf.__globals__\n.']],
    ['uses the global constructor.name', ['cconstructor\nname\n.']],
    ['names no global', ['K', 7, text('f'), 0x93, '.']],
    // As a text, this name would have 2^1000 parts.
    ['names no global', [')', ...twice(1000), text('f'), 0x93, '.']],
    ['uses the operation INST', ['(ios\nsystem\n.']],
    ['uses the operation OBJ', ['(ca\nf\no.']],
    ['uses the operation NEWOBJ', ['ca\nf\n)', 0x81, '.']],
    ['uses the operation EXT1', [0x82, 1, '.']],
    ['uses the operation DUP', ['K', 1, '2.']],
    ['uses the operation 0xff', [0xff, '.']],
    ['calls a value that is not a function', ['ca\nvalue\n)R.']],
    ['sets attributes of a value that is not a dictionary', ['ca\nf\n}b.']],
    ['has a key that is neither text nor number', ['})Ns.']],
    ['has a number beyond 2^53', [0x8a, 8, 0, 0, 0, 0, 0, 0, 0, 16, '.']],
    ['has a number beyond 2^53', [0x8a, 200, new Uint8Array(200), '.']],
    ['uses protocol 6', [0x80, 6, 'N.']],
  ])('is rejected: %s', (fault, parts) => {
    expect(() => load(...parts)).toThrow(`x.bin ${fault} before byte `);
  });
});

describe('a damaged pickle', () => {
  it.each<[string, Part[]]>([
    ['ends without STOP', []],
    ['ends without STOP', ['N']],
    ['ends without STOP', ['X', u32(2 ** 32 - 1), 'abc']],
    ['ends without STOP', ['ca\nf']],
    ['has an operation without its arguments', ['.']],
    ['has an operation without its arguments', ['N(', 0x85, '.']],
    ['has an operation without its mark', ['Nt.']],
    ['uses the value 3, which it did not store', ['h', 3, '.']],
    ['has items without a list', ['NNa.']],
    ['has items without a list', [')(Ne.']],
    ['has text that is not UTF-8', ['X', u32(1), 0xff, '.']],
    ['has text that is not UTF-8', ['c', 0xff, '\nf\n.']],
    ['has items without a dictionary', ['NNNs.']],
    ['has items without a dictionary', ['}(Nu.']],
    ['has more than one value', ['NN.']],
    ['has more than one value', ['(N.']],
    ['calls a function with the wrong arguments', ['ca\nf\nNR.']],
    ['describes a storage in an unknown way', ['NQ.']],
  ])('is rejected: %s', (fault, parts) => expect(() => load(...parts)).toThrow(fault));

  it('handles depth and shared values in bounded memory', () => {
    const deep = load('N', new Uint8Array(400_000).fill(0x85), '.');
    expect(deep).toBeInstanceOf(Array);
    // Each level contains the previous one twice. Copying would make 2^1000 values.
    expect(load(')', ...twice(1000), '.')).toHaveLength(2);
    expect(() => load(new Uint8Array(2 ** 19 + 1).fill(0x7d), '.')).toThrow('more than 524288 operations');
    // This dictionary contains itself.
    expect(load('}q', 0, text('a'), 'h', 0, 's.')).toBeInstanceOf(Map);
  });

  it('of random bytes is rejected, or gives a value of allowed types', () => {
    let state = 1;
    const random = () => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return state >>> 16;
    };
    const known = [
      ...bytesOf(['(NKXq}stu.h)bRQc]ae\n', 0x80, 0x85, 0x86, 0x87, 0x88, 0x8a, 0x8c, 0x93, 0x94]),
    ];
    const inputs = Array.from({ length: 3000 }, () =>
      Uint8Array.from({ length: 40 }, () => {
        const value = random();
        return value % 4 === 0 ? value >>> 8 : known[value % known.length]!;
      }),
    );
    readOrRefuse(inputs, load, (value, bytes) => {
      // An opcode makes at most one value.
      expect(checkedValues(value)).toBeLessThanOrEqual(bytes.length);
    });
  });
});

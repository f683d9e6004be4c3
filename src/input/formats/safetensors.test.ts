import { describe, expect, it } from 'vitest';
import { readOrRefuse, withBitTurned } from '../../../tests/support/read-or-refuse.ts';
import { elementCount } from '../../support/arrays.ts';
import { UserError } from '../../support/user-error.ts';
import { encodeSafetensors } from './encode-safetensors.ts';
import { parseSafetensorsHeader } from './safetensors.ts';
import { decodeTensor, itemSize, type StoredTensor, toFloat32 } from './tensor-data.ts';

function concat(chunks: Uint8Array[]): Uint8Array {
  return new Uint8Array(chunks.flatMap((chunk) => [...chunk]));
}

/** Makes a file with this header and `dataBytes` zero bytes of data. */
function file(header: string, dataBytes = 0, declaredLength?: bigint): Uint8Array {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, declaredLength ?? BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

const parse = (bytes: Uint8Array) => parseSafetensorsHeader(bytes, bytes.length, 'm.safetensors');
const tensor = (dtype: string, shape: string, offsets: string) =>
  `{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}`;

describe('encodeSafetensors and parseSafetensorsHeader', () => {
  const tensors = new Map<string, StoredTensor>([
    ['bool', { dtype: 'BOOL', shape: [3], data: Uint8Array.of(1, 0, 1) }],
    ['b', { dtype: 'F32', shape: [2, 1], data: Float32Array.of(1.5, -2) }],
    ['half', { dtype: 'F16', shape: [1], data: Uint16Array.of(0x3c00) }],
    ['brain', { dtype: 'BF16', shape: [1], data: Uint16Array.of(0x4000) }],
    ['__proto__', { dtype: 'F32', shape: [], data: Float32Array.of(7) }],
    ['7', { dtype: 'I64', shape: [1], data: BigInt64Array.of(-1n) }],
    ['double', { dtype: 'F64', shape: [1], data: Float64Array.of(0.1) }],
    ['none', { dtype: 'I32', shape: [0, 5], data: new Int32Array(0) }],
  ]);

  it('round-trip tensors, aligned, wide types first', () => {
    const bytes = concat(encodeSafetensors(tensors, { format: 'pt', __proto__x: 'é' }));
    const header = parse(bytes);
    expect(header.metadata).toEqual({ format: 'pt', __proto__x: 'é' });
    expect(header.dataStart % 8).toBe(0);
    expect([...header.tensors.keys()]).toEqual([
      '7',
      'double',
      '__proto__',
      'b',
      'none',
      'brain',
      'half',
      'bool',
    ]);
    for (const [name, info] of header.tensors) {
      const data = decodeTensor(info, bytes.subarray(info.begin, info.end));
      expect({ dtype: info.dtype, shape: info.shape, data }).toEqual(tensors.get(name));
    }
  });

  it('read an empty file without tensors', () => {
    const bytes = concat(encodeSafetensors(new Map()));
    expect(parse(bytes)).toEqual({ metadata: {}, tensors: new Map(), dataStart: bytes.length });
  });

  it('reject data of another type or shape', () => {
    const wrongType = new Map([['x', { dtype: 'F16' as const, shape: [1], data: Float32Array.of(1) }]]);
    expect(() => encodeSafetensors(wrongType)).toThrow(
      'x: expected Uint16Array of 1 for [1], got Float32Array of 1',
    );
    const wrongShape = new Map([['x', { dtype: 'F32' as const, shape: [2], data: Float32Array.of(1) }]]);
    expect(() => encodeSafetensors(wrongShape)).toThrow('expected Float32Array of 2');
  });
});

describe('toFloat32', () => {
  it('widens, narrows, and reads at any address', () => {
    const bytes = new Uint8Array(9);
    new DataView(bytes.buffer).setFloat32(1, 2.5, true);
    expect([...toFloat32({ dtype: 'F32' }, bytes.subarray(1, 5), 'x')]).toEqual([2.5]);
    const of = (data: ArrayBufferView) => new Uint8Array(data.buffer);
    expect([...toFloat32({ dtype: 'F16' }, of(Uint16Array.of(0xc000)), 'x')]).toEqual([-2]);
    expect([...toFloat32({ dtype: 'BF16' }, of(Uint16Array.of(0xc000)), 'x')]).toEqual([-2]);
    expect([...toFloat32({ dtype: 'F64' }, of(Float64Array.of(0.1)), 'x')]).toEqual([Math.fround(0.1)]);
  });

  it('rejects integers', () => {
    expect(() => toFloat32({ dtype: 'I8' }, new Uint8Array(1), 'w')).toThrow('w has values of');
  });
});

describe('a hostile file', () => {
  const one = tensor('F32', '[1]', '[0,4]');
  it.each<[string, Uint8Array, string]>([
    ['empty', new Uint8Array(0), 'm.safetensors has 0 bytes, too few for a safetensors file'],
    ['seven bytes', new Uint8Array(7), 'has 7 bytes, too few'],
    ['an endless header', file('{}', 0, 2n ** 63n), 'more than the maximum of 33554432'],
    ['a header beyond the file', file('{}', 0, 12n), 'has 10 bytes but a header of 12: at least 10'],
    ['no JSON', file('{"a":'), 'm.safetensors: header is not valid JSON'],
    ['an array', file('[]'), 'has a header that is not a JSON object'],
    ['invalid UTF-8', Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff), 'header is not valid JSON'],
    ['a name twice', file(`{"a":${one},"\\u0061":${one}}`, 4), 'header has the same key'],
    ['arrays within arrays', file(`{"a":${'['.repeat(2 ** 20)}`), 'header is JSON nested'],
    ['empty arrays', file(`{"a":[${'[],'.repeat(2 ** 20)}0]}`), 'is JSON with more than 1048576 values'],
    [
      'metadata of numbers',
      file('{"__metadata__":{"a":1}}'),
      '`__metadata__` must be a JSON object of strings',
    ],
    ['a tensor that is null', file('{"a":null}'), 'tensor "a" needs a dtype'],
    ['an unknown dtype', file(`{"a":${tensor('F8_E4M3', '[4]', '[0,4]')}}`, 4), 'got "F8_E4M3"'],
    ['a dtype from the prototype', file(`{"a":${tensor('toString', '[4]', '[0,4]')}}`, 4), 'got "toString"'],
    [
      'a negative size',
      file(`{"a":${tensor('F32', '[-1,-1]', '[0,4]')}}`, 4),
      'shape of non-negative integers',
    ],
    [
      'a fractional size',
      file(`{"a":${tensor('F32', '[0.5]', '[0,2]')}}`, 2),
      'shape of non-negative integers',
    ],
    [
      '2^60 elements',
      file(`{"a":${tensor('F32', '[1152921504606846976]', '[0,4]')}}`, 4),
      'non-negative integers',
    ],
    [
      'a product that overflows',
      file(`{"a":${tensor('F32', '[4294967296,4294967296]', '[0,0]')}}`),
      'bytes for F32',
    ],
    [
      'an infinite product',
      file(`{"a":${tensor('F32', `[${Array(30).fill(2 ** 40)},0]`, '[0,0]')}}`),
      'bytes for F32',
    ],
    [
      'a wrong byte count',
      file(`{"a":${tensor('F32', '[2]', '[0,4]')}}`, 4),
      'needs 8 bytes for F32 [2], got 4',
    ],
    ['negative offsets', file(`{"a":${tensor('F32', '[1]', '[-4,0]')}}`), 'data_offsets [begin, end]'],
    ['offsets backwards', file(`{"a":${tensor('F32', '[0]', '[4,0]')}}`), 'data_offsets [begin, end]'],
    ['three offsets', file(`{"a":${tensor('F32', '[1]', '[0,4,4]')}}`, 4), 'data_offsets [begin, end]'],
    ['an overlap', file(`{"a":${one},"b":${one}}`, 4), '(an overlap)'],
    ['a gap', file(`{"a":${one},"b":${tensor('F32', '[1]', '[8,12]')}}`, 12), '(a gap)'],
    ['a gap at the start', file(`{"a":${tensor('F32', '[1]', '[4,8]')}}`, 8), '(a gap)'],
    [
      'truncated data',
      file(`{"a":${tensor('F32', '[4]', '[0,16]')}}`, 6),
      '10 are missing, from tensor "a" on',
    ],
    ['surplus data', file(`{"a":${one}}`, 5), '1 too many'],
  ])('%s', (_, bytes, message) => {
    const attempt = () => parse(bytes);
    expect(attempt).toThrow(UserError);
    expect(attempt).toThrow('m.safetensors');
    expect(attempt).toThrow(message);
  });

  it('with a flipped bit is rejected, or its tensors fill it without a gap', () => {
    const tensors = new Map<string, StoredTensor>([
      ['a', { dtype: 'F32', shape: [2, 3], data: new Float32Array(6) }],
      ['half', { dtype: 'F16', shape: [5], data: new Uint16Array(5) }],
      ['none', { dtype: 'I32', shape: [0, 5], data: new Int32Array(0) }],
    ]);
    const bytes = concat(encodeSafetensors(tensors, { format: 'pt' }));
    readOrRefuse(withBitTurned(bytes), parse, ({ dataStart, tensors }) => {
      let at = dataStart;
      for (const { dtype, shape, begin, end } of [...tensors.values()].sort((a, b) => a.begin - b.begin)) {
        expect(begin).toBe(at);
        expect(end - begin).toBe(elementCount(shape) * itemSize(dtype));
        at = end;
      }
      expect(at).toBe(bytes.length);
    });
  });

  it('is quoted on one short line', () => {
    const name = `${'x'.repeat(10_000)}\n\u001b[31m`;
    const bytes = file(`{${JSON.stringify(name)}:{"dtype":${JSON.stringify(name)}}}`);
    const error = (() => {
      try {
        parse(bytes);
      } catch (thrown) {
        return thrown as Error;
      }
    })();
    expect(error?.message).not.toContain('\n');
    expect(error?.message).not.toContain('\u001b');
    expect(error?.message.length).toBeLessThan(500);
  });
});

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gguf } from '@huggingface/gguf';
import { describe, expect, it } from 'vitest';
import { newFolder } from '../../../tests/support/new-folder.ts';
import { encodeGguf, type GgufDtype, type GgufTensor } from './encode-gguf.ts';

const folder = newFolder();

const matrix = (rows: number, columns: number, value: (i: number) => number): GgufTensor => ({
  shape: [rows, columns],
  read: (start, end) => Float32Array.from({ length: end - start }, (_, i) => value(start + i)),
});
const METADATA = { 'general.architecture': 'llama' };

function encoded(tensors: Record<string, GgufTensor>, dtype: GgufDtype): Buffer {
  return Buffer.concat([...encodeGguf(METADATA, new Map(Object.entries(tensors)), dtype)]);
}

describe('a GGUF file', () => {
  it('has these bytes', () => {
    const bytes = encoded({ 'a.lora_a': matrix(1, 2, (i) => i + 1) }, 'f32');
    const header = [
      '47475546 03000000 0100000000000000 0200000000000000',
      `1400000000000000 ${Buffer.from('general.architecture').toString('hex')} 08000000`,
      `0500000000000000 ${Buffer.from('llama').toString('hex')}`,
      `1100000000000000 ${Buffer.from('general.file_type').toString('hex')} 04000000 00000000`,
      `0800000000000000 ${Buffer.from('a.lora_a').toString('hex')} 02000000`,
      '0200000000000000 0100000000000000 00000000 0000000000000000',
    ].join('');
    const hex = header.replaceAll(' ', '');
    const padded = hex.padEnd(Math.ceil(hex.length / 64) * 64, '0');
    expect(bytes.toString('hex')).toBe(`${padded}0000803f00000040${'00'.repeat(24)}`);
  });

  it('is read by @huggingface/gguf', async () => {
    const path = join(folder, 'a.gguf');
    const tensors = { 'blk.0.a.lora_a': matrix(3, 64, Math.sin), 'blk.0.a.lora_b': matrix(5, 3, Math.cos) };
    writeFileSync(path, encoded(tensors, 'q8_0'));
    const { metadata, tensorInfos } = await gguf(path, { allowLocalFile: true });
    expect(metadata).toMatchObject({
      version: 3,
      tensor_count: 2n,
      kv_count: 3n,
      ...METADATA,
      'general.file_type': 7,
    });
    expect(tensorInfos).toMatchObject([
      { name: 'blk.0.a.lora_a', shape: [64n, 3n], dtype: 8, offset: 0n },
      // Rows of 3 numbers are no blocks of 32.
      { name: 'blk.0.a.lora_b', shape: [3n, 5n], dtype: 1, offset: 224n },
    ]);
  });

  it('rounds a block to 8 bits', () => {
    const block = encoded({ a: matrix(1, 32, (i) => i - 16) }, 'q8_0').subarray(-64, -30);
    const scale = 16 / 127;
    expect([...new Int8Array(block.subarray(2))]).toEqual(
      Array.from({ length: 32 }, (_, i) => Math.sign(i - 16) * Math.round(Math.abs(i - 16) / scale)),
    );
    expect(new Uint8Array(encoded({ a: matrix(1, 32, () => 0) }, 'q8_0').subarray(-64))).toEqual(
      new Uint8Array(64),
    );
  });

  it('refuses values beyond float16 and long names', () => {
    const large = matrix(1, 3, () => 70_000);
    expect(() => encoded({ a: large }, 'f16')).toThrow("a has the value 70000, beyond float16's limit");
    expect(() => encoded({ a: matrix(1, 32, () => 1e7) }, 'q8_0')).toThrow('beyond float16');
    expect(() => encoded({ ['a'.repeat(64)]: large }, 'f32')).toThrow('at most 63 bytes');
  });
});

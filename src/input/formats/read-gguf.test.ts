import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { viewBytes } from '../../support/arrays.ts';
import { bytesAsSource } from './byte-source.ts';
import { encodeGguf, type GgufTensor } from './encode-gguf.ts';
import { readGgufHeader, readGgufTensor } from './read-gguf.ts';

/** A block of random numbers of each type, and the SHA-256 of its values by the package gguf 0.19 (Python). */
const BLOCKS: [name: string, type: number, count: number, block: string, sha256: string][] = [
  ['q4_0', 2, 32, '4c22becf931aed15f5d3ef2d059d9f3c36ec', 'c9a965235d771973f45e07c2a94388fa'],
  ['q4_1', 3, 32, '4c22c028240786de399208950e0f160a90d01818', 'fad7866b30d2a060526ab1a560f6f16d'],
  ['q5_0', 6, 32, '4c220b553b68e16ee2c9089f1a1ba37a2129c94346a6', '10b236ede2e1290ea4cc65c5c5e18586'],
  ['q5_1', 7, 32, '4c22c028893f0dbcff405e08089c191d9d92be73db872764', 'badf6b6041a275e4bb5502d18de61a05'],
  [
    'q8_0',
    8,
    32,
    '4c2248e3a815498410998c6b50a33d6e2fe594aa616e38964ac13e2ceeefe2bc0ecd',
    '620689b7886744a5bd2cafdafa84b719',
  ],
  [
    'q4_k',
    12,
    256,
    '4c22c028a06e44c94f68c14858c5ea51943007a695287ea628363bb20d9987de3bbfef4ac19a52f073a76100b9d2b0134cb134f96d5ea2f1c505644c32f7a623fa62615067c1080b3d2d47e41d5aa4a9093dcd95e712a33e0ec0a7787351ba306b7bf5c5347b777986c1c4077f5621411daafbb427370b85a171ce5f5ee1ee40991f4217376dcd9b4c8816a9b8a62c85',
    '35adeb17b992aa2d6cf7eb1d9d61969d',
  ],
  [
    'q5_k',
    13,
    256,
    '4c22c02826728dedfa7a0a35d502b09b61974da19dd8773f936a544cf94bc07c0ac4e3bd5fe6e14af9cadfb85a875da7ebbbfd37ec2b4963587773d43b94b9d731e55ba87d723501c3e8cbae1d1da139ff7bf0d1e7c9e3e92ff4b66d045efcf466853ac2b19f5a53cf13e4e09a0c74626ea3311a2c86ea97f26a8ad95a6409a8f26bd86461b2f5e6cb90cc7a4fcbbc62af2e762586c76b36a611ccb29df095cc4e1cbf4a0e2cf3a0aef902df3b6dfb25',
    '95a88b2282fe38d2adf6b68130cece6a',
  ],
  [
    'q6_k',
    14,
    256,
    '67ef7e4687772d8600c3d28f49fef265bfde4f66f2170321efa2e79c4fa27beefff2563242aa1fcc0353272e95b5430b033e32bffe686e2ec5b691c0a5bfb25444762591c342bff0b2e0cbebfb35f9796eacad34451f3240f6a7d4d9bff8bb969fc0422b8caad2e2c825e0f60f900cf89d53aa9f4b9dc1f965bc5c9bf4673680028a76f895bbda9ad6f97ac93702d6561e0838ca6dd339f9a816d90d930843891f8c895e9f93530deea9bb151144b34409068b31773b7ab7b2fcbf368c9876a029f5cfdb81b7c97eac03732033890e11a822',
    '932c7eac0546f551d44fe044f4ccc095',
  ],
  ['bf16', 30, 8, '40c009c0a4bfdbbedb3ea43f09404040', 'd77c886944646eea6d2144a8f3881e05'],
];

it.each(BLOCKS)('reads a block of %s as llama.cpp does', (_, type, count, block, sha256) => {
  const bytes = Buffer.from(block, 'hex');
  // Two rows show that blocks follow each other.
  const file = bytesAsSource(Buffer.concat([bytes, bytes]), 'a.gguf');
  const read = readGgufTensor(file, 'a', { shape: [2, count], type, begin: 0 });
  for (const row of [read.subarray(0, count), read.subarray(count)])
    expect(createHash('sha256').update(viewBytes(row)).digest('hex').slice(0, 32)).toBe(sha256);
});

const ones: GgufTensor = { shape: [2, 3], read: (start, end) => new Float32Array(end - start).fill(1) };
const METADATA = {
  'general.architecture': 'llama',
  list: ['a', 'b'],
  numbers: Int32Array.of(-1, 2),
  float: { float: 0.5 },
  yes: true,
};
const written = (metadata: Parameters<typeof encodeGguf>[0] = METADATA) =>
  Buffer.concat([...encodeGguf(metadata, new Map([['a', ones]]), 'f16')]);
const open = (bytes: Uint8Array) => readGgufHeader(bytesAsSource(bytes, 'a.gguf'));

it('reads the header and the tensors that are written', () => {
  const file = bytesAsSource(written(), 'a.gguf');
  const { metadata, tensors } = readGgufHeader(file);
  expect(metadata).toMatchObject({ ...METADATA, numbers: [-1, 2], float: 0.5 });
  expect([...readGgufTensor(file, 'a', tensors.get('a')!)]).toEqual(Array(6).fill(1));
});

it('refuses what it cannot read', () => {
  const bytes = written();
  expect(() => open(Buffer.from('not a model at all'))).toThrow(
    'a.gguf is not a GGUF file of version 2 or 3.',
  );
  for (let end = 0; end < 200; end += 7)
    expect(() => open(bytes.subarray(0, end))).toThrow('a.gguf is damaged: its header does not end.');
  // The number of keys, which no file has.
  expect(() => open(Buffer.from(bytes).fill(255, 16, 24))).toThrow('is damaged');
  expect(() => open(written({ ...METADATA, 'split.count': 2 }))).toThrow('a.gguf is one of several shards.');
  const file = bytesAsSource(bytes, 'a.gguf');
  const info = { shape: [64, 256], type: 1, begin: 0 };
  expect(() => readGgufTensor(file, 'a', info)).toThrow('a.gguf: a is damaged');
  expect(() => readGgufTensor(file, 'a', { ...info, type: 16 })).toThrow(
    'a.gguf: a has the type 16, which is not read. Use a file of one of these types: f32, f16, q4_0',
  );
});

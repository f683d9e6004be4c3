import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import protobuf from 'protobufjs';
import { expect, it } from 'vitest';
import { folderFiles } from '../../../input/formats/node/folder-files.ts';
import { crc32c, eventFile, maskedCrc32c } from './event-file.ts';

const ascii = (text: string) => new TextEncoder().encode(text);

it.each([
  ['32 bytes of zeros', new Uint8Array(32), 0x8a9136aa],
  ['32 bytes of ones', new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ['0 to 31', Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
  ['31 to 0', Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
  ['123456789', ascii('123456789'), 0xe3069283],
])('CRC-32C of %s equals RFC 3720', (_, bytes, crc) => {
  expect(crc32c(bytes)).toBe(crc);
});

/** Reads a TFRecord file as the format defines it, and checks the checksums. */
function recordsIn(bytes: Uint8Array): Uint8Array[] {
  const records: Uint8Array[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length; ) {
    const length = Number(view.getBigUint64(at, true));
    expect(view.getUint32(at + 8, true)).toBe(maskedCrc32c(bytes.subarray(at, at + 8)));
    const data = bytes.subarray(at + 12, at + 12 + length);
    expect(view.getUint32(at + 12 + length, true)).toBe(maskedCrc32c(data));
    records.push(data);
    at += length + 16;
  }
  return records;
}

// Taken from event.proto and summary.proto, independently of the writer's descriptor.
const { root } = protobuf.parse(`
  syntax = "proto3";
  message E { double at = 1; int64 step = 2; string version = 3; S summary = 5; L log = 7; }
  message S { repeated V value = 1; }
  message V { string tag = 1; float simple = 2; }
  message L { int32 status = 1; }
`);

it('writes events that a reader of the format reads back', () => {
  const folder = mkdtempSync(join(tmpdir(), 'adalora-'));
  try {
    const write = eventFile(folderFiles(folder), 4321, () => 1_700_000_000_500);
    write({ type: 'notice', step: 0, message: 'before the start: there is no file yet' });
    expect(readdirSync(folder)).toEqual([]);
    write({ type: 'start', step: 20, total_steps: 40 });
    write({ type: 'step', step: 24, loss: 0.5, learning_rate: 1e-3, budget: 144, grad_norm: null });
    write({ type: 'evaluation', step: 30, eval_accuracy: 0.75, eval_loss: 0.25, best: true });
    write({ type: 'allocation', step: 32, budget: 5, threshold: 0.125, final: false, ranks: { 'a.b': 5 } });
    write({ type: 'orthogonality', step: 32, modules: { 'a.b': [0.5, 0.25] } });
    const [name, ...others] = readdirSync(folder) as [string, ...string[]];
    expect(others).toEqual([]);
    expect(name).toMatch(/^events\.out\.tfevents\.1700000000\.4321\.adalora$/);
    const events = recordsIn(readFileSync(join(folder, name))).map((record) =>
      root.lookupType('E').toObject(root.lookupType('E').decode(record), { longs: Number }),
    );
    expect(events).toEqual([
      { at: 1_700_000_000.5, version: 'brain.Event:2' },
      { at: 1_700_000_000.5, step: 21, log: { status: 1 } },
      {
        at: 1_700_000_000.5,
        step: 24,
        summary: {
          value: [
            { tag: 'train/loss', simple: 0.5 },
            { tag: 'train/learning_rate', simple: Math.fround(1e-3) },
            { tag: 'adalora/budget', simple: 144 },
          ],
        },
      },
      {
        at: 1_700_000_000.5,
        step: 30,
        summary: {
          value: [
            { tag: 'eval/accuracy', simple: 0.75 },
            { tag: 'eval/loss', simple: 0.25 },
          ],
        },
      },
      {
        at: 1_700_000_000.5,
        step: 32,
        summary: {
          value: [
            { tag: 'adalora/threshold', simple: 0.125 },
            { tag: 'ranks/a.b', simple: 5 },
          ],
        },
      },
      {
        at: 1_700_000_000.5,
        step: 32,
        summary: {
          value: [
            { tag: 'orthogonality/a.b.B', simple: 0.5 },
            { tag: 'orthogonality/a.b.A', simple: 0.25 },
          ],
        },
      },
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Float16Array } from '@petamoriken/float16';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { add, concat, gather, input, weight } from '../src/engine/graph/build.ts';
import { Graph } from '../src/engine/graph/graph.ts';
import { lower, type WeightLocation } from '../src/engine/onnx/lower.ts';
import { createSession as createNodeSession } from '../src/engine/runtime/node/create-session.ts';
import { createSession as createWebSession } from '../src/engine/runtime/web-session.ts';

/** Values that all three formats represent exactly. */
const VALUES = [1, -2, 0.5, 96, -0.0625, 3];
const FILE = 'model.safetensors';

/** A safetensors file: header length, header, then the tensors, none at a multiple of a page or of 16 bytes. */
function checkpoint(): { bytes: Uint8Array; locate: (name: string) => WeightLocation } {
  const tensors = {
    float32: new Uint8Array(Float32Array.from(VALUES).buffer),
    float16: new Uint8Array(Float16Array.from(VALUES).buffer),
    bfloat16: new Uint8Array(
      Uint16Array.from(new Uint32Array(Float32Array.from(VALUES).buffer), (bits) => bits >> 16).buffer,
    ),
  };
  const header = JSON.stringify({ __metadata__: { padding: 'x'.repeat(15) } }).padEnd(61);
  const parts: Uint8Array[] = [
    new Uint8Array(BigUint64Array.of(BigInt(header.length)).buffer),
    new TextEncoder().encode(header),
  ];
  const places = new Map<string, WeightLocation>();
  for (const [name, tensor] of Object.entries(tensors)) {
    const begin = parts.reduce((size, part) => size + part.length, 0);
    const dtype = name as WeightLocation['dtype'];
    places.set(name, { file: FILE, begin, end: begin + tensor.length, dtype });
    parts.push(tensor, new Uint8Array(2));
  }
  const locate = (name: string) => {
    const [kind, own] = (name.includes(' ') ? name.split(' ') : ['whole', name]) as [string, string];
    const place = places.get(own) as WeightLocation;
    return kind === 'turned' ? { ...place, axes: [1, 0] } : place;
  };
  return { bytes: Buffer.concat(parts), locate };
}

describe('external weights', () => {
  const { bytes, locate } = checkpoint();
  const graph = new Graph();
  const x = input(graph, 'x', 'float32', [6]);
  const names = ['float32', 'float16', 'bfloat16'];
  const at = input(graph, 'at', 'int32', [2]);
  // Each as a whole and, in a second tensor with the same bytes, as a lookup table.
  const outputs = Object.fromEntries(
    names.flatMap((name) => [
      [`y_${name}`, add(x, weight(graph, name, [6]))],
      [`rows_${name}`, gather(weight(graph, `table ${name}`, [3, 2]), at)],
      [`turned_${name}`, add(weight(graph, `turned ${name}`, [3, 2]), 0.5)],
    ]),
  );
  const feeds = {
    x: { data: new Float32Array(6), dims: [6] },
    at: { data: Int32Array.of(2, 0), dims: [2] },
  };
  const expected = Object.fromEntries(
    names.flatMap((name) => [
      [`y_${name}`, { data: Float32Array.from(VALUES), dims: [6] }],
      [`rows_${name}`, { data: Float32Array.of(-0.0625, 3, 1, -2), dims: [2, 2] }],
      [`turned_${name}`, { data: Float32Array.of(1.5, 96.5, -1.5, 0.4375, 1, 3.5), dims: [3, 2] }],
    ]),
  );
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'adalora-'));
    await writeFile(join(folder, FILE), bytes);
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('are read at unaligned offsets', () => {
    expect(names.map((name) => locate(name).begin % 4)).not.toContain(0);
  });

  it('are read by offset from a file, in any folder (node)', async () => {
    const session = await createNodeSession(lower(outputs, { target: 'cpu', locate }), {
      device: 'cpu',
      weightFolder: folder,
    });
    expect(await session.run(feeds)).toEqual(expected);
    await session.release();
  });

  it('are read by offset from bytes (web)', async () => {
    const model = lower(outputs, { target: 'wasm', locate });
    const session = await createWebSession(model, {
      device: 'wasm',
      weightFiles: [{ path: FILE, data: bytes }],
    });
    expect(await session.run(feeds)).toEqual(expected);
    await session.release();
  });

  it('outside their file are rejected before anything runs', async () => {
    const beyond = (name: string) => ({ ...locate(name), begin: bytes.length, end: bytes.length + 24 });
    const model = lower({ y: outputs.y_float32! }, { target: 'cpu', locate: beyond });
    await expect(createNodeSession(model, { device: 'cpu', weightFolder: folder })).rejects.toThrow(
      /float32/,
    );
  });

  it.each(['../model.safetensors', '/etc/hostname', 'missing.safetensors'])(
    'are not read from %s',
    async (file) => {
      const model = lower(
        { y: outputs.y_float32! },
        { target: 'cpu', locate: (name) => ({ ...locate(name), file }) },
      );
      await expect(createNodeSession(model, { device: 'cpu', weightFolder: join(folder) })).rejects.toThrow(
        /path|file|exist/i,
      );
    },
  );

  it('are located once per name, and need a `locate`', () => {
    const asked: string[] = [];
    const counted = (name: string) => {
      asked.push(name);
      return locate(name);
    };
    lower(
      { y: concat([outputs.y_float32!, add(x, weight(graph, 'float32', [6]))], 0) },
      { target: 'cpu', locate: counted },
    );
    expect(asked).toEqual(['float32']);
    expect(() => lower(outputs, { target: 'cpu' })).toThrow('locate');
  });
});

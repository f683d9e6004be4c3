import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { readAdapter, writeAdapter } from '../../../../../tests/support/adapter-folder.ts';
import { newFolder } from '../../../../../tests/support/new-folder.ts';
import { headLabels, type StoredAdapter } from '../stored-adapter.ts';

const OWN = 'encoder.layer.0.output.adapters.default.adapter_up.bias';
const ADAPTER: StoredAdapter = {
  config: {
    config: { scaling: 1, reduction_factor: 16, non_linearity: 'relu' },
    model_class: 'BertForTokenClassification',
    model_name: 'owner/name',
    name: 'default',
  },
  tensors: new Map([
    [OWN, { shape: [2], data: Float32Array.of(1, 2) }],
    ['classifier.bias', { shape: [1], data: Float32Array.of(3) }],
  ]),
  baseModel: 'owner/name',
  head: { model_class: 'BertForTokenClassification', config: null, label2id: { B: 1, A: 0 } },
};

let folder: string;
beforeEach(() => {
  folder = newFolder();
});

const text = (name: string) => readFileSync(join(folder, name), 'utf8');
const write = (name: string, content: object) => writeFileSync(join(folder, name), JSON.stringify(content));

describe("AdapterHub's folder", () => {
  it('round-trips', async () => {
    writeAdapter(folder, ADAPTER);
    expect(await readAdapter(folder)).toEqual(ADAPTER);
    expect(readdirSync(folder).sort()).toEqual([
      'adapter.safetensors',
      'adapter_config.json',
      'head_config.json',
      'model_head.safetensors',
    ]);
    // AdapterHub rejects a scaling that is not a float.
    expect(text('adapter_config.json')).toContain('"scaling": 1.0');
  });

  it('has no head files if no head was trained', async () => {
    const { head: _, ...headless } = ADAPTER;
    const tensors = new Map([...ADAPTER.tensors].slice(0, 1));
    writeAdapter(folder, { ...headless, tensors });
    expect(readdirSync(folder).sort()).toEqual(['adapter.safetensors', 'adapter_config.json']);
    expect(await readAdapter(folder)).toEqual({ ...headless, tensors });
  });

  it('keeps the description of an exchangeable head', async () => {
    const head = {
      model_class: 'BertAdapterModel',
      config: { head_type: 'question_answering', label2id: { a: 0 } },
    };
    writeAdapter(folder, { ...ADAPTER, head });
    expect(await readAdapter(folder)).toMatchObject({ head });
    expect(headLabels({ head })).toEqual({ 0: 'a' });
  });

  it('reports errors', async () => {
    writeAdapter(folder, ADAPTER);
    write('head_config.json', { config: 3 });
    await expect(readAdapter(folder)).rejects.toThrow(/head_config.json: (model_class|config): /);
    rmSync(join(folder, 'head_config.json'));
    expect((await readAdapter(folder)).head).toBeUndefined();
    write('adapter_config.json', { ...ADAPTER.config, config: 'pfeiffer' });
    await expect(readAdapter(folder)).rejects.toThrow('adapter_config.json: config: ');
    writeFileSync(join(folder, 'adapter_config.json'), '{');
    await expect(readAdapter(folder)).rejects.toThrow('adapter_config.json is not valid');
    writeAdapter(folder, ADAPTER);
    writeFileSync(join(folder, 'model_head.safetensors'), 'PK');
    await expect(readAdapter(folder)).rejects.toThrow('model_head.safetensors ');
    rmSync(join(folder, 'adapter.safetensors'));
    await expect(readAdapter(folder)).rejects.toThrow(
      "adapter.safetensors does not exist; it should be the adapter's tensors",
    );
  });
});

it('class names are in the order of their ids', () => {
  expect(Object.values(headLabels(ADAPTER)!)).toEqual(['A', 'B']);
  expect(headLabels({ head: { label2id: { A: 'x' } } })).toBeUndefined();
  expect(headLabels({})).toBeUndefined();
});

const trajectories = '../shared/conformance-methods/trajectories';
const cases = existsSync(trajectories)
  ? readdirSync(trajectories).filter((name) =>
      existsSync(join(trajectories, name, 'adapter/pytorch_adapter.bin')),
    )
  : [];

describe.skipIf(cases.length === 0)("AdapterHub's own adapters (skipped without ../shared)", () => {
  it.each(cases)('%s: rewritten', async (name) => {
    const source = `${trajectories}/${name}/adapter`;
    const adapter = await readAdapter(source);
    expect(adapter.tensors.size).toBeGreaterThan(8);
    writeAdapter(folder, adapter);
    expect(await readAdapter(folder)).toEqual(adapter);
    // `save_adapter` wrote this file. The generator of the golden cases has rewritten the other file with
    // another indentation.
    expect(text('head_config.json')).toBe(readFileSync(join(source, 'head_config.json'), 'utf8'));
    const indent = (json: string) => json.replaceAll(/^( +)/gm, (spaces) => ' '.repeat(spaces.length / 2));
    expect(`${indent(text('adapter_config.json'))}\n`).toBe(
      readFileSync(join(source, 'adapter_config.json'), 'utf8'),
    );
  });
});

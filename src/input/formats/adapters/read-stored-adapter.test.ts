import { expect, it } from 'vitest';
import { encodeSafetensors } from '../encode-safetensors.ts';
import { filesFrom, type PageFile } from '../files.ts';
import { encodeAdapter } from './encode-adapter.ts';
import { adapterFileNames, readStoredAdapter } from './read-stored-adapter.ts';
import type { StoredAdapter } from './stored-adapter.ts';

const tensor = (value: number) => ({ shape: [2], data: Float32Array.of(value, 2) });
const PEFT: StoredAdapter = {
  config: { base_model_name_or_path: 'owner/name', peft_type: 'LORA' },
  tensors: new Map([['base_model.model.q.lora_A', tensor(1)]]),
  baseModel: 'owner/name',
};
const ADAPTERHUB: StoredAdapter = {
  config: { config: {}, model_class: 'BertModel', model_name: 'owner/name', name: 'a' },
  tensors: new Map([
    ['encoder.layer.0.output.adapters.a.adapter_up.bias', tensor(1)],
    ['classifier.bias', tensor(3)],
  ]),
  baseModel: 'owner/name',
  head: { model_class: 'BertModel', config: null },
};

/** An adapter's files as a page has them. */
const inPage = (adapter: StoredAdapter) =>
  new Map<string, PageFile>(
    encodeAdapter(adapter).map(([name, chunks]) => [name, new Blob([...chunks] as BlobPart[])]),
  );

it.each([
  ['PEFT', PEFT, ['adapter_config.json', 'adapter_model.safetensors']],
  [
    'AdapterHub',
    ADAPTERHUB,
    ['adapter_config.json', 'head_config.json', 'model_head.safetensors', 'adapter.safetensors'],
  ],
])('reads the files of %s that a page has', async (_, adapter, names) => {
  const files = filesFrom(inPage(adapter), 'a');
  expect(await readStoredAdapter(files)).toEqual(adapter);
  expect(await adapterFileNames(files, adapter)).toEqual(names);
});

it('finds no adapter without settings', async () => {
  expect(await readStoredAdapter(filesFrom(new Map(), 'a'))).toBeUndefined();
});

it.each([
  [PEFT, 'adapter_model.safetensors'],
  [ADAPTERHUB, 'adapter.safetensors'],
])('reports tensors that are missing or too large', async (adapter, name) => {
  const files = inPage(adapter);
  await expect(readStoredAdapter(filesFrom(files, 'a'), 100)).rejects.toThrow(
    new RegExp(`a/${name} has \\d+ bytes, more than the maximum of 100`),
  );
  files.delete(name);
  await expect(readStoredAdapter(filesFrom(files, 'a'))).rejects.toThrow(
    `a/${name} does not exist; it should be the adapter's tensors`,
  );
});

it('refuses tensors in several files', async () => {
  const files = inPage(PEFT);
  files.delete('adapter_model.safetensors');
  files.set('adapter_model.safetensors.index.json', new Blob(['{}']));
  await expect(readStoredAdapter(filesFrom(files, 'a'))).rejects.toThrow(
    'a/adapter_model.safetensors.index.json lists several files of tensors',
  );
});

it('names the kind of an adapter with whole numbers that adalora does not have', async () => {
  const files = inPage({ ...PEFT, config: { peft_type: 'FROD' } });
  const whole = { dtype: 'I64', shape: [1], data: BigInt64Array.of(1n) } as const;
  const chunks = encodeSafetensors(new Map([['base_model.s_indices', { ...whole, shape: [1] }]]));
  files.set('adapter_model.safetensors', new Blob(chunks as BlobPart[]));
  await expect(readStoredAdapter(filesFrom(files, 'a'))).rejects.toThrow(
    'a/adapter_model.safetensors: tensor base_model.s_indices has values of I64, as no supported adapter has, and peft_type is "FROD"',
  );
});

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { newFolder } from '../../../tests/support/new-folder.ts';
import { writeSmallGenerator } from '../../../tests/support/small-generator.ts';
import { writeTinyModel } from '../../../tests/support/tiny-model.ts';
import { filesFrom } from '../../input/formats/files.ts';
import { folderFiles } from '../../input/formats/node/folder-files.ts';
import { describeModel, readModel } from './read-model.ts';

const root = newFolder();

/** The files of a folder that are opened to read its model. */
async function opened(folder: string): Promise<string[]> {
  const names: string[] = [];
  const files = folderFiles(folder);
  const open = (name: string) => {
    names.push(name);
    return files.open(name);
  };
  await readModel(await describeModel({ ...files, open }));
  return names;
}

it('files that only models for text generation have are not requested from others', async () => {
  const [encoder, decoder] = [join(root, 'encoder'), join(root, 'decoder')];
  writeTinyModel(encoder);
  writeSmallGenerator(decoder, 'llama');
  const ofWriting = ['chat_template.jinja', 'generation_config.json'];
  expect(await opened(decoder)).toEqual(expect.arrayContaining(ofWriting));
  const ofEncoder = await opened(encoder);
  expect(ofEncoder).toContain('config.json');
  expect(ofWriting.filter((name) => ofEncoder.includes(name))).toEqual([]);
});

it('decoders without files of sentence-transformers pool by the last token, as there', async () => {
  const [encoder, decoder] = [join(root, 'plain-encoder'), join(root, 'plain-decoder')];
  writeTinyModel(encoder);
  writeSmallGenerator(decoder, 'llama');
  const path = join(decoder, 'config.json');
  const config = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify({ ...config, architectures: ['LlamaForCausalLM'] }));
  const settingsOf = async (folder: string) => (await describeModel(folderFiles(folder))).settings;
  expect(await settingsOf(encoder)).toBeUndefined();
  expect(await settingsOf(decoder)).toMatchObject({ pooling: { mode: 'lasttoken' }, isAssumed: true });
});

it('a folder with a GGUF file is refused by its format', async () => {
  const files = filesFrom(new Map([['model-q8_0.gguf', new Uint8Array(4)]]), 'model');
  await expect(describeModel(files)).rejects.toThrow(
    'model-q8_0.gguf is a GGUF file, a format that is written and not read. Use the model in safetensors',
  );
});

it.each([
  ['fp8', 'quantized by "fp8" in a format that is not read. Use the model with float weights'],
  ['bitsandbytes', 'integers of another program, which are read in Node only'],
])('a page refuses weights quantized by %s', async (quant_method, expected) => {
  const config = { model_type: 'llama', quantization_config: { quant_method } };
  const files = filesFrom(
    new Map([['config.json', new TextEncoder().encode(JSON.stringify(config))]]),
    'model',
  );
  await expect(describeModel(files)).rejects.toThrow(expected);
});

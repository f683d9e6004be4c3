import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { readAdapter, writeAdapter } from '../../../../../tests/support/adapter-folder.ts';
import { newFolder } from '../../../../../tests/support/new-folder.ts';
import { writeSafetensors } from '../../../../../tests/support/safetensors-file.ts';
import {
  asStored,
  parseAdapterConfig,
  peftAdapter,
} from '../../../../methods/tuners/low-rank/peft-config.ts';
import { formatAdapterConfig } from '../encode-adapter.ts';
import type { AdapterTensors } from '../stored-adapter.ts';

let folder: string;
beforeEach(() => {
  folder = newFolder();
});

const config = parseAdapterConfig({ peft_type: 'LORA', target_modules: ['q'] }, 'test');
const adapter = (tensors: AdapterTensors = new Map()) => asStored({ config, tensors });

describe('readAdapter and writeAdapter', () => {
  it('round-trip an adapter, rank 0 included', async () => {
    const tensors = new Map([
      ['base_model.model.q.lora_A', { shape: [0, 4], data: new Float32Array(0) }],
      ['base_model.model.q.lora_B', { shape: [2, 1], data: Float32Array.of(1, 2) }],
    ]);
    writeAdapter(join(folder, 'new/adapter'), adapter(tensors));
    const read = await readAdapter(join(folder, 'new/adapter'));
    expect(read).toEqual(adapter(tensors));
    expect(peftAdapter(read, 'test')).toEqual({ config, tensors });
    expect(readdirSync(join(folder, 'new/adapter')).sort()).toEqual([
      'adapter_config.json',
      'adapter_model.safetensors',
    ]);
  });

  it('widen half precision', async () => {
    writeAdapter(folder, adapter());
    const half = { dtype: 'BF16' as const, shape: [1], data: Uint16Array.of(0x3f80) };
    writeSafetensors(
      join(folder, 'adapter_model.safetensors'),
      new Map([['base_model.model.q.lora_A', half]]),
    );
    expect((await readAdapter(folder)).tensors.get('base_model.model.q.lora_A')?.data).toEqual(
      Float32Array.of(1),
    );
  });

  it('read a pickle if there are no safetensors', async () => {
    const tensors = new Map([
      ['base_model.model.query.lora_A.weight', { shape: [1, 2], data: Float32Array.of(1, 1) }],
      ['base_model.model.query.lora_B.weight', { shape: [2, 1], data: Float32Array.of(0.5, 3) }],
    ]);
    copyFileSync('src/input/formats/pickle/fixtures/adapter.bin', join(folder, 'adapter_model.bin'));
    writeFileSync(join(folder, 'adapter_config.json'), formatAdapterConfig(adapter().config));
    expect(await readAdapter(folder)).toEqual(adapter(tensors));
    writeAdapter(folder, adapter());
    expect((await readAdapter(folder)).tensors.size).toBe(0);
  });

  it('report errors', async () => {
    await expect(readAdapter(join(folder, 'x'))).rejects.toThrow(
      'does not exist; it should be an adapter folder',
    );
    await expect(readAdapter(folder)).rejects.toThrow(
      'adapter_config.json does not exist; it should be the configuration of an adapter',
    );
    writeFileSync(join(folder, 'adapter_config.json'), '{"peft_type": "LORA"');
    await expect(readAdapter(folder)).rejects.toThrow('adapter_config.json is not valid JSON');
    writeFileSync(join(folder, 'adapter_config.json'), '{"peft_type": "LORA"}');
    await expect(readAdapter(folder)).rejects.toThrow('adapter_model.safetensors does not exist');
    writeFileSync(join(folder, 'adapter_model.bin'), '');
    await expect(readAdapter(folder)).rejects.toThrow('adapter_model.bin is not a zip archive of torch.save');
  });
});

const trajectories = '../shared/conformance/trajectories';
const cases = existsSync(trajectories) ? readdirSync(trajectories) : [];

describe.skipIf(cases.length === 0)("PEFT's adapters (skipped without ../shared)", () => {
  it.each(cases)('%s: tensors rewritten byte for byte', async (name) => {
    const source = `${trajectories}/${name}/adapter`;
    const adapter = await readAdapter(source);
    writeAdapter(folder, adapter);
    const bytes = (root: string) => readFileSync(join(root, 'adapter_model.safetensors'));
    expect(bytes(folder).equals(bytes(source))).toBe(true);
    expect(await readAdapter(folder)).toEqual(adapter);
  });
});

import { expect, it } from 'vitest';
import { adapterFiles, formatOfFiles } from './adapter-files.ts';

const CONFIG = 'adapter_config.json';

it.each<[string[], string, string[] | undefined]>([
  [[CONFIG, 'adapter_model.bin'], 'peft', [CONFIG, 'adapter_model.bin']],
  [
    ['adapter_model.bin', 'adapter_model.safetensors', CONFIG, 'model_head.safetensors'],
    'peft',
    [CONFIG, 'adapter_model.safetensors'],
  ],
  [[CONFIG, 'pytorch_adapter.bin', 'README.md'], 'adapterhub', [CONFIG, 'pytorch_adapter.bin']],
  [
    ['pytorch_adapter.bin', 'adapter.safetensors', CONFIG, 'pytorch_model_head.bin', 'head_config.json'],
    'adapterhub',
    [CONFIG, 'head_config.json', 'pytorch_model_head.bin', 'adapter.safetensors'],
  ],
  [
    [CONFIG, 'pytorch_adapter.bin', 'pytorch_model_head.bin'],
    'adapterhub',
    [CONFIG, 'pytorch_model_head.bin', 'pytorch_adapter.bin'],
  ],
  [[CONFIG], 'peft', undefined],
  [[CONFIG, 'head_config.json', 'pytorch_model_head.bin'], 'adapterhub', undefined],
  [['pytorch_adapter.bin'], 'adapterhub', undefined],
])('of %j is %s', (present, format, files) => {
  expect(formatOfFiles(present)).toBe(format);
  expect(adapterFiles(present)).toEqual(files);
});

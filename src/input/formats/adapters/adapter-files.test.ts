import { expect, it } from 'vitest';
import { adapterFiles } from './adapter-files.ts';

const CONFIG = 'adapter_config.json';

it.each<[string[], string[] | undefined]>([
  [
    [CONFIG, 'adapter_model.bin'],
    [CONFIG, 'adapter_model.bin'],
  ],
  [
    ['adapter_model.bin', 'adapter_model.safetensors', CONFIG, 'model_head.safetensors'],
    [CONFIG, 'adapter_model.safetensors'],
  ],
  [
    [CONFIG, 'pytorch_adapter.bin', 'README.md'],
    [CONFIG, 'pytorch_adapter.bin'],
  ],
  [
    ['pytorch_adapter.bin', 'adapter.safetensors', CONFIG, 'pytorch_model_head.bin', 'head_config.json'],
    [CONFIG, 'head_config.json', 'pytorch_model_head.bin', 'adapter.safetensors'],
  ],
  [
    [CONFIG, 'pytorch_adapter.bin', 'pytorch_model_head.bin'],
    [CONFIG, 'pytorch_model_head.bin', 'pytorch_adapter.bin'],
  ],
  [[CONFIG], undefined],
  [[CONFIG, 'head_config.json', 'pytorch_model_head.bin'], undefined],
  [['pytorch_adapter.bin'], undefined],
])('the files of %j are %j', (present, files) => {
  expect(adapterFiles(present)).toEqual(files);
});

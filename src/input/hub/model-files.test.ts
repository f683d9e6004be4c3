import { expect, it } from 'vitest';
import { isUsable, neededFiles } from './model-files.ts';

const ADAPTERHUB = [
  'adapter_config.json',
  'head_config.json',
  'pytorch_adapter.bin',
  'pytorch_model_head.bin',
];

it("AdapterHub's head files come before the adapter's own tensors, which complete a snapshot", () => {
  const others = ['README.md', 'all_results.json', 'vocab.txt', 'model.safetensors'];
  const needed = [
    'adapter_config.json',
    'adalora.json',
    'head_config.json',
    'pytorch_model_head.bin',
    'pytorch_adapter.bin',
  ];
  expect(neededFiles([...others, ...ADAPTERHUB, 'adalora.json'])).toEqual(needed);
  expect(isUsable(needed, [])).toBe(true);
  expect(isUsable(needed.slice(0, -1), [])).toBe(false);
});

it('adapters without tensors are unusable', () => {
  expect(neededFiles(['adapter_config.json', 'head_config.json'])).toBeNull();
});

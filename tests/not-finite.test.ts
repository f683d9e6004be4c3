import { beforeAll, expect, it } from 'vitest';
import { newWorkspace, succeeds } from './support/commands.ts';
import { readSafetensors, writeSafetensors } from './support/safetensors-file.ts';

const workspace = newWorkspace();
beforeAll(async () => {
  const short = ['training.max_steps=2', 'method=lora', 'training.eval_strategy=no'];
  await succeeds(workspace.train(...short));
  // The embedding of "fish" (id 9): rows without it are not affected.
  const path = workspace.path('model', 'model.safetensors');
  const tensors = readSafetensors(path);
  const { data, shape } = tensors.get('bert.embeddings.word_embeddings.weight')!;
  (data as Float32Array)[9 * shape[1]!] = Number.POSITIVE_INFINITY;
  writeSafetensors(path, tensors, { format: 'pt' });
  workspace.write(
    'rows.tsv',
    'sentence\tlabel\na very good cat .\tgood\na dog .\tbad\na fish .\tbad\nfish\tgood\n',
  );
});

it.each([['predict'], ['eval']])(
  '%s ends with exit code 1 and names the first row without finite logits',
  async (command) => {
    const { code, stdout, stderr } = await workspace.run(command, 'run', 'rows.tsv');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    const [note, told] = stderr.split('\n');
    expect(note).toContain('its adapter was trained on other weights');
    expect(told).toMatch(/^Row 3 has logits /);
  },
);

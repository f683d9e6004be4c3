import { expect, it } from 'vitest';
import { newWorkspace } from './support/commands.ts';
import { eventsOf, UNSCORED } from './support/workspace.ts';

const workspace = newWorkspace();

const ADAPTER = ['adapter', 'adapter_model.safetensors'];
const MODEL = ['model', 'model.safetensors'];
const STEPS = 8;
it.each([
  ['loftq', ['base_dtype=int4', 'lora.init_lora_weights=loftq', 'lora.target_modules=[query, output.dense]']],
])('a run with %s resumes byte for byte', async (name, settings) => {
  const steps = [`training.max_steps=${STEPS}`, 'training.logging_steps=1'];
  const common = ['method=lora', UNSCORED, ...steps, ...settings];
  const run = async (output: string, ...more: string[]) => {
    const given = [...common, `output=${output}`].flatMap((setting) => ['--set', setting]);
    expect(await workspace.run('train', 'run.yaml', ...given, ...more)).toMatchObject({
      code: 0,
      stderr: '',
    });
  };
  await run(`${name}-whole`);
  await run(`${name}-parts`, '--set', 'training.stop_at_step=4');
  await run(`${name}-parts`, '--resume');
  const [whole, parts] = ['whole', 'parts'].map((part) =>
    workspace.read(`${name}-${part}`, ...(settings.includes('method=full') ? MODEL : ADAPTER)),
  ) as [Buffer, Buffer];
  expect(parts.equals(whole)).toBe(true);
  const stepsOf = (part: string) =>
    eventsOf(workspace.events(`${name}-${part}`), 'step').map(
      ({ examples_per_second: _, peak_memory_mb: __, ...step }) => step,
    );
  expect(stepsOf('parts')).toEqual(stepsOf('whole'));
});

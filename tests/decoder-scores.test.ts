import { Tokenizer } from 'tokenizers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { train } from '../src/index.ts';
import { newWorkspace, refuses, succeeds } from './support/commands.ts';
import { logSumExp, plainGpt2 } from './support/plain-gpt2.ts';
import { tinyRows } from './support/tiny-data.ts';
import { writeTinyTextModel } from './support/tiny-text-model.ts';
import { trainHere } from './support/train-here.ts';
import { eventsOf } from './support/workspace.ts';

/* The scores of a decoder beside its loss, compared with plain loops over the merged model. */

const CONFIG = `model: gpt2
task: causal_lm
method: lora
data: {train: train.jsonl, validation: dev.jsonl, max_length: 64, prompt: question, choices: options, predict_with_generate: true}
training: {learning_rate: 2e-2, max_steps: 30, per_device_train_batch_size: 8, metric_for_best_model: accuracy}
output: run
`;

const OPTIONS = [' good.', ' not good, bad.'];
const rowsOf = (count: number, seed: number) =>
  tinyRows(count, seed).map(({ text, label }, i) => {
    const right = label === 'good' ? 0 : 1;
    // The right choice by its index or its text.
    return { question: `${text} That is`, options: OPTIONS, answer: i % 2 === 0 ? right : OPTIONS[right]! };
  });

const workspace = newWorkspace();
beforeAll(async () => {
  writeTinyTextModel(workspace.path('gpt2'), 'gpt2', { initializer_range: 0.1 });
  for (const [name, count, seed] of [
    ['train', 80, 1],
    ['dev', 12, 2],
  ] as const)
    workspace.write(
      `${name}.jsonl`,
      rowsOf(count, seed)
        .map((row) => `${JSON.stringify(row)}\n`)
        .join(''),
    );
  workspace.write('run.yaml', CONFIG);
  await succeeds(workspace.train());
  await succeeds(workspace.run('export', 'run', '--as', 'merged', '-o', 'merged'));
});
afterAll(trainHere());

describe('a decoder', { timeout: 240_000 }, () => {
  it('has the same accuracy over choices, and the same completions, as plain loops', async () => {
    const logitsOf = plainGpt2(workspace.path('merged'));
    const tokenizer = Tokenizer.fromFile(workspace.path('merged', 'tokenizer.json'));
    const idsOf = async (text: string) => [...(await tokenizer.encode(text)).getIds()];
    const END = 0;
    let [right, rightByByte, exact] = [0, 0, 0];
    for (const { question, options, answer } of rowsOf(12, 2)) {
      const completion = typeof answer === 'number' ? options[answer]! : answer;
      const prompt = await idsOf(question);
      const likelihoods: number[] = [];
      for (const option of options) {
        const ids = await idsOf(question + option);
        const logits = logitsOf(ids);
        let sum = 0;
        for (let i = prompt.length; i < ids.length; i++)
          sum += logits[i - 1]![ids[i]!]! - logSumExp(logits[i - 1]!);
        likelihoods.push(sum);
      }
      const byByte = likelihoods.map((value, i) => value / Buffer.byteLength(options[i]!));
      right += Number(options[likelihoods[1]! > likelihoods[0]! ? 1 : 0] === completion);
      rightByByte += Number(options[byByte[1]! > byByte[0]! ? 1 : 0] === completion);
      // Greedy, as long as the longest completion and its end.
      const most = Math.max(...(await Promise.all(options.map(idsOf))).map(({ length }) => length)) + 1;
      const ids = [...prompt];
      while (ids.length < prompt.length + most) {
        const last = logitsOf(ids).at(-1)!;
        ids.push(last.indexOf(Math.max(...last)));
        if (ids.at(-1) === END) break;
      }
      const text = await tokenizer.decode(ids.slice(prompt.length), true);
      exact += Number(text.trim() === completion.trim());
    }
    const last = eventsOf(workspace.events('run'), 'evaluation').at(-1)! as unknown as Record<string, number>;
    expect(last.eval_accuracy).toBeCloseTo(right / 12, 12);
    expect(last.eval_accuracy_norm).toBeCloseTo(rightByByte / 12, 12);
    expect(last.eval_exact_match).toBeCloseTo(exact / 12, 12);
    expect(last.eval_valid_json).toBe(0);
    // The model has learned something, so that the numbers are not only chance.
    expect(right).toBeGreaterThan(6);
    const { stdout } = await workspace.run('eval', 'run', 'dev.jsonl', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ eval_accuracy: right / 12, eval_exact_match: exact / 12 });
  });

  it('is scored by the JSON that it writes, and by own metrics over its texts', async () => {
    const rows = rowsOf(40, 3).map(({ question }) => ({ prompt: question, completion: ' [1]' }));
    const seen: [predictions: unknown[], references: unknown[]][] = [];
    const { metrics } = await train({
      model: workspace.path('gpt2'),
      task: 'causal_lm',
      method: 'full',
      defaults: 'huggingface',
      data: {
        train: rows,
        validation: rows.slice(0, 6),
        max_length: 64,
        completion_only_loss: true,
        predict_with_generate: true,
      },
      training: {
        learning_rate: 5e-3,
        max_steps: 50,
        per_device_train_batch_size: 8,
        eval_strategy: 'steps',
        eval_steps: 50,
      },
      metrics: {
        ones(predictions: readonly string[], references: readonly string[]) {
          seen.push([[...predictions], [...references]]);
          return predictions.filter((text) => text.includes('1')).length / predictions.length;
        },
      },
      output: workspace.path('json'),
    });
    expect(metrics).toMatchObject({ eval_valid_json: 1, eval_exact_match: 1, eval_ones: 1 });
    // Before the first step, and after the last.
    expect(seen).toHaveLength(2);
    expect(seen[1]![0].map((text) => JSON.parse(`${text}`))).toEqual(Array(6).fill([1]));
    expect(seen[1]![1]).toEqual(Array(6).fill(' [1]'));
  });

  it('compares calls of functions by name and arguments, in any order, with the untouched model', async () => {
    // It names `tools`, so that nothing is put before it: the text is as short as the model's.
    const template =
      '{% if tools %}{% endif %}{% for m in messages %}{{ m.content or "" }}{% if m.tool_calls %} {{ m.tool_calls[0].function | tojson }}{{ eos_token }}{% endif %}{% endfor %}';
    workspace.write('gpt2/chat_template.jinja', template);
    const rows = (args: object) =>
      Array.from({ length: 40 }, (_, i) => ({
        tools: [{ type: 'function', function: { name: 'f' } }],
        messages: [
          { role: 'user', content: `${i} the call:` },
          { role: 'assistant', tool_calls: [{ function: { name: 'f', arguments: args } }] },
        ],
      }));
    const { metrics, verdict } = await train({
      model: workspace.path('gpt2'),
      task: 'causal_lm',
      method: 'full',
      defaults: 'huggingface',
      data: {
        train: rows({ x: 1, y: 2 }),
        // The second half asks for another value.
        validation: [...rows({ y: 2, x: 1 }).slice(0, 6), ...rows({ x: 1, y: 3 }).slice(6, 12)],
        max_length: 100,
        predict_with_generate: true,
      },
      training: {
        learning_rate: 5e-3,
        max_steps: 250,
        per_device_train_batch_size: 8,
        eval_strategy: 'steps',
        eval_steps: 250,
        metric_for_best_model: 'exact_match',
      },
      output: workspace.path('calls'),
    });
    expect(metrics).toMatchObject({ eval_exact_match: 0.5, eval_valid_json: 1 });
    expect(verdict).toMatchObject({
      value: 0.5,
      rows: 12,
      // Wilson's interval of 6 of 12 rows.
      interval: [expect.closeTo(0.2538, 4), expect.closeTo(0.7462, 4)],
      to_beat: [{ is_start: true, value: 0 }],
    });
  });

  it.each([
    ['{"question": "a", "options": ["b"], "answer": 0}', 'a list of at least two texts in "options"'],
    ['{"question": "a", "options": ["b", "c"], "answer": 2}', 'one of "options" in "answer"'],
    ['{"question": "a", "options": ["b", "c"], "answer": "d"}', 'one of "options" in "answer"'],
  ])('rejects the row %s', async (row, message) => {
    workspace.write('wrong.jsonl', `${row}\n`);
    await refuses(workspace.run('eval', 'run', 'wrong.jsonl'), message);
  });
});
